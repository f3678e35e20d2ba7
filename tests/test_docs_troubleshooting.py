"""The page of states: each has its section, with the cause and the mend that a listing shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from b2b_core.catalogue import Switches, discover
from b2b_core.catalogue.plugin import WORKING, State

PAGE = (Path(__file__).parents[1] / "docs" / "plugins" / "troubleshooting.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
ACME = "b2b-plugin-acme"
TRANSLATOR = """
from b2b_core import hookimpl
from b2b_core.specs import TranslatorSpec
@hookimpl
def b2b_translators():
    return [TranslatorSpec(name="unet", config=object, factory=object, summary="s")]
"""


def shown(section, what):
    """Return the causes or mends that a section shows."""
    return re.findall(rf"^- {what}: `(.+)`$", SECTIONS[section], re.MULTILINE)


def make(state, install):
    """Put a plugin into a state, in each way that the page tells; return their rows."""
    if state == "local":
        path = install.folder / "acme.py"
        path.write_text(TRANSLATOR.replace("unet", "net-of-acme"))
        return [row(Switches(files=(path,)), "local-acme")]
    if state == "ok":
        return [row(Switches(), "b2b-plugin-unet")]
    if state == "incompatible":
        install(ACME, requires=("b2b-core>=7",))
    elif state == "broken":
        install(ACME, "import einops_of_acme")
    elif state == "name-mismatch":
        install(ACME, TRANSLATOR)
    else:
        install(ACME, offers="sharpness")
    if state == "conflict":
        install("b2b-plugin-other", offers="sharpness")
    if state == "disabled":
        off = Switches(disabled={"acme": "-p no:acme"})
        return [row(off, ACME), row(Switches(only=("unet",)), ACME)]
    return [row(Switches(), ACME)]


def row(switches, name):
    """Return what the listing says of one plugin."""
    return next(p for p in discover(switches).plugins if p.distribution == name)


def test_every_state_is_in_the_table():
    """With whether it is usable; and every state has a section."""
    rows = re.findall(r"^\| \[([\w-]+)\]\(#([\w-]+)\) \| (yes|no) \|", PAGE, re.MULTILINE)
    assert {state: usable == "yes" for state, _, usable in rows} == {
        state: state in WORKING for state in get_args(State)
    }
    assert all(link == state and state in SECTIONS for state, link, _ in rows)


@pytest.mark.parametrize("state", get_args(State))
def test_a_section_shows_what_the_listing_shows(install, state):
    """A plugin in that state has a cause and a mend that begin as on the page."""
    plugins = make(state, install)
    assert {plugin.state for plugin in plugins} == {state}
    causes, mends = shown(state, "cause"), shown(state, "mend")
    assert len(causes) == len([plugin for plugin in plugins if plugin.cause])
    for plugin, cause in zip(plugins, causes, strict=False):
        assert plugin.cause.startswith(cause)
    for plugin in plugins:
        assert [plugin.mend] == mends or not (plugin.mend or mends)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import einops_of_acme", "ModuleNotFoundError: "),
        (
            "from b2b_core import hookimpl\n@hookimpl\ndef b2b_loss(): pass",
            "there is no hook 'b2b_",
        ),
        ("def b2b_losses(): return []", "is not marked with @b2b_core.hookimpl"),
        (
            "from b2b_core import hookimpl\n@hookimpl\ndef b2b_losses(): pass",
            "b2b_losses returned ",
        ),
        ("raise SystemExit(3)", "it exits "),
        ("import os\nos._exit(3)", "it tries to end the process "),
    ],
)
def test_the_table_of_broken_plugins_quotes_real_causes(install, source, cause):
    """Whoever searches the page for what the list says finds it."""
    install(ACME, source)
    assert cause in row(Switches(), ACME).cause
    quoted = cause.replace("b2b_losses returned", "b2b_… returned")
    assert quoted.rstrip() in SECTIONS["broken"]
