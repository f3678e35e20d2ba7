"""`b2b list` and `b2b show`: names, what they mean, facts and weights."""

from __future__ import annotations

import json

import pytest

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.specs import HOOK_OF_KIND


def printed(capsys, *arguments):
    """Run a command that has to succeed and return what it prints."""
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    """Run a command that has to be refused and return its line."""
    assert run(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


# --- list ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["translator", "translators", "Translators"])
def test_a_kind_lists_its_components(capsys, said):
    """Names, distributions, licences and summaries; the default is marked."""
    header, *lines = printed(capsys, "list", said).splitlines()
    assert header.split() == ["name", "distribution", "licence", "summary"]
    rows = {line.split()[0]: line for line in lines}
    assert set(rows) == {spec.name for spec in discover().specs("translator")}
    assert rows["unet"].startswith("unet *")
    assert "*" not in rows["nafnet"]
    assert "b2b-plugin-nafnet" in rows["nafnet"]


@pytest.mark.parametrize("kind", HOOK_OF_KIND)
def test_every_kind_can_be_listed(kind, capsys):
    """As JSON, with the components that the catalogue has, and at most one default."""
    document = json.loads(printed(capsys, "list", kind, "--json"))
    assert set(document) == {"schema", "kind", "components", "available"}
    assert (document["schema"], document["kind"]) == (1, kind)
    names = [one["name"] for one in document["components"]]
    assert names == [spec.name for spec in discover().specs(kind)]
    assert sum(one["default"] for one in document["components"]) <= 1
    keys = {"kind", "name", "distribution", "state", "summary", "licence", "default", "default_of"}
    assert all(set(one) == keys for one in document["components"])


def test_without_a_kind_all_are_listed(capsys):
    """The order is that of the kinds, strategies first."""
    kinds = [one["kind"] for one in json.loads(printed(capsys, "list", "--json"))["components"]]
    order = list(HOOK_OF_KIND)
    assert kinds == sorted(kinds, key=order.index)
    assert {"strategy", "domain", "loss"} <= set(kinds)


def test_a_misspelt_kind_is_answered_with_the_closest(capsys):
    """Of `list` and of `show --kind`."""
    assert "did you mean 'translator'?" in refused(capsys, "list", "translatr")
    assert "did you mean 'domain'?" in refused(capsys, "show", "unet", "--kind", "dommain")


def test_nothing_of_a_kind_is_said(capsys, monkeypatch):
    """An empty list is a sentence."""
    monkeypatch.setenv("B2B_PLUGINS", "none")
    said = printed(capsys, "list", "losses")
    assert said == "no plugin that works offers a loss; see b2b list-plugins\n"


def test_the_users_default_is_the_one_that_is_marked(tmp_path, monkeypatch, capsys):
    """`[defaults]` of the preferences wins, and the file is named."""
    (tmp_path / "b2b.toml").write_text('[defaults]\ntranslator = "nafnet"\n')
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    rows = json.loads(printed(capsys, "list", "translator", "--json"))["components"]
    assert [one["name"] for one in rows if one["default"]] == ["nafnet"]
    (default,) = [one["default_of"] for one in rows if one["default"]]
    assert default == f"user {tmp_path / 'b2b.toml'}"


def test_available_ones_are_listed_with_the_reason_and_the_mend(capsys, monkeypatch, tmp_path):
    """Not installed: the pip line. Installed and off: the command that switches it on."""
    (tmp_path / "b2b.toml").write_text(
        '[plugins]\ndisable = ["nafnet"]\n[[component]]\nkind = "translator"\nname = "far"\n'
        'distribution = "acme-far"\nlicence = "MIT"\nsummary = "far away"\n'
    )
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    assert "far" not in printed(capsys, "list", "translators")
    document = json.loads(printed(capsys, "list", "translators", "--available", "--json"))
    rows = {one["name"]: one for one in document["available"]}
    assert rows["far"]["state"] == "not installed"
    assert rows["far"]["mend"] == "pip install acme-far"
    assert rows["nafnet"]["state"] == "disabled"
    assert rows["nafnet"]["mend"] == "b2b plugins enable b2b-plugin-nafnet"
    text = printed(capsys, "list", "translators", "--available")
    assert "not installed; pip install acme-far" in text


# --- show ---------------------------------------------------------------------------------------


def test_a_name_shows_all_kinds_that_have_it(capsys):
    """`show unet` is the translator and the deblurrer; `--kind` keeps one."""
    document = json.loads(printed(capsys, "show", "unet", "--json"))
    assert set(document) == {"schema", "name", "components", "plugins", "weights", "missing"}
    assert [one["kind"] for one in document["components"]] == ["translator", "deblurrer"]
    assert document["plugins"] == []
    one = json.loads(printed(capsys, "show", "unet", "--kind", "deblurrers", "--json"))
    assert [c["kind"] for c in one["components"]] == ["deblurrer"]


def test_the_text_tells_what_the_issue_asks_for(capsys):
    """Settings with types and defaults, size rule, weights, licence, citation, an example."""
    text = printed(capsys, "show", "unet", "--kind", "deblurrer")
    for said in (
        "deblurrer unet (b2b-plugin-unet, ok, the default of b2b-core)",
        "Apache-2.0",
        "Ronneberger et al.",
        "height and width: multiples of 8 pixels",
        "a whole number",
        ">= 1, <= 4",
        "Residual blocks per level",
        "unet.gopro",
        "4.4 MB",
        "installed",
    ):
        assert said in text


def test_a_strategy_tells_needs_defaults_and_presets(capsys):
    """The facts of its kind are there, in words and as data."""
    (one,) = json.loads(printed(capsys, "show", "adversarial", "--json"))["components"]
    spec = discover().spec("strategy", "adversarial")
    assert one["facts"]["needs"] == list(spec.needs)
    assert one["facts"]["defaults"] == dict(spec.defaults)
    assert set(one["facts"]["presets"]) == set(spec.presets)
    text = printed(capsys, "show", "adversarial")
    assert ", ".join(spec.needs) in text
    assert ", ".join(spec.presets) in text


@pytest.mark.parametrize(
    ("said", "distribution"),
    [("acme-one:twin", "acme-one"), ("two:twin", "b2b-plugin-two")],
)
def test_a_contested_name_is_shown_with_both_and_can_be_qualified(
    install, capsys, said, distribution
):
    """Both claimants are shown, neither is the default; `distribution:name` keeps one."""
    install("acme-one", offers="twin")
    install("b2b-plugin-two", offers="twin")
    both = json.loads(printed(capsys, "show", "twin", "--json"))["components"]
    assert [one["distribution"] for one in both] == ["acme-one", "b2b-plugin-two"]
    (one,) = json.loads(printed(capsys, "show", said, "--json"))["components"]
    assert one["distribution"] == distribution
    assert one["state"] == "conflict"


def test_a_distribution_is_shown_with_its_components(capsys):
    """By its whole name, or without the prefix where no component is called so."""
    for said in ("b2b-plugin-losses", "losses", "B2B_Plugin.Losses"):
        (one,) = json.loads(printed(capsys, "show", said, "--json"))["plugins"]
        assert one["name"] == "b2b-plugin-losses"
        assert "hinge-gan" in [component["name"] for component in one["details"]]
    text = printed(capsys, "show", "losses")
    assert text.startswith("b2b-plugin-losses ")
    assert "loss hinge-gan" in text


def test_a_broken_distribution_is_shown_with_cause_and_mend(install, capsys):
    """What cannot be imported can still be asked about."""
    install("acme-bad", "import absent_module")
    text = printed(capsys, "show", "acme-bad")
    assert "acme-bad 1.0 (broken)" in text
    assert "absent_module" in text
    assert "b2b plugins disable acme-bad" in text


def test_published_weights_are_shown_by_name(capsys):
    """With licence, size, hash, and where they are."""
    document = json.loads(printed(capsys, "show", "unet.gopro", "--json"))
    (one,) = document["weights"]
    assert (one["state"], one["mend"], one["licence"]) == ("installed", "", "CC-BY-SA-4.0")
    assert len(one["sha256"]) == 64
    assert one["sha256"] in printed(capsys, "show", "unet.gopro")


def test_weights_whose_plugin_is_off_are_not_called_installed(capsys):
    """The state speaks of what can be used now."""
    arguments = ["-p", "no:gopro", "show", "unet.gopro", "--json"]
    (one,) = json.loads(printed(capsys, *arguments))["weights"]
    assert (one["state"], one["mend"]) == ("not installed", "pip install b2b-plugin-gopro")


WEIGHTS = """
[[weights]]
name = "unet.direct"
component = "unet"
kind = "deblurrer"
licence = "CC-BY-NC-4.0"
summary = "for the test"
urls = ["https://example.org/unet.safetensors"]
metrics = [{ protocol = "none at all", figures = { psnr = 31.5 } }]

[[weights]]
name = "unet.page"
component = "unet"
kind = "deblurrer"
licence = "MIT"
summary = "for the test"
source = "https://example.org/page"
"""


def test_the_state_of_weights_tells_how_to_get_them(tmp_path, monkeypatch, capsys):
    """A licence to accept: in the command. No address: the page. Once fetched: nothing."""
    (tmp_path / "b2b.toml").write_text(WEIGHTS)
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))

    def weights():
        (one,) = json.loads(
            printed(capsys, "show", "unet", "--kind", "deblurrer", "--json")
        )["components"]  # fmt: skip
        return {row["name"]: row for row in one["weights"]}

    direct = weights()["unet.direct"]
    assert direct["state"] == "needs acceptance"
    assert direct["mend"] == "b2b weights fetch unet.direct --accept-licence CC-BY-NC-4.0"
    assert weights()["unet.page"]["state"] == "manual"
    assert "https://example.org/page" in weights()["unet.page"]["mend"]
    assert "psnr 31.5 (none at all)" in printed(capsys, "show", "unet.direct")
    (tmp_path / "cache" / "weights").mkdir(parents=True)
    (tmp_path / "cache" / "weights" / "unet.direct.safetensors").write_bytes(b"x")
    assert weights()["unet.direct"]["state"] == "cached"


def test_a_known_component_that_is_off_is_shown_with_the_reason(capsys):
    """Nothing offers it now; the index knows who would."""
    text = printed(capsys, "-p", "no:nafnet", "show", "nafnet")
    assert "translator nafnet (disabled)" in text
    assert "-p no:nafnet" in text


@pytest.mark.parametrize(
    ("said", "best"),
    [("unnet", "unet"), ("unet.gopr", "unet.gopro"), ("b2b-plugin-unett", "b2b-plugin-unet")],
)
def test_an_unknown_name_is_answered_with_the_closest(said, best, capsys):
    """Among components, weights and distributions."""
    assert f"nothing is called '{said}'; did you mean '{best}'?" in refused(capsys, "show", said)
