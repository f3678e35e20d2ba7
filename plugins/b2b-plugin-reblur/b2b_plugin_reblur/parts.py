"""Which parts of R's chain the camera has: each is tried on and off, and its own cue decides.

Spectra tell how large blur is and little of the rest. Each other part leaves a trace of its own,
which can be compared between B and R(S) whatever the pictures show. A part leaves its usual state
only where the other one is nearer to B in nearly all draws of scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import asdict, field, frozen
from torch import Tensor

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.training.job import Job
from b2b_plugin_reblur.camera import USUAL, CameraModel
from b2b_plugin_reblur.chance import Nearness, Sample, distance, nearness
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.cues import asymmetry, blocking, white_edges
from b2b_plugin_reblur.grain import grain

#: The cue of each part, in the order in which they are decided: lights that are cut off, and noise
#: in light, make detail asymmetric too.
CUES: dict[str, Callable[[Tensor], Tensor]] = {
    "highlights": white_edges,
    "noise": grain,
    "response": asymmetry,
    "compression": blocking,
}
#: Share of draws of scenes that have to agree.
SURE = 0.95
#: How much brighter than white lights may be, relative to it: tried one by one.
GAINS = (0.25, 0.5, 1.0, 2.0, 4.0)
#: Crops of either set, and how many go through R at a time.
CROPS, AT_ONCE = 256, 16


@frozen
class Finding:
    """What was decided of a part, and by what."""

    on: bool
    #: Energy distance of its cue from B's with the part and without, in deviations of B; and the
    #: share of draws of scenes in which the part is nearer. Empty where nothing was to be measured.
    measured: dict[str, float] = field(factory=dict[str, float])

    def __str__(self) -> str:
        state = "on" if self.on else "off"
        if not self.measured:
            return state
        return "{}: {with:.2f} from B with it, {without:.2f} without".format(state, **self.measured)


class Findings(dict[str, Finding]):
    """What was decided of each part, by its name; it goes into checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {part: asdict(finding) for part, finding in self.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what an earlier session decided."""
        self.clear()
        self.update({part: Finding(**found) for part, found in state.items()})


class PartTrials:
    """Tries the parts of a chain on the same crops of B and S.

    Args:
        job: B and S.
        camera: R, whose kernels are fitted; it is changed in place.
        config: which parts are measured ("auto"), and which are as the user says.
    """

    def __init__(self, job: Job, camera: CameraModel, config: CameraConfig) -> None:
        self._camera, self._config, self._run = camera, config, job.run
        seed = job.run.seed
        blurry = CropSampler(job.blurry, config.crop, seed, "parts-blurry")
        sharp = CropSampler(job.sharp, config.crop + camera.margin, seed, "parts-sharp")
        self._blurry, self._of_blurry = _crops(blurry), _scenes(blurry)
        self._sharp, self._of_sharp = _crops(sharp), _scenes(sharp)

    def decide(self) -> Findings:
        """Switch each part on or off in R, one after the other, and return why."""
        return Findings({part: self._decide(part) for part in CUES})

    def differences(self) -> dict[str, float]:
        """Return how far each cue of R(S), as R is, lies from B's, in deviations of B.

        Cues that too few scenes show are left out.
        """
        made, found = self._made(), dict[str, float]()
        for part, cue in CUES.items():
            real = Sample(cue(self._blurry), self._of_blurry)
            apart = distance(real, Sample(cue(made), self._of_sharp))
            if apart is not None:
                found[part] = apart
        return found

    def _decide(self, part: str) -> Finding:
        setting = getattr(self._config, part)
        if setting is False or (part == "compression" and not self._camera.codings):
            return Finding(on=False)
        on = USUAL[part] if setting == "auto" else True
        found = self._measured(part)
        if found is not None and setting == "auto" and not 1 - SURE < found.sure < SURE:
            on = found.sure >= SURE
        self._camera.parts[part] = on
        if found is None:
            return Finding(on)
        return Finding(on, {"with": found.one, "without": found.other, "sure": found.sure})

    def _measured(self, part: str) -> Nearness | None:
        """Compare R(S) with a part and without; None where nothing tells."""
        if part == "response" and self._camera.parts["highlights"]:
            return None  # Lights that are cut off bend edges as well, and more.
        real = Sample(CUES[part](self._blurry), self._of_blurry)
        without = self._sample(part, on=False)
        if part == "highlights":
            return self._brightest(real, without)
        return self._near(part, real, without)

    def _brightest(self, real: Sample, without: Sample) -> Nearness | None:
        """Set the gain of lights with which R(S) is nearest to B; return how near it is."""
        tried = list[tuple[float, Nearness]]()
        for gain in GAINS:
            self._camera.brighten(gain)
            found = self._near("highlights", real, without)
            if found is None:
                return None
            tried.append((gain, found))
        gain, nearest = min(tried, key=lambda one: one[1].one)
        self._camera.brighten(gain)
        return nearest

    def _near(self, part: str, real: Sample, without: Sample) -> Nearness | None:
        chance = torch_rng(self._run.seed, "parts-chance")
        return nearness(real, self._sample(part, on=True), without, chance)

    def _sample(self, part: str, *, on: bool) -> Sample:
        before = self._camera.parts[part]
        self._camera.parts[part] = on
        cues = CUES[part](self._made())
        self._camera.parts[part] = before
        return Sample(cues, self._of_sharp)

    @torch.no_grad()
    def _made(self) -> Tensor:
        device = self._run.numerics.device
        parts = [
            self._camera(crops.to(device), torch_rng(self._run.seed, "parts", number))[0].cpu()
            for number, crops in enumerate(torch.split(self._sharp, AT_ONCE))
        ]
        return torch.cat(parts)


def _crops(sampler: CropSampler) -> Tensor:
    return torch.cat([sampler.batch(step, AT_ONCE) for step in range(CROPS // AT_ONCE)])


def _scenes(sampler: CropSampler) -> Tensor:
    steps = range(CROPS // AT_ONCE)
    return torch.tensor([scene for step in steps for scene in sampler.scenes(step, AT_ONCE)])
