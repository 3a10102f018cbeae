"""The picture of mask mode: what is drawn on it becomes gestures, in source pixels."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from plugin.controller.masking.views import FindingView, MaskPicture, MaskView, Tool
from plugin.panel.maskhand import Hand
from plugin.panel.maskmarks import paint_brush, paint_cross, paint_mark, paint_pill, paint_sketch
from plugin.panel.maskplaces import Places, words_of
from plugin.panel.masksight import Sight
from plugin.panel.palettes import Shades
from plugin.panel.parts import name
from plugin.panel.picturewords import BACKDROP, paint_card, paint_empty, paint_strip

PATIENCE = 100
"""Milliseconds that a mask may take before a sign of waiting is shown."""

_TURN = 60
_NOTCH = 1.25
_LARGEST = 4096
"""Pixels along the longer side of the largest picture that is asked for."""

_CURSORS = {
    Tool.MOVE: Qt.CursorShape.ArrowCursor,
    Tool.POINT: Qt.CursorShape.CrossCursor,
    Tool.BOX: Qt.CursorShape.CrossCursor,
    Tool.LASSO: Qt.CursorShape.CrossCursor,
    Tool.BRUSH: Qt.CursorShape.BlankCursor,
}
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class MaskCanvas(QWidget):
    """Paints one frame with its marks, takes gestures by mouse, pen and keys, zooms and pans."""

    resized = Signal(int, int)
    """Pixels of the screen that there are for the whole picture."""
    gestured = Signal(object)
    """A `Gesture` that was drawn."""
    moved = Signal(int, object)
    """A mark, and the place its handle went to."""
    wheeled = Signal(int)
    """Frames to step."""
    candidate_wanted = Signal(int)
    """The next size, or the one before, of what a lone click could mean."""
    place_chosen = Signal(int)
    """The number of a place that words found."""
    zoomed = Signal(float)
    """1 where the whole picture is seen."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._picture: MaskPicture | None = None
        self._image = QImage()
        self._pan: QPoint | None = None
        self._pointer: QPointF | None = None
        self._turn: float | None = None
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._turning = QTimer(self, interval=_TURN)
        self._hand = Hand(self.gestured.emit, self.moved.emit)
        self._places, self._pill = Places(), QRectF()
        self._build()

    def _build(self) -> None:
        self._patience.timeout.connect(self._show_waiting)
        self._turning.timeout.connect(self._turn_on)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 135)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        name(self, "Picture to mark the object in", "Reading ...")

    def sizeHint(self) -> QSize:
        """Sixteen to nine."""
        return QSize(640, 360)

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self.update()

    @property
    def sight(self) -> Sight:
        """Where the picture lies."""
        return self._hand.sight

    @property
    def chosen(self) -> int | None:
        """The mark that Delete removes, None for none."""
        return self._hand.chosen

    @property
    def waiting(self) -> bool:
        """Whether the sign of waiting is seen."""
        return self._turn is not None

    @property
    def drawing(self) -> bool:
        """Whether a gesture has begun."""
        return self._hand.drawing

    def show_view(self, view: MaskView) -> None:
        """Show the marks, and draw with the tool that is chosen."""
        self._hand.take(view)
        self._look(
            self._hand.sight.fitted(picture=(view.width, view.height), widget=(self.width(), self.height()))
        )
        self.setCursor(_CURSORS[view.tool])
        self._describe()

    def show_picture(self, picture: MaskPicture | None) -> None:
        """Show a frame, None for none; while its mask is awaited, a sign of waiting comes."""
        self._picture, still = picture, picture.still if picture else None
        self._image = QImage()
        if still is not None:
            kind = QImage.Format.Format_RGB888
            self._image = QImage(still.rgb, still.width, still.height, 3 * still.width, kind)
        self._wait()
        self._describe()
        self.update()

    def show_finding(self, view: FindingView) -> None:
        """Show what words found, to choose from, all of it in sight; a sign of waiting while they look."""
        self._places.view = view
        if any(not self._hand.sight.shows(place.box) for place in view.places):
            self.look_at_all()
        self._wait()
        self._describe()
        self.update()

    def look_closer(self, times: float) -> None:
        """Zoom at the pointer, else in the middle."""
        self._look(self._hand.sight.zoomed(times, at=self._pointer or QRectF(self.rect()).center()))

    def look_at_all(self) -> None:
        """The whole picture."""
        self._look(self._hand.sight.whole())

    def cancel_drawing(self) -> bool:
        """Forget what is being drawn; whether anything was."""
        self.update()
        return self._hand.forget()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Picture, marks, what is drawn, words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKDROP)
        if not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._is_smooth())
            painter.drawImage(self._hand.sight.rect, self._image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_marks(painter)
        self._paint_words(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._shades.colour("accent"), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another part of the picture is seen."""
        super().resizeEvent(event)
        self._look(self._hand.sight.fitted(widget=(self.width(), self.height())))

    def event(self, event: QEvent) -> bool:
        """Tab is the next size of what a lone click could mean, while there are several."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self.tell_size()
        elif isinstance(event, QKeyEvent) and _is_tab(event) and self._has_candidates():
            self.candidate_wanted.emit(1)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin: left adds, right or Alt+left takes away, the middle button moves the picture."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._hand.cross = None
        self._lay_places()
        point, button = event.position(), event.button()
        if button is Qt.MouseButton.MiddleButton:
            self._pan = point.toPoint()
        elif button in {Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton}:
            alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            adds = button is Qt.MouseButton.LeftButton and not alt
            if not (adds and self._places.press(point)):
                self._press(point, adds=adds)
        self.update()
        event.accept()

    def _press(self, point: QPointF, *, adds: bool) -> None:
        """Begin to draw, or where there is nothing to begin, to move the picture."""
        if not self._hand.press(point, adds=adds) and adds:
            self._pan = point.toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on, drag on, pan on."""
        self._pointer = event.position()
        start = self._places.dragged(event.position())
        if start is not None:
            self._press(start, adds=True)
        if self._pan is not None:
            way, self._pan = event.position().toPoint() - self._pan, event.position().toPoint()
            self._look(self._hand.sight.panned(way.x(), way.y()))
        else:
            self._hand.follow(event.position())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The gesture is made."""
        chosen = self._places.release()
        if chosen is not None:
            self.place_chosen.emit(chosen)
        elif self._pan is not None:
            self._pan = None
        else:
            self._hand.release(event.position())
            self.update()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Close a lasso that is drawn corner by corner; else it is one more click."""
        if self._hand.cornering:
            self._hand.finish()
            self.update()
            event.accept()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl closer or farther; else another size of a lone click, or another frame."""
        turned = event.angleDelta().y()
        if turned and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._look(self._hand.sight.zoomed(_NOTCH if turned > 0 else 1 / _NOTCH, at=event.position()))
        elif turned and self._has_candidates():
            self.candidate_wanted.emit(1 if turned > 0 else -1)
        elif turned:
            self.wheeled.emit(-1 if turned > 0 else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt and arrows move a cross, Enter draws with it; Backspace takes the last corner back."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if key in _ARROWS and modifiers & Qt.KeyboardModifier.AltModifier:
            self._hand.move_cross(*_ARROWS[key], fine=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._hand.use_cross(adds=not modifiers & Qt.KeyboardModifier.ShiftModifier)
        elif key is Qt.Key.Key_Backspace and self._hand.cornering:
            self._hand.back()
        else:
            super().keyPressEvent(event)
            return
        self.update()
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer comes."""
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, _event: QEvent) -> None:
        """The pointer goes."""
        self._pointer = None
        self.update()

    def _look(self, sight: Sight) -> None:
        before, self._hand.sight = self._hand.sight, sight
        if before.zoom != sight.zoom:
            self.zoomed.emit(sight.zoom)
        if (before.zoom, before.widget, before.picture) != (sight.zoom, sight.widget, sight.picture):
            self.tell_size()
        self.update()

    def tell_size(self) -> None:
        """Tell how many pixels there are."""
        ratio = self.devicePixelRatioF() * self._hand.sight.scale
        across, down = self._hand.sight.picture
        ratio = min(ratio, 1.0, _LARGEST / max(across, down))
        self.resized.emit(max(1, round(across * ratio)), max(1, round(down * ratio)))

    def _is_smooth(self) -> bool:
        """Whether pixels are so small on the screen that they need not be seen one by one."""
        return self._hand.sight.rect.width() * self.devicePixelRatioF() < 6 * self._image.width()

    def _has_candidates(self) -> bool:
        """Whether the wheel chooses a size: right after a click, or while a mark is chosen."""
        several = self._picture is not None and self._picture.candidates > 1
        return several and (self._hand.fresh or self.chosen is not None)

    def _wait(self) -> None:
        working = self._picture is not None and self._picture.working
        if not working and not self._places.view.looking:
            self._patience.stop()
            self._turning.stop()
            self._turn = None
        elif not self._patience.isActive() and self._turn is None:
            self._patience.start()

    def _show_waiting(self) -> None:
        self._turn = 0.0
        self._turning.start()
        self.update()

    def _turn_on(self) -> None:
        self._turn = ((self._turn or 0.0) + 0.08) % 1.0
        self.update()

    def _describe(self) -> None:
        view, picture = self._hand.view, self._picture
        parts = [f"Frame {view.frame}, {view.timecode}." if view else "Reading ..."]
        if picture is not None:
            parts += [picture.notice, picture.remedy]
        parts += [f"{mark.text}." for mark in (view.marks if view else ())]
        if view is not None and self._places.view.frame == view.frame:
            parts += [f"Place {place.text}." for place in self._places.view.places]
        self.setAccessibleDescription(" ".join(part for part in parts if part))

    def _paint_marks(self, painter: QPainter) -> None:
        view = self._hand.view
        if view is None:
            return
        for mark in () if view.playing else view.marks:
            moved, chosen = self._hand.moved_to(mark), mark.index == self.chosen
            paint_mark(painter, self._hand.sight, mark, chosen=chosen, moved=moved)
        if self._hand.sketch is not None:
            paint_sketch(painter, self._hand.sight, self._hand.sketch)
        at = self._hand.sight.to_widget(self._hand.cross) if self._hand.cross else self._pointer
        if view.tool is Tool.BRUSH and at is not None:
            paint_brush(painter, at, view.radius * self._hand.sight.scale, paints=view.paints)
        if self._hand.cross is not None:
            paint_cross(painter, at or QPointF())

    def _paint_words(self, painter: QPainter) -> None:
        picture, middle = self._picture, self.width() / 2
        if picture is None:
            paint_empty(painter, self.rect(), "Reading ...")
            return
        if picture.still is None and picture.notice:
            paint_card(painter, self.rect(), picture.notice, picture.remedy)
        elif picture.notice:
            paint_strip(painter, self.rect(), f"{picture.notice} {picture.remedy}".strip())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        said = self._said(picture)
        self._pill = QRectF()
        if said:
            self._pill = paint_pill(painter, QPointF(middle, 24), said, turn=self._turn)
        self._lay_places()
        if not self._image.isNull():
            self._places.paint(painter, self._pointer)

    def _said(self, picture: MaskPicture) -> str:
        """The words at the upper edge, "" for none."""
        looking = self._places.view.looking
        if self._turn is not None and not looking:
            return "Making the mask ..."
        if looking and self._turn is None:
            return ""  # the answer may come at once
        metrics, frame = QFontMetricsF(self.font()), self._hand.view.frame if self._hand.view else -1
        found = words_of(self._places.view, frame, room=self.width() - 80.0, metrics=metrics)
        if found or not self._has_candidates():
            return found
        which = 0 if picture.candidate is None else picture.candidate + 1
        words = f"Size {which} of {picture.candidates}" if which else f"{picture.candidates} sizes"
        return f"{words}: Tab or wheel for another"

    def _lay_places(self) -> None:
        """Say where what words found lies, its numbers not under the words at the upper edge."""
        self._places.lay(
            self._hand.view.frame if self._hand.view else -1,
            self._hand.sight,
            ground=QRectF(self.rect()).adjusted(2, 2, -2, -2),
            metrics=QFontMetricsF(self.font()),
            taken=(self._pill,),
        )


def _is_tab(event: QKeyEvent) -> bool:
    return event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab
