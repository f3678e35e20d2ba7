"""Write a network as an ONNX file, and check it against PyTorch before it is put in place.

The exporter is PyTorch's own (`torch.onnx.export` by way of `torch.export`); the check runs the
file in onnxruntime on pictures of several sizes.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen
from torch import Tensor, nn

from b2b_core.atomic import replacing
from b2b_core.errors import B2bError, UsageError
from b2b_core.specs import SizeRule

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.onnx import ONNXProgram

#: Version of ONNX's operators; 18 is what the exporter writes without conversion.
OPSET = 18
#: Largest difference from PyTorch that is accepted, of values in [0, 1].
TOLERANCE = 1e-4
#: The way out for a network whose form depends on the picture's size.
OF_ONE_SIZE = "export it for one size: --size WIDTHxHEIGHT"
#: Largest side of a picture of free size, in pixels.
LARGEST = 1 << 15


@frozen
class Checked:
    """How far the file is from PyTorch."""

    #: Height and width of the pictures.
    sizes: tuple[tuple[int, int], ...]
    #: Largest absolute difference over all of them.
    difference: float


def require_onnx() -> None:
    """Refuse to begin without the packages that are needed.

    Raises:
        UsageError: with the line that installs them.
    """
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        mend = "pip install 'b2b-core[onnx]'"
        raise UsageError(f"export needs {', '.join(missing)}", mend=mend)


def export_onnx(
    network: nn.Module,
    target: Path,
    rule: SizeRule,
    *,
    fixed: tuple[int, int] | None = None,
    properties: Mapping[str, str] | None = None,
) -> Checked:
    """Write `network` to `target`, whole or not at all, after a check against PyTorch.

    Args:
        network: `(1, 3, H, W)` to the same shape; on the CPU, in evaluation mode.
        target: the file.
        rule: the sizes that the network takes.
        fixed: height and width, if the file is for pictures of one size only.
        properties: entries for the file's metadata.

    Raises:
        UsageError: if the packages are missing, or `fixed` is a size that the network does not
            take.
        B2bError: if the network cannot be exported, or if the file computes something else.
    """
    require_onnx()
    if fixed and (rule.fit(fixed[0]), rule.fit(fixed[1])) != fixed:
        best = f"{rule.fit(fixed[1])}x{rule.fit(fixed[0])}"
        raise UsageError(f"the networks take no pictures of {fixed[1]}x{fixed[0]}", mend=best)
    model = _converted(network, rule, fixed)
    for key, value in (properties or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            temporary.write_bytes(model.SerializeToString())
            checked = compare(network, temporary, _sizes(rule, fixed))
            if not checked.difference <= TOLERANCE:
                raise B2bError(
                    f"the ONNX file differs from PyTorch by {checked.difference:.1e}",
                    mend=f"at most {TOLERANCE:g} is accepted" if fixed else OF_ONE_SIZE,
                )
    except OSError as error:
        raise B2bError(f"cannot write: {error.strerror or error}", where=target) from error
    return checked


def compare(network: nn.Module, file: Path, sizes: Sequence[tuple[int, int]]) -> Checked:
    """Run both on random pictures of `sizes` (height, width) and return the largest difference.

    Raises:
        B2bError: if the file cannot be run on one of them.
    """
    runtime: Any = import_module("onnxruntime")  # it has no type information
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for height, width in sizes:
        image = torch.rand(1, 3, height, width, generator=generator)
        with torch.inference_mode():
            expected: Tensor = network(image)
        try:
            (found,) = session.run(None, {"image": image.numpy()})
        except Exception as error:
            what = f"the ONNX file fails on a picture of {width}x{height}: {_first_line(error)}"
            raise B2bError(what, mend=OF_ONE_SIZE) from error
        difference = torch.as_tensor(found) - expected
        largest = max(largest, float(difference.abs().max()))
    return Checked(tuple(sizes), largest)


def _sizes(rule: SizeRule, fixed: tuple[int, int] | None) -> tuple[tuple[int, int], ...]:
    """Return sizes to check: the smallest, and two others that are not square."""
    if fixed:
        return (fixed,)
    step, least = rule.multiple_of, rule.fit(max(rule.minimum, 32))
    return (least, least), (least + step, least + 3 * step), (least + 5 * step, least)


def _converted(network: nn.Module, rule: SizeRule, fixed: tuple[int, int] | None) -> ModelProto:
    height, width = fixed or (rule.fit(max(rule.minimum, 64)), rule.fit(max(rule.minimum, 96)))
    image = torch.rand(1, 3, height, width)
    export: Callable[..., ONNXProgram | None] = getattr(torch.onnx, "export")  # noqa: B009 - its stub is untyped
    try:
        with _quiet(), torch.no_grad():
            program = export(
                network,
                (image,),
                dynamo=True,
                dynamic_shapes=None if fixed else ({2: _free("h", rule), 3: _free("w", rule)},),
                input_names=["image"],
                output_names=["restored"],
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:
        free = "" if fixed else " for pictures of any size"
        raise B2bError(
            f"the network cannot be exported{free}: {_first_line(error)}",
            mend=None if fixed else OF_ONE_SIZE,
        ) from error
    if program is None:
        raise B2bError("the exporter returned nothing")
    return program.model_proto


def _free(name: str, rule: SizeRule) -> Any:  # noqa: ANN401 - torch has no public name for it
    """Return a length of the exported program that is any multiple of the rule's."""
    step = rule.multiple_of
    least = rule.fit(max(rule.minimum, 2 * step)) // step
    length = torch.export.Dim(name, min=least, max=LARGEST // step)
    return step * length if step > 1 else length


def _first_line(error: Exception) -> str:
    """Return what went wrong, without the exporter's advice around it."""
    cause = error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (lines[0] if lines else type(cause).__name__)[:200]


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep the exporter's remarks (torchvision is missing, its own deprecations) to itself."""
    former = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(former)
