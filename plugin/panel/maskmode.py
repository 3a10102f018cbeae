"""Mask mode: the page over one mask session, from the first gesture to the saved matte."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QWidget

from plugin.controller.given import given_path
from plugin.controller.masking.marking import Marking
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.views import Direction, FindingView, FrameState, MaskChanged, Tool
from plugin.errors import UsageError
from plugin.masks.documents import PromptsDocument
from plugin.masks.matte_files import MatteForm
from plugin.masks.prompts import Box, Click, Gesture, Lasso, Stroke
from plugin.panel.maskgaps import Completion, ask_about
from plugin.panel.maskkeys import bind
from plugin.panel.maskpage import MaskPage
from plugin.panel.masktools import CLOSER, TOOLS, next_overlay, next_radius
from plugin.panel.palettes import Shades
from plugin.panel.parts import application
from plugin.panel.pulse import Pulse

_WORKING, _PLAYING = 50, 12
"""Milliseconds between two looks at the session."""

_FAR = 10
"""Frames of a large step."""


class MaskMode(MaskPage):
    """Shows one session and does with it what is asked.

    Attributes:
        session: what is worked on, None while the page is not in use.
    """

    told = Signal(str)
    """A sentence for the person."""
    viewed = Signal()
    """What undo and redo would do may be something else now."""
    saved = Signal(object)
    """Mattes were written and nothing is left to be done; ids of the spots they made."""
    _woken = Signal()

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(shades, parent)
        self._pulse = pulse
        self.session: MaskSession | None = None
        self._saved: PromptsDocument | None = None
        self.completion = Completion(partial(ask_about, self), self._do)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.beat)
        self._woken.connect(self.beat)
        self._bind()
        bind(self, self._deeds())
        bind(self, self._moves())

    def work_on(self, session: MaskSession) -> None:
        """Show a session."""
        self.session, self._saved = session, None
        self.canvas.look_at_all()
        self._show(MaskChanged(*(True,) * 6))
        self.canvas.tell_size()
        self._timer.start(_WORKING)
        self.canvas.setFocus()

    def put_away(self) -> None:
        """Show nothing any more; the session is not closed."""
        self._timer.stop()
        self.completion.forget()
        self.session = None
        self.saving.hide()
        self.pause.hide()
        self.show_finding(FindingView())
        self.line.word.clear()
        self.show_picture(None)

    @property
    def unfinished(self) -> str:
        """What would end or be missing if mask mode were left now, a sentence; "" for nothing."""
        session = self.session
        if session is None:
            return ""
        if session.saving is not None:
            return "The matte is being written; that would end, and nothing would be placed."
        if session.tracking is not None and session.tracking.running:
            return "Tracking would end; what was tracked is kept."
        if session.marking.undo_title and session.marking.document is not self._saved:
            return "What you drew is kept for the next time, but no matte has been written of it."
        return ""

    def wake(self) -> None:
        """Called from any thread: there is something to show."""
        self._woken.emit()

    def beat(self) -> None:
        """Take what has come, and show it."""
        session = self.session
        if session is not None:
            changed = session.beat()
            if changed:
                self._show(changed)
            self._timer.setInterval(_PLAYING if session.playback.playing else _WORKING)

    def escape(self) -> bool:
        """Forget a gesture, else what words found, else stop tracking, else put a notice away.

        Returns:
            Whether there was any of these.
        """
        if self.canvas.cancel_drawing() or self._dismiss():
            return True
        if self.session is not None and self.session.tracking is not None and self.session.tracking.running:
            self._do(MaskSession.stop)
            return True
        shown = self.pause.isVisible() or self.line.word.hasFocus()
        if self.line.word.hasFocus():
            self.canvas.setFocus()
        self.pause.hide()
        return shown

    def _dismiss(self) -> bool:
        """Put away what words found; whether there was anything."""
        was = self.session is not None and self.session.finding.dismiss()
        self.beat()
        return was

    def undo(self) -> None:
        """Take the last gesture back."""
        self._do(lambda session: session.marking.undo())

    def redo(self) -> None:
        """Make it again."""
        self._do(lambda session: session.marking.redo())

    def _show(self, changed: MaskChanged) -> None:
        session = self.session
        if session is None:
            return
        if changed.strip or changed.view:
            self.show_strip(session.strip())
        if changed.view:
            self.show_view(session.view())
            self.viewed.emit()
        if changed.picture:
            self.show_picture(session.picture)
        if changed.tracking:
            self.show_tracking(session.tracking)
            self.completion.follow(session)
        if changed.saving:
            self._show_saving(session)
        if changed.finding:
            self.show_finding(session.finding.view)
        for words in changed.messages:
            self.told.emit(words)

    def _show_saving(self, session: MaskSession) -> None:
        """Show how far a save is; where it ended well, and its spot is there, that is told."""
        report = session.report
        self.show_saving(session.saving, report)
        if report is None or session.saving is not None:
            return
        if report.failed:
            self._saved = None
        elif report.cue_ids and not report.remedy:
            self.told.emit(report.text)
            self.saved.emit(report.cue_ids)

    def write(self, form: MatteForm) -> None:
        """Write mattes of all objects and lay them on the timeline."""
        self._save(lambda session: session.save(form=form))

    def write_into(self, form: MatteForm) -> None:
        """Ask for a folder, and write mattes there; nothing is placed."""
        folder = QFileDialog.getExistingDirectory(self, "Write mattes into")
        if folder:
            self._save(lambda session: session.export(given_path(folder), form=form))

    def _save(self, wish: Callable[[MaskSession], object]) -> None:
        """Save, if need be after what is missing was tracked."""

        def save(session: MaskSession) -> None:
            self._saved = session.marking.document
            wish(session)

        if self.session is not None:
            self.completion.save(self.session, save)

    def _do(self, do: Callable[[MaskSession], object]) -> None:
        """Do it with the session, tell what cannot be done, and show at once what came of it."""
        session = self.session
        if session is not None:
            self._pulse.attempt(lambda: do(session))
            self.beat()

    def _then(self, do: Callable[[MaskSession], object]) -> Callable[[], None]:
        return lambda: self._do(do)

    def _bind(self) -> None:
        canvas, transport, objects = self.canvas, self.transport, self.objects
        canvas.resized.connect(lambda width, height: self._do(lambda s: s.fit(width, height)))
        canvas.gestured.connect(lambda gesture: self._do(partial(self._draw, gesture=gesture)))
        canvas.place_chosen.connect(self._choose_place)
        self.line.word_given.connect(self._look_for)
        self.found.away_wanted.connect(self._dismiss)
        canvas.moved.connect(lambda index, place: self._do(lambda s: s.marking.move_gesture(index, place)))
        canvas.wheeled.connect(self._step)
        canvas.candidate_wanted.connect(lambda step: self._do(lambda s: s.cycle(step)))
        self.strip.sought.connect(lambda frame: self._do(lambda s: s.show(frame)))
        self.tools.tool_wanted.connect(self._choose)
        self.tools.flip_wanted.connect(self._flip)
        self.tools.closer_wanted.connect(canvas.look_closer)
        self.tools.all_wanted.connect(canvas.look_at_all)
        self.line.radius_wanted.connect(lambda radius: self._do(lambda s: s.set_brush(radius=radius)))
        self.line.overlay_wanted.connect(lambda overlay: self._do(lambda s: s.draw(overlay)))
        transport.play_wanted.connect(self._then(lambda s: s.playback.toggle()))
        transport.step_wanted.connect(self._step)
        transport.end_wanted.connect(self._to_end)
        transport.keyframe_wanted.connect(lambda way: self._do(lambda s: s.show_keyframe(way)))
        transport.mark_wanted.connect(self._mark)
        transport.absent_wanted.connect(self._turn_absent)
        transport.remove_wanted.connect(self._then(lambda s: s.marking.delete_keyframe()))
        objects.chosen.connect(lambda key: self._do(lambda s: s.marking.choose_object(key)))
        objects.add_wanted.connect(lambda words: self._do(lambda s: s.marking.add_object(words)))
        objects.rename_wanted.connect(
            lambda key, words: self._do(lambda s: s.marking.rename_object(key, words))
        )
        objects.remove_wanted.connect(lambda key: self._do(lambda s: s.marking.remove_object(key)))
        objects.hide_wanted.connect(lambda key, shown: self._do(lambda s: s.show_object(key, shown=shown)))
        self.track.track_wanted.connect(self._track)
        self.track.stop_wanted.connect(self._then(MaskSession.stop))
        self.save_wanted.connect(lambda: self.write(MatteForm.PNG))
        self.form_wanted.connect(self.write)
        self.folder_wanted.connect(self.write_into)
        self.saving.stop_wanted.connect(self._then(lambda s: s.saver.stop()))
        self.saving.leave_wanted.connect(self._leave_saved)
        self.pause.again_wanted.connect(self._mark_again)
        self.pause.absent_wanted.connect(self._absent_there)

    def _deeds(self) -> dict[str, Callable[[], object]]:
        """Keys that draw and look."""
        closer = partial(self.canvas.look_closer, CLOSER)
        return {
            **{key: partial(self._choose, tool) for tool, _, key, *_ in TOOLS if tool is not Tool.LASSO},
            "L": self._lasso_or_on,
            "X": self._flip,
            "[": partial(self._size, -1),
            "]": partial(self._size, 1),
            "Delete": self._remove_mark,
            "M": self._next_overlay,
            "+": closer,
            "=": closer,
            "-": partial(self.canvas.look_closer, 1 / CLOSER),
            "0": self.canvas.look_at_all,
            "N": self.objects.ask_name,
            "Shift+N": self.objects.ask_new,
            "H": self.objects.toggle,
            "Q": self.objects.step,
            "Ctrl+S": self.save.click,
            "W": self.line.ask_word,
            **{str(number): partial(self._choose_place, number) for number in range(1, 10)},
        }

    def _moves(self) -> dict[str, Callable[[], object]]:
        """Keys that track and move the playhead."""
        tracks = {
            "T": Direction.BOTH,
            "F": Direction.FORWARD,
            "R": Direction.REVERSE,
            "Shift+F": Direction.NEXT,
            "Shift+R": Direction.PREVIOUS,
        }
        steps = {"Left": -1, "Right": 1, "Shift+Left": -_FAR, "Shift+Right": _FAR}
        return {
            **{key: partial(self._track, way) for key, way in tracks.items()},
            **{key: partial(self._step, frames) for key, frames in steps.items()},
            "Space": self._space,
            "J": self._then(lambda s: s.playback.shuttle(-1)),
            "K": self._then(lambda s: s.playback.stop()),
            "Shift+L": self._then(lambda s: s.playback.shuttle(1)),
            "Home": partial(self._to_end, -1),
            "End": partial(self._to_end, 1),
            "Ctrl+Left": self._then(lambda s: s.show_keyframe(-1)),
            "Ctrl+Right": self._then(lambda s: s.show_keyframe(1)),
            "I": partial(self._mark, -1),
            "O": partial(self._mark, 1),
            "Alt+X": self._then(lambda s: s.playback.clear_marks()),
            "A": self._turn_absent,
            "Shift+Delete": self._then(lambda s: s.marking.delete_keyframe()),
        }

    def _choose(self, tool: Tool) -> None:
        self._do(lambda session: session.choose_tool(tool))

    def _draw(self, session: MaskSession, *, gesture: Gesture) -> None:
        """Say a gesture; what is drawn by hand is not looked for by words any more.

        A slip of the hand is told for a while only: the next gesture is the answer to it.
        """
        session.finding.dismiss()
        try:
            draw(session.marking, gesture)
        except UsageError as error:
            self.told.emit(str(error))

    def _look_for(self, words: str) -> None:
        """Look for words; the keys then choose among what is found."""
        self._do(lambda session: session.look_for(words))
        self.canvas.setFocus()

    def _choose_place(self, number: int) -> None:
        self._do(lambda session: session.choose_place(number))

    def _lasso_or_on(self) -> None:
        """L: while the picture plays it plays faster, as editors expect; else it is the lasso."""
        playing = self.session is not None and self.session.playback.playing
        self._do(lambda session: session.playback.shuttle(1) if playing else session.choose_tool(Tool.LASSO))

    def _flip(self) -> None:
        self._do(lambda session: session.set_brush(paints=not session.view().paints))

    def _size(self, way: int) -> None:
        self._do(lambda session: session.set_brush(radius=next_radius(session.view().radius, way)))

    def _remove_mark(self) -> None:
        chosen = self.canvas.chosen
        if chosen is not None:
            self._do(lambda session: session.marking.remove_gesture(chosen))

    def _next_overlay(self) -> None:
        self._do(lambda session: session.draw(next_overlay(session.view().overlay)))

    def _track(self, way: Direction) -> None:
        self._do(lambda session: session.track(way))

    def _step(self, frames: int) -> None:
        self._do(lambda session: session.step(frames))

    def _to_end(self, way: int) -> None:
        self._do(lambda session: session.show(session.shot.first if way < 0 else session.shot.last))

    def _mark(self, way: int) -> None:
        self._do(lambda session: session.playback.mark_in() if way < 0 else session.playback.mark_out())

    def _turn_absent(self) -> None:
        """Say that the object is not there from this frame on; said already, that it is back."""
        picture = self.session.picture if self.session else None
        absent = picture is not None and picture.state is FrameState.ABSENT
        self._do(lambda session: self._come_back(session) if absent else session.marking.absent())

    def _come_back(self, session: MaskSession) -> None:
        if not session.marking.back():
            self.told.emit("It left earlier: draw the object in this frame, and it is back from here on.")

    def _mark_again(self) -> None:
        self.pause.hide()
        self._choose(Tool.LASSO if self.session and self.session.view().clicks_need_model else Tool.POINT)
        self.canvas.setFocus()

    def _absent_there(self) -> None:
        self.pause.hide()
        self._do(lambda session: session.marking.absent())
        self.canvas.setFocus()

    def _leave_saved(self) -> None:
        report = self.session.report if self.session else None
        self.saved.emit(report.cue_ids if report else ())

    def _space(self) -> None:
        """Play or stop; but a button or list of choices that has the keys is pressed instead."""
        focused = application().focusWidget()
        if isinstance(focused, QAbstractButton):
            focused.click()
        elif isinstance(focused, QComboBox):
            focused.showPopup()
        else:
            self._do(lambda session: session.playback.toggle())


def draw(marking: Marking, gesture: Gesture) -> None:
    """Say it with the session's own words."""
    match gesture:
        case Click():
            marking.click(gesture.place, inside=gesture.inside)
        case Box():
            marking.box((gesture.left, gesture.top), (gesture.right, gesture.bottom))
        case Lasso():
            marking.lasso(gesture.places, inside=gesture.inside)
        case Stroke():
            marking.stroke(gesture.places, radius=gesture.radius, paints=gesture.paints)
