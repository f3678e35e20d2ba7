"""Terms: weights that are not free for commercial use are fetched only once accepted."""

from __future__ import annotations

import pytest

from b2b_core.catalogue import discover
from b2b_core.config import write_toml
from b2b_core.errors import UsageError
from b2b_core.weights import Acceptance, accepted, cache_folder, resolve_weights
from tests.serving import CONTENT, SHA256, Server

PAGE = "https://example.org/licence"


@pytest.fixture
def server():
    """Give a server, stopped after the test."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def listed(monkeypatch, tmp_path, server):
    """Give a function that lists weights on the server under a licence, in the user's file."""
    monkeypatch.delenv("B2B_ACCEPT_LICENCE", raising=False)
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()

    def use(licence, accept=None):
        row = {"name": "unet.test", "component": "unet", "kind": "deblurrer", "summary": "s"}
        row |= {"urls": [server.url], "sha256": SHA256, "licence": licence, "source": PAGE}
        terms = {} if accept is None else {"licences": {"accept": accept}}
        write_toml(tmp_path / "config" / "b2b.toml", {"weights": [row], **terms})

    return use


def get(acceptance=None):
    """Fetch the weights; return their content."""
    return resolve_weights("unet.test", discover(), acceptance=acceptance).read_bytes()


@pytest.mark.parametrize("licence", ["MIT", "CC-BY-SA-4.0 AND CC-BY-4.0"])
def test_free_weights_need_nothing(listed, licence):
    """A licence that is free for commercial use is shown, not asked about."""
    listed(licence)
    assert get() == CONTENT


def test_other_weights_are_refused_before_the_first_byte(listed, server):
    """The line has the licence, what it means, its page, and the command that accepts it."""
    listed("CC-BY-NC-4.0")
    with pytest.raises(UsageError) as caught:
        get()
    assert str(caught.value) == (
        "the weights 'unet.test' are not fetched: licence CC-BY-NC-4.0, it forbids commercial use "
        f"({PAGE}); if you accept that: b2b weights fetch unet.test --accept-licence CC-BY-NC-4.0"
    )
    assert server.asked == []
    assert not cache_folder().exists()


@pytest.mark.parametrize("said", ["CC-BY-NC-4.0", " cc-by-nc-4.0", "unet.test"])
def test_a_licence_or_the_weights_can_be_accepted(listed, said):
    """By the licence's name as it is printed, for all that have it, or by the weights' own."""
    listed("CC-BY-NC-4.0")
    assert get(Acceptance(frozenset({said}))) == CONTENT


@pytest.mark.parametrize("said", ["CC-BY-NC-SA-4.0", "MIT", "unet", "unet.other", ""])
def test_another_name_accepts_nothing(listed, said):
    """Only what was printed counts."""
    listed("CC-BY-NC-4.0")
    with pytest.raises(UsageError, match="are not fetched"):
        get(Acceptance(frozenset({said})))


@pytest.mark.parametrize("nothing", ["none stated", "unknown"])
def test_no_licence_is_accepted_file_by_file(listed, nothing):
    """There are no terms that one could agree to once for all; the weights' name is asked for."""
    listed(nothing)
    with pytest.raises(UsageError, match=r"--accept-licence unet\.test$"):
        get(Acceptance(frozenset({nothing})))
    assert get(Acceptance(frozenset({"unet.test"}))) == CONTENT


def test_a_name_with_blanks_is_quoted(listed):
    """The command in the line can be pasted into a shell."""
    listed("MIT AND CC-BY-NC-4.0")
    with pytest.raises(UsageError, match=r"--accept-licence 'MIT AND CC-BY-NC-4.0'$"):
        get()


def test_the_environment_accepts(listed, monkeypatch):
    """A comma-separated list, for machines without a user."""
    listed("CC-BY-NC-4.0")
    monkeypatch.setenv("B2B_ACCEPT_LICENCE", "X, CC-BY-NC-4.0")
    assert get() == CONTENT


def test_the_users_file_accepts(listed):
    """`[licences] accept` holds for every command."""
    listed("CC-BY-NC-4.0", accept=["CC-BY-NC-4.0"])
    assert get() == CONTENT


def test_a_project_cannot_accept(listed, tmp_path):
    """Neither alone nor beside the user's file."""
    listed("CC-BY-NC-4.0")
    (tmp_path / "b2b.toml").write_text('[licences]\naccept = ["CC-BY-NC-4.0"]\n')
    assert accepted().names == frozenset()
    with pytest.raises(UsageError, match=r"a project may not accept licences.*move \[licences\]"):
        get()


def test_what_is_accepted_once_stays_usable(listed):
    """The file in the cache was accepted when it was fetched; later commands only use it."""
    listed("CC-BY-NC-4.0")
    assert get(accepted("CC-BY-NC-4.0")) == CONTENT
    assert get(Acceptance()) == CONTENT


@pytest.mark.parametrize("wrong", ["CC-BY-NC-4.0", [3]])
def test_a_wrong_table_is_named(listed, wrong, tmp_path):
    """One line: the entry and the file."""
    listed("CC-BY-NC-4.0", accept=wrong)
    with pytest.raises(UsageError, match=r"'accept.*\[licences\] in ") as caught:
        get()
    assert str(tmp_path / "config" / "b2b.toml") in str(caught.value)
