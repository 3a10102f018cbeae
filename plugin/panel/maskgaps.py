"""Before a matte is saved that would be black in places: the question, and tracking what is missing first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from PySide6.QtWidgets import QMessageBox, QWidget

from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.views import BlackFrames, Direction, TrackingState


class Answer(StrEnum):
    """What is to be done about frames that would be black."""

    TRACK = "Track first"
    SAVE = "Save with black frames"
    CANCEL = "Cancel"


def ask_about(parent: QWidget, black: Sequence[BlackFrames], *, may_track: bool) -> Answer:
    """Ask what to do; tracking first is offered where it may help."""
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Warning)
    question.setWindowTitle("Save the matte?")
    question.setText("Not every frame is tracked: the matte would be black there.")
    question.setInformativeText("\n".join(each.text for each in black))
    roles = {
        Answer.SAVE: QMessageBox.ButtonRole.DestructiveRole,
        Answer.CANCEL: QMessageBox.ButtonRole.RejectRole,
    }
    if may_track:
        roles = {Answer.TRACK: QMessageBox.ButtonRole.AcceptRole, **roles}
    buttons = {question.addButton(answer.value, role): answer for answer, role in roles.items()}
    of = {answer: button for button, answer in buttons.items()}
    question.setDefaultButton(of[Answer.TRACK if may_track else Answer.CANCEL])
    question.setEscapeButton(of[Answer.CANCEL])
    question.exec()
    return next(
        (answer for button, answer in buttons.items() if button is question.clickedButton()), Answer.CANCEL
    )


class Question(Protocol):
    """Asks what is to be done about frames that would be black."""

    def __call__(self, black: Sequence[BlackFrames], *, may_track: bool) -> Answer:
        """The answer; `may_track`: tracking them may help."""


class Completion:
    """Tracks what is missing, object after object, until a matte can be saved as it was wished for."""

    def __init__(self, ask: Question, do: Callable[[Callable[[MaskSession], object]], object]) -> None:
        """Nothing is wished for.

        Args:
            ask: about black frames.
            do: does something with the session and tells what cannot be done.
        """
        self._ask = ask
        self._do = do
        self._wish: Callable[[MaskSession], object] | None = None
        self._tried: tuple[str, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether something is to be saved after tracking."""
        return self._wish is not None

    def forget(self) -> None:
        """Save nothing after tracking."""
        self._wish, self._tried = None, ()

    def save(self, session: MaskSession, wish: Callable[[MaskSession], object]) -> None:
        """Save at once where nothing is missing, else as the person answers."""
        self.forget()
        black = () if session.tracking is not None and session.tracking.running else session.black()
        answer = self._ask(black, may_track=True) if black else Answer.SAVE
        if answer is Answer.TRACK:
            self._wish = wish
            self._track(session, black[0].id)
        elif answer is Answer.SAVE:
            self._do(wish)

    def follow(self, session: MaskSession) -> None:
        """Go on once tracking is over: another object, else save; where it did not come to its end, stop."""
        tracking, wish = session.tracking, self._wish
        if wish is None or tracking is None or tracking.running:
            return
        if tracking.state not in {TrackingState.DONE, TrackingState.PAUSED} or tracking.lost:
            self.forget()
            return
        black = session.black()
        untried = [each.id for each in black if each.id not in self._tried]
        if untried:
            self._track(session, untried[0])
            return
        self.forget()
        if not black or self._ask(black, may_track=False) is Answer.SAVE:
            self._do(wish)

    def _track(self, session: MaskSession, object_id: str) -> None:
        """Track all of an object; where that cannot even begin, nothing is saved."""
        self._tried = (*self._tried, object_id)

        def track(session: MaskSession) -> None:
            session.marking.choose_object(object_id)
            session.track(Direction.BOTH)

        self._do(track)
        if session.tracking is None or not session.tracking.running:
            self.forget()
