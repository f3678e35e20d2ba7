"""Drift of colour and brightness: what a translator must not do."""

from __future__ import annotations

import torch
from torch import Tensor

from b2b_core.metrics.levels import check_pair

#: Weights of R, G, B in luma; ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)


def colour_drift(image: Tensor, reference: Tensor) -> Tensor:
    """Return by how many 8-bit steps the colour channels' means differ, `(B,)`; 0 is best.

    The absolute difference of the means over all pixels, averaged over R, G and B.

    Raises:
        ValueError: if the shapes differ.
    """
    return _channel_drift(image, reference).abs().mean(dim=1)


def brightness_drift(image: Tensor, reference: Tensor) -> Tensor:
    """Return by how many 8-bit steps the mean luma rose, `(B,)`; negative: darker, 0 is best.

    Raises:
        ValueError: if the shapes differ.
    """
    weights = torch.tensor(_LUMA, dtype=torch.float64, device=image.device)
    return _channel_drift(image, reference) @ weights


def _channel_drift(image: Tensor, reference: Tensor) -> Tensor:
    check_pair(image, reference)
    return 255 * (image.detach().double() - reference.detach().double()).mean(dim=(2, 3))
