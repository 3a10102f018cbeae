"""Earlier placements of ours taken away: what is still ours and where we put it, nothing else.

A piece is still ours while it plays the file that was made for that placement, begins and lasts as it was
placed, and is the same item or lies on the track of the same name. What the editor moved, trimmed or
locked stays, and is told.
"""

import os
from typing import Any, List, Tuple

from .bins import bins_named, delete_bin, items_with, unused
from .calls import bin_mark, call, identity, path_key, path_of, read, refused, text, whole
from .keeping import EditorState
from .session import Session
from .tracks import Json

_SETTLE = 0.1
_UNTOLD = "Resolve does not say what lies on the timeline's tracks, so everything stays on them."


class Removal:
    """What was taken away.

    Attributes:
        tracks: names of tracks that are gone.
        pieces: how many pieces are gone.
        files: sound files that Resolve does not use any more.
        left: sentences about what is the editor's now.
        failed: sentences about what Resolve refused.
        untidy: sentences about unused sounds of ours that Resolve kept in its media pool.
    """

    def __init__(self) -> None:
        self.tracks = []  # type: List[str]
        self.pieces = 0
        self.files = []  # type: List[str]
        self.left = []  # type: List[str]
        self.failed = []  # type: List[str]
        self.untidy = []  # type: List[str]

    def as_json(self) -> Json:
        """As it travels."""
        return {
            "tracks": self.tracks,
            "pieces": self.pieces,
            "files": self.files,
            "left": self.left,
            "failed": self.failed,
            "untidy": self.untidy,
        }


class _Found:
    """A piece of a record as it lies on the timeline now."""

    def __init__(self, item: Any, index: int, track: str, name: str) -> None:
        self.item = item
        self.index = index
        self.track = track
        self.name = name
        self.id = identity(item)


def remove(resolve: Any, request: Json) -> Json:
    """Take the placements of `records` away from the current timeline."""
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    session.require_placing()
    state = EditorState(session)
    try:
        state.require_page("edit")
        removal = remove_records(session, request.get("records") or [], str(request["bin"]))
    finally:
        told = state.put_back(float(request.get("settle", _SETTLE)))
    if removal.failed and not removal.pieces:
        raise refused(" ".join(removal.failed + told))
    return dict(removal.as_json(), warnings=removal.failed + removal.untidy + told)


def standing(resolve: Any, request: Json) -> Json:
    """Which pieces of `records` are still where they were placed: their keys, by placement."""
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    found = {}
    if not _tells_items(session):
        raise refused(_UNTOLD)
    for record in request.get("records") or []:
        ours, _ = _pieces_of(session, record)
        found[str(record["placement"])] = [key for key, _ in ours]
    return {"standing": found}


def remove_records(session: Session, records: List[Json], bin_name: str) -> Removal:
    """Take placements away, one after the other; the Edit page must be open."""
    removal = Removal()
    for record in records:
        _remove_one(session, record, bin_name, removal)
    return removal


def _kind(record: Json) -> str:
    """The kind of tracks that a placement made: "audio" of stems, "video" of mattes."""
    return str(record.get("kind") or "audio")


def _remove_one(session: Session, record: Json, bin_name: str, removal: Removal) -> None:
    kind = _kind(record)
    if not _tells_items(session):
        removal.failed.append(_UNTOLD)
        return
    ours, others = _pieces_of(session, record)
    removal.left.extend(others)
    usable, indices = [], set()
    for _, found in ours:
        if read(session.timeline, "GetIsTrackLocked", kind, found.index) is True:
            removal.left.append("{} stays, because its track {!r} is locked.".format(found.name, found.track))
        else:
            usable.append(found)
            indices.add(found.index)
    gone = _delete(session, kind, usable)
    removal.pieces += gone
    if gone < len(usable):
        removal.failed.append("Resolve did not remove {} of our pieces.".format(len(usable) - gone))
    _delete_tracks(session, record, indices, removal)
    _tidy_pool(session, record, bin_name, removal)


def _pieces_of(session: Session, record: Json) -> Tuple[List[Tuple[str, _Found]], List[str]]:
    """The pieces that are still ours with their keys, and sentences about those that are the editor's now."""
    kind = _kind(record)
    known = {
        path_key(piece["path"]): (track, piece) for track in record["tracks"] for piece in track["pieces"]
    }
    ours, others = [], []  # type: Tuple[List[Tuple[str, _Found]], List[str]]
    for index in range(1, session.track_count(kind) + 1):
        track_name = text(session.timeline, "GetTrackName", kind, index)
        for item in session.items_on(kind, index):
            path = path_of(read(item, "GetMediaPoolItem"))
            entry = known.get(path_key(path)) if path else None
            if entry is None:
                continue
            track, piece = entry
            found = _Found(item, index, track_name, os.path.basename(path))
            if _is_untouched(found, track, piece):
                ours.append((str(piece["key"]), found))
            else:
                others.append(
                    "{} was moved, trimmed or copied in Resolve and stays on {!r}.".format(
                        found.name, track_name
                    )
                )
    return ours, others


def _is_untouched(found: _Found, track: Json, piece: Json) -> bool:
    duration = piece.get("duration")
    placed = whole(found.item, "GetStart") == piece["start"]
    length = duration is None or whole(found.item, "GetDuration") == duration
    same = found.id == piece.get("item") or found.track == track["name"]
    return placed and length and same


def _delete(session: Session, kind: str, found: List[_Found]) -> int:
    """Delete items, once more where Resolve did not; how many are gone."""
    left = found
    for _ in range(2):
        if left:
            call(session.timeline, "DeleteClips", [one.item for one in left])
            indices = {one.index for one in left}
            there = {identity(item) for index in indices for item in session.items_on(kind, index)}
            left = [one for one in left if one.id in there]
    return len(found) - len(left)


def _delete_tracks(session: Session, record: Json, held: "set[int]", removal: Removal) -> None:
    """Delete tracks of the record that are empty now: those that held its pieces, or were left empty.

    Of a placement that was broken off, every empty track that it had made or may have.
    """
    kind = _kind(record)
    made = _unfinished(session, record)
    names = {track["name"]: track.get("index") for track in record["tracks"]}
    for index in range(session.track_count(kind), 0, -1):
        name = text(session.timeline, "GetTrackName", kind, index)
        ours = name in names and (index in held or names[name] == index)
        if not (ours or index in made):
            continue
        if session.items_on(kind, index):
            continue
        if not _tells_items(session):
            removal.failed.append(_UNTOLD)
            return
        if _delete_track(session, kind, index):
            removal.tracks.insert(0, name)
        else:
            removal.failed.append("Resolve did not remove the empty track {!r}.".format(name))


def _tells_items(session: Session) -> bool:
    """Whether Resolve says of any track what lies on it.

    Of a track without clips it may answer None, but also of every track while it cannot answer.
    """
    tracks = ((kind, index + 1) for kind in ("audio", "video") for index in range(session.track_count(kind)))
    answers = (read(session.timeline, "GetItemListInTrack", kind, index) for kind, index in tracks)
    return any(isinstance(answer, (list, tuple, dict)) for answer in answers)


def _unfinished(session: Session, record: Json) -> "set[int]":
    """Tracks that a placement added before it was broken off: above those before it, which are as then."""
    kind = _kind(record)
    before = record.get("tracks_before")
    if record.get("state") != "begun" or not isinstance(before, list):
        return set()
    timeline, found = session.timeline, set()
    names = [text(timeline, "GetTrackName", kind, index + 1) for index in range(session.track_count(kind))]
    if names[: len(before)] != before:
        return set()
    for place, track in enumerate(record["tracks"][: len(names) - len(before)]):
        index = len(before) + place + 1
        subtype = text(timeline, "GetTrackSubType", kind, index)
        if names[index - 1] == track["name"] or subtype in ("", track.get("subtype")):
            found.add(index)
    return found


def _delete_track(session: Session, kind: str, index: int) -> bool:
    before = session.track_count(kind)
    for _ in range(3):
        if session.track_count(kind) < before:
            return True
        call(session.timeline, "DeleteTrack", kind, index)
    return session.track_count(kind) < before


def _tidy_pool(session: Session, record: Json, bin_name: str, removal: Removal) -> None:
    """Take sounds that nothing uses any more out of the pool, then our bin where it was made for them."""
    paths = [piece["path"] for track in record["tracks"] for piece in track["pieces"]]
    folders = bins_named(session.pool, bin_name)
    used = _paths_on(session)
    for _ in range(2):
        unneeded = _unused(folders, paths, used)
        if unneeded:
            call(session.pool, "DeleteClips", unneeded)
    stuck = len(_unused(folders, paths, used))
    if stuck:
        removal.untidy.append("{} sounds that nothing uses stay in the media pool.".format(stuck))
    kept = {path_key(path_of(item)) for item in items_with(folders, paths)}
    removal.files.extend(path for path in paths if path_key(path) not in kept | used)
    made = record.get("bin") or {}
    for folder_id in [] if kept else [bin_mark(folder) for folder in folders]:
        if _is_made(made, folder_id):
            delete_bin(session.pool, bin_name, folder_id)


def _is_made(made: Json, folder_id: str) -> bool:
    """Whether a bin was made for a placement, or came while one was under way that was broken off."""
    if "before" in made:
        return folder_id not in made["before"]
    return bool(made.get("created")) and made.get("id") in ("", folder_id)  # "": it did not tell then


def _unused(folders: List[Any], paths: List[str], used: "set[str]") -> List[Any]:
    items = items_with(folders, paths)
    return [item for item in items if path_key(path_of(item)) not in used and unused(item)]


def _paths_on(session: Session) -> "set[str]":
    """The files that anything on the tracks plays or shows."""
    found = set()
    for kind in ("audio", "video"):
        for index in range(1, session.track_count(kind) + 1):
            for item in session.items_on(kind, index):
                path = path_of(read(item, "GetMediaPoolItem"))
                if path:
                    found.add(path_key(path))
    return found
