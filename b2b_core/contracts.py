"""Contracts: what each kind of component does once it is built.

Images are float tensors `(B, 3, H, W)`, RGB, in [0, 1] unless a docstring says otherwise. The
protocols are structural: a plugin needs no base class. Networks are also `torch.nn.Module`s.
No contract reads weights in a constructor, moves itself to a device or looks at the working
directory; the core does these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import frozen
from torch import Generator, Tensor, randn

if TYPE_CHECKING:
    from b2b_core.training.job import Job, Outcome


@runtime_checkable
class Translator(Protocol):
    """G: turns unknown blur into known blur."""

    def __call__(self, image: Tensor, /) -> list[Tensor]:
        """Return the pyramid of the spec's scales, coarse to fine; the last is full size."""
        ...


@runtime_checkable
class Discriminator(Protocol):
    """D: tells known-blur pyramids from translated ones."""

    def __call__(self, pyramid: Sequence[Tensor], /) -> list[Tensor]:
        """Return one map of logits `(B, 1, h, w)` per level of the pyramid."""
        ...


@runtime_checkable
class Deblurrer(Protocol):
    """Removes the blur it was trained on."""

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return an image of the same size; values may leave [0, 1] slightly."""
        ...


@frozen
class BlurCode:
    """What an extractor knows of one pair's blur: a map `(B, C, h, w)` of means and deviations."""

    mean: Tensor
    #: Standard deviation, or None where the code is not a distribution.
    sigma: Tensor | None = None

    def sample(self, generator: Generator | None = None) -> Tensor:
        """Draw one code; without `sigma` this is the mean."""
        if self.sigma is None:
            return self.mean
        noise = randn(
            self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype
        )
        return self.mean + self.sigma * noise


@runtime_checkable
class KernelExtractor(Protocol):
    """Reads the blur of a pair and applies it to another sharp picture."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return the blur code of aligned pairs `(B, 3, H, W)`."""
        ...

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Return `sharp` under the blur of `code` (a sample); same size as `sharp`."""
        ...


@frozen
class Pair:
    """Two files of the same size: a blurry picture and its sharp original."""

    blurry: Path
    sharp: Path
    #: Pictures of one scene never fall into two splits.
    scene: str


@runtime_checkable
class Domain(Protocol):
    """Finds the pairs of a known-blur data set."""

    def default_root(self) -> Path | None:
        """Return the root that ships with the plugin, or None if the user has to name one."""
        ...

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split` ("train" or "test") under `root`, in a fixed order.

        Raises:
            UsageError: if `root` does not have the domain's layout; says what is missing.
        """
        ...


@runtime_checkable
class Loss(Protocol):
    """A weighted part of an objective."""

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return named scalars from the tensors that the spec's `needs` lists."""
        ...


@runtime_checkable
class FeatureExtractor(Protocol):
    """Maps pictures to what the reconstruction loss compares."""

    def __call__(self, image: Tensor, /) -> list[Tensor]:
        """Return feature maps `(B, C_i, h_i, w_i)`; a map's weight in the loss is its own scale."""
        ...


@runtime_checkable
class Metric(Protocol):
    """Scores pictures under a named protocol."""

    def __call__(self, image: Tensor, reference: Tensor | None = None, /) -> Tensor:
        """Return `(B,)` scores of pictures in [0, 1]; metrics without reference ignore it."""
        ...


@runtime_checkable
class Strategy(Protocol):
    """Learns a camera: pictures, domain and networks in, translator or deblurrer out."""

    def adapt(self, job: Job) -> Outcome:
        """Run, resumably, and return what goes into the camera profile."""
        ...


@frozen
class UpperBound:
    """What the same network reaches with pairs of the camera, from its model card."""

    psnr: float
    ssim: float
    #: How it was measured, for people.
    card: str


@runtime_checkable
class Demo(Protocol):
    """A camera's pictures, and pairs to measure on that nothing was trained on."""

    #: What the camera is, for people; says so if it is simulated.
    description: str
    #: The unpaired sets B and S.
    blurry: Path
    sharp: Path
    #: Pairs by equal relative names: blurry input and reference.
    test_blurry: Path
    test_sharp: Path
    upper_bound: UpperBound

    def settings(self, *, quick: bool) -> Mapping[str, Any]:
        """Return the configuration of the adaptation, without `data.blurry` and `data.sharp`."""
        ...
