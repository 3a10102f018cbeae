"""Which part of a picture is seen in mask mode, and how large: small objects need a closer look."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF

from plugin.masks.prompts import Box, Place

CLOSEST = 32.0
"""Times the size at which the whole picture fits."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a picture lies in a widget.

    Attributes:
        picture: width and height in source pixels.
        widget: width and height in the widget's own coordinates.
        zoom: 1 where the whole picture fits, larger closer.
        middle: the source place in the middle of the widget, None for the picture's own middle.
    """

    picture: tuple[int, int] = (16, 9)
    widget: tuple[int, int] = (16, 9)
    zoom: float = 1.0
    middle: Place | None = None

    @property
    def centre(self) -> Place:
        """The source place in the middle of the widget."""
        return self.middle or (self.picture[0] / 2, self.picture[1] / 2)

    @property
    def scale(self) -> float:
        """Length of a source pixel in the widget."""
        across, down = (have / wanted for have, wanted in zip(self.widget, self.picture, strict=True))
        return min(across, down) * self.zoom

    @property
    def rect(self) -> QRectF:
        """The whole picture in the widget; larger than it when zoomed in."""
        size = QSizeF(self.picture[0] * self.scale, self.picture[1] * self.scale)
        return QRectF(self.to_widget((0.0, 0.0)), size)

    def to_widget(self, place: Place) -> QPointF:
        """Where a source place is in the widget."""
        x, y = self.centre
        scale = self.scale
        across, down = self.widget
        return QPointF(across / 2 + (place[0] - x) * scale, down / 2 + (place[1] - y) * scale)

    def to_source(self, point: QPointF) -> Place:
        """Which source place is at a point of the widget, also beside the picture."""
        x, y = self.centre
        scale = self.scale
        return (x + (point.x() - self.widget[0] / 2) / scale, y + (point.y() - self.widget[1] / 2) / scale)

    def shows(self, box: Box) -> bool:
        """Whether the middle of a box is seen."""
        middle = self.to_widget(((box.left + box.right) / 2, (box.top + box.bottom) / 2))
        return QRectF(0, 0, *self.widget).contains(middle)

    def within(self, place: Place) -> Place:
        """The nearest place in the picture."""
        return (
            min(max(place[0], 0.0), float(self.picture[0])),
            min(max(place[1], 0.0), float(self.picture[1])),
        )

    def fitted(
        self, *, picture: tuple[int, int] | None = None, widget: tuple[int, int] | None = None
    ) -> Sight:
        """The same look at another picture or in another widget."""
        if picture is not None and picture != self.picture:
            return Sight(picture, widget or self.widget)
        return _settled(replace(self, widget=widget or self.widget))

    def zoomed(self, times: float, *, at: QPointF) -> Sight:
        """Closer or farther; what is at that point of the widget stays there."""
        there = self.to_source(at)
        nearer = replace(self, zoom=min(max(self.zoom * times, 1.0), CLOSEST))
        scale = nearer.scale
        x = there[0] - (at.x() - self.widget[0] / 2) / scale
        y = there[1] - (at.y() - self.widget[1] / 2) / scale
        return _settled(replace(nearer, middle=(x, y)))

    def panned(self, across: float, down: float) -> Sight:
        """The picture moved by so much in the widget."""
        x, y = self.centre
        return _settled(replace(self, middle=(x - across / self.scale, y - down / self.scale)))

    def whole(self) -> Sight:
        """The whole picture."""
        return Sight(self.picture, self.widget)


def _settled(sight: Sight) -> Sight:
    """The same without more beside the picture than there must be."""
    found = []
    for middle, picture, widget in zip(sight.centre, sight.picture, sight.widget, strict=True):
        half = widget / 2 / sight.scale
        found.append(picture / 2 if 2 * half >= picture else min(max(middle, half), picture - half))
    return replace(sight, middle=(found[0], found[1]))
