"""`b2b new-plugin`: a complete distribution that offers a component, from a few answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from b2b_core.errors import UsageError
from b2b_core.specs import HOOK_OF_KIND

if TYPE_CHECKING:
    from b2b_core.scaffold.answers import Answers

T = TypeVar("T")


@click.command("new-plugin")
@click.option(
    "--kind", "kinds", metavar="KIND", multiple=True,
    help=f"What it offers: {', '.join(HOOK_OF_KIND)}. May be repeated.",
)  # fmt: skip
@click.option("--name", metavar="NAME", help="Name of the component; the plugin's ends in it.")
@click.option("--licence", metavar="SPDX", help="SPDX licence expression (proposed: Apache-2.0).")
@click.option("--author", metavar="TEXT", help='Who wrote it: "NAME" or "NAME <EMAIL>".')
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), metavar="DIR",
    help="Folder that gets the plugin's folder (default: the working directory).",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing: take the proposed licence and author.")
def command(
    kinds: tuple[str, ...], name: str | None, licence: str | None, author: str | None, out: Path,
    yes: bool,
) -> None:  # fmt: skip
    """Write a plugin to begin with: OUT/b2b-plugin-NAME, with code, tests, licence and CI.

    Asks for what is not given, where there is a terminal. The component is small, but it works.
    """
    from b2b_core.scaffold.tree import refuse_existing
    from b2b_core.scaffold.write import write_plugin

    said = {"kind": ",".join(kinds) or None, "name": name, "licence": licence, "author": author}
    answers = _answers(said, yes=yes)
    refuse_existing(out / answers.distribution)
    _show(write_plugin(answers, out), answers)


def _answers(said: dict[str, str | None], *, yes: bool) -> Answers:
    """Check what was said, and ask for the rest or take what is proposed.

    Raises:
        UsageError: for a wrong value, or for one that is missing where nobody can be asked.
    """
    from b2b_core.scaffold import answers as a

    asks = _on_terminal() and not yes
    _refuse_missing([flag for flag, value in said.items() if value is None], asks=asks, yes=yes)

    def answer(flag: str, question: str, check: Callable[[str], T], default: str = "") -> T:
        value = said[flag]
        if value is None and asks:
            return _asked(question, check, default or None)
        return check(default if value is None else value)

    kinds = answer(
        "kind", f"Kind, or several with commas ({', '.join(HOOK_OF_KIND)})",
        lambda text: a.checked_kinds(text.split(",")),
    )  # fmt: skip
    name = answer("name", "Name of the component", lambda text: a.checked_name(text, kinds))
    licence = answer("licence", "Licence (SPDX)", a.checked_licence, a.DEFAULT_LICENCE)
    author = answer("author", "Author", a.checked_author, a.default_author(name))
    return a.Answers(kinds=kinds, name=name, licence=licence, author=author)


def _refuse_missing(missing: list[str], *, asks: bool, yes: bool) -> None:
    needed = [flag for flag in missing if flag in ("kind", "name") or not yes]
    if needed and not asks:
        flags = ", ".join(f"--{flag}" for flag in needed)
        mend = "" if yes else "; --yes takes what is proposed for licence and author"
        raise UsageError(f"{flags} missing, and nobody to ask", mend=f"give {flags}{mend}")


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked(question: str, check: Callable[[str], T], default: str | None) -> T:
    """Ask until the answer passes `check`; what is wrong with one is said at once."""

    def checked(text: str) -> T:
        try:
            return check(text)
        except UsageError as error:
            raise click.BadParameter(str(error)) from error

    answer: T = click.prompt(question, default=default, value_proc=checked)
    return answer


def _show(folder: Path, answers: Answers) -> None:
    """Say what was written and what to do next."""
    from b2b_core.scaffold.kinds import OF_KIND

    offered = ", ".join(f"{kind} '{answers.name}'" for kind in answers.kinds)
    click.echo(f"Wrote {folder}: {offered}")
    if "TO DO" in (folder / "LICENSE").read_text(encoding="utf-8"):
        click.echo(f"Mind: put the text of {answers.licence} into {folder / 'LICENSE'}")
    click.echo("Next:")
    for line in (
        f"cd {folder}",
        "pip install -e '.[dev]'",
        f"b2b check-plugin {answers.distribution}",
        "pytest",
        *(OF_KIND[kind].use.replace("NAME", answers.name) for kind in answers.kinds),
    ):
        click.echo(f"  {line}")
