"""Published weights: from a file, a plugin, the cache, or a server that may misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.errors import B2bError, UsageError
from b2b_core.registry import Registry
from b2b_core.weights import cache_folder, resolve_weights

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves one file on 127.0.0.1, with faults that a test sets."""

    def __init__(self):
        self.content = CONTENT
        #: Bytes after which the connection of the next answers is cut.
        self.cut: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/weights.safetensors"

    def answer(self, handler):
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        if self.status != 200:
            handler.send_error(self.status)
            return
        first = int(wanted[6:-1]) if wanted and self.ranges else 0
        if first and first >= len(self.content):
            handler.send_error(416)
            return
        body = self.content[first:]
        handler.send_response(206 if wanted and self.ranges else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with contextlib.suppress(ConnectionError):  # a client may refuse the file by its length
            handler.wfile.write(body[: self.cut.pop(0)] if self.cut else body)


@pytest.fixture
def server():
    """Give a server, stopped after the test."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Give a function that makes rows of weights the whole index, with an empty cache."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))

    def use(**fields):
        row = {"name": "unet.test", "component": "unet", "kind": "deblurrer", "licence": "MIT"}
        made = structure(
            Registry, {"schema": 1, "weights": [row | {"summary": "for a test"} | fields]}
        )
        monkeypatch.setattr("b2b_core.weights.load_registry", lambda: made)

    return use


def parts():
    """Return the names of the files in the cache."""
    return [path.name for path in (cache_folder() / "weights").iterdir()]


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
    assert parts() == ["unet.test.safetensors"]


def test_offline_weights_must_be_in_the_cache(server, listed):
    """Nothing is asked of the network then."""
    listed(urls=[server.url], sha256=SHA256)
    with pytest.raises(UsageError, match="not in the cache"):
        resolve_weights("unet.test", discover(), offline=True)
    assert server.asked == []


def test_a_cut_connection_is_resumed(server, listed):
    """What arrived is kept; the next try asks for the rest only."""
    listed(urls=[server.url], sha256=SHA256)
    server.cut = [1000, 2_000_000]
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000-", "bytes=2001000-"]


def test_a_later_call_continues_what_an_earlier_one_began(server, listed):
    """After all tries failed the part stays, so that repeating the command goes on."""
    listed(urls=[server.url], sha256=SHA256, bytes=len(CONTENT))
    server.cut = [1000, 1000, 1000]
    with pytest.raises(B2bError, match=r"ended after 3000 of 5120000 bytes.*continues"):
        resolve_weights("unet.test", discover())
    assert parts() == ["unet.test.safetensors.part"]
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=3000-"


def test_a_server_without_ranges_starts_again(server, listed):
    """Where the server ignores the range, the file is written anew, not appended to."""
    listed(urls=[server.url], sha256=SHA256)
    server.ranges = False
    server.cut = [1000]
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


def test_a_stale_part_is_dropped(server, listed):
    """A part that is no beginning of the file, or longer than it, does not stay in the way."""
    listed(urls=[server.url], sha256=SHA256)
    part = cache_folder() / "weights" / "unet.test.safetensors.part"
    part.parent.mkdir(parents=True)
    for stale in (b"something else", CONTENT + b"more", CONTENT):
        part.write_bytes(stale)
        path = resolve_weights("unet.test", discover())
        assert path.read_bytes() == CONTENT
        path.unlink()


def test_a_complete_part_needs_no_request(server, listed):
    """A kill between the last byte and the renaming costs nothing."""
    listed(urls=[server.url], sha256=SHA256, bytes=len(CONTENT))
    part = cache_folder() / "weights" / "unet.test.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("size", [{}, {"bytes": len(CONTENT)}])
def test_wrong_bytes_are_never_put_in_place(server, listed, size):
    """A file with another hash is refused and removed."""
    listed(urls=[server.url], sha256=SHA256, **size)
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(B2bError, match=r"sha256 is .* not the published one"):
        resolve_weights("unet.test", discover())
    assert parts() == []


def test_a_file_of_another_length_is_refused_at_once(server, listed):
    """The length that the server announces is compared before the download."""
    listed(urls=[server.url], sha256=SHA256, bytes=10)
    with pytest.raises(B2bError, match="has 5120000 bytes, the published file has 10"):
        resolve_weights("unet.test", discover())
    assert parts() == []


def test_the_next_url_is_tried(server, listed):
    """A mirror steps in where the first address fails."""
    dead = Server()
    dead.status = 500
    try:
        listed(urls=[dead.url, server.url], sha256=SHA256)
        assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT
        assert len(dead.asked) == 3
    finally:
        dead.http.shutdown()
        dead.http.server_close()


def test_a_server_that_is_not_there_is_one_line(server, listed):
    """No traceback; the line says what to do."""
    listed(urls=[server.url], sha256=SHA256)
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(B2bError, match=r"cannot fetch the weights 'unet.test'.*refused.*by hand"):
        resolve_weights("unet.test", discover())


def test_an_error_of_the_server_is_told(server, listed):
    """The status is in the line."""
    listed(urls=[server.url], sha256=SHA256)
    server.status = 404
    with pytest.raises(B2bError, match="the server answers 404"):
        resolve_weights("unet.test", discover())


def test_the_beginning_of_a_hash_is_enough(server, listed):
    """Some publishers tell eight digits only, in the file's name."""
    listed(urls=[server.url], sha256_prefix=SHA256[:8])
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


def test_a_damaged_cache_is_fetched_again(server, listed):
    """The hash is checked at each use."""
    listed(urls=[server.url], sha256=SHA256)
    path = resolve_weights("unet.test", discover())
    path.write_bytes(b"damaged")
    assert resolve_weights("unet.test", discover()).read_bytes() == CONTENT


SHIPPING = (
    "from pathlib import Path\nfrom b2b_core import hookimpl\n"
    "@hookimpl\ndef b2b_resolve_weights(name):\n"
    "    return Path({path!r}) if name == 'unet.test' else None\n"
)


def test_a_plugin_ships_its_weights(install, listed, tmp_path):
    """The hook's file is returned once its hash is verified."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT)
    install("acme-ships", SHIPPING.format(path=str(path)))
    listed(distribution="acme-ships", sha256=SHA256)
    assert resolve_weights("unet.test", discover()) == path


def test_a_changed_shipped_file_is_refused(install, listed, tmp_path):
    """What the plugin hands out must be what the index lists."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"other")
    install("acme-ships", SHIPPING.format(path=str(path)))
    listed(distribution="acme-ships", sha256=SHA256)
    with pytest.raises(B2bError, match="not the published one"):
        resolve_weights("unet.test", discover())


def test_a_missing_shipped_file_is_told(install, listed, tmp_path):
    """The plugin promised a file that is not there."""
    install("acme-ships", SHIPPING.format(path=str(tmp_path / "absent")))
    listed(distribution="acme-ships")
    with pytest.raises(B2bError, match=r"is missing.*reinstall acme-ships"):
        resolve_weights("unet.test", discover())


def test_only_the_listed_plugin_may_ship_listed_weights(install, listed, tmp_path):
    """Another plugin that claims the name is not asked; the right one has to be installed."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT)
    install("acme-impostor", SHIPPING.format(path=str(path)))
    listed(distribution="acme-ships", sha256=SHA256)
    with pytest.raises(UsageError, match="not installed; pip install acme-ships"):
        resolve_weights("unet.test", discover())


def test_unlisted_weights_of_two_plugins_are_refused(install, listed, tmp_path):
    """Order never decides whose file is taken; a plugin's unlisted weights are fine alone."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT)
    listed(name="other.test", distribution="d")
    install("acme-one", SHIPPING.format(path=str(path)))
    assert resolve_weights("unet.test", discover()) == path
    install("acme-two", SHIPPING.format(path=str(path)))
    with pytest.raises(
        UsageError, match=r"2 plugins ship weights 'unet\.test': acme-one, acme-two"
    ):
        resolve_weights("unet.test", discover())


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    """`B2B_CACHE` wins; else it is `b2b` in the platform's cache folder."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("B2B_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "b2b"
