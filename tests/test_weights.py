"""Published weights by name: from a file, a plugin, the cache or a server; always checked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tomllib

import pytest

from b2b_core.catalogue import discover
from b2b_core.config import write_toml
from b2b_core.errors import B2bError, UsageError
from b2b_core.weights import Acceptance, cache_folder, resolve_weights
from tests.serving import CONTENT, SHA256, Server

OTHER = CONTENT[::-1]


@pytest.fixture
def server():
    """Give a server, stopped after the test."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Give a function that adds a row of weights to the user's index; the cache is empty."""
    for name in ("B2B_OFFLINE", "B2B_ACCEPT_LICENCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()

    def use(licences=None, **fields):
        row = {"name": "unet.test", "component": "unet", "kind": "deblurrer", "licence": "MIT"}
        data = {"weights": [row | {"summary": "for a test"} | fields]}
        if licences:
            data["licences"] = {"accept": licences}
        write_toml(tmp_path / "config" / "b2b.toml", data)

    return use


def in_cache():
    """Return the names of the files in the cache, without the empty files of locks."""
    folder = cache_folder() / "weights"
    return (
        sorted(p.name for p in folder.iterdir() if p.suffix != ".lock") if folder.exists() else []
    )


def pins():
    """Return the content of the lock file."""
    return tomllib.loads((cache_folder() / "weights.lock.toml").read_text())["weights"]


def test_a_file_is_taken_as_it_is(tmp_path):
    """An existing path needs no index."""
    path = tmp_path / "my.safetensors"
    path.write_bytes(b"x")
    assert resolve_weights(str(path), discover()) == path
    assert resolve_weights(path, discover()) == path


def test_a_missing_file_is_told_from_an_unknown_name(tmp_path):
    """What looks like a path is called a missing file; a name gets the closest one."""
    with pytest.raises(UsageError, match="no such file"):
        resolve_weights(tmp_path / "my.safetensors", discover())
    with pytest.raises(UsageError, match=r"no weights 'unet.gorpo'; did you mean 'unet.gopro'"):
        resolve_weights("unet.gorpo", discover())


def test_weights_are_fetched_once(server, listed):
    """The first use downloads and checks, the second reads the cache."""
    listed(urls=[server.url], sha256=SHA256, bytes=len(CONTENT))
    path = resolve_weights("unet.test", discover())
    assert path.read_bytes() == CONTENT
    assert path.parent == cache_folder() / "weights"
    assert resolve_weights("unet.test", discover(), offline=True) == path
    assert server.asked == [None]
    assert in_cache() == ["unet.test.safetensors"]


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_weights_must_be_in_the_cache(server, listed, monkeypatch, how):
    """Nothing is asked of the network then, whichever way it is said."""
    listed(urls=[server.url], sha256=SHA256)
    if how == "environment":
        monkeypatch.setenv("B2B_OFFLINE", "1")
    with pytest.raises(UsageError, match="not in the cache"):
        resolve_weights("unet.test", discover(), offline=how == "argument")
    assert server.asked == []


def test_offline_can_be_said_to_be_off(server, listed, monkeypatch):
    """`B2B_OFFLINE=0` is as if it were not set."""
    listed(urls=[server.url], sha256=SHA256)
    monkeypatch.setenv("B2B_OFFLINE", "0")
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


def test_a_damaged_cache_is_fetched_again(server, listed):
    """The hash is checked at each use."""
    listed(urls=[server.url], sha256=SHA256)
    path = resolve_weights("unet.test", discover())
    path.write_bytes(b"damaged")
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


def test_a_damaged_cache_is_told_offline_and_kept(server, listed):
    """Nothing is deleted that cannot be replaced."""
    listed(urls=[server.url], sha256=SHA256)
    path = resolve_weights("unet.test", discover())
    path.write_bytes(OTHER)
    with pytest.raises(B2bError, match=r"is damaged: its sha256 .*; go online once"):
        resolve_weights("unet.test", discover(), offline=True)
    assert path.read_bytes() == OTHER


def test_wrong_bytes_leave_the_damaged_file(server, listed):
    """A failed download replaces nothing, and never puts a wrong file in place."""
    listed(urls=[server.url], sha256=SHA256)
    server.content = OTHER
    with pytest.raises(B2bError, match="not that of the published one"):
        resolve_weights("unet.test", discover())
    assert in_cache() == []


def test_the_first_file_without_a_hash_is_pinned(server, listed):
    """The lock file of the cache says what arrived, from where and when."""
    listed(urls=[server.url])
    resolve_weights("unet.test", discover())
    made = pins()["unet.test"]
    assert (made["sha256"], made["bytes"], made["url"]) == (SHA256, len(CONTENT), server.url)
    assert made["date"].endswith("+00:00")


def test_a_pinned_file_cannot_change(server, listed):
    """Another file at the same address is refused; the line says where the pin is."""
    listed(urls=[server.url])
    path = resolve_weights("unet.test", discover())
    server.content = OTHER
    assert resolve_weights("unet.test", discover()) == path
    path.unlink()
    with pytest.raises(B2bError, match=r"not that of the one of 2.*see weights\.lock\.toml"):
        resolve_weights("unet.test", discover())
    assert in_cache() == []


def test_a_damaged_pinned_file_is_fetched_again(server, listed):
    """The pin is what the cache is checked against."""
    listed(urls=[server.url])
    path = resolve_weights("unet.test", discover())
    path.write_bytes(OTHER)
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


def test_the_beginning_of_a_hash_is_checked_and_the_whole_is_pinned(server, listed):
    """Eight digits are too few to tell a file made to have them."""
    listed(urls=[server.url], sha256_prefix=SHA256[:8])
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT
    assert pins()["unet.test"]["sha256"] == SHA256
    listed(urls=[server.url], sha256_prefix="0" * 8)
    with pytest.raises(B2bError):
        resolve_weights("unet.test", discover())


def test_a_published_hash_is_not_pinned(server, listed):
    """The index is what counts then."""
    listed(urls=[server.url], sha256=SHA256)
    resolve_weights("unet.test", discover())
    assert not (cache_folder() / "weights.lock.toml").exists()


def test_a_damaged_lock_file_is_named(server, listed):
    """The line names file and entry."""
    listed(urls=[server.url])
    resolve_weights("unet.test", discover())
    (cache_folder() / "weights.lock.toml").write_text('[weights."unet.test"]\nsha256 = 3\n')
    with pytest.raises(UsageError, match=r"'weights.unet.test.sha256' is 3.*weights\.lock\.toml"):
        resolve_weights("unet.test", discover())


def test_weights_by_hand_say_where(listed):
    """Without a direct address the page is named, and the licence; nothing is tried."""
    listed(source="https://drive.example.org/d/1", licence="none stated")
    with pytest.raises(
        UsageError, match=r"licence: none stated.*by hand from https://drive.example.org/d/1 and"
    ):
        resolve_weights("unet.test", discover(), acceptance=Acceptance(frozenset({"unet.test"})))


def test_weights_by_hand_are_found_in_the_cache(listed):
    """A person may put the file there; it is pinned as a fetched one would be."""
    listed(source="https://drive.example.org/d/1", format="torch")
    path = cache_folder() / "weights" / "unet.test.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert resolve_weights("unet.test", discover(), offline=True) == path
    assert (pins()["unet.test"]["sha256"], pins()["unet.test"]["url"]) == (SHA256, "by hand")
    path.write_bytes(OTHER)
    with pytest.raises(UsageError, match="by hand from"):
        resolve_weights("unet.test", discover())


FETCHING = (
    "from b2b_core.catalogue import discover\nfrom b2b_core.weights import resolve_weights\n"
    "print(resolve_weights('unet.test', discover()))"
)


def test_two_processes_fetch_one_file_once(server, listed):
    """The second waits for the first and takes its file."""
    listed(urls=[server.url], sha256=SHA256)
    both = threading.Event()

    def hold():
        if len(server.asked) > 1:  # they did not wait for each other
            both.set()
        assert both.wait(60)

    server.before = hold
    output, end = os.pipe()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", FETCHING],
            env=os.environ | {"B2B_PLUGINS": "none"},
            stdout=end,
            stderr=end,
        )
        for _ in range(2)
    ]
    os.close(end)
    with os.fdopen(output) as lines:
        said = []
        for line in lines:
            said.append(line.strip())
            if "another process fetches 'unet.test'; waiting for it" in line:
                both.set()
    assert [process.wait() for process in running] == [0, 0]
    assert said.count(str(cache_folder() / "weights" / "unet.test.safetensors")) == 2
    assert server.asked == [None]


@pytest.mark.parametrize(
    "place", ["cache", "cache/weights", "cache/weights/unet.test.safetensors.lock"]
)
def test_a_cache_that_cannot_be_written_is_told(server, listed, tmp_path, place):
    """One line names the place."""
    listed(urls=[server.url], sha256=SHA256)
    blocked = tmp_path / place
    blocked.parent.mkdir(parents=True, exist_ok=True)
    if blocked.suffix:
        blocked.mkdir()
    else:
        blocked.write_text("a file where a folder is needed")
    with pytest.raises(B2bError, match=r"cannot write the cache.*B2B_CACHE"):
        resolve_weights("unet.test", discover())


SHIPPING = (
    "from pathlib import Path\nfrom b2b_core import hookimpl\n"
    "@hookimpl\ndef b2b_resolve_weights(name):\n"
    "    return Path({path!r}) if name == 'unet.test' else None\n"
)


@pytest.fixture
def shipped(install, tmp_path):
    """Give a function that installs a plugin that ships the weights; returns the file."""

    def ship(name="acme-ships", content=CONTENT):
        path = tmp_path / "w.safetensors"
        if content is not None:
            path.write_bytes(content)
        install(name, SHIPPING.format(path=str(path)))
        return path

    return ship


def test_a_plugin_ships_its_weights(listed, shipped):
    """The hook's file is returned once its hash is verified."""
    path = shipped()
    listed(distribution="acme-ships", sha256=SHA256)
    assert resolve_weights("unet.test", discover()) == path


def test_shipped_weights_need_no_acceptance(listed, shipped):
    """Who installed the plugin has the file already; nothing is fetched."""
    path = shipped()
    listed(distribution="acme-ships", sha256=SHA256, licence="CC-BY-NC-4.0")
    assert resolve_weights("unet.test", discover()) == path


def test_a_changed_shipped_file_is_refused(listed, shipped):
    """What the plugin hands out must be what the index lists."""
    shipped(content=OTHER)
    listed(distribution="acme-ships", sha256=SHA256)
    with pytest.raises(B2bError, match="not the published one"):
        resolve_weights("unet.test", discover())


def test_a_missing_shipped_file_is_told(listed, shipped):
    """The plugin promised a file that is not there."""
    shipped(content=None)
    listed(distribution="acme-ships")
    with pytest.raises(B2bError, match=r"is missing.*reinstall acme-ships"):
        resolve_weights("unet.test", discover())


def test_only_the_listed_plugin_may_ship_listed_weights(listed, shipped):
    """Another plugin that claims the name is not asked; the right one has to be installed."""
    shipped("acme-impostor")
    listed(distribution="acme-ships", sha256=SHA256)
    with pytest.raises(UsageError, match="not installed; pip install acme-ships"):
        resolve_weights("unet.test", discover())


def test_unlisted_weights_of_two_plugins_are_refused(listed, shipped):
    """Order never decides whose file is taken; a plugin's unlisted weights are fine alone."""
    listed(name="unet.other", distribution="d")
    path = shipped("acme-one")
    assert resolve_weights("unet.test", discover()) == path
    shipped("acme-two")
    with pytest.raises(
        UsageError, match=r"2 plugins ship weights 'unet\.test': acme-one, acme-two"
    ):
        resolve_weights("unet.test", discover())


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    """`B2B_CACHE` wins; else it is `b2b` in the platform's cache folder."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("B2B_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder().name == "b2b"
    assert sys.platform != "linux" or cache_folder() == tmp_path / "xdg" / "b2b"
