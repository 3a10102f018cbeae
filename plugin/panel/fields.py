"""Input fields that can show what a selection does not agree on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from plugin.controller.views import Shared
from plugin.panel.parts import CheckBox

SEVERAL = "several values"


class WordsField(QLineEdit):
    """One line of text; every letter typed is told, undo and redo are the window's.

    What is typed stays as it is until it is finished, even where the desk tidied or refused it.
    """

    said = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint, self._shown = "", ""
        self.textEdited.connect(self.said)
        self.editingFinished.connect(self.settle)

    def hint(self, text: str) -> None:
        """What stands in the empty field."""
        self._hint = text
        self.setPlaceholderText(text)

    def show_shared(self, shared: Shared[str]) -> None:
        """Show a value, or that there are several."""
        self.setPlaceholderText(SEVERAL if shared.mixed else self._hint)
        before, self._shown = self._shown, shared.value or ""
        if not self.hasFocus() or (self._shown != before and self._shown != self.text().strip()):
            self.settle()

    def settle(self) -> None:
        """Show what the desk has, whatever was typed."""
        if self.text() != self._shown:
            self.setText(self._shown)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the window: every edit is one of the desk's."""
        return False if _left_to_the_window(event) else super().event(event)


class NumberField(QSpinBox):
    """A whole number; the value below the lowest stands for several."""

    said = Signal(int)

    def __init__(self, lowest: int, highest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lowest = lowest
        self._shown: Shared[int] | None = None
        self.setRange(lowest, highest)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self._tell)

    def show_shared(self, shared: Shared[int]) -> None:
        """Show a value, or that there are several; digits that are being typed stay."""
        if shared == self._shown and self.hasFocus():
            return
        self._shown = shared
        mixed = shared.mixed or shared.value is None
        with QSignalBlocker(self):
            self.setMinimum(self._lowest - 1 if mixed else self._lowest)
            self.setSpecialValueText(SEVERAL if mixed else "")
            self.setValue(self._lowest - 1 if mixed or shared.value is None else shared.value)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the window: every edit is one of the desk's."""
        return False if _left_to_the_window(event) else super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only what was chosen: a wheel over a form scrolls the form."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def _tell(self, value: int) -> None:
        self._shown = None
        if value >= self._lowest:
            self.said.emit(value)


class RealField(QDoubleSpinBox):
    """A number with decimals; the value below the lowest stands for several."""

    said = Signal(float)

    def __init__(self, lowest: float, highest: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lowest = lowest
        self._shown: Shared[float] | None = None
        self.setRange(lowest, highest)
        self.setDecimals(2)
        self.setSingleStep(0.5)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self._tell)

    def show_shared(self, shared: Shared[float]) -> None:
        """Show a value, or that there are several; digits that are being typed stay."""
        if shared == self._shown and self.hasFocus():
            return
        self._shown = shared
        mixed = shared.mixed or shared.value is None
        with QSignalBlocker(self):
            self.setMinimum(self._lowest - 1 if mixed else self._lowest)
            self.setSpecialValueText(SEVERAL if mixed else "")
            self.setValue(self._lowest - 1 if mixed or shared.value is None else shared.value)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the window: every edit is one of the desk's."""
        return False if _left_to_the_window(event) else super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only what was chosen: a wheel over a form scrolls the form."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def _tell(self, value: float) -> None:
        self._shown = None
        if value >= self._lowest:
            self.said.emit(value)


class DigitsField(WordsField):
    """A whole number that is too large for a spin box; what is no number is not told."""

    number = Signal(object)
    """An int of any size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly)
        self.setMaxLength(19)
        self.said.connect(self._tell)

    def show_number(self, shared: Shared[int]) -> None:
        """Show a value, or that there are several."""
        self.show_shared(Shared("" if shared.value is None else str(shared.value), shared.mixed))

    def _tell(self, text: str) -> None:
        if text.strip().isdecimal():
            self.number.emit(int(text))


class ChoiceField(QComboBox):
    """One of several; nothing is shown as chosen while a selection does not agree."""

    said = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setPlaceholderText(SEVERAL)
        self.activated.connect(lambda place: self.said.emit(str(self.itemData(place))))

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """What can be chosen: (value, words) pairs."""
        there = [(self.itemData(place), self.itemText(place)) for place in range(self.count())]
        if there != list(choices):
            self.clear()
            for value, words in choices:
                self.addItem(words, value)

    def show_shared(self, shared: Shared[str]) -> None:
        """Show a value, or that there are several."""
        self.setCurrentIndex(-1 if shared.mixed else self.findData(shared.value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only what was chosen: a wheel over a form scrolls the form."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class FlagField(CheckBox):
    """Yes or no; half a tick while a selection does not agree."""

    said = Signal(bool)

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.clicked.connect(self._tell)

    def show_shared(self, shared: Shared[bool]) -> None:
        """Show a value, or that there are several."""
        self.setTristate(shared.mixed)
        yes = Qt.CheckState.Checked if shared.value else Qt.CheckState.Unchecked
        self.setCheckState(Qt.CheckState.PartiallyChecked if shared.mixed else yes)

    def _tell(self) -> None:
        checked = self.checkState() is not Qt.CheckState.Unchecked
        self.setTristate(False)
        self.setChecked(checked)
        self.said.emit(checked)


def _left_to_the_window(event: QEvent) -> bool:
    """Whether the event asks if a field wants undo or redo for itself; it is told that it does not."""
    if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    keys = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
    if not any(event.matches(key) for key in keys):
        return False
    event.ignore()
    return True
