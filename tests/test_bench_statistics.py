"""Intervals, rows and pages of the bench, against scipy and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from scipy.stats import bootstrap

from b2b_core.bench.bootstrap import Trial, gain, gap_closed, interval
from b2b_core.bench.insertion import BEGIN, END, inserted
from b2b_core.bench.machine import machine
from b2b_core.bench.report import document, overview, page, write_report
from b2b_core.bench.results import (
    Result,
    Scores,
    all_results,
    read_result,
    result_path,
    write_result,
)
from b2b_core.bench.table import sections, summary
from b2b_core.errors import B2bError, UsageError


def trial_of(seeds=1, pictures=24):
    """Return scores like those of a run."""
    rng = np.random.default_rng(0)
    alone = 27 + rng.normal(0, 3, pictures)
    gains = 3 + rng.normal(0, 0.8, pictures)
    chosen = alone + gains + rng.normal(0, 0.3, (seeds, pictures)) + rng.normal(0, 0.4, (seeds, 1))
    return Trial(chosen, alone, alone + gains + 0.8 + rng.normal(0, 0.3, pictures))


@pytest.mark.parametrize("statistic", [gain, gap_closed])
def test_with_one_seed_the_interval_is_that_of_scipy(statistic):
    """The ends agree with scipy's paired percentile bootstrap within its own scatter."""
    trial = trial_of()

    def of_pictures(chosen, alone, bound):
        return statistic(Trial(chosen[None], alone, bound))

    wanted = bootstrap(
        (trial.chosen[0], trial.alone, trial.bound), of_pictures, paired=True, vectorized=False,
        method="percentile", n_resamples=6000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    found = interval(trial, statistic, resamples=6000)
    width = wanted.high - wanted.low
    assert found.low == pytest.approx(wanted.low, abs=0.05 * width)
    assert found.high == pytest.approx(wanted.high, abs=0.05 * width)
    assert found.value == pytest.approx(of_pictures(*(trial.chosen[0], trial.alone, trial.bound)))


def test_seeds_that_differ_widen_the_interval_as_the_bootstrap_of_their_means_does():
    """With pictures that are all alike only seeds vary: then it is scipy's bootstrap of seeds."""
    means = np.array([1.0, 1.6, 2.5, 3.1])
    trial = Trial(np.repeat(means[:, None], 10, 1), np.zeros(10))
    wanted = bootstrap(
        (means,), np.mean, method="percentile", n_resamples=6000, rng=np.random.default_rng(1)
    ).confidence_interval
    found = interval(trial, gain, resamples=6000)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.06)


def test_an_interval_is_the_same_each_time_it_is_asked_for():
    """The seed of the bootstrap decides; another seed gives another interval."""
    trial = trial_of(seeds=3)
    first = interval(trial, gap_closed, resamples=200)
    assert interval(trial, gap_closed, resamples=200) == first
    assert interval(trial, gap_closed, seed=1, resamples=200) != first


def test_a_gap_that_is_none_has_no_share():
    """Where paired training gains nothing, or there is none, the share is not a number."""
    trial = Trial(np.ones((1, 3)), np.zeros(3), np.zeros(3))
    assert np.isnan(gap_closed(trial))
    assert np.isnan(interval(trial, gap_closed, resamples=20).low)
    assert np.isnan(gap_closed(Trial(np.ones((1, 3)), np.zeros(3))))
    assert gap_closed(Trial(np.ones((1, 3)), np.zeros(3), np.full(3, 4.0))) == 0.25


def result_of(
    recipe="phone", seed=0, *, group="", label="", shift=0.0, pictures=("a", "b"), **said
):
    """Return a result whose ways are 26, 27, 29 + shift (chosen) and 30 dB."""
    levels = {"blurry": 26.0, "deblurrer": 27.0, "finetune": 29.0 + shift, "task": 28.0}
    levels |= {"b2b": 29.0 + shift, "bound": 30.0}
    ways = {
        way: Scores(
            psnr={name: level + number for number, name in enumerate(pictures)},
            ssim=dict.fromkeys(pictures, level / 40),
        )
        for way, level in levels.items()
    }
    cpu = {"processor": "a processor", "cores": "2", "threads": "2", "torch": "2.13"}
    return Result(
        recipe=recipe, group=group or recipe, seed=seed, label=label, ways=ways,
        chosen="finetune", training_seconds=600.0, protocol="rgb-uint8",
        machine={**cpu, "numbers": "bf16"}, **said,
    )  # fmt: skip


def test_rows_are_means_over_seeds_and_pictures():
    """Three seeds of one camera: means, gain and share of the gap, by hand."""
    (section,) = sections([result_of(seed=n, shift=shift) for n, shift in enumerate((-1, 0, 1))])
    choice = section.row("b2b")
    assert (choice.seeds, choice.pictures) == (3, 2)
    assert choice.psnr == pytest.approx(29.5)
    assert choice.gain.value == pytest.approx(2.0)
    assert choice.gap.value == pytest.approx(2 / 3)
    assert choice.gap.low < 2 / 3 < choice.gap.high
    assert section.row("bound").gap is None
    assert [row.way for row in section.rows] == [
        "blurry", "deblurrer", "finetune", "task", "b2b", "bound",
    ]  # fmt: skip


def test_where_true_pairs_gain_nothing_there_is_no_gap():
    """A bound that is better on one picture and worse on another closes none to measure by."""
    result = result_of()
    level = result.ways["deblurrer"].psnr
    scores = Scores(psnr={"a": level["a"] + 1, "b": level["b"] - 0.9}, ssim=result.ways["b2b"].ssim)
    (section,) = sections([evolve(result, ways={**result.ways, "bound": scores})])
    assert section.row("b2b").gap is None
    assert section.row("b2b").gain.value == pytest.approx(2.0)


def test_recipes_of_a_group_are_pooled_over_the_seeds_that_all_have():
    """Two recipes of one camera: pictures side by side, a seed that one lacks is left out."""
    results = [
        result_of("frames-1", 0, group="frames"),
        result_of("frames-1", 1, group="frames", shift=1.0),
        result_of("frames-2", 0, group="frames", pictures=("c",)),
    ]
    (section,) = sections(results)
    assert section.row("b2b").pictures == 3
    assert section.row("b2b").seeds == 1
    assert section.row("b2b").psnr == pytest.approx((29 + 30 + 29) / 3)


def test_labels_have_sections_of_their_own():
    """A run with less of S does not mix with the recipe's own."""
    found = sections([result_of(), result_of(label="sharp-0.1", shift=-1.0)])
    assert [(s.label, s.row("b2b").gain.value) for s in found] == [("", 2.0), ("sharp-0.1", 1.0)]


def test_the_page_says_what_was_measured_and_how_to_measure_it_again():
    """Commands, protocol, machine, numbers with intervals, choice, time, what it warned of."""
    text = page(
        sections(
            [
                result_of(seed=0, warnings=("few pictures",)),
                result_of(seed=1),
                result_of("phone", 0, label="sharp-0.1", arguments="--sharp-share 0.1"),
            ]
        )
    )
    assert "b2b bench run phone --data ROOT --seeds 0,1\n" in text
    assert "b2b bench run phone --data ROOT --seeds 0 --sharp-share 0.1\n" in text
    assert "rgb-uint8" in text
    assert "a processor, 2 core(s), 2 thread(s), torch 2.13, bf16" in text
    row = "| phone | 2 | 26.50 | 27.50 | 29.50 | 30.50 | +2.00 [+2.00, +2.00] | 0.67 [0.67, 0.67] |"
    assert row in text
    assert "| **b2b's choice** | 29.50 | 0.7250 |" in text
    assert "Chosen: phone, seed 0: finetune (10.0 min); phone, seed 1: finetune (10.0 min)." in text
    assert "Warned: few pictures." in text
    assert "| 0.00 dB | 10.0 min |" in text


def test_one_candidate_is_behind_none():
    """The overview compares the choice with others only where others were trained."""
    one = ("blurry", "deblurrer", "finetune", "b2b", "bound")
    whole = result_of()
    ways = {way: whole.ways[way] for way in one}
    (section,) = sections([Result(**{**vars_of(whole), "ways": ways})])
    assert "0.00 dB" not in overview([section])
    (section,) = sections([whole])
    assert "0.00 dB" in overview([section])


def test_a_run_that_took_too_long_is_marked():
    """More training than the recipe wants is said beside the choice."""
    slow = result_of()
    text = page(sections([Result(**{**vars_of(slow), "training_seconds": 1500.0})]))
    assert "finetune (25.0 min, more than the 20 wanted)" in text


def vars_of(result):
    """Return the fields of a result by name."""
    return {name: getattr(result, name) for name in result.__slots__ if name != "__weakref__"}


def test_quick_results_are_marked():
    """Nobody takes numbers of a few steps for a proof."""
    text = page(sections([result_of(quick=True)]))
    assert "Quick runs" in text
    assert "--seeds 0 --quick" in text


def test_page_and_json_are_written_side_by_side(tmp_path):
    """The JSON has the rows, the intervals and every run's means; an empty folder is refused."""
    with pytest.raises(UsageError, match="no results"):
        write_report(tmp_path, tmp_path / "proof.md")
    for seed in (0, 1):
        write_result(result_path(tmp_path, "phone", "", seed), result_of(seed=seed))
    written = write_report(tmp_path, tmp_path / "pages" / "proof.md")
    assert [path.name for path in written] == ["proof.md", "proof.json"]
    (section,) = json.loads(written[1].read_text())["sections"]
    assert section["minutes"] == 10
    assert {row["way"]: row["psnr"] for row in section["rows"]}["b2b"] == 29.5
    assert [run["means"]["bound"]["psnr"] for run in section["runs"]] == [30.5, 30.5]
    assert json.loads(document(sections(all_results(tmp_path))))["schema"] == 1


def test_the_overview_goes_between_the_marks_of_a_page():
    """What stands between the marks is replaced, the rest stays; without marks it is refused."""
    found = sections([result_of()])
    labelled = sections([result_of(), result_of(label="sharp-0.1")])
    page_text = f"# mine\n{BEGIN}\nold\n{END}\nend\n"
    text = inserted(page_text, found, Path("README.md"))
    assert text == f"# mine\n{BEGIN}\n\n{overview(found)}\n{END}\nend\n"
    assert inserted(text, labelled, Path("README.md")) == text  # a label is for the other page
    with pytest.raises(UsageError, match="no place for the table"):
        inserted("# mine", found, Path("README.md"))


def test_the_summary_for_a_terminal_has_the_same_numbers():
    """Text in columns, the choice of every seed below."""
    text = summary([result_of()])
    assert "29.50 dB" in text
    assert "0.67 [0.67, 0.67]" in text
    assert "chosen: seed 0: finetune; 10.0 minutes of training" in text


def test_results_survive_a_round_trip_and_are_never_lost(tmp_path):
    """What is written is read back; another run's result is kept beside the new one."""
    path = result_path(tmp_path, "phone", "", 0)
    first = result_of(key="one")
    write_result(path, first)
    assert read_result(path) == first
    write_result(path, result_of(key="two", shift=1.0))
    assert read_result(path).key == "two"
    assert read_result(path.with_name("seed-0.one.old")) == first
    assert [result.key for result in all_results(tmp_path)] == ["two"]
    path.write_text("{")
    with pytest.raises(B2bError, match="unreadable result"):
        read_result(path)


def test_a_machine_says_what_numbers_depend_on():
    """Processor, cores, threads, format and version of torch are all there, as text."""
    found = machine(half=False)
    assert {"processor", "cores", "threads", "torch", "python"} <= set(found)
    assert found["numbers"] == "float32"
    assert machine(half=True)["numbers"] == "bf16"
    assert all(found.values())
