"""Mask mode in the window: entered for a spot or a clip, left with a matte or without one."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from plugin.controller.given import Given
from plugin.controller.views import HistoryView
from plugin.panel.maskmode import MaskMode
from plugin.panel.palettes import Shades

if TYPE_CHECKING:
    from plugin.panel.window import Window


class MaskEntry(QObject):
    """Shows and hides the page of mask mode; the page is made when it is needed first."""

    entered = Signal()
    left = Signal(object)
    """Ids of spots that were won, to be shown."""
    _ready = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._desk = window, window.pulse.desk
        self._page: MaskMode | None = None
        window.pulse.masks.connect(lambda _: self._session_changed())

    @property
    def on(self) -> bool:
        """Whether a shot is being marked."""
        return self._page is not None and self._page.session is not None

    @property
    def page(self) -> MaskMode:
        """The page."""
        if self._page is None:
            self._page = self._made()
        return self._page

    def open_spot(self, cue_id: str) -> None:
        """Begin to mark an object in the picture of a spot."""
        self._window.stage.screening.playback.stop()
        self._window.pulse.attempt(lambda: self._desk.masks.open_spot(cue_id, ready=self._ready.emit))

    def open_clip(self, time: Fraction) -> None:
        """Begin to mark an object in the picture clip that is on screen at an absolute record time."""
        self._window.stage.screening.playback.stop()
        self._window.pulse.attempt(lambda: self._desk.masks.open_at(time, ready=self._ready.emit))

    def open_film(self, path: Given) -> None:
        """Begin to mark an object in a movie, beside any timeline."""
        self._window.stage.screening.playback.stop()
        self._window.pulse.attempt(lambda: self._desk.masks.open_film(path, ready=self._ready.emit))

    def history(self) -> HistoryView:
        """What undo and redo would do in mask mode."""
        session = self._page.session if self._page else None
        return (
            HistoryView(session.marking.undo_title, session.marking.redo_title)
            if session
            else HistoryView("", "")
        )

    def escape(self) -> bool:
        """Stop what can be stopped in mask mode; whether there was anything."""
        return self.on and self.page.escape()

    def may_leave(self, doing: str) -> bool:
        """Whether nothing would be lost by leaving, or the person wants that; mask mode has then ended."""
        if not self.on:
            return True
        reason = self.page.unfinished
        if reason and not self._window.deeds.sure_to_leave(f"{doing} without a matte?", reason):
            return False
        self._leave(())
        return True

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        if self._page is not None:
            self._page.wear(shades)

    def close(self) -> None:
        """End it."""
        if self._page is not None:
            self._page.put_away()

    def _made(self) -> MaskMode:
        window = self._window
        page = MaskMode(window.pulse, window.shades)
        page.wear(window.shades)
        page.told.connect(window.notices.say)
        page.viewed.connect(self.entered)
        page.leave_wanted.connect(lambda: self.may_leave("Leave"))
        page.saved.connect(self._leave)
        self._ready.connect(page.beat)
        window.pages.addWidget(page)
        return page

    def _session_changed(self) -> None:
        session = self._desk.masks.session
        if session is None and self.on:
            self.page.put_away()
            self.left.emit(())
        if session is None or (self._page is not None and self._page.session is session):
            return
        self.page.work_on(session)
        self.entered.emit()
        self.page.canvas.setFocus()

    def _leave(self, cue_ids: tuple[str, ...]) -> None:
        self.page.put_away()
        self._desk.masks.close_session()
        self.left.emit(cue_ids)
