"""The project's own plugins pass the conformance kit: as wheels, through the same entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
CHECK = "from b2b_core.cli import main; main()"
#: What has to come from the wheels, and does.
WHERE = """
import importlib, json, sys
names = json.loads(sys.argv[1])
print(json.dumps([importlib.import_module(name).__file__ for name in names]))
"""


def wheel(project, folder):
    """Build the wheel of a project in a process of its own, without network."""
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install wheels of the core and of all plugins into a folder of their own."""
    wheels = tmp_path_factory.mktemp("wheels")
    made = [str(wheel(project, wheels)) for project in (ROOT, *PROJECTS)]
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile",
         "--quiet", "--disable-pip-version-check", "--target", str(folder), *made],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def python(site, *arguments, cwd):
    """Run Python with the wheels before everything else."""
    environment = {"PYTHONPATH": str(site), "B2B_CACHE": str(cwd / "cache"), "OMP_NUM_THREADS": "1"}
    for name in ("B2B_PLUGINS", "B2B_CONFIG"):
        environment[name] = ""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment, cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_is_checked_are_the_wheels(site, tmp_path):
    """Every module comes from the folder into which the wheels were installed."""
    names = ["b2b_core", *(project.name.replace("-", "_") for project in PROJECTS)]
    done = python(site, "-c", WHERE, json.dumps(names), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = [Path(file) for file in json.loads(done.stdout)]
    assert len(files) == len(PROJECTS) + 1
    assert all(file.is_relative_to(site) for file in files), files


def test_all_plugins_of_the_project_pass_all_levels(site, tmp_path):
    """Nothing fails; what is skipped needs data or weights that do not ship."""
    done = python(site, "-c", CHECK, "check-plugin", "--all", "--level", "3", "--json",
                  cwd=tmp_path)  # fmt: skip
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    plugins = {plugin["name"]: plugin["checks"] for plugin in document["plugins"]}
    assert {project.name for project in PROJECTS} <= set(plugins)
    rows = [(name, row) for name, checks in plugins.items() for row in checks]
    wrong = [(name, row) for name, row in rows if row["status"] in ("failed", "unexpected-pass")]
    assert not wrong, "\n".join(
        f"{name}, {row['kind']} {row['name']}, {row['check']}: {row['what']} ({row['where']}); "
        f"{row['mend']}"
        for name, row in wrong
    )
    assert done.returncode == 0
    reasons = {row["reason"] for _, row in rows if row["status"] == "skipped"}
    assert all(reason.startswith(("needs data", "needs the weights")) for reason in reasons)
    assert {row["level"] for _, row in rows} == {0, 1, 2, 3}
    shipped = [row for _, row in rows if row["check"] == "weights-output"]
    assert {row["name"] for row in shipped if row["status"] == "passed"} >= {
        "unet.starter", "kernel-space.starter", "unet.gopro",
    }  # fmt: skip
