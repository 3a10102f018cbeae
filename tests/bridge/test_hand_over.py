"""By timeline files alone: Resolve's export, our tracks added, and what Resolve makes of it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.filehost import FileHost
from plugin.hosts import Flavour, StemPiece
from plugin.media.bwf import Bext, BroadcastWriter
from plugin.timebase import TimeSpan, sample_position, span_samples
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots
from tests.bridge.api_walk import pool_of, timeline_of
from tests.bridge.fake_resolve import PROFILES, Editor, Film, film

Make = Callable[..., Editor]
Folder = Callable[[str], Path]
RATES = ("23.976", "24", "25", "29.97 DF", "59.94")
WHOLE_SAMPLES = ("23.976", "24", "25")
"""Rates whose frames are whole samples at 48 kHz. At the others a time stamp lies beside the frame's start
by up to half a sample, and where the sound begins depends on whether Resolve takes the nearest frame."""


def _export(editor: Editor, path: Path) -> Path:
    resolve = editor.resolve()
    assert timeline_of(editor).Export(str(path), resolve.EXPORT_OTIO, resolve.EXPORT_NONE)
    return path


def _piece(made: Film, folder: Path, name: str, frames: tuple[int, int], channels: int) -> StemPiece:
    record = TimeSpan(made.seconds(frames[0]), made.seconds(frames[1]))
    path = folder / f"{name}.wav"
    bext = Bext(sample_position(record.start), dt.datetime(2000, 1, 1))  # noqa: DTZ001
    with BroadcastWriter.open(path, bext=bext, channels=channels) as writer:
        writer.write(np.zeros((span_samples(record), channels), np.float32))
        writer.finish()
    return StemPiece(name, name.rstrip("12"), path, record, channels)


def _import(editor: Editor, path: Path) -> Any:
    """As the import dialog does: without taking media into the pool again where that is refused."""
    sources = editor.profile.offline_without_sources
    options = {"timelineName": "With sound", "importSourceClips": sources}
    return pool_of(editor).ImportTimelineFromFile(str(path), options)


def _facts(timeline: Any, kind: str, index: int) -> tuple[Any, ...]:
    items = timeline.GetItemListInTrack(kind, index)
    return timeline.GetTrackName(kind, index), [
        (one.GetName(), one.GetStart(), one.GetDuration(), one.GetSourceStartFrame()) for one in items
    ]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("rate", "stamps"), [*((rate, "nearest") for rate in RATES), *((rate, "floor") for rate in WHOLE_SAMPLES)]
)
def test_stems_come_back_into_every_edition_where_they_belong(  # noqa: PLR0917
    make_editor: Make, media_folder: Folder, tmp_path: Path, profile: str, rate: str, stamps: str
) -> None:
    editor = make_editor(profile, stamps=stamps)
    made = film(editor, media_folder(rate), rate=rate)
    exported = _export(editor, tmp_path / "Reel 1.otio")
    pieces = [
        _piece(made, tmp_path, "violin1", (12, 36), 2),
        _piece(made, tmp_path, "violin2", (50, 61), 2),
        _piece(made, tmp_path, "door", (60, 72), 1),
    ]
    host = FileHost(exported, folder=tmp_path, flavour=Flavour.RESOLVE)
    host.place(pieces)
    again = _import(editor, host.output)
    assert again is not None, "Resolve refuses the file"
    start = made.timeline.start
    before = [track for track in editor.project.timelines[0].tracks if track.kind in {"video", "audio"}]
    for track in before:
        tracks = editor.project.timelines[0].of_kind(track.kind)
        index = tracks.index(track) + 1
        theirs = [(item.name, item.start, item.duration) for item in track.sorted_items()]
        assert [
            (item.name, item.start, item.duration)
            for item in editor.timeline.of_kind(track.kind)[index - 1].sorted_items()
        ] == theirs
    name, items = _facts(again, "audio", 3)
    assert (name, items) == (
        "FOLEY violin",
        [("violin1", start + 12, 24, 0), ("violin2", start + 50, 11, 0)],
    )
    assert _facts(again, "audio", 4) == ("FOLEY door", [("door", start + 60, 12, 0)])
    assert [item.problems for track in editor.timeline.tracks for item in track.items if item.problems] == []


@pytest.mark.parametrize("rate", RATES)
def test_spots_of_an_export_are_at_the_frames_that_resolve_shows(
    make_editor: Make, media_folder: Folder, tmp_path: Path, rate: str
) -> None:
    editor = make_editor()
    made = film(editor, media_folder(rate), rate=rate)
    exported = _export(editor, tmp_path / "Reel 1.otio")
    spotting = find_spots(read_timeline(exported), folder=tmp_path)
    found = {
        spot.label: (spot.record.start * made.rate.exact, spot.record.end * made.rate.exact)
        for spot in spotting.spots
    }
    start = Fraction(made.timeline.start)
    assert found == {"violin": (start + 12, start + 36), "door": (start + 60, start + 72)}
