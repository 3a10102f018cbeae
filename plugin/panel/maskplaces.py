"""Places that words could mean, over the picture of mask mode: numbered boxes, one of which is clicked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from plugin.controller.masking.views import FindingView, FoundPlace
from plugin.panel.masksight import Sight

_LINE = QColor("#ffd200")
_DARK = QColor(0, 0, 0, 190)
_OVER = QColor(255, 210, 0, 46)
_WORDS = QColor("#111316")
_HIGH = 20.0
_GAP = 2.0
_LEAST = 8.0
"""Side of the smallest box that is drawn, pixels: one of few source pixels could not be seen."""

_DRAG = 6.0
"""Pixels that the pointer moves before a press is no click any more."""

_AROUND = sorted(
    ((across, down) for across in range(-6, 7) for down in range(-12, 13)),
    key=lambda at: (3 * at[0]) ** 2 + at[1] ** 2,
)
"""Tags to the side and down, the nearest first; a tag is three times as wide as high."""

_WORDS_LEAST = 60.0


@dataclass(frozen=True, slots=True)
class Laid:
    """A place in the widget.

    Attributes:
        place: its number and score.
        rect: the box.
        tag: its number, where no other one is.
    """

    place: FoundPlace
    rect: QRectF
    tag: QRectF


def laid_out(
    places: Sequence[FoundPlace],
    sight: Sight,
    *,
    ground: QRectF,
    metrics: QFontMetricsF,
    taken: Sequence[QRectF] = (),
) -> tuple[Laid, ...]:
    """Boxes and their tags; the best place chooses first where its tag lies.

    Args:
        places: all of them; those that are out of sight are left out.
        sight: where the picture lies.
        ground: the widget.
        metrics: of the words in the tags.
        taken: where tags may not lie.
    """
    found: list[Laid] = []
    for place in places:
        rect = _rect(place, sight)
        if rect.intersects(ground):
            occupied = [*taken, *(one.tag for one in found)]
            width = metrics.horizontalAdvance(_words(place)) + 14
            found.append(Laid(place, rect, _tag(rect, width, ground, occupied)))
    return tuple(found)


def _rect(place: FoundPlace, sight: Sight) -> QRectF:
    box = place.box
    corners = sight.to_widget((box.left, box.top)), sight.to_widget((box.right, box.bottom))
    rect = QRectF(*corners)
    across, down = (max(0.0, _LEAST - side) / 2 for side in (rect.width(), rect.height()))
    return rect.marginsAdded(QMarginsF(across, down, across, down))


def _tag(rect: QRectF, width: float, ground: QRectF, occupied: Sequence[QRectF]) -> QRectF:
    """Above the box, else below it, else at its right corners, else as near as there is room."""
    for left, top in _corners(rect, width):
        tag = _brought_in(QRectF(left, top, width, _HIGH), ground)
        if not any(tag.intersects(other) for other in occupied):
            return tag
    return _brought_in(QRectF(rect.left(), rect.top() - _HIGH - _GAP, width, _HIGH), ground)


def _corners(rect: QRectF, width: float) -> Iterator[tuple[float, float]]:
    """Where the left upper corner of a tag may be, the best first."""
    above, below, right = rect.top() - _HIGH - _GAP, rect.bottom() + _GAP, rect.right() - width
    yield from ((rect.left(), above), (rect.left(), below), (right, above), (right, below))
    for across, down in _AROUND:
        yield rect.left() + across * (width + _GAP), above + down * (_HIGH + _GAP)


def _brought_in(rect: QRectF, ground: QRectF) -> QRectF:
    left = min(max(rect.left(), ground.left()), ground.right() - rect.width())
    top = min(max(rect.top(), ground.top()), ground.bottom() - rect.height())
    return QRectF(left, top, rect.width(), rect.height())


def _words(place: FoundPlace) -> str:
    return f"{place.number}   {place.score:.2f}"


class Places:
    """What was found, where it lies, and which of it the pointer has pressed.

    Attributes:
        view: what is looked for or was found.
    """

    def __init__(self) -> None:
        """Nothing is looked for."""
        self.view = FindingView()
        self._laid: tuple[Laid, ...] = ()
        self._pressed: tuple[int, QPointF] | None = None

    def lay(
        self, frame: int, sight: Sight, *, ground: QRectF, metrics: QFontMetricsF, taken: Sequence[QRectF]
    ) -> None:
        """Say where everything lies now; in another frame there is nothing."""
        places = self.view.places if frame == self.view.frame else ()
        self._laid = laid_out(places, sight, ground=ground, metrics=metrics, taken=taken)

    def at(self, point: QPointF) -> int | None:
        """The number under a point: that of a tag, else of the smallest box there."""
        for one in self._laid:
            if one.tag.contains(point):
                return one.place.number
        under = [one for one in self._laid if one.rect.contains(point)]
        smallest = min(under, key=lambda one: one.rect.width() * one.rect.height(), default=None)
        return smallest.place.number if smallest else None

    def press(self, point: QPointF) -> bool:
        """Press there; whether a place is under it, which a release chooses."""
        number = self.at(point)
        self._pressed = None if number is None else (number, QPointF(point))
        return number is not None

    def dragged(self, point: QPointF) -> QPointF | None:
        """Where the press was, once the pointer is so far from it that one draws; then no place is meant."""
        if self._pressed is None or (point - self._pressed[1]).manhattanLength() <= _DRAG:
            return None
        start, self._pressed = self._pressed[1], None
        return start

    def release(self) -> int | None:
        """The number that is chosen, None for none."""
        pressed, self._pressed = self._pressed, None
        return pressed[0] if pressed else None

    def paint(self, painter: QPainter, pointer: QPointF | None) -> None:
        """All of them, the best on top; what is under the pointer stands out."""
        over = None if pointer is None else self.at(pointer)
        for one in reversed(self._laid):
            _paint_box(painter, one, over=one.place.number == over)
        for one in reversed(self._laid):
            _paint_tag(painter, one, over=one.place.number == over)


def _paint_box(painter: QPainter, one: Laid, *, over: bool) -> None:
    painter.setBrush(_OVER if over else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_DARK, 5 if over else 4))
    painter.drawRect(one.rect)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_LINE, 3 if over else 2))
    painter.drawRect(one.rect)


def _paint_tag(painter: QPainter, one: Laid, *, over: bool) -> None:
    """The number, and a line to its box where it is not beside it."""
    if not one.tag.adjusted(-4, -4, 4, 4).intersects(one.rect):
        for colour, width in ((_DARK, 3.0), (_LINE, 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(one.tag.center(), one.rect.center())
    painter.setPen(QPen(_DARK, 2))
    painter.setBrush(QColor("#ffffff") if over else _LINE)
    painter.drawRoundedRect(one.tag, 3, 3)
    painter.setPen(_WORDS)
    painter.drawText(one.tag, Qt.AlignmentFlag.AlignCenter, _words(one.place))


def words_of(view: FindingView, frame: int, *, room: float, metrics: QFontMetricsF) -> str:
    """What is said of it on the picture, "" for nothing.

    Args:
        view: what is looked for or was found.
        frame: the shown one.
        room: pixels there are for it.
        metrics: of the letters.
    """
    count = len(view.places)
    if view.looking:
        before, after = "Looking for '", "' ..." if frame == view.frame else f"' in frame {view.frame} ..."
    elif not count:
        return ""
    elif frame != view.frame:
        before, after = "", f" was found in frame {view.frame}"
    else:
        before, after = (
            "",
            ": press 1 or click it" if count == 1 else f": press 1 to {min(count, 9)} or click",
        )
        after = f"{after}; Esc for none"
    left = max(_WORDS_LEAST, room - metrics.horizontalAdvance(before + after))
    return before + metrics.elidedText(view.words, Qt.TextElideMode.ElideMiddle, left) + after
