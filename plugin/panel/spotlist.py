"""The list of spots with its search field and its filter."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)

from plugin.controller.views import SortBy, SpotState
from plugin.panel.palettes import Shades
from plugin.panel.parts import column, label, name, row
from plugin.panel.pulse import Pulse
from plugin.panel.spotcells import SpotCells, cell_height
from plugin.panel.spotmodel import COLUMNS, SpotModel
from plugin.panel.thumbnails import Thumbnails

_FILTERS: tuple[tuple[str, frozenset[SpotState]], ...] = (
    ("All", frozenset()),
    ("To do", frozenset({SpotState.NEW, SpotState.STALE})),
    ("Rendering", frozenset({SpotState.RENDERING})),
    ("With takes", frozenset({SpotState.TAKES, SpotState.PLACED})),
    ("Placed", frozenset({SpotState.PLACED})),
    ("Problems", frozenset({SpotState.PROBLEM})),
)
_WIDTHS = (160, 92, 84, 112)


class SpotList(QWidget):
    """Spots to look through and choose from."""

    chosen = Signal()
    """Another spot is current, or others are selected."""

    def __init__(self, pulse: Pulse, thumbnails: Thumbnails, shades: Shades, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self.model = SpotModel(pulse, thumbnails, self)
        self.search = QLineEdit()
        self.states = QComboBox()
        self.table = QTableView()
        self._count = label("", use="faint", wraps=False)
        self._cells = SpotCells(shades, self.table)
        self._kept: tuple[tuple[str, ...], str] = ((), "")
        self._told: tuple[tuple[str, ...], str] | None = None
        self._choosing = False
        self._build()
        self._bind()

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the selected spots, in the list's order."""
        places = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return tuple(self.model.row_at(place).id for place in places)

    @property
    def current(self) -> str:
        """Id of the spot that is looked at, "" for none."""
        index = self.table.currentIndex()
        return self.model.row_at(index.row()).id if index.isValid() else ""

    def select(self, cue_ids: tuple[str, ...], current: str = "") -> None:
        """Select these spots and look at one of them."""
        places = [place for each in cue_ids if (place := self.model.place_of(each)) is not None]
        selection = QItemSelection()
        for place in places:
            selection.select(self.model.index(place, 0), self.model.index(place, len(COLUMNS) - 1))
        self._choosing = True
        chooser = self.table.selectionModel()
        first = self.model.place_of(current) if current else None
        first = first if first is not None else (places[0] if places else None)
        if first is not None:
            index = self.model.index(first, 0)
            chooser.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.table.scrollTo(index)
        chooser.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._choosing = False
        self._tell()

    def step(self, by: int) -> None:
        """Look at the spot that many lines further down."""
        count = self.model.rowCount()
        if count:
            index = self.table.currentIndex()
            place = min(max(index.row() + by, 0), count - 1) if index.isValid() else 0
            self.select((self.model.row_at(place).id,))

    def sort_by(self, sort: SortBy, *, descending: bool) -> None:
        """Another order, one that no column shows too."""
        shown = [place for place, each in enumerate(COLUMNS) if each.sort is sort]
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        with QSignalBlocker(self.table.horizontalHeader()):
            self.table.horizontalHeader().setSortIndicator(shown[0] if shown else -1, order)
        self.model.ask(sort=sort, descending=descending)

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._cells.shades = shades
        self.table.viewport().update()

    def _build(self) -> None:
        self.search.setPlaceholderText("Search clip, prompt, timecode")
        self.search.setClearButtonEnabled(True)
        name(self.search, "Search spots", "Shows only spots in which all these words occur.")
        for title, states in _FILTERS:
            self.states.addItem(title, states)
        name(self.states, "Filter by state")
        table = self.table
        table.setModel(self.model)
        table.setItemDelegate(self._cells)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        name(table, "Spots", "One line per spot; the arrow keys move, Shift and Ctrl select several.")
        self._build_headers()
        self.setLayout(column(row(self.search, self.states), table, self._count, space=6, edge=6))

    def _build_headers(self) -> None:
        rows, titles = self.table.verticalHeader(), self.table.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(cell_height(self.table.fontMetrics()))
        titles.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        titles.setHighlightSections(False)
        titles.setStretchLastSection(True)
        for place, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(place, width)
        titles.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
        self.table.setSortingEnabled(True)

    def _bind(self) -> None:
        self.search.textChanged.connect(lambda text: self.model.ask(text=text))
        self.states.currentIndexChanged.connect(lambda place: self.model.ask(states=_FILTERS[place][1]))
        self.table.verticalScrollBar().valueChanged.connect(lambda _: self._scrolled())
        self.model.modelAboutToBeReset.connect(self._keep)
        self.model.reordered.connect(self._restore)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._tell())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._tell())

    def _scrolled(self) -> None:
        """Make no thumbnails of what has been scrolled past."""
        first = max(self.table.rowAt(0), 0)
        last = self.table.rowAt(self.table.viewport().height() - 1)
        seen = self.model.ids[first : last + 1 if last >= 0 else None]
        self._thumbnails.only(frozenset(seen))

    def _tell(self) -> None:
        """Once for each choice; Qt tells of the current line and of the selection apart."""
        now = (self.selected, self.current)
        if now != self._told and not self._choosing:
            self._told = now
            self.chosen.emit()

    def _keep(self) -> None:
        self._kept = (self.selected, self.current)

    def _restore(self) -> None:
        selected, current = self._kept
        still = tuple(each for each in selected if self.model.place_of(each) is not None)
        first = self.model.ids[:1]
        self.select(still or first, current)
        shown = self.model.rowCount()
        self._count.setText(f"{shown} spot{'s' * (shown != 1)}")
        self._tell()
