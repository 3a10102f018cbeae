"""What was placed earlier: given way to, kept, skipped, taken away; what the editor did to it stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.errors import HostNotRunning, HostRefused
from plugin.hosts import Conflict, HostInfo, Removal
from resolve_bridge.placements import Placing
from tests.bridge.desk import Desk, our_items, without_ours
from tests.bridge.fake_resolve import Editor, Item, Track, differences

MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    made = make_desk()
    made.host.place([made.piece(3, 9, "dog"), made.piece(9, 20, "dog"), made.piece(5, 12, "cat")])
    return made


def item_at(editor: Editor, track: str, frame: int) -> Item:
    timeline = editor.timeline
    (found,) = (one for one in timeline.tracks if timeline.name_of(one) == track)
    return next(item for item in found.items if item.start == timeline.start + frame)


def track_named(editor: Editor, name: str) -> Track:
    return next(one for one in editor.timeline.tracks if editor.timeline.name_of(one) == name)


def test_information(make_desk: MakeDesk) -> None:
    desk = make_desk("studio_21_1")
    info = desk.host.info()
    product = ("resolve", "DaVinci Resolve Studio", "21.1.0.17", "Reel 1")
    assert info == HostInfo(*product, moves_playhead=True, project="Film")
    status = desk.host.status()
    assert (status.project, status.timeline, status.studio, status.page) == ("Film", "Reel 1", True, "edit")
    assert status.transport == "in process"
    assert all(status.can.values())
    old = make_desk("studio_19_1").host.status()
    assert (old.can["selection"], old.can["mattes"], old.can["place"]) == (False, True, True)


def test_without_a_project(editor: Editor, tmp_path: Path) -> None:
    desk = Desk.of(editor, tmp_path, tmp_path / "records")
    assert desk.host.status().project == ""
    for ask in (desk.host.info, desk.host.scope, desk.host.remove, lambda: desk.host.show(Fraction(0))):
        with pytest.raises(HostRefused, match="No project is open"):
            ask()


def test_replacing_is_the_rule(desk: Desk) -> None:
    before = desk.editor.state()
    desk.again().host.place([desk.piece(30, 40, "dog")])
    assert our_items(desk.editor) == {"FOLEY dog": [(30, 10)]}
    assert differences(without_ours(before), without_ours(desk.editor.state())) == []
    assert len([name for name in desk.leftovers if name.endswith(".wav")]) == 1


def test_new_tracks_stay_beside_the_earlier_ones(desk: Desk) -> None:
    (placed,) = desk.again().host.place([desk.piece(3, 9, "dog")], conflict=Conflict.NEW_TRACK)
    assert placed.track_name == "FOLEY dog 2"
    assert our_items(desk.editor) == {
        "FOLEY dog": [(3, 6), (9, 11)],
        "FOLEY cat": [(5, 7)],
        "FOLEY dog 2": [(3, 6)],
    }
    assert desk.again().host.remove() == Removal(("FOLEY dog 2",), 1)
    assert desk.again().host.remove() == Removal(("FOLEY dog", "FOLEY cat"), 3)
    assert desk.again().host.remove() == Removal()
    assert desk.leftovers == []


def test_skipping_adds_only_what_is_not_there(desk: Desk) -> None:
    wanted = [
        desk.piece(3, 9, "dog"),
        desk.piece(19, 25, "dog"),
        desk.piece(20, 25, "dog"),
        desk.piece(3, 9, "cow"),
    ]
    placed = desk.again().host.place(wanted, conflict=Conflict.SKIP)
    assert [one.piece.path.stem for one in placed] == ["dog_1_20-25", "cow_1_3-9"]
    assert our_items(desk.editor)["FOLEY dog 2"] == [(20, 5)]


def test_what_the_editor_deleted_is_not_there(desk: Desk) -> None:
    track_named(desk.editor, "FOLEY dog").items.remove(item_at(desk.editor, "FOLEY dog", 3))
    placed = desk.again().host.place([desk.piece(3, 9, "dog")], conflict=Conflict.SKIP)
    assert [one.track_name for one in placed] == ["FOLEY dog 2"]


@pytest.mark.parametrize("what", ["moved", "trimmed", "on another track"])
def test_what_the_editor_took_over_stays(desk: Desk, what: str) -> None:
    editor = desk.editor
    item = item_at(editor, "FOLEY dog", 3)
    if what == "moved":
        item.start += 40
    elif what == "trimmed":
        item.duration -= 2
    else:
        track_named(editor, "FOLEY dog").items.remove(item)
        item.start += 40
        track_named(editor, "Dialogue").items.append(item)
    removal = desk.again().host.remove()
    assert removal.pieces == 2
    assert any("was moved, trimmed or copied" in sentence for sentence in removal.left)
    assert item in [one for track in editor.timeline.tracks for one in track.items]
    assert item.pool is not None
    assert Path(item.pool.media.path).is_file()
    assert ("FOLEY dog" in removal.tracks) == (what == "on another track")


def test_a_track_that_the_editor_named_or_filled_stays(desk: Desk) -> None:
    editor = desk.editor
    track_named(editor, "FOLEY dog").name = "SFX"
    own = Item("mine", Fraction(editor.timeline.start + 60), Fraction(5))
    track_named(editor, "FOLEY cat").items.append(own)
    removal = desk.again().host.remove()
    assert (removal.pieces, removal.tracks) == (3, ())
    assert track_named(editor, "SFX").items == []
    assert track_named(editor, "FOLEY cat").items == [own]


def test_a_locked_track_is_left_alone(desk: Desk) -> None:
    track_named(desk.editor, "FOLEY dog").locked = True
    removal = desk.again().host.remove()
    assert (removal.pieces, removal.tracks) == (1, ("FOLEY cat",))
    assert all("is locked" in sentence for sentence in removal.left)
    assert our_items(desk.editor) == {"FOLEY dog": [(3, 6), (9, 11)]}


def test_while_resolve_does_not_tell_what_lies_on_tracks_nothing_is_removed_or_forgotten(desk: Desk) -> None:
    editor = desk.editor
    own = Item("mine", Fraction(editor.timeline.start + 60), Fraction(5))
    track_named(editor, "FOLEY dog").items.append(own)
    before, (record,) = editor.state(), desk.records.iterdir()
    written = record.read_bytes()
    editor.fail("GetItemListInTrack", times=None, result=None)
    with pytest.raises(HostRefused, match=r"does not say what lies on the timeline's tracks"):
        desk.again().host.remove()
    with pytest.raises(HostRefused, match=r"did not put"):
        desk.again().host.place([desk.piece(30, 40, "dog")])
    with pytest.raises(HostRefused, match=r"does not say what lies on"):
        desk.again().host.place([desk.piece(30, 40, "dog")], conflict=Conflict.SKIP)
    assert differences(before, editor.state()) == []
    assert record.read_bytes() == written
    editor.heal()
    assert desk.again().host.remove() == Removal(("FOLEY cat",), 3)
    assert track_named(editor, "FOLEY dog").items == [own]
    assert desk.leftovers == []


def test_tracks_stop_telling_in_the_middle_of_a_removal(desk: Desk) -> None:
    """Whatever was taken until then: no track goes that may hold something, and the rest goes later."""
    before = desk.editor.count("GetItemListInTrack")
    desk.again().host.remove()
    total = desk.editor.count("GetItemListInTrack") - before
    for nth in range(1, total + 1, 2):
        desk.again().host.place([desk.piece(3, 9, "dog"), desk.piece(5, 12, "cat")])
        editor = desk.editor
        own = Item("mine", Fraction(editor.timeline.start + 60), Fraction(5))
        track_named(editor, "FOLEY dog").items.append(own)
        editor.fail("GetItemListInTrack", nth, result=None, times=None)
        with suppress(HostRefused):
            desk.again().host.remove()
        editor.heal()
        assert own in track_named(editor, "FOLEY dog").items, nth
        desk.again().host.remove()
        assert our_items(editor) == {"FOLEY dog": [(60, 5)]}, nth
        assert desk.leftovers == []
        editor.timeline.tracks.remove(track_named(editor, "FOLEY dog"))


def test_a_build_that_answers_none_for_empty_tracks_loses_no_track(make_desk: MakeDesk) -> None:
    desk = make_desk(empty_track_is_none=True)
    before = desk.editor.state()
    desk.host.place([desk.piece(3, 9, "dog")])
    track_named(desk.editor, "FOLEY dog").items.clear()
    assert desk.again().host.remove().tracks == ("FOLEY dog",)
    assert differences(before, desk.editor.state()) == []


def test_a_sound_that_is_used_elsewhere_stays_in_the_pool(desk: Desk) -> None:
    editor = desk.editor
    sound = item_at(editor, "FOLEY cat", 5).pool
    assert sound is not None
    reel = editor.timeline
    other = editor.new_timeline("Reel 2")
    other.of_kind("audio")[0].items.append(Item("x", Fraction(other.start), Fraction(7), pool=sound))
    editor.project.current = reel
    assert desk.again().host.remove().pieces == 3
    assert sound in editor.project.pool_items()
    assert Path(sound.media.path).is_file()


def test_tracks_of_the_editors_own_are_never_ours(make_desk: MakeDesk) -> None:
    """The same name, even empty and even above ours, makes no track ours."""
    desk = make_desk()
    theirs = [Track("audio", "mono", "FOLEY dog"), Track("audio", "mono", "FOLEY dog")]
    desk.editor.timeline.tracks += theirs
    desk.host.place([desk.piece(3, 9, "dog")])
    desk.host.place([desk.piece(9, 20, "dog")])
    assert desk.again().host.remove().tracks == ("FOLEY dog",)
    assert [track for track in desk.editor.timeline.tracks if track in theirs] == theirs


def test_other_timelines_keep_theirs(desk: Desk) -> None:
    first = desk.editor.timeline
    second = desk.editor.new_timeline("Reel 2")
    assert desk.again().host.remove() == Removal()
    desk.again().host.place([desk.piece(0, 9, "owl")])
    assert our_items(desk.editor) == {"FOLEY owl": [(0, 9)]}
    desk.editor.project.current = first
    assert desk.again().host.remove().pieces == 3
    desk.editor.project.current = second
    assert desk.again().host.remove().pieces == 1


def test_records_that_are_damaged_are_no_records(desk: Desk) -> None:
    (record,) = desk.records.iterdir()
    for content in ("", "{", "[]", '{"schema": 1}', record.read_text().replace('"path"', '"pfad"')):
        record.write_text(content)
        assert desk.again().host.remove() == Removal()
        record.write_text(content)
    assert len(our_items(desk.editor)["FOLEY dog"]) == 2


def test_provenance_travels_in_the_record(desk: Desk) -> None:
    (record,) = desk.records.iterdir()
    text = record.read_text()
    assert '"cue": "001"' in text
    assert str(desk.folder / "dog_1_3-9.wav") in text


def test_the_file_of_a_take_shares_its_bytes(desk: Desk) -> None:
    (placed,) = (desk.folder / "placed").glob("cat*.wav")
    assert placed.samefile(desk.folder / "cat_1_5-12.wav")


def test_a_disk_without_links_is_copied_to(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def refuse(*_: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    desk = make_desk()
    desk.host.place([desk.piece(3, 9, "dog")])
    (placed,) = (desk.folder / "placed").glob("*.wav")
    take = desk.folder / "dog_1_3-9.wav"
    assert placed.read_bytes() == take.read_bytes()
    assert not placed.samefile(take)
    desk.host.remove()
    assert desk.leftovers == []


def test_an_unwritable_record_is_said_before_resolve_is_asked(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugin.errors import OutputError

    desk = make_desk()
    before = desk.editor.state()

    def full(*_: object) -> None:
        raise OutputError("The disk is full.", remedy="Free some space.")

    monkeypatch.setattr(Placing, "_keep", full)
    with pytest.raises(OutputError):
        desk.host.place([desk.piece(3, 9, "dog")])
    assert differences(before, desk.editor.state()) == []
    assert desk.leftovers == []


@pytest.mark.parametrize("rate", ["24", "29.97 DF", "59.94"])
def test_the_playhead_is_moved(make_desk: MakeDesk, rate: str) -> None:
    desk = make_desk(rate=rate, drop_frame_start="nominal")
    begin = desk.spotting().record.start
    exact = desk.editor.timeline.rate.exact
    for frame in (0, 17, 80):
        desk.host.show(begin + Fraction(frame) / exact)
        assert desk.editor.timeline.playhead - desk.editor.timeline.start == frame
    desk.host.show(begin - 5)
    assert desk.editor.timeline.playhead == desk.editor.timeline.start
    desk.editor.fail("SetCurrentTimecode", result=True, times=None)
    with pytest.raises(HostRefused, match="did not move its playhead to"):
        desk.host.show(begin + 1)


def test_an_export_that_resolve_refuses(make_desk: MakeDesk) -> None:
    desk = make_desk()
    with pytest.raises(HostRefused, match=r"did not write nowhere\.otio"):
        desk.host.export(desk.folder / "not there" / "nowhere.otio")


def test_a_version_that_lacks_what_is_needed(make_desk: MakeDesk) -> None:
    from plugin.errors import HostTooOld

    desk = make_desk(missing=frozenset({"Timeline.AddTrack", "MediaPool.ImportMedia"}))
    with pytest.raises(HostTooOld, match="lacks ImportMedia, AddTrack"):
        desk.host.place([desk.piece(3, 9, "dog")])
    assert desk.leftovers == []
    assert not desk.host.status().can["place"]


def test_an_unknown_request_is_answered_in_words(make_desk: MakeDesk) -> None:
    desk = make_desk()
    answer = desk.channel.ask({"op": "format the disk"}, timeout=1)
    assert answer["ok"] is False
    answer = desk.channel.ask({"op": "place"}, timeout=1)
    assert "KeyError" in str(answer["error"])


def test_a_copy_that_the_editor_made_stays(desk: Desk) -> None:
    """The same sound at the same moment, on a track of theirs: not the item that we placed."""
    editor = desk.editor
    ours = item_at(editor, "FOLEY dog", 3)
    copy = Item(ours.name, ours.start, ours.duration, pool=ours.pool)
    theirs = Track("audio", "mono", "my mix", items=[copy])
    editor.timeline.tracks.append(theirs)
    removal = desk.again().host.remove()
    assert removal.pieces == 3
    assert theirs.items == [copy]
    assert any("copied" in sentence for sentence in removal.left)
    assert copy.pool is not None
    assert Path(copy.pool.media.path).is_file()


def test_what_is_asked_of_resolve(desk: Desk) -> None:
    """One clip per call, sound only, at a whole frame; no start and end frames."""
    asked = [call.args[0] for call in desk.editor.calls if call.name == "AppendToTimeline"]
    assert [len(clips) for clips in asked] == [1, 1, 1]
    for (clip,) in asked:
        assert set(clip) == {"mediaPoolItem", "mediaType", "trackIndex", "recordFrame"}
        assert clip["mediaType"] == 2
        assert isinstance(clip["recordFrame"], int)


@pytest.mark.parametrize("what", ["takes ours away", "adds theirs"])
def test_somebody_edits_while_pieces_are_placed(make_desk: MakeDesk, what: str) -> None:
    desk = make_desk()
    editor = desk.editor
    theirs = Item("theirs", Fraction(editor.timeline.start + 60), Fraction(5))

    def edit() -> None:
        if what == "adds theirs":
            track_named(editor, "Dialogue").items.append(theirs)
        else:
            track_named(editor, "FOLEY dog").items.clear()

    editor.fail("AppendToTimeline", nth=2, after=edit)
    with pytest.raises(HostRefused, match="nobody"):
        desk.host.place([desk.piece(3, 9, "dog"), desk.piece(5, 12, "cat")])
    assert our_items(editor) == {}
    assert desk.leftovers == []
    assert (theirs in track_named(editor, "Dialogue").items) == (what == "adds theirs")


def test_after_a_broken_off_placing_a_track_that_the_editor_added_is_not_taken_for_ours(
    make_desk: MakeDesk,
) -> None:
    """The note says which tracks there were; where they are others now, empty tracks stay."""
    desk = make_desk()
    desk.channel.dies_before = "place"
    with pytest.raises(HostNotRunning):
        desk.host.place([desk.piece(3, 9, "dog")])
    timeline = desk.editor.timeline
    own = Track("audio", "mono", "empty")
    timeline.tracks.insert(timeline.tracks.index(timeline.of_kind("audio")[0]), own)
    assert desk.again().host.remove() == Removal()
    assert own in timeline.tracks
    assert len(timeline.of_kind("audio")) == 3
