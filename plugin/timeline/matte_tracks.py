"""Our mattes as OTIO JSON: each on a disabled video track of its own, over the picture it was made from.

A track is named `MASK <label>` and says `role = "mask"`, so spotting finds it as it finds an editor's own.
That it is ours, and which of our placements it belongs to, its metadata say besides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cues import ImageSequence, MatteChannel, MediaFile, MediaSource
from plugin.errors import OutputError
from plugin.hosts import Flavour, MattePiece
from plugin.timeline.clock import clock_of
from plugin.timeline.documents import Document
from plugin.timeline.flattening import flatten
from plugin.timeline.json_trees import canonical, tracks_of
from plugin.timeline.pictures import Pictures
from plugin.timeline.sources import Sources
from plugin.timeline.stem_tracks import PLACEMENT, Json, Ruler
from plugin.timeline.times import exact_frames, exact_rate
from plugin.timeline.urls import file_url
from plugin.timeline.wishes import NAMESPACE, ROLE_MASK

_OURS = "placed_matte"
_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\.png)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Beneath:
    """The picture that a matte is laid over.

    Attributes:
        start: media time shown where the matte begins, in the document's count; with a negative speed the
            exclusive end.
        zero: media time of the film's first frame, in the same count.
        speed: media seconds per record second.
    """

    start: Fraction
    zero: Fraction
    speed: Fraction

    @classmethod
    def of(cls, timeline: Any, piece: MattePiece, *, folder: Path) -> Beneath:
        """The picture of a timeline where a matte is laid; without any, a film that counts from 0.

        Args:
            timeline: an OTIO Timeline.
            piece: the matte.
            folder: where relative media addresses start.
        """
        there = Fraction(piece.start) / piece.rate
        shown = Pictures.of(flatten(timeline, clock_of(timeline)).shown).at(piece.record.start)
        if shown is None:
            return cls(there, Fraction(0), Fraction(1))
        source, _ = Sources(folder).of(shown[1])
        start = source.source_time(piece.record.start)
        zero = source.available.start if source.available is not None else start - there
        return cls(start, zero, source.speed)


def matte_media(piece: MattePiece) -> MediaSource:
    """The pictures of a matte.

    Raises:
        OutputError: its folder holds other pictures than it says, or it is not there.
    """
    if not piece.path.is_dir():
        if piece.path.is_file():
            return MediaFile(piece.path)
        raise _unusable(piece, "is not there")
    names = sorted(entry.name for entry in piece.path.iterdir())
    matches = [match for name in names if (match := _NUMBERED.fullmatch(name))]
    last = matches[-1] if matches else None
    if last is None or len(matches) != piece.frames:
        raise _unusable(piece, f"holds {len(matches)} pictures and should hold {piece.frames}")
    first, padding = int(matches[0]["number"]), len(last["number"])
    prefix, suffix = last["prefix"], last["suffix"]
    return ImageSequence(
        folder=piece.path,
        prefix=prefix,
        suffix=suffix,
        padding=padding,
        first=first,
        last=first + piece.frames - 1,
        step=1,
        rate=piece.rate,
    )


def _unusable(piece: MattePiece, what: str) -> OutputError:
    return OutputError(
        f"The matte {piece.path.name} {what}.", remedy="Save the matte again.", detail=str(piece.path)
    )


def matte_track(
    piece: MattePiece, *, ruler: Ruler, beneath: Beneath, flavour: Flavour, placement: int
) -> Json:
    """The track of a matte.

    Args:
        piece: the matte.
        ruler: of the document.
        beneath: the picture it lies over.
        flavour: who will read it.
        placement: counts our placements, 1 the first.

    Raises:
        OutputError: the matte is not what it says.
    """
    start = ruler.frames(piece.record.start)
    clip = _clip(piece, beneath, ruler, flavour)
    before = [_gap(ruler, start)] if start > 0 else []
    metadata: Json = {NAMESPACE: {"role": ROLE_MASK, _OURS: True, PLACEMENT: placement}}
    if flavour is Flavour.RESOLVE:
        metadata["Resolve_OTIO"] = {"Locked": False}
    return {
        "OTIO_SCHEMA": "Track.1",
        **_item(piece.track_name, None, metadata, enabled=False),
        "children": [*before, clip],
        "kind": "Video",
    }


def _item(name: str, source_range: Json | None, metadata: Json, *, enabled: bool = True) -> Json:
    return {
        "metadata": metadata,
        "name": name,
        "source_range": source_range,
        "effects": [],
        "markers": [],
        "enabled": enabled,
    }


def _gap(ruler: Ruler, frames: Fraction) -> Json:
    return {"OTIO_SCHEMA": "Gap.1", **_item("", ruler.range(Fraction(0), frames), {})}


def _clip(piece: MattePiece, beneath: Beneath, ruler: Ruler, flavour: Flavour) -> Json:
    """It has the picture's range and count: frame `n` of the film is at `zero + n / rate` in both."""
    length, speed = piece.record.duration, beneath.speed
    start = (
        beneath.start + min(speed, Fraction(0)) * length
    )  # a reversed clip names what it plays, from its end
    about: Json = {
        "role": ROLE_MASK,
        "object": piece.label,
        "channel": str(MatteChannel.LUMA),
        "prompts": "" if piece.prompts is None else str(piece.prompts),
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        **_item(piece.path.name, _range(piece, ruler, start, length), {NAMESPACE: about}),
        "effects": [] if speed == 1 else [_retime(speed)],
        "media_references": {"DEFAULT_MEDIA": _reference(piece, beneath, ruler, flavour)},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _retime(speed: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "LinearTimeWarp.1",
        "metadata": {},
        "name": "",
        "effect_name": "LinearTimeWarp",
        "time_scalar": float(speed),
    }


def _reference(piece: MattePiece, beneath: Beneath, ruler: Ruler, flavour: Flavour) -> Json:
    media = matte_media(piece)
    begin = beneath.zero + Fraction(piece.first) / piece.rate
    about = {
        "metadata": {},
        "name": piece.path.name,
        "available_range": _range(piece, ruler, begin, piece.frames / piece.rate),
        "available_image_bounds": None,
    }
    if isinstance(media, MediaFile):
        url = str(media.path) if flavour is Flavour.RESOLVE else file_url(media.path)
        return {"OTIO_SCHEMA": "ExternalReference.1", **about, "target_url": url}
    if flavour is Flavour.RESOLVE:  # knows no ImageSequenceReference, and spells sequences like this
        numbers = f"[{media.first:0{media.padding}d}-{media.last:0{media.padding}d}]"
        pattern = media.folder / f"{media.prefix}{numbers}{media.suffix}"
        return {"OTIO_SCHEMA": "ExternalReference.1", **about, "target_url": str(pattern)}
    return {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        **about,
        "target_url_base": file_url(media.folder) + "/",
        "name_prefix": media.prefix,
        "name_suffix": media.suffix,
        "start_frame": media.first,
        "frame_step": 1,
        "rate": float(media.rate),
        "frame_zero_padding": media.padding,
        "missing_frame_policy": "error",
    }


def _range(piece: MattePiece, ruler: Ruler, start: Fraction, duration: Fraction) -> Json:
    """In frames of the matte or of the timeline, whichever gives whole numbers."""
    rates = (piece.rate, ruler.rate)
    whole = (rate for rate in rates if (start * rate).denominator == (duration * rate).denominator == 1)
    found = next(whole, None)
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": _time(duration, found or ruler.rate, ruler),
        "start_time": _time(start, found or piece.rate, ruler),
    }


def _time(seconds: Fraction, rate: Fraction, ruler: Ruler) -> Json:
    spelled = ruler.spelled if rate == ruler.rate else float(rate)
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": spelled, "value": float(seconds * rate)}


def is_our_matte(track: Any) -> bool:
    """Whether a track in a JSON tree is a matte's that we placed."""
    try:
        ours = track["metadata"][NAMESPACE]
        return bool(ours["role"] == ROLE_MASK and ours[_OURS] is True)
    except (KeyError, TypeError):
        return False


def our_mattes(timeline: Json) -> list[Json]:
    """The tracks of mattes that we placed, lowest first."""
    return [child for child in tracks_of(timeline) if is_our_matte(child)]


def earlier_mattes(source: Document, written: Document | None) -> list[Json]:
    """Mattes of ours in the editor's file, and those that earlier placings added in a file of their own.

    The latter count only while that file begins where the editor's timeline begins.
    """
    found = our_mattes(source.timeline)
    if written is not None and written.ruler.start == source.ruler.start:
        known = {canonical(track) for track in found}
        found += [track for track in our_mattes(written.timeline) if canonical(track) not in known]
    return found


def without(timeline: Json, gone: Sequence[Json]) -> Json:
    """A timeline without some of its tracks."""
    children = [child for child in tracks_of(timeline) if not any(child is one for one in gone)]
    return {**timeline, "tracks": {**timeline["tracks"], "children": children}}


def lies_there(track: Json, piece: MattePiece, ruler: Ruler) -> bool:
    """Whether a matte of ours has the same label and shares a frame with a new one."""
    if track["name"] != piece.track_name:
        return False
    start, end = ruler.frames(piece.record.start), ruler.frames(piece.record.end)
    at = Fraction(0)
    for child in track["children"]:
        length = child["source_range"]["duration"]
        after = at + exact_frames(length["value"]) * ruler.rate / exact_rate(length["rate"])
        if child["OTIO_SCHEMA"].startswith("Clip.") and at < end and start < after:
            return True
        at = after
    return False
