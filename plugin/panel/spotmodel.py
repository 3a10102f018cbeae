"""The spots of the timeline as a Qt table: rows as the desk gives them, sorted and filtered by the desk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from plugin.controller.views import DeskEvent, SortBy, SpotQuery, SpotRow
from plugin.panel.pulse import Pulse
from plugin.panel.thumbnails import Thumbnails

ROW_ROLE = Qt.ItemDataRole.UserRole
SECOND_LINE_ROLE = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_AS_ON_THE_TIMELINE = SpotQuery()
_LATER = 300
"""Milliseconds; a render tells of its progress many times a second."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, by what a click on it sorts, and the two lines of its cells."""

    title: str
    sort: SortBy

    def lines(self, row: SpotRow) -> tuple[str, str]:
        """What stands in the cell of a spot."""
        match self.sort:
            case SortBy.LABEL:
                return f"{row.id}  {row.label}", row.clip
            case SortBy.RECORD:
                return row.start, row.end
            case SortBy.PROMPT:
                return row.prompt, f"not {row.negative_prompt}" if row.negative_prompt else row.matte
            case _:
                return row.state_text, row.length


COLUMNS = (
    Column("Spot, clip", SortBy.LABEL),
    Column("In, out", SortBy.RECORD),
    Column("Prompt", SortBy.PROMPT),
    Column("State", SortBy.STATE),
)


class SpotModel(QAbstractTableModel):
    """The spots that fit a query."""

    reordered = Signal()
    """Rows have come, gone or moved; who holds a selection by id sets it again."""

    def __init__(self, pulse: Pulse, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = pulse.desk
        self._thumbnails = thumbnails
        self._query = SpotQuery()
        self._rows: tuple[SpotRow, ...] = ()
        self._places: dict[str, int] = {}
        self._later = QTimer(self, singleShot=True, interval=_LATER)
        self._later.timeout.connect(self._reload)
        pulse.timeline.connect(self._reload)
        pulse.spots.connect(self._changed)
        thumbnails.ready.connect(self._thumbnail_came)

    @property
    def query(self) -> SpotQuery:
        """Which spots are shown, and in which order."""
        return self._query

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the spots shown, in their order."""
        return tuple(row.id for row in self._rows)

    def ask(self, **changes: Any) -> None:
        """Show other spots, or in another order: fields of `SpotQuery`."""
        self._query = replace(self._query, **changes)
        self._reload()

    def place_of(self, cue_id: str) -> int | None:
        """In which line a spot is, None when it is not shown."""
        return self._places.get(cue_id)

    def row_at(self, place: int) -> SpotRow:
        """The spot in a line."""
        return self._rows[place]

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """How many spots are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """How many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """What a cell shows and says."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbnails.of(row.id) if column.sort is SortBy.LABEL else None
        return _text(row, column, role)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Let the desk sort by what this column shows."""
        if 0 <= column < len(COLUMNS):
            self.ask(sort=COLUMNS[column].sort, descending=order is Qt.SortOrder.DescendingOrder)

    def _thumbnail_came(self, cue_id: str) -> None:
        self._tell_changed(cue_id, 0, 0)

    def _changed(self, event: DeskEvent) -> None:
        """Show single rows anew at once; whether they belong elsewhere now is looked at a little later."""
        rows = [self._desk.spots.row(each) for each in event.ids]
        if not event.ids or any(row is None for row in rows):
            self._reload()
            return
        updated = list(self._rows)
        for row in rows:
            if row is not None and row.id in self._places:
                updated[self._places[row.id]] = row
        self._rows = tuple(updated)
        for each in event.ids:
            self._tell_changed(each, 0, len(COLUMNS) - 1)
        if not self._later.isActive() and self._query != _AS_ON_THE_TIMELINE:
            self._later.start()

    def _tell_changed(self, cue_id: str, first: int, last: int) -> None:
        place = self._places.get(cue_id)
        if place is not None:
            self.dataChanged.emit(self.index(place, first), self.index(place, last))

    def _reload(self, _event: object = None) -> None:
        rows = self._desk.spots.rows(self._query)
        if tuple(row.id for row in rows) == self.ids and rows:
            self._rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self._places = {row.id: place for place, row in enumerate(rows)}
        self.endResetModel()
        self.reordered.emit()


def _text(row: SpotRow, column: Column, role: int) -> str | None:
    first, second = column.lines(row)
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return first
        case _ if role == SECOND_LINE_ROLE:
            return second
        case Qt.ItemDataRole.ToolTipRole:
            return "\n".join(line for line in (first, second, row.note) if line)
        case Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(line for line in (column.title, first, second) if line)
    return None
