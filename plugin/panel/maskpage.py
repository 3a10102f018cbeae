"""The page of mask mode: its parts, put together."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from plugin.controller.masking.views import (
    FindingView,
    MaskPicture,
    MaskView,
    SaveReport,
    SavingView,
    StripView,
    TrackingView,
)
from plugin.masks.matte_files import MatteForm
from plugin.panel.maskcanvas import MaskCanvas
from plugin.panel.maskobjects import ObjectLine
from plugin.panel.masksaving import SaveNotice
from plugin.panel.maskstrip import MaskStrip
from plugin.panel.masktools import ToolBar, ToolLine, tool_button
from plugin.panel.masktransport import MaskTransport, PauseNotice, TrackLine
from plugin.panel.maskwords import WordNotice
from plugin.panel.palettes import Shades
from plugin.panel.parts import button, column, name, row, wear_icons

_FORMS = {
    MatteForm.PNG: "numbered PNG pictures",
    MatteForm.FFV1: "an FFV1 movie",
    MatteForm.PRORES: "a ProRes 4444 movie",
}


class ElidedLabel(QLabel):
    """A line of text that ends with dots where there is no room; its tip says all of it."""

    def __init__(self, use: str) -> None:
        super().__init__()
        self.setProperty("use", use)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, text: str) -> None:
        """Show this."""
        self.setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """As little as there is."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """What there is room for."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()


class MaskPage(QWidget):
    """Picture with tools beside it, strip, transport and tracking below it."""

    save_wanted = Signal()
    form_wanted = Signal(object)
    """A `MatteForm` to save in."""
    folder_wanted = Signal(object)
    """A `MatteForm` to write into a folder."""
    leave_wanted = Signal()

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas, self.strip = MaskCanvas(shades), MaskStrip(shades)
        self.tools, self.line, self.objects = ToolBar(), ToolLine(), ObjectLine()
        self.transport, self.track, self.pause = MaskTransport(shades), TrackLine(), PauseNotice()
        self.title, self.makers = ElidedLabel("heading"), ElidedLabel("faint")
        self.save = button("Save matte", self.save_wanted.emit, icon_name="good", main=True)
        self.leave = button("Leave", self.leave_wanted.emit)
        self.forms = tool_button("export", "Save in another form, or into a folder")
        self.saving, self.found = SaveNotice(), WordNotice()
        self._can_save = self._is_saving = False
        self._build()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        for part in (self.canvas, self.strip, self.transport):
            part.wear(shades)
        wear_icons(self, shades)

    def show_view(self, view: MaskView) -> None:
        """Show everything but picture, strip and tracking."""
        for part in (
            self.tools,
            self.line,
            self.objects,
            self.canvas,
            self.strip,
            self.transport,
            self.track,
        ):
            part.show_view(view)
        self.title.say(view.title)
        self._can_save = view.can_save
        self._let_save()
        self.makers.say(f"Keyframes: {view.segmenter}. Between them: {view.tracker}. Drawing {view.saved}.")

    def show_picture(self, picture: MaskPicture | None) -> None:
        """Show a frame, None before the first."""
        self.canvas.show_picture(picture)
        self.transport.show_picture(picture)

    def show_finding(self, view: FindingView) -> None:
        """Show what is looked for by words, and what was found."""
        self.canvas.show_finding(view)
        self.found.show_finding(view)

    def show_strip(self, strip: StripView | None) -> None:
        """Show what is known of every frame, None while there is no object."""
        self.strip.show_strip(strip)

    def show_saving(self, saving: SavingView | None, report: SaveReport | None) -> None:
        """Show how far a save is, else what the last one did."""
        self.saving.show_saving(saving, report)
        self._is_saving = saving is not None
        self._let_save()

    def show_tracking(self, view: TrackingView | None) -> None:
        """Show how far tracking is, None before the first."""
        self.track.show_tracking(view)
        self.pause.show_tracking(view)

    def _let_save(self) -> None:
        for part in (self.save, self.forms):
            part.setEnabled(self._can_save and not self._is_saving)

    def _build(self) -> None:
        self.save.setToolTip("Write the matte and put it on a mask track (Ctrl+S)")
        self.leave.setToolTip("Go back to the spots; what was drawn is kept")
        name(self.makers, "What makes the masks")
        self.forms.setMenu(self._form_menu())
        self.forms.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        head = row(self.title, self.objects, self.leave, self.save, self.forms, space=8)
        head.setStretch(0, 1)
        middle = row(self.tools, self.canvas, space=4)
        below = column(self.strip, self.transport, self.track, self.pause, self.saving, self.makers, space=6)
        whole = column(head, self.line, self.found, middle, below, space=6, edge=8)
        whole.setStretch(3, 1)
        self.setLayout(whole)

    def _form_menu(self) -> QMenu:
        menu = QMenu(self)
        for form, words in _FORMS.items():
            menu.addAction(f"Save as {words}").triggered.connect(partial(self._want, self.form_wanted, form))
        menu.addSeparator()
        for form, words in _FORMS.items():
            action = menu.addAction(f"Only write {words} into a folder...")
            action.triggered.connect(partial(self._want, self.folder_wanted, form))
        return menu

    def _want(self, signal: SignalInstance, form: MatteForm, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        signal.emit(form)
