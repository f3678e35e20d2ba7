"""`torch.compile` for the networks of a pipeline, with the uncompiled ones as the safety net."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from b2b_core.log import get_logger

#: What turns a traced network into fast code: torch's own compiler.
BACKEND = "inductor"
#: Sizes that networks are compiled for. Each may take minutes; torch itself stops at 8, and an
#: evaluation compiles two pipelines of one class.
MOST_SIZES = 4
#: Largest difference to the uncompiled result, for values in [0, 1]: in float32, and in 16 bits.
TOLERANCE, TOLERANCE_HALF = 1e-4, 1 / 255


class Chain(nn.Module):
    """Translator, then deblurrer, as one network.

    Args:
        translator: image to pyramid, coarse to fine; None to deblur without one.
        deblurrer: image to image of the same size.
    """

    def __init__(self, translator: nn.Module | None, deblurrer: nn.Module) -> None:
        super().__init__()
        self.translator, self.deblurrer = translator, deblurrer

    def forward(self, image: Tensor) -> Tensor:
        """Map `(1, 3, H, W)`, RGB in [0, 1], to a picture of the same size."""
        if self.translator is not None:
            # float32 between the networks: what they carry past their layers keeps all bits
            image = self.translator(image)[-1].float()
        restored: Tensor = self.deblurrer(image)
        return restored


class Compiled:
    """A network from picture to picture that is compiled once for every size of its input.

    The first input of a size runs both ways. Where compiling fails, for want of a C++ compiler or
    for any other reason, or where the results differ, one warning says why, and from then on all
    inputs run uncompiled.

    Args:
        network: image `(1, 3, H, W)` to image of the same size.
        tolerance: largest difference between the two results.
    """

    def __init__(self, network: nn.Module, tolerance: float) -> None:
        self._network = network
        self._tolerance = tolerance
        self._fast: Callable[[Tensor], Tensor] | None = None
        #: Size -> whether inputs of it run compiled.
        self._sizes: dict[torch.Size, bool] = {}
        self._broken = False

    @property
    def active(self) -> bool:
        """Whether inputs of some size run compiled."""
        return any(self._sizes.values()) and not self._broken

    def __call__(self, image: Tensor) -> Tensor:
        """Return what the network makes of `image`.

        Raises:
            RuntimeError: what the network itself raises, such as for lack of memory.
        """
        if not self._broken and self._sizes.get(image.shape):
            restored = self._attempt(image)
            if restored is not None:
                return restored
        expected: Tensor = self._network(image)
        if not self._broken and image.shape not in self._sizes:
            self._sizes[image.shape] = self._has_room(image) and self._agrees(image, expected)
        return expected

    def _has_room(self, image: Tensor) -> bool:
        height, width = image.shape[-2:]
        if len(self._sizes) < MOST_SIZES:
            get_logger("compile").info(
                f"compiling for pictures or tiles of {width}x{height}, which may take minutes"
            )
        elif len(self._sizes) == MOST_SIZES:
            get_logger("compile").warning(
                f"pictures of more than {MOST_SIZES} sizes: those of {width}x{height} and of"
                " further sizes run uncompiled (--tile PIXELS gives large ones one size)"
            )
        return len(self._sizes) < MOST_SIZES

    def _agrees(self, image: Tensor, expected: Tensor) -> bool:
        """Compile for the size of `image`; tell whether the result is near enough to `expected`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a compiler's advice to authors of networks
            restored = self._attempt(image)
        if restored is None:
            return False
        difference = float((restored.float() - expected.float()).abs().max())
        if not difference <= self._tolerance:  # no number either
            self._give_up(f"compiled, they give results that differ by {difference:.1e}")
        return not self._broken

    def _attempt(self, image: Tensor) -> Tensor | None:
        """Run compiled; None if that fails."""
        try:
            if self._fast is None:
                self._fast = torch.compile(  # pyright: ignore[reportUnknownMemberType] types of options
                    self._network, dynamic=False, backend=BACKEND
                )
            # code is compiled for strides too, and those of a tile may be the whole picture's
            return self._fast(image.clone(memory_format=torch.channels_last))
        except Exception as error:  # a compiler may raise anything; the network itself is the judge
            self._give_up(*_said(error))
            return None

    def _give_up(self, why: str, mend: str = "leave --compile out") -> None:
        self._broken = True
        get_logger("compile").warning(f"the networks run uncompiled: {why} ({mend})")


def _said(error: Exception) -> tuple[str, str]:
    """Return in one line why compiling failed, and what mends it."""
    text = str(error)
    if "No working C++ compiler" in text or "InvalidCxxCompiler" in text:
        return "there is no C++ compiler", "install one such as g++, or leave --compile out"
    lines = [line.strip() for line in text.splitlines()]
    # torch begins with "backend='inductor' raised:"
    first = next((line for line in lines if line and not line.endswith(":")), type(error).__name__)
    return first[:200], "leave --compile out"
