"""The smaller refusals of the fake: calls that Resolve does not do, each beside one that it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge.api_walk import pool_of, project_of, timeline_of
from tests.bridge.fake_resolve import Editor, Film, differences, film

Make = Callable[..., Editor]
Folder = Callable[[str], Path]


@pytest.fixture
def reel(editor: Editor, media_folder: Folder) -> Film:
    return film(editor, media_folder("24"))


def test_timelines_are_counted_from_one(reel: Film) -> None:
    project = project_of(reel.editor)
    assert project.GetTimelineCount() == 1
    assert project.GetTimelineByIndex(1).GetName() == "Reel 1"
    assert [project.GetTimelineByIndex(index) for index in (0, 2, -1, "1")] == [None] * 4


def test_only_the_current_timeline_has_a_playhead(reel: Film) -> None:
    first = timeline_of(reel.editor)
    reel.editor.new_timeline("Reel 2")
    assert first.GetCurrentTimecode() is None
    assert first.SetCurrentTimecode("01:00:02:00") is False
    assert project_of(reel.editor).SetCurrentTimeline(first) is True
    assert first.SetCurrentTimecode("01:00:02:00") is True
    reel.editor.page = "media"
    assert first.SetCurrentTimecode("01:00:03:00") is False


def test_the_rate_of_a_timeline_with_clips_is_fixed(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    assert timeline.SetSetting("useCustomSettings", "1") is True
    assert timeline.SetSetting("timelineFrameRate", "25") is False
    assert project_of(reel.editor).SetSetting("timelineFrameRate", "25") is False


def test_a_rate_that_is_none(editor: Editor) -> None:
    editor.add_project()
    project = project_of(editor)
    assert [project.SetSetting("timelineFrameRate", value) for value in ("26", "fast", "29.97 DF")] == [
        False,
        False,
        True,
    ]
    assert project.GetSetting("timelineFrameRate") == "29.97 DF"


def test_a_bin_of_another_project_cannot_be_opened(reel: Film) -> None:
    pool = pool_of(reel.editor)
    old = pool.GetCurrentFolder()
    reel.editor.add_project("Other")
    assert pool_of(reel.editor).SetCurrentFolder(old) is False
    assert pool_of(reel.editor).AddSubFolder(old, "Sagafoley") is None


def test_mattes_that_are_not_there_cannot_be_taken_off(reel: Film) -> None:
    before = reel.editor.state()
    pool = pool_of(reel.editor)
    shot = timeline_of(reel.editor).GetItemListInTrack("video", 1)[2].GetMediaPoolItem()
    assert pool.DeleteClipMattes(shot, []) is False
    assert pool.DeleteClipMattes(shot, ["/no/matte.mov"]) is False
    assert differences(before, reel.editor.state()) == []


def test_linked_items(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    picture, *_, second = timeline.GetItemListInTrack("video", 1)[:3]
    assert [one.GetTrackTypeAndIndex() for one in picture.GetLinkedItems()] == [["audio", 1]]
    assert second.GetLinkedItems() == []
    assert timeline.SetClipsLinked([picture], True) is False
    assert timeline.SetClipsLinked([picture, second], True) is True
    assert [one.GetName() for one in second.GetLinkedItems()] == ["picture.mov"]


def test_fusion_compositions_are_counted_from_one(reel: Film, tmp_path: Path) -> None:
    item = timeline_of(reel.editor).GetItemListInTrack("video", 1)[0]
    comp = tmp_path / "mask.comp"
    comp.write_text("comp", "utf-8")
    assert item.ImportFusionComp(str(tmp_path / "missing.comp")) is None
    assert item.ImportFusionComp(str(comp)) is not None
    assert item.GetFusionCompCount() == 1
    assert [item.GetFusionCompByIndex(index) is None for index in (0, 1, 2)] == [True, False, True]
    assert item.ExportFusionComp(str(tmp_path / "out.comp"), 2) is False
    assert not (tmp_path / "out.comp").exists()
    assert item.ExportFusionComp(str(tmp_path / "out.comp"), 1) is True


@pytest.mark.parametrize(("color", "kept"), [("Teal", "Teal"), ("Blue Sky", ""), ("Cyan", "")])
def test_clip_colors_are_sixteen(reel: Film, color: str, kept: str) -> None:
    item = timeline_of(reel.editor).GetItemListInTrack("video", 1)[0]
    assert item.SetClipColor(color) is bool(kept)
    assert item.GetClipColor() == kept


@pytest.mark.parametrize("settings", [{"ExportVideo": 1}, {"TargetDir": 5}, {"MarkIn": True}])
def test_render_settings_of_a_wrong_kind(reel: Film, settings: dict[str, object]) -> None:
    project = project_of(reel.editor)
    assert project.SetRenderSettings(settings) is False
    assert reel.project.render_settings == {}


@pytest.mark.parametrize("name", ["edit", "deliver", "Edit", "cutting", ""])
def test_pages_are_called_by_their_small_names(reel: Film, name: str) -> None:
    reel.editor.page = "color"
    assert reel.editor.resolve().OpenPage(name) is (name in {"edit", "deliver"})
    assert reel.editor.page == (name if name in {"edit", "deliver"} else "color")


@pytest.mark.parametrize(
    ("profile", "options", "asked", "answers"),
    [
        ("studio_21_0", {}, "Resolve", [True]),
        ("studio_21_0", {}, "Fusion", [False]),
        ("free_21_0", {}, "Resolve", [False]),
        ("studio_21_0", {"running": False}, "Resolve", [False]),
        ("studio_21_0", {"preference": "None"}, "Resolve", [False]),
        ("studio_21_0", {"preference": "Network"}, "Resolve", [True]),
        ("studio_21_0", {"starting": 2}, "Resolve", [False, False, True]),
    ],
)
def test_who_is_let_in(
    make_editor: Make, profile: str, options: dict[str, object], asked: str, answers: list[bool]
) -> None:
    editor = make_editor(profile, **options)
    assert [editor.scriptapp(asked) is not None for _ in answers] == answers


@pytest.mark.parametrize(("dead", "answer"), [(True, None), (False, "DaVinci Resolve Studio")])
def test_the_second_connection_of_one_process(make_editor: Make, dead: bool, answer: str | None) -> None:
    editor = make_editor(second_connection_dead=dead)
    first, second, other = editor.scriptapp(), editor.scriptapp(), editor.scriptapp(process="another")
    assert first is not None
    assert second is not None
    assert other is not None
    assert [one.GetProductName() for one in (first, second, other)] == [
        "DaVinci Resolve Studio",
        answer,
        "DaVinci Resolve Studio",
    ]


@pytest.mark.parametrize("key", ["Volume", "Level", "Gain", "AudioVolume"])
def test_no_property_sets_a_level_before_21_1(reel: Film, key: str) -> None:
    item = timeline_of(reel.editor).GetItemListInTrack("audio", 1)[0]
    assert item.SetProperty(key, -6.0) is False
    assert item.SetProperties is None
    assert item.SetProperty("Pan", 0.5) is True
    assert (item.GetProperty("Pan"), item.GetProperty(key)) == (0.5, None)


def test_properties_of_21_1_are_set_all_or_none(make_editor: Make, media_folder: Folder) -> None:
    editor = make_editor("studio_21_1")
    film(editor, media_folder("24"))
    item = timeline_of(editor).GetItemListInTrack("audio", 1)[0]
    assert item.SetProperties({"AudioVolume": -6.0, "Loudness": 1}) is False
    assert item.GetProperties()["AudioVolume"] == 0.0
    assert item.SetProperties({"AudioVolume": -6.0}) is True
    assert item.GetProperties()["AudioVolume"] == -6.0


def test_settings_of_21_1_stay_as_far_as_they_were_set(make_editor: Make, media_folder: Folder) -> None:
    editor = make_editor("studio_21_1")
    film(editor, media_folder("24"))
    timeline = timeline_of(editor)
    wanted = {"timelineSampleRate": "44100", "timelineFrameRate": "25", "useCustomSettings": "1"}
    assert timeline.SetSettings(wanted) is False
    settings = timeline.GetSettings()
    assert (settings["useCustomSettings"], settings["timelineSampleRate"]) == ("1", "44100")
    assert settings["timelineFrameRate"] == 24.0
