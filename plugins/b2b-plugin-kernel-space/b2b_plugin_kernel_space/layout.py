"""How the published files of the kernel extractor are laid out, with and without VAE."""

from __future__ import annotations

import re

from b2b_core.layouts import Layout, Shapes, length
from b2b_plugin_kernel_space.config import KernelSpaceConfig

_CODE = "kernel_extractor.model."


def read_config(shapes: Shapes) -> KernelSpaceConfig:
    """Return widths and depths of an extractor with these tensors.

    Raises:
        ValueError: if no extractor has them.
    """
    downsamplings = _numbered(shapes, _CODE, "weight") - 1
    deepest = "adapter.model" + ".submodule" * (downsamplings - 1)
    code = length(shapes, f"{deepest}.up.1.weight") - length(shapes, f"{deepest}.down.1.weight")
    out = length(shapes, f"{_CODE}{1 + 3 * downsamplings}.weight")
    if out not in (code, 2 * code):
        raise ValueError(f"the extractor gives {out} channels, the adapter takes {code} or twice")
    return KernelSpaceConfig(
        width=length(shapes, "feature_extractor.0.weight"),
        code_channels=code,
        front_blocks=_numbered(shapes, "feature_extractor.", "conv"),
        back_blocks=_numbered(shapes, "recon_trunk.", "conv"),
        code_blocks=_numbered(shapes, _CODE, "conv_block"),
        downsamplings=downsamplings,
        vae=out == 2 * code,
    )


def _numbered(shapes: Shapes, prefix: str, rest: str) -> int:
    """Return how many different numbers stand between `prefix` and what begins with `rest`."""
    pattern = re.compile(rf"{re.escape(prefix)}([0-9]+)\.{rest}")
    return len({found[1] for name in shapes if (found := pattern.match(name))})


KERNEL_SPACE: Layout[KernelSpaceConfig] = Layout(
    name="kernel-space",
    keys=("feature_extractor.0.weight", f"{_CODE}1.weight", "adapter.model.up.1.weight"),
    read=read_config,
)
