"""What the desk remembers beside the cue sheet: choices of takes, where spots lay, relinks, placements.

One JSON file per timeline, in the folder of its stems. Without it stars and choices are lost, never words
or sound.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.controller.book import Book, TakeNote
from plugin.cues import ClipSource, Spot
from plugin.errors import UsageError
from plugin.opening import Reading
from plugin.render.naming import safe_name
from plugin.render.provenance import media_to_data
from plugin.timebase import TimeSpan

KIND = "sagafoley desk"
SCHEMA = 1
MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class SpotMark:
    """A spot as it lay when the sheet was last saved.

    Attributes:
        record: where it lay by itself, without handles.
        key: what it showed; see `spot_key`.
    """

    record: TimeSpan
    key: str


@dataclass(frozen=True, slots=True)
class Notes:
    """The content of the file.

    Attributes:
        spots: by cue id.
        takes: by take name.
        chosen: by cue id, a take name.
        relinks: by old path, the new one.
        accepted: ids of problems.
        placed: by cue id: what of it lies on the host's timeline.
        orphans: cue ids that are switched off in the sheet only because they have no spot.
        reading: what was said about the timeline file; None: nothing yet.
    """

    spots: Mapping[str, SpotMark] = field(default_factory=dict)
    takes: Mapping[str, TakeNote] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    relinks: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    placed: Mapping[str, str] = field(default_factory=dict)
    orphans: frozenset[str] = frozenset()
    reading: Reading | None = None

    @classmethod
    def of(cls, book: Book, *, placed: Mapping[str, str]) -> Notes:
        """What a book says beside its sheet."""
        marks = {cue_id: SpotMark(spot.record, spot_key(spot)) for cue_id, spot in book.own.items()}
        return cls(
            marks,
            book.notes,
            book.chosen,
            book.relinks,
            book.accepted,
            placed=placed,
            orphans=frozenset(entry.id for entry in book.orphans if entry.enabled),
            reading=book.reading,
        )


def notes_path(folder: Path, timeline: Path) -> Path:
    """The file of a timeline's notes."""
    return folder / f"{safe_name(timeline.stem, limit=72, fallback='timeline')}.desk.json"


def spot_key(spot: Spot) -> str:
    """The same for a spot that only moved on the timeline: of the same source, showing the same pictures."""
    matte = spot.matte.clip if spot.matte else None
    length = spot.record.duration
    shown = [_shown(clip, spot.record.start) for clip in (spot.picture, matte)]
    text = json.dumps([spot.source_name, str(length), *shown], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:24]


def _shown(clip: ClipSource | None, start: Fraction) -> Any:
    if clip is None or clip.media is None:
        return None
    return [media_to_data(clip.media), str(clip.source_time(start)), str(clip.speed)]


def format_notes(notes: Notes) -> bytes:
    """The file's content."""
    data = {
        "kind": KIND,
        "schema": SCHEMA,
        "spots": {
            cue: {"start": str(mark.record.start), "end": str(mark.record.end), "key": mark.key}
            for cue, mark in notes.spots.items()
        },
        "takes": {name: dataclasses.asdict(note) for name, note in notes.takes.items()},
        "chosen": dict(notes.chosen),
        "relinks": dict(notes.relinks),
        "accepted": sorted(notes.accepted),
        "placed": dict(notes.placed),
        "orphans": sorted(notes.orphans),
        "reading": None if notes.reading is None else _reading_to_data(notes.reading),
    }
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode("ascii")


def read_notes(path: Path) -> Notes:
    """The notes in a file; none when it is not there.

    Raises:
        UsageError: the file cannot be read or is not of this kind.
    """
    try:
        return _notes(json.loads(_read(path)))
    except FileNotFoundError:
        return Notes()
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise UsageError(
            f"The file {path.name}, with the choices of takes, cannot be read.",
            remedy="Choose the takes again; the old file is kept with the ending .damaged.",
            detail=f"{path}: {error!r}",
        ) from error


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("too large")
    return path.read_bytes()


def _notes(data: Any) -> Notes:
    if data["kind"] != KIND or data["schema"] != SCHEMA:
        raise ValueError("another kind or schema")
    return Notes(
        spots={str(cue): _mark(mark) for cue, mark in data["spots"].items()},
        takes={str(name): _take_note(note) for name, note in data["takes"].items()},
        chosen=_texts(data["chosen"]),
        relinks=_texts(data["relinks"]),
        accepted=frozenset(map(str, data["accepted"])),
        placed=_texts(data["placed"]),
        orphans=frozenset(map(str, data["orphans"])),
        reading=None if data["reading"] is None else _reading(data["reading"]),
    )


def _take_note(data: Any) -> TakeNote:
    return TakeNote(
        title=str(data["title"]),
        star=bool(data["star"]),
        gain_db=float(data["gain_db"]),
        fade_in=float(data["fade_in"]),
        fade_out=float(data["fade_out"]),
        trashed=bool(data["trashed"]),
    )


def _texts(data: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in data.items()}


def _mark(data: Any) -> SpotMark:
    return SpotMark(TimeSpan(Fraction(data["start"]), Fraction(data["end"])), str(data["key"]))


def _reading_to_data(reading: Reading) -> dict[str, Any]:
    return {
        "edl_rate": None if reading.edl_rate is None else str(reading.edl_rate),
        "timeline_name": reading.timeline_name,
        "drop_frame": reading.drop_frame,
        "use_alpha": reading.use_alpha,
        "mask_tracks": {str(number): words for number, words in reading.mask_tracks.items()},
    }


def _reading(data: Any) -> Reading:
    return Reading(
        edl_rate=None if data["edl_rate"] is None else Fraction(data["edl_rate"]),
        timeline_name=data["timeline_name"],
        drop_frame=data["drop_frame"],
        use_alpha=bool(data["use_alpha"]),
        mask_tracks={int(number): str(words) for number, words in data["mask_tracks"].items()},
    )
