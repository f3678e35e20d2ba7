"""`b2b plugins disable | enable`: one command, whatever is wrong with the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib

import pytest

from b2b_core.cli import run

KILLS = "import os; os.kill(os.getpid(), 9)"


@pytest.fixture
def preferences(tmp_path, monkeypatch):
    """Give the user's file, which does not exist yet."""
    folder = tmp_path / "config" / "b2b"
    monkeypatch.setenv("B2B_CONFIG", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder / "b2b.toml"


def switch(capsys, *arguments):
    """Run `b2b plugins ...`, which has to succeed, and return its lines."""
    assert run(["plugins", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def disabled(path):
    """Return the list as TOML has it."""
    return tomllib.loads(path.read_text())["plugins"]["disable"]


def states(capsys):
    """Return distribution -> state."""
    assert run(["list-plugins", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["plugins"]
    return {row["name"]: row["state"] for row in rows}


def test_a_plugin_that_kills_the_program_is_switched_off_by_one_command(install, preferences):
    """The listing dies before, works afterwards, and names what was done; all in processes."""
    install("acme-kills", KILLS)
    path = os.pathsep.join([str(install.folder), os.environ.get("PYTHONPATH", "")])

    def b2b(*arguments):
        program = [sys.executable, "-c", "from b2b_core.cli import main; main()", *arguments]
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(
            program, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip

    assert b2b("list-plugins").returncode == -9
    done = b2b("plugins", "disable", "acme-kills")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"switched off acme-kills ({preferences}); to undo: b2b plugins enable acme-kills\n"
    )
    rows = json.loads(b2b("list-plugins", "--json").stdout)["plugins"]
    (row,) = [row for row in rows if row["name"] == "acme-kills"]
    assert row["state"] == "disabled"
    assert str(preferences) in row["cause"]


def test_switching_imports_no_plugin_and_nothing_heavy(install, preferences):
    """A plugin that hangs on import does not hold the command up."""
    install("acme-hangs", "import time; time.sleep(600)")
    path = os.pathsep.join([str(install.folder), os.environ.get("PYTHONPATH", "")])
    code = (
        "import sys; from b2b_core.cli import run\n"
        "assert run(['plugins', 'disable', 'acme-hangs', 'unet']) == 0\n"
        "assert run(['plugins', 'enable', 'unet']) == 0\n"
        "bad = {'torch', 'numpy', 'kornia', 'rich', 'acme_hangs', 'b2b_plugin_unet'}\n"
        "sys.exit(sorted(bad & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert disabled(preferences) == ["acme-hangs"]


def test_off_and_on_again(install, preferences, capsys):
    """The state follows; both commands tell when there is nothing to do."""
    install("acme-losses", offers="sharpness")
    assert states(capsys)["acme-losses"] == "unlisted"
    switch(capsys, "disable", "acme-losses", "Acme_Losses")
    assert disabled(preferences) == ["acme-losses"]
    assert states(capsys)["acme-losses"] == "disabled"
    assert "is off already" in switch(capsys, "disable", "acme-losses")[0]
    assert switch(capsys, "enable", "acme-losses") == [f"switched on acme-losses ({preferences})"]
    assert disabled(preferences) == []
    assert states(capsys)["acme-losses"] == "unlisted"
    assert "acme-losses is not off" in switch(capsys, "enable", "acme-losses")[0]


def test_the_prefix_may_be_left_out_on_both_sides(preferences, capsys):
    """`unet`, `b2b-plugin-unet` and an entry of either form mean the same."""
    switch(capsys, "disable", "unet")
    assert disabled(preferences) == ["b2b-plugin-unet"]
    preferences.write_text('[plugins]\ndisable = ["unet", "B2B_Plugin.UNet", "nafnet"]\n')
    assert "is off already" in switch(capsys, "disable", "b2b-plugin-unet")[0]
    switch(capsys, "enable", "unet")
    assert disabled(preferences) == ["nafnet"]


FILE = """\
# my own notes
[defaults]   # what I like
translator = "nafnet"

[plugins]
# these are slow here
disable = [
    "gopro",  # too big
    "losses",
]

[resolve]
translator.unet = "b2b-plugin-unet"
"""


def test_comments_order_and_the_rest_of_the_file_stay(preferences, capsys):
    """Switching changes the list and nothing else; off and on again is the same file."""
    preferences.parent.mkdir(parents=True)
    preferences.write_text(FILE)
    switch(capsys, "disable", "unet")
    text = preferences.read_text()
    assert disabled(preferences) == ["gopro", "losses", "b2b-plugin-unet"]
    for line in FILE.splitlines():
        assert line.strip() in text
    switch(capsys, "enable", "unet")
    assert preferences.read_text() == FILE
    switch(capsys, "enable", "gopro")
    assert disabled(preferences) == ["losses"]
    assert tomllib.loads(preferences.read_text())["resolve"] == tomllib.loads(FILE)["resolve"]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "[defaults]\ntranslator = 'nafnet'\n",
        "plugins = { disable = ['gopro'] }\n",
        "plugins.disable = ['gopro']\n",
        "[plugins]\n",
        "[plugins]\r\ndisable = ['gopro']\r\n",
        "[plugins] # no newline at the end\ndisable = ['gopro']",
    ],
)
def test_every_way_to_write_the_table_is_understood(before, preferences, capsys):
    """The name is added, what was there stays, and the ends of lines are not changed."""
    preferences.parent.mkdir(parents=True)
    preferences.write_bytes(before.encode())
    switch(capsys, "disable", "unet")
    former = tomllib.loads(before)
    kept = former.get("plugins", {}).get("disable", [])
    assert disabled(preferences) == [*kept, "b2b-plugin-unet"]
    after = tomllib.loads(preferences.read_text())
    assert after.get("defaults") == former.get("defaults")
    assert preferences.read_bytes().count(b"\r\n") >= before.encode().count(b"\r\n")


def test_a_link_stays_a_link_and_a_private_file_private(preferences, capsys, tmp_path):
    """Preferences that are kept elsewhere are written where they are."""
    target = tmp_path / "dotfiles.toml"
    target.write_text("# mine\n")
    target.chmod(0o600)
    preferences.parent.mkdir(parents=True)
    preferences.symlink_to(target)
    switch(capsys, "disable", "unet")
    assert preferences.is_symlink()
    assert disabled(target) == ["b2b-plugin-unet"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in preferences.parent.iterdir()) == ["b2b.toml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["disable", "unett"], "there is no plugin 'unett'; did you mean 'unet'?"),
        (["enable", "unett"], "there is no plugin 'unett'; did you mean 'unet'?"),
        (["disable", "losses", "unett"], "there is no plugin 'unett'"),
        (["disable", "b2b-core"], "the core cannot be switched off"),
        (["disable"], "Missing argument 'NAME...'"),
        (["disabel", "unet"], "disabel"),
    ],
)
def test_wrong_use_is_refused_and_nothing_is_written(arguments, said, preferences, capsys):
    """One line, exit code 2; of several names, one that is wrong stops all."""
    assert run(["plugins", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert not preferences.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[plugins\n", "not TOML"),
        (b"\xff\xfe", "not a UTF-8 text file"),
        (b"plugins = 3\n", "[plugins] is not like"),
        (b"[plugins]\ndisable = 'unet'\n", "[plugins] is not like"),
        (b"[plugins]\ndisable = [1]\n", "[plugins] is not like"),
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(content, said, preferences, capsys):
    """Nothing is overwritten that b2b does not understand."""
    preferences.parent.mkdir(parents=True)
    preferences.write_bytes(content)
    assert run(["plugins", "disable", "unet"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert str(preferences) in err
    assert preferences.read_bytes() == content


@pytest.mark.parametrize(
    ("folder", "code", "said"),
    [("/proc/b2b-none", 1, "cannot write the preferences"), ("/dev/null", 2, "cannot read")],
)
def test_a_file_that_cannot_be_written_is_named(folder, code, said, monkeypatch, capsys):
    """One line with the path, no traceback."""
    monkeypatch.setenv("B2B_CONFIG", folder)
    assert run(["plugins", "disable", "unet"]) == code
    err = capsys.readouterr().err
    assert said in err
    assert f"{folder}/b2b.toml" in err
    assert err.count("\n") == 1


def test_an_uninstalled_plugin_can_be_taken_out(preferences, capsys):
    """An entry outlives its plugin; it is found by its own name."""
    preferences.parent.mkdir(parents=True)
    preferences.write_text('[plugins]\ndisable = ["acme-gone"]\n')
    assert "switched on acme-gone" in switch(capsys, "enable", "acme-gone")[0]
    assert disabled(preferences) == []


@pytest.mark.usefixtures("preferences")
def test_other_reasons_for_being_off_are_told(capsys, monkeypatch, tmp_path):
    """The project's file and `B2B_PLUGINS` are not the user's to change here."""
    switch(capsys, "disable", "unet")
    (tmp_path / "b2b.toml").write_text('[plugins]\ndisable = ["unet"]\n')
    lines = switch(capsys, "enable", "unet")
    assert lines[0].startswith("switched on b2b-plugin-unet")
    assert "it stays off" in lines[1]
    assert str(tmp_path / "b2b.toml") in lines[1]
    (tmp_path / "b2b.toml").unlink()
    monkeypatch.setenv("B2B_PLUGINS", "nafnet")
    assert "not in B2B_PLUGINS" in switch(capsys, "enable", "unet")[1]
