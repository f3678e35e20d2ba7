"""NAFNet: a U-Net of gated blocks without activations (Chen et al., ECCV 2022).

Parameter names and shapes are those of the published weights, 664 tensors at the default size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from b2b_plugin_nafnet.layers import NafBlock

if TYPE_CHECKING:
    from b2b_plugin_nafnet.config import NafNetConfig


class NafNetBody(nn.Module):
    """The network, whichever role it plays; parameter names are the same in every role.

    Args:
        config: width, blocks per level and the window of the channel attention.
    """

    def __init__(self, config: NafNetConfig) -> None:
        super().__init__()
        levels = len(config.encoders)
        widths = [config.width * 2**level for level in range(levels + 1)]
        windows = [_window_at(config.tlc_window, level) for level in range(levels + 1)]
        self.intro = nn.Conv2d(3, config.width, 3, padding=1)
        self.ending = nn.Conv2d(config.width, 3, 3, padding=1)
        self.encoders = nn.ModuleList(
            _stack(widths[level], blocks, windows[level])
            for level, blocks in enumerate(config.encoders)
        )
        self.decoders = nn.ModuleList(
            _stack(widths[level], blocks, windows[level])
            for level, blocks in zip(reversed(range(levels)), config.decoders, strict=True)
        )
        self.middle_blks = _stack(widths[-1], config.middle, windows[-1])
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2))
            for width in reversed(widths[1:])
        )
        self.downs = nn.ModuleList(nn.Conv2d(width, 2 * width, 2, 2) for width in widths[:-1])
        if config.zero_init_residual:
            for parameter in self.ending.parameters():
                nn.init.zeros_(parameter)

    def restore(self, image: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` in [0, 1] to the same shape; H, W multiples of `2^levels`.

        Values may leave [0, 1] slightly; nothing is clamped.
        """
        x = self.intro(image)
        skips: list[Tensor] = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            x = decoder(up(x) + skips.pop())
        correction: Tensor = self.ending(x)
        return image + correction


class NafNet(NafNetBody):
    """NAFNet as a deblurrer: image to image of the same size."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored `(B, 3, H, W)`; see `NafNetBody.restore`."""
        return self.restore(image)


class NafNetTranslator(NafNetBody):
    """NAFNet as a translator: its pyramid has the full scale only."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `[restored]`, one level `(B, 3, H, W)`; see `NafNetBody.restore`."""
        return [self.restore(image)]


def _stack(channels: int, blocks: int, window: int | None) -> nn.Sequential:
    return nn.Sequential(*(NafBlock(channels, window) for _ in range(blocks)))


def _window_at(window: int | None, level: int) -> int | None:
    return None if window is None else max(1, window // 2**level)
