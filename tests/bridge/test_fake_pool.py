"""The fake's media pool and `AppendToTimeline`: what is refused, what is lost, what is left to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.api_walk import pool_of, timeline_of, write_wav
from tests.bridge.fake_resolve import Editor, Film, differences, film, thing_of

Make = Callable[..., Editor]
Folder = Callable[[str], Path]
HOUR = 86400
END = 120


@pytest.fixture
def reel(editor: Editor, media_folder: Folder) -> Film:
    made = film(editor, media_folder("24"))
    timeline_of(editor).AddTrack("audio", "stereo")
    return made


@pytest.fixture
def wav(tmp_path: Path) -> str:
    return write_wav(tmp_path / "Geräusch – 1.wav")


class TestImport:
    @pytest.mark.parametrize("failure", [[], None])
    def test_what_cannot_be_imported_gives_nothing(self, reel: Film, tmp_path: Path, failure: Any) -> None:
        reel.editor.options.import_failure = failure
        (tmp_path / "empty.wav").write_bytes(b"")
        (tmp_path / "text.wav").write_text("no sound", "utf-8")
        write_wav(tmp_path / "nothing.wav", samples=0)
        write_wav(tmp_path / "short.wav", samples=1)
        before = reel.editor.state()
        wrong = [[str(tmp_path / f"{name}.wav")] for name in ("empty", "text", "nothing", "short", "missing")]
        for asked in [*wrong, ["relative.wav"], [], None, str(tmp_path), [5], [{}], [Path(tmp_path)]]:
            assert pool_of(reel.editor).ImportMedia(asked) == failure
        assert differences(before, reel.editor.state()) == []

    def test_it_goes_to_the_current_bin_once(self, reel: Film, wav: str) -> None:
        pool = pool_of(reel.editor)
        [first] = pool.ImportMedia([wav])
        assert pool.SetCurrentFolder(pool.GetRootFolder()) is True
        [again] = pool.ImportMedia([wav])
        assert again.GetUniqueId() == first.GetUniqueId()
        assert [item.media.path for item in reel.project.folder_of(thing_of(again)).items] == [wav]
        assert reel.project.folder_of(thing_of(again)).name == "Work"
        reel.editor.options.import_known = "empty"
        assert pool.ImportMedia([wav]) == []

    def test_imported_again_it_is_something_else(self, reel: Film, wav: str) -> None:
        pool = pool_of(reel.editor)
        [first] = pool.ImportMedia([wav])
        identity = first.GetUniqueId()
        assert pool.DeleteClips([first]) is True
        assert first.GetClipProperty() is None
        assert pool.ImportMedia([wav])[0].GetUniqueId() != identity

    def test_dicts_are_another_form_that_some_builds_refuse(self, reel: Film, wav: str) -> None:
        pool, options = pool_of(reel.editor), reel.editor.options
        options.import_dicts_fail = True
        assert pool.ImportMedia([{"FilePath": wav}]) == []
        options.import_dicts_fail, options.import_paths_fail = False, True
        assert pool.ImportMedia([wav]) == []
        assert len(pool.ImportMedia([{"FilePath": wav}])) == 1

    def test_the_order_may_be_another(self, reel: Film, tmp_path: Path) -> None:
        reel.editor.options.import_shuffled = True
        paths = [write_wav(tmp_path / f"{n}.wav") for n in "abc"]
        items = pool_of(reel.editor).ImportMedia(paths)
        assert [item.GetName() for item in items] == ["b.wav", "c.wav", "a.wav"]

    def test_a_file_may_not_be_ready_yet(self, reel: Film, wav: str) -> None:
        reel.editor.options.import_not_ready = 1
        pool = pool_of(reel.editor)
        assert [len(pool.ImportMedia([wav])) for _ in range(2)] == [0, 1]

    @pytest.mark.parametrize(("rate", "frames"), [("24", "00:00:01:00"), ("23.976", "00:00:00:23")])
    def test_a_sound_takes_the_projects_rate_for_ever(
        self, editor: Editor, wav: str, rate: str, frames: str
    ) -> None:
        project = editor.add_project(rate=rate)
        [item] = pool_of(editor).ImportMedia([wav])
        project.rate = project.rate.__class__(project.rate.exact * 2)
        known = item.GetClipProperty()
        assert (known["FPS"], known["Duration"]) == (float(rate), frames)
        assert (known["Frames"], known["Audio Ch"], known["File Path"]) == ("", "2", wav)
        assert item.GetClipProperty("Sample Rate") == "48000"

    @pytest.mark.parametrize(("language", "word"), [("en", "Audio"), ("pt", "Áudio"), ("ja", "オーディオ")])
    def test_the_type_is_in_the_language_of_the_menus(
        self, reel: Film, wav: str, language: str, word: str
    ) -> None:
        reel.editor.options.language = language
        assert pool_of(reel.editor).ImportMedia([wav])[0].GetClipProperty()["Type"] == word

    def test_some_properties_say_true_and_change_nothing(self, reel: Film, wav: str) -> None:
        [item] = pool_of(reel.editor).ImportMedia([wav])
        assert item.SetClipProperty("FPS", 25.0) is True
        assert item.GetClipProperty()["FPS"] == 24.0


class TestBins:
    def test_a_new_bin_is_current_and_names_repeat(self, reel: Film) -> None:
        pool = pool_of(reel.editor)
        root = pool.GetRootFolder()
        one, two = pool.AddSubFolder(root, "Sagafoley"), pool.AddSubFolder(root, "Sagafoley")
        assert one.GetUniqueId() != two.GetUniqueId() == pool.GetCurrentFolder().GetUniqueId()
        assert [one.GetName() for one in root.GetSubFolderList()] == ["Footage", "Work"] + ["Sagafoley"] * 2

    def test_a_deleted_bin_takes_its_clips_along(self, reel: Film, wav: str) -> None:
        pool = pool_of(reel.editor)
        own = pool.AddSubFolder(pool.GetRootFolder(), "Sagafoley")
        [item] = pool.ImportMedia([wav])
        assert pool.DeleteFolders([own]) is True
        assert (own.GetName(), item.GetName(), pool.SetCurrentFolder(own)) == (None, None, False)
        assert pool.GetCurrentFolder().GetName() == "Master"
        assert pool.DeleteFolders([pool.GetRootFolder()]) is False

    def test_mattes_of_a_clip(self, reel: Film, tmp_path: Path) -> None:
        pool = pool_of(reel.editor)
        timeline = timeline_of(reel.editor)
        shot = timeline.GetItemListInTrack("video", 1)[2].GetMediaPoolItem()
        [matte] = pool.GetClipMatteList(shot)
        assert Path(matte).is_file()
        add = reel.editor.resolve().GetMediaStorage().AddClipMattesToMediaPool
        assert add(shot, [str(tmp_path / "missing.mov")], "") is False
        assert add(shot, [str(reel.picture.media.path)], "") is True
        assert len(pool.GetClipMatteList(shot)) == 2
        assert pool.DeleteClipMattes(shot, [matte]) is True
        assert pool.GetClipMatteList("shot") == []


class TestAppend:
    """`AppendToTimeline` with one change at a time from a call that is right."""

    @pytest.fixture
    def call(self, reel: Film, wav: str) -> Callable[..., Any]:
        pool = pool_of(reel.editor)
        [item] = pool.ImportMedia([wav])
        right = {"mediaPoolItem": item, "mediaType": 2, "trackIndex": 3, "recordFrame": HOUR + 7}

        def append(**changes: Any) -> Any:
            asked = {**right, **changes}
            return pool.AppendToTimeline([{key: v for key, v in asked.items() if v is not ...}])

        return append

    def _items(self, reel: Film) -> list[Any]:
        return reel.timeline.of_kind("audio")[2].sorted_items()

    def test_the_right_one(self, reel: Film, call: Callable[..., Any]) -> None:
        [item] = call(unheardOf=True)
        assert (item.GetStart(), item.GetEnd(), item.GetTrackTypeAndIndex()) == (
            HOUR + 7,
            HOUR + 31,
            ["audio", 3],
        )
        assert self._items(reel)[0].problems == ()

    @pytest.mark.parametrize("key", ["startFrame", "endFrame", "recordFrame"])
    def test_a_fraction_of_a_frame_spoils_everything(
        self, reel: Film, call: Callable[..., Any], key: str
    ) -> None:
        before = reel.editor.state()
        assert call(**{key: 10.5}) is None
        assert call(**{key: "10"}) is None
        assert differences(before, reel.editor.state()) == []

    def test_whole_floats_are_frames(self, call: Callable[..., Any]) -> None:
        [item] = call(recordFrame=float(HOUR + 8), startFrame=2.0, endFrame=10.0)
        assert (item.GetStart(), item.GetDuration()) == (HOUR + 8, 8)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"trackIndex": 4},
            {"trackIndex": 0},
            {"trackIndex": 2},
            {"trackIndex": 3.0},
            {"mediaType": 1},
            {"mediaType": 3},
            {"mediaPoolItem": "sound.wav"},
            {"mediaPoolItem": ...},
            {"startFrame": 24},
            {"endFrame": 25},
            {"startFrame": 5, "endFrame": 5},
        ],
        ids=str,
    )
    def test_what_cannot_be_placed_gives_nothing(
        self, reel: Film, call: Callable[..., Any], wrong: dict[str, Any]
    ) -> None:
        before = reel.editor.state()
        assert call(**wrong) == []
        assert differences(before, reel.editor.state()) == []

    @pytest.mark.parametrize(
        ("profile", "end", "frames"),
        [("studio_19_1", 23, 24), ("studio_19_1", 24, 0), ("studio_20_3", 24, 24), ("studio_21_1", 23, 23)],
    )
    def test_the_end_frame_is_in_or_out(  # noqa: PLR0917
        self, make_editor: Make, media_folder: Folder, wav: str, profile: str, end: int, frames: int
    ) -> None:
        editor = make_editor(profile)
        film(editor, media_folder("24"))
        timeline_of(editor).AddTrack("audio", "stereo")
        pool = pool_of(editor)
        item = pool.ImportMedia([wav])[0]
        asked = {"mediaPoolItem": item, "mediaType": 2, "trackIndex": 3, "startFrame": 0, "endFrame": end}
        placed = pool.AppendToTimeline([asked])
        assert [one.GetDuration() for one in placed] == ([frames] if frames else [])

    def test_before_the_timelines_start_it_is_lost_to_the_ear(
        self, reel: Film, call: Callable[..., Any]
    ) -> None:
        [item] = call(recordFrame=7)
        assert item.GetStart() == 7
        assert self._items(reel)[0].problems == ("outside_timeline",)

    def test_stereo_on_mono_loses_a_channel(self, reel: Film, call: Callable[..., Any]) -> None:
        timeline_of(reel.editor).AddTrack("audio")
        call(trackIndex=4)
        assert reel.timeline.of_kind("audio")[3].items[0].problems == ("channel_loss",)

    @pytest.mark.parametrize("overlap", ["ghost", "shorten", "none", "empty"])
    def test_what_lies_there_already_wins(self, reel: Film, call: Callable[..., Any], overlap: str) -> None:
        reel.editor.options.overlap = overlap
        call(recordFrame=HOUR + 20)
        [kept] = self._items(reel)
        placed = call(recordFrame=HOUR + 10)
        assert kept in self._items(reel)
        if overlap == "shorten":
            assert [one.GetDuration() for one in placed] == [10]
        elif overlap == "ghost":
            assert [(one.GetDuration(), one.GetUniqueId()) for one in placed] == [(None, "")]
        else:
            assert placed == ([None] if overlap == "none" else [])
        assert len(self._items(reel)) == (2 if overlap == "shorten" else 1)

    def test_without_a_place_it_goes_to_the_end(self, call: Callable[..., Any]) -> None:
        assert call(recordFrame=...)[0].GetStart() == HOUR + END

    def test_without_a_media_type_the_picture_comes_too(self, reel: Film) -> None:
        timeline, pool = timeline_of(reel.editor), pool_of(reel.editor)
        shot = timeline.GetItemListInTrack("video", 1)[0].GetMediaPoolItem()
        timeline.AddTrack("video")
        asked = {"mediaPoolItem": shot, "recordFrame": HOUR + 200, "trackIndex": 3}
        placed = pool.AppendToTimeline([asked])
        assert [one.GetTrackTypeAndIndex() for one in placed] == [["video", 3], ["audio", 3]]

    def test_a_batch_of_one_clip_may_keep_its_first_only(self, reel: Film, wav: str) -> None:
        reel.editor.options.batch_keeps_first = True
        pool = pool_of(reel.editor)
        item = pool.ImportMedia([wav])[0]
        batch = [
            {"mediaPoolItem": item, "mediaType": 2, "trackIndex": 3, "recordFrame": HOUR + n} for n in (0, 50)
        ]
        assert len(pool.AppendToTimeline(batch)) == 1

    def test_the_playhead_moves_perhaps_later(self, reel: Film, call: Callable[..., Any]) -> None:
        call()
        assert reel.timeline.playhead == HOUR + 31
        reel.editor.options.playhead_delay = 3600
        call(recordFrame=HOUR + 100)
        assert timeline_of(reel.editor).GetCurrentTimecode() == "01:00:01:07"
        reel.editor.settle()
        assert timeline_of(reel.editor).GetCurrentTimecode() == "01:00:05:04"

    def test_what_an_errored_batch_left_is_gone_after_saving(self, reel: Film, wav: str) -> None:
        reel.editor.options.errored_batch_lost = True
        pool = pool_of(reel.editor)
        item = pool.ImportMedia([wav])[0]
        batch = [
            {"mediaPoolItem": item, "mediaType": 2, "trackIndex": 3, "recordFrame": HOUR + n} for n in (0, 5)
        ]
        [kept, _] = pool.AppendToTimeline(batch)
        assert kept.GetDuration() == 24
        assert reel.editor.resolve().GetProjectManager().SaveProject() is True
        assert kept.GetDuration() is None
        assert self._items(reel) == []

    def test_without_a_timeline_nothing_is_placed(self, editor: Editor, wav: str) -> None:
        editor.add_project()
        pool = pool_of(editor)
        [item] = pool.ImportMedia([wav])
        assert pool.AppendToTimeline([{"mediaPoolItem": item, "mediaType": 2}]) == []

    @pytest.mark.parametrize(("samples", "frames"), [(48_048, 24), (48_047, 23), (48_049, 24)])
    def test_parts_of_frames_are_cut_off(
        self, editor: Editor, media_folder: Folder, tmp_path: Path, samples: int, frames: int
    ) -> None:
        film(editor, media_folder("23.976"), rate="23.976")
        timeline_of(editor).AddTrack("audio", "stereo")
        pool = pool_of(editor)
        [item] = pool.ImportMedia([write_wav(tmp_path / "cut.wav", samples=samples)])
        [placed] = pool.AppendToTimeline([{"mediaPoolItem": item, "mediaType": 2, "trackIndex": 3}])
        assert placed.GetDuration() == frames
