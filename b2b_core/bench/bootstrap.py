"""Confidence intervals by resampling pictures and seeds (Efron and Tibshirani, 1993)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]
#: Share of the resampled values inside an interval.
LEVEL = 0.95
_RESAMPLES = 10_000


@frozen
class Interval:
    """A value with the ends of its confidence interval."""

    value: float
    low: float
    high: float


@frozen(eq=False)
class Trial:
    """Scores of the same pictures: `chosen` is `(seeds, pictures)`, the others `(pictures,)`."""

    chosen: Array
    alone: Array
    bound: Array | None = None


def gain(trial: Trial) -> float:
    """Return by how much the mean score rose over the known deblurrer alone."""
    return float(trial.chosen.mean() - trial.alone.mean())


def gap_closed(trial: Trial) -> float:
    """Return the gain as a share of what paired training gains; NaN where that gains nothing."""
    if trial.bound is None:
        return float("nan")
    gap = float(trial.bound.mean() - trial.alone.mean())
    return gain(trial) / gap if gap > 0 else float("nan")


def interval(
    trial: Trial, statistic: Callable[[Trial], float], seed: int = 0, resamples: int = _RESAMPLES
) -> Interval:
    """Return a statistic with its percentile interval of `LEVEL`; NaNs where it is not defined.

    Pictures are drawn with replacement, the same ones for every way and seed, and seeds are drawn
    with replacement independently of them. With one seed only pictures vary.
    """
    value = statistic(trial)
    if np.isnan(value):
        return Interval(value, value, value)
    rng = np.random.default_rng(seed)
    seeds, pictures = trial.chosen.shape
    values = np.empty(resamples)
    for number in range(resamples):
        drawn: Places = rng.integers(pictures, size=(pictures,), dtype=np.int64)
        runs: Places = rng.integers(seeds, size=(seeds,), dtype=np.int64)
        values[number] = statistic(
            Trial(
                trial.chosen[runs][:, drawn],
                trial.alone[drawn],
                None if trial.bound is None else trial.bound[drawn],
            )
        )
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
