"""The objects of mask mode: which one is drawn on, and what it is called."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QInputDialog, QWidget

from plugin.controller.masking.views import MaskView, ObjectRow
from plugin.panel.masktools import tool_button
from plugin.panel.parts import label, name, row

_NONE = "not drawn yet"


class ObjectLine(QWidget):
    """A list of objects to choose from, with buttons to add, rename, hide and remove one."""

    chosen = Signal(str)
    add_wanted = Signal(str)
    rename_wanted = Signal(str, str)
    remove_wanted = Signal(str)
    hide_wanted = Signal(str, bool)
    """Whether it is drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ObjectRow, ...] = ()
        self.list = QComboBox()
        self.add = tool_button("add", "Another object in this shot (Shift+N)", self.ask_new)
        self.rename = tool_button("rename", "Rename the object (N)", self.ask_name)
        self.eye = tool_button("eye", "Draw the object's mask (H)", self.toggle)
        self.remove = tool_button("trash", "Remove the object; undo brings it back", self._remove)
        self._build()

    def show_view(self, view: MaskView) -> None:
        """Show the objects, and which one is drawn on."""
        with QSignalBlocker(self.list):
            if self._rows != view.objects or not self.list.count():
                self._rows = view.objects
                self._fill()
            self.list.setCurrentIndex(max(0, self.list.findData(view.object)))
        row_now = self._row()
        for part in (self.rename, self.eye, self.remove):
            part.setEnabled(row_now is not None)
        self.eye.setChecked(row_now is not None and row_now.shown)
        self.list.setToolTip(row_now.text if row_now else _NONE)

    def ask_name(self) -> None:
        """Ask for another word for the object."""
        row_now = self._row()
        if row_now is not None:
            text, given = QInputDialog.getText(self, "Rename object", "What it is:", text=row_now.label)
            if given and text.strip():
                self.rename_wanted.emit(row_now.id, text)

    def ask_new(self) -> None:
        """Ask for the word of another object."""
        text, given = QInputDialog.getText(self, "Another object", "What it is, such as violin:")
        if given and text.strip():
            self.add_wanted.emit(text)

    def toggle(self) -> None:
        """Draw the object's mask, or do not."""
        row_now = self._row()
        if row_now is not None:
            self.hide_wanted.emit(row_now.id, not row_now.shown)

    def step(self) -> None:
        """Choose the next object, after the last the first."""
        if self._rows:
            place = (self.list.currentIndex() + 1) % len(self._rows)
            self.chosen.emit(self._rows[place].id)

    def _build(self) -> None:
        self.list.setMinimumContentsLength(14)
        self.list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.list.setIconSize(QSize(12, 12))
        name(self.list, "Object")
        self.eye.setCheckable(True)
        self.list.activated.connect(self._choose)
        title = label("Object", wraps=False)
        self.setLayout(row(title, self.list, self.add, self.rename, self.eye, self.remove, space=3))

    def _choose(self, place: int) -> None:
        if self._rows:
            self.chosen.emit(self.list.itemData(place))

    def _row(self) -> ObjectRow | None:
        place = self.list.currentIndex()
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def _fill(self) -> None:
        self.list.clear()
        for each in self._rows:
            swatch = QPixmap(24, 24)
            swatch.fill(QColor(*each.colour))
            self.list.addItem(QIcon(swatch), each.label, each.id)
        if not self._rows:
            self.list.addItem(_NONE, "")

    def _remove(self) -> None:
        row_now = self._row()
        if row_now is not None:
            self.remove_wanted.emit(row_now.id)
