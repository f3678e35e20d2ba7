"""The tutorial for authors: its commands run, its files are written, its outputs come out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from PIL import Image, ImageFilter

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "plugins" / "tutorial.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Nothing is fetched: what the reader downloads is in the environment already.
PIP = "-q --disable-pip-version-check --no-index --no-build-isolation --no-deps"
#: Name of a program -> how the reader's environment runs it; what is not here is the system's.
PROGRAMS = {
    "b2b": "-c 'from b2b_core.cli import main; main()' \"$@\"",
    "pip": f'-m pip "$@" $([ "$1" = uninstall ] || echo {PIP})',
    "mypy": f'-m mypy --python-executable {sys.executable} "$@"',
    "pytest": '-m pytest "$@"',
    "ruff": '-m ruff "$@"',
}


@frozen
class Block:
    """A fenced block, and what the text says of it."""

    language: str
    text: str
    #: "run", "printed", "written", "equal", "contained" or "changed".
    rule: str
    #: The file that it is about, if any.
    path: str = ""


def blocks() -> list[Block]:
    """Return the blocks in their order; one that no rule covers is an error."""
    found: list[Block] = []
    end = 0
    for match in FENCE.finditer(TUTORIAL):
        before = TUTORIAL[end : match.start()].strip().splitlines()
        found.append(_block(*match.groups(), before[-1] if before else "", found))
        end = match.end()
    return found


def _block(language: str, text: str, intro: str, earlier: list[Block]) -> Block:
    sentences = {
        "written": r"Write `(.+)`:",
        "equal": r"`(.+)` reads:",
        "contained": r"`(.+)` has:",
        "changed": r"Change `(.+)`:",
    }
    for rule, pattern in sentences.items():
        if said := re.fullmatch(pattern, intro):
            return Block(language, text, rule, said[1])
    if language == "sh":
        return Block(language, text, "run")
    if language == "text" and not intro and earlier[-1].rule == "run":
        return Block(language, text, "printed")
    if not intro and earlier[-1].rule == "contained":
        return Block(language, text, "contained", earlier[-1].path)
    pytest.fail(f"nothing says what this block is:\n{text}")


class Reader:
    """Somebody who follows the tutorial in a folder and an environment of their own."""

    def __init__(self, home: Path) -> None:
        self.here = home / "work"
        self.here.mkdir()
        programs = home / "programs"
        programs.mkdir()
        environment = home / "venv"
        venv.create(environment)
        python = environment / "bin" / "python"
        inherit(environment)
        for name, words in PROGRAMS.items():
            (programs / name).write_text(f"#!/usr/bin/env bash\nexec {python} {words}\n")
            (programs / name).chmod(0o755)
        self.environ = {
            **{name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ},
            "HOME": str(home),
            "B2B_CONFIG": str(home / "config"),
            "OMP_NUM_THREADS": "1",
            "MYPY_CACHE_DIR": str(home / "mypy"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.environ["PATH"] = f"{programs}:{environment / 'bin'}:{self.environ['PATH']}"
        for role in ("AUTHOR", "COMMITTER"):
            self.environ |= {f"GIT_{role}_NAME": "Jane", f"GIT_{role}_EMAIL": "jane@example.org"}
        self.remote = home / "remote.git"
        subprocess.run(["git", "init", "-q", "--bare", self.remote], env=self.environ, check=True)

    def follow(self, block: Block, printed: str) -> str:
        """Do what a block says and return what was printed last."""
        path = self.here / block.path
        if block.rule == "run":
            return self.run(block.text.replace(" origin URL", f" origin {self.remote}"))
        if block.rule == "printed":
            assert re.search(expression(block.text), printed), f"{block.text}\n---\n{printed}"
        elif block.rule == "written":
            path.write_text(block.text)
        elif block.rule == "equal":
            assert path.read_text() == block.text
        elif block.rule == "contained":
            assert block.text in path.read_text()
        else:
            path.write_text(changed(path.read_text(), block.text))
        return printed

    def run(self, commands: str) -> str:
        """Run commands in a shell that remembers its folder; every one must succeed."""
        script = f"set -euo pipefail\n{commands}\npwd > {self.remote.parent / 'pwd'}\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.here, env=self.environ, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        self.here = Path((self.remote.parent / "pwd").read_text().strip())
        return done.stdout


def inherit(environment: Path) -> None:
    """Let an environment see what is installed in that of the tests."""
    (site,) = environment.glob("lib/python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "parent.pth").write_text(f"import site; site.addsitedir({ours!r})\n")


def expression(shown: str) -> str:
    """Return the regular expression of an output in which `...` stands for anything."""
    lines = []
    for line in shown.splitlines():
        words = [re.escape(word).replace(r"\.\.\.", ".*") for word in line.split()]
        lines.append(r"(?:.*\n)*?" if line == "..." else "^" + r"\s+".join(words) + r"\s*$\n?")
    return "(?m)" + "".join(lines)


def changed(text: str, difference: str) -> str:
    """Replace the lines with a minus by the lines with a plus below them."""
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", difference, re.MULTILINE):
        before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def picture(rng, radius):
    """Return a picture with structure, blurred."""
    coarse = rng.integers(0, 256, (18, 20, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((112, 104), Image.Resampling.BICUBIC)
    return image, image.filter(ImageFilter.BoxBlur(radius))


@pytest.fixture
def reader(tmp_path):
    """Return a reader who has a camera's pictures and a data set of pairs."""
    made, rng = Reader(tmp_path), np.random.default_rng(0)
    for role in ("blurry", "sharp"):
        (made.here / "camera" / role).mkdir(parents=True)
        for number in range(4):
            picture(rng, 2)[role == "blurry"].save(
                made.here / "camera" / role / f"{role}{number}.png"
            )
    for scene in ("kitchen", "park", "street"):
        (made.here / "pairs" / scene).mkdir(parents=True)
        sharp, blurry = picture(rng, 1)
        sharp.save(made.here / "pairs" / scene / "1-sharp.png")
        blurry.save(made.here / "pairs" / scene / "1-blurry.png")
    return made


def test_the_tutorial_works(reader):
    """Followed from its first line to its last, everything succeeds and shows what is said."""
    printed = ""
    for block in blocks():
        printed = reader.follow(block, printed)
    tags = subprocess.run(
        ["git", "-C", reader.remote, "tag"], capture_output=True, text=True, check=True
    )
    assert tags.stdout == "v0.1.0\n"


def test_no_command_hides_from_the_test():
    """Commands stand in fenced blocks, not in indented ones."""
    outside = FENCE.sub("", TUTORIAL)
    assert not re.search(r"^(    |\t)", outside, re.MULTILINE)
    assert "```" not in outside


def test_a_changed_output_is_noticed():
    """Dots stand for anything, all else is compared word by word."""
    assert re.search(expression("a ... c\n...\nend\n"), "a  b  c\nx\ny\nend\n")
    assert not re.search(expression("a ... c\nend\n"), "a  b  d\nend\n")
