"""What a user's and a project's `b2b.toml` add to the index, and what they may not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest
from attrs import fields

from b2b_core.catalogue import discover
from b2b_core.download import ENVIRONMENT as SECONDS
from b2b_core.errors import UsageError
from b2b_core.preferences import layers
from b2b_core.registry import ComponentRow, DomainRow, Figures, WeightsRow, load_registry
from b2b_core.registry.licences import FREE
from b2b_core.registry_file import claims, listed_distributions
from b2b_core.weights.acceptance import ENVIRONMENT as ACCEPT
from b2b_core.weights.cache import ENVIRONMENT as CACHE
from b2b_core.weights.inventory import State
from b2b_core.weights.resolve import OFFLINE

LOSS = """
[[component]]
kind = "loss"
name = "{name}"
distribution = "{distribution}"
licence = "MIT"
summary = "a loss"
"""
WEIGHTS = """
[[weights]]
name = "{name}"
kind = "deblurrer"
component = "unet"
urls = ["https://example.org/w"]
licence = "{licence}"
summary = "weights"
"""


@pytest.fixture
def user(monkeypatch, tmp_path):
    """Give a function that writes the user's file."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return (tmp_path / "config" / "b2b.toml").write_text


@pytest.fixture
def project(user, monkeypatch, tmp_path):  # noqa: ARG001 - the user's file must not be the real one
    """Give a function that writes the file in the working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return (tmp_path / "work" / "b2b.toml").write_text


def loss(name="sharpness", distribution="acme-losses", more=""):
    """Return a row of a loss."""
    return LOSS.format(name=name, distribution=distribution) + more


def weights(name="unet.acme", licence="MIT"):
    """Return a row of weights."""
    return WEIGHTS.format(name=name, licence=licence)


def refusal(match):
    """Return a context in which the index must not load."""
    return pytest.raises(UsageError, match=match)


@pytest.mark.usefixtures("project")
def test_without_additions_all_is_the_cores():
    """Each row and each default says that it comes from the core."""
    index = load_registry()
    assert {row.source_file for row in (*index.component, *index.weights)} == {"b2b-core"}
    assert set(index.default_sources.values()) == {"b2b-core"}
    assert index.default_sources.keys() == index.defaults.keys()


@pytest.mark.usefixtures("project")
def test_a_user_adds_and_replaces(user, tmp_path):
    """New rows, replaced rows and defaults say that they come from the user's file."""
    user(f'[defaults]\nloss = "sharpness"\n{loss()}{loss("charbonnier")}{weights("unet.gopro")}')
    index, path = load_registry(), tmp_path / "config" / "b2b.toml"
    added, replaced = (index.component_named("loss", n) for n in ("sharpness", "charbonnier"))
    assert (added.distribution, added.source_file) == ("acme-losses", f"user {path}")
    assert (replaced.distribution, replaced.source_file) == ("acme-losses", f"user {path}")
    assert index.weights_named("unet.gopro").source_file == f"user {path}"
    assert index.weights_named("unet.starter").source_file == "b2b-core"
    assert (index.defaults["loss"], index.default_sources["loss"]) == ("sharpness", f"user {path}")
    assert index.default_sources["translator"] == "b2b-core"


def test_a_project_adds_and_sets_defaults(user, project, tmp_path):
    """It wins over the user where both set a default."""
    user('[defaults]\nloss = "charbonnier"\ntranslator = "nafnet"\n')
    project(f'[defaults]\nloss = "sharpness"\n{loss()}{weights()}')
    index, path = load_registry(), tmp_path / "work" / "b2b.toml"
    assert index.component_named("loss", "sharpness").source_file == f"project {path}"
    assert index.weights_named("unet.acme").source_file == f"project {path}"
    assert (index.defaults["loss"], index.defaults["translator"]) == ("sharpness", "nafnet")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (loss("charbonnier"), "may not replace the loss 'charbonnier' of b2b-core"),
        (weights("unet.gopro"), "may not replace the weights 'unet.gopro' of b2b-core"),
        (loss("mine"), "may not replace the loss 'mine' of user "),
        (
            '[[domain]]\nname="gopro"\ndistribution="d"\nlicence="MIT"\nsummary="s"',
            "may not replace the domain 'gopro' of b2b-core",
        ),
        ('[licences]\naccept = ["CC-BY-NC-4.0"]', "may not accept licences"),
        (loss(more='aliases = ["charbonnier"]'), "loss 'charbonnier' is listed twice"),
    ],
)
def test_a_project_replaces_nothing(user, project, tmp_path, text, said):
    """Its folder may be somebody else's: it decides neither whose a name is nor any terms."""
    user(loss("mine"))
    project(text)
    with refusal(said) as caught:
        load_registry()
    assert str(tmp_path / "work" / "b2b.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (loss(more='sumary = "x"'), r"component\[0\]\.sumary'.*mean 'summary'"),
        (loss().replace("summary", "#"), r"'component\[0\]\.summary' has to be set"),
        ("[defaults]\nloss = 3", "'defaults.loss' is 3"),
        ("[component]\nkind = 1", "'component' is .*, not a list"),
        (weights() + weights(), "weights 'unet.acme' is listed twice"),
        ("schema = 1", "unknown table 'schema'"),
        ("loss = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_named_with_the_entry(user, tmp_path, text, said):
    """One line: what, where, mend."""
    user(text)
    with refusal(said) as caught:
        load_registry()
    assert str(tmp_path / "config" / "b2b.toml") in str(caught.value)


@pytest.mark.usefixtures("project")
def test_a_change_is_seen_at_once(user):
    """The index is read once, and again when a file is written, changed or gone."""
    first = load_registry()
    assert load_registry() is first
    user(loss("one"))
    assert load_registry().component_named("loss", "one")
    user(loss("two"))
    assert load_registry().component_named("loss", "one") is None
    assert load_registry().component_named("loss", "two")


def test_another_folder_is_another_project(project, monkeypatch, tmp_path):
    """What one project says does not hold in the next."""
    project(loss("one"))
    assert load_registry().component_named("loss", "one")
    monkeypatch.chdir(tmp_path)
    assert load_registry().component_named("loss", "one") is None


def test_one_file_is_not_two_layers(user, monkeypatch, tmp_path):
    """In the folder of the user's own file that file is the user's, and may say all it may say."""
    user('[licences]\naccept = ["X"]')
    monkeypatch.chdir(tmp_path / "config")
    assert [layer.name for layer in layers()] == ["user"]
    assert load_registry().defaults


@pytest.mark.usefixtures("project")
def test_a_listing_knows_the_users_rows(user):
    """Names and distributions of the user's file count in the listing; the user's row wins."""
    user(loss(distribution="Acme.Losses") + loss("charbonnier", "acme-two"))
    assert claims()["loss", "sharpness"] == "acme-losses"
    assert claims()["loss", "charbonnier"] == "acme-two"
    assert claims()["domain", "gopro"] == "b2b-plugin-gopro"
    assert {"acme-losses", "acme-two", "b2b-plugin-gopro"} <= listed_distributions()


def test_a_listing_gives_nothing_to_a_project(project):
    """A folder cannot say that an impostor is the owner of a name."""
    before, listed = dict(claims()), listed_distributions()
    project(loss() + loss("charbonnier"))
    assert (dict(claims()), listed_distributions()) == (before, listed)


@pytest.mark.parametrize(
    "text", ["loss = ", "component = 3", "[[component]]\nname = 3\nkind = []", "component = [1]"]
)
@pytest.mark.usefixtures("project")
def test_a_listing_survives_a_wrong_file(user, text):
    """Commands that help to recover need the index, whatever else is wrong."""
    user("")
    before = dict(claims())
    user(text)
    assert dict(claims()) == before
    assert "b2b-plugin-gopro" in listed_distributions()


@pytest.mark.usefixtures("project")
def test_a_listing_needs_no_checks(user):
    """It loads neither the schema nor its tools, which take longer than the listing."""
    import subprocess
    import sys

    user(loss())
    code = (
        "import sys; from b2b_core.registry_file import claims, listed_distributions\n"
        "assert ('loss', 'sharpness') in claims() and listed_distributions()\n"
        "assert not {'cattrs', 'b2b_core.registry', 'packaging', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert done.returncode == 0


def test_aliases_are_understood(user, install):
    """A component is found by another name that the index gives it."""
    install("acme-losses", offers="sharpness")
    user(loss(more='aliases = ["acuity"]'))
    assert discover().spec("loss", "acuity").name == "sharpness"


RENAMED = 'renamed_to = "sharpness"\nremoved_in = "0.7"\n'


def test_a_former_name_forwards_with_a_warning(user, install, capsys):
    """The warning names the new name and the last version, once; a listing hides the old name."""
    install("acme-losses", offers="sharpness")
    user(loss() + loss("old-sharpness", more=RENAMED))
    assert discover().spec("loss", "old-sharpness").name == "sharpness"
    said = capsys.readouterr().err
    assert "the loss 'old-sharpness' is now called 'sharpness'; b2b 0.7 will not know" in said
    assert discover().spec("loss", "old-sharpness").name == "sharpness"
    assert capsys.readouterr().err == ""
    index = load_registry()
    assert "old-sharpness" not in {row.name for row in index.component}
    assert [row.name for row in index.renamed] == ["old-sharpness"]


@pytest.mark.parametrize(
    "text",
    [
        loss("one", more=RENAMED),
        loss() + loss("one", more=RENAMED.replace('"sharpness"', '"one"')),
        loss("sharpness", more=RENAMED.replace("sharpness", "one")) + loss("one", more=RENAMED),
    ],
)
def test_a_former_name_must_lead_somewhere(user, text):
    """Neither to a name that nobody lists, nor round in a circle."""
    user(text)
    with refusal("is renamed to '.*', which is not listed"):
        load_registry()


def test_a_range_is_part_of_what_is_installed(user):
    """`requires` makes the line that installs a component."""
    user(loss(more='requires = ">=0.2,<1"'))
    assert load_registry().component_named("loss", "sharpness").requirement == (
        "acme-losses>=0.2,<1"
    )
    assert load_registry().component_named("loss", "charbonnier").requirement == (
        "b2b-plugin-losses"
    )


DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.usefixtures("project")
def test_the_example_of_the_docs_is_valid(user):
    """Who copies the example gets the rows that it shows."""
    user((DOCS / "registry.md").read_text().partition("```toml\n")[2].partition("```")[0])
    index = load_registry()
    assert index.component_named("loss", "acuity").requirement == "b2b-plugin-acme>=0.2,<1"
    assert index.component_named("domain", "harbour").deblurrer == "unet.harbour"
    assert index.weights_named("unet.harbour").metrics[0].figures["psnr"] == 31.2


@pytest.mark.parametrize("row", [ComponentRow, DomainRow, WeightsRow, Figures])
def test_each_key_is_described(row):
    """A key that the docs do not name would be a secret."""
    text = (DOCS / "registry.md").read_text()
    names = [field.name for field in fields(row) if field.init]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_states_variables_and_free_licences_are_described():
    """The page on weights names what the commands print and what they read."""
    text = (DOCS / "weights.md").read_text()
    variables = (OFFLINE, CACHE, ACCEPT, SECONDS)
    said = [f"`{state}`" for state in get_args(State)] + [f"`{name}" for name in variables]
    assert [one for one in said if one not in text] == []
    free = text.partition("Free for commercial use are:")[2].partition(". All else")[0]
    assert {name.strip().casefold() for name in free.split(",")} == FREE
