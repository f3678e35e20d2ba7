"""How the published files of Restormer are laid out (motion deblurring, denoising, deraining)."""

from __future__ import annotations

from math import ceil

from b2b_core.layouts import Layout, Shapes, count, length
from b2b_plugin_restormer.config import RestormerConfig

#: Names of the levels on the way down, fine to coarse.
_LEVELS = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
_DIGITS = 6


def read_config(shapes: Shapes) -> RestormerConfig:
    """Return all sizes of a Restormer with these tensors.

    Raises:
        ValueError: if no Restormer has them.
    """
    return RestormerConfig(
        dim=length(shapes, "patch_embed.proj.weight"),
        blocks=tuple(count(shapes, f"{level}.") for level in _LEVELS),
        refinement=count(shapes, "refinement."),
        heads=tuple(
            length(shapes, f"{level}.0.attn.temperature") if count(shapes, f"{level}.") else 1
            for level in _LEVELS
        ),
        expansion=_expansion(shapes),
        bias=_has(shapes, ".attn.qkv.bias"),
        norm="with-bias" if _has(shapes, ".norm1.body.bias") else "bias-free",
    )


def _has(shapes: Shapes, ending: str) -> bool:
    return any(name.endswith(ending) for name in shapes)


def _expansion(shapes: Shapes) -> float:
    """Return the shortest number that gives the widths of all feed-forward parts.

    They are rounded down: 127 of 48 channels may be 2.65 or 2.66, and it takes 1021 of 384 at the
    coarsest level to tell that the published networks have 2.66.
    """
    names = [f"{level}.0.ffn.project_out.weight" for level in _LEVELS]
    widths = [(length(shapes, name), length(shapes, name, 1)) for name in names if name in shapes]
    least = max((hidden / channels for channels, hidden in widths), default=1.0)
    for digits in range(_DIGITS + 1):
        expansion = ceil(least * 10.0**digits) / 10.0**digits
        if all(int(channels * expansion) == hidden for channels, hidden in widths):
            return expansion
    found = ", ".join(f"{hidden} of {channels}" for channels, hidden in widths)
    raise ValueError(f"the feed-forward parts do not widen by one factor: {found} channels")


RESTORMER: Layout[RestormerConfig] = Layout(
    name="restormer",
    keys=("patch_embed.proj.weight", "down1_2.body.0.weight", "reduce_chan_level3.weight"),
    read=read_config,
)
