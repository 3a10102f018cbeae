"""The middle of the window: the picture with its transport, and the takes under it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from plugin.panel.palettes import Shades
from plugin.panel.parts import column
from plugin.panel.pulse import Pulse
from plugin.panel.shortcutsheet import Keys


class Stage(QWidget):
    """Shows one spot."""

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._shades = pulse, shades
        self.viewer, self.takes = QWidget(), QWidget()
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.viewer)
        self.splitter.addWidget(self.takes)
        self.setLayout(column(self.splitter, space=0))

    def show_spot(self, cue_id: str) -> None:
        """Show this spot, "" for none."""

    def marked(self) -> tuple[str, str] | None:
        """Timecodes of the in and out points that were set, None where they were not."""
        return None

    def keys(self) -> tuple[tuple[str, Keys], ...]:
        """Keys of the viewer and the takes."""
        return ()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades

    def close_all(self) -> None:
        """Let go of files and devices."""
