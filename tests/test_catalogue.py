"""The catalogue: what is found, what is offered under which name, what is built."""

from __future__ import annotations

import pytest

from b2b_core.catalogue import Switches, discover
from b2b_core.errors import B2bError, UsageError
from b2b_core.specs import HOOK_OF_KIND, LossSpec


def plugin(catalogue, name):
    """Return the row of one distribution."""
    return next(p for p in catalogue.plugins if p.distribution == name)


def test_a_plugin_is_found_with_its_metadata(install):
    """Name, version, licence, origin and components of an installed plugin are listed."""
    install("acme-losses", offers="sharpness", version="2.1")
    found = plugin(discover(), "acme-losses")
    assert (found.version, found.licence, found.origin) == ("2.1", "MIT", "index")
    assert found.state == "unlisted"
    assert found.works
    assert found.components == {"loss": ("sharpness",)}


@pytest.mark.parametrize(
    ("direct_url", "origin"),
    [
        (None, "index"),
        ({"url": "file:///x", "dir_info": {"editable": True}}, "editable"),
        ({"url": "file:///x", "dir_info": {}}, "local"),
        ({"url": "file:///x.whl", "archive_info": {}}, "local"),
        ({"url": "https://x/y.git", "vcs_info": {"vcs": "git"}}, "vcs"),
        ({"url": "https://x/y.whl", "archive_info": {}}, "url"),
        ([], "unknown"),
    ],
)
def test_the_origin_is_read_from_direct_url(install, direct_url, origin):
    """PEP 610 tells an index from editable, version control, local and other urls."""
    install("acme-losses", direct_url=direct_url)
    assert plugin(discover(), "acme-losses").origin == origin


@pytest.mark.parametrize(
    ("line", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("License: BSD\n        and much more", "BSD"),
        ("", "unknown"),
    ],
)
def test_the_licence_is_one_line(install, line, licence):
    """The SPDX expression wins; an old licence field is cut at its first line."""
    install("acme-losses", licence=line)
    assert plugin(discover(), "acme-losses").licence == licence


def test_other_entry_point_groups_are_no_plugins(install):
    """Only the group `b2b` counts, not one whose name begins like it."""
    install("not-ours", group="b2b_other")
    assert all(p.distribution != "not-ours" for p in discover().plugins)


def test_the_order_is_that_of_names(install):
    """Neither folders nor installation order show in the listing."""
    for name in ("zz-last", "mm-middle", "aa-first"):
        install(name, offers=name)
    names = [p.distribution for p in discover().plugins]
    assert names == sorted(names)
    losses = [spec.name for spec in discover().specs("loss")]
    assert losses == sorted(losses)


def test_a_distribution_seen_twice_counts_once(install):
    """Names are compared normalised; the first on the path is the one that Python imports."""
    install("Acme_Losses", offers="one", version="1.0")
    install("acme.losses", offers="two", version="2.0")
    found = [p for p in discover().plugins if p.distribution == "acme-losses"]
    assert len(found) == 1


def test_a_component_is_found_and_built_by_name(install):
    """`build` structures the options into the config class and calls the factory."""
    install("acme-losses", offers="sharpness")
    catalogue = discover()
    assert isinstance(catalogue.spec("loss", "sharpness"), LossSpec)
    assert catalogue.owner("loss", "sharpness").distribution == "acme-losses"
    assert catalogue.build("loss", "sharpness").config.weight == 1.0
    assert catalogue.build("loss", "sharpness", {"weight": 3}).config.weight == 3.0


def test_a_wrong_option_names_the_component(install):
    """The error says which component's option is wrong."""
    install("acme-losses", offers="sharpness")
    with pytest.raises(UsageError, match=r"'wight' \(loss sharpness\); did you mean 'weight'"):
        discover().build("loss", "sharpness", {"wight": 3})


def test_an_unknown_name_is_answered_with_the_closest(install):
    """A misspelt component is refused with the name that was probably meant."""
    install("acme-losses", offers="sharpness")
    with pytest.raises(UsageError, match="loss 'sharpnes'; did you mean 'sharpness'"):
        discover().spec("loss", "sharpnes")


def test_an_unknown_kind_is_answered_with_the_closest():
    """A misspelt kind is refused too."""
    with pytest.raises(UsageError, match="kind 'translater'; did you mean 'translator'"):
        discover().specs("translater")


def test_a_name_claimed_twice_must_be_qualified(install):
    """Both plugins are in conflict, the bare name is refused, `distribution:name` decides."""
    install("acme-losses", offers="sharpness")
    install("b2b-plugin-other", offers="sharpness")
    catalogue = discover()
    for name, other in (("acme-losses", "b2b-plugin-other"), ("b2b-plugin-other", "acme-losses")):
        found = plugin(catalogue, name)
        assert (found.state, found.works) == ("conflict", True)
        assert other in found.cause
        assert f"{name}:sharpness" in found.mend
    with pytest.raises(UsageError, match="'acme-losses:sharpness' or 'b2b-plugin-other:sharpness'"):
        catalogue.build("loss", "sharpness")
    assert catalogue.owner("loss", "acme-losses:sharpness").distribution == "acme-losses"
    assert catalogue.owner("loss", "other:sharpness").distribution == "b2b-plugin-other"


def test_switching_one_claimant_off_settles_a_conflict(install):
    """With one plugin disabled the other's name is bare again."""
    install("acme-losses", offers="sharpness")
    install("b2b-plugin-other", offers="sharpness")
    catalogue = discover(Switches(disabled={"acme-losses": "-p"}))
    assert plugin(catalogue, "b2b-plugin-other").state == "unlisted"
    assert catalogue.owner("loss", "sharpness").distribution == "b2b-plugin-other"


@pytest.mark.parametrize("said", ["b2b-plugin-off", "off", "B2B_Plugin.Off"])
def test_a_disabled_plugin_is_never_imported(install, said):
    """`no:NAME` works for a plugin that would not survive its import; the prefix is optional."""
    install("b2b-plugin-off", "raise RuntimeError('imported')")
    found = plugin(discover(Switches(disabled={said: "-p"})), "b2b-plugin-off")
    assert (found.state, found.components) == ("disabled", {})
    assert install.modules() == set()


def test_the_environment_chooses_plugins(install, monkeypatch):
    """`B2B_PLUGINS` is a list of the only plugins to load; empty elements mean nothing."""
    install("acme-one", offers="one")
    install("acme-two", offers="two")
    monkeypatch.setenv("B2B_PLUGINS", " acme-one, ,")
    catalogue = discover()
    assert plugin(catalogue, "acme-two").state == "disabled"
    assert "B2B_PLUGINS" in plugin(catalogue, "acme-two").cause
    assert [spec.name for spec in catalogue.specs("loss")] == ["one"]
    assert install.modules() == {"acme_one"}


def test_the_environment_can_choose_none(install, monkeypatch):
    """`B2B_PLUGINS=none` loads no plugin."""
    install("acme-one")
    monkeypatch.setenv("B2B_PLUGINS", "none")
    assert {p.state for p in discover().plugins if p.distribution != "b2b-core"} == {"disabled"}
    assert install.modules() == set()


def test_a_plugin_that_is_not_there_cannot_be_chosen_or_disabled(install, monkeypatch):
    """A misspelt name is an error in both places, so that nobody relies on it."""
    install("b2b-plugin-blurry")
    with pytest.raises(UsageError, match="no plugin 'blury'; did you mean 'blurry'"):
        discover(Switches(disabled={"blury": "-p"}))
    monkeypatch.setenv("B2B_PLUGINS", "blury")
    with pytest.raises(UsageError, match=r"'blury' \(B2B_PLUGINS\)"):
        discover()


def test_behaviour_hooks_are_called_one_by_one(install):
    """`notify` passes each hook what it asks for and collects what it returns, by name."""
    hook = (
        "from b2b_core import hookimpl\n"
        "@hookimpl\n"
        "def b2b_checkpoint_metadata({arguments}):\n    return {result}\n"
    )
    install("acme-b", hook.format(arguments="run_dir", result="{'dir': str(run_dir)}"))
    install("acme-a", hook.format(arguments="", result="{'fixed': 'yes'}"))
    install("acme-c", hook.format(arguments="", result="None"))
    catalogue = discover()
    assert catalogue.notify("b2b_checkpoint_metadata", run_dir="r") == [
        {"fixed": "yes"},
        {"dir": "r"},
    ]
    owners = [owner for owner, _ in catalogue.answers("b2b_checkpoint_metadata", run_dir="r")]
    assert owners == ["acme-a", "acme-b"]


def test_a_failing_behaviour_hook_stops_nobody(install, capsys):
    """An exception or exit in one plugin's hook is logged with its name; the others run."""
    hook = "from b2b_core import hookimpl\n@hookimpl\ndef b2b_run_finished(outcome):\n    {body}\n"
    install("acme-a", hook.format(body="raise RuntimeError('oh')"))
    install("acme-b", hook.format(body="raise SystemExit(3)"))
    install("acme-c", hook.format(body="return outcome"))
    assert discover().notify("b2b_run_finished", run_dir="r", outcome="done") == ["done"]
    logged = capsys.readouterr().err
    assert "acme-a" in logged
    assert "RuntimeError: oh" in logged
    assert "acme-b" in logged


def test_every_kind_has_its_hook():
    """The table of kinds and the hooks of the specification agree."""
    from b2b_core import hookspecs

    assert all(hasattr(hookspecs, hook) for hook in HOOK_OF_KIND.values())


def test_a_known_component_that_is_absent_says_what_to_install(monkeypatch):
    """Where the index knows a component, the error is the line that installs it."""
    monkeypatch.setenv("B2B_PLUGINS", "none")
    with pytest.raises(UsageError, match="b2b-plugin-unet is disabled: not in B2B_PLUGINS"):
        discover().spec("translator", "unet")
    catalogue = discover()
    bare = type(catalogue)(plugins=(), offers=(), hooks=catalogue.hooks)
    with pytest.raises(UsageError, match="pip install 'b2b-plugin-unet'"):
        bare.spec("translator", "unet")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import absent_module", "ModuleNotFoundError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("raise ValueError('bad value')", "ValueError: bad value"),
    ],
)
def test_a_factory_that_fails_names_the_plugin(install, body, said):
    """Whatever a factory raises becomes one line with component and distribution."""
    source = (
        "from attrs import frozen\nfrom b2b_core import hookimpl\n"
        "from b2b_core.specs import LossSpec\n"
        "@frozen\nclass C:\n    pass\n"
        f"def make(config):\n    {body}\n"
        "@hookimpl\ndef b2b_losses():\n"
        "    return [LossSpec(name='f', config=C, factory=make, summary='s')]\n"
    )
    install("acme-losses", source)
    with pytest.raises(B2bError) as caught:
        discover().build("loss", "f")
    assert said in str(caught.value)
    assert "acme-losses" in str(caught.value)


def test_the_real_plugins_work():
    """The project's own plugins come in by the same door and are all listed in the index."""
    ours = [p for p in discover().plugins if p.distribution.startswith("b2b-plugin-")]
    assert [p for p in ours if p.state != "ok"] == []
    assert ours
