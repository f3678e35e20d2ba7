"""The sharp crops that R blurs: of the camera's own pictures, and of the known domain's.

R says how the camera blurs; what it blurs need not be the camera's. So where the camera has few
sharp pictures, those of the known domain's pairs show the network more scenes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from b2b_core.data.crops import CropSampler
from b2b_core.data.pairs import PairSet
from b2b_core.training.job import Job

#: Pictures of the known domain that are used, evenly spread over it: enough scenes, and few enough
#: to stay decoded (a large domain's would be decoded again and again, which takes longer than a
#: step of training).
MOST_KNOWN = 256


class SharpSupply:
    """Draws batches of sharp crops, each a pure function of (seed, stream, step, slot).

    Args:
        job: S, and the known domain's pairs; at most `MOST_KNOWN` of these are used, and of them
            those that are large enough.
        side: of the crops in pixels.
        stream: name of this use of randomness.
        known_share: share of each batch that comes from the known domain, rounded to crops.
    """

    def __init__(self, job: Job, side: int, stream: str, known_share: float) -> None:
        self._own = CropSampler(job.sharp, side, job.run.seed, stream)
        self._known = _evenly(job.pairs).at_least(side) if known_share else None
        self._side, self._seed, self._stream = side, job.run.seed, f"{stream}-known"
        self._share = known_share if self._known else 0.0

    def batch(self, step: int, size: int) -> Tensor:
        """Return `(size, 3, side, side)` float32 in [0, 1], the camera's own crops first."""
        known = round(self._share * size)
        crops = [self._own.batch(step, size - known)] if known < size else []
        if known and self._known:
            sharp, _ = self._known.batch(self._side, known, self._seed, self._stream, step)
            crops.append(sharp)
        return torch.cat(crops)


def _evenly(pairs: PairSet) -> PairSet:
    """Return at most `MOST_KNOWN` pairs, every n-th of them."""
    return pairs[:: max(1, -(-len(pairs) // MOST_KNOWN))]
