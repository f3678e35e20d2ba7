"""Fetching: from a server that cuts, stalls, lies, redirects, forgets and serves wrong bytes."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from b2b_core.download import Limits, Wanted, fetch, limits_of_environment
from b2b_core.errors import B2bError, UsageError
from b2b_core.locking import locked
from tests.serving import CONTENT, SHA256, Server

#: Patient enough for a busy machine, and never waited for but where a test is about waiting.
QUICK = Limits(seconds=20, pause=0.001)
SHORT = Limits(seconds=0.3, pause=0.001, tries=2)


@pytest.fixture
def server():
    """Give a server, stopped after the test."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def target(tmp_path):
    """Give the path of the file to be fetched."""
    return tmp_path / "w.safetensors"


def get(server, target, limits=QUICK, **known):
    """Fetch the server's file, known by its hash if the test says nothing else."""
    known = {"sha256": SHA256} | known
    fetch(Wanted(name="the weights 'x'", urls=(server.url,), **known), target, limits)
    return target.read_bytes()


def refused(server, target, match, limits=QUICK, **known):
    """Assert that the file is refused, and that nothing of it is left; return the error."""
    with pytest.raises(B2bError, match=match) as caught:
        get(server, target, limits, **known)
    assert not target.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "known",
    [{}, {"bytes": len(CONTENT)}, {"sha256": SHA256[:8]}, {"sha256": ""}],
    ids=["hash", "hash and length", "beginning of a hash", "nothing"],
)
def test_a_good_server_needs_one_request(server, target, known):
    """The file arrives whole, and no part is left beside it."""
    assert get(server, target, **known) == CONTENT
    assert server.asked == [None]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_cut_connection_is_resumed(server, target):
    """What arrived is kept; the next try asks for the rest only."""
    server.cut = [1000, 400_000]
    assert get(server, target) == CONTENT
    assert server.asked == [None, "bytes=1000-", "bytes=401000-"]


def test_a_later_call_continues_what_an_earlier_one_began(server, target):
    """After all tries failed the part stays, so that repeating the command goes on."""
    server.cut = [1000, 1000, 1000]
    refused(server, target, rf"ended after 3000 of {len(CONTENT)} bytes.*continues")
    assert get(server, target) == CONTENT
    assert server.asked[-1] == "bytes=3000-"


def test_a_server_that_ignores_the_range_starts_again(server, target):
    """The file is written anew then, not appended to."""
    server.ranges, server.cut = False, [1000]
    assert get(server, target) == CONTENT
    assert server.asked == [None, "bytes=1000-"]


def test_another_part_than_asked_for_is_not_appended(server, target):
    """A server that sends the wrong part is asked for the whole file."""
    server.cut, server.shift = [1000], 5
    assert get(server, target) == CONTENT
    assert server.asked == [None, "bytes=1000-", None]


@pytest.mark.parametrize("stale", [b"something else", CONTENT + b"more", CONTENT[:-1] + b"?"])
@pytest.mark.parametrize("known", [{}, {"bytes": len(CONTENT)}])
def test_a_stale_part_does_not_stay_in_the_way(server, target, stale, known):
    """A part that is no beginning of the file is dropped, whatever its length."""
    target.with_name("w.safetensors.part").write_bytes(stale)
    assert get(server, target, **known) == CONTENT


def test_a_complete_part_needs_no_request(server, target):
    """A kill between the last byte and the renaming costs nothing."""
    target.with_name("w.safetensors.part").write_bytes(CONTENT)
    assert get(server, target, bytes=len(CONTENT)) == CONTENT
    assert server.asked == []


def test_a_complete_part_of_unknown_length_is_kept(server, target):
    """The server says that there is no more to come, and the hash that there need not be."""
    target.with_name("w.safetensors.part").write_bytes(CONTENT)
    assert get(server, target) == CONTENT
    assert server.asked == [f"bytes={len(CONTENT)}-"]


def test_without_a_hash_an_old_part_is_not_trusted(server, target):
    """Nothing would show that the two halves are of different files."""
    target.with_name("w.safetensors.part").write_bytes(b"?" * 1000)
    assert get(server, target, sha256="") == CONTENT
    assert server.asked == [None]


def test_without_a_hash_the_server_vouches_for_the_rest(server, target):
    """`If-Range` continues the same file."""
    server.etag, server.cut = '"one"', [1000]
    assert get(server, target, sha256="") == CONTENT
    assert server.asked == [None, "bytes=1000-"]


def test_without_a_hash_a_file_that_changed_is_fetched_anew(server, target):
    """The server's other ETag gives the new file from its beginning, and no mixture."""
    server.etag, server.cut = '"one"', [1000]
    new = CONTENT[::-1]

    def change():
        if len(server.asked) == 2:
            server.etag, server.content = '"two"', new

    server.before = change
    assert get(server, target, sha256="") == new


def test_without_a_hash_and_an_etag_it_starts_again(server, target):
    """There is nothing to continue safely by."""
    server.cut = [1000]
    assert get(server, target, sha256="") == CONTENT
    assert server.asked == [None, None]


@pytest.mark.parametrize("known", [{}, {"bytes": len(CONTENT)}])
def test_wrong_bytes_are_refused_at_once(server, target, known):
    """A whole file with another hash is removed; asking again would give the same."""
    server.content = CONTENT[:-1] + b"?"
    wrong = hashlib.sha256(server.content).hexdigest()[:16]
    refused(server, target, f"sha256 is {wrong}.* not that of the published one", **known)
    assert server.asked == [None]
    assert list(target.parent.iterdir()) == []


def test_a_file_of_another_length_is_refused_before_it_is_read(server, target):
    """The announced length is compared first."""
    refused(server, target, f"has {len(CONTENT)} bytes, the published one has 10", bytes=10)
    assert list(target.parent.iterdir()) == []


def test_an_announcement_that_is_too_long_does_not_hurt(server, target):
    """The hash says that the file is whole, whatever length was announced."""
    server.announced = len(CONTENT) + 1000
    assert get(server, target) == CONTENT
    assert server.asked == [None]


def test_an_announcement_that_is_too_long_is_refused_where_no_hash_is_known(server, target):
    """The file may be cut off, and nobody could tell."""
    server.announced = len(CONTENT) + 1000
    refused(server, target, f"ended after {len(CONTENT)} of {len(CONTENT) + 1000}", sha256="")


def test_an_announcement_that_is_too_short_cuts_the_file(server, target):
    """The hash shows that something is missing."""
    server.announced = 1000
    refused(server, target, "sha256 is")


def test_no_announcement_is_fine_where_the_hash_is_known(server, target):
    """The end of the connection is the end of the file then, as the hash confirms."""
    server.announced = -1
    assert get(server, target) == CONTENT


def test_no_announcement_is_refused_where_nothing_is_known(server, target):
    """A cut file would look whole."""
    server.announced = -1
    refused(server, target, "does not say how long the file is", sha256="")


def test_a_file_without_end_is_stopped(server, target):
    """More bytes than the published file has are not written to the disk."""
    server.announced = -1
    refused(server, target, "more than 1000 bytes", bytes=1000)
    assert list(target.parent.iterdir()) == []


def test_a_silent_server_is_given_up(server, target):
    """Nothing for as long as the limit says is a failure; what had arrived is kept."""
    server.stall = [1000, 0]
    refused(server, target, r"nothing arrived for 0\.3 s.*continues", SHORT)
    assert target.with_name("w.safetensors.part").stat().st_size == 1000


def test_a_server_that_recovers_from_silence_is_used(server, target):
    """The next try goes on where the silence began."""
    server.stall = [1000]
    assert get(server, target, Limits(seconds=0.5, pause=0.001)) == CONTENT
    assert server.asked == [None, "bytes=1000-"]


def test_a_trickle_is_given_up(server, target, monkeypatch):
    """A server that sends a little now and then would never end."""
    # the clock goes by an hour at every look, so that any rate is too slow; the connection's
    # patience is real time
    clock = itertools.count(0, 3600)
    monkeypatch.setattr("b2b_core.http_file.time", SimpleNamespace(monotonic=lambda: next(clock)))
    refused(server, target, r"\d+ bytes in 3600 s are too slow.*continues")
    assert len(server.asked) == QUICK.tries


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_final_answer_is_not_asked_for_again(server, target, status):
    """What is not there will not be there a second later."""
    server.status = status
    refused(server, target, f"the server answers {status}")
    assert server.asked == [None]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_fault_is_tried_again(server, target, status):
    """A server that is overloaded may answer later."""
    server.statuses = [status, status]
    assert get(server, target) == CONTENT
    assert len(server.asked) == 3


def test_a_lasting_fault_is_told(server, target):
    """After the last try, the answer is in the line."""
    server.status = 500
    refused(server, target, r"127\.0\.0\.1:\d+: the server answers 500.*by hand")
    assert len(server.asked) == QUICK.tries


def test_the_next_address_is_tried(server, target):
    """A mirror steps in where the first address fails; its url is returned."""
    dead = Server()
    dead.status = 404
    try:
        wanted = Wanted(name="x", urls=(dead.url, server.url), sha256=SHA256)
        assert fetch(wanted, target, QUICK) == server.url
        assert target.read_bytes() == CONTENT
    finally:
        dead.close()


def test_a_mirror_continues_what_another_began(server, target):
    """The hash tells that the halves belong together."""
    other = Server()
    other.cut = [1000] * QUICK.tries
    try:
        fetch(Wanted(name="x", urls=(other.url, server.url), sha256=SHA256), target, QUICK)
    finally:
        other.close()
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=3000-"]


def test_a_server_that_is_not_there_is_one_line(server, target):
    """No traceback; the line says what to do."""
    server.close()
    said = refused(server, target, r"cannot fetch the weights 'x'.*refused.*by hand")
    assert "\n" not in said


def test_a_redirection_is_followed_with_the_range(server, target):
    """Releases and model hubs redirect to where the file lies."""
    server.redirect, server.cut = server.url, [1000]
    moved = Wanted(name="x", urls=(f"http://{server.host}/moved",), sha256=SHA256)
    fetch(moved, target, QUICK)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, None, "bytes=1000-", "bytes=1000-"]


@pytest.mark.parametrize("place", ["http://example.invalid/w", "ftp://127.0.0.1/w", "file:///etc"])
def test_an_unsafe_redirection_is_refused(server, target, place):
    """A server cannot send the client to where others may change the file."""
    server.redirect = place
    wanted = Wanted(name="x", urls=(f"http://{server.host}/moved",), sha256=SHA256)
    with pytest.raises(B2bError, match=r"which is not https|is not allowed"):
        fetch(wanted, target, QUICK)
    assert len(server.asked) == 1


def test_a_full_disk_is_told(server, target, monkeypatch):
    """It is no fault of the network: nothing is tried again, and the line says where."""
    import pathlib

    real = pathlib.Path.open

    def full(path, mode="r", *rest, **more):
        file = real(path, mode, *rest, **more)
        return _Full(file) if path.suffix == ".part" and "b" in mode and mode != "rb" else file

    monkeypatch.setattr(pathlib.Path, "open", full)
    said = refused(server, target, "cannot write the weights 'x': no space left on device")
    assert str(target.with_name("w.safetensors.part")) in said
    assert "B2B_CACHE" in said
    assert server.asked == [None]


class _Full:
    """A file on a disk that is full."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, _):
        raise OSError(28, "No space left on device")


def test_the_seconds_can_be_set(monkeypatch):
    """For slow lines, by the environment; nonsense is refused."""
    assert limits_of_environment() == Limits()
    monkeypatch.setenv("B2B_DOWNLOAD_SECONDS", "120")
    assert limits_of_environment().seconds == 120
    monkeypatch.setenv("B2B_DOWNLOAD_SECONDS", "soon")
    with pytest.raises(UsageError, match=r"'soon' is no number of seconds \(B2B_DOWNLOAD_SECONDS"):
        limits_of_environment()


def test_a_lock_lets_one_in_at_a_time(tmp_path, monkeypatch):
    """The second waits, says so, and gets in when the first has left."""
    order, waits = [], threading.Event()
    said = SimpleNamespace(info=lambda line: (order.append(line), waits.set()))
    monkeypatch.setattr("b2b_core.log.get_logger", lambda _: said)

    def second():
        with locked(tmp_path / "f", "does something"):
            order.append("second")

    waiting = threading.Thread(target=second)
    with locked(tmp_path / "f", "does something"):
        waiting.start()
        assert waits.wait(60)
        order.append("first")
    waiting.join()
    assert order == ["another process does something; waiting for it", "first", "second"]


HOLDING = """
import sys
from pathlib import Path
from b2b_core.locking import locked
with locked(Path(sys.argv[1]), "does something"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_leaves_no_lock(tmp_path):
    """The system takes the lock back, so that nobody waits for the dead."""
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "f")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with locked(tmp_path / "f", "does something"):
        assert (tmp_path / "f.lock").exists()
