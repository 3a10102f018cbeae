"""What a mask session would show, made of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from plugin.controller.masking.marking import handle_of, words_of
from plugin.controller.masking.views import (
    FrameState,
    Mark,
    MaskOverlay,
    MaskPicture,
    MaskView,
    ObjectRow,
    StripFrame,
    StripRun,
    StripView,
    Tool,
)
from plugin.controller.projector import Still
from plugin.masks.prompts import Gesture

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
PLAIN = Qt.KeyboardModifier.NoModifier
ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def view(**changes: object) -> MaskView:
    values: dict[str, object] = {
        "title": "shot",
        "cue_id": "001",
        "width": 200,
        "height": 100,
        "rate": Fraction(25),
        "first": 0,
        "last": 99,
        "spot_first": 0,
        "spot_last": 99,
        "frame": 10,
        "timecode": "00:00:00:10",
        "mark_in": None,
        "mark_out": None,
        "playing": False,
        "tool": Tool.POINT,
        "paints": True,
        "radius": 10.0,
        "overlay": MaskOverlay.TINT,
        "objects": (ObjectRow("0", "violin", (255, 64, 128), 1, "1 keyframe, 1 of 100 frames"),),
        "object": "0",
        "marks": (),
        "undo": "",
        "redo": "",
        "segmenter": "GrabCut, no model",
        "tracker": "flow tracker, no model",
        "clicks_need_model": False,
        "saved": "saved",
        "can_save": True,
        "can_place": True,
    }
    return MaskView(**(values | changes))  # type: ignore[arg-type]


def picture(grey: int = 90, **changes: object) -> MaskPicture:
    still = Still.of(np.full((100, 200, 3), grey, np.uint8))
    values: dict[str, object] = {"frame": 10, "still": still, "state": FrameState.KEYFRAME, "confidence": 1.0}
    return MaskPicture(**(values | changes))  # type: ignore[arg-type]


def marks(*gestures: Gesture) -> tuple[Mark, ...]:
    return tuple(Mark(index, each, handle_of(each), words_of(each)) for index, each in enumerate(gestures))


def strip(
    runs: Sequence[tuple[int, FrameState, float]], *, keyframes: tuple[int, ...] = (), **more: object
) -> StripView:
    """Of so many frames of a state and a confidence, one run after the other."""
    frames = tuple(
        StripFrame(0, state, confidence) for count, state, confidence in runs for _ in range(count)
    )
    found, first = [], 0
    for count, state, confidence in runs:
        found.append(StripRun(first, first + count - 1, state, StripFrame(0, state, confidence).trust))
        first += count
    return StripView(0, first - 1, frames, tuple(found), keyframes, **more)  # type: ignore[arg-type]


def press(
    widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN
) -> None:
    _send(widget, at, QMouseEvent.Type.MouseButtonPress, (button, button, keys))


def move(widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
    _send(widget, at, QMouseEvent.Type.MouseMove, (Qt.MouseButton.NoButton, button, PLAIN))


def release(widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
    _send(widget, at, QMouseEvent.Type.MouseButtonRelease, (button, Qt.MouseButton.NoButton, PLAIN))


def double(widget: QWidget, at: QPointF) -> None:
    """The second press and release of a double click."""
    _send(widget, at, QMouseEvent.Type.MouseButtonDblClick, (LEFT, LEFT, PLAIN))
    release(widget, at)


def drag(
    widget: QWidget, *points: QPointF, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN
) -> None:
    """Press at the first point, go along the others, release at the last."""
    press(widget, points[0], button, keys)
    for point in points[1:]:
        move(widget, point, button)
    release(widget, points[-1], button)


def turn(widget: QWidget, notches: int, *, at: QPointF, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """The wheel, away from oneself when positive."""
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def share(image: QImage, colour: QColor, *, left: float, right: float, top: float, bottom: float) -> float:
    """Which part of the pixels between those lines is nearly of that colour."""
    part = image.copy(round(left), round(top), round(right - left), round(bottom - top))
    part = part.convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.bytesPerLine())
    rgb = data[:, : part.width() * 3].reshape(part.height(), part.width(), 3).astype(int)
    return float((np.abs(rgb - [colour.red(), colour.green(), colour.blue()]).max(axis=2) < 16).mean())


def _send(
    widget: QWidget,
    at: QPointF,
    kind: QMouseEvent.Type,
    buttons: tuple[Qt.MouseButton, Qt.MouseButton, Qt.KeyboardModifier],
) -> None:
    QApplication.sendEvent(widget, QMouseEvent(kind, at, widget.mapToGlobal(at), *buttons))
