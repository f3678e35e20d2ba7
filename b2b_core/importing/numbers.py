"""Bring a file's numbers into the form that network files have: float32, finite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import B2bError, UsageError

if TYPE_CHECKING:
    from torch import Tensor


def converted(
    tensors: Mapping[str, Tensor], like: Mapping[str, Tensor], where: Path
) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors that `like` names, in its number formats, and remarks on what changed.

    Args:
        tensors: those of a file; of the names and shapes of `like`, maybe more.
        like: those of the network.
        where: the file, for errors.

    Raises:
        UsageError: if a tensor is quantised, sparse, or of another kind of numbers.
        B2bError: if a tensor holds values that are no finite numbers.
    """
    result: dict[str, Tensor] = {}
    changed: Counter[str] = Counter()
    for name, expected in like.items():
        tensor = tensors[name].detach()
        _check_kind(name, tensor, expected, where)
        if tensor.dtype != expected.dtype:
            changed[f"from {_dtype(tensor)} to {_dtype(expected)}"] += 1
        result[name] = tensor.to(expected.dtype)
        if not bool(result[name].isfinite().all()):
            raise B2bError(
                f"the weights are damaged: '{name}' has values that are no finite numbers",
                where=where,
                mend="get the file again, or an earlier one of the same training",
            )
    return result, [f"{number} tensors converted {how}" for how, number in changed.items()]


def _check_kind(name: str, tensor: Tensor, expected: Tensor, where: Path) -> None:
    import torch

    plain = tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_meta
    if plain and tensor.is_floating_point() == expected.is_floating_point():
        return
    raise UsageError(
        f"'{name}' holds {_dtype(tensor)} numbers in a form that this network does not take",
        where=where,
        mend="get the weights in float32, neither quantised nor sparse",
    )


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
