"""Cells of the spots list: a thumbnail, two lines, and how far the spot is."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from plugin.controller.views import SortBy, SpotRow, SpotState
from plugin.panel.palettes import Shades
from plugin.panel.spotmodel import COLUMNS, ROW_ROLE, SECOND_LINE_ROLE

THUMBNAIL = QSize(72, 40)
_EDGE = 5
_USES = {
    SpotState.NEW: "faint",
    SpotState.STALE: "warn",
    SpotState.RENDERING: "text",
    SpotState.TAKES: "text",
    SpotState.PLACED: "good",
    SpotState.PROBLEM: "bad",
}


def cell_height(metrics: QFontMetrics) -> int:
    """As high as the thumbnail or two lines, whichever is more."""
    return max(THUMBNAIL.height(), 2 * metrics.height()) + 2 * _EDGE


class SpotCells(QStyledItemDelegate):
    """Paints the cells; the colours of a state come from the palette in use."""

    def __init__(self, shades: Shades, parent: QWidget) -> None:
        super().__init__(parent)
        self.shades = shades

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as the thumbnail or two lines."""
        return QSize(super().sizeHint(option, index).width(), cell_height(option.fontMetrics))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one cell."""
        painter.save()
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        box = option.rect.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        row = index.data(ROW_ROLE)
        sort = COLUMNS[index.column()].sort
        if sort is SortBy.LABEL:
            box.setLeft(self._thumbnail(painter, box, index.data(Qt.ItemDataRole.DecorationRole)))
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if sort is SortBy.STATE:
            self._progress(painter, option.rect, row, selected=selected)
        self._lines(painter, box, option, index, colour=self._colour(row, sort, selected=selected))
        painter.restore()

    def _colour(self, row: SpotRow, sort: SortBy, *, selected: bool) -> QColor:
        if selected:
            return self.shades.colour("on_accent")
        return self.shades.colour(_USES[row.state] if sort is SortBy.STATE else "text")

    def _thumbnail(self, painter: QPainter, box: QRect, picture: QImage | None) -> int:
        """Draw it, or the place where it will be; gives where the text begins."""
        frame = QRect(box.left(), box.center().y() - THUMBNAIL.height() // 2, *THUMBNAIL.toTuple())
        painter.fillRect(frame, self.shades.colour("raised"))
        if picture is not None and not picture.isNull():
            size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            inner = QRect(0, 0, size.width(), size.height())
            inner.moveCenter(frame.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(inner, picture)
        return frame.right() + 2 * _EDGE

    def _progress(self, painter: QPainter, cell: QRect, row: SpotRow, *, selected: bool) -> None:
        if not row.progress:
            return
        bar = QRect(cell.left(), cell.bottom() - 3, cell.width(), 3)
        painter.fillRect(bar, self.shades.colour("line"))
        bar.setWidth(round(bar.width() * row.progress))
        painter.fillRect(bar, self.shades.colour("on_accent" if selected else "accent"))

    def _lines(
        self,
        painter: QPainter,
        box: QRect,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        *,
        colour: QColor,
    ) -> None:
        first, second = index.data(Qt.ItemDataRole.DisplayRole), index.data(SECOND_LINE_ROLE)
        upper = QRect(box.left(), box.top(), box.width(), box.height() // 2)
        lower = QRect(box.left(), upper.bottom() + 1, box.width(), box.height() - upper.height())
        painter.setFont(option.font)
        elided = option.fontMetrics.elidedText
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setPen(colour)
        painter.drawText(upper, flags, elided(first, Qt.TextElideMode.ElideRight, upper.width()))
        selected = option.state & QStyle.StateFlag.State_Selected
        faint = option.palette.color(QPalette.ColorRole.HighlightedText) if selected else None
        painter.setPen(faint or self.shades.colour("faint"))
        painter.drawText(lower, flags, elided(second, Qt.TextElideMode.ElideRight, lower.width()))
