"""Logs and progress: readable for people, complete in a run's folder, quiet on a pipe."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from b2b_core.log import configure, get_logger, run_log
from b2b_core.progress import Progress, readable_time


def lines(path):
    """Return the entries of a log file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_messages_go_to_stderr(capsys):
    """Standard output is for results only."""
    get_logger("test").info("hello", loss=0.5)
    out, err = capsys.readouterr()
    assert out == ""
    assert "hello" in err
    assert "loss=0.5" in err


def test_debug_messages_need_verbose(capsys):
    """They are hidden by default and shown with `-v`."""
    configure()
    get_logger("test").debug("hidden")
    configure(verbose=True)
    get_logger("test").debug("shown")
    configure()
    err = capsys.readouterr().err
    assert "hidden" not in err
    assert "shown" in err


def test_a_run_logs_json_lines(tmp_path):
    """Within `run_log` every message is also a JSON line with time, level and values."""
    with run_log(tmp_path / "run") as path:
        get_logger("test").warning("inside", loss=0.5, where=tmp_path)
    get_logger("test").info("outside")
    (line,) = lines(path)
    assert line["event"] == "inside"
    assert line["level"] == "warning"
    assert line["loss"] == 0.5
    assert line["where"] == str(tmp_path)
    assert line["timestamp"].endswith("Z")


def test_a_resumed_run_appends(tmp_path):
    """The log of the killed part stays."""
    for number in (1, 2):
        with run_log(tmp_path) as path:
            get_logger("test").info("part", number=number)
    assert [line["number"] for line in lines(path)] == [1, 2]


def test_a_nested_run_has_its_own_log(tmp_path):
    """An inner run writes to its folder, then the outer one goes on."""
    with run_log(tmp_path / "outer") as outer:
        with run_log(tmp_path / "inner") as inner:
            get_logger("test").info("inner")
        get_logger("test").info("outer")
    assert [line["event"] for line in lines(outer)] == ["outer"]
    assert [line["event"] for line in lines(inner)] == ["inner"]


def test_an_exception_is_logged_with_its_traceback(tmp_path):
    """`exc_info=True` keeps the traceback as text in the run's log."""
    with run_log(tmp_path) as path:
        try:
            raise ValueError("reason")
        except ValueError:
            get_logger("test").error("failed", exc_info=True)
    assert "ValueError: reason" in lines(path)[0]["exception"]


def test_a_killed_process_keeps_its_log(tmp_path):
    """What was logged before SIGKILL is in the file: nothing is buffered."""
    code = (
        "import os, signal, sys\nfrom b2b_core.log import get_logger, run_log\n"
        "with run_log(sys.argv[1]):\n"
        "    get_logger('t').info('before')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True)
    assert [line["event"] for line in lines(tmp_path / "log.jsonl")] == ["before"]


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def shown(total, steps, *, seconds=1.0, start=0):
    """Return the lines of a pipe after `steps` updates of one unit, `seconds` each."""
    stream, clock = io.StringIO(), Clock()
    with Progress("work", total, start=start, stream=stream, clock=clock) as bar:
        for done in range(start + 1, start + steps + 1):
            clock.now += seconds
            bar.update(done, loss=1 / done)
    return stream.getvalue().splitlines()


def test_a_pipe_gets_a_line_at_start_per_tenth_and_end():
    """Quick work is told in about ten lines, whatever the number of steps."""
    told = shown(1000, 1000, seconds=0.001)
    assert told[0] == "work: 0/1000"
    assert told[1] == "work: 100/1000  1 s left  loss 0.01"
    assert told[-1] == "work: 1000/1000  done in 1 s  loss 0.001"
    assert len(told) == 11


def test_slow_work_gets_a_line_every_ten_seconds():
    """Between tenths a line comes when ten seconds have passed."""
    told = shown(1000, 30, seconds=1.0)
    assert [line.split()[1] for line in told] == ["0/1000", "10/1000", "20/1000", "30/1000"]


def test_the_time_left_is_that_of_the_mean_speed():
    """3 of 12 done in 30 s leaves 90 s; work done before a resume does not count as speed."""
    assert "1 min 30 s left" in shown(12, 3, seconds=10.0)[-1]
    assert "1 min 30 s left" in shown(112, 3, seconds=10.0, start=100)[-1]


def test_the_last_line_comes_after_a_failure_too():
    """Where the work stopped is told although an exception ends it."""
    stream, clock = io.StringIO(), Clock()

    def fail():
        with Progress("work", 1000, stream=stream, clock=clock) as bar:
            bar.update(7)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert stream.getvalue().splitlines()[-1].startswith("work: 7/1000")


def test_an_unknown_total_is_no_error():
    """A download of unknown length is counted."""
    assert shown(0, 3)[-1].startswith("work: 3/0")


def test_a_terminal_gets_a_bar(monkeypatch):
    """On a terminal rich draws; the numbers and the time left are in it."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream, clock = Terminal(), Clock()
    with Progress("work", 4, stream=stream, clock=clock) as bar:
        clock.now += 10
        bar.update(1, loss=0.25)
    assert "work: 1/4  30 s left  loss 0.25" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_are_two_units(seconds, text):
    """Nobody needs seconds beside hours."""
    assert readable_time(seconds) == text
