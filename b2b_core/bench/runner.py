"""Recipes, seed by seed: every stage takes what it finds and goes on from there."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from b2b_core.bench.adapting import Plan, run_adaptation
from b2b_core.bench.checks import converter_checks
from b2b_core.bench.material import CameraMaterial, KnownMaterial, build_camera, build_known
from b2b_core.bench.measuring import measured
from b2b_core.bench.networks import Weights, known_deblurrer, upper_bound
from b2b_core.bench.options import STAGES, Extras
from b2b_core.bench.recipe import Recipe
from b2b_core.bench.results import Result, read_result, result_path, write_result
from b2b_core.errors import B2bError, UsageError
from b2b_core.locking import locked
from b2b_core.log import get_logger
from b2b_core.narrowing import is_table
from b2b_core.training.precision import Numerics

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


@frozen(kw_only=True)
class Bench:
    """Where a bench reads and writes, and what it adds to the recipes.

    `out` gets `cache/` (pictures and networks by keys), `runs/` (run folders of `b2b adapt`) and
    `results/RECIPE/seed-N.json`.
    """

    root: Path
    out: Path
    catalogue: Catalogue = field(eq=False)
    quick: bool = False
    #: The last stage to do; what it does not need is left out.
    only: str = STAGES[-1]
    #: Run again what has a result.
    again: bool = False
    extras: Extras = field(factory=Extras)

    def run(self, recipes: Sequence[Recipe], seeds: Sequence[int]) -> list[Result]:
        """Run recipes one after the other; what one of them lacks does not stop the others.

        Returns:
            The results, those of earlier calls included.

        Raises:
            UsageError: if the data root is missing.
            B2bError: at the end, if a recipe failed; the first is named.
        """
        if not self.root.is_dir():
            raise UsageError("there is no such data root", where=self.root, mend="--data DIR")
        results, failures = list[Result](), list[B2bError]()
        for recipe in recipes:
            try:
                for result in self.run_recipe(recipe, seeds):
                    results.append(result)
            except B2bError as error:
                get_logger("b2b.bench").error("failed", recipe=recipe.name, why=str(error))
                failures.append(error)
        if failures:
            raise failures[0]
        return results

    def run_recipe(self, recipe: Recipe, seeds: Sequence[int]) -> Iterator[Result]:
        """Do the stages of one recipe and yield its results, seed by seed."""
        cache = self.out / "cache"
        with _said(recipe, "render"):
            camera = build_camera(recipe, self.root, cache, self.catalogue)
            known = build_known(recipe, self.root, cache)
        if self.only == "render":
            return
        numerics = _numerics(recipe)
        with _said(recipe, "known"):
            deblurrer = known_deblurrer(recipe, known, cache, self.catalogue, numerics)
        if self.only == "known":
            return
        bound = None
        if self.only != "adapt" and self.extras.bound:
            with _said(recipe, "bound"):
                bound = upper_bound(recipe, camera, deblurrer, cache, self.catalogue, numerics)
        if self.only == "bound":
            return
        for seed in seeds:
            result = self._seed(recipe, seed, camera, known, deblurrer, bound)
            if result is not None:
                yield result

    def _seed(
        self, recipe: Recipe, seed: int, camera: CameraMaterial, known: KnownMaterial,
        deblurrer: Weights, bound: Weights | None,
    ) -> Result | None:  # fmt: skip
        """Return the result of one seed, found or made; None where nothing is to be measured."""
        plan = Plan(recipe, camera, known, deblurrer, seed, self.extras, self.out)
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(plan.folder, "runs this recipe and seed"):
            return self._found(plan) or self._made(plan, bound)

    def _found(self, plan: Plan) -> Result | None:
        path = result_path(self.out, plan.recipe.name, self.extras.label, plan.seed)
        if self.again or not path.exists():
            return None
        found = read_result(path)
        if found.key != plan.key:
            return None
        get_logger("b2b.bench").info("there already", recipe=plan.recipe.name, seed=plan.seed)
        return found

    def _made(self, plan: Plan, bound: Weights | None) -> Result | None:
        recipe, seed = plan.recipe, plan.seed
        with _said(recipe, "adapt", seed):
            made = run_adaptation(plan, self.catalogue)
        if self.only == "adapt":
            return None
        checks = dict[str, float]()
        if recipe.checks is not None:
            with _said(recipe, "checks", seed):
                checks = converter_checks(recipe.checks, plan, made)
        with _said(recipe, "measure", seed):
            result = measured(plan, made, bound, self.catalogue, quick=self.quick, checks=checks)
        write_result(result_path(self.out, recipe.name, self.extras.label, seed), result)
        return result


def _numerics(recipe: Recipe) -> Numerics:
    """Return device and number format of the networks around the adaptation: the same as its."""
    run: object = recipe.adaptation.get("run")
    said = run if is_table(run) else dict[str, object]()
    return Numerics(str(said.get("device", "auto")), str(said.get("precision", "auto")))


@contextmanager
def _said(recipe: Recipe, stage: str, seed: int | None = None) -> Generator[None]:
    """Log the beginning and the end of a stage."""
    log = get_logger("b2b.bench").bind(recipe=recipe.name, stage=stage)
    log = log if seed is None else log.bind(seed=seed)
    log.info("begins")
    began = time.monotonic()
    yield
    log.info("done", minutes=round((time.monotonic() - began) / 60, 1))
