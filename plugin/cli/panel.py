"""`sagafoley panel`: the window beside the editor."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from importlib.util import find_spec

from plugin.cli.output import Output
from plugin.errors import SagafoleyError, UsageError


def open_panel(options: argparse.Namespace, _output: Output) -> int:
    """`sagafoley panel`: runs until the window is closed.

    Raises:
        UsageError: Qt is not installed, or has no screen or library to draw with.
    """
    if find_spec("PySide6") is None or find_spec("PySide6.QtWidgets") is None:
        raise UsageError(
            "The panel needs PySide6, which is not installed.",
            remedy="Run the installer again with --panel; in an environment of your own: "
            "pip install 'sagafoley[panel]'.",
        )
    _require_screen()
    try:
        starting = importlib.import_module("plugin.panel.starting")
    except ImportError as error:
        raise _unusable(error) from error
    code: int = starting.start(options.timeline, from_editor=options.host == "resolve")
    return code


def _require_screen() -> None:
    """Nothing, when there is something to draw on; Qt itself would end the process."""
    ways = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(way) for way in ways):
        raise UsageError(
            "There is no screen for the panel: neither DISPLAY nor WAYLAND_DISPLAY is set.",
            remedy="Start it from a desktop; `sagafoley render` needs no screen.",
        )


def _unusable(error: ImportError) -> SagafoleyError:
    return UsageError(
        f"Qt cannot be used here: {error}.",
        remedy="Install what it lacks; on Debian and Ubuntu: apt-get install libgl1 libegl1 libxkbcommon0 "
        "libfontconfig1 libdbus-1-3",
    )
