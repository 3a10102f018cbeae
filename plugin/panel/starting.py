"""How the panel starts: the application, the desk, the window, and what is opened first."""

from __future__ import annotations

import gc
import logging
import sys
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from plugin import __version__
from plugin.controller.desk import Desk
from plugin.controller.given import given_path
from plugin.errors import SagafoleyError
from plugin.panel.pulse import Pulse
from plugin.panel.window import Window

_LOG = logging.getLogger(__name__)
_SWITCH = 0.0005
"""Seconds."""


def start(timeline: str | None, *, from_editor: bool = False) -> int:
    """Run the panel until its window is closed; gives the exit code.

    Args:
        timeline: a file to open, None for none.
        from_editor: open the running editor's timeline.
    """
    application = make_application()
    window = make_window()
    sys.excepthook = lambda kind, error, trace: _tell_unforeseen(window, kind, error, trace)
    window.show()
    keep_pauses_short()
    QTimer.singleShot(0, lambda: _open_first(window, timeline, from_editor=from_editor))
    return application.exec()


def make_application() -> QApplication:
    """The application, named for the desktop."""
    application = QApplication([f"sagafoley {__version__}"])
    application.setApplicationName("sagafoley")
    application.setApplicationDisplayName("Sagafoley")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("sagafoley")
    return application


def make_window(desk: Desk | None = None) -> Window:
    """A window over this user's desk, or over another; its pulse beats."""
    pulse = Pulse(desk or Desk.open())
    window = Window(pulse)
    pulse.setParent(window)
    pulse.start()
    return window


def keep_pauses_short() -> None:
    """Let neither other threads nor the collector hold the window up; measured in docs/panel.md.

    What is there now stays for good and need not be gone through again (it takes 40 ms), and a thread
    that decodes or measures gives the interpreter back ten times as soon.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH)


def _open_first(window: Window, timeline: str | None, *, from_editor: bool) -> None:
    desk = window.pulse.desk
    if from_editor:
        window.pulse.attempt(desk.open_editor)
    elif timeline:
        window.open_path(given_path(timeline))
    elif desk.machine.first_time:
        window.show_installed()


def _tell_unforeseen(
    window: Window, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The outermost edge of the window: what nobody thought of is told, and the window goes on."""
    if isinstance(error, KeyboardInterrupt):
        window.close()
        return
    _LOG.error("unforeseen", exc_info=(kind, error, trace))
    window.notices.fail(
        SagafoleyError(
            f"Something unforeseen happened: {kind.__name__}: {error}.",
            remedy="Save your work, start the panel again, and send what it says to the makers.",
        )
    )
