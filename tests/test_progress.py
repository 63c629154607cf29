"""Who waits on a terminal is told what for; a pipe is told nothing."""

import re
import time

import pytest

from bayescale import progress
from bayescale.progress import counting, silence, track, waiting, wanted


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is a terminal, for as long as a test lasts."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    yield
    silence(False)


def test_a_pipe_is_told_nothing_unless_asked(capsys):
    assert not wanted()
    assert wanted(True)
    assert list(track([1, 2], str)) == [1, 2]
    assert capsys.readouterr().err == ""


def test_silence_holds_for_a_terminal_but_not_against_what_is_asked_for(terminal):
    assert wanted()
    silence(True)
    assert not wanted()
    assert wanted(True)


def test_items_are_counted_and_the_time_left_is_that_of_those_before(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 30.0, 70.0])  # the start, and before each of three fits
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert list(track(["a", "b", "c"], "fit of {}".format, True)) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines() == [
        "[1 of 3] fit of a",
        "[2 of 3] fit of b, about 1 min 0 s left",
        "[3 of 3] fit of c, about 35 s left",
    ]


def test_what_is_done_is_counted_in_the_order_it_comes(monkeypatch, capsys):
    clock = iter([0.0, 30.0, 70.0])  # the start, and after each of two
    monkeypatch.setattr(time, "monotonic", lambda: next(clock, 0.0))
    tell = counting(2, True)
    tell("b")
    tell("a FAILED: no good")
    counting(1, True)("alone")
    assert capsys.readouterr().err.splitlines() == ["[1 of 2] b, about 30 s left", "[2 of 2] a FAILED: no good"]


def test_one_item_is_not_announced(capsys):
    assert list(track(["a"], str, True)) == ["a"]
    assert capsys.readouterr().err == ""


def test_only_what_takes_long_is_told_and_then_how_long_it_took(monkeypatch, capsys):
    with waiting("compiling kaplan", True):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with waiting("compiling kaplan", True):
        time.sleep(0.2)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "compiling kaplan ..."
    assert re.fullmatch(r"compiling kaplan: \d+ s", second)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds, text):
    assert progress._duration(seconds) == text
