"""One placement on Resolve's timeline, from files to the record of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugin.errors import HostError, HostNotRunning
from plugin.hosts import StemPiece
from resolve_bridge.channels import Channel, result_of
from resolve_bridge.layouts import FramedTrack
from resolve_bridge.matte_files import remove_matte
from resolve_bridge.records import PlacementRecords
from resolve_bridge.stem_files import make_file, remove_file
from resolve_bridge.views import ResolveStatus

BIN = "Sagafoley"
"""Our bin in the media pool."""

_SECONDS, _PER_PIECE = 60.0, 10.0
Json = dict[str, Any]


def patience(pieces: int) -> float:
    """Seconds to wait until so many pieces are placed or removed."""
    return _SECONDS + _PER_PIECE * pieces


@dataclass(slots=True, kw_only=True)
class Placing:
    """One placement: written down before it begins, so that a later run can clear it whatever happens.

    Attributes:
        channel: the way to Resolve.
        records: where it is written down.
        status: project and timeline.
        timeline: id of the only timeline that it may be placed on; "" for the open one.
        settle: seconds in which Resolve may still move the playhead.
        tracks: what is placed.
        kept: records of earlier placements that stay.
        replaced: records of those that give way.
        placement: names it among all.
        files: what Resolve is given, by the pieces' keys.
    """

    channel: Channel
    records: PlacementRecords
    status: ResolveStatus
    timeline: str
    settle: float
    tracks: Sequence[FramedTrack]
    kept: list[Json]
    replaced: list[Json]
    placement: str = field(default_factory=lambda: secrets.token_hex(4))
    files: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Of the tracks that are made."""
        return "audio"

    def run(self) -> Json:
        """Make the files, write the intent down, place, write down what lies where."""
        try:
            self._make_files()
            self._keep([*self.kept, *self.replaced, self._intent()])
        except BaseException:
            remove_files(self.files.values())
            raise
        answer = self._ask()
        try:
            result: Json = result_of(answer)
        except HostError:
            if not _left(answer):
                self._keep([*self.kept, *self.replaced])
                remove_files(self.files.values())
            raise
        self._keep([*self.kept, *self._survivors(result), self._record(result)])
        remove_files(result["removed"]["files"])
        return result

    def _make_files(self) -> None:
        for track in self.tracks:
            for one in track.pieces:
                self.files[one.key] = str(make_file(one, self.placement))

    def _ask(self) -> Mapping[str, object]:
        """Resolve's answer; where none comes, the intent stays written down."""
        request = {
            "op": "place",
            "kind": self.kind,
            "timeline": self.timeline or self.status.timeline_id,
            "bin": BIN,
            "settle": self.settle,
            "tracks": self._asked(),
            "replace": self.replaced,
        }
        pieces = len(self.files) + piece_count(self.replaced)
        return self.channel.ask(request, timeout=patience(pieces))

    def _asked(self) -> list[Json]:
        return [
            {
                "name": track.name,
                "subtype": track.subtype,
                "pieces": [
                    {
                        "key": one.key,
                        "name": Path(self.files[one.key]).name,
                        "path": self.files[one.key],
                        "frame": one.frame,
                        "frames": one.frames,
                        "most": one.most,
                    }
                    for one in track.pieces
                ],
            }
            for track in self.tracks
        ]

    def _intent(self) -> Json:
        return {
            "placement": self.placement,
            "kind": self.kind,
            "state": "begun",
            "bin": {"before": list(self.status.bins)},
            "tracks": self._begun_tracks(),
            "tracks_before": self._tracks_before(),
        }

    def _begun_tracks(self) -> list[Json]:
        return [
            {
                "name": track.name,
                "label": track.label,
                "subtype": track.subtype,
                "pieces": [
                    {"key": one.key, "path": self.files[one.key], "start": one.frame} | _facts(one.piece)
                    for one in track.pieces
                ],
            }
            for track in self.tracks
        ]

    def _tracks_before(self) -> list[str]:
        return list(self.status.audio_tracks)

    def _record(self, result: Json) -> Json:
        return {
            "placement": self.placement,
            "kind": self.kind,
            "state": "placed",
            "bin": self._bin(result["bin"]),
            "tracks": self._placed_tracks(result),
        }

    def _placed_tracks(self, result: Json) -> list[Json]:
        facts = {one.key: _facts(one.piece) for track in self.tracks for one in track.pieces}
        labels = {track.name: track.label for track in self.tracks}
        return [
            {
                **track,
                "label": labels[track["name"]],
                "pieces": [piece | facts[piece["key"]] for piece in track["pieces"]],
            }
            for track in result["tracks"]
        ]

    def _bin(self, found: Json) -> Json:
        """Our bin; made by us also when an earlier placement made it."""
        earlier = (one.get("bin") or {} for one in [*self.kept, *self.replaced])
        made = any(_made_bin(one, found["id"]) for one in earlier)
        return {"id": found["id"], "created": bool(found["created"] or made)}

    def _survivors(self, result: Json) -> list[Json]:
        """Earlier placements that Resolve did not take away wholly."""
        removed = result["removed"]
        return self.replaced if removed["failed"] or removed["untidy"] else []

    def _keep(self, placements: list[Json]) -> None:
        self.records.keep(self.status.project_id, self.status.timeline_id, placements)


def _made_bin(bin_: Json, found: str) -> bool:
    """Whether a record says that its placement made the bin, or may have before it was broken off."""
    if "before" in bin_:
        return found not in bin_["before"]
    return bin_.get("id") == found and bool(bin_.get("created"))


def _facts(piece: StemPiece) -> Json:
    """Where a piece comes from: its take and what travels with it."""
    return {"cue": piece.cue_id, "take": str(piece.path), "facts": dict(piece.facts)}


def _left(answer: Mapping[str, object]) -> bool:
    """Whether something of ours could not be taken back, or may not have been: nobody answered any more."""
    error = answer.get("error")
    if not isinstance(error, Mapping):
        return True
    return bool(error.get("left")) or error.get("kind") == HostNotRunning.__name__


def piece_count(records: list[Json]) -> int:
    """Pieces in all of these records."""
    return sum(len(track["pieces"]) for record in records for track in record["tracks"])


def remove_files(paths: Iterable[str | Path]) -> None:
    """Take away files that were made for Resolve."""
    for path in map(Path, paths):
        remove_file(path)
        remove_matte(path)
