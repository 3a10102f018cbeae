"""Our tracks: made, named, filled, looked at; tracks of mattes are switched off."""

import time
from typing import Any, Dict, Optional

from .calls import call, identity, path_of, read, refused, same_path, text, things, whole
from .session import Session

_LOOKS = 4
_BETWEEN_LOOKS = 0.05
_TRIES = 3
_DISABLED = False
_MEDIA_TYPES = {"video": 1, "audio": 2}

Json = Dict[str, Any]


def add_track(session: Session, name: str, subtype: str, kind: str) -> int:
    """A new track above all others of its kind; its index. A video track is disabled."""
    before = session.track_count(kind)
    call(session.timeline, "AddTrack", kind, *([subtype] if subtype else []))
    index = session.track_count(kind)
    if index != before + 1:
        raise refused("Resolve did not add the track {!r}.".format(name))
    if session.items_on(kind, index):
        raise refused("The new track {!r} is not empty; somebody else works on the timeline.".format(name))
    given = text(session.timeline, "GetTrackSubType", kind, index) if subtype else ""
    if given and given != subtype:
        raise refused(
            "Resolve made the track {!r} {} instead of {}.".format(name, given, subtype),
            "Add a {} audio track by hand to see whether Resolve can, then do it again.".format(subtype),
        )
    _name_track(session, kind, index, name)
    if kind == "video":
        _switch_off(session, index, name)
    return index


def _name_track(session: Session, kind: str, index: int, name: str) -> None:
    for _ in range(_TRIES):
        if text(session.timeline, "GetTrackName", kind, index) == name:
            return
        call(session.timeline, "SetTrackName", kind, index, name)
    if text(session.timeline, "GetTrackName", kind, index) != name:
        raise refused("Resolve did not name its new track {!r}.".format(name))


def _switch_off(session: Session, index: int, name: str) -> None:
    """Disable a track of ours, believed only when it is read back: a matte must not cover the picture."""
    for _ in range(_TRIES):
        call(session.timeline, "SetTrackEnable", "video", index, _DISABLED)
        if read(session.timeline, "GetIsTrackEnabled", "video", index) is False:
            return
    raise refused("Resolve did not disable its new track {!r}, which would hide the picture.".format(name))


def put_piece(session: Session, track: "tuple[str, int]", piece: Json, pool_item: Any) -> Json:
    """Put one file onto a track (kind and index) and read it back; what lies there then."""
    kind, index = track
    session.require_still_open()
    asked = {
        "mediaPoolItem": pool_item,
        "mediaType": _MEDIA_TYPES[kind],
        "trackIndex": index,
        "recordFrame": piece["frame"],
    }
    asked.update(piece.get("part") or {})
    call(session.pool, "AppendToTimeline", [asked])
    item = _seen(session, track, piece)
    if item is None:
        raise refused(
            "Resolve did not put {} onto {} track {}.".format(piece["name"], kind, index),
            "Close any window that is open in Resolve, let nobody edit this timeline, then do it again.",
            detail="frame {}".format(piece["frame"]),
        )
    return _checked(piece, item, identity(pool_item))


def _seen(session: Session, track: "tuple[str, int]", piece: Json) -> Optional[Any]:
    """The item on the track, looked for until it is there; it may come late. The last is asked first."""
    for look in range(_LOOKS):
        for item in reversed(things(session.timeline, "GetItemListInTrack", *track)):
            at_its_place = whole(item, "GetStart") == piece["frame"] and identity(item)
            if at_its_place and item_path_is(item, piece["path"]):
                return item
        if look + 1 < _LOOKS:
            time.sleep(_BETWEEN_LOOKS)
    return None


def item_path_is(item: Any, path: str) -> bool:
    """Whether an item plays a file."""
    return same_path(path_of(read(item, "GetMediaPoolItem")), path)


def _checked(piece: Json, item: Any, media: str) -> Json:
    duration = whole(item, "GetDuration")
    if duration is None or not piece["frames"] <= duration <= piece["most"]:
        raise refused(
            "{} lies on the timeline with {} frames instead of {}.".format(
                piece["name"], duration, piece["frames"]
            ),
            "Give the timeline the frame rate of the project, or import the timeline that `sagafoley render` "
            "writes.",
        )
    return {
        "key": piece["key"],
        "path": piece["path"],
        "item": identity(item),
        "media": media,
        "start": piece["frame"],
        "duration": duration,
    }


def confirm(session: Session, kind: str, tracks: "list[Json]", others: "list[int]") -> None:
    """Look at everything once more: our tracks hold what they should, the other tracks as many as before."""
    session.require_still_open()
    for track in tracks:
        wanted = sorted((one["item"], one["start"], one["duration"]) for one in track["pieces"])
        for look in range(_LOOKS):
            held = session.items_on(kind, track["index"])
            found = sorted((identity(one), whole(one, "GetStart"), whole(one, "GetDuration")) for one in held)
            if found == wanted:
                break
            time.sleep(_BETWEEN_LOOKS * look)
        else:
            raise refused(
                "The track {!r} does not hold what was put onto it.".format(track["name"]),
                "Let nobody edit this timeline while pieces are placed, then do it again.",
            )
    if all(item_counts(session, kind, len(others)) != others for _ in range(2)):
        raise refused(
            "Something else changed on the timeline while pieces were placed.",
            "Let nobody edit this timeline while pieces are placed, then do it again.",
        )


def item_counts(session: Session, kind: str, tracks: int) -> "list[int]":
    """How many items lie on each of the first tracks of a kind."""
    return [len(session.items_on(kind, index)) for index in range(1, tracks + 1)]
