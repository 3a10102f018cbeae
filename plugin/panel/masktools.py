"""The tools of mask mode: what the pointer does, the brush, how masks are drawn, how near one looks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QLineEdit, QSpinBox, QToolButton, QWidget

from plugin.controller.masking.views import MaskOverlay, MaskView, Tool
from plugin.masks.finders import LONGEST_WORDS
from plugin.panel.parts import column, label, mark, name, row

SMALLEST, LARGEST = 1, 999
"""Radius of the brush, source pixels."""

CLOSER = 1.25
"""Times as large: a step of the zoom and of the brush."""

TOOLS = (
    (Tool.MOVE, "move", "V", "Move", "Drag a mark, or the picture beside it. Delete removes a mark."),
    (Tool.POINT, "point", "P", "Point", "Click on the object. Right or Alt and click: not the object."),
    (Tool.BOX, "box", "B", "Box", "Drag a box around the object. Right button: take away what is in it."),
    (Tool.LASSO, "lasso", "L", "Lasso", "Draw around it, or click corners, then Enter. Right: take away."),
    (Tool.BRUSH, "brush", "E", "Brush", "Paint the mask. Right button, or X before: erase. [ and ]: size."),
)  # fmt: skip
"""Tool, icon, key, name, and how to use it."""

_GUESS = " Without a model it is a guess: wheel or Tab offers other sizes."

OVERLAYS = {
    MaskOverlay.OFF: "No mask",
    MaskOverlay.OUTLINE: "Outline",
    MaskOverlay.TINT: "Tint",
    MaskOverlay.MATTE: "Matte only",
}


class ToolBar(QFrame):
    """A column of buttons beside the picture."""

    tool_wanted = Signal(object)
    """A `Tool`."""
    flip_wanted = Signal()
    closer_wanted = Signal(float)
    all_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: dict[Tool, QToolButton] = {}
        self._group = QButtonGroup(self)
        for tool, icon_name, key, title, tells in TOOLS:
            made = tool_button(icon_name, f"{title} ({key})", tells=tells)
            made.setCheckable(True)
            made.clicked.connect(lambda _checked=False, tool=tool: self.tool_wanted.emit(tool))
            self._group.addButton(made)
            self.tools[tool] = made
        self.flip = tool_button("erase", "Brush erases (X)", self.flip_wanted.emit)
        self.flip.setCheckable(True)
        closer = tool_button(
            "closer", "Closer (+, or Ctrl and wheel)", lambda: self.closer_wanted.emit(CLOSER)
        )
        farther = tool_button("farther", "Farther (-)", lambda: self.closer_wanted.emit(1 / CLOSER))
        whole = tool_button("focus", "The whole picture (0)", self.all_wanted.emit)
        rule = QFrame()
        rule.setFrameShape(QFrame.Shape.HLine)
        buttons = column(*self.tools.values(), self.flip, rule, closer, farther, whole, space=2, edge=4)
        buttons.addStretch(1)
        self.setLayout(buttons)
        name(self, "Tools")

    def show_view(self, view: MaskView) -> None:
        """Show which tool is chosen."""
        self.tools[view.tool].setChecked(True)
        self.flip.setChecked(not view.paints)
        self.flip.setEnabled(view.tool is Tool.BRUSH)


class ToolLine(QWidget):
    """A line above the picture: how the tool is used, its size, the word, how masks are drawn."""

    radius_wanted = Signal(float)
    overlay_wanted = Signal(object)
    """A `MaskOverlay`."""
    word_given = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = label("", use="faint")
        self.radius = QSpinBox()
        self._radius_title = label("Size", wraps=False)
        self.word = QLineEdit()
        self.overlay = QComboBox()
        self.look = tool_button("search", "Look for the word in this frame (Enter)", self._say)
        self._build()

    def show_view(self, view: MaskView) -> None:
        """Show what belongs to the chosen tool."""
        tells = next(tells for tool, *_, tells in TOOLS if tool is view.tool)
        guess = view.tool is Tool.POINT and view.clicks_need_model
        self.hint.setText(f"{tells}{_GUESS if guess else ''}")
        for part in (self.radius, self._radius_title):
            part.setVisible(view.tool is Tool.BRUSH)
        with QSignalBlocker(self.radius):
            self.radius.setValue(max(SMALLEST, round(view.radius)))
        with QSignalBlocker(self.overlay):
            self.overlay.setCurrentIndex(self.overlay.findData(view.overlay.value))
        self._show_words(view.no_words)

    def ask_word(self) -> None:
        """Let the keys write a word."""
        self.word.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.word.selectAll()

    def _show_words(self, reason: str) -> None:
        """What a word does here; or why it does nothing yet, "" for no reason."""
        tells = reason or "Name the object (W); what is found is numbered in the picture, and you choose."
        self.word.setPlaceholderText("word: needs a model" if reason else "word, such as violin")
        for part in (self.word, self.look):
            part.setToolTip(tells)
            part.setAccessibleDescription(tells)

    def _build(self) -> None:
        self.radius.setRange(SMALLEST, LARGEST)
        self.radius.setSuffix(" px")
        self.radius.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.radius.setToolTip("Radius of the brush ([ and ])")
        name(self.radius, "Radius of the brush", "In pixels of the picture; [ and ] change it.")
        self.radius.valueChanged.connect(lambda value: self.radius_wanted.emit(float(value)))
        self.word.setMaxLength(LONGEST_WORDS)
        self.word.setFixedWidth(150)
        self.word.returnPressed.connect(self._say)
        name(self.word, "Word for the object")
        for overlay, words in OVERLAYS.items():
            self.overlay.addItem(words, overlay.value)
        self.overlay.setToolTip("How the mask is drawn (M)")
        name(self.overlay, "How the mask is drawn")
        self.overlay.activated.connect(
            lambda _: self.overlay_wanted.emit(MaskOverlay(self.overlay.currentData()))
        )
        self.hint.setMinimumHeight(2 * self.hint.fontMetrics().lineSpacing())  # or the picture would jump
        line = row(self.hint, self._radius_title, self.radius, self.word, self.look, self.overlay, space=6)
        line.setStretch(0, 1)
        self.setLayout(line)

    def _say(self) -> None:
        self.word.setCursorPosition(0)
        if self.word.text().strip():
            self.word_given.emit(self.word.text().strip())


def next_radius(radius: float, way: int) -> float:
    """The brush a step larger or smaller."""
    wanted = radius * CLOSER**way
    changed = max(wanted, radius + 1) if way > 0 else min(wanted, radius - 1)
    return float(min(max(round(changed), SMALLEST), LARGEST))


def next_overlay(overlay: MaskOverlay) -> MaskOverlay:
    """The one after it; after the last the first."""
    overlays = list(MaskOverlay)
    return overlays[(overlays.index(overlay) + 1) % len(overlays)]


def tool_button(
    icon_name: str, title: str, do: Callable[[], object] | None = None, *, tells: str = ""
) -> QToolButton:
    """A flat button with an icon; `title` ends with its key in brackets."""
    made = QToolButton()
    made.setAutoRaise(True)
    made.setIconSize(QSize(18, 18))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setToolTip(f"{title}\n{tells}" if tells else title)
    name(made, title.split(" (", maxsplit=1)[0], tells or title)
    mark(made, icon_name)
    if do is not None:
        made.clicked.connect(lambda _checked=False: do())
    return made
