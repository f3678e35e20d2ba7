"""Networks of a run, built by name and placed on its device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from b2b_core.adaptation.settings import SECTIONS, AdaptSettings, Choice
from b2b_core.catalogue import Catalogue
from b2b_core.config import structure, unstructure
from b2b_core.data.seeding import seeded
from b2b_core.errors import UsageError
from b2b_core.importing.open import is_published, network_file
from b2b_core.networks import NetworkFile, load_network
from b2b_core.profile import common_size, load_profile
from b2b_core.registry import load_registry
from b2b_core.specs import DomainSpec, SizeRule, StrategySpec
from b2b_core.training.job import Part
from b2b_core.training.precision import Numerics
from b2b_core.training.presets import with_preset
from b2b_core.weights.resolve import resolve_weights

#: Kind of component -> section of the configuration that chooses it.
SECTION_OF_KIND = {kind: section for section, kind in SECTIONS.items()}


class Parts:
    """Builds what the configuration names, what the strategy prefers, or the registry's default.

    Args:
        catalogue: the installed components.
        settings: of the run.
        numerics: device and number format.
    """

    def __init__(self, catalogue: Catalogue, settings: AdaptSettings, numerics: Numerics) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self.numerics = numerics
        self.domain: DomainSpec[object] = catalogue.spec("domain", settings.domain.name)
        name = settings.strategy.name or load_registry().defaults["strategy"]
        self.strategy: StrategySpec[object] = catalogue.spec("strategy", name)

    def check(self) -> None:
        """Refuse misspelt names and options now, before pictures are read or anything is trained.

        Raises:
            UsageError: with the closest name.
        """
        for section, kind in SECTIONS.items():
            choice: Choice = getattr(self._settings, section)
            if choice.name is not None or choice.options or kind in self.strategy.needs:
                self._checked(kind)

    def build(self, kind: str) -> Part:
        """Build a part that learns, its first weights a function of the run's seed."""
        if kind == "kernel-extractor":
            file, module = self.load(kind, self._settings.domain.extractor, self.domain.extractor)
            return Part(kind, file.component, file.options, module)
        if kind == "translator" and self._settings.run.start is not None:
            return self._begun(self._settings.run.start)
        name, options = self._checked(kind)
        if kind == "feature-extractor":
            options = self._with_weights(options)
        with seeded(self._settings.run.seed, f"initial-{kind}"):
            product = self._catalogue.build(kind, name, options)
        if not isinstance(product, nn.Module):
            raise UsageError(f"the {kind} '{name}' is no network", mend="choose another")
        return Part(kind, name, options, self.numerics.place(product))

    def _begun(self, path: Path) -> Part:
        """Return the translator of a camera profile."""
        loaded = load_profile(
            path, self._catalogue, lambda name: network_file(name, self._catalogue, "deblurrer")
        )
        said = loaded.profile.translator
        if said is None or loaded.translator is None:
            raise UsageError(
                "this camera profile holds no translator to begin with",
                where=path,
                mend="adapt with --set strategy.mode=task first, or leave run.start out",
            )
        module = self.numerics.place(loaded.translator)
        return Part("translator", said.component, said.options, module)

    def _with_weights(self, options: dict[str, object]) -> dict[str, object]:
        """Put the file in place of the published name of a feature extractor's weights."""
        name = options.get("weights")
        if not isinstance(name, str) or not name:
            return options
        return {**options, "weights": str(resolve_weights(name, self._catalogue))}

    def deblurrer(self) -> tuple[Part, NetworkFile, str | None]:
        """Return the domain's deblurrer, frozen, its file, and its published name if it has one."""
        said = self._settings.domain.deblurrer
        name = said or self.domain.deblurrer
        file, module = self.load("deblurrer", said, self.domain.deblurrer)
        part = Part("deblurrer", file.component, file.options, module)
        return part, file, name if name and is_published(name) else None

    def load(self, kind: str, said: str | None, own: str | None) -> tuple[NetworkFile, nn.Module]:
        """Return a pretrained network, frozen: what the user said, or the domain's own."""
        name = said or own
        if name is None:
            flag = "--deblurrer" if kind == "deblurrer" else "--extractor"
            raise UsageError(
                f"domain '{self.domain.name}' has no published {kind}",
                mend=f"train one (b2b train {kind.removeprefix('kernel-')} --domain "
                f"{self.domain.name}) and give it with {flag} FILE",
            )
        path = network_file(name, self._catalogue, kind)
        file, module = load_network(path, self._catalogue, kind)
        return file, self.numerics.place(module).eval().requires_grad_(False)

    def size_rule(self, *parts: Part) -> SizeRule:
        """Return the sizes that all of `parts` take."""
        specs = [self._catalogue.spec(part.kind, part.component) for part in parts]
        return common_size(*(getattr(spec, "size", SizeRule()) for spec in specs))

    def checked_options(self, kind: str) -> dict[str, object]:
        """Return the full options of the chosen component of a kind, all valid."""
        return self._checked(kind)[1]

    def name_of(self, kind: str) -> str:
        """Return the component's name for a kind: the user's, the strategy's or the default."""
        choice: Choice = getattr(self._settings, SECTION_OF_KIND[kind])
        defaults: Mapping[str, str] = load_registry().defaults
        name = choice.name or self.strategy.defaults.get(kind) or defaults.get(kind)
        if name is None:
            raise UsageError(
                f"no {kind} is chosen", mend=f"--set {SECTION_OF_KIND[kind]}.name=NAME"
            )
        return name

    def _checked(self, kind: str) -> tuple[str, dict[str, object]]:
        """Return name and full options of a component, both valid."""
        name = self.name_of(kind) if kind != "strategy" else self.strategy.name
        choice: Choice = getattr(self._settings, SECTION_OF_KIND[kind])
        spec = self._catalogue.spec(kind, name)
        said = choice.options
        if isinstance(spec, StrategySpec):
            said = with_preset(spec, said)
        config = structure(spec.config, said, where=f"{kind} {name}")
        return name, unstructure(config)
