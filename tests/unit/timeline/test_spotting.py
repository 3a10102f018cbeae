from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest

from plugin.cues import ImageSequence, MatteChannel, MediaFile, Severity, SpotOrigin
from plugin.errors import UsageError
from plugin.timeline.spotting import Spotting, find_spots


def spotted(build: Any, *tracks: Any, start: float | None = 0, **options: Any) -> Spotting:
    return find_spots(build.timeline(*tracks, start=start), folder=build.folder, **options)


def blockers(spotting: Spotting) -> list[str]:
    return [problem.message for problem in spotting.problems if problem.severity is Severity.BLOCKER]


def test_a_matte_over_a_picture_is_a_spot_at_every_rate(build: Any, rate: Fraction) -> None:
    build = build.at(rate)
    hour = round(rate) * 3600
    picture = build.track("V1", build.clip("shot", 100, start=1000))
    mask = build.track("MASK violin", build.gap(7), build.clip("matte", 50, start=20), enabled=False)
    spotting = spotted(build, picture, mask, start=hour)
    (spot,) = spotting.spots
    assert not spotting.problems
    assert spotting.rate == rate
    assert spotting.record == build.span(hour, hour + 100)
    assert spot.record == build.span(hour + 7, hour + 57)
    assert (spot.id, spot.label, spot.prompt, spot.negative_prompt) == ("001", "violin", "violin", "")
    assert spot.origin is SpotOrigin.MASK_TRACK
    assert spot.source_name == "MASK violin"
    assert spot.picture is not None
    assert spot.picture.media == MediaFile(build.folder / "shot.mov")
    assert spot.picture.source_time(spot.record.start) == Fraction(1007) / rate
    assert spot.picture.record == build.span(hour, hour + 100)
    assert spot.picture.available == build.span(0, 100_000)
    assert spot.picture.rate == rate
    assert spot.matte is not None
    assert spot.matte.clip.source_time(spot.record.start) == Fraction(20) / rate
    assert (spot.matte.channel, spot.matte.invert) == (MatteChannel.LUMA, False)


def test_a_matte_across_a_cut_makes_one_spot_per_picture(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 40), build.clip("b", 60, start=500))
    mask = build.track("MATTE dog", build.gap(30), build.clip("m", 30, start=9))
    first, second = spotted(build, picture, mask).spots
    assert (first.record, second.record) == (build.span(30, 40), build.span(40, 60))
    assert (first.id, second.id) == ("001", "002")
    assert [spot.picture.clip_name for spot in (first, second)] == ["a", "b"]
    assert second.picture.source_time(second.record.start) == Fraction(500, 24)
    assert first.matte == second.matte
    assert second.matte.clip.source_time(second.record.start) == Fraction(9 + 10, 24)


def test_the_topmost_enabled_picture_is_taken(build: Any) -> None:
    low = build.track("V1", build.clip("low", 100))
    off_track = build.track("V3", build.clip("off track", 100), enabled=False)
    high = build.track("V2", build.gap(20), build.clip("over", 30), build.clip("off", 50, enabled=False))
    mask = build.track("MASK x", build.clip("m", 100))
    spots = spotted(build, low, high, off_track, mask).spots
    assert [(spot.picture.clip_name, spot.record) for spot in spots] == [
        ("low", build.span(0, 20)),
        ("over", build.span(20, 50)),
        ("low", build.span(50, 100)),
    ]


def test_a_lower_cut_under_an_upper_picture_splits_nothing(build: Any) -> None:
    low = build.track("V1", build.clip("a", 50), build.clip("b", 50))
    high = build.track("V2", build.clip("over", 100))
    (spot,) = spotted(build, low, high, build.track("MASK x", build.clip("m", 100))).spots
    assert spot.record == build.span(0, 100)


def test_a_disabled_matte_is_used(build: Any) -> None:
    mask = build.track("MASK x", build.clip("m", 10, enabled=False), enabled=False)
    assert len(spotted(build, build.track("V1", build.clip("a", 10)), mask).spots) == 1


def test_a_title_without_media_hides_nothing_and_is_said(build: Any) -> None:
    low = build.track("V1", build.clip("shot", 50))
    spotting = spotted(
        build,
        low,
        build.track("V2", build.title("Lower Third", 50)),
        build.track("MASK x", build.clip("m", 50)),
    )
    (spot,) = spotting.spots
    assert spot.picture is not None
    assert spot.picture.clip_name == "shot"
    (problem,) = spotting.problems
    assert (problem.severity, problem.cue_id, problem.subject) == (Severity.WARNING, "001", "Lower Third")
    assert "'shot' beneath it is used" in problem.message


def test_a_matte_without_a_picture_is_a_blocked_spot(build: Any) -> None:
    spotting = spotted(build, build.track("V1", build.gap(50)), build.track("MASK x", build.clip("m", 50)))
    (spot,) = spotting.spots
    assert spot.picture is None
    (problem,) = spotting.problems
    assert (problem.severity, problem.cue_id) == (Severity.BLOCKER, "001")
    assert "The matte 'm' on 'MASK x' has no picture beneath it." in problem.message


def test_a_matte_that_hangs_over_is_cut_and_said(build: Any) -> None:
    spotting = spotted(
        build, build.track("V1", build.clip("a", 30)), build.track("MASK x", build.clip("m", 50))
    )
    (spot,) = spotting.spots
    assert spot.record == build.span(0, 30)
    (problem,) = spotting.problems
    assert problem.severity is Severity.WARNING
    assert "covers 20 frames without a picture" in problem.message


def test_missing_media_is_named(build: Any) -> None:
    gone = build.clip("gone", 50)
    gone.media_reference.target_url = "file:///nowhere/gone.mov"
    offline = build.title("offline", 50)
    mask = build.track("MASK x", build.clip("m", 100))
    spotting = spotted(build, build.track("V1", gone, offline), mask)
    assert len(spotting.spots) == 2
    first, second = (problem for problem in spotting.problems if problem.severity is Severity.BLOCKER)
    assert (first.cue_id, first.subject) == ("001", "gone")
    assert "/nowhere/gone.mov is not there" in first.message
    assert (second.cue_id, second.subject) == ("002", "offline")
    assert "is not named in the timeline" in second.message
    assert spotting.spots[1].picture is not None
    assert spotting.spots[1].picture.media is None


def test_a_missing_matte_blocks_its_spot(build: Any) -> None:
    matte = build.clip("m", 50)
    matte.media_reference.target_url = "gone.png"
    spotting = spotted(build, build.track("V1", build.clip("a", 50)), build.track("MASK x", matte))
    assert blockers(spotting) == [
        f"The clip 'm' on 'MASK x': its media {build.folder / 'gone.png'} is not there."
    ]


def test_network_media_is_never_fetched(build: Any) -> None:
    picture = build.clip("a", 50)
    picture.media_reference.target_url = "https://example.com/a.mov"
    spotting = spotted(build, build.track("V1", picture), build.track("MASK x", build.clip("m", 50)))
    (message,) = blockers(spotting)
    assert "at a https address, which is never fetched" in message


def test_generators_are_no_media(build: Any) -> None:
    bars = otio.schema.Clip("bars", otio.schema.GeneratorReference("bars", "SMPTEBars"), build.range(0, 50))
    spotting = spotted(build, build.track("V1", bars), build.track("MASK x", build.clip("m", 50)))
    assert "made by the editing program" in blockers(spotting)[0]


def test_transitions_take_no_room(build: Any) -> None:
    dissolve = otio.schema.Transition("d", "SMPTE_Dissolve", build.time(6), build.time(10))
    picture = build.track("V1", build.clip("a", 48), dissolve, build.clip("b", 48))
    first, second = spotted(build, picture, build.track("MASK x", build.clip("m", 96))).spots
    assert (first.record, second.record) == (build.span(0, 48), build.span(48, 96))


def test_length_comes_from_the_media_when_the_clip_has_none(build: Any) -> None:
    picture = otio.schema.Clip("a", build.reference("a.mov", (1000, 40)))
    (spot,) = spotted(
        build, build.track("V1", picture), build.track("MASK x", build.gap(10), build.clip("m", 10))
    ).spots
    assert spot.picture.source_time(spot.record.start) == Fraction(1010, 24)


def test_a_clip_without_any_length_ends_its_track_and_is_said(build: Any) -> None:
    unknown = otio.schema.Clip("endless", build.reference("a.mov", None))
    picture = build.track("V1", build.clip("a", 20), unknown, build.clip("b", 20))
    spotting = spotted(build, picture, build.track("MASK x", build.clip("m", 60)))
    assert [spot.picture.clip_name for spot in spotting.spots] == ["a"]
    assert any(problem.subject == "endless" and "neither a source range" in problem.message
               for problem in spotting.problems)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "per_second"),
    [(float("nan"), 24.0), (10, float("inf")), (10, 0.0), (10, -25.0), (-5, 24.0), (1e300, 24.0)],
)
def test_nonsense_times_are_said(build: Any, value: float, per_second: float) -> None:
    broken = build.clip("broken", 10)
    start = otio.opentime.RationalTime(0, 24)
    broken.source_range = otio.opentime.TimeRange(start, otio.opentime.RationalTime(value, per_second))
    picture = build.track("V1", build.clip("a", 20), broken)
    spotting = spotted(build, picture, build.track("MASK x", build.clip("m", 20)))
    assert len(spotting.spots) == 1
    assert "broken" in {problem.subject for problem in spotting.problems}


def test_a_clip_of_no_length_is_left_out_and_said(build: Any) -> None:
    spotting = spotted(
        build, build.track("V1", build.clip("a", 20)), build.track("MASK x", build.clip("m", 0))
    )
    assert not spotting.spots
    assert [problem.subject for problem in spotting.problems] == ["m"]
    assert "has no length" in spotting.problems[0].message


def test_mixed_rates_are_exact(build: Any) -> None:
    fast = build.at(Fraction(30))
    first = fast.clip("a", 100)
    slow = build.at(Fraction(15)).clip("b", 50, start=30)
    mask = fast.track("MASK x", fast.gap(110), fast.clip("m", 20))
    (spot,) = find_spots(fast.timeline(fast.track("V1", first, slow), mask), folder=build.folder).spots
    assert spot.record == fast.span(110, 130)
    assert spot.picture.source_time(spot.record.start) == Fraction(30, 15) + Fraction(10, 30)


def test_two_tracks_of_one_name_overlap_and_say_so(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 50))
    masks = [build.track("MASK violin", build.clip("m", 30)) for _ in range(2)]
    spotting = spotted(build, picture, *masks)
    assert [spot.id for spot in spotting.spots] == ["001", "002"]
    (problem,) = spotting.problems
    assert (problem.severity, problem.cue_id) == (Severity.WARNING, "002")
    assert "Spots 001 and 002 are both 'violin' and overlap" in problem.message


def test_order_is_record_time_then_track(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 100))
    one = build.track("MASK one", build.gap(50), build.clip("m1", 10))
    two = build.track("MASK two", build.clip("m2", 10), build.gap(40), build.clip("m3", 10))
    labels = [spot.label for spot in spotted(build, picture, one, two).spots]
    assert labels == ["two", "one", "two"]


def test_no_start_is_zero_and_noted(build: Any) -> None:
    spotting = spotted(
        build, build.track("V1", build.clip("a", 20)), build.track("MASK x", build.clip("m", 20)), start=None
    )
    assert spotting.spots[0].record == build.span(0, 20)
    assert any("no start timecode" in note for note in spotting.notes)


def test_names_of_any_script_are_kept(build: Any) -> None:
    picture = build.track("V1", build.clip("Aufnahme ß", 20))
    spotting = spotted(build, picture, build.track("MASK скрипка 🎻 | not труба", build.clip("μ", 20)))
    (spot,) = spotting.spots
    assert (spot.label, spot.negative_prompt) == ("скрипка 🎻", "труба")
    assert not spotting.problems


def test_metadata_makes_a_mask_track_and_a_clip_overrides_it(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 40))
    own = {"prompt": "a small dog", "negative": "music", "channel": "alpha", "invert": True}
    mask = build.track("roto", build.clip("m", 20), build.clip("n", 20, metadata=own))
    mask.metadata["sagafoley"] = {"role": "mask", "label": "dog"}
    first, second = spotted(build, picture, mask).spots
    assert (first.label, first.prompt, first.matte.channel) == ("dog", "dog", MatteChannel.LUMA)
    assert (second.label, second.prompt, second.negative_prompt) == ("dog", "a small dog", "music")
    assert (second.matte.channel, second.matte.invert) == (MatteChannel.ALPHA, True)


def test_metadata_says_that_a_track_is_a_picture(build: Any) -> None:
    picture = build.track("Mask of Zorro", build.clip("a", 40))
    picture.metadata["sagafoley"] = {"role": "picture"}
    (spot,) = spotted(build, picture, build.track("MASK hat", build.clip("m", 40))).spots
    assert spot.picture.clip_name == "a"


def test_a_clip_alone_can_be_a_mask(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 40))
    over = build.track("V2", build.clip("roto", 40, metadata={"role": "mask", "label": "cat"}))
    (spot,) = spotted(build, picture, over).spots
    assert (spot.label, spot.picture.clip_name) == ("cat", "a")


def test_senseless_metadata_is_said_not_obeyed(build: Any) -> None:
    own = {"prompt": 5, "channel": "purple", "invert": "yes", "label": {"deep": 1}}
    mask = build.track("MASK dog", build.clip("m", 20, metadata=own))
    spotting = spotted(build, build.track("V1", build.clip("a", 20)), mask)
    assert (spotting.spots[0].label, spotting.spots[0].prompt) == ("dog", "dog")
    assert len([problem for problem in spotting.problems if "means nothing here" in problem.message]) == 4


def test_tracks_can_be_told(build: Any) -> None:
    picture = build.track("V1", build.clip("a", 40))
    sound = build.track("A1", build.clip("s", 40), kind="Audio")
    matte = build.track("V2", build.clip("m", 40))
    spotting = spotted(build, picture, sound, matte, mask_tracks={2: "violin | not trumpet"})
    (spot,) = spotting.spots
    assert (spot.label, spot.negative_prompt, spot.picture.clip_name) == ("violin", "trumpet", "a")


def test_a_told_mask_track_that_is_not_there_is_named(build: Any) -> None:
    tracks = [build.track("V1", build.clip("a", 40)), build.track("V2", build.clip("m", 40))]
    with pytest.raises(UsageError, match=r"no video track 7 .* has 2 video tracks\."):
        spotted(build, *tracks, mask_tracks={7: "violin"})


def test_audio_tracks_named_mask_are_no_masks(build: Any) -> None:
    sound = build.track("MASK x", build.clip("s", 40), kind="Audio")
    assert not spotted(build, build.track("V1", build.clip("a", 40)), sound).spots


def test_an_unnamed_mask_track_is_said(build: Any) -> None:
    spotting = spotted(build, build.track("V1", build.clip("a", 9)), build.track("MASK", build.clip("m", 9)))
    (spot,) = spotting.spots
    assert (spot.label, spot.prompt) == ("object", "")
    assert "names no object" in spotting.problems[0].message


def test_final_cut_names_and_switches_are_seen(build: Any) -> None:
    low = build.track("", build.clip("low", 20))
    off = build.clip("off", 20)
    off.metadata["fcp_xml"] = {"enabled": "FALSE"}
    mask = build.track("", build.clip("m", 20))
    mask.metadata["fcp_xml"] = {"@MZ.TrackName": "MASK violin"}
    (spot,) = spotted(build, low, build.track("", off), mask).spots
    assert (spot.label, spot.picture.clip_name) == ("violin", "low")


def test_nested_stacks_are_opened_and_cut(build: Any) -> None:
    inner = build.stack(
        build.track("V1", build.clip("a", 30, start=100), build.clip("b", 30, start=200)),
        build.track("MASK dog", build.gap(10), build.clip("m", 40)),
        start=20, duration=25, name="compound",
    )  # fmt: skip
    picture = build.track("V1", build.clip("lead", 50), inner, build.clip("tail", 50))
    first, second = spotted(build, picture).spots
    assert (first.record, second.record) == (build.span(50, 60), build.span(60, 75))
    assert first.picture.source_time(first.record.start) == Fraction(120, 24)
    assert second.picture.source_time(second.record.start) == Fraction(200, 24)
    assert first.matte.clip.source_time(first.record.start) == Fraction(10, 24)


def test_a_mask_track_may_hold_a_nested_stack(build: Any) -> None:
    mask = build.track("MASK dog", build.stack(build.track("V1", build.gap(5), build.clip("m", 10))))
    (spot,) = spotted(build, build.track("V1", build.clip("a", 50)), mask).spots
    assert (spot.label, spot.record) == ("dog", build.span(5, 15))


def test_a_trimmed_track_stack_moves_nothing(build: Any) -> None:
    timeline = build.timeline(
        build.track("V1", build.clip("a", 100)), build.track("MASK x", build.gap(30), build.clip("m", 10)),
        start=86400,
    )  # fmt: skip
    timeline.tracks.source_range = build.range(20, 50)
    spotting = find_spots(timeline, folder=build.folder)
    assert spotting.record == build.span(86400, 86450)
    assert spotting.spots[0].record == build.span(86410, 86420)
    assert spotting.spots[0].picture.source_time(spotting.spots[0].record.start) == Fraction(30, 24)


def test_endless_nesting_is_left_closed_and_said(build: Any) -> None:
    item = build.clip("a", 10)
    for _ in range(80):
        item = build.stack(item)
    spotting = spotted(build, build.track("V1", item), build.track("MASK x", build.clip("m", 10)))
    assert any("nested deeper than" in problem.message for problem in spotting.problems)


def test_an_image_sequence_is_a_media(build: Any) -> None:
    for number in (1001, 1004):
        build.media(f"m.{number}.png")
    reference = otio.schema.ImageSequenceReference(
        target_url_base=build.folder.as_uri() + "/", name_prefix="m.", name_suffix=".png", start_frame=1001,
        frame_step=1, rate=24, frame_zero_padding=4, available_range=build.range(0, 10),
        missing_frame_policy=otio.schema.ImageSequenceReference.MissingFramePolicy.hold,
    )  # fmt: skip
    matte = otio.schema.Clip("m", reference, build.range(2, 8))
    (spot,) = spotted(build, build.track("V1", build.clip("a", 8)), build.track("MASK x", matte)).spots
    assert spot.matte.clip.media == ImageSequence(
        folder=build.folder, prefix="m.", suffix=".png", padding=4, first=1001, last=1010, step=1,
        rate=Fraction(24), missing="hold",
    )  # fmt: skip
    assert spot.matte.clip.source_time(spot.record.start) == Fraction(2, 24)


def test_a_matte_may_hang_on_the_picture_clip(build: Any) -> None:
    picture = build.clip("a", 40, start=86410, available=(86400, 200))
    references = picture.media_references()
    references["MASK violin | not trumpet"] = build.reference("same.mov", (86400, 200))
    references["matte"] = build.reference("own.mov", (0, 200))
    picture.set_media_references(references, "DEFAULT_MEDIA")
    spotting = spotted(build, build.track("V1", picture))
    named, bare = sorted(spotting.spots, key=lambda spot: spot.label == "object")
    assert (named.label, named.negative_prompt) == ("violin", "trumpet")
    assert named.matte.clip.media == MediaFile(build.folder / "same.mov")
    assert named.matte.clip.source_time(named.record.start) == Fraction(86410, 24)
    assert bare.matte.clip.source_time(bare.record.start) == Fraction(10, 24)
    assert named.record == build.span(0, 40)


def test_alpha_is_taken_when_metadata_asks(build: Any) -> None:
    picture = build.clip("hero", 40, metadata={"role": "alpha", "label": "dog"})
    (spot,) = spotted(build, build.track("V1", picture, build.clip("other", 10))).spots
    assert (spot.label, spot.origin, spot.record) == ("dog", SpotOrigin.ALPHA, build.span(0, 40))
    assert spot.matte.channel is MatteChannel.ALPHA
    assert spot.matte.clip == spot.picture


def test_use_alpha_asks_every_picture_that_can_hold_one_and_has_no_spot(build: Any) -> None:
    flat = otio.schema.Clip("flat.mp4", build.reference("flat.mp4"), build.range(0, 10))
    picture = build.track("V1", build.clip("dog.v1", 20), flat, build.clip("taken", 10))
    mask = build.track("MASK x", build.gap(30), build.clip("m", 10))
    assert len(spotted(build, picture, mask).spots) == 1
    spots = spotted(build, picture, mask, use_alpha=True).spots
    assert [(spot.label, spot.origin) for spot in spots] == [
        ("dog", SpotOrigin.ALPHA),
        ("x", SpotOrigin.MASK_TRACK),
    ]


def test_the_timeline_is_not_changed(build: Any) -> None:
    timeline = build.timeline(
        build.track("V1", build.clip("a", 40)), build.track("MASK x", build.clip("m", 40), enabled=False)
    )
    before = otio.core.serialize_json_to_string(timeline)
    find_spots(timeline, folder=build.folder, use_alpha=True, mask_tracks={1: "y"})
    assert otio.core.serialize_json_to_string(timeline) == before


def test_a_start_before_midnight_is_told(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 40)), start=-36)
    (problem,) = find_spots(timeline, folder=build.folder).problems
    assert (problem.severity, problem.cue_id) == (Severity.WARNING, "")
    assert "begins 1.5 s before 00:00:00:00" in problem.message
    assert "TimeReference is never negative" in problem.message
    at_zero = build.timeline(build.track("V1", build.clip("a", 40)), start=0)
    assert find_spots(at_zero, folder=build.folder).problems == ()


def test_an_empty_timeline_has_no_spots(build: Any) -> None:
    spotting = spotted(build)
    assert not spotting.spots
    assert spotting.record.duration == 0
