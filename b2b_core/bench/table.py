"""Results of seeds and recipes as rows: means, gains, gap closed, intervals, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from b2b_core.bench.bootstrap import Interval, Trial, gain, gap_closed, interval
from b2b_core.bench.results import ALONE, BLURRY, BOUND, CHOICE, Result
from b2b_core.report.table import plain_table

Array = NDArray[np.float64]
_RESAMPLES = 4000
#: What ways are called in tables; others are candidates.
LABELS: Mapping[str, str] = {
    BLURRY: "blurry",
    ALONE: "known deblurrer alone",
    "finetune": "candidate: deblurrer fine-tuned",
    "task": "candidate: G by task",
    "conversion": "candidate: G by conversion",
    "scratch": "candidate: trained from scratch on R(S)",
    "joint": "candidate: G and the deblurrer together",
    CHOICE: "b2b's choice",
    BOUND: "paired upper bound",
}


@frozen
class Row:
    """One way to deblur one camera."""

    way: str
    psnr: float
    ssim: float
    gain: Interval | None = None
    gap: Interval | None = None
    #: Seeds, and pictures over all recipes of the group.
    seeds: int = 1
    pictures: int = 0


@frozen
class Section:
    """All ways of one camera, under one label."""

    group: str
    label: str
    rows: tuple[Row, ...]
    results: tuple[Result, ...] = field(repr=False)

    @property
    def minutes(self) -> float:
        """Mean training time of a run in minutes."""
        return fmean(result.training_seconds for result in self.results) / 60

    def row(self, way: str) -> Row | None:
        """Return the row of a way, if there is one."""
        return next((row for row in self.rows if row.way == way), None)


def sections(results: Sequence[Result]) -> list[Section]:
    """Return one section per group and label, in order of name; seeds that all recipes have."""
    keys = sorted({(result.group, result.label) for result in results})
    return [
        _section(group, label, [r for r in results if (r.group, r.label) == (group, label)])
        for group, label in keys
    ]


def _section(group: str, label: str, results: list[Result]) -> Section:
    recipes = sorted({result.recipe for result in results})
    by_seed = {name: {r.seed: r for r in results if r.recipe == name} for name in recipes}
    shared = [
        seed for seed in sorted(by_seed[recipes[0]]) if all(seed in by_seed[n] for n in recipes)
    ]
    used = [[by_seed[name][seed] for seed in shared] for name in recipes] if shared else [results]
    ways = _ordered({way for runs in used for run in runs for way in run.ways})
    gap = _has_gap(used)
    rows = (
        _row(way, used, gap=gap)
        for way in ways
        if all(way in run.ways for runs in used for run in runs)
    )
    return Section(group, label, tuple(rows), tuple(run for runs in used for run in runs))


def _ordered(ways: set[str]) -> list[str]:
    fixed = [BLURRY, ALONE, CHOICE, BOUND]
    candidates = sorted(ways - set(fixed))
    return [way for way in (BLURRY, ALONE, *candidates, CHOICE, BOUND) if way in ways]


def _row(way: str, runs: Sequence[Sequence[Result]], *, gap: bool) -> Row:
    psnr, ssim = matrix(runs, way, "psnr"), matrix(runs, way, "ssim")
    row = Row(way, float(psnr.mean()), float(ssim.mean()), None, None, *psnr.shape)
    if way in (BLURRY, ALONE):
        return row
    trial = trial_of(runs, way)
    closed = _interval(trial, gap_closed) if gap and way != BOUND else None
    return Row(way, row.psnr, row.ssim, _interval(trial, gain), closed, row.seeds, row.pictures)


def _has_gap(runs: Sequence[Sequence[Result]]) -> bool:
    """Return whether true pairs gain more than chance may give; a share of less says nothing."""
    trial = trial_of(runs, ALONE)
    if trial.bound is None:
        return False
    return _interval(Trial(trial.bound[None], trial.alone), gain).low > 0


def trial_of(runs: Sequence[Sequence[Result]], way: str) -> Trial:
    """Return a way's scores beside those of the known deblurrer and of the upper bound."""
    bounded = all(BOUND in run.ways for each in runs for run in each)
    return Trial(
        matrix(runs, way, "psnr"),
        matrix(runs, ALONE, "psnr").mean(0),
        matrix(runs, BOUND, "psnr").mean(0) if bounded else None,
    )


def matrix(runs: Sequence[Sequence[Result]], way: str, metric: str) -> Array:
    """Return scores `(seeds, pictures)`; pictures of all recipes side by side, by name.

    Args:
        runs: recipe -> seed -> result, the same seeds for each.
        way: whose scores.
        metric: "psnr" or "ssim".
    """
    parts: list[Array] = []
    for seeds in runs:
        names = sorted(seeds[0].ways[way].psnr)
        lines = [[getattr(run.ways[way], metric)[name] for name in names] for run in seeds]
        parts.append(np.array(lines, np.float64))
    return np.concatenate(parts, axis=1)


def _interval(trial: Trial, statistic: Callable[[Trial], float]) -> Interval:
    return interval(trial, statistic, resamples=_RESAMPLES)


def summary(results: Sequence[Result]) -> str:
    """Return the results as plain text, for a terminal."""
    blocks: list[str] = []
    for section in sections(results):
        rows = [
            [
                LABELS.get(row.way, f"candidate: {row.way}"), f"{row.psnr:.2f} dB",
                f"{row.ssim:.4f}", shown(row.gain, "+.2f"), shown(row.gap, ".2f"),
            ]
            for row in section.rows
        ]  # fmt: skip
        title = f"{section.group} {section.label}".strip()
        head = [title, "PSNR", "SSIM", "gain in dB", "gap closed"]
        chosen = ", ".join(f"seed {run.seed}: {run.chosen}" for run in section.results)
        trained = f"{section.minutes:.1f} minutes of training"
        blocks.append(f"{plain_table(head, rows)}\nchosen: {chosen}; {trained}")
    return "\n\n".join(blocks)


def shown(value: Interval | None, form: str) -> str:
    """Return a value with its interval as text, or nothing."""
    if value is None or np.isnan(value.value):
        return ""
    return f"{value.value:{form}} [{value.low:{form}}, {value.high:{form}}]"
