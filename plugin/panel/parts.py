"""Small parts that every page and dialog is put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QBoxLayout,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from plugin.panel.icons import icon
from plugin.panel.palettes import Shades

SPACE = 8
_ICON = "icon_name"
_MAIN = "main"
Layout = TypeVar("Layout", bound=QBoxLayout)


def application() -> QApplication:
    """The one application, which is there before any widget is."""
    return cast("QApplication", QApplication.instance())


def label(text: str, *, use: str = "", wraps: bool = True, selectable: bool = False) -> QLabel:
    """A text; `use` is one of the style sheet's: title, heading, faint, good, warn, bad."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    if use:
        made.setProperty("use", use)
    if use == "title":
        font = made.font()
        font.setPointSizeF(1.6 * font.pointSizeF())
        made.setFont(font)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


def button(
    text: str, do: Callable[[], object], *, icon_name: str = "", tells: str = "", main: bool = False
) -> QPushButton:
    """A button with words on it; Enter presses it too.

    Args:
        text: its words.
        do: what a press does.
        icon_name: one of `icons.names()`, "" for none.
        tells: what it does, for the tip and for screen readers.
        main: the one button to press here.
    """
    made = QPushButton(text)
    made.clicked.connect(lambda _checked=False: do())
    made.setAutoDefault(True)
    mark(made, icon_name)
    if tells:
        made.setToolTip(tells)
        made.setAccessibleDescription(tells)
    if main:
        made.setProperty("use", _MAIN)
    return made


class CheckBox(QCheckBox):
    """A check box whose box is seen on a dark ground too."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it, and an edge around the box."""
        super().paintEvent(event)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.end()


def mark(thing: QAbstractButton | QAction, icon_name: str) -> None:
    """Say which icon a button or action wears; `wear_icons` puts it on."""
    thing.setProperty(_ICON, icon_name)


def wear_icons(root: QObject, shades: Shades) -> None:
    """Draw the icon of everything under `root` that was marked, in these colours."""
    things: list[QAbstractButton | QAction] = [
        *root.findChildren(QAbstractButton),
        *root.findChildren(QAction),
    ]
    for thing in things:
        name = thing.property(_ICON)
        if name:
            main = thing.property("use") == _MAIN and thing.property("enabled")
            colour = shades.colour("on_accent" if main else "text")
            thing.setIcon(icon(name, colour, faint=shades.colour("off")))


def name(widget: QWidget, title: str, description: str = "") -> None:
    """What a screen reader calls a widget, and what it says of it."""
    widget.setAccessibleName(title)
    if description:
        widget.setAccessibleDescription(description)


def column(*items: QWidget | QLayout, space: int = SPACE, edge: int = 0) -> QVBoxLayout:
    """The items below each other."""
    return _filled(QVBoxLayout(), items, space=space, edge=edge)


def row(*items: QWidget | QLayout | None, space: int = SPACE, edge: int = 0) -> QHBoxLayout:
    """The items side by side; None is where it stretches."""
    return _filled(QHBoxLayout(), items, space=space, edge=edge)


def _filled(layout: Layout, items: tuple[QWidget | QLayout | None, ...], *, space: int, edge: int) -> Layout:
    layout.setSpacing(space)
    layout.setContentsMargins(edge, edge, edge, edge)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)
    return layout


def card(*items: QWidget | QLayout) -> QFrame:
    """The items in a frame of their own."""
    made = QFrame()
    made.setProperty("use", "card")
    made.setLayout(column(*items, space=4, edge=10))
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    return made


def scrolled(inside: QWidget, *, title: str = "") -> QScrollArea:
    """The widget, as wide as there is room, scrolled up and down.

    Args:
        inside: the widget.
        title: of an area that the keys scroll, as nothing inside takes them; "" where something does.
    """
    area = QScrollArea()
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.StrongFocus if title else Qt.FocusPolicy.NoFocus)
    name(area, title)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def cleared(layout: QBoxLayout) -> QBoxLayout:
    """The layout without what was in it."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        inner = item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner, QBoxLayout):
            cleared(inner)
    return layout
