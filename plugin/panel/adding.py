"""Dialogs that add spots: between in and out points, from a marker, from a mask track."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from plugin.panel.parts import button, column, label, name, row
from plugin.panel.pulse import Pulse


class _Adding(QDialog):
    """A form with Add and Cancel; it stays open while what was said cannot be."""

    def __init__(self, pulse: Pulse, *, title: str, tells: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._pulse, self._spots = pulse, pulse.desk.spots
        self.setWindowTitle(title)
        self.form = QFormLayout()
        self._fields: list[QWidget] = []
        self.fault = label("", use="bad")
        self.fault.hide()
        self.add = button("Add", self._add, main=True, icon_name="add")
        self.add.setDefault(True)
        self._away = button("Cancel", self.reject)
        buttons = row(None, self._away, self.add)
        self.setLayout(column(label(tells, use="faint"), self.form, self.fault, buttons, edge=14))
        self.setMinimumWidth(440)
        pulse.failed.connect(self._failed)

    def field(self, title: str, widget: QWidget) -> None:
        """Add a line to the form."""
        self.form.addRow(title, widget)
        name(widget, title.replace("&", ""))
        self._fields.append(widget)

    def showEvent(self, event: QShowEvent) -> None:
        """Tab goes down the form, then to the buttons."""
        super().showEvent(event)
        for one, other in pairwise((*self._fields, self._away, self.add)):
            QWidget.setTabOrder(one, other)
        self.first.setFocus()

    @property
    def first(self) -> QWidget:
        """The field to begin with."""
        return self._fields[0]

    def need(self, choices: int, otherwise: str) -> None:
        """Say so where there is nothing to choose from."""
        self.add.setEnabled(choices > 0)
        self.fault.setText(otherwise)
        self.fault.setVisible(not choices)

    def do(self) -> None:
        """Add what the form says."""
        raise NotImplementedError

    def _add(self) -> None:
        if self._pulse.attempt(self.do):
            self.accept()

    def _failed(self, error: Exception) -> None:
        self.fault.setText(str(error))
        self.fault.show()


class AddRange(_Adding):
    """A spot between two timecodes."""

    def __init__(self, pulse: Pulse, *, start: str, end: str, parent: QWidget) -> None:
        super().__init__(
            pulse,
            title="Add spot from in and out points",
            tells="Timecode of the timeline; the out point is the first frame that is not in it. "
            "A range across a cut makes one spot per shot.",
            parent=parent,
        )
        self.start, self.end, self.label = QLineEdit(start), QLineEdit(end), QLineEdit()
        self.label.setPlaceholderText("The object, e.g. door")
        for title, widget in (("&In", self.start), ("&Out", self.end), ("O&bject", self.label)):
            self.field(title, widget)

    @property
    def first(self) -> QWidget:
        """The points are there already."""
        return self.label

    def do(self) -> None:
        """Add the spot."""
        self._spots.add_range(self.start.text(), self.end.text(), label=self.label.text())


class AddMarker(_Adding):
    """Spots of markers that are on the timeline."""

    def __init__(self, pulse: Pulse, *, parent: QWidget) -> None:
        super().__init__(
            pulse,
            title="Add spot from marker",
            tells="Markers of the timeline that no spot was made of. A marker that is a point means the "
            "whole shot.",
            parent=parent,
        )
        self.markers, self.label = QListWidget(), QLineEdit()
        self.label.setPlaceholderText("as the marker says")
        for each in self._spots.markers():
            item = QListWidgetItem(f"{each.start}  {each.name or 'without a name'}")
            item.setData(256, each.id)
            self.markers.addItem(item)
        self.markers.setCurrentRow(0)
        self.need(self.markers.count(), "There is no such marker.")
        self.field("&Marker", self.markers)
        self.field("O&bject", self.label)

    def do(self) -> None:
        """Add the marker's spots."""
        self._spots.add_marker(self.markers.currentItem().data(256), label=self.label.text())


class AddTrack(_Adding):
    """Spots of a video track that holds mattes."""

    def __init__(self, pulse: Pulse, *, parent: QWidget) -> None:
        super().__init__(
            pulse,
            title="Add spots from mask track",
            tells="Every clip on the track becomes the matte of a spot. Tracks whose names begin with MASK "
            "or MATTE are found by themselves.",
            parent=parent,
        )
        self.tracks, self.words = QComboBox(), QLineEdit()
        self.words.setPlaceholderText("violin | not trumpet")
        for each in self._spots.tracks():
            self.tracks.addItem(f"V{each.number}  {each.name}".strip(), each.number)
        self.need(self.tracks.count(), "There is no such track.")
        self.field("&Track", self.tracks)
        self.field("&Words", self.words)

    def do(self) -> None:
        """Read the track as mattes."""
        self._spots.add_mask_track(self.tracks.currentData(), self.words.text())
