"""The fake's render queue, OTIO in its own shape only, and the mailbox of the free edition."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.api_walk import pool_of, project_of, timeline_of
from tests.bridge.fake_resolve import Editor, Film, crowded, differences, film
from tests.bridge.fake_resolve.mailbox import SLOT, Mailbox

Make = Callable[..., Editor]
Folder = Callable[[str], Path]
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def reel(editor: Editor, media_folder: Folder) -> Film:
    return film(editor, media_folder("24"))


class TestRendering:
    @pytest.fixture
    def project(self, reel: Film, tmp_path: Path) -> Any:
        reel.editor.page = "deliver"
        project = project_of(reel.editor)
        assert project.SetRenderSettings({"TargetDir": str(tmp_path), "CustomName": "out"}) is True
        return project

    def test_a_job_advances_with_every_look_and_its_file_comes_last(
        self, reel: Film, project: Any, tmp_path: Path
    ) -> None:
        reel.editor.options.language = "pt"
        job = project.AddRenderJob()
        assert project.StartRendering([job], False) is True
        first, second = project.GetRenderJobStatus(job), (tmp_path / "out.mov").exists()
        assert (first["JobStatus"], first["CompletionPercentage"], second) == ("Renderizando", 50, False)
        last = project.GetRenderJobStatus(job)
        assert (last["JobStatus"], last["CompletionPercentage"]) == ("Concluído", 100)
        assert (tmp_path / "out.mov").exists()
        assert project.IsRenderingInProgress() is False

    def test_a_stopped_one_leaves_no_file(self, project: Any, tmp_path: Path) -> None:
        job = project.AddRenderJob()
        project.StartRendering(job)
        project.GetRenderJobStatus(job)
        assert project.StopRendering() is None
        assert project.GetRenderJobStatus(job)["CompletionPercentage"] < 100
        assert list(tmp_path.glob("*.mov")) == []

    def test_jobs_want_the_deliver_page_and_a_folder(self, reel: Film, project: Any) -> None:
        reel.editor.page = "edit"
        assert project.AddRenderJob() == ""
        reel.editor.page = "deliver"
        project.SetRenderSettings({"TargetDir": "/no/such/folder"})
        assert project.AddRenderJob() == ""
        assert reel.editor.modal

    def test_settings_add_up_and_words_are_no_numbers(self, project: Any) -> None:
        assert project.SetRenderSettings({"AlphaMode": 1}) is False
        assert project.SetRenderSettings({"ExportAlpha": True}) is False
        assert project.SetCurrentRenderFormatAndCodec("mov", "Apple ProRes 4444") is False
        assert project.SetCurrentRenderFormatAndCodec("mov", "ProRes4444") is True
        assert project.SetRenderSettings({"ExportAlpha": True}) is True
        assert project.SetRenderSettings({"AlphaMode": 1}) is True
        assert project.SetRenderSettings({"AlphaMode": "straight"}) is False
        assert project.SetRenderSettings({"MarkIn": "86400"}) is False
        assert project.SetRenderSettings({"IsExportVideo": True}) is True
        assert project.SetRenderSettings(None) is False

    def test_after_the_audio_preset_there_is_no_picture(self, reel: Film, project: Any) -> None:
        assert project.LoadRenderPreset("Nothing") is False
        assert project.LoadRenderPreset("Audio Only") is True
        assert project.SetRenderSettings({"ExportVideo": True}) is True
        assert reel.project.render_settings["ExportVideo"] is False

    def test_marks_are_absolute(self, project: Any) -> None:
        project.SetRenderSettings({"MarkIn": 0, "MarkOut": 10})
        assert project.AddRenderJob() == ""
        project.SetRenderSettings({"MarkIn": 86400, "MarkOut": 86410})
        assert project.AddRenderJob()
        assert [job["MarkOut"] for job in project.GetRenderJobList()] == [86410]

    @pytest.mark.parametrize(("profile", "codecs"), [("studio_21_0", 0), ("studio_21_1", 1)])
    def test_wav_has_a_codec_from_21_1_on(self, make_editor: Make, profile: str, codecs: int) -> None:
        editor = make_editor(profile)
        editor.add_project()
        assert len(project_of(editor).GetRenderCodecs("wav")) == codecs


def _export(editor: Editor, path: Path) -> dict[str, Any]:
    resolve = editor.resolve()
    assert timeline_of(editor).Export(str(path), resolve.EXPORT_OTIO, resolve.EXPORT_NONE) is True
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


class TestExport:
    @pytest.mark.parametrize("kind", ["EXPORT_OTIO", "otio", 14, True, None, 999.0])
    def test_only_the_editors_own_constants_are_taken(self, reel: Film, tmp_path: Path, kind: Any) -> None:
        path = tmp_path / "out.otio"
        assert timeline_of(reel.editor).Export(str(path), kind, 0.0) is False
        assert not path.exists()

    def test_the_shape_is_resolves(self, reel: Film, tmp_path: Path) -> None:
        document = _export(reel.editor, tmp_path / "out.otio")
        assert document["OTIO_SCHEMA"] == "Timeline.1"
        assert document["global_start_time"]["value"] == 86400.0
        tracks = document["tracks"]["children"]
        assert [track["name"] for track in tracks] == [
            "Video 1",
            "Video 2",
            "MASK violin | not trumpet",
            "Dialogue",
            "Audio 2",
        ]
        assert [track["enabled"] for track in tracks] == [True, True, False, True, True]
        assert [track["metadata"]["Resolve_OTIO"]["Locked"] for track in tracks][1] is True
        first, dissolve, second, gap, fast = tracks[0]["children"]
        assert [one["OTIO_SCHEMA"] for one in (first, dissolve, gap)] == ["Clip.2", "Transition.1", "Gap.1"]
        reference = second["media_references"]["DEFAULT_MEDIA"]
        assert reference["target_url"] == reel.second.media.path
        assert reference["available_range"]["start_time"]["value"] == 864_000.0
        assert second["source_range"]["start_time"]["value"] == 864_005.0
        [warp] = [one for one in fast["effects"] if one["OTIO_SCHEMA"] == "LinearTimeWarp.1"]
        assert (warp["time_scalar"], fast["source_range"]["duration"]["value"]) == (2.0, 24.0)
        title = tracks[1]["children"][1]["media_references"]["DEFAULT_MEDIA"]
        assert title["OTIO_SCHEMA"] == "MissingReference.1"

    def test_hidden_data_of_markers_is_dropped(self, reel: Film, tmp_path: Path) -> None:
        timeline_of(reel.editor).AddMarker(70, "Sky", "n", "note", 4, "hidden data")
        assert "hidden data" not in json.dumps(_export(reel.editor, tmp_path / "out.otio"))


class TestImport:
    def _import(self, reel: Film, path: Path, document: dict[str, Any], **options: Any) -> Any:
        path.write_text(json.dumps(document), "utf-8")
        return pool_of(reel.editor).ImportTimelineFromFile(str(path), {"timelineName": "Again", **options})

    def test_its_own_export_comes_back_the_same(
        self, editor: Editor, media_folder: Folder, tmp_path: Path
    ) -> None:
        made = film(editor, media_folder("25"), rate="25", change=crowded)
        document = _export(editor, tmp_path / "out.otio")
        again = self._import(made, tmp_path / "in.otio", document)
        assert again.GetName() == "Again" == timeline_of(editor).GetName()
        second = _export(editor, tmp_path / "again.otio")
        assert second | {"name": ""} == document | {"name": ""}

    @pytest.mark.parametrize(
        "change",
        [
            lambda clip: clip.update(OTIO_SCHEMA="Clip.1"),
            lambda clip: clip.pop("metadata"),
            lambda clip: clip.pop("enabled"),
            lambda clip: clip.update(source_range=None),
            lambda clip: clip["source_range"]["start_time"].update(value=5.0),
            lambda clip: clip.update(active_media_reference_key="other"),
            lambda clip: clip["media_references"]["DEFAULT_MEDIA"].pop("available_range"),
            lambda clip: clip["media_references"]["DEFAULT_MEDIA"].update(
                OTIO_SCHEMA="ImageSequenceReference.1"
            ),
            lambda clip: clip["media_references"]["DEFAULT_MEDIA"].update(target_url="/gone/shot.mov"),
            lambda clip: clip["media_references"]["DEFAULT_MEDIA"].update(target_url="file:///gone.mov"),
            lambda clip: clip.update(effects=5),
            lambda clip: clip["media_references"].update(DEFAULT_MEDIA=None),
        ],
    )
    def test_any_other_shape_is_refused(self, reel: Film, tmp_path: Path, change: Change) -> None:
        document = _export(reel.editor, tmp_path / "out.otio")
        change(document["tracks"]["children"][0]["children"][2])
        before = reel.editor.state()
        assert self._import(reel, tmp_path / "in.otio", document) is None
        assert differences(before, reel.editor.state()) == []

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"OTIO_SCHEMA": "Timeline.1"}', '{"tracks": 3}'])
    def test_a_file_that_is_no_timeline(self, reel: Film, tmp_path: Path, text: str) -> None:
        path = tmp_path / "in.otio"
        path.write_text(text, "utf-8")
        assert pool_of(reel.editor).ImportTimelineFromFile(str(path), {}) is None
        assert pool_of(reel.editor).ImportTimelineFromFile("in.otio", {}) is None

    def test_a_name_that_is_taken(self, reel: Film, tmp_path: Path) -> None:
        document = _export(reel.editor, tmp_path / "out.otio")
        assert self._import(reel, tmp_path / "in.otio", document, timelineName="Reel 1") is None

    def test_unknown_metadata_is_dropped(self, reel: Film, tmp_path: Path) -> None:
        document = _export(reel.editor, tmp_path / "out.otio")
        document["metadata"]["sagafoley"] = {"version": 1}
        assert self._import(reel, tmp_path / "in.otio", document) is not None
        assert "sagafoley" not in json.dumps(_export(reel.editor, tmp_path / "again.otio"))

    @pytest.mark.parametrize(
        ("profile", "sources", "online"),
        [
            ("studio_20_3", True, True),
            ("studio_20_3", False, False),
            ("studio_21_1", True, None),
            ("studio_21_1", False, True),
        ],
    )
    def test_media_that_is_in_the_pool_already(  # noqa: PLR0917
        self,
        make_editor: Make,
        media_folder: Folder,
        tmp_path: Path,
        profile: str,
        sources: bool,
        online: bool | None,
    ) -> None:
        editor = make_editor(profile)
        made = film(editor, media_folder("24"))
        made.project.root.folders[0].items.clear()
        if online is None:
            made.project.root.items.append(made.picture)
        document = _export(editor, tmp_path / "out.otio")
        again = self._import(made, tmp_path / "in.otio", document, importSourceClips=sources)
        assert (again is None) == (online is None)
        if online is not None:
            item = timeline_of(editor).GetItemListInTrack("video", 1)[0].GetMediaPoolItem()
            assert item.GetClipProperty()["Online Status"] == ("Online" if online else "Offline")

    def test_options_of_some_builds(self, reel: Film, tmp_path: Path) -> None:
        document = _export(reel.editor, tmp_path / "out.otio")
        assert self._import(reel, tmp_path / "in.otio", document, sourceClipsPath="/moved/away") is None
        reel.editor.options.otio_titles_fail = True
        assert self._import(reel, tmp_path / "in.otio", document) is None


def test_the_mailbox_has_one_slot_and_answers_only_while_its_loop_runs(tmp_path: Path) -> None:
    request, preferences = tmp_path / "request.lua", tmp_path / "Fusion.prefs"
    answered = threading.Event()

    def answer(text: str) -> dict[str, str]:
        answered.set()
        return {"asked": text}

    box = Mailbox(request, preferences, answer)
    request.write_text("return 1", "utf-8")
    box.start()
    assert answered.wait(30)
    box.stop()
    reply = json.dumps({"asked": "return 1"}).encode().hex()
    assert preferences.read_text("utf-8") == f'{{\n\t["{SLOT}"] = "{reply}",\n}}\n'
    assert not request.exists()
    request.write_text("return 2", "utf-8")
    assert request.exists(), "nobody looks any more"
