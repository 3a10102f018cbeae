"""What words found nothing for in mask mode, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from plugin.controller.masking.views import FindingView
from plugin.panel.masktools import tool_button
from plugin.panel.parts import label, name, row


class WordNotice(QFrame):
    """Why no place was found; its text can be selected, as it may hold a command."""

    away_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("use", "card")
        self.text = label("", use="warn", selectable=True)
        self.away = tool_button("cancel", "Put this message away (Esc)", self.away_wanted.emit)
        name(self.text, "Looking for the word")
        line = row(self.text, self.away, edge=6)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_finding(self, view: FindingView) -> None:
        """Show it while there is something to say."""
        self.text.setText(f"{view.notice} {view.remedy}".strip())
        self.setVisible(bool(view.notice))
