"""The only two-way channel of the sandboxed free edition: files.

The outer program writes a request file; a menu script (started once by the user) looks for it in a loop
and answers through `SetPrefs` and `SavePrefs`, that is through one slot in the preferences file. Replies
may be lost when the loop is dead, and no program can be launched.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

LATENCY = 0.06
SLOT = "Sagafoley.Reply"


def write_preferences(path: Path, preferences: dict[str, Any]) -> None:
    """`Fusion.prefs`: a Lua table as Fusion prints it, written at once."""
    lines = [f'\t["{name}"] = {_lua(value)},' for name, value in sorted(preferences.items())]
    beside = path.with_suffix(".new")
    beside.write_text("\n".join(["{", *lines, "}", ""]), "utf-8")
    beside.replace(path)


def _lua(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (str, int, float)) else "nil"


class Mailbox:
    """The menu script's loop, as far as other programs can see it: files in, the preferences out.

    Attributes:
        request: the file that it looks for by name.
        preferences: where the reply appears, hex-encoded JSON; the slot holds one, the last.
        answer: what the script does with the text of a request (a Lua file in truth).
    """

    def __init__(self, request: Path, preferences: Path, answer: Callable[[str], Any]) -> None:
        self.request = request
        self.preferences = preferences
        self._answer = answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        """The user starts the menu script."""
        self._thread.start()

    def stop(self) -> None:
        """The script ends; what is asked from now on stays unanswered."""
        self._over.set()
        self._thread.join(10)

    def _loop(self) -> None:
        while not self._over.wait(LATENCY):
            if self.request.is_file():
                asked = self.request.read_text("utf-8")
                self.request.unlink()
                reply = json.dumps(self._answer(asked)).encode().hex()
                write_preferences(self.preferences, {SLOT: reply})
