"""What metrics measure: pictures as files hold them."""

from __future__ import annotations

from torch import Tensor


def levels(image: Tensor) -> Tensor:
    """Return `image` on the scale of 8-bit pixels, clamped and rounded, as float64."""
    return image.detach().double().mul(255).round().clamp(0, 255)


def check_pair(image: Tensor, reference: Tensor) -> None:
    """Refuse pictures that cannot be compared.

    Raises:
        ValueError: unless both are `(B, 3, H, W)` of one size.
    """
    if image.shape != reference.shape or image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(
            f"pictures of {tuple(image.shape)} and {tuple(reference.shape)} cannot be compared:"
            " both must be (B, 3, H, W)"
        )
