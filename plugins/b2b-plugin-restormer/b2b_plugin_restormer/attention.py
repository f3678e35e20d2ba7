"""Attention between channels instead of pixels (MDTA): linear in the number of pixels."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from b2b_plugin_restormer.windows import blend_windows

#: Smallest norm that a channel is divided by; its square is a float32.
_TINY = 1e-12


class TransposedAttention(nn.Module):
    """Every channel becomes a mixture of the channels of its head.

    How alike two channels are is the cosine between them, each taken as one vector of all pixels
    (transposed attention, Zamir et al., section 3.1; cosines as in XCiT, El-Nouby et al., 2021),
    times the learned `temperature`. Cosines and softmax run in float32 at least: the norms are
    sums over all pixels.

    Args:
        channels: channels in and out.
        heads: groups of channels that are mixed among themselves; they divide the channels.
        bias: whether the convolutions have biases.
        window: side of the windows in which the channels are compared; None: the whole map.
    """

    def __init__(
        self, channels: int, heads: int, *, bias: bool = False, window: int | None = None
    ) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=bias)
        self.qkv_dwconv = nn.Conv2d(
            3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=bias
        )
        self.project_out = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map `(B, C, H, W)` of the same shape."""
        qkv = self.qkv_dwconv(self.qkv(x))
        mixed: Tensor = self.project_out(blend_windows(self._mix, qkv, self.window))
        return mixed

    def _mix(self, qkv: Tensor) -> Tensor:
        """Map queries, keys and values `(B, 3C, h, w)` to mixed values `(B, C, h, w)`."""
        batch, channels, height, width = qkv.shape
        query, key, value = (
            part.reshape(batch, self.heads, -1, height * width) for part in qkv.chunk(3, dim=1)
        )
        mixed = self._likeness(query, key).to(value.dtype) @ value
        return mixed.reshape(batch, channels // 3, height, width)

    def _likeness(self, query: Tensor, key: Tensor) -> Tensor:
        """Map two `(B, heads, c, pixels)` to weights `(B, heads, c, c)` whose rows sum to one."""
        wide = torch.promote_types(query.dtype, torch.float32)
        query, key = query.to(wide), key.to(wide)
        with _without_autocast(query.device.type):
            products = query @ key.transpose(-2, -1)
            cosines = products * _inverse_norm(query) * _inverse_norm(key).transpose(-2, -1)
            return torch.softmax(cosines * self.temperature, dim=-1)


def _inverse_norm(channels: Tensor) -> Tensor:
    # Held above zero before the root, whose slope at zero is infinite.
    return channels.square().sum(dim=-1, keepdim=True).clamp(min=_TINY**2).rsqrt()


def _without_autocast(device: str) -> AbstractContextManager[object]:
    # Only where it is on, so that exporters see no context at all.
    if torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
