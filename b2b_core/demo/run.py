"""`b2b demo`: adapt to the demo's camera, measure on its test pairs, write a report."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from attrs import frozen

from b2b_core.adaptation.adapt import Adaptation, adapt
from b2b_core.adaptation.settings import read_settings
from b2b_core.atomic import replacing
from b2b_core.catalogue import Catalogue
from b2b_core.contracts import Demo
from b2b_core.demo.measure import PROTOCOL, Measured, measure
from b2b_core.inference.pipeline import Pipeline
from b2b_core.report import Example, write_report
from b2b_core.training.job import Part

#: How many test pictures the report shows.
SHOWN = 4


@frozen
class DemoResult:
    """What the demo measured, ready to be printed."""

    #: (name, PSNR in dB, SSIM) in the order of the table; the default way is marked.
    rows: list[tuple[str, float, float]]
    metrics: dict[str, Any]
    report: Path
    made: Adaptation


def run_demo(demo: Demo, catalogue: Catalogue, out: Path, *, quick: bool) -> DemoResult:
    """Run the whole path; a killed demo goes on, a finished one is measured again.

    Args:
        demo: pictures, settings and the upper bound.
        catalogue: the installed components.
        out: run folder; gets profile.safetensors, report.html and metrics.json.
        quick: the same path with far fewer training steps.

    Raises:
        UsageError: if `out` holds something else.
        B2bError: if training fails.
    """
    began = time.monotonic()
    plain = dict(demo.settings(quick=quick))
    plain["data"] = {**plain.get("data", {}), "blurry": str(demo.blurry), "sharp": str(demo.sharp)}
    made = adapt(read_settings(plain), out, catalogue, again=True)
    measured = measure(demo.test_blurry, demo.test_sharp, _ways(made), SHOWN)
    seconds = time.monotonic() - began
    metrics = _metrics(measured, made, demo, seconds, quick=quick)
    with replacing(out / "metrics.json") as part:
        part.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    rows = _rows(measured, made, demo)
    report = out / "report.html"
    _report(report, rows, metrics, measured, made, demo)
    return DemoResult(rows, metrics, report, made)


def _ways(made: Adaptation) -> dict[str, Pipeline]:
    """Return the pipelines to compare: the known deblurrer alone and every trained candidate."""
    known = made.job.deblurrer

    def pipeline(translator: Part | None, deblurrer: Part | None) -> Pipeline:
        return Pipeline(
            None if translator is None else translator.module,
            (deblurrer or known).module,
            made.size,
            device=str(made.job.run.numerics.device),
        )

    ways = {"deblurrer": pipeline(None, None)}
    return ways | {name: pipeline(*parts) for name, parts in made.outcome.alternatives.items()}


def _metrics(
    measured: Measured, made: Adaptation, demo: Demo, seconds: float, *, quick: bool
) -> dict[str, Any]:
    means = {name: scores.means() for name, scores in measured.scores.items()}
    chosen = means.get(made.outcome.chosen, means["deblurrer"])
    bound = {"psnr": demo.upper_bound.psnr, "ssim": demo.upper_bound.ssim}
    gain = chosen["psnr"] - means["deblurrer"]["psnr"]
    return {
        "blurry": means["blurry"],
        "deblurrer": means["deblurrer"],
        "b2b": chosen,
        "upper_bound": bound,
        "gain_db": gain,
        "gap_closed": gain / (bound["psnr"] - means["deblurrer"]["psnr"]),
        "pictures": len(measured.scores["blurry"].psnr),
        "protocol": PROTOCOL,
        "seconds": seconds,
        "quick": quick,
        "chosen": made.outcome.chosen,
        "candidates": {n: m for n, m in means.items() if n not in ("blurry", "deblurrer")},
        "camera": demo.description,
        "upper_bound_card": demo.upper_bound.card,
        "learned_camera": made.outcome.summary.get("camera", {}),
        "per_picture": {n: {"psnr": s.psnr, "ssim": s.ssim} for n, s in measured.scores.items()},
    }


#: What each way is called in tables.
LABELS = {
    "blurry": "blurry input",
    "deblurrer": "known deblurrer alone",
    "finetune": "b2b, deblurrer fine-tuned",
    "task": "b2b, translator G (by task)",
    "conversion": "b2b, translator G (by conversion)",
}


def _rows(measured: Measured, made: Adaptation, demo: Demo) -> list[tuple[str, float, float]]:
    rows: list[tuple[str, float, float]] = []
    for name, scores in measured.scores.items():
        means, mark = scores.means(), " *" if name == made.outcome.chosen else ""
        rows.append((LABELS.get(name, f"b2b, {name}") + mark, means["psnr"], means["ssim"]))
    bound = demo.upper_bound
    return [*rows, ("paired upper bound (model card)", bound.psnr, bound.ssim)]


def _report(
    path: Path, rows: list[tuple[str, float, float]], metrics: dict[str, Any],
    measured: Measured, made: Adaptation, demo: Demo,
) -> None:  # fmt: skip
    examples = [
        Example(
            name,
            {LABELS.get(way, way): pixels for way, pixels in pictures.items()},
            reference="sharp original",
        )
        for name, pictures in measured.pictures.items()
    ]
    notes = [
        demo.description,
        f"Gain over the known deblurrer alone: {metrics['gain_db']:+.2f} dB; "
        f"{metrics['gap_closed']:.0%} of the gap to paired training closed (*: chosen by b2b).",
        demo.upper_bound.card,
        *made.warnings,
    ]
    learned = "; ".join(f"{k} {v:.3g}" for k, v in metrics["learned_camera"].items())
    write_report(
        path,
        title="b2b demo",
        rows=[{"": name, "PSNR (dB)": psnr, "SSIM": ssim} for name, psnr, ssim in rows],
        protocol=PROTOCOL,
        notes=notes,
        examples=examples,
        made={"learned of the camera": learned, "time": f"{metrics['seconds'] / 60:.1f} minutes"},
    )
