"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

NetworkT = TypeVar("NetworkT", bound=nn.Module)


class Ema(Generic[NetworkT]):
    """Keeps `shadow`, an averaged copy of `network`, for validation and for the profile.

    The decay warms up as `(1 + step) / (10 + step)`, so that short runs are not dominated by
    their first weights.
    """

    def __init__(self, network: NetworkT, decay: float) -> None:
        self.shadow: NetworkT = copy.deepcopy(network)
        self.shadow.eval().requires_grad_(False)
        self._network = network
        self._decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the weights after `step` (0-based)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        source = self._network.state_dict()
        for name, value in self.shadow.state_dict().items():
            if not torch.is_tensor(value):
                continue  # such as switches, which training does not change
            if value.is_floating_point():
                value.lerp_(source[name].to(value.dtype), 1 - decay)
            else:
                value.copy_(source[name])
