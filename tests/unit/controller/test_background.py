from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from plugin.controller.background import Background
from plugin.controller.kept import Kept


def until(condition: Callable[[], object]) -> None:
    deadline, pause = time.monotonic() + 30, threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.005)


class Gate:
    """A first job that holds the thread until it is opened; made only once the thread is in it."""

    def __init__(self, background: Background) -> None:
        self._inside, self._open = threading.Event(), threading.Event()
        background.put("gate", self._job)
        assert self._inside.wait(30)

    def open(self) -> None:
        self._open.set()

    def _job(self) -> None:
        self._inside.set()
        assert self._open.wait(30)


def test_the_newest_job_is_done_first_and_one_of_each_kind() -> None:
    background, done = Background("test"), []
    gate = Gate(background)
    for number in range(3):
        background.put(number, lambda number=number: done.append(number))  # type: ignore[misc]
    background.put(0, lambda: done.append(100))
    gate.open()
    until(lambda: not background.busy)
    background.close()

    assert done == [100, 2, 1]


def test_what_is_not_wanted_any_more_is_dropped() -> None:
    background, done = Background("test"), []
    gate = Gate(background)
    for number in range(4):
        background.put(number, lambda number=number: done.append(number))  # type: ignore[misc]
    background.keep(lambda key: key == 2)
    gate.open()
    until(lambda: not background.busy)
    background.close()

    assert done == [2]


def test_a_job_that_fails_does_not_stop_the_next(caplog: pytest.LogCaptureFixture) -> None:
    background, done = Background("test"), []
    background.put("bad", lambda: 1 // 0 and None)
    background.put("good", lambda: done.append(1))
    until(lambda: done and not background.busy)
    background.close()

    assert "work in the background failed: test" in caplog.text
    caplog.clear()


def test_after_closing_nothing_is_done() -> None:
    background, done = Background("test"), []
    background.close()
    background.put("late", lambda: done.append(1))

    assert not background.busy
    assert background.closed
    assert done == []


def test_what_was_used_last_is_kept() -> None:
    kept: Kept[str] = Kept(10)
    for key in "abc":
        kept.put(key, key, weight=3)
    kept.get("a")
    kept.put("d", "d", weight=4)

    assert [kept.get(key) for key in "abcd"] == ["a", None, "c", "d"]
    assert kept.weight == 10
    kept.put("huge", "huge", weight=100)
    assert kept.get("huge") == "huge"
    assert kept.get("d") is None
    kept.put("huge", "smaller", weight=1)
    assert kept.weight == 1
    kept.clear()
    assert kept.get("huge") is None
