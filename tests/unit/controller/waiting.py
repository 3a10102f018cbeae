"""Polling a desk until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable

from plugin.controller.desk import Desk
from plugin.controller.views import DeskEvent, Topic

GENEROUS = 120.0


def wait_until(desk: Desk, condition: Callable[[], object]) -> list[DeskEvent]:
    """Polls until the condition holds; all events on the way."""
    events = list(desk.poll())
    end = time.monotonic() + GENEROUS
    while not condition():
        assert time.monotonic() < end, f"still not so; last events: {events[-8:]}"
        time.sleep(0.005)
        events += desk.poll()
    return events


def settle(desk: Desk) -> list[DeskEvent]:
    """Polls until nothing is under way in the background, renders included."""
    board = desk._board
    events = wait_until(
        desk,
        lambda: (
            not board.chores.busy
            and not desk.queue.running
            and desk.status().saved in {"", "saved", "not saved"}
        ),
    )
    return events + list(desk.poll())


def messages(events: list[DeskEvent]) -> str:
    """All that was said to the person."""
    return "\n".join(event.text for event in events if event.topic is Topic.MESSAGE)
