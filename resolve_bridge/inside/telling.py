"""Words for a person who clicked a menu entry: on Resolve's console, and in a box of their own."""

import contextlib
import os
import shutil
import subprocess
import sys
from typing import List

TITLE = "Sagafoley"

_NO_WINDOW = 0x08000000
_WORDS = "SAGAFOLEY_WORDS"
_POWERSHELL = "{}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
_POPUP = "[void](New-Object -ComObject WScript.Shell).Popup($env:SAGAFOLEY_WORDS, 0, 'Sagafoley', 48)"
"""The words travel in the environment, where nothing in them is taken for a command."""


def tell(text: str) -> None:
    """Print, and show a box where this system has one; never waits for the person, never fails."""
    say(text)
    command = box_command(text)
    if not command:
        return
    with contextlib.suppress(OSError):  # what was printed must do then
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, **{_WORDS: text}),
            creationflags=_NO_WINDOW if sys.platform == "win32" else 0,
        )


def say(text: str) -> None:
    """Print, on a console that may not have these letters."""
    line = "{}: {}".format(TITLE, text)
    try:
        print(line)
    except UnicodeError:
        print(line.encode("ascii", "backslashreplace").decode("ascii"))
    flush = getattr(sys.stdout, "flush", None)
    if callable(flush):  # a console of Resolve's own, or none
        flush()


def box_command(text: str, platform: str = sys.platform) -> List[str]:
    """A program that shows the text; empty where there is none, or no screen."""
    if platform == "darwin":
        script = "on run words", "display alert (item 1 of words) message (item 2 of words)", "end run"
        return ["/usr/bin/osascript"] + [part for line in script for part in ("-e", line)] + [TITLE, text]
    if platform == "win32":
        return [
            _POWERSHELL.format(os.environ.get("SYSTEMROOT", "C:\\Windows")),
            "-NoProfile",
            "-Command",
            _POPUP,
        ]
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return []
    for program, options in _BOXES:
        found = shutil.which(program)
        if found:
            return [found] + [TITLE if option == "{title}" else option for option in options] + [text]
    return []


_BOXES = (
    ("kdialog", ("--title", "{title}", "--msgbox")),
    ("zenity", ("--info", "--no-markup", "--title", "{title}", "--text")),
    ("xmessage", ("-center", "-title", "{title}")),
)
