"""Which of two samples is nearer to the camera's pictures, and whether that may be chance."""

from __future__ import annotations

import torch
from attrs import frozen
from torch import Tensor

from b2b_core.energy import energy_distance, spread

#: Draws of scenes.
DRAWS = 400
#: Scenes on either side below which nothing is concluded.
FEWEST_SCENES = 4


@frozen(eq=False)
class Sample:
    """Cues `(n, d)` of crops, and the number of the scene that each of them shows, `(n,)`."""

    cues: Tensor
    scenes: Tensor

    def those(self, kept: Tensor) -> Sample:
        """Return the crops that are `kept`, `(n,)` of bool."""
        return Sample(self.cues[kept], self.scenes[kept])

    @property
    def count(self) -> int:
        """Number of scenes."""
        return int(self.scenes.bincount().count_nonzero())

    @property
    def unit(self) -> Tensor:
        """The deviation of each cue, `(d,)`."""
        return self.cues.std(0).clamp_min(1e-6)

    @property
    def telling(self) -> Tensor:
        """Which crops say something, `(n,)` of bool: those without NaN."""
        return ~self.cues.isnan().any(1)


def distance(camera: Sample, made: Sample) -> float | None:
    """Return the energy distance of cues from the camera's, in deviations of these.

    Returns:
        None where fewer than `FEWEST_SCENES` scenes of either set tell anything.
    """
    camera, made = camera.those(camera.telling), made.those(made.telling)
    if min(camera.count, made.count) < FEWEST_SCENES:
        return None
    unit = camera.unit
    real, fake = camera.cues / unit, made.cues / unit
    return float(energy_distance(fake, real, spread(real)))


@frozen
class Nearness:
    """How far one and another sample are from the camera's, and in how many draws one is nearer."""

    one: float
    other: float
    #: Share of draws of scenes in which the first is nearer.
    sure: float


def nearness(
    camera: Sample, one: Sample, other: Sample, generator: torch.Generator
) -> Nearness | None:
    """Compare two samples of the same crops by their energy distance from the camera's.

    The bootstrap draws scenes, not crops (those of a scene are alike), of both sets.

    Args:
        camera: of B.
        one: of R(S), made in one way.
        other: of R(S) made of the same crops in another way; crops that tell nothing in either way
            are left out.
        generator: CPU generator of the draws.

    Returns:
        None where fewer than `FEWEST_SCENES` scenes of either set tell anything.
    """
    camera = camera.those(camera.telling)
    both = one.telling & other.telling
    one, other = one.those(both), other.those(both)
    distances = distance(camera, one), distance(camera, other)
    if distances[0] is None or distances[1] is None:
        return None
    real, *made = (sample.cues / camera.unit for sample in (camera, one, other))
    matrices = [(torch.cdist(real, points), torch.cdist(points, points)) for points in made]
    nearer = 0
    for _ in range(DRAWS):
        of_real, of_made = _drawn(camera.scenes, generator), _drawn(one.scenes, generator)
        drawn = [_weighted(*pair, of_real, of_made) for pair in matrices]
        nearer += drawn[0] < drawn[1]
    return Nearness(distances[0], distances[1], nearer / DRAWS)


def _drawn(scenes: Tensor, generator: torch.Generator) -> Tensor:
    """Draw as many scenes as there are, with replacement; return each crop's share, `(n,)`."""
    present = scenes.bincount(minlength=1).nonzero().flatten()
    chosen = present[torch.randint(len(present), (len(present),), generator=generator)]
    weight = chosen.bincount(minlength=int(scenes.max()) + 1)[scenes].float()
    return weight / weight.sum()


def _weighted(across: Tensor, within: Tensor, of_real: Tensor, of_made: Tensor) -> float:
    """Return the energy distance of weighted samples, less what only the real one decides."""
    alone = of_made @ within @ of_made / (1 - of_made.square().sum())
    return float(2 * of_real @ across @ of_made - alone)
