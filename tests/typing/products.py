"""What the factories of the other files build: structural, without base classes of b2b."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Twice(nn.Module):
    """A network that fits the contract of translators."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `[image]`, one level."""
        return [image]


class Same:
    """A translator that is no network."""

    def __call__(self, image: Tensor, /) -> list[Tensor]:
        """Return `[image]`, one level."""
        return [image]


class Judge:
    """A discriminator."""

    def __call__(self, pyramid: Sequence[Tensor], /) -> list[Tensor]:
        """Return the levels as they are."""
        return list(pyramid)


class Flat:
    """No translator: it returns an image where the contract asks for a pyramid."""

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return the image."""
        return image
