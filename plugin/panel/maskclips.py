"""The dialog that chooses a picture clip to make a matte of."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QWidget

from plugin.controller.masking.clips import ClipRow
from plugin.panel.parts import button, column, label, name, row
from plugin.panel.pulse import Pulse

_TIME = Qt.ItemDataRole.UserRole


class ClipChoice(QDialog):
    """Every picture clip of the timeline, to choose one of."""

    def __init__(self, pulse: Pulse, choose: Callable[[Fraction], None], *, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Make a matte of a clip")
        self._choose = choose
        self._asking = True
        self.finished.connect(self._end)
        self.search, self.clips = QLineEdit(), QListWidget()
        self.act = button("Make a matte", self._take, main=True, icon_name="lasso")
        self._away = button("Cancel", self.reject)
        self.none = label("Looking for picture clips ...", use="faint")
        self._build()
        pulse.desk.masks.find_clips(self._show)

    def _build(self) -> None:
        self.search.setPlaceholderText("Name or timecode")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        name(self.search, "Search clips")
        name(self.clips, "Picture clips")
        self.clips.itemActivated.connect(lambda _: self._take())
        self.clips.currentRowChanged.connect(lambda place: self.act.setEnabled(place >= 0))
        self.act.setEnabled(False)
        self.act.setDefault(True)
        tells = label("The matte becomes a mask track, and the clip a spot.", use="faint")
        foot = row(None, self._away, self.act)
        self.setLayout(column(tells, self.search, self.clips, self.none, foot, edge=14))
        self.resize(560, 420)
        self.clips.setFocus()

    def _show(self, found: tuple[ClipRow, ...]) -> None:
        """Fill the list, unless the dialog was put away meanwhile."""
        if not self._asking:
            return
        for each in found:
            item = QListWidgetItem(f"{each.start}  {each.name}  ({each.length})")
            item.setData(_TIME, each.time)
            self.clips.addItem(item)
        self.none.setText("No picture clip with media is on the timeline.")
        self.none.setVisible(not found)
        self._filter(self.search.text())

    def _end(self, _result: int) -> None:
        self._asking = False

    def _filter(self, text: str) -> None:
        """Show those that hold every word."""
        words = text.casefold().split()
        shown = []
        for place in range(self.clips.count()):
            item = self.clips.item(place)
            found = all(word in item.text().casefold() for word in words)
            item.setHidden(not found)
            shown += [place] if found else []
        self.clips.setCurrentRow(shown[0] if shown else -1)

    def _take(self) -> None:
        item = self.clips.currentItem()
        if item is not None and not item.isHidden():
            self.accept()
            self._choose(item.data(_TIME))
