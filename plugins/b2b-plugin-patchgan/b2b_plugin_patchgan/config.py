"""Options of the discriminators."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, in_


@frozen
class PatchGanConfig:
    """The 70x70 PatchGAN; the defaults are the published discriminator."""

    #: Channels behind the first layer; 2x, 4x and 8x as many in the next.
    width: int = field(default=64, validator=ge(1))
    #: Normalisation of the three middle layers.
    norm: Literal["none", "instance", "group"] = field(
        default="instance", validator=in_(("none", "instance", "group"))
    )
    #: Spectral normalisation of every convolution (changes parameter names).
    spectral: bool = False


@frozen
class LaplacianPatchGanConfig:
    """The discriminator that is shown the picture's Laplacian too."""

    #: Channels behind the first layer; 2x and 4x as many in the next.
    width: int = field(default=48, validator=ge(1))
    #: Factor on the Laplacian, to bring it near the range of the picture.
    gain: float = 4.0
    #: Standard deviation of Gaussian noise added to every input while training, in units of
    #: the picture's range [0, 1]; hides cues that are smaller than any blur.
    input_noise: float = field(default=0.0, validator=ge(0.0))


@frozen
class EdgePatchGanConfig:
    """The discriminator that is shown small patches of the Laplacian alone."""

    #: Channels behind the first layer; 2x and 4x as many in the next.
    width: int = field(default=32, validator=ge(1))
    #: Factor on the Laplacian, to bring it near the range of the picture.
    gain: float = 4.0
