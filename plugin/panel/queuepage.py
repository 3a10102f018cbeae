"""The render queue: what is rendered, how far it is, in which order."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from plugin.controller.views import QueueRow, QueueState
from plugin.panel.palettes import Shades
from plugin.panel.parts import button, column, label, name, row
from plugin.panel.pulse import Pulse

_ROW = Qt.ItemDataRole.UserRole
UNDER_WAY = frozenset({QueueState.WAITING, QueueState.RUNNING})
_EDGE = 6
_BAR = 4
_USES = {
    QueueState.WAITING: "faint",
    QueueState.RUNNING: "text",
    QueueState.DONE: "good",
    QueueState.FAILED: "bad",
    QueueState.CANCELLED: "faint",
}


class QueuePage(QWidget):
    """Items in the order in which they are rendered, the ended ones on top."""

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse, self._queue = pulse, pulse.desk.queue
        self.list = QListWidget()
        self._items = _Items(shades, self.list)
        self._empty = label("Nothing is being rendered. Generate adds spots here.", use="faint")
        self._message = label("", use="bad", selectable=True)
        act = self._on_current
        self.up = button("Up", lambda: self._move(-1), icon_name="up", tells="Render it earlier (Alt+Up)")
        self.down = button(
            "Down", lambda: self._move(1), icon_name="down", tells="Render it later (Alt+Down)"
        )
        self.cancel = button(
            "Cancel",
            lambda: act(self._queue.cancel),
            icon_name="cancel",
            tells="Stop it, or take it out (Delete)",
        )
        self.again = button(
            "Again", lambda: act(self._queue.retry), icon_name="reload", tells="Render it once more"
        )
        self.clear = button("Clear ended", lambda: pulse.attempt(self._queue.clear), icon_name="trash")
        self._build()
        pulse.queue.connect(self._refresh)
        pulse.timeline.connect(self._refresh)
        self._refresh()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._items.shades = shades
        self.list.viewport().update()

    def _build(self) -> None:
        self.list.setItemDelegate(self._items)
        self.list.setAlternatingRowColors(True)
        name(self.list, "Render queue", "One line per item with its progress; Delete cancels it.")
        self.list.currentRowChanged.connect(lambda _: self._enable())
        for keys, do in (("Alt+Up", self.up), ("Alt+Down", self.down), ("Delete", self.cancel)):
            shortcut = QShortcut(QKeySequence(keys), self.list, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(do.click)
        first, second = row(self.up, self.down, None), row(self.cancel, self.again, self.clear, None)
        self.setLayout(column(self._empty, self.list, self._message, first, second, space=6, edge=8))

    @property
    def _current(self) -> QueueRow | None:
        item = self.list.currentItem()
        current: QueueRow | None = item.data(_ROW) if item is not None else None
        return current

    def _on_current(self, do: Callable[[str], None]) -> None:
        current = self._current
        if current is not None:
            self._pulse.attempt(lambda: do(current.id))

    def _move(self, by: int) -> None:
        waiting = [each.id for each in self._queue.rows() if each.state is QueueState.WAITING]
        current = self._current
        if current is not None and current.id in waiting:
            to = min(max(waiting.index(current.id) + by, 0), len(waiting) - 1)
            self._pulse.attempt(lambda: self._queue.move(current.id, to=to))

    def _refresh(self, _event: object = None) -> None:
        rows, current = self._queue.rows(), self._current
        if [each.id for each in rows] == [item.data(_ROW).id for item in self._all_items()]:
            for item, each in zip(self._all_items(), rows, strict=True):
                if item.data(_ROW) != each:
                    _fill(item, each)
        else:
            self._fill_anew(rows, current.id if current else "")
        self.list.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self._enable()

    def _all_items(self) -> list[QListWidgetItem]:
        return [self.list.item(place) for place in range(self.list.count())]

    def _fill_anew(self, rows: tuple[QueueRow, ...], current: str) -> None:
        self.list.clear()
        running = next((each.id for each in rows if each.state is QueueState.RUNNING), "")
        for each in rows:
            item = QListWidgetItem(self.list)
            _fill(item, each)
            if each.id == current or (not current and each.id == running):
                self.list.setCurrentItem(item)

    def _enable(self) -> None:
        current = self._current
        state = current.state if current else None
        waiting = state is QueueState.WAITING
        self.up.setEnabled(waiting)
        self.down.setEnabled(waiting)
        self.cancel.setEnabled(state in UNDER_WAY)
        self.again.setEnabled(state in {QueueState.FAILED, QueueState.CANCELLED})
        ended = {QueueState.DONE, QueueState.FAILED, QueueState.CANCELLED}
        self.clear.setEnabled(any(item.data(_ROW).state in ended for item in self._all_items()))
        text = f"{current.message} {current.remedy}".strip() if current else ""
        self._message.setText(text)
        self._message.setVisible(bool(text))


def _fill(item: QListWidgetItem, each: QueueRow) -> None:
    item.setData(_ROW, each)
    words = f"{title_of(each)}: {each.text}"
    item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
    item.setToolTip("\n".join(line for line in (words, each.message, each.remedy) if line))


def title_of(each: QueueRow) -> str:
    """What an item renders, in words."""
    takes = f"{each.takes} take{'s' * (each.takes != 1)}"
    return f"{each.cue_id}  {each.label}, {takes}{', preview' * each.preview}"


class _Items(QStyledItemDelegate):
    """Paints an item: what, how far, and a bar."""

    def __init__(self, shades: Shades, parent: QWidget) -> None:
        super().__init__(parent)
        self.shades = shades

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Two lines and the bar."""
        return QSize(80, 2 * option.fontMetrics.height() + 3 * _EDGE + _BAR)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one item."""
        painter.save()
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        each = index.data(_ROW)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        line = option.fontMetrics.height()
        box = option.rect.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        elided = option.fontMetrics.elidedText
        painter.setPen(self.shades.colour("on_accent" if selected else "text"))
        upper = QRect(box.left(), box.top(), box.width(), line)
        painter.drawText(upper, 0, elided(title_of(each), Qt.TextElideMode.ElideRight, box.width()))
        painter.setPen(self.shades.colour("on_accent" if selected else _USES[each.state]))
        lower = upper.translated(0, line)
        painter.drawText(lower, 0, elided(each.text, Qt.TextElideMode.ElideRight, box.width()))
        if each.state is QueueState.RUNNING:
            self._bar(painter, QRect(box.left(), box.bottom() - _BAR + 1, box.width(), _BAR), each.progress)
        painter.restore()

    def _bar(self, painter: QPainter, bar: QRect, progress: float) -> None:
        painter.fillRect(bar, self.shades.colour("line"))
        bar.setWidth(round(bar.width() * progress))
        painter.fillRect(bar, self.shades.colour("good"))
