"""Polling a desk until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable

from plugin.controller.desk import Desk
from plugin.controller.views import DeskEvent

GENEROUS = 120.0


def wait_until(desk: Desk, condition: Callable[[], object]) -> list[DeskEvent]:
    """Polls until the condition holds; all events on the way."""
    events = list(desk.poll())
    end = time.monotonic() + GENEROUS
    while not condition():
        assert time.monotonic() < end, f"still not so; last events: {events[-8:]}"
        time.sleep(0.01)
        events += desk.poll()
    return events
