"""The viewer: one picture, its focus, and words where there is no picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from plugin.controller.projector import ViewerFrame
from plugin.panel.palettes import Shades
from plugin.panel.parts import name
from plugin.panel.picturewords import BACKDROP, paint_card, paint_empty, paint_strip

_FOCUS = QColor("#ffd84a")
_EXACT = 2.0
"""Pixels by which a picture may miss the size of the widget and still be painted as it is."""


class Viewer(QWidget):
    """Paints what it is shown as large as fits, never blurred by the screen's scaling."""

    resized = Signal(int, int)
    """Pixels of the screen that there are for a picture."""
    wheeled = Signal(int)
    """Frames to step, by the wheel."""
    pressed = Signal()

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._shown: ViewerFrame | None = None
        self._image = QImage()
        self._empty = "Choose a spot in the list."
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 135)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        name(self, "Viewer", self._empty)

    def sizeHint(self) -> QSize:
        """Sixteen to nine."""
        return QSize(480, 270)

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self.update()

    def show_nothing(self, words: str) -> None:
        """Show no picture, but these words."""
        self._shown, self._image, self._empty = None, QImage(), words
        self.setAccessibleDescription(words)
        self.update()

    def show_frame(self, shown: ViewerFrame) -> None:
        """Show a picture."""
        still = shown.still
        self._shown, self._image = shown, QImage()
        if still is not None:
            stride, kind = 3 * still.width, QImage.Format.Format_RGB888
            self._image = QImage(still.rgb, still.width, still.height, stride, kind)
        words = " ".join(part for part in (shown.notice, shown.remedy) if part)
        self.setAccessibleDescription(words or "Picture with its matte")
        self.update()

    @property
    def picture_rect(self) -> QRectF:
        """Where the picture is painted, in the widget's own coordinates; empty without one."""
        if self._image.isNull():
            return QRectF()
        ratio = self.devicePixelRatioF()
        width, height = self._image.width(), self._image.height()
        scale = min(self.width() * ratio / width, self.height() * ratio / height)
        if abs(scale - 1) * max(width, height) < _EXACT:
            scale = 1.0  # it was decoded for this size: painted pixel by pixel it stays sharp
        rect = QRectF(0, 0, width * scale / ratio, height * scale / ratio)
        rect.moveCenter(QRectF(self.rect()).center())
        return self._on_pixels(rect)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture, the focus, the words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKDROP)
        if self._shown is not None and not self._image.isNull():
            rect = self.picture_rect
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(rect, self._image)
            self._paint_focus(painter, rect)
        self._paint_words(painter)
        if self.hasFocus():
            painter.setPen(QPen(self._shades.colour("accent"), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for as many pixels as the screen has here."""
        super().resizeEvent(event)
        self.tell_size()

    def tell_size(self) -> None:
        """Tell how many pixels there are."""
        ratio = self.devicePixelRatioF()
        self.resized.emit(round(self.width() * ratio), round(self.height() * ratio))

    def event(self, event: QEvent) -> bool:
        """Another screen may have other pixels."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self.tell_size()
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the picture takes the keys."""
        super().mousePressEvent(event)
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() is Qt.MouseButton.LeftButton:
            self.pressed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel steps through frames."""
        turned = event.angleDelta().y()
        if turned:
            self.wheeled.emit(-1 if turned > 0 else 1)
        event.accept()

    def _on_pixels(self, rect: QRectF) -> QRectF:
        """The same rectangle with its edges on whole pixels of the screen, so that nothing is blurred."""
        ratio = self.devicePixelRatioF()
        left, top = round(rect.left() * ratio), round(rect.top() * ratio)
        width, height = round(rect.width() * ratio), round(rect.height() * ratio)
        return QRectF(left / ratio, top / ratio, width / ratio, height / ratio)

    def _paint_focus(self, painter: QPainter, rect: QRectF) -> None:
        region = self._shown.focus if self._shown else None
        if region is None:
            return
        first = QPointF(rect.left() + region.left * rect.width(), rect.top() + region.top * rect.height())
        last = QPointF(rect.left() + region.right * rect.width(), rect.top() + region.bottom * rect.height())
        box = QRectF(first, last).adjusted(0.5, 0.5, -0.5, -0.5)
        for colour, width, style in (
            (QColor(0, 0, 0, 150), 3.0, Qt.PenStyle.SolidLine),
            (_FOCUS, 1.5, Qt.PenStyle.DashLine),
        ):
            painter.setPen(QPen(colour, width, style))
            painter.drawRect(box)

    def _paint_words(self, painter: QPainter) -> None:
        shown = self._shown
        if shown is None:
            paint_empty(painter, self.rect(), self._empty)
        elif shown.still is None:
            paint_card(painter, self.rect(), shown.notice, shown.remedy)
        elif shown.notice:
            paint_strip(painter, self.rect(), f"{shown.notice} {shown.remedy}".strip())
