"""`b2b new-plugin`: what it asks, what it refuses, what it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from b2b_core.cli import new_plugin, run
from b2b_core.errors import UsageError
from b2b_core.scaffold import write
from b2b_core.scaffold.answers import Answers
from b2b_core.scaffold.kinds import OF_KIND
from b2b_core.scaffold.render import WITH_TEXT, render
from b2b_core.scaffold.tree import new_folder
from b2b_core.specs import HOOK_OF_KIND

ROOT = Path(__file__).parents[1]
FLAGS = ["--kind", "loss", "--name", "mine", "--licence", "MIT", "--author", "Jane Doe"]


def new(*flags, out):
    """Run the command with `flags`, writing below `out`; return the exit code."""
    return run(["new-plugin", "--out", str(out), *flags])


def answers(**said):
    """Return answers that are valid but for what is said."""
    plain = {"kinds": ("loss",), "name": "mine", "licence": "MIT", "author": "Jane Doe"}
    return Answers(**plain | said)


def test_the_table_of_kinds_is_that_of_the_specs():
    """A kind that the core gains must get a sample component."""
    assert list(OF_KIND) == list(HOOK_OF_KIND)


def test_flags_alone_write_the_whole_distribution(tmp_path, capsys):
    """Nothing is asked; every file that a distribution needs is there; the next steps are said."""
    assert new(*FLAGS, out=tmp_path) == 0
    folder = tmp_path / "b2b-plugin-mine"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        ".github/workflows/ci.yml",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "b2b_plugin_mine/__init__.py",
        "b2b_plugin_mine/config.py",
        "b2b_plugin_mine/loss.py",
        "b2b_plugin_mine/py.typed",
        "pyproject.toml",
        "tests/test_conformance.py",
        "tests/test_loss.py",
    }
    said = capsys.readouterr().out
    assert f"cd {folder}\n" in said
    assert "pip install -e '.[dev]'\n" in said
    assert "b2b check-plugin b2b-plugin-mine\n" in said
    assert [path.name for path in tmp_path.iterdir()] == ["b2b-plugin-mine"]


@pytest.mark.parametrize("licence", WITH_TEXT)
def test_common_licences_come_with_their_text(licence):
    """The text is whole; that of Apache-2.0 is the project's own."""
    text = render(answers(licence=licence))["LICENSE"]
    if licence == "Apache-2.0":
        assert text == (ROOT / "LICENSE").read_text()
    else:
        assert "Jane Doe" in text
        assert " ".join(text.split()).endswith(("IN THE SOFTWARE.", "OF SUCH DAMAGE."))


def test_another_licence_has_to_be_pasted(tmp_path, capsys):
    """The file names the licence and what is to be done, and so does the command."""
    flags = [*FLAGS[:4], "--licence", "gpl-3.0-OR-later", "--author", "x"]
    assert new(*flags, out=tmp_path) == 0
    text = (tmp_path / "b2b-plugin-mine" / "LICENSE").read_text()
    assert text.startswith("SPDX-License-Identifier: GPL-3.0-or-later\n")
    assert "replace this file by the full text" in text
    assert "put the text of GPL-3.0-or-later into" in capsys.readouterr().out


def test_several_kinds_make_one_plugin(tmp_path):
    """Each kind brings its module, its options and its test; the order is that of listings."""
    flags = ["--kind", "metric", "--kind", "domain", "--kind", "metric", *FLAGS[2:]]
    assert new(*flags, out=tmp_path) == 0
    package = tmp_path / "b2b-plugin-mine" / "b2b_plugin_mine"
    assert {"domain.py", "metric.py"} <= {path.name for path in package.iterdir()}
    text = (package / "__init__.py").read_text()
    assert 0 < text.index("def b2b_domains()") < text.index("def b2b_metrics()")
    tests = {path.name for path in (package.parent / "tests").iterdir()}
    assert tests == {"test_conformance.py", "test_domain.py", "test_metric.py"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--kind, --name, --licence, --author missing"),
        (FLAGS[:4], "--licence, --author missing"),
        (["--yes"], "--kind, --name missing"),
        (["--yes", "--name", "x"], "--kind missing"),
    ],
)
def test_without_a_terminal_nothing_is_asked(flags, said, tmp_path, capsys):
    """A script gets the missing flags named instead of a question that nobody answers."""
    assert new(*flags, out=tmp_path) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_yes_takes_what_is_proposed(tmp_path):
    """Licence and author have proposals."""
    assert new("--yes", *FLAGS[:4], out=tmp_path) == 0
    project = tomllib.loads((tmp_path / "b2b-plugin-mine" / "pyproject.toml").read_text())[
        "project"
    ]
    assert project["license"] == "Apache-2.0"
    assert project["authors"] == [{"name": "The b2b-plugin-mine authors"}]


def test_a_terminal_is_asked_until_the_answer_is_right(tmp_path, monkeypatch):
    """What is wrong is said at once, and asked again; Enter takes what is proposed."""
    monkeypatch.setattr(new_plugin, "_on_terminal", lambda: True)
    typed = "\n".join(["looss", "loss, metric", "Bad Name", "mine", "nonsense", "MIT", ""]) + "\n"
    done = CliRunner().invoke(new_plugin.command, ["--out", str(tmp_path)], input=typed)
    assert done.exit_code == 0, done.output
    assert "there is no kind 'looss'; did you mean 'loss'?" in done.output
    assert "did you mean 'bad-name'?" in done.output
    assert "'nonsense' is no SPDX licence expression" in done.output
    text = (tmp_path / "b2b-plugin-mine" / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["authors"] == [{"name": "The b2b-plugin-mine authors"}]


def test_only_what_was_not_said_is_asked(tmp_path, monkeypatch):
    """On a terminal, flags answer their questions."""
    monkeypatch.setattr(new_plugin, "_on_terminal", lambda: True)
    arguments = ["--out", str(tmp_path), *FLAGS[:4], *FLAGS[6:]]
    done = CliRunner().invoke(new_plugin.command, arguments, input="MIT\n")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Licence (SPDX) [Apache-2.0]: MIT\nWrote ")


def test_an_existing_folder_is_left_alone(tmp_path, capsys):
    """Files and folders of that name are refused, whatever is in them."""
    target = tmp_path / "b2b-plugin-mine"
    target.mkdir()
    assert new(*FLAGS, out=tmp_path) == 2
    assert "this exists already" in capsys.readouterr().err
    target.rmdir()
    target.write_text("mine")
    assert new(*FLAGS, out=tmp_path) == 2
    assert target.read_text() == "mine"


def test_a_missing_output_folder_is_named(tmp_path, capsys):
    """A misspelt path is not made."""
    assert new(*FLAGS, out=tmp_path / "nowhere") == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    """Half a plugin is no plugin: if one file cannot be written, none is there."""

    def broken(_):
        return {"README.md": "first", "README.md/below": "cannot be"}

    monkeypatch.setattr(write, "render", broken)
    with pytest.raises(OSError, match=r"below|README"):
        write.write_plugin(answers(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_first_wins(tmp_path):
    """A folder that appears while the files are written is not overwritten."""
    target = tmp_path / "plugin"
    writing = new_folder(target)
    part = writing.__enter__()
    (part / "file").write_text("second")
    target.mkdir()
    with pytest.raises(UsageError, match="exists already"):
        writing.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "3d", "a" * 40])
def test_generated_code_is_clean_whatever_the_name(name, tmp_path):
    """`ruff check` and `ruff format --check`, by the tree's own settings, find nothing."""
    folder = write.write_plugin(answers(kinds=tuple(HOOK_OF_KIND), name=name), tmp_path)
    for arguments in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_of_the_core_brings_the_templates(tmp_path):
    """What pip installs, and not only a checkout, can write a plugin of every kind."""
    quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", tmp_path]
    subprocess.run([*pip, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("b2b_core-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import b2b_core, sys; from b2b_core.cli import main; "
        f"assert b2b_core.__file__.startswith({str(tmp_path)!r}); main()"
    )
    flags = [flag for kind in HOOK_OF_KIND for flag in ("--kind", kind)]
    subprocess.run(
        [sys.executable, "-c", code, "new-plugin", "--name", "mine", "--yes", *flags],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")}, check=True,
    )  # fmt: skip
    made = tmp_path / "b2b-plugin-mine"
    wanted = render(answers(kinds=tuple(HOOK_OF_KIND), licence="Apache-2.0"))
    assert {path for path in wanted if not (made / path).is_file()} == set()
