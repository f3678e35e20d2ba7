"""What `b2b show` and `b2b list-plugins --details` print, from the same data as their JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from b2b_core.cli.tables import printable, show_table
from b2b_core.cli.weights_list import readable_size
from b2b_core.describe.example import toml_value
from b2b_core.describe.facts import facts_in_words
from b2b_core.narrowing import is_array, is_table

#: As `component_document`, `weights_document` and `plugin_document` make it.
Document = Mapping[str, Any]
_OF_PLUGIN = ("cause", "mend", "licence", "origin", "requirement", "core_range", "sha256")


def show_component(document: Document, *, example: bool = True) -> None:
    """Print all that is known of one component; `example`: with its section of a config file."""
    kind, name, distribution = (document[key] for key in ("kind", "name", "distribution"))
    default = f", the default of {document['default_of']}" if document["default"] else ""
    _title(f"{kind} {name}", f"{distribution}, {document['state']}{default}")
    click.echo(printable(document["summary"]))
    facts = {"licence": document["licence"], "citation": document["citation"]}
    facts |= facts_in_words(document["facts"])
    facts |= {"takes files of": ", ".join(document["layouts"])}
    _facts({**facts, "mind": "; ".join(document["faults"])})
    if document["settings"]:
        _heading("settings")
        _settings(document["settings"])
    if document["weights"]:
        _heading("published weights")
        _weights(document["weights"])
    if example and document["example"]:
        _heading("example, for b2b adapt --config FILE")
        click.echo(document["example"], nl=False)
    click.echo()


def show_plugin(document: Document) -> None:
    """Print what is known of a distribution, then of each of its components."""
    _title(f"{document['name']} {document['version']}", document["state"])
    click.echo(printable(document["summary"]))
    facts = {key: document[key] for key in _OF_PLUGIN}
    _facts({**facts, "origin": f"{document['origin']} {document['url']}"})
    click.echo()
    for component in document["details"]:
        show_component(component, example=False)


def show_weights(document: Document) -> None:
    """Print all that the index says of published weights."""
    _title(f"weights {document['name']}", document["state"])
    left_out = ("name", "state", "summary")
    click.echo(printable(document["summary"]))
    _facts({key: _plain(value) for key, value in document.items() if key not in left_out})
    click.echo()


def show_missing(document: Document) -> None:
    """Print what the index says of a component that no plugin here offers."""
    _title(f"{document['kind']} {document['name']}", document["state"])
    click.echo(printable(document["summary"]))
    left_out = ("kind", "name", "state", "summary")
    _facts({key: _plain(value) for key, value in document.items() if key not in left_out})
    click.echo()


def _title(name: str, remark: str) -> None:
    click.echo(f"{click.style(printable(name), bold=True)} ({printable(remark)})")


def _heading(text: str) -> None:
    click.echo()
    click.echo(click.style(f"{text}:", bold=True))


def _facts(facts: Mapping[str, str]) -> None:
    said = {
        label.replace("_", " "): printable(text) for label, text in facts.items() if text.strip()
    }
    width = max(map(len, said), default=0)
    for label, text in said.items():
        click.echo(f"  {label:{width}}  {text}")


def _settings(settings: Iterable[Document]) -> None:
    rows = [[s["name"], _default(s), s["type"], s["range"], s["comment"]] for s in settings]
    columns = ("name", "default", "type", "range", "meaning")
    show_table(columns, rows, fixed=("name",), optional=("range", "meaning"))


def _default(setting: Document) -> str:
    if setting["required"]:
        return "has to be set"
    return "-" if setting["default"] is None else toml_value(setting["default"])


def _weights(weights: Iterable[Document]) -> None:
    rows = [
        [
            w["name"],
            w["trained_on"],
            readable_size(w.get("bytes")),
            w["licence"],
            [_plain(measured["figures"]) for measured in w.get("metrics", ())],
            w["state"],
            w["mend"],
        ]
        for w in weights
    ]
    columns = ("name", "trained on", "size", "licence", "figures", "state", "to get them")
    show_table(columns, rows, fixed=("name",), optional=("figures", "to get them"))


def _plain(value: object) -> str:
    if is_table(value):
        if "figures" in value:
            return f"{_plain(value['figures'])} ({value.get('protocol')})"
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if is_array(value):
        return "; ".join(map(_plain, value))
    return str(value)
