"""Options of the strategy; the defaults are the preset `b2b`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import and_, ge, gt, le

_SHARE = and_(ge(0.0), le(1.0))


@frozen
class PenaltyConfig:
    """How D's slope is held down."""

    #: Weight (the paper's lambda_grad); 0 switches it off.
    weight: float = field(default=1.0, validator=ge(0.0))
    #: Where: between y and G(y) as in the paper, between K and G(y) as in the published code, or
    #: on what D takes for real (K or S) alone.
    where: Literal["blurry-translated", "known-translated", "real"] = "real"
    #: Norm of the slope that costs nothing.
    target: float = field(default=0.0, validator=ge(0.0))
    #: What is derived at each level: the sum of D's map of logits, or its mean.
    reduction: Literal["sum", "mean"] = "mean"
    #: At every level of the pyramid, or at full scale only.
    levels: Literal["all", "full"] = "all"
    #: Only at every n-th step, with n times the weight.
    every: int = field(default=4, validator=ge(1))


@frozen
class CurriculumConfig:
    """Which blurry pictures are learned from first: the least blurry ones.

    Blur is the variance of the Laplacian, low for blurry pictures.
    """

    #: "set": the share is one of B, and whole pictures come later; "batch": of every batch, as the
    #: paper says, and the blurrier crops of a batch are not learned from.
    of: Literal["set", "batch"] = "set"
    #: Share, from the least blurry end, that training begins with.
    start: float = field(default=1.0, validator=and_(gt(0.0), le(1.0)))
    #: Steps that this share is kept.
    hold: int = field(default=0, validator=ge(0))
    #: Steps in which it then grows to the whole.
    grow: int = field(default=0, validator=ge(0))


@frozen
class AugmentationConfig:
    """What is done at random to crops of B and of S, alike, before anything else."""

    flip: bool = True
    #: By multiples of 90 degrees, which interpolate nothing.
    rotate: bool = True
    #: Largest relative change of brightness, contrast and saturation; a tenth of it of hue.
    jitter: float = field(default=0.1, validator=_SHARE)


@frozen
class AnchorConfig:
    """Where D judges restored pictures: what deblurrer(G(y)) keeps of deblurrer(y).

    Both weigh squared differences in units of 1/100 of the range. D sees blur in between.
    """

    #: Weight of means over areas of 8 x 8 pixels.
    coarse: float = field(default=0.1, validator=ge(0.0))
    #: Weight of what is left of 2 x 2 pixels without their mean: blur took it, and what D would
    #: have put there is invented.
    fine: float = field(default=0.02, validator=ge(0.0))


@frozen
class KnownConfig:
    """How K is blurred, and what else is done, so that blur is all that tells it from G(y)."""

    #: "extractor": codes of the domain's kernel extractor, as in the paper; "kernels": kernels
    #: measured on the domain's pairs, which need no trained network.
    source: Literal["extractor", "kernels"] = "kernels"
    #: Side of the measured kernels in pixels, odd, and how many there are.
    kernel: int = field(default=17, validator=ge(3))
    kernels: int = field(default=128, validator=ge(1))
    #: Add the noise that B has and blurring took from K.
    noise: bool = True
    #: Compress K with the codings of B's JPEG files, where B is JPEG.
    compression: bool = True


@frozen
class AdversarialConfig:
    """G against D."""

    #: What D tells apart: "translated", G(y) from K, as in the paper; "restored", deblurrer(G(y))
    #: from S, so that G learns whatever makes the frozen deblurrer's pictures look sharp.
    compare: Literal["translated", "restored"] = "restored"
    steps: int = field(default=1000, validator=ge(1))
    batch: int = field(default=8, validator=ge(1))
    #: Learning rates of G and D, and Adam's betas for both.
    lr: float = field(default=1e-4, validator=gt(0.0))
    discriminator_lr: float = field(default=8e-4, validator=gt(0.0))
    betas: tuple[float, float] = (0.5, 0.99)
    #: Share of the steps with a constant learning rate; then it falls linearly to zero.
    constant: float = field(default=0.0, validator=_SHARE)
    #: Decay of the averaged G that goes into the profile; 0 takes the last G itself.
    ema: float = field(default=0.99, validator=_SHARE)

    #: Loss component of the game, and its options.
    gan: str = "vanilla-gan"
    gan_options: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Factor on D's part of it.
    discriminator_weight: float = field(default=1.0, validator=ge(0.0))
    #: Weight of the reconstruction of features (the paper's lambda_rec), a mean over levels.
    lambda_rec: float = field(default=0.0, validator=ge(0.0))
    penalty: PenaltyConfig = PenaltyConfig()
    anchor: AnchorConfig = AnchorConfig()
    #: Weight of G leaving what D takes for real, K or S, as it is.
    identity_weight: float = field(default=0.0, validator=ge(0.0))
    #: Weight of G(y) having the colours of y, compared after strong smoothing.
    colour_weight: float = field(default=0.0, validator=ge(0.0))

    #: Steps in which only D learns, while G is what it started as.
    d_warmup: int = field(default=100, validator=ge(0))
    #: Deviation of noise on all that D sees, on the scale of [0, 1].
    input_noise: float = field(default=0.01, validator=ge(0.0))

    #: Scales that D compares, coarse to fine, relative to the full one; empty: those that G puts
    #: out.
    scales: tuple[float, ...] = (0.5,)
    #: How pictures are made smaller: mean over areas, or bilinear without smoothing first.
    resampling: Literal["area", "bilinear"] = "area"
    #: Take G's own smaller outputs; otherwise its largest is made smaller, like K.
    own_levels: bool = True

    curriculum: CurriculumConfig = CurriculumConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    known: KnownConfig = KnownConfig()
