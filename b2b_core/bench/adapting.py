"""The adaptation of one recipe and seed, and the time that it took."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from b2b_core.adaptation.adapt import Adaptation, adapt
from b2b_core.adaptation.folder import open_run_folder
from b2b_core.adaptation.settings import AdaptSettings, read_settings, write_settings
from b2b_core.atomic import replacing
from b2b_core.bench.keys import key_of
from b2b_core.bench.library import laid_over
from b2b_core.bench.material import CameraMaterial, KnownMaterial, fewer_sharp
from b2b_core.bench.networks import Weights
from b2b_core.bench.options import Extras
from b2b_core.bench.recipe import Recipe
from b2b_core.config import apply_overrides
from b2b_core.log import get_logger
from b2b_core.narrowing import is_table
from b2b_core.training.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

_CHECKPOINTS = "checkpoints"


@frozen
class Plan:
    """One adaptation before it runs: its settings and its folder."""

    recipe: Recipe
    camera: CameraMaterial
    known: KnownMaterial
    deblurrer: Weights
    seed: int
    extras: Extras
    out: Path

    @property
    def key(self) -> str:
        """Of everything that decides the adaptation, but the code."""
        plain = {name: part for name, part in self._plain().items() if name != "domain"}
        return key_of(
            {
                "camera": self.camera.key, "known": self.known.key,
                "deblurrer": self.deblurrer.key, "share": self.extras.sharp_share,
                "settings": {**plain, "data": self._data()}, "domain": self._domain(),
            }
        )  # fmt: skip

    @property
    def folder(self) -> Path:
        """The run folder."""
        label = f"{self.extras.label}-" if self.extras.label else ""
        return self.out / "runs" / self.recipe.name / f"{label}seed-{self.seed}-{self.key}"

    def settings(self) -> AdaptSettings:
        """Return the settings of `b2b adapt`.

        Raises:
            UsageError: if the recipe or an override has an unknown setting.
        """
        camera = self.camera
        if self.extras.sharp_share < 1:
            camera = fewer_sharp(camera, self.extras.sharp_share, self.out / "cache")
        said = {
            "data": {"blurry": str(camera.blurry), "sharp": str(camera.sharp)},
            "domain": {"root": str(self.known.root), "deblurrer": self.deblurrer.name},
        }
        return read_settings(laid_over(self._plain(), said))

    def base(self) -> Plan:
        """Return the run that this one takes its camera over from."""
        return evolve(self, extras=self.extras.base)

    def _plain(self) -> dict[str, Any]:
        plain = apply_overrides(self.recipe.adaptation, self.extras.overrides)
        own: dict[str, object] = {
            "domain": {"name": self.known.domain},
            "run": {"seed": self.seed},
        }
        if self.extras.also:
            own["strategy"] = {"also": list(self.extras.also)}
        return laid_over(plain, own)

    def _data(self) -> object:
        return self._plain().get("data", {})

    def _domain(self) -> object:
        domain = self._plain().get("domain", {})
        return dict(domain) if is_table(domain) else domain


def run_adaptation(plan: Plan, catalogue: Catalogue) -> Adaptation:
    """Adapt; what was trained before is taken from its checkpoints.

    Raises:
        UsageError: for wrong settings.
        B2bError: if training fails.
    """
    settings = plan.settings()
    if plan.extras.label and not (plan.folder / "profile.safetensors").exists():
        open_run_folder(plan.folder, write_settings(settings))
        _take_over(plan)
    return adapt(settings, plan.folder, catalogue, again=True)


def seconds_of(folder: Path) -> dict[str, float]:
    """Return the seconds of training of every stage of a run, by the clocks in its checkpoints."""
    found: dict[str, float] = {}
    for path in sorted((folder / _CHECKPOINTS).glob("*.pt")):
        clock = load_checkpoint(path)["parts"].get("clock")
        if is_table(clock) and isinstance(seconds := clock.get("seconds"), float):
            found[path.stem] = seconds
    return found


def _take_over(plan: Plan) -> None:
    """Copy stages of the run with all of S, so that both judge with the same camera model.

    With less of S the deblurring is trained anew; with more candidates nothing is.
    """
    source = plan.base().folder / _CHECKPOINTS
    wanted: Collection[str] | None = None
    if plan.extras.sharp_share < 1:
        wanted = plan.recipe.camera_stages
        if not source.is_dir():
            get_logger("b2b.bench").warning(
                "no run with all of S to take the camera's model from: it is learned from the share"
            )
    for path in sorted(source.glob("*.pt")):
        target = plan.folder / _CHECKPOINTS / path.name
        if (wanted is None or path.stem in wanted) and not target.exists():
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as part:
                copyfile(path, part)
