"""`b2b list-plugins`: its JSON, what it imports, and what its options print."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from b2b_core.cli import run

FIRST = "list-plugins"
HEAD = {"schema", "core", "api"}
PLUGIN = {
    "name", "version", "state", "cause", "mend", "summary", "licence", "origin", "url",
    "requirement", "core_range", "sha256", "components",
}  # fmt: skip
COMPONENT = {
    "kind", "name", "distribution", "state", "summary", "licence", "default", "default_of",
    "citation", "facts", "layouts", "settings", "weights", "example", "faults",
}  # fmt: skip
SETTING = {"name", "type", "default", "required", "range", "comment"}
CHECK = {
    "name", "outcome", "cause", "mend", "seconds", "exit_code", "signal", "stdout", "heavy",
}  # fmt: skip

#: Plugin -> what it does when imported, the outcome, and what the cause has to say.
HOSTILE = {
    "acme-hangs": ("import time\nwhile True: time.sleep(1)", "timed-out", "after 6 seconds"),
    "acme-hangs-in-c": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nsignal.pause()",
        "timed-out",
        "after 6 seconds",
    ),
    "acme-exits-hard": ("import os; os._exit(0)", "failed", "os._exit"),
    "acme-exits-harder": ("import ctypes; ctypes.CDLL(None)._exit(3)", "exited", "exit code 3"),
    "acme-exits-at-once": ("import ctypes; ctypes.CDLL(None)._exit(0)", "exited", "exit code 0"),
    "acme-kills": ("import os; os.kill(os.getpid(), 9)", "killed", "SIGKILL"),
    "acme-segfaults": ("import ctypes; ctypes.string_at(0)", "killed", "SIGSEGV"),
    "acme-raises": ("import absent_module", "failed", "absent_module"),
    "acme-system-exit": ("raise SystemExit(0)", "failed", "SystemExit"),
    "acme-floods": ("import os\nwhile True: os.write(1, b'x' * 65536)", "timed-out", "stopped"),
    "acme-prints": ("print('hello there')", "printed", "hello there"),
    "acme-writes": ("import os; os.write(1, b'raw words')", "printed", "raw words"),
    "acme-heavy": ("import structlog", "heavy", "structlog"),
    "acme-thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
        "timed-out",
        "left a thread",
    ),
    "acme-leaves-a-child": (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        "ok",
        "",
    ),
    "acme-fine": (None, "ok", ""),
}


def output(capsys, *arguments, code=0):
    """Run the command and return what it prints."""
    assert run([FIRST, *arguments]) == code
    return capsys.readouterr().out


def document(capsys, *arguments, code=0):
    """Run the command with `--json` and return what it prints."""
    return json.loads(output(capsys, *arguments, "--json", code=code))


def row(rows, name):
    """Return the one row of a plugin."""
    (found,) = [one for one in rows if one["name"] == name]
    return found


def test_the_keys_of_the_json_are_these(install, capsys):
    """A program can rely on every key; one that goes needs a new schema version."""
    install("acme-losses", offers="sharpness")
    plain = document(capsys)
    assert set(plain) == HEAD | {"plugins"}
    assert plain["schema"] == 1
    assert all(set(one) == PLUGIN for one in plain["plugins"])


def test_the_keys_of_the_details_are_these(capsys):
    """`--details` adds the components, each with its settings and weights."""
    detailed = document(capsys, "--details")
    assert set(detailed) == HEAD | {"plugins"}
    components = [one for plugin in detailed["plugins"] for one in plugin["details"]]
    assert all(set(plugin) == PLUGIN | {"details"} for plugin in detailed["plugins"])
    assert {key for one in components for key in one} == COMPONENT
    assert {key for one in components for s in one["settings"] for key in s} == SETTING


def test_the_plain_listing_imports_nothing_of_the_rest():
    """Details, tables and checks cost the plain JSON nothing."""
    code = (
        "import sys; from b2b_core.cli import run; run(['list-plugins', '--json'])\n"
        "heavy = {'torch', 'kornia', 'numpy', 'rich', 'structlog', 'cattrs', 'subprocess'}\n"
        "ours = {'b2b_core.cli.tables', 'b2b_core.cli.list_plugins_more', 'b2b_core.describe'}\n"
        "sys.exit(sorted((heavy | ours) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["plugins"]


@pytest.mark.parametrize("said", ["loss", "losses", "LOSSES"])
def test_a_kind_may_be_said_in_the_plural(install, capsys, said):
    """`--kind losses` is `--kind loss`."""
    install("acme-losses", offers="sharpness")
    rows = document(capsys, "--kind", said)["plugins"]
    assert row(rows, "acme-losses")["components"] == {"loss": ["sharpness"]}
    assert {kind for one in rows for kind in one["components"]} == {"loss"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "losss"], "did you mean 'loss'?"),
        (["--freeze", "--json"], "--freeze does not go with --json"),
        (["--check", "--kind", "loss"], "--check does not go with --kind"),
        (["--details", "--available"], "--details does not go with --available"),
        (["--seconds", "3"], "--seconds goes with --check"),
        (["--check", "--seconds", "0"], "--seconds"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments, said, capsys):
    """One line, exit code 2; no option is ignored silently."""
    assert run([FIRST, *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_what_a_plugin_says_cannot_steer_the_terminal(install, capsys):
    """Control characters of a cause are taken out, and it stays one line."""
    install("acme-bad", "raise RuntimeError('\\x1b[2J\\n\\rgone')")
    out = output(capsys)
    assert "\x1b" not in out
    (line,) = [line for line in out.splitlines() if line.startswith("acme-bad")]
    assert "gone" in line


def test_a_terminal_shows_text_as_it_is(install, capsys, monkeypatch):
    """Rich folds what is too wide, loses nothing of it, and reads no markup in it."""
    install("acme-bad", "raise RuntimeError('[bold]" + "x" * 150 + "[/bold] end')")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    out = re.sub(r"\x1b\[[0-9;]*m", "", output(capsys))
    assert max(map(len, out.splitlines())) <= 120
    assert out.count("x") >= 150
    assert "[bold]" in "".join(out.split())
    (line,) = [line for line in out.splitlines() if line.startswith("acme-bad")]
    assert line.split()[:3] == ["acme-bad", "1.0", "broken"]


def test_the_details_tell_settings_with_their_comments(capsys):
    """For people: name, default, range and the comment above each field."""
    out = output(capsys, "--details", "--kind", "translator")
    assert "translator unet (b2b-plugin-unet, ok, the default of b2b-core)" in out
    assert "Channels at full resolution." in out
    assert "deblurrer unet" not in out
    line = next(line for line in out.splitlines() if line.startswith("levels "))
    assert [w.strip() for w in line.split("  ") if w][1:4] == ["3", "a whole number", ">= 1, <= 4"]


@pytest.fixture
def overlay(tmp_path, monkeypatch):
    """Give the user's own index file, to be written."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    return tmp_path / "b2b.toml"


ABSENT = """
[[component]]
kind = "loss"
name = "sharpness"
distribution = "acme-absent"
licence = "MIT"
summary = "a loss; not here"
requires = ">=2"

[[component]]
kind = "metric"
name = "sharpness"
distribution = "acme-absent"
licence = "MIT"
summary = "a metric"
"""


def test_what_could_be_installed_is_listed_with_the_line_that_does_it(overlay, capsys):
    """Known to the index, not installed: components, licence, `pip install`."""
    overlay.write_text(ABSENT)
    found = document(capsys, "--available")
    assert set(found) == HEAD | {"available"}
    assert row(found["available"], "acme-absent") == {
        "name": "acme-absent",
        "components": [
            {"kind": "loss", "name": "sharpness", "summary": "a loss; not here", "licence": "MIT"},
            {"kind": "metric", "name": "sharpness", "summary": "a metric", "licence": "MIT"},
        ],
        "weights": [],
        "install": "pip install 'acme-absent>=2'",
    }
    line = next(li for li in output(capsys, "--available").splitlines() if "acme-absent" in li)
    assert "pip install 'acme-absent>=2'" in line
    assert "loss: sharpness; metric: sharpness" in line


def test_what_is_installed_is_not_available(overlay, install, capsys):
    """A distribution that is here is left out, and so is one without that kind."""
    overlay.write_text(ABSENT)
    names = [
        one["name"] for one in document(capsys, "--available", "--kind", "domain")["available"]
    ]
    assert "acme-absent" not in names
    install("Acme.Absent", offers="sharpness")
    assert "acme-absent" not in [o["name"] for o in document(capsys, "--available")["available"]]


def test_available_imports_no_plugin(overlay, install, capsys):
    """It works where a listing would be killed."""
    overlay.write_text(ABSENT)
    install("acme-kills", "import os; os.kill(os.getpid(), 9)")
    assert "acme-absent" in output(capsys, "--available")


def test_freezing_gives_requirements_lines(install, capsys, tmp_path):
    """Sorted, with the origin of each; nothing is imported; files are comments."""
    install("acme-pinned", "import os; os.kill(os.getpid(), 9)", version="2.5")
    git = {"url": "https://example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    install("acme-from-git", direct_url=git)
    install("acme-editable", direct_url={"url": "file:///src/e", "dir_info": {"editable": True}})
    file = tmp_path / "mine.py"
    file.write_text("")
    assert run(["--plugin-file", str(file), FIRST, "--freeze"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"# --plugin-file {file}  sha256:{hashlib.sha256(b'').hexdigest()}"
    assert lines[:-1] == sorted(lines[:-1])
    assert {
        "acme-pinned==2.5",
        "acme-from-git @ git+https://example.org/x.git@abc123",
        "-e file:///src/e",
    } <= set(lines)


def test_each_plugin_is_checked_alone(install, capsys, monkeypatch):
    """Whatever a plugin does to its process, the check names it, the cause and the mend."""
    for name, (source, _, _) in HOSTILE.items():
        install(name, source, offers=name)
    install("acme-other-core", requires=("b2b-core>=9",))
    install("acme-off", "import os; os._exit(1)")
    monkeypatch.setenv("B2B_PLUGINS", ",".join([*HOSTILE, "acme-other-core"]))
    found = document(capsys, "--check", "--seconds", "6", code=1)
    assert set(found) == HEAD | {"checks"}
    assert all(set(one) == CHECK for one in found["checks"])
    for name, (_, outcome, cause) in HOSTILE.items():
        one = row(found["checks"], name)
        assert (name, one["outcome"]) == (name, outcome), one
        assert cause in one["cause"]
        assert bool(one["mend"]) == (outcome != "ok")
    assert row(found["checks"], "acme-exits-harder")["exit_code"] == 3
    assert row(found["checks"], "acme-kills")["signal"] == "SIGKILL"
    assert row(found["checks"], "acme-heavy")["heavy"] == ["rich", "structlog"]
    assert row(found["checks"], "acme-prints")["stdout"] == "hello there"
    assert row(found["checks"], "acme-other-core")["outcome"] == "incompatible"
    assert row(found["checks"], "acme-off")["outcome"] == "disabled"
    assert "b2b plugins disable acme-hangs" in row(found["checks"], "acme-hangs")["mend"]


def test_a_check_without_a_fault_is_a_success(install, capsys, monkeypatch):
    """Exit code 0 and a line for each plugin, local files too."""
    install("acme-fine")
    monkeypatch.setenv("B2B_PLUGINS", "acme-fine")
    lines = output(capsys, "--check").splitlines()
    (line,) = [line for line in lines if line.startswith("acme-fine")]
    assert line.split()[1] == "ok"


def test_a_local_file_is_checked_too(tmp_path, capsys, monkeypatch):
    """`--plugin-file FILE list-plugins --check` tells what is wrong with the file."""
    monkeypatch.setenv("B2B_PLUGINS", "none")
    file = tmp_path / "mine.py"
    file.write_text("import ctypes; ctypes.CDLL(None)._exit(7)")
    assert run(["--plugin-file", str(file), FIRST, "--check", "--json"]) == 1
    one = row(json.loads(capsys.readouterr().out)["checks"], "local-mine")
    assert (one["outcome"], one["exit_code"]) == ("exited", 7)


def test_ctrl_c_ends_the_check_and_what_it_started(install, tmp_path):
    """No plugin's process stays behind."""
    pid = tmp_path / "pid"
    source = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    install("acme-hangs", source)
    path = os.pathsep.join([str(install.folder), os.environ.get("PYTHONPATH", "")])
    check = subprocess.Popen(
        [sys.executable, "-c", "from b2b_core.cli import main; main()", FIRST, "--check"],
        env={**os.environ, "PYTHONPATH": path, "B2B_PLUGINS": "acme-hangs"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # a test run in the background of a shell ignores Ctrl-C, and hands that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (pid.is_file() and pid.read_text()):
        assert check.poll() is None
        time.sleep(0.05)
    check.send_signal(signal.SIGINT)
    _, said = check.communicate(timeout=60)
    assert (check.returncode, said) == (130, b"b2b: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
