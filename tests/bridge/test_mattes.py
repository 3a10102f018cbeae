"""Mattes on disabled video tracks of ours: placed, found by spotting, replaced, removed; every fault."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin.errors import HostNotRunning, HostRefused, MediaMissing, OutputError
from plugin.hosts import Conflict, MattePiece, Removal
from plugin.timebase import TimeSpan
from tests.bridge.desk import Desk, our_items
from tests.bridge.fake_resolve import PROFILES, Call, Item, Track, differences, documented_failures, film
from tests.bridge.test_faults import attempt, check_same_timeline
from tests.media_factory import make_movie

MakeDesk = Callable[..., Desk]
HANDLE = 5


def matte(
    desk: Desk, first: int, last: int, label: str = "dog", *, rate: Fraction | None = None, name: str = ""
) -> MattePiece:
    """A matte with handles for frames from the timeline's start; picture k is grey of level k."""
    timeline = desk.editor.timeline
    own = rate or timeline.rate.exact
    start = Fraction(timeline.start_count) / timeline.rate.exact
    span = TimeSpan(*(start + Fraction(frame) / timeline.rate.exact for frame in (first, last)))
    frames = -(-(span.duration * own).numerator // (span.duration * own).denominator) + 2 * HANDLE
    folder = desk.folder / (name or f"reel_{label}_matte_v01_{frames}")
    if not folder.exists():
        folder.mkdir()
        for number in range(frames):
            grey = np.full((4, 6), number, np.uint8)
            (folder / f"m_{1000 + number}.png").write_bytes(cv2.imencode(".png", grey)[1].tobytes())
    return MattePiece(
        label, folder, own, frames, 100, 100 + HANDLE, span, folder.with_suffix(".prompts.json")
    )


def mask_tracks(desk: Desk) -> list[tuple[str, bool, list[tuple[int, int]]]]:
    """Name, enabled, and start and duration of the items of the `MASK` tracks."""
    timeline = desk.editor.timeline
    return [
        (
            timeline.name_of(track),
            track.enabled,
            [(int(item.start) - timeline.start, int(item.duration)) for item in track.sorted_items()],
        )
        for track in timeline.of_kind("video")[3:]
    ]


def shown_levels(item: Item) -> list[int]:
    """The levels of the pictures of a placed sequence."""
    assert item.pool is not None
    pictures = sorted(Path(item.pool.media.path).parent.glob("*.png"))
    read = (cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) for path in pictures)
    return [int(one[0, 0]) for one in read if one is not None]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("rate", ["23.976", "25", "29.97 DF"])
def test_the_whole_way(make_desk: MakeDesk, profile: str, rate: str) -> None:
    desk = make_desk(profile, rate=rate)
    before = desk.editor.state()
    piece = matte(desk, 6, 40, "owl | not cat")
    placed = desk.host.place_matte(piece)
    assert placed is not None
    assert (placed.track_name, placed.record) == ("MASK owl | not cat", piece.record)
    assert mask_tracks(desk) == [("MASK owl | not cat", False, [(6, 34)])]
    item = desk.editor.timeline.of_kind("video")[-1].items[0]
    assert shown_levels(item) == list(range(HANDLE, HANDLE + 34))
    assert desk.host.notes == ()
    spots = [spot for spot in desk.spotting().spots if spot.label == "owl"]
    assert spots
    assert all(spot.matte is not None for spot in spots)
    assert desk.again().host.remove() == Removal(("MASK owl | not cat",), 1)
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []
    assert len(list(piece.path.iterdir())) == piece.frames


@pytest.mark.parametrize(
    ("project", "timeline", "own"), [("24", "25", 25), ("25", "24", 25), ("25", "50", 24)]
)
def test_rates_may_differ(make_desk: MakeDesk, project: str, timeline: str, own: int) -> None:
    """Every frame shows the picture of its moment, whatever rate Resolve gives to the sequence."""
    from tests.bridge.fake_resolve import RATES

    def change(made: Any) -> None:
        made.timeline.settings["useCustomSettings"] = "1"
        made.project.rate = RATES[project]

    desk = make_desk(rate=timeline, change=change)
    placed = desk.host.place_matte(matte(desk, 10, 60, rate=Fraction(own)))
    assert placed is not None
    item = desk.editor.timeline.of_kind("video")[-1].items[0]
    assert item.duration in {50, 51}
    levels, shown = shown_levels(item), RATES[project].exact
    assert levels == [HANDLE + int(Fraction(number * own) / shown) for number in range(len(levels))]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("frames", "head"), [(30, 0), (50, 7), (37, 7)])
def test_a_movie(make_desk: MakeDesk, profile: str, frames: int, head: int) -> None:
    desk = make_desk(profile)
    path = make_movie(desk.folder / f"dog {frames}.mov", rate=Fraction(25), frames=frames).path
    span = matte(desk, 6, 36).record
    before = desk.editor.state()
    placed = desk.host.place_matte(MattePiece("dog", path, Fraction(25), frames, 0, head, span))
    assert placed is not None
    item = desk.editor.timeline.of_kind("video")[-1].items[0]
    assert (item.source_start, item.duration) == (head, 30)
    assert desk.again().host.remove().pieces == 1
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []
    assert path.is_file()


def test_earlier_mattes_of_the_label_give_way_where_they_overlap(make_desk: MakeDesk) -> None:
    desk = make_desk()
    for first, last, label in ((0, 10, "dog"), (20, 30, "dog"), (5, 25, "cat")):
        assert desk.again().host.place_matte(matte(desk, first, last, label)) is not None
    assert desk.again().host.place_matte(matte(desk, 9, 12), conflict=Conflict.SKIP) is None
    assert desk.again().host.place_matte(matte(desk, 12, 15), conflict=Conflict.SKIP) is not None
    assert desk.again().host.place_matte(matte(desk, 8, 13)) is not None
    assert mask_tracks(desk) == [
        ("MASK dog", False, [(20, 10)]),
        ("MASK cat", False, [(5, 20)]),
        ("MASK dog", False, [(8, 5)]),
    ]
    assert desk.again().host.place_matte(matte(desk, 8, 13), conflict=Conflict.NEW_TRACK) is not None
    assert [track for track, *_ in mask_tracks(desk)] == ["MASK dog", "MASK cat", "MASK dog", "MASK dog"]
    while desk.again().host.remove().pieces:
        pass
    assert mask_tracks(desk) == []
    assert desk.leftovers == []


def test_stems_and_mattes_leave_each_other_alone(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = desk.editor.state()
    desk.host.place_matte(matte(desk, 0, 10))
    desk.again().host.place([desk.piece(3, 9, "dog")])
    desk.again().host.place([desk.piece(4, 9, "dog")])
    desk.again().host.place_matte(matte(desk, 2, 12))
    assert mask_tracks(desk) == [("MASK dog", False, [(2, 10)])]
    assert our_items(desk.editor) == {"FOLEY dog": [(4, 5)]}
    assert desk.again().host.remove() == Removal(("MASK dog",), 1)
    assert desk.again().host.remove() == Removal(("FOLEY dog",), 1)
    assert differences(before, desk.editor.state()) == []


def test_tracks_and_clips_of_the_editor_stay(make_desk: MakeDesk) -> None:
    """A track of the same name is not ours; ours with a clip of theirs on it is not deleted."""
    desk = make_desk()
    timeline = desk.editor.timeline
    theirs = Track("video", name="MASK dog")
    timeline.tracks.append(theirs)
    desk.host.place_matte(matte(desk, 0, 10))
    ours = timeline.of_kind("video")[-1]
    own = Item("mine", Fraction(timeline.start + 60), Fraction(5))
    ours.items.append(own)
    assert desk.again().host.remove() == Removal((), 1)
    assert ours.items == [own]
    assert theirs in timeline.tracks
    desk.again().host.place_matte(matte(desk, 20, 30))
    placed = timeline.of_kind("video")[-1].items[0]
    placed.start += 3
    removal = desk.again().host.remove()
    assert any("was moved, trimmed or copied" in sentence for sentence in removal.left)
    assert placed in timeline.of_kind("video")[-1].items
    assert placed.pool is not None
    assert len(shown_levels(placed)) == 10


def test_a_track_that_stays_enabled_is_not_accepted(make_desk: MakeDesk) -> None:
    """It would hide the picture; the answer alone is not believed."""
    desk = make_desk()
    before = desk.editor.state()
    desk.editor.fail("SetTrackEnable", result=True, times=None)
    with pytest.raises(HostRefused, match="would hide the picture"):
        desk.host.place_matte(matte(desk, 0, 10))
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []


def test_what_cannot_be_placed_is_said_before_anything_happens(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = desk.editor.state()
    good = matte(desk, 0, 10)
    cases: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (MediaMissing, "not there", {"path": desk.folder / "nowhere"}),
        (HostRefused, "does not cover", {"start": 99}),
        (HostRefused, "does not cover", {"start": 111}),
        (OutputError, "20 pictures instead of 21", {"frames": 21}),
        (HostRefused, "begins before", {"record": TimeSpan(Fraction(1), Fraction(2))}),
    ]
    for kind, words, change in cases:
        with pytest.raises(kind, match=words):
            desk.host.place_matte(replace(good, **change))
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []


def test_a_build_that_cannot_import_sequences(make_desk: MakeDesk) -> None:
    desk = make_desk(import_dicts_fail=True)
    before = desk.editor.state()
    with pytest.raises(HostRefused, match="did not import") as refused:
        desk.host.place_matte(matte(desk, 0, 10))
    assert "ProRes 4444" in refused.value.remedy
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []


@pytest.fixture
def desks(
    make_editor: Callable[..., Any],
    media_folder: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> MakeDesk:
    """Fresh editors with the same film, quickly."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    numbers = count()

    def make(profile: str = "studio_20_3", page: str = "edit") -> Desk:
        editor = make_editor(profile)
        film(editor, media_folder("25"), rate="25")
        editor.page = page
        (tmp_path / "takes").mkdir(exist_ok=True)
        return Desk.of(editor, tmp_path / "takes", tmp_path / f"records {next(numbers)}")

    return make


def place(desk: Desk) -> None:
    desk.host.place_matte(matte(desk, 3, 9))


def remove(desk: Desk) -> None:
    desk.host.remove()


def calls_of(desk: Desk, act: Callable[[Desk], Any]) -> list[Call]:
    """The calls of an act that goes well; what it placed is taken away again."""
    begun = len(desk.editor.calls)
    act(desk)
    calls = desk.editor.calls[begun:]
    while desk.again().host.remove().pieces:
        pass
    return calls


def changing(case: tuple[str, int, Any, bool]) -> bool:
    """Whether it is a failure of a call that changes something."""
    return not case[0].partition(".")[2].startswith("Get")


def test_every_documented_failure_while_placing(desks: MakeDesk) -> None:
    """Once: the matte is there and verified, or nothing is. From then on: a later run clears what is left."""
    cases = list(documented_failures(calls_of(desks(page="color"), place)))
    assert {"Timeline.SetTrackEnable", "Timeline.GetIsTrackEnabled"} <= {method for method, *_ in cases}
    refused = 0
    for case in cases:
        for times in (1, None) if changing(case) else (1,):
            desk = desks(page="color")
            before = desk.editor.state()
            desk.editor.fail(*case, times=times)
            error = attempt(desk, place)
            desk.editor.heal()
            if error is None:
                assert mask_tracks(desk) == [("MASK dog", False, [(3, 6)])], case
                assert desk.again().host.remove().pieces == 1, case
            elif times == 1:
                refused += 1
                assert differences(before, desk.editor.state()) == [], case
                assert desk.leftovers == [], case
            desk.again().host.remove()
            check_same_timeline(desk, before, (case, times))
            assert not list((desk.folder / "placed").glob("*")), (case, times)
    assert refused >= 8


@pytest.mark.parametrize("act", [place, remove])
def test_every_documented_failure_while_replacing_and_removing(
    desks: MakeDesk, act: Callable[[Desk], None]
) -> None:
    first = desks()
    place(first)
    cases = list(documented_failures(calls_of(first, act), done=False))
    getters = [case for case in cases if not changing(case)]
    for case in [*filter(changing, cases), *getters[:: 1 + len(getters) // 60]]:
        desk = desks()
        bare = desk.editor.state()
        place(desk)
        desk.editor.fail(*case)
        error = attempt(desk, act)
        desk.editor.heal()
        if error is not None and act is place:
            assert mask_tracks(desk) == [("MASK dog", False, [(3, 6)])], case
        while desk.again().host.remove().pieces:
            pass
        check_same_timeline(desk, bare, case)
        assert not list((desk.folder / "placed").glob("*")), case


@pytest.mark.parametrize("where", ["dies_before", "dies_after"])
def test_the_way_to_resolve_breaks(desks: MakeDesk, where: str) -> None:
    desk = desks()
    before = desk.editor.state()
    setattr(desk.channel, where, "place")
    with pytest.raises(HostNotRunning):
        place(desk)
    assert desk.again().host.remove().pieces == (where == "dies_after")
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []
