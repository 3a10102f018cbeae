from __future__ import annotations

import json
import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.errors import OutputError, UnreadableTimeline
from plugin.hosts import Flavour
from plugin.timebase import TimeSpan, sample_position
from plugin.timeline import placing
from plugin.timeline.clock import clock_of
from plugin.timeline.json_trees import canonical
from plugin.timeline.placing import PlacedTake, place
from plugin.timeline.reading import read_timeline
from plugin.timeline.stem_tracks import Ruler, stem_tracks, track_json

TIMELINES = Path(__file__).parents[2] / "timelines"


def take(build: Any, label: str, start: float, end: float, *, name: str = "", **more: Any) -> PlacedTake:
    """A take from frame to frame, counted from midnight."""
    wav = build.media(f"{name or label}_{start}.wav")
    return PlacedTake(label, build.span(start, end), wav, f"{label} {start}", **more)


def cut(build: Any, start: float | None = 86400) -> Path:
    marked = build.clip("b", 60)
    marked.markers.append(build.marker("FOLEY x", 5, 5))
    timeline = build.timeline(
        build.track("V1", build.clip("a", 40), marked),
        build.track("MASK violin", build.clip("m", 100), enabled=False),
        build.track("A1", build.clip("production", 100), kind="Audio"),
        start=start,
    )
    timeline.metadata["studio"] = {"shot": [1, 2.5, "ä", None, {"OTIO_SCHEMA": "StudioThing.3", "x": 1}]}
    return Path(build.write(timeline))


def rest_of(path: Path) -> str:
    tree = json.loads(path.read_text("utf-8"))
    tracks = tree["tracks"]["children"]
    tree["tracks"]["children"] = [
        track for track in tracks if track.get("metadata", {}).get("sagafoley", {}).get("role") != "stem"
    ]
    return canonical(tree)


def stems_in(path: Path) -> dict[str, list[tuple[Fraction, Fraction]]]:
    """Record spans of our clips by track name, computed by OTIO itself."""
    timeline = otio.adapters.read_from_file(str(path))
    clock = clock_of(timeline)
    found: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for track in timeline.tracks:
        for clip in track.find_clips() if track.name.startswith("FOLEY") else ():
            inside = clip.range_in_parent()
            start = Fraction(round(inside.start_time.value)) / clock.rate
            length = Fraction(round(inside.duration.value)) / clock.rate
            found.setdefault(track.name, []).append((clock.start + start, clock.start + start + length))
    return found


@pytest.mark.parametrize("flavour", Flavour)
def test_takes_lie_where_they_belong_at_every_rate(build: Any, rate: Fraction, flavour: Flavour) -> None:
    build = build.at(rate)
    hour = 3600 * round(rate)
    takes = [take(build, "violin", hour + 7, hour + 57), take(build, "violin", hour + 57, hour + 1061)]
    output = build.folder / "out" / "placed.otio"
    placement = place(cut(build, hour), takes, output=output, flavour=flavour)
    spans = [(one.record.start, one.record.end) for one in takes]
    assert stems_in(output) == {"FOLEY violin": spans}
    assert [one.record_start for one in placement.positions] == [start for start, _ in spans]
    assert (placement.path, placement.replaced) == (output, 0)
    for one in placement.positions:
        assert sample_position(one.record_start) == sample_position(one.take.record.start)


@pytest.mark.parametrize("flavour", Flavour)
def test_nothing_else_changes(build: Any, flavour: Flavour) -> None:
    source = cut(build)
    before = source.read_bytes()
    output = build.folder / "placed.otio"
    place(source, [take(build, "violin", 86400, 86420)], output=output, flavour=flavour)
    assert source.read_bytes() == before
    assert rest_of(output) == canonical(json.loads(before))


def test_old_schemas_and_unknown_fields_are_kept_key_for_key(build: Any) -> None:
    tree = json.loads(cut(build).read_text("utf-8"))
    tree["of the future"] = {"kept": True}
    clip = tree["tracks"]["children"][0]["children"][0]
    clip["OTIO_SCHEMA"] = "Clip.1"
    clip["media_reference"] = clip.pop("media_references")["DEFAULT_MEDIA"]
    del clip["active_media_reference_key"]
    source = build.folder / "old.otio"
    source.write_text(json.dumps(tree), "utf-8")
    output = build.folder / "placed.otio"
    place(source, [take(build, "violin", 86400, 86420)], output=output)
    assert rest_of(output) == canonical(tree)
    assert json.loads(output.read_text("utf-8"))["of the future"] == {"kept": True}


def test_rendering_twice_replaces_only_ours(build: Any) -> None:
    first, second = build.folder / "one.otio", build.folder / "two.otio"
    source = cut(build)
    place(source, [take(build, "violin", 86400, 86420), take(build, "dog", 86430, 86440)], output=first)
    placement = place(first, [take(build, "cat", 86402, 86422)], output=second)
    assert placement.replaced == 2
    assert list(stems_in(second)) == ["FOLEY cat"]
    assert rest_of(second) == canonical(json.loads(source.read_text("utf-8")))
    place(second, [], output=first)
    assert canonical(json.loads(first.read_text("utf-8"))) == canonical(json.loads(source.read_text("utf-8")))


def test_an_editors_own_track_of_that_name_stays(build: Any) -> None:
    own = build.track("FOLEY violin", build.clip("mine", 40), kind="Audio")
    source = build.write(build.timeline(build.track("V1", build.clip("a", 40)), own, start=86400))
    output = build.folder / "placed.otio"
    assert place(source, [take(build, "violin", 86400, 86420)], output=output).replaced == 0
    placed = read_timeline(output)
    assert [track.name for track in placed.tracks] == ["V1", "FOLEY violin", "FOLEY violin"]


def test_overlapping_takes_of_one_label_go_to_a_second_track(build: Any) -> None:
    takes = [
        take(build, "dog", 86400, 86420), take(build, "cat", 86400, 86410), take(build, "dog", 86410, 86430),
        take(build, "dog", 86420, 86425), take(build, "dog", 86412, 86413),
    ]  # fmt: skip
    tracks = {track.name: [one.take_id for one in track.takes] for track in stem_tracks(takes)}
    assert tracks == {
        "FOLEY dog": ["dog 86400", "dog 86420"],
        "FOLEY dog 2": ["dog 86410"],
        "FOLEY dog 3": ["dog 86412"],
        "FOLEY cat": ["cat 86400"],
    }


def clip_of(path: Path) -> dict[str, Any]:
    track = json.loads(path.read_text("utf-8"))["tracks"]["children"][-1]
    return {"track": track, **next(child for child in track["children"] if child["OTIO_SCHEMA"] == "Clip.2")}


def test_the_generic_flavour(build: Any) -> None:
    one = take(build, "violin", 86410, 86430, name="a b#1 ä", metadata={"seed": 7})
    output = build.folder / "placed.otio"
    place(cut(build), [one], output=output)
    clip = clip_of(output)
    reference = clip["media_references"]["DEFAULT_MEDIA"]
    assert reference["target_url"] == one.wav.as_uri()
    assert "%23" in reference["target_url"]
    assert reference["available_range"]["start_time"]["value"] == 0.0
    assert clip["source_range"] == reference["available_range"]
    assert clip["source_range"]["duration"] == {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 20.0}
    assert clip["metadata"] == {"sagafoley": {"seed": 7, "role": "take", "take_id": "violin 86410"}}
    assert clip["track"]["metadata"] == {"sagafoley": {"role": "stem", "label": "violin"}}
    assert clip["track"]["kind"] == "Audio"


def test_the_resolve_flavour(build: Any) -> None:
    one = take(build, "violin", 86410, 86430, name="a b#1", channels=2)
    output = build.folder / "placed.otio"
    place(cut(build), [one], output=output, flavour=Flavour.RESOLVE)
    clip = clip_of(output)
    reference = clip["media_references"][clip["active_media_reference_key"]]
    assert reference["target_url"] == str(one.wav)
    assert reference["available_range"]["start_time"]["value"] == 86410.0
    assert clip["source_range"]["start_time"]["value"] == 86410.0
    assert clip["enabled"] is True
    assert clip["track"]["metadata"]["Resolve_OTIO"] == {
        "Audio Type": "Stereo", "Locked": False, "SoloOn": False,
    }  # fmt: skip
    assert clip["metadata"]["Resolve_OTIO"]["Channels"] == [
        {"Source Channel ID": 0, "Source Track ID": 0},
        {"Source Channel ID": 1, "Source Track ID": 0},
    ]


def test_for_resolve_the_whole_document_takes_its_schema_versions(build: Any) -> None:
    source = cut(build, None)
    old = otio.adapters.write_to_string(
        read_timeline(source), "otio_json",
        target_schema_versions=otio.versioning.fetch_map("OTIO_CORE", "0.14.0"),
    )  # fmt: skip
    assert '"Clip.1"' in old
    source.write_text(old, "utf-8")
    output = build.folder / "placed.otio"
    placement = place(source, [take(build, "x", 0, 5)], output=output, flavour=Flavour.RESOLVE)
    text = output.read_text("utf-8")
    assert '"Clip.1"' not in text
    assert json.loads(text)["global_start_time"]["value"] == 0.0
    assert placement.warnings[0].startswith("placed.otio holds media addresses (file://...)")


def test_what_resolve_may_refuse_is_said(build: Any) -> None:
    sequence = otio.schema.Clip("s", otio.schema.ImageSequenceReference(), build.range(0, 5))
    bare = otio.schema.Clip("n", otio.schema.ExternalReference("/a.mov"), build.range(0, 5))
    source = build.write(build.timeline(build.track("V1", sequence, bare)))
    placement = place(source, [], output=build.folder / "p.otio", flavour=Flavour.RESOLVE)
    assert len(placement.warnings) == 2
    assert placement.warnings[0].startswith("p.otio holds image sequences")
    assert "without an available range" in placement.warnings[1]


def test_media_named_relative_to_another_folder_are_said(build: Any) -> None:
    near = otio.schema.Clip("n", otio.schema.ExternalReference("a.mov", build.range(0, 5)), build.range(0, 5))
    far = otio.schema.Clip("f", otio.schema.ExternalReference("C:\\x\\a.mov"), build.range(0, 5))
    source = build.write(build.timeline(build.track("V1", near, far)))
    assert place(source, [], output=build.folder / "p.otio").warnings == ()
    (warning,) = place(source, [], output=build.folder / "out" / "p.otio").warnings
    assert "named relative to the original timeline" in warning
    only_far = build.write(build.timeline(build.track("V1", far.deepcopy())))
    assert place(only_far, [], output=build.folder / "out" / "q.otio").warnings == ()


def test_the_documents_spelling_of_the_rate_is_used(build: Any) -> None:
    source = cut(build.at(Fraction(24000, 1001)), 0)
    text = source.read_text("utf-8").replace("23.976023976023978", "23.976025")
    source.write_text(text, "utf-8")
    output = build.folder / "placed.otio"
    place(source, [take(build.at(Fraction(24000, 1001)), "x", 10, 20)], output=output)
    assert clip_of(output)["source_range"]["duration"] == {
        "OTIO_SCHEMA": "RationalTime.1", "rate": 23.976025, "value": 10.0,
    }  # fmt: skip


@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in json.loads((TIMELINES / "facts.json").read_text("utf-8"))
        if not name.endswith((".fcpxml", "fail.edl"))
    ],
)
def test_timelines_of_others_take_stems(name: str, flavour: Flavour, build: Any) -> None:
    clock = clock_of(read_timeline(TIMELINES / name))
    start = round(clock.start * clock.rate)
    built = build.at(clock.rate)
    takes = [take(built, "dog", start + 3, start + 9), take(built, "dog", start + 5, start + 8)]
    output = build.folder / "placed.otio"
    place(TIMELINES / name, takes, output=output, flavour=flavour)
    if name.endswith(".otio") and flavour is Flavour.GENERIC:
        assert rest_of(output) == canonical(json.loads((TIMELINES / name).read_text("utf-8")))
    assert stems_in(output) == {
        "FOLEY dog": [(takes[0].record.start, takes[0].record.end)],
        "FOLEY dog 2": [(takes[1].record.start, takes[1].record.end)],
    }


def test_a_timeline_in_a_collection_is_placed_in_it(build: Any) -> None:
    both = otio.schema.SerializableCollection("all", [build.timeline(name="other")])
    both.append(build.timeline(build.track("V1", build.clip("a", 50)), name="cut"))
    source, output = build.write(both), build.folder / "placed.otio"
    place(source, [take(build, "x", 5, 9)], output=output, timeline_name="cut")
    tree, before = json.loads(output.read_text("utf-8")), json.loads(source.read_text("utf-8"))
    assert tree["children"][1]["tracks"]["children"].pop()["name"] == "FOLEY x"
    assert canonical(tree) == canonical(before)


def test_a_trimmed_track_stack_keeps_its_zero(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 100)), start=86400)
    timeline.tracks.source_range = build.range(20, 50)
    output = build.folder / "placed.otio"
    place(build.write(timeline), [take(build, "x", 86410, 86420)], output=output)
    placed = read_timeline(output)
    found = placed.tracks[-1].find_clips()[0]
    assert found.transformed_time(found.source_range.start_time, placed.tracks).value == 30


def test_positions_off_the_frame_grid_are_kept(build: Any) -> None:
    wav = build.media("x.wav")
    record = TimeSpan(Fraction(3600) + Fraction(1, 7), Fraction(3600) + Fraction(5, 7))
    placement = place(cut(build), [PlacedTake("x", record, wav, "x")], output=build.folder / "p.otio")
    assert abs(placement.positions[0].record_start - record.start) < Fraction(1, 4_800_000)


def test_a_take_off_the_frame_grid_is_said_for_resolve(build: Any) -> None:
    source = build.write(build.timeline(build.track("V1", build.title("t", 48)), start=86400))
    whole = take(build, "x", 86400, 86410)
    starts_late, ends_late = take(build, "y", 86420.5, 86430), take(build, "z", 86420, 86430.25)

    def said(*takes: PlacedTake, flavour: Flavour) -> tuple[str, ...]:
        return place(source, takes, output=build.folder / "p.otio", flavour=flavour).warnings

    assert said(whole, flavour=Flavour.RESOLVE) == ()
    assert said(starts_late, flavour=Flavour.GENERIC) == ()
    (one,) = said(whole, ends_late, flavour=Flavour.RESOLVE)
    assert "p.otio holds 1 take that does not lie on whole frames" in one
    assert "z 86420" in one
    (two,) = said(starts_late, ends_late, flavour=Flavour.RESOLVE)
    assert "2 takes that do not" in two


@pytest.mark.parametrize(
    ("record", "reason"),
    [((86390, 86420), "begins before the timeline"), ((86410, 86410), "has no length")],
)
def test_takes_that_cannot_be_placed(build: Any, record: tuple[int, int], reason: str) -> None:
    output = build.folder / "p.otio"
    with pytest.raises(OutputError, match=reason):
        place(cut(build), [take(build, "x", *record)], output=output)
    assert not output.exists()


def test_a_take_without_its_file_is_refused(build: Any) -> None:
    one = take(build, "x", 86400, 86410)
    one.wav.unlink()
    with pytest.raises(OutputError, match="file of take x 86400 is not there"):
        place(cut(build), [one], output=build.folder / "p.otio")


def test_the_timeline_itself_is_never_written_over(build: Any) -> None:
    source = cut(build)
    before = source.read_bytes()
    link = build.folder / "link.otio"
    link.symlink_to(source)
    for output in (source, link):
        with pytest.raises(OutputError, match="never written over"):
            place(source, [take(build, "x", 86400, 86410)], output=output)
    assert source.read_bytes() == before


def test_our_own_earlier_output_may_be_replaced_in_place(build: Any) -> None:
    output = build.folder / "placed.otio"
    place(cut(build), [take(build, "x", 86400, 86410)], output=output)
    place(output, [take(build, "y", 86400, 86410)], output=output)
    assert list(stems_in(output)) == ["FOLEY y"]


def test_only_otio_is_written(build: Any) -> None:
    with pytest.raises(OutputError, match=r"not an \.otio file name"):
        place(cut(build), [], output=build.folder / "p.xml")


def test_a_source_that_is_no_timeline_writes_nothing(build: Any) -> None:
    source = build.folder / "noise.otio"
    source.write_text("noise")
    with pytest.raises(UnreadableTimeline):
        place(source, [], output=build.folder / "p.otio")
    assert [path.name for path in build.folder.iterdir()] == ["noise.otio"]


def _shifted(children: list[dict[str, Any]]) -> None:
    children[0]["source_range"]["duration"]["value"] += 1


def _other_file(children: list[dict[str, Any]]) -> None:
    children[-1]["media_references"]["DEFAULT_MEDIA"]["target_url"] = "file:///elsewhere.wav"


def _other_part(children: list[dict[str, Any]]) -> None:
    children[-1]["source_range"]["start_time"]["value"] = 1.0


def _gone(children: list[dict[str, Any]]) -> None:
    children.pop()


@pytest.mark.parametrize("damage", [_shifted, _other_file, _other_part, _gone])
def test_a_wrong_placement_never_reaches_the_disk(
    build: Any, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    def wrong(track: Any, ruler: Ruler, flavour: Flavour, **more: int) -> dict[str, Any]:
        made = json.loads(json.dumps(track_json(track, ruler, flavour, **more)))
        damage(made["children"])
        return dict(made)

    monkeypatch.setattr(placing, "track_json", wrong)
    output = build.folder / "p.otio"
    output.write_text("the old one")
    with pytest.raises(OutputError, match="would not be right"):
        place(cut(build), [take(build, "x", 86410, 86420)], output=output)
    assert output.read_text() == "the old one"


def test_a_change_of_the_editors_part_never_reaches_the_disk(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meddling(timeline: Any, added: Any) -> Any:
        tracks = [*timeline["tracks"]["children"], *added]
        return {**timeline, "name": "other", "tracks": {**timeline["tracks"], "children": tracks}}

    monkeypatch.setattr(placing, "with_tracks", meddling)
    with pytest.raises(OutputError, match="something that is not ours would change"):
        place(cut(build), [take(build, "x", 86410, 86420)], output=build.folder / "p.otio")


def test_an_unwritable_folder_is_said_and_leaves_nothing(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    source, one = cut(build), take(build, "x", 86410, 86420)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        place(source, [one], output=build.folder / "out" / "p.otio")
    assert list((build.folder / "out").iterdir()) == []


frames = st.integers(0, 5000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.tuples(frames, st.integers(1, 200), st.sampled_from(["a", "b"])), max_size=12))
def test_any_set_of_takes_reads_back_exactly(build: Any, pieces: list[tuple[int, int, str]]) -> None:
    ntsc = build.at(Fraction(30000, 1001))
    source = ntsc.write(ntsc.timeline(ntsc.track("V1", ntsc.clip("v", 6000)), start=107_892))
    takes = [
        take(ntsc, label, 107_892 + start, 107_892 + start + length, name=f"{label}{number}")
        for number, (start, length, label) in enumerate(pieces)
    ]
    output = build.folder / "placed.otio"
    placement = place(source, takes, output=output)
    assert sorted((one.take.record.start, one.record_start) for one in placement.positions) == sorted(
        (one.record.start, one.record.start) for one in takes
    )
    for spans in stems_in(output).values():
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
