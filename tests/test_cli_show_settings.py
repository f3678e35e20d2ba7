"""What `b2b show` tells of settings, whatever their types, and the example that it prints."""

from __future__ import annotations

import json
import tomllib

import pytest

from b2b_core.adaptation.settings import SECTIONS, read_settings
from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.config import structure, unstructure
from b2b_core.specs import HOOK_OF_KIND
from b2b_core.training.presets import with_preset

DATA = {"data": {"blurry": "B", "sharp": "S"}}
#: Kinds that a configuration chooses by a section.
CHOSEN = {"domain": "domain", **{kind: section for section, kind in SECTIONS.items()}}

ODD = """
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from attrs import field, frozen, validators
from b2b_core import hookimpl
from b2b_core.specs import {spec}

class Colour(Enum):
    RED = "red"

@frozen
class Inner:
    #: How deep.
    #: In two lines.
    depth: int = field(default=3, validator=validators.ge(1))

@frozen
class Base:
    size: int = 1  #: Said behind it.

@frozen(kw_only=True)
class Config(Base):
    colour: Colour = Colour.RED
    folder: Path = Path("some") / "where"
    inner: Inner = Inner(depth=5)
    later: Inner = field(factory=Inner)
    needed: float = field()
    table: Mapping[str, int] = field(factory=lambda: {{"a b": 1}})
    told: str = field(default="x", metadata={{"help": "From the\\n metadata."}})
    none: int | None = None
    computed: int = field(init=False, default=9)
    short: str = field(default="ab", validator=[validators.min_len(1), validators.max_len(4)])

@hookimpl
def {hook}():
    return [{spec}(name="{name}", config=Config, factory=object, summary="a {name}")]
"""


def printed(capsys, *arguments):
    """Run a command that has to succeed and return what it prints."""
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    """Run a command that has to be refused and return its line."""
    assert run(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def odd(install, name="acme-odd", component="odd", spec="TranslatorSpec", hook="b2b_translators"):
    """Install a plugin whose settings have all sorts of types."""
    install(name, ODD.format(spec=spec, hook=hook, name=component))


def test_settings_of_all_sorts_are_told(install, capsys):
    """Nested, inherited, required, optional, of odd types; comments above, behind, as metadata."""
    odd(install)
    (one,) = json.loads(printed(capsys, "show", "odd", "--json"))["components"]
    assert one["faults"] == []
    rows = {row["name"]: row for row in one["settings"]}
    assert list(rows) == [
        "size", "colour", "folder", "inner.depth", "later.depth", "needed", "table", "told",
        "none", "short",
    ]  # fmt: skip
    assert rows["size"]["comment"] == "Said behind it."
    assert rows["inner.depth"] == {
        "name": "inner.depth",
        "type": "a whole number",
        "default": 5,
        "required": False,
        "range": ">= 1",
        "comment": "How deep. In two lines.",
    }
    assert rows["later.depth"]["default"] == 3
    assert (rows["needed"]["required"], rows["needed"]["type"]) == (True, "a number")
    assert (rows["none"]["required"], rows["none"]["default"]) == (False, None)
    assert rows["folder"]["default"] == "some/where"
    assert rows["colour"]["default"] == "red"
    assert rows["table"]["default"] == {"a b": 1}
    assert rows["told"]["comment"] == "From the metadata."
    assert rows["short"]["range"] == "at least 1 long, at most 4 long"
    assert "has to be set" in printed(capsys, "show", "odd")


def test_a_spec_that_cannot_be_told_hides_no_other(install, capsys):
    """What stands in the way is said; the other components are shown."""
    source = ODD.format(spec="TranslatorSpec", hook="b2b_translators", name="odd")
    install("acme-odd", source.replace("config=Config", "config=Config, layouts=7"))
    install("acme-losses", offers="odd")
    loss, translator = sorted(
        json.loads(printed(capsys, "show", "odd", "--json"))["components"],
        key=lambda one: one["kind"],
    )
    assert loss["faults"] == []
    assert translator["faults"][0].startswith("its layouts cannot be told: TypeError")
    assert "its layouts cannot be told" in printed(capsys, "show", "odd")


@pytest.mark.parametrize("kind", HOOK_OF_KIND)
def test_the_example_says_all_defaults_and_is_accepted(kind, capsys):
    """The printed section is a configuration of `b2b adapt` that changes nothing."""
    for spec in discover().specs(kind):
        (one,) = json.loads(printed(capsys, "show", spec.name, "--kind", kind, "--json"))[
            "components"
        ]
        assert bool(one["example"]) == (kind in CHOSEN)
        if not one["example"]:
            continue
        settings = read_settings({**DATA, **tomllib.loads(one["example"])})
        chosen = getattr(settings, CHOSEN[kind])
        assert chosen.name == spec.name
        options = chosen.options
        if kind == "strategy":
            options = with_preset(spec, options)
        said = structure(spec.config, options)
        assert unstructure(said) == unstructure(spec.config())
        told = {row["name"].partition(".")[0] for row in one["settings"]
                if row["default"] is not None}  # fmt: skip
        assert set(options) == told


def test_the_example_of_a_domain_has_its_options(install, capsys):
    """They stand in a table of their own, inner tables below it; a domain without has none."""
    source = ODD.format(spec="DomainSpec", hook="b2b_domains", name="odd")
    source = source.replace('name="odd",', 'name="odd", layout="ROOT/",')
    install("acme-odd", source)
    text = printed(capsys, "show", "odd", "--example")
    domain = tomllib.loads(text)["domain"]
    assert set(domain) == {"name", "options"}
    assert domain["options"]["inner"] == {"depth": 5}
    assert domain["options"]["told"] == "x"
    assert text.count("[domain.options]") == 1
    assert "# needed is not set: a number" in text
    head, tail = source.replace('"odd"', '"bare"').split("@frozen(kw_only=True)")
    bare = f"{head}@frozen\nclass Config:\n    pass\n\n@hookimpl{tail.split('@hookimpl')[1]}"
    install("acme-bare", bare)
    assert "options" not in printed(capsys, "show", "bare", "--example")


def test_the_example_alone_is_a_file(capsys):
    """`--example` prints TOML and nothing else, also for several kinds of one name."""
    assert tomllib.loads(printed(capsys, "show", "unet", "--example"))["translator"]["name"] == (
        "unet"
    )
    said = refused(capsys, "show", "hinge-gan", "--example")
    assert "a configuration has no section for 'hinge-gan'" in said


def test_the_example_of_a_contested_name_is_qualified(install, capsys):
    """It means the component that it was printed for; several at once are no file."""
    odd(install, "acme-one", "twin")
    odd(install, "acme-two", "twin")
    assert "'acme-one:twin' or 'acme-two:twin'" in refused(capsys, "show", "twin", "--example")
    example = tomllib.loads(printed(capsys, "show", "acme-two:twin", "--example"))
    assert example["translator"]["name"] == "acme-two:twin"
    catalogue = discover()
    assert catalogue.owner("translator", "acme-two:twin").distribution == "acme-two"


def test_the_example_of_odd_settings_is_toml(install, capsys):
    """Inner tables have one head each; what has no default, or none but nothing, is a comment."""
    odd(install)
    text = printed(capsys, "show", "odd", "--example")
    section = tomllib.loads(text)["translator"]
    assert section == {
        "name": "odd",
        "size": 1,
        "colour": "red",
        "folder": "some/where",
        "table": {"a b": 1},
        "told": "x",
        "short": "ab",
        "inner": {"depth": 5},
        "later": {"depth": 3},
    }
    assert "# needed is not set: a number" in text
    assert "# none is not set: a whole number or nothing" in text
