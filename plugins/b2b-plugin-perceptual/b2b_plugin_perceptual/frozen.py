"""A network that is never trained."""

from __future__ import annotations

from typing import Self

from torch import nn


class FrozenModule(nn.Module):
    """A module that stays in evaluation mode; gradients reach its input, not its parameters."""

    def freeze(self) -> None:
        """Switch to evaluation and switch off the gradients of all parameters."""
        self.eval()
        self.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - torch's signature
        """Stay in evaluation mode, whatever the network around this one does."""
        return super().train(mode=False)
