"""The command line: exit codes, one line per error, and nothing imported that is not needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from b2b_core import __version__
from b2b_core.cli import COMMANDS, run
from b2b_core.errors import B2bError, UsageError

FIRST = "list-plugins"


@pytest.fixture
def command_body(monkeypatch):
    """Give a function that replaces the catalogue of `list-plugins` by a body of its own."""

    def use(body):
        monkeypatch.setattr("b2b_core.cli.list_plugins.catalogue_from", lambda _: body())

    return use


def raising(error):
    """Return a body that raises `error`."""

    def body():
        raise error

    return body


def fresh(*arguments, code=None, **environment):
    """Run the command line in a fresh process."""
    code = code or "from b2b_core.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_imports_no_click():
    """`--version` answers before anything else is imported."""
    code = (
        "import sys; from b2b_core.cli import main; main()\n"
        "assert not {'click', 'importlib.metadata', 'attr', 'torch'} & set(sys.modules)"
    )
    done = fresh("--version", code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"b2b {__version__}\n", "")


def test_help_imports_no_command():
    """The help lines come from a table; no command's module is loaded."""
    code = (
        "import sys; from b2b_core.cli import run; run(['--help'])\n"
        "loaded = [m for m in sys.modules if m.startswith('b2b_core.')]\n"
        "assert not {'b2b_core.catalogue', 'b2b_core.cli.adapt', 'torch'} & set(loaded), loaded"
    )
    done = fresh(code=code)
    assert done.returncode == 0, done.stderr
    for name, (_, line) in COMMANDS.items():
        assert name in done.stdout
        assert line in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_has_help(name, capsys):
    """Each entry of the table leads to a click command."""
    assert run([name, "--help"]) == 0
    assert "Usage: b2b" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_no_torch(name):
    """Reading the help is quick for every command."""
    code = (
        f"import sys; from b2b_core.cli import run; run(['{name}', '--help'])\n"
        "sys.exit(bool({'torch', 'kornia', 'numpy', 'rich', 'structlog'} & set(sys.modules)))"
    )
    assert fresh(code=code).returncode == 0


def test_no_command_shows_the_help(capsys):
    """`b2b` and a group alone explain themselves."""
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out
    assert run(["train"]) == 0
    assert "deblurrer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lst-plugins"], "there is no command 'lst-plugins'; did you mean 'list-plugins'?"),
        (["qqqqq"], "there is no command 'qqqqq'; see b2b --help"),
        ([FIRST, "--jsn"], "--jsn"),
        ([FIRST, "--kind", "unknown"], "--kind"),
        (["--nonsense"], "--nonsense"),
        (["-p", "gopro", FIRST], "'gopro' is not like no:NAME"),
        (["-p", "no:", FIRST], "'no:' is not like no:NAME"),
        (["-p", "no:unett", FIRST], "no plugin 'unett'; did you mean 'unet'?"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments, said, capsys):
    """Click's own errors and ours look alike."""
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("b2b: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("bad folder", where="x", mend="make it"), 2, "b2b: bad folder (x); make it"),
        (B2bError("it failed\nbadly"), 1, "b2b: it failed badly"),
        (KeyboardInterrupt(), 130, "b2b: interrupted"),
        (FileNotFoundError(2, "No such file", "y"), 1, "b2b: No such file (y)"),
        (ValueError("oh\nno"), 1, "b2b: this is a bug, ValueError: oh no; run with B2B_DEBUG=1"),
    ],
)
def test_every_failure_is_one_line(command_body, error, code, said, capsys):
    """Whatever a command raises, the user sees one line and the right exit code."""
    command_body(raising(error))
    assert run([FIRST]) == code
    assert capsys.readouterr().err == f"{said}\n"


def test_debugging_shows_the_traceback(command_body, monkeypatch, capsys):
    """`B2B_DEBUG=1` is for developers."""
    monkeypatch.setenv("B2B_DEBUG", "1")
    command_body(raising(ValueError("oh")))
    assert run([FIRST]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_stops_is_no_error():
    """`b2b ... | head -1` ends silently."""
    code = "import sys; from b2b_core.cli import main\nfor _ in range(1): main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, FIRST, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_json_listing_has_a_schema(install, capsys):
    """Programs get versions, states and components with stable keys."""
    install("acme-losses", offers="sharpness")
    assert run([FIRST, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["core"], document["api"]) == (1, __version__, 1)
    rows = {row["name"]: row for row in document["plugins"]}
    assert rows["acme-losses"] == {
        "name": "acme-losses",
        "version": "1.0",
        "state": "unlisted",
        "cause": "the index of this release does not list it",
        "mend": "",
        "summary": "",
        "licence": "MIT",
        "origin": "index",
        "url": "",
        "requirement": "acme-losses==1.0",
        "core_range": "<0.2,>=0.1",
        "sha256": "",
        "components": {"loss": ["sharpness"]},
    }


def test_a_kind_restricts_the_listing(install, capsys):
    """`--kind` keeps the plugins that offer it, and of them that kind's components."""
    install("acme-losses", offers="sharpness")
    assert run([FIRST, "--json", "--kind", "loss"]) == 0
    rows = json.loads(capsys.readouterr().out)["plugins"]
    assert "acme-losses" in {row["name"] for row in rows}
    assert {kind for row in rows for kind in row["components"]} == {"loss"}


def test_the_plain_listing_is_aligned(install, capsys):
    """On a pipe: a header, one line per plugin, columns below each other, cause and remedy."""
    install("acme-bad", "import absent_module")
    install("acme-losses", offers="sharpness", version="10.20.30")
    assert run([FIRST]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    column = header.index("state")
    states = {row.split()[0]: row[column:].split()[0] for row in rows}
    assert states["acme-bad"] == "broken"
    assert states["acme-losses"] == "unlisted"
    bad = next(row for row in rows if row.startswith("acme-bad"))
    assert "absent_module" in bad
    assert "b2b plugins disable acme-bad" in bad


def test_the_terminal_listing_is_a_table(install, capsys, monkeypatch):
    """On a terminal rich lays the same cells out."""
    install("acme-losses", offers="sharpness")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run([FIRST]) == 0
    out = capsys.readouterr().out
    assert "acme-losses" in out
    assert "unlisted" in out


def test_nothing_installed_is_said(command_body, capsys, monkeypatch):
    """An empty listing is a sentence."""
    from b2b_core.catalogue import Catalogue, discover

    monkeypatch.setenv("B2B_PLUGINS", "none")
    hooks = discover().hooks
    command_body(lambda: Catalogue(plugins=(), offers=(), hooks=hooks))
    assert run([FIRST]) == 0
    assert capsys.readouterr().out == "no plugin is installed\n"


def test_the_script_is_installed():
    """`b2b` on the path is this command line."""
    script = Path(sys.executable).with_name("b2b")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"b2b {__version__}\n"


def test_the_offline_option_holds_for_the_command_and_no_longer(monkeypatch, capsys, tmp_path):
    """Nothing is fetched, one line says so, and the environment is as it was."""
    monkeypatch.delenv("B2B_OFFLINE", raising=False)
    monkeypatch.setenv("B2B_CACHE", str(tmp_path))
    assert run(["--offline", "weights", "fetch", "vgg19.imagenet"]) == 2
    assert "offline" in capsys.readouterr().err
    assert "B2B_OFFLINE" not in os.environ
