"""Plugins that misbehave: each is one plugin's state, never the end of the program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from packaging.specifiers import SpecifierSet

from b2b_core.catalogue import discover, guard
from b2b_core.catalogue.compatibility import admits
from b2b_core.errors import UsageError

HOOK = "from b2b_core import hookimpl\nfrom b2b_core.specs import LossSpec, TranslatorSpec\n"
SPEC = "LossSpec(name='{}', config=object, factory=object, summary='s')"

BROKEN = {
    "import": ("import a_module_that_is_not_there", "ModuleNotFoundError"),
    "exit": ("import sys; sys.exit(0)", "SystemExit"),
    "syntax": ("def broken(:", "SyntaxError"),
    "raises": ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "misspelt": (HOOK + "@hookimpl\ndef b2b_translaters(): return []", "'b2b_translaters'"),
    "unmarked": (HOOK + "def b2b_losses(): return []", "not marked"),
    "arguments": (HOOK + "@hookimpl\ndef b2b_losses(config): return []", "config"),
    "wrapper": (HOOK + "@hookimpl(wrapper=True)\ndef b2b_losses(): return (yield)", "wrapper"),
    "hook-raises": (HOOK + "@hookimpl\ndef b2b_losses(): raise KeyError('k')", "KeyError"),
    "hook-exits": (HOOK + "@hookimpl\ndef b2b_losses(): raise SystemExit('bye')", "bye"),
    "no-list": (HOOK + "@hookimpl\ndef b2b_losses(): return 3", "returned int, not specs"),
    "none": (HOOK + "@hookimpl\ndef b2b_losses(): return None", "returned NoneType"),
    "text": (HOOK + "@hookimpl\ndef b2b_losses(): return 'unet'", "returned str"),
    "no-spec": (HOOK + "@hookimpl\ndef b2b_losses(): return [3]", "returned int, not a spec"),
    "other-kind": (
        HOOK + f"@hookimpl\ndef b2b_translators(): return [{SPEC.format('x')}]",
        "returned LossSpec, not a spec of a translator",
    ),
    "bad-name": (
        HOOK + f"@hookimpl\ndef b2b_losses(): return [{SPEC.format('a:b')}]",
        "'a:b' is no name",
    ),
    "twice": (
        HOOK + f"@hookimpl\ndef b2b_losses(): return [{SPEC.format('x')}, {SPEC.format('x')}]",
        "'x' twice",
    ),
    "hard-exit": ("import os; os._exit(3)", "tries to end the process"),
    "posix-exit": ("import posix; posix._exit(3)", "tries to end the process"),
    "abort": (HOOK + "import os\n@hookimpl\ndef b2b_losses(): os.abort()", "tries to end"),
    "late": (
        HOOK
        + "@hookimpl\ndef b2b_losses():\n    yield "
        + SPEC.format("x")
        + "\n    raise OSError",
        "OSError",
    ),
}


def state_of(name):
    """Return the row of one distribution."""
    return next(p for p in discover().plugins if p.distribution == name)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_listed_with_its_cause(install, case):
    """It offers nothing, the cause is one line, a remedy is there, and a good plugin works."""
    source, cause = BROKEN[case]
    install("acme-bad", source)
    install("acme-good", offers="good")
    found = state_of("acme-bad")
    assert (found.state, found.works, found.components) == ("broken", False, {})
    assert cause in found.cause
    assert "\n" not in found.cause
    assert found.mend
    catalogue = discover()
    assert [s.name for s in catalogue.specs("loss") if s.name in ("good", "x", "a:b")] == ["good"]


def test_hooks_of_a_broken_plugin_are_not_called(install):
    """A plugin that fails in one hook takes no part in the others."""
    install(
        "acme-bad",
        HOOK + "@hookimpl\ndef b2b_losses(): return 3\n"
        "@hookimpl\ndef b2b_run_finished(): return 'called'\n",
    )
    assert discover().notify("b2b_run_finished", run_dir="r", outcome="done") == []


def test_a_misspelt_hook_is_answered_with_the_closest(install):
    """The remedy is the name that was probably meant."""
    install("acme-bad", BROKEN["misspelt"][0])
    assert "did you mean 'b2b_translators'" in state_of("acme-bad").mend


def test_two_distributions_cannot_name_one_module(install):
    """The second is broken, the first stays registered."""
    install("acme-one", offers="one")
    install("acme-two", "from acme_one import *\n")
    points = next(install.folder.glob("acme_two-*")) / "entry_points.txt"
    points.write_text("[b2b]\nhooks = acme_one\n")
    assert state_of("acme-two").state == "broken"
    assert "acme-one" in state_of("acme-two").cause
    assert discover().spec("loss", "one").name == "one"


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(60)",
        "while True:\n    try:\n        while True: pass\n    except Exception: pass",
        HOOK + "import threading\n@hookimpl\ndef b2b_losses(): threading.Event().wait()",
    ],
)
def test_a_plugin_that_hangs_is_given_up(install, monkeypatch, source):
    """Sleep, busy loop and lock end after the limit, and only this plugin is broken."""
    monkeypatch.setenv("B2B_PLUGIN_SECONDS", "0.2")
    install("acme-bad", source)
    install("acme-good", offers="good")
    found = state_of("acme-bad")
    assert (found.state, found.works) == ("broken", False)
    assert found.cause == "it was not imported after 0.2 seconds and was given up"
    assert found.mend.endswith("b2b plugins disable acme-bad")
    assert discover().spec("loss", "good").name == "good"


def test_the_process_can_end_itself_again_after_discovery(install):
    """What keeps a plugin from ending the process is gone when the plugin is loaded."""
    install("acme-bad", BROKEN["hard-exit"][0])
    before = os._exit, os.abort, signal.getsignal(signal.SIGALRM)
    discover()
    assert (os._exit, os.abort, signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_flood_of_output_is_cut(install, monkeypatch):
    """A plugin that prints without end is given up, and little of its output is kept."""
    monkeypatch.setenv("B2B_PLUGIN_SECONDS", "0.2")
    install("acme-bad", "while True: print('x' * 100_000)")
    assert state_of("acme-bad").state == "broken"
    watched = guard.Watched()
    with watched.running(5):
        print("first", "x" * 10_000)  # noqa: T201 - what is tested
        print("last")  # noqa: T201
    assert watched.printed.startswith("first x")
    assert len(watched.printed) <= guard.KEPT
    assert "last" not in watched.printed


def test_heavy_imports_are_named(install):
    """A light module that imports torch works, and the listing says that it slows everything."""
    install("acme-heavy", "import torch\n" + HOOK)
    install("acme-good", offers="good")
    plugins = listing(install.folder, heavy_allowed=True)
    assert plugins["acme-heavy"]["state"] == "unlisted"
    assert plugins["acme-heavy"]["cause"].startswith("its light module imports numpy, torch")
    assert plugins["acme-heavy"]["mend"].endswith("b2b plugins disable acme-heavy")
    assert plugins["acme-good"]["components"] == {"loss": ["good"]}


def test_a_plugin_installed_twice_is_named(install):
    """The first on the path is used; the listing says what it hides and how to mend that."""
    install("acme-two", version="2.0", offers="two")
    older = install.folder.parent / "older"
    info = older / "acme_two-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Acme.Two\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[b2b]\nhooks = acme_two\n")
    sys.path.append(str(older))
    try:
        found = state_of("acme-two")
    finally:
        sys.path.remove(str(older))
    assert (found.version, found.components) == ("2.0", {"loss": ("two",)})
    assert found.cause == "2.0 hides 1.0, installed under the same name"
    assert found.mend.startswith("pip uninstall acme-two")


def test_a_name_of_the_index_cannot_be_taken(install):
    """Our own plugin stays what its name means; the other one has to be qualified."""
    install("acme-losses", offers="charbonnier")
    catalogue = discover()
    found = next(p for p in catalogue.plugins if p.distribution == "acme-losses")
    assert (found.state, found.works) == ("name-mismatch", True)
    assert "'charbonnier', which the index gives to b2b-plugin-losses" in found.cause
    assert "'acme-losses:charbonnier'" in found.mend
    assert state_of("b2b-plugin-losses").state == "ok"
    assert catalogue.owner("loss", "charbonnier").distribution == "b2b-plugin-losses"
    assert catalogue.owner("loss", "acme-losses:charbonnier").distribution == "acme-losses"


def test_a_name_of_the_index_is_refused_where_its_owner_is_absent(install, monkeypatch):
    """A look-alike does not take the place of a plugin that is not installed or switched off."""
    install("acme-losses", offers="charbonnier")
    monkeypatch.setenv("B2B_PLUGINS", "acme-losses")
    with pytest.raises(UsageError) as caught:
        discover().spec("loss", "charbonnier")
    assert "is that of b2b-plugin-losses, which is disabled" in str(caught.value)
    assert "say 'acme-losses:charbonnier'" in str(caught.value)


def test_in_strict_mode_the_error_itself_is_raised(install, monkeypatch):
    """An author sees the traceback instead of the state."""
    install("acme-bad", "raise ZeroDivisionError('here')")
    monkeypatch.setenv("B2B_STRICT_PLUGINS", "1")
    with pytest.raises(ZeroDivisionError, match="here"):
        discover()


def test_an_interrupt_is_never_swallowed(install):
    """Ctrl-C while a plugin is imported ends the program."""
    install("acme-bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover()


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("b2b-core>=7", "needs b2b-core>=7"),
        ("B2B.Core (<0.1)", "needs b2b-core<0.1"),
        ("b2b-core>=7; python_version > '3'", "needs b2b-core>=7"),
        ("b2b-core[test]==0.0.1", "needs b2b-core==0.0.1"),
        ("b2b-core>=x.y", "cannot be read"),
        ("b2b-core @@ what", "cannot be read"),
    ],
)
def test_an_incompatible_plugin_is_never_imported(install, line, cause):
    """The range of the core is read from the metadata, before any import."""
    install("acme-old", "raise RuntimeError('imported')", requires=("numpy", line))
    found = state_of("acme-old")
    assert found.state == "incompatible"
    assert cause in found.cause
    assert install.modules() == set()


@pytest.mark.parametrize(
    "requires",
    [
        (),
        ("b2b-core",),
        ("b2b-core<0.2,>=0.1",),
        ("b2b-core~=0.1.0",),
        ("b2b-core>=9; extra == 'later'",),
        ("b2b-core>=9; python_version < '3'",),
        ("b2b-core @ file:///somewhere",),
    ],
)
def test_a_compatible_range_is_accepted(install, requires):
    """No range, a fitting one, and one that does not apply here are all fine."""
    install("acme-fine", requires=requires)
    assert state_of("acme-fine").works


@pytest.mark.parametrize("version", ["0.1.0", "0.2", "1.0.0", "1.10", "0.2.0rc1", "0.2.dev1"])
@pytest.mark.parametrize(
    "wanted", ["", ">=0.1", ">=0.1,<0.2", "<0.2.0", ">=1, <1.10.0", "<0", "~=0.1"]
)
def test_the_quick_comparison_is_that_of_packaging(wanted, version):
    """Ranges and versions of numbers only are compared here, with the result of PEP 440."""
    assert admits(wanted, version) == SpecifierSet(wanted).contains(version, prereleases=True)


def test_what_a_plugin_prints_stays_out_of_the_output(install, capsys):
    """Output on import is kept away, so that `--json` stays JSON, and held against the plugin."""
    install("acme-loud", "print('hello')\nprint('you')")
    assert state_of("acme-loud").cause == "it prints when imported: hello you"
    assert capsys.readouterr().out == ""


def listing(folder, *arguments, heavy_allowed=False, **environment):
    """Run `b2b ... list-plugins --json` in a fresh process; return the plugins by name."""
    code = (
        "import sys, json\nfrom b2b_core.cli import run\ncode = run(sys.argv[1:])\n"
        "heavy = {'torch', 'kornia', 'numpy', 'rich', 'structlog', 'cattrs'}\n"
        "sys.stderr.write(json.dumps([code, sorted(heavy & set(sys.modules))]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "list-plugins", "--json"],
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    code, heavy = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert heavy_allowed or not heavy
    return {p["name"]: p for p in json.loads(done.stdout)["plugins"]}


def test_the_listing_survives_everything_and_imports_nothing_heavy(install):
    """With broken plugins of every sort installed the command exits 0 and loads no torch."""
    for case, (source, _) in BROKEN.items():
        install(f"acme-{case}", source)
    install("acme-good", offers="good")
    plugins = listing(install.folder)
    assert {plugins[f"acme-{case}"]["state"] for case in BROKEN} == {"broken"}
    assert plugins["acme-good"]["components"] == {"loss": ["good"]}
    assert all(
        plugins[f"acme-{case}"]["cause"] and plugins[f"acme-{case}"]["mend"] for case in BROKEN
    )


def test_the_listing_shows_what_is_switched_off(install):
    """`-p no:NAME` keeps a plugin from being imported; its row stays."""
    install("acme-exit", BROKEN["exit"][0])
    assert listing(install.folder, "-p", "no:acme-exit")["acme-exit"]["state"] == "disabled"
