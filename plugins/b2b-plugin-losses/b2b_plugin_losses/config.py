"""Options of the losses."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen
class VanillaGanConfig:
    """The cross entropy of Goodfellow et al."""

    #: True: G minimises log(1 - D), the letter of the paper's Eq. 3, which gives next to no
    #: gradient while D wins. False: G maximises log D.
    saturating: bool = False


@frozen
class HingeGanConfig:
    """The hinge loss; it has no options."""


@frozen
class GradientPenaltyConfig:
    """The penalty on the norm of D's gradient."""

    #: Norm that costs nothing: 1 as in WGAN-GP, 0 as in R1 (Mescheder et al., ICML 2018).
    target: float = field(default=1.0, validator=ge(0.0))
    #: What is derived: the sum of a map of logits, or its mean, which does not grow with the crop.
    reduction: Literal["sum", "mean"] = "sum"


@frozen
class PerceptualConfig:
    """The distance of feature maps; it has no options."""


@frozen
class CharbonnierConfig:
    """The smooth absolute difference."""

    #: Below this difference it is quadratic; pictures are in [0, 1].
    epsilon: float = field(default=1e-3, validator=gt(0.0))
