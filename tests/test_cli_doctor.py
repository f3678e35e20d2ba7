"""`b2b doctor`: works whatever is broken, names what is, and says how to mend it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import b2b_core
from b2b_core import __version__
from b2b_core.cli import run
from b2b_core.health import compute, folders
from b2b_core.health.environment import VARIABLES
from b2b_core.health.finding import Finding

KEYS = {"part", "name", "level", "said", "mend"}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Keep the preferences and the cache of whoever runs the tests out."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("B2B_PLUGINS", raising=False)
    monkeypatch.setattr(folders, "ROOM", 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "b2b.toml"


@pytest.fixture
def without_torch(monkeypatch):
    """Spare a test the seconds that torch takes."""
    monkeypatch.setattr(compute, "compute", lambda: [Finding("compute", "cpu", "ok", "spared")])


def examined(capsys, *options):
    """Run the doctor; return its findings, after the exit code is compared with them."""
    code = run([*options, "doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"schema", "healthy", "findings"}
    assert document["schema"] == 1
    assert all(set(one) == KEYS for one in document["findings"])
    problems = [one for one in document["findings"] if one["level"] == "problem"]
    assert (code, document["healthy"]) == (int(bool(problems)), not problems)
    assert all(one["mend"] for one in problems)
    return document["findings"]


def named(findings, name, part=None):
    """Return what is found of one thing; the last where there is more."""
    return [one for one in findings if one["name"] == name and part in (None, one["part"])][-1]


def test_a_sound_installation_has_nothing_to_mend(capsys):
    """Versions, processor, folders and plugins are told; the exit code is 0."""
    findings = examined(capsys)
    assert [one for one in findings if one["level"] == "problem"] == []
    assert named(findings, "b2b-core", "system")["said"].startswith(__version__)
    assert re.match(r"\d+\.\d+", named(findings, "torch", "libraries")["said"])
    assert "threads" in named(findings, "cpu")["said"]
    assert named(findings, "b2b-plugin-unet", "plugins")["said"].endswith("ok")


@pytest.mark.usefixtures("without_torch")
def test_the_text_ends_with_the_verdict(install, capsys):
    """A heading for each part; the last line counts what is to be mended."""
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("system:\n")
    assert out.endswith("\nall is well\n")
    install("acme-bad", "import absent_module")
    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert out.endswith("\n1 thing to mend, marked with 'problem'\n")
    (line,) = [line for line in out.splitlines() if "acme-bad" in line]
    assert line.startswith("problem")
    assert "b2b plugins disable acme-bad" in line


@pytest.mark.usefixtures("without_torch")
def test_states_of_plugins_are_told_with_cause_and_mend(install, capsys):
    """Broken, incompatible, in conflict, noisy: to mend. Unlisted and disabled: worth knowing."""
    install("acme-bad", "import absent_module")
    install("acme-old", requires=("b2b-core>=9",))
    install("acme-one", offers="twin")
    install("acme-two", offers="twin")
    install("acme-fine", offers="fine")
    install("acme-prints", "print('hello')")
    install("acme-off", "import os; os._exit(1)")
    findings = examined(capsys, "-p", "no:acme-off")
    levels = {
        name: named(findings, name, "plugins")["level"]
        for name in ("acme-bad", "acme-old", "acme-one", "acme-two", "acme-fine", "acme-off",
                     "acme-prints", "b2b-plugin-unet")
    }  # fmt: skip
    assert levels == {
        "acme-bad": "problem",
        "acme-old": "problem",
        "acme-one": "problem",
        "acme-two": "problem",
        "acme-prints": "problem",
        "acme-fine": "note",
        "acme-off": "note",
        "b2b-plugin-unet": "ok",
    }
    assert "absent_module" in named(findings, "acme-bad")["said"]
    assert "acme-two" in named(findings, "acme-one", "plugins")["said"]


@pytest.mark.usefixtures("without_torch")
def test_a_plugin_that_kills_the_listing_is_found(install, capsys):
    """The doctor survives, says that the listing fails, and names the culprit and no other."""
    install("acme-kills", "import os; os.kill(os.getpid(), 9)")
    findings = examined(capsys)
    assert "SIGKILL" in named(findings, "all", "plugins")["said"]
    assert "SIGKILL" in named(findings, "acme-kills")["said"]
    assert "b2b plugins disable acme-kills" in named(findings, "acme-kills")["mend"]
    assert named(findings, "b2b-plugin-unet", "plugins")["level"] == "ok"


@pytest.mark.usefixtures("without_torch")
def test_a_local_file_is_looked_at_too(capsys, tmp_path):
    """`--plugin-file` reaches the process that looks."""
    file = tmp_path / "mine.py"
    file.write_text("import absent_module")
    findings = examined(capsys, "--plugin-file", str(file))
    assert "absent_module" in named(findings, "local-mine")["said"]


@pytest.mark.usefixtures("without_torch")
def test_no_plugin_at_all_is_a_problem(capsys, monkeypatch):
    """Without plugins b2b can do nothing."""
    code = "import json; print(json.dumps({'plugins': []}))"
    monkeypatch.setattr("b2b_core.health.plugins._PROGRAM", code)
    findings = examined(capsys)
    assert named(findings, "all", "plugins")["said"] == "no plugin is installed"


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[plugins\n", "not TOML"),
        ("[plugin]\n", "unknown table 'plugin'"),
        ("[plugins]\ndisable = 3\n", "[plugins] is not like"),
        ("[resolve]\ntranslater.x = 'y'\n", "[resolve] names no kind"),
    ],
)
def test_damaged_preferences_are_a_finding(alone, capsys, content, said):
    """The file is named, and the plugins are looked at all the same."""
    alone.write_text(content)
    findings = examined(capsys)
    assert said in named(findings, str(alone), "folders")["said"]
    assert named(findings, "b2b-plugin-unet", "plugins")["level"] == "ok"


@pytest.mark.usefixtures("without_torch")
def test_names_in_the_preferences_that_mean_nothing_are_noted(alone, capsys):
    """An entry that outlived its plugin does no harm, but is told."""
    alone.write_text('[plugins]\ndisable = ["acme-gone"]\n')
    findings = examined(capsys)
    assert named(findings, str(alone)) == {
        "part": "folders",
        "name": str(alone),
        "level": "note",
        "said": "it names 'acme-gone', which is not installed",
        "mend": "",
    }


@pytest.mark.usefixtures("without_torch")
def test_a_damaged_index_is_a_finding(alone, capsys):
    """The entry of the user's additions is named."""
    alone.write_text('[[component]]\nkind = "loss"\nname = "x"\n')
    (one,) = [o for o in examined(capsys) if o["level"] == "problem"]
    assert one["part"] == "folders"
    assert one["said"] == "'component[0].distribution' has to be set"
    assert one["name"] == str(alone)


@pytest.mark.usefixtures("without_torch")
def test_variables_in_force_are_told(capsys, monkeypatch):
    """Known ones with their meaning, unknown ones with the closest, wrong values as problems."""
    monkeypatch.setenv("B2B_OFFLINE", "1")
    monkeypatch.setenv("B2B_PLUGIN", "unet")
    monkeypatch.setenv("B2B_PLUGIN_SECONDS", "soon")
    findings = examined(capsys)
    assert named(findings, "B2B_OFFLINE")["said"] == "'1': nothing is fetched"
    assert "did you mean B2B_PLUGINS?" in named(findings, "B2B_PLUGIN")["said"]
    assert named(findings, "B2B_PLUGIN")["level"] == "note"
    assert named(findings, "B2B_PLUGIN_SECONDS")["level"] == "problem"


def test_every_variable_that_the_core_reads_is_known():
    """The table is compared with the sources."""
    folder = Path(b2b_core.__file__).parent
    read = {
        name
        for file in folder.rglob("*.py")
        for name in re.findall(r'^[A-Z_]+ = "(B2B_[A-Z_]+)"', file.read_text(), re.MULTILINE)
    }
    assert read == set(VARIABLES)


@pytest.mark.usefixtures("without_torch")
def test_strict_mode_does_not_stop_the_doctor(install, capsys, monkeypatch):
    """`B2B_STRICT_PLUGINS=1` ends a listing at the first broken plugin, not this one."""
    install("acme-bad", "import absent_module")
    monkeypatch.setenv("B2B_STRICT_PLUGINS", "1")
    findings = examined(capsys)
    assert "absent_module" in named(findings, "acme-bad")["said"]
    assert named(findings, "b2b-plugin-unet", "plugins")["level"] == "ok"
