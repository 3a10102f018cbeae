"""One video, no timeline: a stem, a preview whose picture is a copy, and refusals in words."""

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
import soundfile

from plugin.cues import Resize
from plugin.errors import UndecodableMedia
from plugin.folders import Folders
from plugin.one_video import VideoRequest, sheet_of_video
from plugin.workspace import Workspace
from tests.cli.conftest import GOLDEN
from tests.cli.made_timelines import box, nothing
from tests.media_factory import make_audio_only, make_movie, make_sequence, read_index, write_image

QUICK = ("--bundle", GOLDEN, "--provider", "cpu", "--threads", "1", "--steps", "2")


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    return make_movie(tmp_path / "shot.mp4", rate=24, frames=36, timecode="01:00:00:00").path


@pytest.fixture
def matte(tmp_path: Path) -> Path:
    return make_movie(tmp_path / "matte.mp4", rate=24, frames=36, draw=box).path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_a_stem_and_a_preview(sagafoley, shot: Path, matte: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sagafoley("generate", shot, "--mask", matte, "--prompt", "small bell", "-o", out, *QUICK)
    assert ran.code == 0, ran.err
    names = ["shot_001_small-bell_t01.wav", "shot_001_small-bell_t01_preview.mp4"]
    assert ran.lines == [str(out / name) for name in names]
    assert soundfile.info(ran.lines[0]).frames == 72_000  # 36 frames at 24 fps
    assert packets(Path(ran.lines[1])) == packets(shot)
    with av.open(ran.lines[1]) as preview:
        assert len(preview.streams.audio) == 1


def test_a_part_of_the_video(sagafoley, shot: Path, matte: Path, tmp_path: Path) -> None:
    part = ("--start", "0.25", "--duration", "0.75")
    ran = sagafoley("generate", shot, "--mask", matte, *part, "-o", tmp_path / "out", *QUICK, "--json")
    (stem,) = ran.document["stems"]
    assert stem["samples"] == 36_000
    assert stem["record_seconds"] == ["14401/4", "3601"]
    (preview,) = ran.document["previews"]
    with av.open(preview) as container:
        shown = [read_index(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert shown[0] <= 6
    assert 23 <= shown[-1] <= 28  # to the end, and what the copied group of pictures needs


def test_the_matte_of_a_part_is_its_part_of_the_matte(shot: Path, matte: Path, tmp_path: Path) -> None:
    folders = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    workspace = Workspace.open(folders=folders)
    request = VideoRequest(shot, matte=matte, start=Fraction(1, 4), resize=Resize.CENTER_CROP)
    (cue,) = sheet_of_video(request, workspace, presets=workspace.presets).cues
    spot = cue.spot
    assert (spot.record.start, spot.record.end) == (3600 + Fraction(1, 4), 3600 + Fraction(3, 2))
    assert spot.matte is not None
    assert spot.matte.clip.source_time(spot.record.start) == Fraction(1, 4)
    assert cue.resize is Resize.CENTER_CROP


def test_a_preview_that_cannot_be_made_leaves_the_stem(
    sagafoley, shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Path:
        raise UndecodableMedia("shot.mp4 cannot be copied.", remedy="Transcode it.")

    monkeypatch.setattr("plugin.cli.generate.write_preview", refuse)
    ran = sagafoley("generate", shot, "--prompt", "rain", "-o", tmp_path / "out", *QUICK)
    assert ran.code == 1
    assert ran.lines == [str(tmp_path / "out" / "shot_001_rain_t01.wav")]
    assert ran.told("cannot be copied", "Transcode it.")


def test_resizing_can_be_chosen_and_is_kept_in_the_sidecar(sagafoley, shot: Path, tmp_path: Path) -> None:
    ran = sagafoley("generate", shot, "--resize", "center_crop", "-o", tmp_path / "out", *QUICK, "--json")
    (stem,) = ran.document["stems"]
    assert json.loads(Path(stem["sidecar"]).read_text("utf-8"))["cue"]["resize"] == "center_crop"


def test_without_a_matte_the_whole_frame_sounds(sagafoley, shot: Path) -> None:
    ran = sagafoley("generate", shot, "--prompt", "rain", *QUICK)
    assert ran.code == 0, ran.err
    assert ran.lines[0] == str(shot.with_name("shot_foley") / "shot_001_rain_t01.wav")


def test_without_words_it_still_has_a_name(sagafoley, shot: Path, matte: Path, tmp_path: Path) -> None:
    ran = sagafoley("generate", shot, "--mask", matte, "-o", tmp_path / "out", *QUICK)
    assert Path(ran.lines[0]).name == "shot_001_sound_t01.wav"


@pytest.mark.parametrize("given", ["folder", "pattern"])
def test_an_image_sequence_as_matte(sagafoley, shot: Path, tmp_path: Path, given: str) -> None:
    folder = make_sequence(tmp_path / "m", count=36).path
    mask = folder if given == "folder" else folder / "shot.%04d.png"
    ran = sagafoley("generate", shot, "--mask", mask, "-o", tmp_path / "out", *QUICK)
    assert ran.code == 0, ran.err


def test_inverting_finds_the_object_in_a_black_matte(sagafoley, shot: Path, tmp_path: Path) -> None:
    black = make_movie(tmp_path / "black.mp4", rate=24, frames=36, draw=nothing).path
    line = ("generate", shot, "--mask", black, "-o", tmp_path / "out", *QUICK)
    refused = sagafoley(*line)
    assert refused.code == 2
    assert refused.told("black.mp4", "no white")
    assert sagafoley(*line, "--invert-mask").code == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--start", "2"], "1.500 s long"),
        (["--duration", "9"], "1.500 s long"),
        (["--preset", "nonsense"], "nonsense"),
        (["--mask", "/no/matte.mp4"], "matte.mp4"),
        (["--mask-channel", "alpha", "--mask", "MATTE"], "alpha"),
        (["--bundle", "huge"], "huge"),
    ],
)
def test_refusals(sagafoley, shot: Path, matte: Path, options: list[str], word: str) -> None:
    given = [str(matte) if option == "MATTE" else option for option in options]
    ran = sagafoley("generate", shot, "-o", shot.with_name("out"), *QUICK, *given)
    assert ran.code == 2
    assert ran.told(word)
    assert not list(shot.parent.rglob("*.wav"))


def test_files_that_are_no_movie(sagafoley, tmp_path: Path) -> None:
    sound = make_audio_only(tmp_path / "sound.mp4")
    still = write_image(tmp_path / "still.png", box(0))
    text = tmp_path / "text.mp4"
    text.write_text("not a movie")
    for path in (sound, still, text, tmp_path / "gone.mp4"):
        ran = sagafoley("generate", path, *QUICK)
        assert ran.code == 2
        assert ran.told(path.name)


def test_a_folder_without_images_is_no_matte(sagafoley, shot: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = sagafoley("generate", shot, "--mask", tmp_path / "empty", *QUICK)
    assert ran.code == 2
    assert ran.told("empty", "image sequence")
