"""About: what this is, and the licences of the code, of the weights and of the libraries."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QListWidget, QPlainTextEdit, QSplitter, QWidget

from plugin import __version__
from plugin.panel.parts import button, column, label, name, row
from plugin.panel.pulse import Pulse


class AboutDialog(QDialog):
    """Whose work this is and what may be done with it."""

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Sagafoley")
        self._licences = pulse.desk.machine.licences()
        self.subjects, self.text = QListWidget(), QPlainTextEdit()
        self._build()

    def _build(self) -> None:
        for each in self._licences:
            self.subjects.addItem(f"{each.subject}\n{each.licence}")
        name(self.subjects, "Licences of")
        name(self.text, "Licence")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.subjects.setWordWrap(True)
        self.subjects.setSpacing(4)
        self.subjects.currentRowChanged.connect(self._show)
        self.subjects.setCurrentRow(0)
        both = QSplitter()
        both.addWidget(self.subjects)
        both.addWidget(self.text)
        both.setSizes([250, 450])
        page = column(
            label(f"Sagafoley {__version__}", use="title"),
            label(
                "The synchronised sound of one chosen object in a shot, as a stem on a new audio track. "
                "After SAGANet: Viertola, Iashin and Rahtu, GCPR 2025."
            ),
            label("Licences of the code, of the weights and of the libraries", use="heading"),
            both,
            row(None, button("Close", self.accept, main=True)),
            edge=16,
        )
        page.setStretch(3, 1)
        self.setLayout(page)
        self.resize(760, 520)

    def _show(self, place: int) -> None:
        self.text.setPlainText(self._licences[place].text if place >= 0 else "")
