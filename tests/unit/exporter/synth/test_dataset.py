"""Scenes on disk in the layout of Segmented Music Solos."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from exporter.errors import ExportError
from exporter.synth.__main__ import main
from exporter.synth.dataset import METADATA, read_metadata, write_scenes
from exporter.synth.generating import generate
from exporter.synth.settings import SceneSettings

TINY = SceneSettings(size=64, seconds=1.28, objects=(2, 2), silent_object=0, idle=0)


def decoded(path: Path) -> np.ndarray:
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_files_hold_the_scene(tmp_path: Path) -> None:
    rows = list(write_scenes(tmp_path, (3,), TINY))
    scene = generate(3, TINY)
    assert [row.filename for row in rows] == ["scene00000003_0.mp4", "scene00000003_1.mp4"]
    assert read_metadata(tmp_path) == tuple(rows)
    assert (rows[0].split, rows[0].start_msec, rows[0].end_msec) == ("train", 0, 1280)
    assert rows[1].redefined_label == scene.objects[1].caption
    picture = decoded(tmp_path / "videos" / rows[1].filename)
    assert picture.shape == scene.frames.shape
    assert np.abs(picture.astype(int) - scene.frames).mean() < 12
    mask = decoded(tmp_path / "videos" / "scene00000003_1_mask.mp4")[..., 0] > 127
    assert np.mean(mask != (scene.mask(1) > 0)) < 0.01
    stem, rate = soundfile.read(tmp_path / "stems" / "scene00000003_1.wav", dtype="float32")
    assert rate == 44100
    assert np.abs(stem - scene.objects[1].wet).max() < 1e-6
    mixture, _ = soundfile.read(tmp_path / "mixtures" / "scene00000003.wav", dtype="float32")
    assert np.abs(mixture - scene.mixture).max() < 1e-6
    events = json.loads((tmp_path / "events" / "scene00000003_1.json").read_text("utf-8"))
    assert [event["time"] for event in events["events"]] == pytest.approx(scene.objects[1].score.times)
    assert events["class"] == scene.objects[1].name


def test_the_sound_of_a_video_is_its_object_in_time(tmp_path: Path) -> None:
    list(write_scenes(tmp_path, (3,), TINY))
    with av.open(tmp_path / "videos" / "scene00000003_0.mp4") as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    wet = generate(3, TINY).objects[0].wet
    length = min(len(heard), len(wet))
    assert np.corrcoef(heard[:length], wet[:length])[0, 1] > 0.8


def test_every_nth_scene_is_for_validation_and_whole_scenes_are_kept(tmp_path: Path) -> None:
    first = list(write_scenes(tmp_path, (4, 5), TINY, validation=5))
    assert {row.split for row in first if row.YTID.startswith("scene00000005")} == {"val"}
    assert {row.split for row in first if row.YTID.startswith("scene00000004")} == {"train"}
    video = tmp_path / "videos" / first[0].filename
    before = video.stat().st_mtime_ns
    again = list(write_scenes(tmp_path, (4, 5, 6), TINY, validation=5))
    assert again[: len(first)] == first
    assert len(read_metadata(tmp_path)) == len(again) > len(first)
    assert video.stat().st_mtime_ns == before
    assert not list(tmp_path.rglob("*.part"))


def test_scenes_of_other_settings_are_made_again(tmp_path: Path) -> None:
    list(write_scenes(tmp_path, (4,), TINY))
    list(write_scenes(tmp_path, (4,), replace(TINY, size=48)))
    assert decoded(tmp_path / "videos" / "scene00000004_0.mp4").shape[1:3] == (48, 48)
    (tmp_path / "events" / "scene00000004.json").write_text("{broken")
    assert list(write_scenes(tmp_path, (4,), TINY)) == list(read_metadata(tmp_path))


def test_a_folder_that_cannot_be_written_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main([str(tmp_path / "taken"), "--scenes", "1", "--size", "32", "--seconds", "0.64"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_writes_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), "--scenes", "1", "--size", "32", "--seconds", "0.64"]) == 0
    assert METADATA in capsys.readouterr().out
    assert read_metadata(tmp_path / "out")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "a,b\n1,2\n",
        "subset,YTID,filename,redefined_label,split,start_msec,end_msec\nx,x,x,x,x,soon,later\n",
    ],
)
def test_other_tables_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / METADATA).write_text(content)
    with pytest.raises(ExportError, match="metadata"):
        read_metadata(tmp_path)
