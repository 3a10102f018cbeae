"""The state that an editor left Resolve in: written down before we work, put back whatever happens."""

import time
from typing import Any, List

from .calls import bin_mark, call, has, identity, read, refused, text
from .reading import told_marks
from .session import Session, current_project

_TRIES = 3
_LOOK_EVERY = 0.05
_MARKS_UNKNOWN = (
    "Resolve did not say which in and out points were set; those that its Deliver page took could not be set "
    "again."
)


class EditorState:
    """Page, current timeline, current bin, marks and playhead as they were.

    Attributes:
        session: the project and timeline that they belong to.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.page = text(session.resolve, "GetCurrentPage")
        self.folder = read(session.pool, "GetCurrentFolder")
        self.folder_id = bin_mark(self.folder)
        self.playhead = text(session.timeline, "GetCurrentTimecode")
        self.marks = told_marks(session.timeline)

    def open_page(self, name: str) -> bool:
        """Open a page, and whether it is open then."""
        for _ in range(_TRIES):
            if text(self.session.resolve, "GetCurrentPage") == name:
                return True
            call(self.session.resolve, "OpenPage", name)
        return text(self.session.resolve, "GetCurrentPage") == name

    def require_page(self, name: str) -> None:
        """Open a page, or raise."""
        if not self.open_page(name):
            raise refused("Resolve did not open its {} page.".format(name.capitalize()))
        self.playhead = self.playhead or text(self.session.timeline, "GetCurrentTimecode")

    def is_elsewhere(self) -> bool:
        """Whether another project is open now; what was got from the one before answers no more."""
        return identity(current_project(self.session.resolve)) not in ("", self.session.project_id)

    def put_back(self, settle: float) -> List[str]:
        """Put everything back; what could not be, as sentences.

        Args:
            settle: seconds in which Resolve may still move the playhead.
        """
        if self.is_elsewhere():
            return ["Another project is open in Resolve now; bin, marks and playhead of the one before stay."]
        steps = (
            (self._put_timeline, "The timeline that was open could not be opened again."),
            (self._put_folder, "The bin that was open could not be opened again."),
        )
        told = [sentence for step, sentence in steps if not step()] + self._unknown()
        self._put_playhead(settle)
        if self.page and not self.open_page(self.page):
            told.append("The {} page could not be opened again.".format(self.page.capitalize()))
        if not self._put_marks():  # the Deliver page may have taken them when it was opened
            told.append("The in and out points could not be set again.")
        if not self._put_playhead(0.0):
            told.append("The playhead could not be put back to {}.".format(self.playhead))
        return told

    def _unknown(self) -> List[str]:
        """Sentences about what Resolve did not tell, so that it cannot be put back."""
        known = ((self.page, "page"), (self.folder_id, "bin"), (self.playhead, "playhead position"))
        told = [
            "Resolve did not say which {} was current; it could not be put back.".format(name)
            for value, name in known
            if not value
        ]
        if self.marks is None and self.page == "deliver":
            told.append(_MARKS_UNKNOWN)
        return told

    def _put_timeline(self) -> bool:
        session = self.session
        for _ in range(_TRIES):
            if identity(read(session.project, "GetCurrentTimeline")) == session.timeline_id:
                return True
            call(session.project, "SetCurrentTimeline", session.timeline)
        return identity(read(session.project, "GetCurrentTimeline")) == session.timeline_id

    def _put_folder(self) -> bool:
        if not self.folder_id:
            return True
        return open_folder(self.session.pool, self.folder, self.folder_id)

    def _put_marks(self) -> bool:
        """Set the in and out points again where they surely differ; what was not told is left alone."""
        timeline = self.session.timeline
        if self.marks is None or not has(timeline, "SetMarkInOut"):
            return True
        for _ in range(_TRIES):
            found = told_marks(timeline)
            if found == self.marks:
                return True
            if found is None:
                continue
            call(timeline, "ClearMarkInOut", "all")
            for kind, edges in self.marks.items():
                if "in" in edges and "out" in edges:
                    call(timeline, "SetMarkInOut", edges["in"], edges["out"], kind)
        return told_marks(timeline) == self.marks

    def _put_playhead(self, settle: float) -> bool:
        """Put the playhead back, and again while Resolve still moves it."""
        if not self.playhead:
            return True
        timeline, until = self.session.timeline, time.time() + settle
        for attempt in range(1000):
            right = text(timeline, "GetCurrentTimecode") == self.playhead
            if right and time.time() >= until:
                return True
            if not right:
                call(timeline, "SetCurrentTimecode", self.playhead)
            if attempt >= _TRIES and time.time() >= until:
                break
            if settle:
                time.sleep(_LOOK_EVERY)
        return text(timeline, "GetCurrentTimecode") == self.playhead


def open_folder(pool: Any, folder: Any, wanted: str) -> bool:
    """Make a bin, told by its mark, the current one, and whether it surely is then."""
    for _ in range(_TRIES):
        if wanted and bin_mark(read(pool, "GetCurrentFolder")) == wanted:
            return True
        call(pool, "SetCurrentFolder", folder)
    return bool(wanted) and bin_mark(read(pool, "GetCurrentFolder")) == wanted
