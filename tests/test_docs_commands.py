"""The commands that the pages show exist, with the options that they are shown with."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from b2b_core.cli.root import root

ROOT = Path(__file__).parents[1]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
]
#: A call, after settings such as `B2B_DEBUG=1`; what the program prints begins with "b2b:".
CALL = re.compile(r"(?:[A-Z0-9_]+=\S* )*b2b ([-a-z][^#]*)")
SHELL = re.compile(r"^```sh\n(.*?)^```|^((?:    .*\n)+)", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^```.*?^```|^    .*?$", re.DOTALL | re.MULTILINE)


def commands(page):
    """Return the calls of b2b that a page shows, in blocks for a shell and in code in its text."""
    text = (ROOT / page).read_text()
    lines = [line.strip() for block in SHELL.findall(text) for line in "".join(block).splitlines()]
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", CODE.sub("", text))]
    return [found.group(1).split() for line in lines if (found := CALL.match(line))]


def unknown(words):
    """Return what of a call b2b does not know, or nothing."""
    command, context, rest = root, click.Context(root), list(words)
    while rest:
        word = rest.pop(0)
        flag, _, value = word.partition("=")
        if flag.startswith("-"):
            options = {o: p for p in command.get_params(context) for o in p.opts + p.secondary_opts}
            if flag not in options:
                return f"{context.info_name or 'b2b'} {flag}"
            alone = value or getattr(options[flag], "is_flag", False)
            rest = rest if alone else rest[1:]
        elif isinstance(command, click.Group) and word.islower():
            inner = command.get_command(context, word)
            if inner is None:
                return word
            command, context = inner, click.Context(inner, info_name=word, parent=context)
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_exist(page):
    """Names of commands and options are those of the command line."""
    assert {" ".join(words): unknown(words) for words in commands(page) if unknown(words)} == {}


def test_calls_are_found_and_judged():
    """The comparison sees settings, groups and options, and refuses what is not there."""
    assert len(commands("docs/plugins/troubleshooting.md")) > 10
    assert unknown(["list-plugins", "--json", "--kind=loss"]) == ""
    assert unknown(["list-plugins", "--jsno"]) == "list-plugins --jsno"
    assert unknown(["lits-plugins"]) == "lits-plugins"
    assert unknown(["-p", "no:unet", "train", "deblurer"]) == "deblurer"
    assert unknown(["--plugin-file", "acme.py", "list-plugins"]) == ""
