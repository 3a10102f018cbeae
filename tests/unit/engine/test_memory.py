from __future__ import annotations

import ctypes
import os
import sys

from plugin.engine import memory


def test_the_machine_says_how_much_memory_it_has() -> None:
    found = memory.physical_memory()
    assert found is None or 2**28 < found < 2**50


def test_a_system_that_does_not_say_has_no_known_memory(monkeypatch) -> None:
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory.physical_memory() is None


def test_the_c_library_of_linux_is_asked_to_give_back(monkeypatch) -> None:
    class Library:
        def __init__(self, _name: None) -> None:
            self.malloc_trim = asked.append

    asked: list[int] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", Library)
    memory.give_back_freed()
    assert asked == []
    monkeypatch.setattr(sys, "platform", "linux")
    memory.give_back_freed()
    assert asked == [0]
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.give_back_freed()
