from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from plugin.cues import MatteChannel, SpotOrigin
from plugin.timeline.spotting import Spotting, find_spots


def spotted(build: Any, *tracks: Any, start: float = 0, **options: Any) -> Spotting:
    return find_spots(build.timeline(*tracks, start=start), folder=build.folder, **options)


def marked(build: Any, clip: Any, name: str, start: float, duration: float) -> Any:
    clip.markers.append(build.marker(name, start, duration))
    return clip


def test_a_marker_on_a_clip_counts_in_its_source(build: Any) -> None:
    clip = marked(build, build.clip("a", 40, start=100), "FOLEY violin | not trumpet", 110, 15)
    spotting = spotted(build, build.track("V1", build.clip("lead", 50), clip), start=86400)
    (spot,) = spotting.spots
    assert spot.record == build.span(86400 + 60, 86400 + 75)
    assert (spot.label, spot.negative_prompt, spot.matte) == ("violin", "trumpet", None)
    assert (spot.origin, spot.source_name) == (SpotOrigin.MARKER, "FOLEY violin | not trumpet")
    assert spot.picture.source_time(spot.record.start) == Fraction(110, 24)
    assert not spotting.problems


@pytest.mark.parametrize("duration", [0, 1])
def test_a_point_on_a_clip_means_the_whole_clip(build: Any, duration: float) -> None:
    clip = marked(build, build.clip("a", 40, start=100), "foley: dog", 120, duration)
    (spot,) = spotted(build, build.track("V1", build.clip("lead", 50), clip)).spots
    assert spot.record == build.span(50, 90)


def test_a_marker_counted_from_the_clip_is_understood(build: Any) -> None:
    clip = marked(build, build.clip("a", 40, start=1000), "FOLEY dog", 5, 10)
    (spot,) = spotted(build, build.track("V1", clip)).spots
    assert spot.record == build.span(5, 15)


def test_a_marker_on_a_trimmed_away_part_is_said(build: Any) -> None:
    clip = marked(build, build.clip("a", 40, start=1000), "FOLEY dog", 900, 10)
    spotting = spotted(build, build.track("V1", clip))
    assert not spotting.spots
    assert "is not on the timeline; it gives no spot" in spotting.problems[0].message


def test_other_markers_are_left_alone(build: Any) -> None:
    clip = marked(build, build.clip("a", 40), "FOLEYS", 0, 10)
    marked(build, clip, "note: foley here", 0, 10)
    spotting = spotted(build, build.track("V1", clip))
    assert not spotting.spots
    assert not spotting.problems


def test_a_timeline_marker_gives_one_spot_per_picture(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 40), build.clip("b", 40)), start=86400)
    timeline.tracks.markers.append(build.marker("FOLEY steps", 30, 20))
    spots = find_spots(timeline, folder=build.folder).spots
    assert [(spot.picture.clip_name, spot.record) for spot in spots] == [
        ("a", build.span(86430, 86440)),
        ("b", build.span(86440, 86450)),
    ]


def test_a_timeline_marker_in_absolute_timecode_is_understood(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 40)), start=86400)
    timeline.tracks.markers.append(build.marker("FOLEY steps", 86410, 20))
    (spot,) = find_spots(timeline, folder=build.folder).spots
    assert spot.record == build.span(86410, 86430)


def test_a_point_on_the_timeline_means_the_shot_seen_there(build: Any) -> None:
    low = build.track("V1", build.clip("a", 40), build.clip("b", 40))
    timeline = build.timeline(low, build.track("V2", build.gap(50), build.clip("over", 10)))
    timeline.tracks.markers.append(build.marker("FOLEY steps", 45, 0))
    (spot,) = find_spots(timeline, folder=build.folder).spots
    assert (spot.picture.clip_name, spot.record) == ("b", build.span(40, 50))


def test_a_marker_over_nothing_is_a_blocked_spot(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.gap(100)))
    timeline.tracks.markers.append(build.marker("FOLEY steps", 45, 5))
    spotting = find_spots(timeline, folder=build.folder)
    (spot,) = spotting.spots
    assert spot.picture is None
    assert spotting.problems[0].cue_id == spot.id


def test_track_and_gap_markers_count_too(build: Any) -> None:
    gap = build.gap(20)
    gap.markers.append(build.marker("FOLEY one", 5, 10))
    sound = build.track("A1", gap, kind="Audio")
    sound.markers.append(build.marker("FOLEY two", 8, 5))
    one, two = spotted(build, build.track("V1", build.clip("a", 40)), sound).spots
    assert (one.label, one.record) == ("one", build.span(5, 15))
    assert (two.label, two.record) == ("two", build.span(8, 13))
    assert one.picture.clip_name == "a"


def test_a_marker_on_an_audio_clip_takes_the_visible_picture(build: Any) -> None:
    sound = marked(build, build.clip("s", 40, start=7), "FOLEY door", 10, 20)
    (spot,) = spotted(
        build, build.track("V1", build.clip("a", 40)), build.track("A1", sound, kind="Audio")
    ).spots
    assert (spot.picture.clip_name, spot.record) == ("a", build.span(3, 23))


def test_markers_on_mattes_and_switched_off_clips_give_none(build: Any) -> None:
    off = marked(build, build.clip("off", 40, enabled=False), "FOLEY a", 0, 10)
    matte = marked(build, build.clip("m", 40), "FOLEY b", 0, 10)
    spotting = spotted(build, build.track("V1", off), build.track("MASK x", matte))
    assert [spot.origin for spot in spotting.spots] == [SpotOrigin.MASK_TRACK]
    messages = " ".join(problem.message for problem in spotting.problems)
    assert "lies on a clip that is switched off" in messages
    assert "lies on a matte" in messages


def test_a_marker_takes_the_matte_of_its_clip(build: Any) -> None:
    clip = marked(build, build.clip("a", 40), "FOLEY violin", 10, 15)
    references = clip.media_references()
    references["mask"] = build.reference("own.mov")
    clip.set_media_references(references, "DEFAULT_MEDIA")
    (spot,) = spotted(build, build.track("V1", clip)).spots
    assert (spot.label, spot.record) == ("violin", build.span(10, 25))
    assert spot.matte is not None
    assert spot.matte.channel is MatteChannel.LUMA


def test_a_marker_takes_alpha_when_asked(build: Any) -> None:
    clip = marked(build, build.clip("a", 40), "FOLEY violin", 10, 15)
    assert spotted(build, build.track("V1", clip)).spots[0].matte is None
    (spot,) = spotted(build, build.track("V1", clip.deepcopy()), use_alpha=True).spots
    assert spot.matte.channel is MatteChannel.ALPHA
    assert spot.matte.clip == spot.picture


def test_metadata_on_a_marker_wins(build: Any) -> None:
    clip = marked(build, build.clip("a", 40), "FOLEY x", 10, 15)
    clip.markers[0].metadata["sagafoley"] = {"prompt": "a squeaky door", "negative": "speech"}
    (spot,) = spotted(build, build.track("V1", clip)).spots
    assert (spot.label, spot.prompt, spot.negative_prompt) == ("x", "a squeaky door", "speech")
