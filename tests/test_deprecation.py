"""Parts of the plugin interface that are given up: seen by everybody, mended in time, then refused.

No hook is deprecated now. The tests add two to `b2b_core.hookspecs`, as a later version would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import b2b_core
from b2b_core import hookspecs
from b2b_core.catalogue import discover
from b2b_core.deprecation import B2bRemovedIn1Warning, deprecated_arguments, deprecated_hook, naming
from b2b_core.hookspecs import hookspec

B2B = Path(sys.executable).with_name("b2b")
#: Imported by every Python process that finds it, before the command line.
LATER_VERSION = """
from b2b_core import hookspecs
from b2b_core.deprecation import deprecated_arguments, deprecated_hook

@hookspecs.hookspec(warn_on_impl={warning})
def b2b_old_hook(): pass

arguments = deprecated_arguments("b2b_some", since="0.3", old="read 'new'")

@hookspecs.hookspec(warn_on_impl_args=arguments)
def b2b_some(old, new): pass

hookspecs.b2b_old_hook, hookspecs.b2b_some = b2b_old_hook, b2b_some
"""
ANNOUNCED = 'deprecated_hook("b2b_old_hook", since="0.2", mend="implement \'b2b_new_hook\'")'
HOOK = "from b2b_core import hookimpl\n@hookimpl\ndef b2b_old_hook(): return 'still called'\n"
ARGUMENT = "from b2b_core import hookimpl\n@hookimpl\ndef b2b_some(old): return old\n"
OF_HOOK = "the hook 'b2b_old_hook' is deprecated since b2b 0.2 and refused by b2b 1.0; "
OF_ARGUMENT = (
    "the argument 'old' of the hook 'b2b_some' is deprecated since b2b 0.3 and refused by b2b 1.0; "
)


@pytest.fixture
def later(monkeypatch):
    """Add the deprecated hook and the deprecated argument to this process."""

    @hookspec(
        warn_on_impl=deprecated_hook("b2b_old_hook", since="0.2", mend="implement 'b2b_new_hook'")
    )
    def b2b_old_hook():
        """Go."""

    @hookspec(warn_on_impl_args=deprecated_arguments("b2b_some", since="0.3", old="read 'new'"))
    def b2b_some(old, new):
        """Lose an argument."""

    monkeypatch.setattr(hookspecs, "b2b_old_hook", b2b_old_hook, raising=False)
    monkeypatch.setattr(hookspecs, "b2b_some", b2b_some, raising=False)


def listing(install, warning=ANNOUNCED, **environment):
    """Run `b2b list-plugins --json` of a later version; return name -> row, and stderr."""
    (install.folder / "sitecustomize.py").write_text(LATER_VERSION.format(warning=warning))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("B2B_", "PYTHON"))}
    done = subprocess.run(
        [B2B, "list-plugins", "--json"],
        env=kept | {"PYTHONPATH": str(install.folder)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)["plugins"]
    return {row["name"]: row for row in rows}, done.stderr


def plugin(name):
    """Return the row of one distribution."""
    return next(p for p in discover().plugins if p.distribution == name)


def test_a_deprecated_hook_is_announced_to_every_user(install):
    """One warning at Python's default filters, with plugin, hook, mend and line; all works."""
    install("acme-old", HOOK)
    install("acme-good", offers="good")
    rows, shown = listing(install)
    assert shown.count("Warning") == 1
    assert f"B2bRemovedIn1Warning: acme-old: {OF_HOOK}implement 'b2b_new_hook'\n" in shown
    assert "acme_old.py:2: " in shown
    assert {rows["acme-old"]["state"], rows["acme-good"]["state"]} == {"unlisted"}


def test_a_deprecated_argument_is_announced_to_every_user(install):
    """The same for an argument, and only of the plugin that takes it."""
    install("acme-old", ARGUMENT)
    install("acme-new", ARGUMENT.replace("old", "new"))
    rows, shown = listing(install)
    assert shown.count("Warning") == 1
    assert f"B2bRemovedIn1Warning: acme-old: {OF_ARGUMENT}read 'new'\n" in shown
    assert {rows["acme-old"]["state"], rows["acme-new"]["state"]} == {"unlisted"}


def test_an_ordinary_deprecation_warning_would_not_be_seen(install):
    """Why the category is what it is; and the tests above do look at default filters."""
    install("acme-old", HOOK)
    _, shown = listing(install, warning="DeprecationWarning('nobody reads this')")
    assert shown == ""


def test_nothing_is_announced_to_a_plugin_that_uses_nothing_of_it(install):
    """A plugin without the hook and the argument loads in silence."""
    install("acme-good", offers="good")
    assert listing(install)[1] == ""


@pytest.mark.parametrize(
    ("source", "said"), [(HOOK, OF_HOOK), (ARGUMENT, OF_ARGUMENT)], ids=["hook", "argument"]
)
def test_announcements_can_be_made_errors(install, source, said):
    """With an error filter the plugin is broken, with the announcement as cause; others work."""
    install("acme-old", source)
    install("acme-good", offers="good")
    rows, shown = listing(install, PYTHONWARNINGS="error::FutureWarning")
    assert rows["acme-old"]["state"] == "broken"
    assert f"B2bRemovedIn1Warning: {said}" in rows["acme-old"]["cause"]
    assert rows["acme-old"]["components"] == {}
    assert rows["acme-good"]["components"] == {"loss": ["good"]}
    assert shown == ""


@pytest.mark.usefixtures("later")
def test_a_deprecated_hook_is_still_called(install):
    """Until it is gone, what it returns counts."""
    install("acme-old", HOOK)
    install("acme-some", ARGUMENT)
    with pytest.warns(B2bRemovedIn1Warning) as shown:
        catalogue = discover()
    assert catalogue.notify("b2b_old_hook") == ["still called"]
    assert catalogue.notify("b2b_some", old="value", new="other") == ["value"]
    assert [str(one.message).partition(":")[0] for one in shown] == ["acme-old", "acme-some"]
    assert [Path(one.filename).name for one in shown] == ["acme_old.py", "acme_some.py"]


@pytest.mark.usefixtures("later")
def test_the_class_can_be_used_as_a_filter(install):
    """As in pytest's `filterwarnings = error::b2b_core.deprecation.B2bRemovedIn1Warning`."""
    install("acme-old", HOOK)
    with warnings.catch_warnings():
        warnings.simplefilter("error", B2bRemovedIn1Warning)
        assert plugin("acme-old").state == "broken"
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("ignore", B2bRemovedIn1Warning)
        assert plugin("acme-old").works
    assert shown == []


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("version", ["1.0.0", "1.0rc1", "1.3.2", "2.0"])
def test_the_next_major_version_refuses_what_was_announced(install, monkeypatch, version):
    """An error by default from x.0; who asks to be warned only gets one more minor version."""
    install("acme-old", HOOK)
    monkeypatch.setattr(b2b_core, "__version__", version)
    assert plugin("acme-old").state == "broken"
    assert OF_HOOK in plugin("acme-old").cause
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default", FutureWarning)
        assert plugin("acme-old").works
    assert [one.category for one in shown] == [B2bRemovedIn1Warning]


@pytest.mark.usefixtures("later")
def test_filters_are_as_before_when_plugins_are_loaded(install, monkeypatch):
    """Refusing announcements changes no filter of the program."""
    install("acme-good")
    monkeypatch.setattr(b2b_core, "__version__", "1.0.0")
    before = list(warnings.filters)
    discover()
    assert list(warnings.filters) == before


def test_warnings_of_other_kinds_keep_their_text():
    """Only announcements get the plugin's name; category, file and line stay."""
    with pytest.warns(UserWarning, match=r"^something else$") as shown, naming("acme"):
        warnings.warn_explicit("something else", UserWarning, "a.py", 7)
    assert [(one.filename, one.lineno) for one in shown] == [("a.py", 7)]


def test_a_hook_can_gain_an_argument(install, monkeypatch):
    """A plugin that does not know a new argument keeps working, without a warning."""

    @hookspec
    def b2b_run_finished(run_dir, outcome, seconds):
        """Gain an argument."""

    monkeypatch.setattr(hookspecs, "b2b_run_finished", b2b_run_finished)
    head = "from b2b_core import hookimpl\n@hookimpl\n"
    install("acme-old", head + "def b2b_run_finished(run_dir, outcome): return outcome")
    install("acme-new", head + "def b2b_run_finished(seconds): return seconds")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        catalogue = discover()
    assert catalogue.notify("b2b_run_finished", run_dir="r", outcome="done", seconds=3) == [
        3,
        "done",
    ]


def test_an_argument_of_a_later_version_makes_a_plugin_broken(install):
    """It is named; the range of the core that the plugin states should have begun later."""
    head = "from b2b_core import hookimpl\n@hookimpl\n"
    install("acme-new", head + "def b2b_run_finished(seconds): return seconds")
    found = plugin("acme-new")
    assert found.state == "broken"
    assert "'seconds'" in found.cause
