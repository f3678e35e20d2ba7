"""Options of the strategy `reblur`."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, le

#: A part that is on, off, or whatever is measured.
Switch = Literal["auto", True, False]


@frozen
class CameraConfig:
    """How the camera's blur model R is learned."""

    #: Steps by spectra at most: size, shape and variety of the blur, and the noise. The fit is over
    #: where it gains no more.
    spectrum_steps: int = 600
    spectrum_lr: float = 3e-2
    spectrum_batch: int = 16
    #: Weight of the grain of flat parts beside spectra. It finds the noise, which spectra alone
    #: take for less blur; on the bench's cameras that gained nothing yet, so it is off.
    grain_weight: float = field(default=0.0, validator=ge(0.0))
    #: Weight of what is plausible beside what spectra say.
    prior_weight: float = 0.02
    #: Steps against D afterwards; none by default, for D added nothing that could be measured.
    steps: int = 0
    batch: int = 8
    #: Side of the crops that are compared, in pixels.
    crop: int = 128
    #: Side of the kernels in pixels; odd.
    kernel: int = 31
    lr: float = 3e-4
    discriminator_lr: float = 8e-4
    #: Weight of the pull of each kernel's centre of mass to the middle.
    centre_weight: float = 0.02
    #: Weight of the match of spectra beside D.
    spectrum_weight: float = 0.1
    ema: float = 0.99
    #: Parts of the chain: blur in light (off: of stored values), lights brighter than white, noise,
    #: the files' own compression. "auto" tries each on and off and measures which is nearer to B.
    response: Switch = "auto"
    highlights: Switch = "auto"
    noise: Switch = "auto"
    compression: Switch = "auto"


@frozen
class TrainingConfig:
    """How a candidate is trained on R(S)."""

    #: At most; see `minutes`.
    steps: int = 2000
    batch: int = 8
    lr: float = 6e-4
    ema: float = 0.99
    #: Share of the sharp crops that are the known domain's instead of the camera's own.
    known_share: float = field(default=0.5, validator=[ge(0.0), le(1.0)])


@frozen
class TaskConfig(TrainingConfig):
    """How a candidate with a translator in front of a deblurrer is trained."""

    lr: float = 1e-3
    #: Weight of conversion's error beside the task's: G(R(S)) towards S under the known blur.
    conversion: float = field(default=0.0, validator=ge(0.0))


@frozen
class ReblurConfig:
    """Options of the strategy."""

    #: What is trained on R(S): the deblurrer itself, G through the frozen deblurrer, G towards
    #: the nearest known blur, a fresh deblurrer, or G and the deblurrer together; "auto" tries the
    #: first three briefly and goes on with the best.
    mode: Literal["auto", "finetune", "task", "conversion", "scratch", "joint"] = "auto"
    camera: CameraConfig = CameraConfig()
    finetune: TrainingConfig = TrainingConfig()
    task: TaskConfig = TaskConfig()
    conversion: TrainingConfig = TrainingConfig(lr=1e-3)
    scratch: TrainingConfig = TrainingConfig(lr=1e-3)
    joint: TaskConfig = TaskConfig(lr=6e-4)
    #: Steps that each candidate gets in the comparison of "auto", at most.
    trial_steps: int = 80
    #: Minutes of training that R, the comparison and a candidate trained to its end should take
    #: together: where the machine is too slow for all steps there are fewer. 0: no limit.
    minutes: float = field(default=20.0, validator=ge(0.0))
    #: Candidates that are trained to their end beside the chosen one, to show them side by side.
    also: tuple[Literal["finetune", "task", "conversion", "scratch", "joint"], ...] = ()
