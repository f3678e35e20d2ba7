"""Read VGG weights from a local file, without unpickling code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from safetensors import SafetensorError

# safetensors says PathLike without saying of what
from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from b2b_core.errors import B2bError, UsageError

if TYPE_CHECKING:
    from torch import nn


def load_vgg_weights(network: nn.Module, file: str | Path) -> None:
    """Load `features.N.*` from a `.safetensors` or a `.pth` with torchvision's names.

    Layers that the network does not have (the classifier, those behind its deepest tap) are
    ignored.

    Raises:
        UsageError: if there is no such file.
        B2bError: if the file can't be read, or lacks a layer or has it in another shape.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError("no such file of VGG weights", where=path)
    stored = _read(path)
    wanted = network.state_dict()
    wrong = [
        name
        for name, tensor in wanted.items()
        if name not in stored or stored[name].shape != tensor.shape
    ]
    if wrong:
        raise B2bError(
            f"not the weights of this VGG: {wrong[0]} is missing or has another shape"
            f" ({len(wrong)} of {len(wanted)})",
            where=path,
            mend="use torchvision's ImageNet weights of the same variant",
        )
    network.load_state_dict({name: stored[name] for name in wanted})


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise B2bError(
            "can't read VGG weights",
            where=path,
            mend="use a .safetensors or a .pth that holds tensors only",
        ) from error
    if not isinstance(stored, dict):
        raise B2bError("a .pth of VGG weights must hold a dictionary of tensors", where=path)
    entries = cast("dict[object, object]", stored).items()
    return {str(name): value for name, value in entries if isinstance(value, Tensor)}
