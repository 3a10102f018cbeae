"""Pieces onto new tracks of ours, all or nothing.

Files are imported one by one into our bin, each is put onto its track by itself, at a whole frame and
without start and end frames (whose meaning differs between versions), and read back before the next.
Where anything is not as it should be, everything that was made is taken away again; the editor's page,
playhead, bin, timeline and marks are put back on every way out.
"""

from typing import Any, Dict, List

from .bins import (
    bins_named,
    delete_bin,
    delete_items,
    import_file,
    make_bin,
)
from .calls import NOT_RUNNING, BridgeFault, bin_mark, call, identity, path_of, read, refused, same_path, text
from .keeping import EditorState
from .removing import Removal, remove_records
from .session import Session
from .tracks import Json, add_track, confirm, item_counts, put_piece

_SETTLE = 0.4
"""Seconds in which Resolve may still move the playhead after an item was added (0.3 measured)."""


def place(resolve: Any, request: Json) -> Json:
    """Place what the request names; what lies where then.

    The request has `timeline` (id), `bin` (name), `kind` ("audio" for stems, "video" for mattes), `tracks`
    (name, subtype, pieces with key, name, path, frame, frames, most; of a numbered sequence also how it is
    imported, of part of a movie which), `replace` (records of earlier placements that give way) and `settle`.
    """
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    session.require_placing()
    state = EditorState(session)
    settle = float(request.get("settle", _SETTLE))
    work = _Work(session, request)
    try:
        state.require_page("edit")
        result = work.run()
    except BridgeFault as fault:
        elsewhere = state.is_elsewhere()
        left = work.undo(state)
        unrestored = state.put_back(settle)
        if not text(resolve, "GetProductName"):
            raise _gone(fault) from None
        raise (_abandoned(fault) if elsewhere else _told(fault, left, unrestored)) from None
    except BaseException:
        work.undo(state)
        state.put_back(settle)
        raise
    result["warnings"].extend(state.put_back(settle))
    return result


def _told(fault: BridgeFault, left: List[str], unrestored: List[str]) -> BridgeFault:
    """The fault, and what could not be put right after it."""
    message = " ".join([fault.message, *left, *unrestored])
    remedy = fault.remedy
    if left:
        remedy = "Close any window that is open in Resolve, run `sagafoley resolve remove`, then place again."
    return BridgeFault(fault.kind, message, remedy, fault.detail, len(left))


def _gone(fault: BridgeFault) -> BridgeFault:
    """The fault where Resolve does not answer any more."""
    return BridgeFault(
        NOT_RUNNING,
        "DaVinci Resolve stopped answering while pieces were placed.",
        "Start Resolve, open the project and its timeline, run `sagafoley resolve remove`, then place again.",
        fault.message,
        left=1,
    )


def _abandoned(fault: BridgeFault) -> BridgeFault:
    """The fault where somebody opened another project: what was made until then is out of reach."""
    return BridgeFault(
        fault.kind,
        "Another project was opened in Resolve while pieces were placed; what was placed until then is still "
        "in the project before.",
        "Open that project and its timeline, run `sagafoley resolve remove`, then place again.",
        fault.message,
        left=1,
    )


class _Work:
    """One placing: what is asked for, what there was before, what was made."""

    def __init__(self, session: Session, request: Json) -> None:
        self.session = session
        self.request = request
        self.kind = str(request.get("kind") or "audio")
        self.bin_name = str(request["bin"])
        self.pieces = [piece for track in request["tracks"] for piece in track["pieces"]]
        self.paths = [piece["path"] for piece in self.pieces]
        self.tracks_before = session.track_count(self.kind)
        self.bins_before = {bin_mark(folder) for folder in bins_named(session.pool, self.bin_name)}
        self.folder_before = read(session.pool, "GetCurrentFolder")

    def run(self) -> Json:
        """Do it."""
        session = self.session
        counts = item_counts(session, self.kind, self.tracks_before)
        folder = make_bin(session.pool, self.bin_name) if self.paths else None
        folder_id, mark = identity(folder), bin_mark(folder)
        media = {
            one["path"]: import_file(session.pool, folder, one["path"], one.get("import"))
            for one in self.pieces
        }
        placed = [self._track(track, media) for track in self.request["tracks"]]
        confirm(session, self.kind, placed, counts)
        removal = self._replace(placed)
        return {
            "timeline": {"name": text(session.timeline, "GetName"), "id": session.timeline_id},
            "project": {"name": text(session.project, "GetName"), "id": session.project_id},
            "bin": {"id": folder_id, "created": mark not in self.bins_before},
            "tracks": placed,
            "removed": removal.as_json(),
            "warnings": list(removal.left),
        }

    def _track(self, asked: Json, media: Dict[str, Any]) -> Json:
        index = add_track(self.session, asked["name"], asked["subtype"], self.kind)
        track = (self.kind, index)
        pieces = [put_piece(self.session, track, one, media[one["path"]]) for one in asked["pieces"]]
        return {"name": asked["name"], "index": index, "pieces": pieces}

    def _replace(self, placed: List[Json]) -> Removal:
        """Take earlier placements away; ours are above them, so their indices move down."""
        removal = remove_records(self.session, self.request.get("replace") or [], self.bin_name)
        if removal.failed and not removal.pieces:
            raise refused(" ".join(removal.failed))
        moved = self.tracks_before + len(placed) - self.session.track_count(self.kind)
        for track in placed:
            track["index"] -= max(0, moved)
        removal.left.extend(removal.failed + removal.untidy)
        return removal

    def undo(self, state: EditorState) -> List[str]:
        """Take away everything that was made; what could not be, as sentences."""
        try:
            return self._undo(state)
        except Exception as error:  # noqa: BLE001 (the first fault is the one to tell)
            return ["Taking it back failed ({}).".format(error)]

    def _undo(self, state: EditorState) -> List[str]:
        session = self.session
        told = []  # type: List[str]
        state.open_page("edit")
        told.extend(self._undo_elsewhere())
        ours = {track["name"] for track in self.request["tracks"]}
        for index in range(session.track_count(self.kind), self.tracks_before, -1):
            name = self._name(index)
            if not (self._delete_track(index) if self._is_ours(index) else name not in ours):
                told.append("The track {!r} could not be removed.".format(name))
        return told or self._undo_media()

    def _undo_media(self) -> List[str]:
        """Take the sounds and the bin out of the pool; only once no track plays them."""
        session = self.session
        told = []  # type: List[str]
        folders = [*bins_named(session.pool, self.bin_name), self.folder_before]
        folders.append(read(session.pool, "GetRootFolder"))
        left = delete_items(session.pool, [one for one in folders if one is not None], self.paths)
        if left:
            told.append("{} of our sounds stay in the media pool.".format(len(left)))
        for folder in bins_named(session.pool, self.bin_name):
            mark = bin_mark(folder)
            if mark not in self.bins_before and not delete_bin(session.pool, self.bin_name, mark):
                told.append("The bin {!r} could not be removed.".format(self.bin_name))
        return told

    def _undo_elsewhere(self) -> List[str]:
        """Take pieces off a timeline that somebody opened just as they were put there."""
        current = read(self.session.project, "GetCurrentTimeline")
        if current is None or identity(current) in ("", self.session.timeline_id):
            return []
        there = Session(self.session.resolve, self.session.project, self.session.pool, current)
        left = self._ours_on(there)
        for _ in range(2):
            for items in left:
                call(current, "DeleteClips", items)
            left = self._ours_on(there)
        sentence = "{} of our pieces stay on the timeline {!r}: delete them there."
        return [sentence.format(sum(map(len, left)), text(current, "GetName"))] if left else []

    def _ours_on(self, session: Session) -> List[List[Any]]:
        """Our pieces on a timeline, track by track."""
        count = session.track_count(self.kind)
        tracks = (session.items_on(self.kind, index + 1) for index in range(count))
        ours = [[item for item in items if self._plays_ours(item)] for items in tracks]
        return [items for items in ours if items]

    def _is_ours(self, index: int) -> bool:
        """Whether a track that came since we began holds nothing but our pieces."""
        return all(self._plays_ours(item) for item in self.session.items_on(self.kind, index))

    def _plays_ours(self, item: Any) -> bool:
        path = path_of(read(item, "GetMediaPoolItem"))
        return any(same_path(path, own) for own in self.paths)

    def _name(self, index: int) -> str:
        return text(self.session.timeline, "GetTrackName", self.kind, index)

    def _delete_track(self, index: int) -> bool:
        """Delete the pieces on a track, then the track; whether both are gone."""
        session = self.session
        for _ in range(2):
            items = session.items_on(self.kind, index)
            if items:
                call(session.timeline, "DeleteClips", items)
        for _ in range(3):
            if session.track_count(self.kind) < index:
                return True
            call(session.timeline, "DeleteTrack", self.kind, index)
        return session.track_count(self.kind) < index
