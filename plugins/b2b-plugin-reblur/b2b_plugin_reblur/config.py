"""Options of the strategy `reblur`."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class CameraConfig:
    """How the camera's blur model R is learned."""

    #: Steps from spectra alone, before D comes in; they cost a tenth of the others.
    warmup_steps: int = 250
    warmup_lr: float = 2e-2
    #: Steps against D.
    steps: int = 400
    batch: int = 8
    #: Side of the crops that D compares, in pixels.
    crop: int = 96
    #: Side of the kernels in pixels; odd.
    kernel: int = 17
    #: Random numbers behind one kernel.
    latent: int = 8
    #: Correlation of the four kernels at the corners of one crop: 1 = the same everywhere.
    correlation: float = 0.8
    lr: float = 3e-4
    discriminator_lr: float = 8e-4
    #: Weight of the pull of each kernel's centre of mass to the middle.
    centre_weight: float = 0.02
    #: Weight of the match of spectra beside D.
    spectrum_weight: float = 0.1
    ema: float = 0.99
    #: Parts of the chain; switch one off where the camera does not have it.
    response: bool = True
    highlights: bool = True
    noise: bool = True
    compression: bool = True


@frozen
class TrainingConfig:
    """How a candidate is trained on R(S)."""

    steps: int = 1500
    batch: int = 8
    lr: float = 6e-4
    ema: float = 0.99


@frozen
class ReblurConfig:
    """Options of the strategy."""

    #: What is trained on R(S): the deblurrer itself, G through the frozen deblurrer, G towards
    #: the nearest known blur; "auto" tries each briefly and goes on with the best.
    mode: Literal["auto", "finetune", "task", "conversion"] = "auto"
    camera: CameraConfig = CameraConfig()
    finetune: TrainingConfig = TrainingConfig()
    task: TrainingConfig = TrainingConfig(lr=1e-3)
    conversion: TrainingConfig = TrainingConfig(lr=1e-3)
    #: Steps that each candidate gets in the comparison of "auto".
    trial_steps: int = 200
    #: Candidates that are trained to their end beside the chosen one, to show them side by side.
    also: tuple[Literal["finetune", "task", "conversion"], ...] = ()
