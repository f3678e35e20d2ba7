"""Switches: what command line, environment, preferences and configuration say about plugins."""

from __future__ import annotations

import hashlib

import pytest
from click import Command, Context

from b2b_core.catalogue import Switches, discover
from b2b_core.cli import run
from b2b_core.cli.options import catalogue_from
from b2b_core.errors import UsageError
from tests.conftest import LOSS


def state_of(name, switches=None):
    """Return the row of one distribution."""
    return next(p for p in discover(switches).plugins if p.distribution == name)


@pytest.fixture
def preferences(tmp_path, monkeypatch):
    """Give a function that writes the user's `b2b.toml`; the working directory is empty."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return (tmp_path / "config" / "b2b.toml").write_text


def test_a_conflict_is_resolved_by_the_user(install):
    """With a line in `[resolve]` the bare name means one of two, and neither is in conflict."""
    install("acme-one", offers="sharpness")
    install("acme-two", offers="sharpness")
    switches = Switches().with_table({"resolve": {"loss": {"sharpness": "acme-two"}}}, "x")
    catalogue = discover(switches)
    assert catalogue.owner("loss", "sharpness").distribution == "acme-two"
    assert catalogue.owner("loss", "acme-one:sharpness").distribution == "acme-one"
    states = {p.distribution: p.state for p in catalogue.plugins}
    assert (states["acme-one"], states["acme-two"]) == ("unlisted", "unlisted")


def test_the_user_may_prefer_another_to_the_index(install):
    """A look-alike of an indexed name is used where the user says so."""
    install("acme-losses", offers="charbonnier")
    switches = Switches(resolve={"loss.charbonnier": "acme-losses"})
    assert discover(switches).owner("loss", "charbonnier").distribution == "acme-losses"
    assert state_of("acme-losses", switches).state == "unlisted"


def test_a_choice_that_offers_nothing_is_an_error(install):
    """A misspelt distribution is not passed over in silence."""
    install("acme-one", offers="sharpness")
    with pytest.raises(UsageError, match=r"'acme-on', which does not offer it; .*'acme-one'"):
        discover(Switches(resolve={"loss.sharpness": "acme-on"})).spec("loss", "sharpness")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"plugins": {"disable": "acme"}}, "[plugins] is not like"),
        ({"plugins": {"disabled": []}}, "[plugins] is not like"),
        ({"plugins": []}, "[plugins] is not like"),
        ({"resolve": {"translater": {}}}, "did you mean 'translator'"),
        ({"resolve": {"translator": "unet"}}, "[resolve] is not like"),
        ({"resolve": {"translator": {"unet": 3}}}, "[resolve] is not like"),
        ({"resolve": "unet"}, "[resolve] is not like"),
    ],
)
def test_wrong_tables_are_refused(table, said):
    """The error names the file and shows the form."""
    with pytest.raises(UsageError) as caught:
        Switches().with_table(table, "b2b.toml")
    assert said in str(caught.value)
    assert "b2b.toml" in str(caught.value)


def test_preferences_switch_a_plugin_off(install, preferences, capsys):
    """`[plugins] disable` in the user's file keeps a plugin from being imported."""
    install("acme-bad", "raise RuntimeError('imported')")
    preferences('[plugins]\ndisable = ["acme-bad", "one-that-is-gone"]\n')
    assert run(["list-plugins"]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("acme-bad"))
    assert "disabled" in row
    assert "b2b.toml" in row
    assert install.modules() == set()


def test_a_project_adds_to_the_user(install, preferences, tmp_path):
    """The file in the working directory is read too; its choice wins."""
    install("acme-one", offers="sharpness")
    install("acme-two", offers="sharpness")
    preferences('[resolve]\nloss.sharpness = "acme-one"\n')
    (tmp_path / "work" / "b2b.toml").write_text('[resolve]\nloss.sharpness = "acme-two"\n')
    owner = catalogue_from(Context(Command("x"))).owner("loss", "sharpness")
    assert owner.distribution == "acme-two"


@pytest.mark.parametrize("text", ["[plugins", '[plugin]\ndisable = ["x"]\n'])
def test_wrong_preferences_are_named(preferences, capsys, text):
    """One line says which file, and what about it."""
    preferences(text)
    assert run(["list-plugins"]) == 2
    assert "b2b.toml" in capsys.readouterr().err


@pytest.mark.usefixtures("preferences", "install")
def test_a_local_file_is_loaded_where_the_command_names_it(tmp_path, capsys):
    """Its components work, its state is "local", and its sha256 is shown."""
    path = tmp_path / "My Plugin.py"
    path.write_text(LOSS.format(name="sharpness"))
    assert run(["--plugin-file", str(path), "list-plugins", "--json"]) == 0
    assert '"local-my-plugin"' in capsys.readouterr().out
    found = state_of("local-my-plugin", Switches(files=(path,)))
    assert (found.state, found.origin, found.works) == ("local", "file", True)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.components == {"loss": ("sharpness",)}


@pytest.mark.usefixtures("preferences", "install")
def test_a_local_file_does_not_load_by_lying_there(tmp_path):
    """Only the option loads a file; the working directory and preferences cannot."""
    (tmp_path / "work" / "b2b_plugin.py").write_text("raise SystemExit('executed')")
    assert run(["list-plugins"]) == 0
    with pytest.raises(UsageError, match=r"\[plugins\] is not like"):
        Switches().with_table({"plugins": {"files": ["b2b_plugin.py"]}}, "b2b.toml")


@pytest.mark.usefixtures("preferences")
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.py", None, "cannot read the plugin file"),
        ("notes.txt", "", "has to end in .py"),
    ],
)
def test_a_wrong_local_file_is_refused(tmp_path, capsys, name, content, said):
    """One line, exit code 2."""
    if content is not None:
        (tmp_path / name).write_text(content)
    assert run(["--plugin-file", str(tmp_path / name), "list-plugins"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("preferences")
def test_a_broken_local_file_is_one_broken_plugin(tmp_path, capsys):
    """The listing goes on and says what is wrong with the file."""
    (tmp_path / "bad.py").write_text("import absent_module")
    assert run(["--plugin-file", str(tmp_path / "bad.py"), "list-plugins"]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("local-bad"))
    assert "broken" in row
    assert "absent_module" in row


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_a_wrong_time_limit_is_refused(monkeypatch, text):
    """`B2B_PLUGIN_SECONDS` is a positive number."""
    monkeypatch.setenv("B2B_PLUGIN_SECONDS", text)
    with pytest.raises(UsageError, match="B2B_PLUGIN_SECONDS"):
        discover()


def test_the_requirement_gives_the_same_plugin_again(install):
    """An index pins the version, version control the commit, a folder its url."""
    install("acme-index", version="1.2", offers="a")
    vcs = {"url": "https://x/y.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    install("acme-vcs", direct_url=vcs, offers="b")
    install("acme-dev", direct_url={"url": "file:///d", "dir_info": {"editable": True}}, offers="c")
    lines = {p.distribution: p.requirement for p in discover().plugins}
    assert lines["acme-index"] == "acme-index==1.2"
    assert lines["acme-vcs"] == "acme-vcs @ git+https://x/y.git@abc"
    assert lines["acme-dev"] == "-e file:///d"
