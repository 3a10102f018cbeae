"""What the tests of reading and placing share: a host on a fake editor in this process, and stems for it."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.errors import HostNotRunning
from plugin.hosts import StemPiece
from plugin.timebase import TimeSpan
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import Spotting, find_spots
from resolve_bridge.host import ResolveHost
from resolve_bridge.inside.requests import handle
from resolve_bridge.records import PlacementRecords
from tests.bridge.fake_resolve import Editor

BIN = "Sagafoley"


@dataclass(slots=True)
class InProcess:
    """A channel that asks the fake directly; what travels is JSON all the same.

    Attributes:
        editor: the fake.
        dies_before, dies_after: an operation before or after which the way to Resolve breaks.
        asked: every request.
    """

    editor: Editor
    dies_before: str = ""
    dies_after: str = ""
    name: str = "in process"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, request: Mapping[str, object], *, timeout: float) -> dict[str, object]:
        assert timeout > 0
        sent = json.loads(json.dumps(request))
        self.asked.append(sent)
        if sent["op"] == self.dies_before:
            raise HostNotRunning("Resolve is gone.", remedy="Start it.")
        answer: dict[str, object] = json.loads(json.dumps(handle(self.editor.resolve(), sent)))
        if sent["op"] == self.dies_after:
            raise HostNotRunning("Resolve is gone.", remedy="Start it.")
        return answer

    def close(self) -> None:
        pass


@dataclass(slots=True)
class Desk:
    """A host, its channel, and where its files lie; `again()` is a later run of the program."""

    editor: Editor
    folder: Path
    records: Path
    channel: InProcess
    host: ResolveHost

    @classmethod
    def of(cls, editor: Editor, folder: Path, records: Path) -> Desk:
        channel = InProcess(editor)
        host = ResolveHost(channel, records=PlacementRecords(records), settle=0)
        return cls(editor, folder, records, channel, host)

    def again(self) -> Desk:
        return Desk.of(self.editor, self.folder, self.records)

    @property
    def leftovers(self) -> list[str]:
        """Files of ours beside the takes, and records of placements."""
        folders = (self.folder / "placed", self.records)
        return sorted(path.name for folder in folders if folder.is_dir() for path in folder.iterdir())

    def spotting(self) -> Spotting:
        """The spots of the timeline as it is read now."""
        path = self.host.snapshot(self.folder / "snapshot")
        return find_spots(read_timeline(path), folder=path.parent)

    def piece(
        self, first: Fraction | float, last: Fraction | float, label: str, *, channels: int = 1
    ) -> StemPiece:
        """A take with a ramp in it, for frames from the timeline's start."""
        timeline = self.editor.timeline
        start = Fraction(timeline.start_count) / timeline.rate.exact
        span = TimeSpan(*(start + Fraction(frame) / timeline.rate.exact for frame in (first, last)))
        path = self.folder / f"{label}_{channels}_{float(first):g}-{float(last):g}.wav"
        piece = StemPiece("001", label, path, span, channels)
        if not path.exists():
            write_take(path, piece.samples, channels)
        return piece


def write_take(path: Path, samples: int, channels: int) -> None:
    """A plain 24-bit WAV whose samples count upwards, so that every one is known again."""
    counted = (1 + index % 8_000_000 for index in range(samples * channels))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(3)
        file.setframerate(48_000)
        file.writeframes(b"".join(number.to_bytes(3, "little") for number in counted))


def without_ours(state: dict[str, Any]) -> dict[str, Any]:
    """A state of the editor without `FOLEY ...` tracks and our bin."""
    bare = deepcopy(state)
    for project in bare["projects"].values():
        for timeline in project["timelines"].values():
            tracks = timeline["tracks"]
            for key in [key for key, track in tracks.items() if track["name"].startswith("FOLEY ")]:
                del tracks[key]
        bins = project["bins"]["bins"]
        project["bins"]["bins"] = [one for one in bins if one["name"] != BIN]
    return bare


def our_items(editor: Editor) -> dict[str, list[tuple[int, int]]]:
    """Start (from the timeline's start) and duration of what lies on each of our tracks."""
    timeline = editor.timeline
    return {
        timeline.name_of(track): [
            (int(item.start) - timeline.start, int(item.duration)) for item in track.sorted_items()
        ]
        for track in timeline.of_kind("audio")
        if timeline.name_of(track).startswith("FOLEY ")
    }


MakeDesk = Callable[..., Desk]
