"""How the picture is looked at: the matte over it, the focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from plugin.controller.overlays import Overlay
from plugin.controller.projector import FocusMode
from plugin.panel.parts import mark, name

COLOURS = (
    ("Pink", (255, 64, 128)),
    ("Red", (255, 48, 48)),
    ("Yellow", (255, 214, 10)),
    ("Green", (48, 209, 88)),
    ("Cyan", (64, 210, 255)),
    ("White", (255, 255, 255)),
)
OPACITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
FOCUS_WORDS = {
    FocusMode.OFF: "No focus",
    FocusMode.RECTANGLE: "Focus as a rectangle",
    FocusMode.CROP: "Only the focus",
}


class OverlayMenu(QWidget):
    """Two buttons with menus: the matte, the focus."""

    overlay_wanted = Signal(object)
    """An `Overlay`."""
    focus_wanted = Signal(object)
    """A `FocusMode`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overlay, self._focus = Overlay(), FocusMode.OFF
        self.matte = _button("matte", "Matte over the picture (M)")
        self.focus = _button("focus", "Where the model looks closer (F)")
        self.outline = QAction("&Outline (Shift+M)", self)
        self._colours: dict[QAction, tuple[int, int, int]] = {}
        self._opacities: dict[QAction, float] = {}
        self._modes: dict[QAction, FocusMode] = {}
        self._build()
        self.show_state(self._overlay, self._focus)

    @property
    def menus(self) -> tuple[QMenu, ...]:
        """The menus of both buttons, for the menu bar: buttons open theirs by mouse only."""
        return (self.matte.menu(), self.focus.menu())

    def show_state(self, overlay: Overlay, focus: FocusMode) -> None:
        """Show how the picture is looked at."""
        self._overlay, self._focus = overlay, focus
        for button, on in ((self.matte, overlay.shown), (self.focus, focus is not FocusMode.OFF)):
            with QSignalBlocker(button):
                button.setChecked(on)
        self.outline.setChecked(overlay.outline)
        for action, colour in self._colours.items():
            action.setChecked(colour == overlay.colour)
        for action, opacity in self._opacities.items():
            action.setChecked(abs(opacity - overlay.opacity) < 0.05)
        for action, mode in self._modes.items():
            action.setChecked(mode is focus)

    def toggle_matte(self) -> None:
        """Show the matte, or do not."""
        self._want(shown=not self._overlay.shown)

    def toggle_outline(self) -> None:
        """Draw the outline, or do not; with it the matte is shown."""
        self._want(outline=not self._overlay.outline, shown=True)

    def next_focus(self) -> None:
        """Off, rectangle, crop, off."""
        modes = list(FocusMode)
        self.focus_wanted.emit(modes[(modes.index(self._focus) + 1) % len(modes)])

    def _want(self, **changes: object) -> None:
        self.overlay_wanted.emit(replace(self._overlay, **changes))  # type: ignore[arg-type]

    def _build(self) -> None:
        self.matte.clicked.connect(lambda _checked=False: self.toggle_matte())
        self.focus.clicked.connect(lambda _checked=False: self.next_focus())
        self.matte.setMenu(self._matte_menu())
        self.focus.setMenu(self._focus_menu())
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        line.addWidget(self.matte)
        line.addWidget(self.focus)
        self.setLayout(line)

    def _matte_menu(self) -> QMenu:
        menu = QMenu("&Matte over the picture", self)
        self.outline.setCheckable(True)
        self.outline.triggered.connect(lambda _checked=False: self.toggle_outline())
        menu.addAction(self.outline)
        menu.addSection("Colour")
        colours = QActionGroup(menu)
        for title, colour in COLOURS:
            action = _choice(menu, colours, title, partial(self._want, colour=colour))
            action.setIcon(_swatch(colour))
            self._colours[action] = colour
        menu.addSection("Opacity")
        opacities = QActionGroup(menu)
        for opacity in OPACITIES:
            words = f"{opacity:.0%}" if opacity else "None, outline only"
            action = _choice(menu, opacities, words, partial(self._want, opacity=opacity))
            self._opacities[action] = opacity
        return menu

    def _focus_menu(self) -> QMenu:
        menu = QMenu("&Focus in the picture", self)
        group = QActionGroup(menu)
        for mode, words in FOCUS_WORDS.items():
            action = _choice(menu, group, words, partial(self.focus_wanted.emit, mode))
            self._modes[action] = mode
        return menu


def _choice(menu: QMenu, group: QActionGroup, title: str, do: Callable[[], object]) -> QAction:
    action = menu.addAction(title)
    action.setCheckable(True)
    action.triggered.connect(lambda _checked=False: do())
    group.addAction(action)
    return action


def _swatch(colour: tuple[int, int, int]) -> QIcon:
    drawn = QPixmap(16, 16)
    drawn.fill(QColor(*colour))
    return QIcon(drawn)


def _button(icon: str, tells: str) -> QToolButton:
    made = QToolButton()
    made.setAutoRaise(True)
    made.setCheckable(True)
    made.setIconSize(QSize(16, 16))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    made.setToolTip(tells)
    name(made, tells.split(" (", maxsplit=1)[0], tells)
    mark(made, icon)
    return made
