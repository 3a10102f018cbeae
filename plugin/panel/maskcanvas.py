"""The picture of mask mode: what is drawn on it becomes gestures, in source pixels."""

from __future__ import annotations

from math import hypot

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QEnterEvent,
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

from plugin.controller.masking.views import Mark, MaskPicture, MaskView, Tool
from plugin.masks.prompts import Click, Gesture, Place
from plugin.panel.maskmarks import RADIUS, paint_brush, paint_cross, paint_mark, paint_pill, paint_sketch
from plugin.panel.masksight import Sight
from plugin.panel.masksketch import Sketch
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
    zoomed = Signal(float)
    """1 where the whole picture is seen."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._sight = Sight()
        self._view: MaskView | None = None
        self._picture: MaskPicture | None = None
        self._image = QImage()
        self._sketch: Sketch | None = None
        self._drag: tuple[Mark, Place] | None = None
        self._pan: QPoint | None = None
        self._pointer: QPointF | None = None
        self._cross: Place | None = None
        self._turn: float | None = None
        self._fresh = False
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._turning = QTimer(self, interval=_TURN)
        self.chosen: int | None = None
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
        return self._sight

    @property
    def waiting(self) -> bool:
        """Whether the sign of waiting is seen."""
        return self._turn is not None

    @property
    def drawing(self) -> bool:
        """Whether a gesture has begun."""
        return self._sketch is not None or self._drag is not None

    def show_view(self, view: MaskView) -> None:
        """Show the marks, and draw with the tool that is chosen."""
        before, self._view = self._view, view
        if before is not None and (before.frame, before.tool, before.object) != (
            view.frame,
            view.tool,
            view.object,
        ):
            self.cancel_drawing()
            self.chosen, self._fresh = None, False
        if self.chosen not in {mark.index for mark in view.marks}:
            self.chosen = None
        self._look(
            self._sight.fitted(picture=(view.width, view.height), widget=(self.width(), self.height()))
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
        self._wait(working=picture is not None and picture.working)
        self._describe()
        self.update()

    def look_closer(self, times: float) -> None:
        """Zoom at the pointer, else in the middle."""
        self._look(self._sight.zoomed(times, at=self._pointer or QRectF(self.rect()).center()))

    def look_at_all(self) -> None:
        """The whole picture."""
        self._look(self._sight.whole())

    def cancel_drawing(self) -> bool:
        """Forget what is being drawn; whether anything was."""
        was, self._sketch, self._drag = self.drawing, None, None
        self.update()
        return was

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Picture, marks, what is drawn, words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKDROP)
        if not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._is_smooth())
            painter.drawImage(self._sight.rect, self._image)
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
        self._look(self._sight.fitted(widget=(self.width(), self.height())))

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
        self._cross = None
        point, button = event.position(), event.button()
        if button is Qt.MouseButton.MiddleButton:
            self._pan = point.toPoint()
        elif button in {Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton}:
            alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            adds = button is Qt.MouseButton.LeftButton and not alt
            if not self._press(point, adds=adds) and button is Qt.MouseButton.LeftButton:
                self._pan = point.toPoint()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on, drag on, pan on."""
        self._pointer = event.position()
        if self._pan is not None:
            way, self._pan = event.position().toPoint() - self._pan, event.position().toPoint()
            self._look(self._sight.panned(way.x(), way.y()))
        else:
            self._follow(event.position())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The gesture is made."""
        if self._pan is not None:
            self._pan = None
        else:
            self._release(event.position())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Close a lasso that is drawn corner by corner; else it is one more click."""
        if self._sketch is not None and self._sketch.cornered:
            self._finish()
            event.accept()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl closer or farther; else another size of a lone click, or another frame."""
        turned = event.angleDelta().y()
        if turned and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._look(self._sight.zoomed(_NOTCH if turned > 0 else 1 / _NOTCH, at=event.position()))
        elif turned and self._has_candidates():
            self.candidate_wanted.emit(1 if turned > 0 else -1)
        elif turned:
            self.wheeled.emit(-1 if turned > 0 else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt and arrows move a cross, Enter draws with it; Backspace takes the last corner back."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if key in _ARROWS and modifiers & Qt.KeyboardModifier.AltModifier:
            self._move_cross(*_ARROWS[key], fine=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._use_cross(adds=not modifiers & Qt.KeyboardModifier.ShiftModifier)
        elif key is Qt.Key.Key_Backspace and self._sketch is not None and self._sketch.cornered:
            if not self._sketch.back():
                self.cancel_drawing()
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
        before, self._sight = self._sight, sight
        if before.zoom != sight.zoom:
            self.zoomed.emit(sight.zoom)
        if (before.zoom, before.widget, before.picture) != (sight.zoom, sight.widget, sight.picture):
            self.tell_size()
        self.update()

    def tell_size(self) -> None:
        """Tell how many pixels there are."""
        ratio = self.devicePixelRatioF() * self._sight.scale
        across, down = self._sight.picture
        ratio = min(ratio, 1.0, _LARGEST / max(across, down))
        self.resized.emit(max(1, round(across * ratio)), max(1, round(down * ratio)))

    def _is_smooth(self) -> bool:
        """Whether pixels are so small on the screen that they need not be seen one by one."""
        return self._sight.rect.width() * self.devicePixelRatioF() < 6 * self._image.width()

    def _has_candidates(self) -> bool:
        """Whether the wheel chooses a size: right after a click, or while a mark is chosen."""
        several = self._picture is not None and self._picture.candidates > 1
        return several and (self._fresh or self.chosen is not None)

    def _tell(self, gesture: Gesture) -> None:
        self._fresh = isinstance(gesture, Click)
        self.gestured.emit(gesture)

    def _press(self, point: QPointF, *, adds: bool) -> bool:
        """Begin at a point; whether there was anything to begin."""
        view = self._view
        if view is None:
            return False
        place, sketch = self._sight.to_source(point), self._sketch
        if sketch is not None and sketch.cornered:
            self._set_corner(sketch, self._sight.within(place))
            return True
        mark = self._mark_at(point) if adds and view.tool in {Tool.MOVE, Tool.POINT} else None
        if mark is not None or view.tool is Tool.MOVE:
            self.chosen = mark.index if mark else None
            self._drag = (mark, mark.handle) if mark else None
            self.update()
            return mark is not None
        if view.tool is Tool.POINT:
            self._tell(Click(place, adds))
            return True
        adds = adds == view.paints if view.tool is Tool.BRUSH else adds
        self._sketch = Sketch(view.tool, adds, view.radius, least=2 / self._sight.scale)
        self._sketch.follow(self._sight.within(place))
        self.update()
        return True

    def _follow(self, point: QPointF) -> None:
        place = self._sight.within(self._sight.to_source(point))
        if self._drag is not None:
            self._drag = (self._drag[0], place)
        elif self._sketch is not None:
            self._sketch.follow(place)

    def _release(self, point: QPointF) -> None:
        if self._drag is not None:
            (mark, place), self._drag = self._drag, None
            if place != mark.handle:
                self.moved.emit(mark.index, place)
            self.update()
            return
        sketch = self._sketch
        if sketch is None or sketch.cornered:
            return
        self._follow(point)
        if sketch.tool is Tool.LASSO and sketch.extent <= 3 * sketch.least:
            sketch.places[1:] = []
            sketch.corner(sketch.places[0])
        else:
            self._finish()

    def _set_corner(self, sketch: Sketch, place: Place) -> None:
        if sketch.closes(place):
            self._finish()
        else:
            sketch.corner(place)
            self.update()

    def _finish(self) -> None:
        sketch, self._sketch = self._sketch, None
        gesture = sketch.finished() if sketch else None
        self.update()
        if gesture is not None:
            self._tell(gesture)

    def _mark_at(self, point: QPointF) -> Mark | None:
        """The uppermost mark whose sign is at a point."""
        for mark in reversed(self._view.marks if self._view else ()):
            way = self._sight.to_widget(mark.handle) - point
            if hypot(way.x(), way.y()) <= RADIUS + 2:
                return mark
        return None

    def _move_cross(self, across: int, down: int, *, fine: bool) -> None:
        step = 1.0 if fine else 8 / self._sight.scale
        x, y = self._cross or self._sight.centre
        self._cross = self._sight.within((x + across * step, y + down * step))
        self._follow(self._sight.to_widget(self._cross))

    def _use_cross(self, *, adds: bool) -> None:
        """Press with the cross; where a press has begun, let go."""
        sketch = self._sketch
        if sketch is not None and sketch.cornered and (self._cross is None or sketch.is_still):
            self._finish()
            return
        self._cross = self._cross or self._sight.centre
        point = self._sight.to_widget(self._cross)
        began = not self.drawing
        if began or (sketch is not None and sketch.cornered):
            self._press(point, adds=adds)
        if not began or (self._sketch is not None and self._sketch.tool is Tool.LASSO):
            self._release(point)

    def _wait(self, *, working: bool) -> None:
        if not working:
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
        view, picture = self._view, self._picture
        parts = [f"Frame {view.frame}, {view.timecode}." if view else "Reading ..."]
        if picture is not None:
            parts += [picture.notice, picture.remedy]
        parts += [f"{mark.text}." for mark in (view.marks if view else ())]
        self.setAccessibleDescription(" ".join(part for part in parts if part))

    def _paint_marks(self, painter: QPainter) -> None:
        view = self._view
        if view is None:
            return
        for mark in () if view.playing else view.marks:
            dragged = self._drag[1] if self._drag and self._drag[0].index == mark.index else None
            paint_mark(painter, self._sight, mark, chosen=mark.index == self.chosen, moved=dragged)
        if self._sketch is not None:
            paint_sketch(painter, self._sight, self._sketch)
        at = self._sight.to_widget(self._cross) if self._cross else self._pointer
        if view.tool is Tool.BRUSH and at is not None:
            paint_brush(painter, at, view.radius * self._sight.scale, paints=view.paints)
        if self._cross is not None:
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
        if self._turn is not None:
            paint_pill(painter, QPointF(middle, 24), "Making the mask ...", turn=self._turn)
        elif self._has_candidates():
            which = 0 if picture.candidate is None else picture.candidate + 1
            words = f"Size {which} of {picture.candidates}" if which else f"{picture.candidates} sizes"
            paint_pill(painter, QPointF(middle, 24), f"{words}: Tab or wheel for another")


def _is_tab(event: QKeyEvent) -> bool:
    return event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab
