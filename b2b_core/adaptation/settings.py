"""The configuration of one adaptation, as a file and the command line give it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, in_

from b2b_core.config import structure, unstructure
from b2b_core.errors import UsageError
from b2b_core.names import suggestion
from b2b_core.narrowing import is_table

#: Section of the configuration -> kind of component whose name and options it holds.
SECTIONS: Mapping[str, str] = {
    "strategy": "strategy",
    "translator": "translator",
    "discriminator": "discriminator",
    "features": "feature-extractor",
}


@frozen
class Choice:
    """A component by name, with options that its own config class checks."""

    #: None leaves the choice to the strategy.
    name: str | None = None
    options: Mapping[str, Any] = field(factory=dict[str, Any])


@frozen(kw_only=True)
class DataSettings:
    """What pictures are used, and how."""

    #: The camera's blurry and sharp pictures, unpaired.
    blurry: Path
    sharp: Path
    #: Side of training crops in pixels; rounded down to what the networks take.
    crop: int = field(default=112, validator=ge(16))
    #: Share of the scenes that goes to B where a scene has blurry and sharp pictures.
    split: float = 0.6
    #: Share of the scenes that is kept for validation.
    held_out: float = 0.12


@frozen(kw_only=True)
class DomainSettings:
    """The known domain, and what was trained on it."""

    name: str = "starter"
    #: Where its pairs lie; None for pairs that ship with its plugin.
    root: Path | None = None
    #: Published weights by name, or a network file; None for the domain's own.
    deblurrer: str | None = None
    extractor: str | None = None
    #: Options of the domain itself; its own config class checks them.
    options: Mapping[str, Any] = field(factory=dict[str, Any])


@frozen(kw_only=True)
class RunSettings:
    """Seed, device and intervals."""

    seed: int = 0
    device: str = "auto"
    precision: str = field(default="auto", validator=in_(("auto", "bf16", "float32")))
    log_every: int = field(default=50, validator=ge(1))
    validate_every: int = field(default=200, validator=ge(1))
    checkpoint_seconds: float = 30.0
    #: Minutes of training after which every stage stops where it is; 0: no limit.
    minutes: float = field(default=0.0, validator=ge(0.0))
    #: A camera profile whose translator is where G begins, such as one of another strategy.
    start: Path | None = None


@frozen(kw_only=True)
class AdaptSettings:
    """Everything that decides a run; written beside its results as `config.toml`."""

    data: DataSettings
    domain: DomainSettings = DomainSettings()
    run: RunSettings = RunSettings()
    strategy: Choice = Choice()
    translator: Choice = Choice()
    discriminator: Choice = Choice()
    features: Choice = Choice()


def read_settings(mapping: Mapping[str, Any]) -> AdaptSettings:
    """Check plain data from a file and the command line; component options are left as they are.

    Raises:
        UsageError: for an unknown key (with the closest known one) or a value of a wrong type.
    """
    plain = {key: value for key, value in mapping.items() if key not in SECTIONS}
    choices = {key: _choice(key, mapping[key]) for key in SECTIONS if key in mapping}
    known = ["data", "domain", "run", *SECTIONS]
    for key in plain:
        if key not in known:
            raise UsageError(
                f"unknown setting '{key}'", where="configuration", mend=suggestion(key, known)
            )
    return AdaptSettings(
        data=structure(DataSettings, plain.get("data", {}), "[data]"),
        domain=structure(DomainSettings, plain.get("domain", {}), "[domain]"),
        run=structure(RunSettings, plain.get("run", {}), "[run]"),
        **choices,
    )


def write_settings(settings: AdaptSettings) -> dict[str, Any]:
    """Return plain data that `read_settings` turns back into the same settings."""
    plain = {key: unstructure(getattr(settings, key)) for key in ("data", "domain", "run")}
    for key in SECTIONS:
        choice: Choice = getattr(settings, key)
        if choice.name is not None or choice.options:
            name = {} if choice.name is None else {"name": choice.name}
            plain[key] = {**name, **choice.options}
    return plain


def _choice(section: str, value: object) -> Choice:
    if isinstance(value, str):
        return Choice(value)
    if not is_table(value):
        raise UsageError(
            f"'{section}' is {value!r}, not a name or a table", mend=f'write {section} = "NAME"'
        )
    options = dict(value)
    name = options.pop("name", None)
    if not isinstance(name, str | None):
        raise UsageError(f"'{section}.name' is {name!r}, not text")
    return Choice(name, options)
