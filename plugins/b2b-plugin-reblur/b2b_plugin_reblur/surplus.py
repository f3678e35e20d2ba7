"""A judge that does not trust R: what restored pictures of B have that restored R(S) has not.

A network that learned to undo R undoes too much of a camera that blurs less than R, and takes noise
for detail where the camera has more of it. Both show in the same way, without any reference: what
it makes of B has more power, at some frequencies, than what it makes of R(S). The opposite, a
camera that blurs more than R, leaves blur behind and does little harm.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.spectra import ring_power, ring_sizes
from b2b_core.training.job import Job
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.heldout import restore

#: Crops of each kind that are restored, and their side in pixels.
COUNT, SIDE = 192, 96
#: What the surplus counts for: more than its power, for it does not lie where detail is missing.
WEIGHT = 1.5
#: How many of its own standard errors of a surplus are taken for chance: other scenes of B and S
#: would have shown as much. Half of one keeps noise from being summed up over rings to a refusal;
#: a whole one was seen to let pass what costs a decibel (benchmarks/convergence.md).
CHANCE = 0.5


class Surplus:
    """Estimates how much of a gain on R(S) is lost on real pictures, from their spectra.

    How well it foretells true gains where R is wrong on purpose: `benchmarks/surplus.py`.
    """

    def __init__(self, job: Job, camera: CameraModel) -> None:
        device, seed = job.run.numerics.device, job.run.seed
        side = _side(job, camera)
        real = CropSampler(job.blurry, side, seed, "surplus-blurry")
        sharp = CropSampler(job.sharp, side + camera.margin, seed, "surplus-sharp")
        self._numerics = job.run.numerics
        self._real = real.batch(0, COUNT).to(device)
        self._real_scenes = torch.tensor(real.scenes(0, COUNT)).to(device)
        self._made_scenes = torch.tensor(sharp.scenes(0, COUNT)).to(device)
        with torch.no_grad():
            made = camera(sharp.batch(0, COUNT).to(device), torch_rng(seed, "surplus"))
        self._made, self._sharp = made[0], made[1]
        self._sizes = ring_sizes(side).to(device)

    @torch.no_grad()
    def penalty(self, translator: nn.Module | None, deblurrer: nn.Module) -> float:
        """Return by how many dB PSNR on real pictures falls short of that on R(S), 0 or more.

        In each ring of frequency restored real pictures have 1 + a times the amplitude that R(S)
        has, as a mean over crops. Where a is positive beyond chance, a times the amplitude is
        counted as error with `WEIGHT`, and added to what remains on R(S). So it takes B and S to
        show things alike, as far as their number allows.
        """
        real = restore(translator, deblurrer, self._real, self._numerics)
        made = restore(translator, deblurrer, self._made, self._numerics)
        error = ring_power(made - self._sharp).mean(0)
        powers = ring_power(made)
        of_real, doubt_of_real = mean_and_error(_relative(ring_power(real)), self._real_scenes)
        of_made, doubt_of_made = mean_and_error(_relative(powers), self._made_scenes)
        chance = CHANCE * torch.hypot(doubt_of_real, doubt_of_made)
        amplitude = ((of_real - of_made - chance) / 2).exp().sub(1).clamp_min(0)
        added = WEIGHT * (self._sizes * powers.mean(0) * amplitude.square()).sum()
        return float(10 * (1 + added / (self._sizes * error).sum()).log10())


def _relative(power: Tensor) -> Tensor:
    """Return the log power of each ring relative to rings 1 and 2, which blur hardly touches.

    So it does not matter whether scenes of B have more contrast than those of S.
    """
    logs = power.log()
    return logs - logs[:, 1:3].mean(1, keepdim=True)


def mean_and_error(values: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean over crops and its standard error, `(R,)` each.

    Crops of one scene are alike, so that scenes are what was drawn (the cluster-robust error of
    Liang and Zeger, 1986).

    Args:
        values: `(N, R)`.
        groups: `(N,)` the scene of each, counted from 0.
    """
    mean = values.mean(0)
    crops = torch.bincount(groups)
    sums = values.new_zeros(len(crops), values.shape[1]).index_add(0, groups, values - mean)
    drawn = (crops > 0).sum().clamp_min(2)
    variance = sums.square().sum(0) / len(values) ** 2 * drawn / (drawn - 1)
    return mean, variance.sqrt()


def _side(job: Job, camera: CameraModel) -> int:
    """Return the side of crops: SIDE, or the largest that fits the pictures and the networks."""
    largest = min(SIDE, job.blurry.shortest_side, job.sharp.shortest_side - camera.margin)
    return largest // job.multiple * job.multiple or job.multiple
