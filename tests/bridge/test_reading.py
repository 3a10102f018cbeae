"""A timeline read over the API is the same document, and asks for the same sound, as a file of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from plugin.cues import Spot, SpotOrigin
from plugin.errors import HostRefused
from plugin.hosts import Scope
from plugin.timebase import TimeSpan, frame_at
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import Spotting, find_spots
from tests.bridge.desk import Desk
from tests.bridge.fake_resolve import PROFILES, Film, Item
from tests.bridge.fake_resolve.scenes import crowded

RATES = ["23.976", "24", "25", "29.97 DF", "50", "59.94"]
MakeDesk = Callable[..., Desk]


def without_mattes(made: Film) -> None:
    """Resolve's own export does not carry mattes that hang on a clip in the media pool."""
    crowded(made)
    made.second.mattes.clear()


def exported(desk: Desk) -> Path:
    return desk.host.export(desk.folder / "by hand.otio")


def spotted(path: Path) -> Spotting:
    return find_spots(read_timeline(path), folder=path.parent)


def facts(found: Spotting) -> list[tuple[Any, ...]]:
    """The spots, times from the timeline's start."""
    return [
        (
            spot.id,
            spot.record.start - found.record.start,
            spot.record.duration,
            spot.label,
            spot.prompt,
            spot.negative_prompt,
            spot.origin,
            _media(spot.picture),
            _media(spot.matte.clip) if spot.matte else None,
        )
        for spot in found.spots
    ]


def _media(source: Any) -> tuple[Any, ...] | None:
    """A clip's file, the moment of it that is shown first, and its speed."""
    if source is None:
        return None
    offset = source.available.start if source.available else Fraction(0)
    return source.media, source.source_start - offset, source.speed, source.clip_name, source.track_name


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("start", [None, 0])
def test_the_same_spots_as_in_a_file(make_desk: MakeDesk, profile: str, rate: str, start: int | None) -> None:
    desk = make_desk(profile, rate=rate, start=start, change=without_mattes)
    own, file = desk.spotting(), spotted(exported(desk))
    assert facts(own) == facts(file)
    assert len(own.spots) == 3
    assert [problem.message for problem in own.problems] == [problem.message for problem in file.problems]
    assert (own.name, own.rate, own.record) == (file.name, file.rate, file.record)
    assert own.drop_frame == ("DF" in rate)  # a file does not say, and guesses where the start is zero
    assert desk.host.notes == own.notes == ()


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_document_as_a_file(make_desk: MakeDesk, profile: str) -> None:
    """Before 20.3 only whole frames are told, of a sound that begins between two as well."""
    finest = 1 / 25 if profile == "studio_19_1" else 1e-9
    desk = make_desk(profile, change=without_mattes)
    own = read_timeline(desk.host.snapshot(desk.folder))
    file = read_timeline(exported(desk))
    assert own.global_start_time == file.global_start_time
    assert own.name == file.name
    for ours, theirs in zip(own.tracks, file.tracks, strict=True):
        assert (ours.name, ours.kind, ours.enabled) == (theirs.name, theirs.kind, theirs.enabled)
        assert ours.metadata["Resolve_OTIO"]["Locked"] == theirs.metadata["Resolve_OTIO"]["Locked"]
        for one, other in zip(ours, theirs, strict=True):
            opened = type(other) is otio.schema.Stack  # the API does not look into a compound clip
            assert type(one) is (otio.schema.Clip if opened else type(other))
            if hasattr(one, "in_offset"):
                assert (one.name, one.in_offset, one.out_offset) == (
                    other.name,
                    other.in_offset,
                    other.out_offset,
                )
                continue
            assert (one.name, one.enabled) == (other.name, other.enabled)
            assert one.duration().to_seconds() == pytest.approx(other.duration().to_seconds(), abs=finest)
            assert one.range_in_parent().start_time.to_seconds() == pytest.approx(
                other.range_in_parent().start_time.to_seconds(), abs=finest
            )
            assert [mark.name for mark in one.markers] == [mark.name for mark in other.markers]
    assert [mark.marked_range for mark in own.tracks.markers] == [
        mark.marked_range for mark in file.tracks.markers
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"lists_as_dicts": True},
        {"rate_form": "short"},
        {"rate_form": "string"},
        {"rate_form": "point zero"},
        {"source_end": "exclusive"},
        {"source_end": "inclusive"},
        {"source_start_off_by_one": True},
        {"empty_track_is_none": True},
        {"marker_keys_float": False},
        {"language": "ru"},
        {"missing": frozenset({"TimelineItem.GetSourceStartFrame", "TimelineItem.GetSourceEndFrame"})},
        {"missing": frozenset({"Timeline.GetTrackSubType", "Timeline.GetMarkInOut"})},
        {"missing": frozenset({"TimelineItem.GetClipEnabled", "TimelineItem.GetMarkers"})},
    ],
    ids=str,
)
@pytest.mark.parametrize("profile", ["studio_19_1", "studio_21_1"])
@pytest.mark.parametrize("rate", ["23.976", "29.97 DF", "50"])
def test_builds_that_tell_it_differently_ask_for_the_same(
    make_desk: MakeDesk, profile: str, rate: str, options: dict[str, Any]
) -> None:
    plain = make_desk(profile, rate=rate, change=_no_retimes).spotting()
    assert facts(make_desk(profile, rate=rate, change=_no_retimes, **options).spotting()) == facts(plain)


def _no_retimes(made: Film) -> None:
    """Speeds other than one are read from source frames, which some of these builds lack."""
    made.shots["C"].speed = Fraction(1)


@pytest.mark.parametrize("reading", ["counted", "nominal"])
@pytest.mark.parametrize("form", ["float", "string", "short", "point zero", "bare"])
@pytest.mark.parametrize("rate", ["29.97 DF", "59.94 DF"])
def test_drop_frame_is_right_whatever_the_start_frame_says(
    make_desk: MakeDesk, rate: str, form: str, reading: str
) -> None:
    """01:00:00;00 is frame 107892 of the day whether `GetStartFrame` gives 107892 or 108000."""
    desk = make_desk(rate=rate, drop_frame_start=reading, rate_form=form)
    found = desk.spotting()
    assert found.drop_frame
    assert frame_at(found.record.start, found.rate) == {"29.97 DF": 107892, "59.94 DF": 215784}[rate]
    first = found.spots[0].record.start - found.record.start
    assert first == 12 / found.rate
    desk.host.show(found.record.start + 41 / found.rate)
    assert desk.editor.timeline.playhead - desk.editor.timeline.start == 41


SPEEDS = [Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(-2), Fraction(3, 2), Fraction(4), Fraction(0)]


@pytest.mark.parametrize("speed", SPEEDS, ids=str)
@pytest.mark.parametrize("source_end", ["exclusive", "inclusive", "mixed"])
@pytest.mark.parametrize("profile", ["studio_19_1", "studio_20_3", "studio_21_1"])
def test_retimes_are_found_out(make_desk: MakeDesk, profile: str, source_end: str, speed: Fraction) -> None:
    def change(made: Film) -> None:
        _cover(made, made.shots["C"], speed)

    spot = make_desk(profile, source_end=source_end, change=change).spotting().spots[-1]
    assert spot.label == "dog"
    assert spot.picture is not None
    assert spot.picture.speed == speed
    wanted = Fraction(10 + (24 * -speed if speed < 0 else 0), 25)
    assert abs(spot.picture.source_start - wanted) <= Fraction(1, 25)


def _cover(made: Film, shot: Item, speed: Fraction) -> None:
    """A mask track "MASK dog" over a shot of that speed."""
    shot.speed, shot.source_start = speed, Fraction(10)
    mask = made.shots["mask"]
    track = made.timeline.track_of(mask)
    assert track is not None
    track.name = "MASK dog"
    mask.start, mask.duration = shot.start, shot.duration


def test_a_speed_that_resolve_does_not_tell_is_said(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 and 0 as source frames means that it does not know, as after an XML import."""
    from tests.bridge.fake_resolve import api_items

    monkeypatch.setattr(api_items, "source_ends", lambda *_: (Fraction(0), Fraction(0)))
    desk = make_desk("studio_20_3", source_end="exclusive")
    found = desk.spotting()
    assert [spot.picture.speed for spot in found.spots if spot.picture] == [1, 1]
    assert any("does not tell the speed of 'picture.mov'" in note for note in desk.host.notes)


def test_mattes_of_the_media_pool_are_spots(make_desk: MakeDesk, tmp_path: Path) -> None:
    def change(made: Film) -> None:
        made.timeline.markers.clear()
        named = tmp_path / "MASK bell | not horn.mov"
        named.write_bytes(Path(made.matte.media.path).read_bytes())
        made.second.mattes.append(str(named))

    desk = make_desk(change=change)
    spots = {spot.label: spot for spot in desk.spotting().spots}
    assert set(spots) == {"violin", "object", "bell"}
    bell = spots["bell"]
    assert (bell.origin, bell.negative_prompt) == (SpotOrigin.MASK_TRACK, "horn")
    assert bell.matte is not None
    assert bell.matte.clip.source_start == Fraction(5, 25)  # frame for frame with the clip, timecode or not
    assert bell.record.duration == Fraction(36, 25)


def _spot_of(found: Spotting, label: str) -> Spot:
    return next(spot for spot in found.spots if spot.label == label)


@pytest.mark.parametrize(("frame", "duration"), [(10, 1), (2, 1), (14, 4), (3, 4)])
def test_markers_on_clips_count_from_the_source_or_from_the_clip(
    make_desk: MakeDesk, frame: int, duration: int
) -> None:
    """A point means the whole shot under both readings; a length counts in the source where that fits."""

    def change(made: Film) -> None:
        made.timeline.markers.clear()
        mark = {"color": "Red", "duration": duration, "name": "FOLEY hit", "note": "", "customData": ""}
        made.shots["A"].markers[frame] = mark

    found = make_desk(change=change).spotting()
    spot = _spot_of(found, "hit")
    if duration == 1:
        assert spot.record == TimeSpan(found.record.start, found.record.start + Fraction(48, 25))
    else:
        first = frame - 10 if frame >= 10 else frame
        start = found.record.start + Fraction(first, 25)
        assert spot.record == TimeSpan(start, start + Fraction(duration, 25))


def test_titles_generators_and_compounds_stop_nothing(make_desk: MakeDesk) -> None:
    def change(made: Film) -> None:
        crowded(made)
        mask = made.shots["mask"]
        mask.start, mask.duration = Fraction(made.timeline.start), Fraction(60)

    found = make_desk(change=change).spotting()
    spots = [spot for spot in found.spots if spot.label == "violin"]
    assert all(spot.picture is not None and spot.picture.media is not None for spot in spots)
    assert sum(spot.record.duration for spot in spots) == Fraction(60, 25)


def test_marks_and_selection(make_desk: MakeDesk) -> None:
    desk = make_desk("studio_21_0", change=crowded)
    begin = desk.spotting().record.start
    scope = desk.host.scope()
    assert scope.marked == TimeSpan(begin + Fraction(6, 25), begin + Fraction(91, 25))
    assert scope.selected == (
        TimeSpan(begin + Fraction(48, 25), begin + Fraction(84, 25)),
        TimeSpan(begin + Fraction(20, 25), begin + Fraction(40, 25)),
    )
    desk.editor.timeline.marks.pop(("video", "in"))
    assert desk.host.scope().marked is None
    assert make_desk("studio_19_1", change=crowded).host.scope() == Scope()


@pytest.mark.parametrize(
    ("method", "result", "words"),
    [
        ("ProjectManager.GetCurrentProject", None, "No project is open"),
        ("Project.GetCurrentTimeline", None, "No timeline is open"),
        ("Timeline.GetStartFrame", None, "where the timeline begins"),
        ("Timeline.GetTrackCount", None, "how many video tracks"),
        ("Timeline.GetSetting", "fast", "'fast'"),
        ("Resolve.GetProductName", "", "does not answer"),
    ],
)
def test_what_cannot_be_read_is_said(make_desk: MakeDesk, method: str, result: object, words: str) -> None:
    from plugin.errors import HostError

    desk = make_desk()
    desk.editor.fail(method, result=result, times=None)
    with pytest.raises(HostError, match=words):
        desk.host.snapshot(desk.folder)
    assert list(desk.folder.iterdir()) == []


def test_another_timeline_is_not_placed_on(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.spotting()
    piece = desk.piece(3, 9, "dog")
    desk.editor.new_timeline("Reel 2")
    with pytest.raises(HostRefused, match="'Reel 2'"):
        desk.host.place([piece])
    assert desk.leftovers == []


def test_a_name_that_is_no_file_name(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.editor.timeline.name = "../Reel: 1/2 <final>?"
    path = desk.host.snapshot(desk.folder)
    assert path.parent == desk.folder
    assert path.name == "_Reel_ 1_2 _final__.otio"
    assert spotted(path).name == "../Reel: 1/2 <final>?"
