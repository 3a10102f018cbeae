"""How far the saving of mattes is in mask mode, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QSizePolicy, QWidget

from plugin.controller.masking.views import SaveReport, SavingView
from plugin.panel.parts import button, label, name, row


class SaveNotice(QFrame):
    """A line that is there while mattes are saved and until its outcome was seen."""

    stop_wanted = Signal()
    leave_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("use", "card")
        self.text, self.bar = label("", selectable=True), QProgressBar()
        self.stop = button(
            "Stop", self.stop_wanted.emit, icon_name="stop", tells="Stop writing; nothing is placed"
        )
        self.go_on = button("Go on drawing", self.hide)
        self.leave = button("Leave", self.leave_wanted.emit, main=True)
        self._build()

    def show_saving(self, saving: SavingView | None, report: SaveReport | None) -> None:
        """Show how far a save is, else what the last one did; nothing before the first."""
        for part in (self.bar, self.stop):
            part.setVisible(saving is not None)
        for part in (self.go_on, self.leave):
            part.setVisible(saving is None)
        self.leave.setEnabled(report is not None and not report.failed)
        if saving is not None:
            self.text.setText(saving.text)
            self.bar.setRange(0, saving.total)
            self.bar.setValue(saving.done)
        elif report is not None:
            self.text.setText(f"{report.text} {report.remedy}".strip())
        self.setVisible(saving is not None or report is not None)

    def _build(self) -> None:
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.bar.setMinimumWidth(120)
        name(self.bar, "Saving the matte")
        name(self.text, "What was saved")
        line = row(self.text, self.bar, self.stop, self.go_on, self.leave, edge=6)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()
