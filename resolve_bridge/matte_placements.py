"""One matte on Resolve's timeline, from its files to the record of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolve_bridge.matte_files import FramedMatte, MatteFile, make_matte
from resolve_bridge.placements import Placing

KIND = "video"
"""What records and requests of mattes say; those of stems say nothing, or "audio"."""

_KEY = "0001"
_INCLUSIVE_BEFORE = (20,)
"""Versions before count the end frame of an appended part in."""

Json = dict[str, Any]


def is_matte(record: Json) -> bool:
    """Whether a record is of a matte."""
    return record.get("kind") == KIND


def overlaps(record: Json, framed: FramedMatte) -> bool:
    """Whether a matte's record is of the same label and shares a frame with a matte."""
    return any(
        track.get("label") == framed.piece.label
        and piece["start"] < framed.frame + framed.frames
        and framed.frame < piece["start"] + piece.get("duration", framed.frames)
        for track in record["tracks"]
        for piece in track["pieces"]
    )


def version_numbers(version: str) -> tuple[int, ...]:
    """20, 3 of "20.3.2.9"; () of what is no version."""
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


@dataclass(slots=True, kw_only=True)
class MattePlacing(Placing):
    """One placement of a matte: as that of stems, on a disabled video track.

    Attributes:
        matte: what is placed.
        made: what Resolve is given.
    """

    matte: FramedMatte
    made: MatteFile | None = None

    @property
    def kind(self) -> str:
        """Of the track."""
        return KIND

    def _make_files(self) -> None:
        self.made = make_matte(self.matte, self.placement)
        self.files[_KEY] = self.made.path

    def _asked(self) -> list[Json]:
        assert self.made is not None  # noqa: S101 (`run` makes it first)
        piece: Json = {
            "key": _KEY,
            "name": self.made.name,
            "path": self.made.path,
            "frame": self.matte.frame,
            "frames": self.matte.frames,
            "most": self.matte.most,
        }
        if self.made.sequence is not None:
            piece["import"] = self.made.sequence
        else:
            piece["part"] = self._part()
        return [{"name": self.matte.piece.track_name, "subtype": "", "pieces": [piece]}]

    def _part(self) -> Json:
        """Start and end frame of a movie; nothing where all of it is shown, as their meaning differs."""
        first, last = self.matte.part
        if (first, last) == (0, self.matte.piece.frames):
            return {}
        inclusive = version_numbers(self.status.version) < _INCLUSIVE_BEFORE
        return {"startFrame": first, "endFrame": last - 1 if inclusive else last}

    def _begun_tracks(self) -> list[Json]:
        piece = {"key": _KEY, "path": self.files[_KEY], "start": self.matte.frame} | self._facts()
        label = self.matte.piece.label
        return [
            {"name": self.matte.piece.track_name, "label": label, "subtype": "", "pieces": [piece]},
        ]

    def _placed_tracks(self, result: Json) -> list[Json]:
        return [
            {
                **track,
                "label": self.matte.piece.label,
                "pieces": [piece | self._facts() for piece in track["pieces"]],
            }
            for track in result["tracks"]
        ]

    def _tracks_before(self) -> list[str]:
        return list(self.status.video_tracks)

    def _facts(self) -> Json:
        prompts = self.matte.piece.prompts
        return {"matte": str(self.matte.piece.path), "prompts": str(prompts) if prompts else ""}
