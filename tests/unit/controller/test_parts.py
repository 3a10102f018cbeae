"""Small parts of the desk by themselves."""

import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.controller.book import TakeNote
from plugin.controller.chores import Chores
from plugin.controller.items import duration_words
from plugin.controller.notes import Notes, SpotMark, format_notes, read_notes, spot_key
from plugin.controller.pace import Pace, TakeProgress
from plugin.controller.shelf import Shelf, outdated
from plugin.controller.states import level_mark, read_mark
from plugin.controller.wire import (
    EngineOrder,
    RenderOrder,
    decoded,
    encoded,
    order_of_message,
    order_to_message,
)
from plugin.errors import OutputError, SagafoleyError, UsageError
from plugin.opening import Reading
from plugin.timebase import TimeSpan
from tests import made_cues

ENGINE = EngineOrder("/bundle", "cpu", 0, 0, 10, "/cache")


def test_an_order_travels_exactly():
    cue = replace(made_cues.cue(3, "ünïcode"), takes=4, seed=2**62)
    order = RenderOrder("7", made_cues.sheet(cue, name="Film\udcff"), Path("/stems"), ENGINE)
    message = decoded(encoded(order_to_message(order)))
    assert order_of_message(message) == order


@pytest.mark.parametrize("line", [b"", b"noise\n", b"[1]\n", b'"x"\n', b"\xff\xfe\n", b"[" * 100_000])
def test_a_line_that_is_no_message_is_passed_over(line):
    assert decoded(line) is None


def test_chores_bring_results_and_failures_to_the_caller():
    chores, got = Chores(), []
    refuse = OutputError("full", remedy="free")

    def fail():
        raise refuse

    def break_():
        raise KeyError("x")

    for name, work in (("a", lambda: 5), ("b", fail), ("c", break_)):
        chores.start(name, work, done=got.append, failed=got.append)
    while chores.busy:
        chores.poll()
    assert 5 in got
    assert refuse in got
    unforeseen = next(one for one in got if one not in (5, refuse))
    assert isinstance(unforeseen, SagafoleyError)
    assert "KeyError" in unforeseen.message


def test_in_one_lane_only_the_newest_counts():
    chores, got, gate = Chores(), [], threading.Event()
    chores.start("open", lambda: gate.wait(60) and "old", done=got.append, failed=got.append)
    chores.start("open", lambda: "new", done=got.append, failed=got.append)
    while chores.busy:
        chores.poll()
    gate.set()
    chores.start("other", lambda: "last", done=got.append, failed=got.append)
    while chores.busy:
        chores.poll()
    assert got == ["new", "last"]


def test_who_takes_too_long_is_told_once_and_dropped():
    now = [0.0]
    chores, got, gate = Chores(clock=lambda: now[0]), [], threading.Event()
    chores.start(
        "host",
        lambda: gate.wait(60),
        done=got.append,
        failed=got.append,
        patience=10,
        late=lambda: got.append("late"),
        slow=lambda: got.append("slow"),
    )
    for now[0] in (1, 6, 7, 9, 11, 12):
        chores.poll()
    gate.set()
    chores.poll()
    assert got == ["slow", "late"]
    assert not chores.busy


def test_time_left_is_learnt_from_takes():
    pace = Pace()
    first = TakeProgress(length=2.0, steps=10, started=100.0)
    assert first.seconds_left(pace, now=100.5) is None
    first.told("pictures", 1.0, now=104.0)
    assert first.seconds_left(pace, now=104.0) == pytest.approx(6.0)
    first.told("sampling", 1.0, now=109.0)
    first.told("sound", 1.0, now=110.0)
    assert first.progress(pace) == 1.0
    pace.learn(first.spent, length=2.0, steps=10)
    second = TakeProgress(length=4.0, steps=20, started=200.0)
    assert second.seconds_left(pace, now=200.0) == pytest.approx(8 + 20 + 2)
    second.told("pictures", 1.0, now=200.1)  # they were known
    assert second.seconds_left(pace, now=200.1) == pytest.approx(22)
    pace.learn(second.spent, length=4.0, steps=20)
    assert pace.costs["pictures"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (3600, "60 min"), (7800, "2 h 10 min")]
)
def test_lengths_of_time_in_words(seconds, words):
    assert duration_words(seconds) == words


def test_notes_are_read_as_they_were_written(tmp_path):
    record = TimeSpan(Fraction(7207, 2), Fraction(7209, 2))
    notes = Notes(
        spots={"001": SpotMark(record, "k")},
        chosen={"001": "t"},
        relinks={"/a\udcff": "/b"},
        accepted=frozenset({"p"}),
        placed={"001": "t 0 0 0"},
        orphans=frozenset({"004"}),
        reading=Reading(edl_rate=Fraction(24000, 1001), use_alpha=True, mask_tracks={2: "violin"}),
    )
    path = tmp_path / "notes.json"
    path.write_bytes(format_notes(notes))
    assert read_notes(path) == notes
    assert read_notes(tmp_path / "none.json") == Notes()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"kind": "sagafoley desk", "schema": 99}', b"\xff" * 9]
)
def test_other_files_are_no_notes(tmp_path, data):
    path = tmp_path / "notes.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read"):
        read_notes(path)


def test_a_spot_keeps_its_key_when_it_moves():
    spot = made_cues.cue(1).spot
    by = Fraction(10)

    def later(clip):
        return replace(clip, record=TimeSpan(clip.record.start + by, clip.record.end + by))

    moved = replace(
        spot,
        id="077",
        record=TimeSpan(spot.record.start + by, spot.record.end + by),
        picture=later(spot.picture),
        matte=replace(spot.matte, clip=later(spot.matte.clip)),
    )
    assert spot_key(moved) == spot_key(spot)
    slipped = replace(moved, picture=replace(moved.picture, source_start=Fraction(11)))
    assert spot_key(slipped) != spot_key(spot)


def test_takes_are_found_by_spot_or_by_place():
    cue = made_cues.cue(1)
    named = made_cues.take("Film_001_violin_t01", of=cue)
    renumbered = made_cues.take("Film_009_violin_t01", of=replace(cue, spot=replace(cue.spot, id="009")))
    other_object = made_cues.take(
        "Film_001_drum_t01", of=replace(cue, spot=replace(cue.spot, label="drum", source_name="MASK drum"))
    )
    elsewhere = made_cues.take("Film_001_violin_t07", of=made_cues.cue(2))
    shelf = Shelf.of((named, renumbered, other_object, elsewhere))
    assert [take.name for take in shelf.of_cue(cue)] == [named.name, renumbered.name]
    assert shelf.with_takes((named,)).takes == shelf.takes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"seed": 99}, ""),
        ({"takes": 5}, ""),
        ({"prompt": "x"}, "Made with other words."),
        ({"steps": 4}, "Made with 3 steps."),
        ({"steps": 4, "guidance": 1.0}, "Made with 3 steps and with guidance 7."),
    ],
)
def test_why_a_take_is_outdated(change, said):
    cue = made_cues.cue(1)
    take = made_cues.take("Film_001_violin_t01", of=cue)
    why = outdated(take, replace(cue, **change), timeline="Film", bundle="d" * 64, footage=None)
    assert why == said


def test_a_take_of_another_bundle_or_timeline_is_outdated():
    cue = made_cues.cue(1)
    take = made_cues.take("Film_001_violin_t01", of=cue)
    assert "another bundle (made)" in outdated(take, cue, timeline="Film", bundle="e" * 64, footage=None)
    assert outdated(take, cue, timeline="Other", bundle="", footage=None) == "Made for another timeline."
    assert "other pictures" in outdated(take, cue, timeline="Film", bundle="d" * 64, footage="f")


def test_marks_of_what_is_placed_are_read_as_they_were_written():
    take = made_cues.take("Film_001_a b_t01")
    note = TakeNote(gain_db=-3.25, fade_in=0.1)
    assert read_mark(level_mark(take, note)) == (take.name, note)


@pytest.mark.parametrize("mark", ["", "name", "name 1 2", "name a b c"])
def test_other_marks_mean_nothing(mark):
    assert read_mark(mark) is None
