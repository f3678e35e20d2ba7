"""The answers of `b2b new-plugin`: how they are checked, and what is derived from them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from b2b_core import __version__
from b2b_core.catalogue.compatibility import admits
from b2b_core.cli import run
from b2b_core.scaffold.answers import Answers, checked_author, checked_licence, core_range
from b2b_core.scaffold.render import render

ROOT = Path(__file__).parents[1]
FLAGS = ["--kind", "loss", "--name", "mine", "--licence", "MIT", "--author", "Jane Doe"]


def new(*flags, out):
    """Run the command with `flags`, writing below `out`; return the exit code."""
    return run(["new-plugin", "--out", str(out), *flags])


def project_of(**said):
    """Return the table [project] that is written for valid answers and what is said."""
    plain = {"kinds": ("loss",), "name": "mine", "licence": "MIT", "author": "Jane Doe"}
    return tomllib.loads(render(Answers(**plain | said))["pyproject.toml"])["project"]


def test_the_project_file_says_what_was_said():
    """Name, licence, author and entry point; quotes in an author's name do no harm."""
    project = project_of(author='Jane "JD" Doe <jane@example.org>')
    assert project["name"] == "b2b-plugin-mine"
    assert project["license"] == "MIT"
    assert project["authors"] == [{"name": 'Jane "JD" Doe', "email": "jane@example.org"}]
    assert project["entry-points"]["b2b"] == {"mine": "b2b_plugin_mine"}


def test_the_lower_bounds_are_those_of_the_core():
    """What is required beside the core is required as the core's own project file does."""
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    made = project_of()["dependencies"]
    assert {line for line in made if not line.startswith("b2b-core")} <= set(core)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("0.1.0", ">=0.1,<0.2"), ("0.9.3rc1", ">=0.9,<0.10"), ("1.4.2", ">=1.4,<2")],
)
def test_the_range_ends_where_interfaces_may_change(version, wanted):
    """Before 1.0 with the second number, later with the first."""
    assert core_range(version) == wanted


def test_the_running_core_is_in_the_range():
    """A plugin made now is compatible now, by the catalogue's own judgement."""
    (line,) = [line for line in project_of()["dependencies"] if line.startswith("b2b-core")]
    assert admits(line.removeprefix("b2b-core"), __version__)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--kind", "los"], "there is no kind 'los'; did you mean 'loss'?"),
        (["--name", "My_Net"], "'My_Net' is no name for a component; did you mean 'my-net'?"),
        (["--name", "é"], "'é' is no name for a component; use lower-case words-with-hyphens"),
        (["--name", "../up"], "'../up' is no name for a component; did you mean 'up'?"),
        (["--name", "b2b-plugin-x"], "the prefix is added for you: --name x"),
        (["--name", "x" * 41], "longer than 40 characters"),
        (["--name", "unet"], "the index knows a b2b-plugin-unet; choose another name"),
        (["--name", "charbonnier"], "gives the loss 'charbonnier' to b2b-plugin-losses"),
        (["--licence", "GPL3"], "'GPL3' is no SPDX licence expression; use one such as"),
        (["--author", " "], "is no author"),
        (["--author", "Jane <jane"], "write NAME or NAME <EMAIL>"),
    ],
)
def test_a_wrong_answer_is_one_line_with_the_mend(flags, said, tmp_path, capsys):
    """Exit code 2, and nothing is written."""
    place = FLAGS.index(flags[0])
    assert new(*FLAGS[:place], *flags, *FLAGS[place + 2 :], out=tmp_path) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_another_kind_is_free(tmp_path):
    """The index gives names kind by kind, as the catalogue resolves them."""
    flags = ["--kind", "metric", "--name", "charbonnier", *FLAGS[4:]]
    assert new(*flags, out=tmp_path) == 0


@pytest.mark.parametrize(
    ("said", "normal"),
    [
        ("mit", "MIT"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("LicenseRef-My", "LicenseRef-My"),
    ],
)
def test_licences_are_spelt_as_spdx_does(said, normal):
    """Case does not matter when typing; expressions and own licences are understood."""
    assert checked_licence(said) == normal


def test_authors_lose_their_line_breaks():
    """One line, whatever was pasted."""
    assert checked_author(" Jane\n Doe ") == "Jane Doe"
