from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import threading
import warnings
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from plugin.errors import UnreadableTimeline
from plugin.timebase import format_timecode, parse_timecode
from plugin.timeline import reading
from plugin.timeline.clock import clock_of
from plugin.timeline.lengths import Lengths
from plugin.timeline.reading import MAX_DEPTH, depth_of, media_folder, read_timeline, read_tree
from plugin.timeline.references import is_missing
from plugin.timeline.spotting import find_spots
from plugin.timeline.times import exact_rate, seconds_of

COPIES = Path(__file__).parents[2] / "timelines"
FOLDER = Path(os.environ.get("SAGAFOLEY_TIMELINES") or COPIES)
FACTS: dict[str, Any] = json.loads((FOLDER / "facts.json").read_text("utf-8"))
READABLE = [name for name, facts in FACTS.items() if not name.endswith(".fcpxml") and "otio" in facts]
TIMELINES = [name for name in READABLE if "tracks" in FACTS[name]["otio"][0]]
CLIPS = [name for name in READABLE if name not in TIMELINES]


def facts_of(name: str) -> Any:
    return FACTS[name]["otio"][0]


def parsed(text: str) -> tuple[str, Fraction, Fraction]:
    """`rec 0+238@24` as its word, start and duration in exact seconds; facts have 6 decimals."""
    word, _, numbers = text.rpartition(" ")
    times, rate = numbers.split("@")
    start, duration = times.split("+")
    per_second = exact_rate(float(rate))
    return word, Fraction(start) / per_second, Fraction(duration) / per_second


def agree(text: str, span: Any) -> bool:
    _, start, duration = parsed(text)
    close = Fraction(1, 100_000)
    return abs(span.start - start) < close and abs(span.duration - duration) < close


def test_every_copy_is_the_file_that_the_facts_were_taken_from() -> None:
    for name, facts in FACTS.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == facts["sha256"], name


@pytest.mark.parametrize("name", TIMELINES)
def test_tracks_clips_and_ranges_agree_with_the_facts(name: str) -> None:
    timeline, facts = read_timeline(FOLDER / name), facts_of(name)
    assert timeline.name == facts["name"]
    assert len(timeline.tracks) == len(facts["tracks"])
    for track, said in zip(timeline.tracks, facts["tracks"], strict=True):
        assert (track.kind, track.name) == (said["kind"], said["name"])
        kinds = [type(child) for child in track]
        assert kinds.count(otio.schema.Clip) == said["clips"]
        assert kinds.count(otio.schema.Gap) == said["gaps"]
        assert kinds.count(otio.schema.Transition) == said["transitions"]
        clips = [part for part in Lengths().parts(track).usable if isinstance(part.item, otio.schema.Clip)]
        for part, key in ((clips[0], "first"), (clips[-1], "last")) if clips else ():
            clip_name, record, source = said[key]
            assert part.item.name == clip_name
            assert agree(record, part.range), (name, key)
            assert agree(source, part.span), (name, key)


@pytest.mark.parametrize("name", TIMELINES)
def test_counts_and_rates_agree_with_the_facts(name: str) -> None:
    timeline, facts = read_timeline(FOLDER / name), facts_of(name)
    clips = timeline.find_clips()
    assert len(clips) == facts["all_clips"]
    assert sum(is_missing(clip.media_reference) for clip in clips) == facts["missing_media"]
    assert {exact_rate(rate) for rate in facts["rates"]} >= {clock_of(timeline).rate}
    for clip in clips:
        assert exact_rate(trimmed_rate(clip)) in {exact_rate(rate) for rate in facts["rates"]}


def trimmed_rate(clip: Any) -> float:
    return float(clip.trimmed_range().duration.rate)


@pytest.mark.parametrize("name", [name for name in TIMELINES if not name.endswith(".edl")])
def test_start_agrees_with_the_facts(name: str) -> None:
    timeline, facts = read_timeline(FOLDER / name), facts_of(name)
    clock = clock_of(timeline)
    if facts["start"] is None:
        assert timeline.global_start_time is None
        assert clock.start == 0
        assert "no start timecode" in clock.notes[0]
        return
    value, rate = facts["start"].split("@")
    assert clock.start == Fraction(value) / exact_rate(float(rate))
    frame = round(clock.start * clock.rate)
    assert format_timecode(frame, clock.rate, drop_frame=clock.drop_frame) == facts["start_tc"]


@pytest.mark.parametrize("name", [name for name in TIMELINES if name.endswith(".edl")])
def test_an_edl_starts_at_its_first_record_time(name: str) -> None:
    timeline = read_timeline(FOLDER / name)
    first, _ = FACTS[name]["from_the_edl"]["first_event_record"]
    last = FACTS[name]["from_the_edl"]["last_event_record"][1]
    clock = clock_of(timeline)
    assert clock.rate == 24
    assert clock.start == Fraction(parse_timecode(first, clock.rate), 24)
    end = clock.start + Lengths().trimmed(timeline.tracks).duration
    if name != "speed_effects.edl":
        assert end == Fraction(parse_timecode(last, clock.rate), 24)
    else:
        assert end - clock.start == Fraction(30330, 24)


@pytest.mark.parametrize("name", CLIPS)
def test_a_lone_clip_is_wrapped(name: str) -> None:
    timeline, facts = read_timeline(FOLDER / name), facts_of(name)
    assert isinstance(timeline, otio.schema.Timeline)
    clip = timeline.find_clips()[0]
    assert clip.name == facts["name"]
    assert agree(facts["source_range"], Lengths().trimmed(clip))
    assert find_spots(timeline, folder=FOLDER).record.duration == Lengths().trimmed(clip).duration


@pytest.mark.parametrize("name", TIMELINES)
def test_every_file_is_spotted_without_a_crash(name: str) -> None:
    path = FOLDER / name
    spotting = find_spots(read_timeline(path), folder=media_folder(path), use_alpha=True)
    assert spotting.record.duration > 0
    subjects = {problem.subject for problem in spotting.problems}
    assert all(spot.picture is not None for spot in spotting.spots)
    assert bool(spotting.spots) == bool(subjects), "every media file is missing here and must be said so"


@pytest.mark.parametrize("name", [name for name in FACTS if name.endswith(".fcpxml")])
def test_fcpxml_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(UnreadableTimeline, match="cannot be read reliably") as caught:
        read_timeline(FOLDER / name)
    assert "Final Cut Pro 7 XML" in caught.value.remedy


def test_a_broken_edl_is_refused_in_words() -> None:
    with pytest.raises(UnreadableTimeline, match=r"dissolve_test_fail\.edl is not a whole EDL") as caught:
        read_timeline(COPIES / "dissolve_test_fail.edl")
    assert "AttributeError" in caught.value.detail
    assert "AttributeError" not in str(caught.value)


NESTED = "[" * 200_000
STACKS = '{"OTIO_SCHEMA":"Stack.1","metadata":{},"name":"","children":['
HOSTILE = {
    "empty.otio": b"",
    "text.otio": b"this is not a timeline",
    "binary.otio": bytes(range(256)) * 50,
    "nothing.otio": b"null",
    "list.otio": b"[1, 2]",
    "other.json": b'{"a": 1}',
    "number.otio": b'{"OTIO_SCHEMA": 5}',
    "half.otio": b'{"OTIO_SCHEMA": "Timeline.1", "name": "x", "tracks": {"OTIO_SCHEMA": "Sta',
    "brackets.otio": NESTED.encode(),
    "deep.otio": (b'{"OTIO_SCHEMA":"Timeline.1","metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001),
    "stacks.otio": (STACKS * 300 + "]}" * 300).encode(),
    "no_tracks.otio": (
        b'{"OTIO_SCHEMA":"Timeline.1","name":"x","metadata":{},"global_start_time":null,"tracks":null}'
    ),
    "unknown.otio": b'{"OTIO_SCHEMA":"Zork.1","name":"x"}',
    "wrong.otio": b'{"OTIO_SCHEMA":"Timeline.1","name":5,"tracks":{"OTIO_SCHEMA":"Clip.2"}}',
    "ring.otio": (
        b'{"OTIO_SCHEMA":"Stack.1","OTIO_REF_ID":"s",'
        b'"children":[{"OTIO_SCHEMA":"SerializableObjectRef.1","id":"s"}]}'
    ),
    "marker.otio": b'{"OTIO_SCHEMA":"Marker.2","name":"x"}',
    "collection.otio": b'{"OTIO_SCHEMA":"SerializableCollection.1","metadata":{},"name":"","children":[]}',
    "empty.xml": b"",
    "other.xml": b"<html></html>",
    "bomb.xml": b'<!DOCTYPE xmeml [<!ENTITY a "aaaa">]><xmeml>&a;</xmeml>',
    "half.xml": b'<?xml version="1.0"?><xmeml version="5"><sequence>',
    "empty.edl": b"",
    "title.edl": b"TITLE: x\nFCM: NON-DROP FRAME\n",
    "noise.edl": b"001  AX V C 99:99:99:99 aa:bb\n",
    "empty.aaf": b"",
    "noise.aaf": bytes(range(256)) * 40,
    "empty.otioz": b"",
    "noise.otioz": b"PK\x03\x04" + bytes(200),
    "picture.mov": b"moov",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_damage_is_refused_in_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    with pytest.raises(UnreadableTimeline) as caught:
        read_timeline(path)
    assert name in caught.value.message
    assert caught.value.remedy.endswith(".")
    assert "Error" not in caught.value.message


def test_a_newer_schema_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "new.otio"
    path.write_text('{"OTIO_SCHEMA":"Timeline.99","name":"x"}')
    with pytest.raises(UnreadableTimeline, match="newer OpenTimelineIO schema"):
        read_timeline(path)


def test_a_missing_file_a_folder_and_a_nul_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "no.otio", Path("\0.otio")):
        with pytest.raises(UnreadableTimeline, match="There is no timeline file"):
            read_timeline(path)
    folder = tmp_path / "folder.otio"
    folder.mkdir()
    with pytest.raises(UnreadableTimeline, match=r"folder\.otio is a folder"):
        read_timeline(folder)


def test_a_folder_that_may_not_be_entered_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(UnreadableTimeline, match=r"cut\.otio cannot be opened: Permission denied"):
        read_timeline(tmp_path / "cut.otio")


@pytest.mark.parametrize("suffix", [".otio", ".otioz", ".xml", ".edl", ".aaf"])
def test_what_has_no_end_or_no_beginning_is_never_opened(suffix: str, tmp_path: Path) -> None:
    pipe, device = tmp_path / f"pipe{suffix}", tmp_path / f"device{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(UnreadableTimeline, match=f"{path.name} is not a file"):
            read_timeline(path)
    if suffix.startswith(".otio"):
        with pytest.raises(UnreadableTimeline, match="is not a file"):
            read_tree(pipe)


def test_a_document_of_more_values_than_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "full.otio"
    path.write_text('{"OTIO_SCHEMA":"Timeline.1","metadata":{"a":[' + "[]," * 5000 + "[]]}}")
    monkeypatch.setattr("plugin.timeline.reading.MAX_VALUES", 10_000)
    with pytest.raises(UnreadableTimeline, match=r"full\.otio holds more than"):
        read_timeline(path)


def test_a_file_that_grows_while_it_is_read_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grown.otio"
    path.write_text("[" * 5000)
    monkeypatch.setattr("plugin.timeline.reading._check_file", lambda _: None)
    monkeypatch.setattr("plugin.timeline.reading.MAX_BYTES", 4000)
    with pytest.raises(UnreadableTimeline, match="larger than"):
        read_timeline(path)


@pytest.mark.parametrize("name", ["nested_example.otio", "hiero_xml_export.xml", "dissolve_test_4.edl"])
def test_random_damage_never_escapes(name: str, tmp_path: Path) -> None:
    data = (COPIES / name).read_bytes()
    choice = random.Random(7)  # noqa: S311 - the same damage every time
    path = tmp_path / f"damaged{Path(name).suffix}"
    for _ in range(40):
        broken = bytearray(data[: choice.randrange(1, len(data))] if choice.random() < 0.3 else data)
        for _ in range(choice.randrange(1, 12)):
            broken[choice.randrange(len(broken))] = choice.randrange(256)
        path.write_bytes(broken)
        try:
            timeline = read_timeline(path)
        except UnreadableTimeline:
            continue
        find_spots(timeline, folder=tmp_path)


def test_depth_counts_containers() -> None:
    assert depth_of({"a": [{"b": 1}], "c": 2}) == 3
    assert depth_of([]) == 1
    assert MAX_DEPTH > 100


def test_a_byte_order_mark_is_no_damage(build: Any) -> None:
    path = build.write(build.timeline(build.track("V1", build.clip("a", 5))))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_timeline(path).name == "cut"


def test_stack_track_and_collections_are_wrapped(build: Any) -> None:
    stack = build.stack(build.track("V1", build.clip("a", 5)), build.track("MASK x", build.clip("m", 5)))
    from_stack = read_timeline(build.write(stack))
    assert [track.name for track in from_stack.tracks] == ["V1", "MASK x"]
    from_track = read_timeline(build.write(build.track("MASK x", build.clip("a", 5))))
    assert [track.name for track in from_track.tracks] == ["MASK x"]
    loose = otio.schema.SerializableCollection("bin", [build.clip("a", 5), build.clip("b", 7)])
    wrapped = read_timeline(build.write(loose))
    assert [clip.name for clip in wrapped.find_clips()] == ["a", "b"]
    assert Lengths().trimmed(wrapped.tracks).duration == Fraction(12, 24)


def test_one_of_several_timelines_must_be_named(build: Any) -> None:
    both = otio.schema.SerializableCollection(
        "all",
        [build.timeline(name="reel 1"), build.timeline(build.track("V1", build.clip("a", 5)), name="reel 2")],
    )
    path = build.write(both)
    with pytest.raises(UnreadableTimeline, match="'reel 1', 'reel 2'"):
        read_timeline(path)
    second = read_timeline(path, timeline_name="reel 2")
    assert [clip.name for clip in second.find_clips()] == ["a"]
    with pytest.raises(UnreadableTimeline, match="no timeline named 'reel 3'; it holds 'reel 1', 'reel 2'"):
        read_timeline(path, timeline_name="reel 3")


def test_a_name_that_the_only_timeline_has_not_is_refused(build: Any) -> None:
    path = build.write(build.timeline(build.track("V1", build.clip("a", 5)), name="reel 1"))
    assert read_timeline(path, timeline_name="reel 1").name == "reel 1"
    with pytest.raises(UnreadableTimeline, match="no timeline named 'zwei'; it holds 'reel 1'"):
        read_timeline(path, timeline_name="zwei")


@pytest.mark.parametrize("kind", ["effects", "markers"])
def test_an_unknown_effect_or_marker_is_named(build: Any, kind: str) -> None:
    path = build.write(build.timeline(build.track("V1", build.clip("shot 3", 5))))
    tree = json.loads(path.read_text("utf-8"))
    tree["tracks"]["children"][0]["children"][0][kind] = [{"OTIO_SCHEMA": "Sparkle.1"}]
    path.write_text(json.dumps(tree), "utf-8")
    wanted = {"effects": "Effect", "markers": "Marker"}[kind]
    with pytest.raises(UnreadableTimeline) as caught:
        read_timeline(path)
    said = caught.value.message
    for word in ("cut.otio", "'shot 3'", "(of type 'Clip')", f"expected to read a {wanted}", "UnknownSchema"):
        assert word in said


def test_packages_and_bundles_are_read(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 5)))
    plain = build.write(timeline, "content.otio")
    bundle = build.folder / "cut.otiod"
    bundle.mkdir()
    plain.rename(bundle / "content.otio")
    assert read_timeline(bundle).name == "cut"
    assert media_folder(bundle) == bundle.absolute()
    package = build.folder / "cut.otioz"
    with zipfile.ZipFile(package, "w") as file:
        file.write(bundle / "content.otio", "content.otio")
    assert read_timeline(package).name == "cut"
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("other.txt", "x")
    with pytest.raises(UnreadableTimeline, match=r"holds no content\.otio"):
        read_timeline(package)


def test_reading_runs_no_media_linker(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTIO_DEFAULT_MEDIA_LINKER", "a linker that does not exist")
    assert read_timeline(COPIES / "hiero_xml_export.xml").name == "hiero_xml_export"
    assert seconds_of(otio.opentime.RationalTime(1, 23.976025)) == Fraction(1001, 24000)


def test_what_adapters_say_among_themselves_stays_inside(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = otio.adapters.read_from_string

    def chatty(*args: Any, **options: Any) -> Any:
        print("SKIPPING something")  # noqa: T201
        logging.warning("fat sector count mismatch")  # noqa: LOG015
        warnings.warn("deprecated", stacklevel=1)
        return real(*args, **options)

    monkeypatch.setattr(otio.adapters, "read_from_string", chatty)
    before = list(logging.getLogger().handlers), logging.root.manager.disable
    assert read_timeline(COPIES / "hiero_xml_export.xml").name == "hiero_xml_export"
    assert capfd.readouterr() == ("", "")
    assert (list(logging.getLogger().handlers), logging.root.manager.disable) == before


XMEML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml>
<xmeml version="5"><sequence id="s"><name>reel</name><duration>100</duration>
<rate><timebase>{base}</timebase><ntsc>{ntsc}</ntsc></rate>
<timecode><rate><timebase>{base}</timebase><ntsc>{ntsc}</ntsc></rate><string>{text}</string>
<frame>{frame}</frame><displayformat>{display}</displayformat></timecode>
<media><video><track><clipitem id="c"><name>shot</name><duration>500</duration>
<rate><timebase>{base}</timebase><ntsc>{ntsc}</ntsc></rate><start>10</start><end>60</end><in>100</in><out>150</out>
<file id="f"><name>a.mov</name><pathurl>file://localhost/media/a%20b.mov</pathurl><duration>500</duration>
<rate><timebase>{base}</timebase><ntsc>{ntsc}</ntsc></rate></file></clipitem></track></video></media></sequence></xmeml>
"""


@pytest.mark.parametrize(
    ("base", "ntsc", "start", "rate"),
    [
        (24, "TRUE", ("01:00:00:00", 86400), Fraction(24000, 1001)),
        (25, "FALSE", ("10:00:00:00", 900000), Fraction(25)),
        (30, "TRUE", ("01:00:00:00", 108000), Fraction(30000, 1001)),
        (30, "TRUE", ("01:00:00;00", 107892), Fraction(30000, 1001)),
        (60, "TRUE", ("01:00:00:00", 216000), Fraction(60000, 1001)),
        (60, "FALSE", ("00:00:00:00", 0), Fraction(60)),
    ],
)
def test_final_cut_xml_keeps_rate_start_and_counting(
    build: Any, base: int, ntsc: str, start: tuple[str, int], rate: Fraction
) -> None:
    text, frame = start
    drops = ";" in text
    path = build.folder / "reel.xml"
    display = "DF" if drops else "NDF"
    path.write_text(XMEML.format(base=base, ntsc=ntsc, text=text, frame=frame, display=display), "utf-8")
    timeline = read_timeline(path)
    clock = clock_of(timeline)
    assert (clock.rate, clock.start, clock.drop_frame) == (rate, Fraction(frame) / rate, drops)
    (part,) = (part for part in Lengths().parts(timeline.tracks[0]).usable if part.item.name == "shot")
    assert part.range.start == Fraction(10) / rate
    assert part.span.start == Fraction(100) / rate


def test_two_readers_at_once_leave_logging_as_it_was() -> None:
    """What an adapter is kept from saying is the whole process's: two that overlap must not leave it off."""
    inside, overlapping, go_on = (threading.Event() for _ in range(3))

    def read_first() -> None:
        with reading._quiet():
            inside.set()
            go_on.wait(10)

    def read_longer() -> None:
        with reading._quiet():
            overlapping.set()
            first.join(10)

    first, other = threading.Thread(target=read_first), threading.Thread(target=read_longer)
    first.start()
    assert inside.wait(10)
    other.start()
    overlapping.wait(0.3)  # never, where they take turns
    go_on.set()
    first.join(10)
    other.join(10)
    try:
        assert logging.root.manager.disable == 0
    finally:
        logging.disable(logging.NOTSET)
