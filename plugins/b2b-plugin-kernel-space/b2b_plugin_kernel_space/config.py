"""Options of the blur kernel extractor."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge


@frozen
class KernelSpaceConfig:
    """Size of the extractor; the defaults are the published network."""

    #: Channels of the picture features.
    width: int = field(default=64, validator=ge(1))
    #: Channels of the blur code.
    code_channels: int = field(default=512, validator=ge(1))
    #: Residual blocks of the feature extractor, shared by sharp and blurry pictures.
    front_blocks: int = field(default=10, validator=ge(0))
    #: Residual blocks of the trunk that turns features back into a picture.
    back_blocks: int = field(default=20, validator=ge(0))
    #: Residual blocks on the blur code.
    code_blocks: int = field(default=4, validator=ge(0))
    #: Halvings of the features, which are at 1/4 of the picture, down to the blur code.
    downsamplings: int = field(default=5, validator=ge(2))
    #: The code is a distribution: mean and deviation instead of the mean alone.
    vae: bool = False

    @property
    def cell(self) -> int:
        """Pixels of the picture per pixel of the code map: 128 at the default depth."""
        return 4 << self.downsamplings
