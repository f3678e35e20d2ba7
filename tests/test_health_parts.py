"""The parts of `b2b doctor`: requirements, cache, torch, and the processes that it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from b2b_core import __version__
from b2b_core.health import compute, folders, torch_facts
from b2b_core.health.doctor import survived
from b2b_core.health.finding import Finding
from b2b_core.health.process import Ended, Processes
from b2b_core.health.requirements import requirements


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Keep the cache of whoever runs the tests out."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folders, "ROOM", 0)
    monkeypatch.chdir(tmp_path)


def faults():
    """Return distribution -> what is wrong with its requirements."""
    return {one.name: one.said for one in requirements() if one.level == "problem"}


def test_missing_and_wrong_versions_are_found(install):
    """Of plugins, with markers and extras read; a range of the core is the catalogue's matter."""
    install("acme-missing", requires=("absent-library>=2",))
    install("acme-old", requires=("attrs<1",))
    install("acme-unreadable", requires=("=== nonsense",))
    install("acme-core", requires=("b2b-core>=9",))
    install("acme-fine", requires=("attrs>=20", 'absent; python_version < "3"', "Jinja2"))
    install("acme-extra", requires=('absent; extra == "more"',))
    found = faults()
    assert found["acme-missing"] == "it needs absent-library>=2, which is not installed"
    assert found["acme-old"].startswith("it needs attrs<1, but ")
    assert "cannot be read" in found["acme-unreadable"]
    assert {"acme-core", "acme-fine", "acme-extra"}.isdisjoint(found)


def test_requirements_of_requirements_are_followed(install):
    """Through extras too, where they are asked for; circles end."""
    install("acme-plugin", requires=("acme-library[more]",))
    install("acme-library", requires=("acme-deep",), group="other")
    deep = ("acme-plugin", "absent-plain", 'absent-extra; extra == "more"')
    install("acme-deep", requires=deep, group="other")
    assert faults() == {"acme-deep": "it needs absent-plain, which is not installed"}
    install("acme-unrelated", requires=("absent-library",), group="other")
    assert "acme-unrelated" not in faults()


def test_extras_that_are_asked_for_are_looked_at(install):
    """`library[more]` needs what the library needs for `more`."""
    install("acme-plugin", requires=("acme-library[more]",))
    needs = ('absent; extra == "more"', 'other; extra == "less"')
    install("acme-library", requires=needs, group="other")
    assert faults() == {"acme-library": "it needs absent, which is not installed"}


def test_pip_names_the_same_distributions(install):
    """`pip check`, which is independent of us, agrees about what is wrong here."""
    install("acme-missing", requires=("absent-library>=2",))
    install("acme-old", requires=("attrs<1",))
    install("acme-fine", requires=("attrs>=20", 'absent; python_version < "3"', "Jinja2"))
    install("acme-plugin", requires=("acme-library[more]",))
    install("acme-library", requires=('absent; extra == "other"', "lost"), group="other")
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "check"],
        env={**os.environ, "PYTHONPATH": str(install.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    named = {line.split()[0] for line in pip.stdout.splitlines()}
    assert {name for name in faults() if name.startswith("acme-")} == named
    assert named == {"acme-missing", "acme-old", "acme-library"}


def test_the_cache_is_told_with_its_size_and_room(tmp_path):
    """A folder that does not exist yet is no fault."""
    (one,) = folders.cache()
    assert (one.level, one.name) == ("ok", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_bytes(b"x" * 3_000_000)
    (one,) = folders.cache()
    assert one.said.startswith("cache: 3 MB used, ")


def test_a_cache_without_room_or_in_a_file_has_to_be_mended(monkeypatch, tmp_path):
    """Both name the variable that puts it elsewhere."""
    monkeypatch.setattr(folders, "ROOM", 10**18)
    (one,) = folders.cache()
    assert (one.level, "B2B_CACHE" in one.mend) == ("problem", True)
    (tmp_path / "cache").write_text("a file")
    (one,) = folders.cache()
    assert (one.level, "cannot be written" in one.said) == ("problem", True)


def test_a_look_that_fails_is_a_finding():
    """One part that cannot be looked at leaves the others."""

    def look():
        yield Finding("part", "one", "ok", "seen")
        raise RuntimeError("two\nlines")

    seen, failed = survived("part", look)
    assert seen.said == "seen"
    assert (failed.level, failed.said) == ("problem", "looking failed: RuntimeError: two lines")


def test_a_torch_that_cannot_be_imported_is_named(monkeypatch):
    """Its last words are the cause; a crash is told by its signal."""
    last = Ended(1, "", "Traceback\n  ...\nImportError: libcuda\n", 0.1)
    monkeypatch.setattr(Processes, "run", lambda *_, **__: last)
    (one,) = compute.compute()
    assert (one.level, one.said) == ("problem", "it cannot be imported: ImportError: libcuda")
    monkeypatch.setattr(Processes, "run", lambda *_, **__: Ended(-11, "", "", 0.1))
    (one,) = compute.compute()
    assert "SIGSEGV" in one.said


@pytest.mark.parametrize(
    ("changed", "name", "level", "said"),
    [
        ({}, "cpu", "ok", "4 threads, AVX2, bf16: fast"),
        ({"fast_bf16": False}, "cpu", "ok", "float32 is used"),
        ({}, "cuda", "ok", "made for the CPU"),
        ({"cuda": "12.8"}, "cuda", "note", "finds no card"),
        ({"cuda": "12.8", "cards": ["H200, 150 GB"]}, "cuda", "ok", "CUDA 12.8: H200, 150 GB"),
    ],
)
def test_what_torch_says_is_put_into_words(monkeypatch, changed, name, level, said):
    """Processor and cards, from the facts that the other process printed."""
    facts = {"threads": 4, "instructions": "AVX2", "fast_bf16": True, "cuda": "", "cards": []}
    ended = Ended(0, "noise\n" + json.dumps(facts | changed), "", 0.1)
    monkeypatch.setattr(Processes, "run", lambda *_, **__: ended)
    (one,) = [one for one in compute.compute() if one.name == name]
    assert one.level == level
    assert said in one.said


def test_the_facts_of_torch_have_the_keys_that_are_put_into_words():
    """What the other process prints is what `compute` reads."""
    import torch

    facts = torch_facts.facts()
    assert set(facts) == {"torch", "threads", "instructions", "fast_bf16", "cuda", "cards"}
    assert facts["torch"] == torch.__version__


def test_a_process_gets_the_path_and_the_changed_environment(monkeypatch):
    """It imports what this one would, not what lies in the working directory."""
    monkeypatch.setenv("B2B_STRICT_PLUGINS", "1")
    Path("b2b_core.py").write_text("raise RuntimeError")
    program = "import os, b2b_core as b; print(b.__version__, *map(os.environ.get, {}))"
    with Processes() as processes:
        ended = processes.run(
            ["-c", program.format(["B2B_STRICT_PLUGINS", "B2B_NEW"])],
            60,
            {"B2B_STRICT_PLUGINS": None, "B2B_NEW": "1"},
        )
    assert (ended.code, ended.stdout.split()) == (0, [__version__, "None", "1"])


def test_a_process_that_fails_tells_its_last_words():
    """The last line of a traceback is the reason; without words it is the exit code."""
    with Processes() as processes:
        assert processes.run(["-c", "1/0"], 60).reason(60) == "ZeroDivisionError: division by zero"
        assert processes.run(["-c", "import os; os._exit(4)"], 60).reason(60) == "exit code 4"
        sleeper = processes.run(["-c", "import time; time.sleep(600)"], 0.2)
    assert sleeper.reason(0.2) == "it did not end after 0.2 seconds and was stopped"
