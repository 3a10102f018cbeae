"""`sagafoley mask`: from a lasso to a matte, to a timeline, to a stem; corrections; refusals in words."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import opentimelineio as otio
import pytest
import soundfile

from plugin.masks.colour_cut import ColourCut
from plugin.masks.document_files import read_document
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.makers import Tracked
from plugin.masks.prompts import Box, Click
from plugin.media.mattes import MatteReader
from plugin.one_video import matte_media
from tests.cli.conftest import Sagafoley
from tests.cli.made_shot import (
    FRAMES,
    HEIGHT,
    RATE,
    WIDTH,
    centre,
    draw,
    lasso,
    likeness,
    make_shot,
    true_mask,
)
from tests.cli.made_timelines import clip, track
from tests.media_factory import make_truncated

LASSO = ("--lasso", *lasso(), "--label", "ball")


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    return make_shot(folder / "shot.mp4").path


def masks_of(matte: Path, count: int = FRAMES) -> list[np.ndarray]:
    with MatteReader.open(matte_media(matte, rate=Fraction(RATE))) as reader:
        return list(reader.frames_at([Fraction(number, RATE) for number in range(count)]))


def folder_of(shot: Path) -> list[str]:
    return sorted(path.name for path in shot.parent.iterdir())


def test_a_lasso_becomes_a_matte_beside_the_video(sagafoley: Sagafoley, shot: Path) -> None:
    ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 0, ran.err
    matte, prompts = (Path(line) for line in ran.lines)
    assert matte == shot.with_name("shot_ball_matte_v01")
    assert prompts == shot.with_name("shot_ball_matte_v01.prompts.json")
    assert "ball: 30 frames, colour cut and flow tracker, no model; confidence" in ran.err
    found = masks_of(matte)
    assert len(list(matte.iterdir())) == FRAMES
    assert np.mean([likeness(mask, number) for number, mask in enumerate(found)]) > 0.9
    document = read_document(prompts)
    assert (document.first, document.last, document.tracker.name) == (0, FRAMES - 1, "flow")
    assert document.objects[0].label == "ball"


def test_the_same_line_gives_the_same_bytes_under_the_next_version(sagafoley: Sagafoley, shot: Path) -> None:
    first, again = (Path(sagafoley("mask", shot, *LASSO).lines[0]) for _ in range(2))
    assert again.name == "shot_ball_matte_v02"
    pictures = [[path.read_bytes() for path in sorted(matte.iterdir())] for matte in (first, again)]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(("form", "name"), [("ffv1", "ball.mkv"), ("prores4444", "ball.mov")])
def test_movies_by_format_or_by_name(sagafoley: Sagafoley, shot: Path, form: str, name: str) -> None:
    by_format = Path(sagafoley("mask", shot, *LASSO, "--range", "0:5", "--format", form).lines[0])
    by_name = Path(sagafoley("mask", shot, *LASSO, "--range", "0:5", "-o", shot.parent / name).lines[0])
    assert by_format.name == "shot_ball_matte_v01" + by_name.suffix
    assert by_name == shot.parent / name
    assert likeness(masks_of(by_name, 6)[5], 5) > 0.9
    assert sagafoley("mask", shot, *LASSO, "-o", shot.parent / name).told("is there already")
    odd = sagafoley("mask", shot, *LASSO, "-o", shot.parent / "x.mkv", "--format", "png")
    assert odd.told("cannot be called x.mkv")


def test_a_box_points_and_given_masks(sagafoley: Sagafoley, shot: Path, tmp_path: Path) -> None:
    x, y = centre(10)
    box = f"{x - 24},{y - 24},{x + 24},{y + 24}"
    marks = ("--frame", "10", "--box", box, "--point", f"{x},{y}", "5,5,-", "--range", "8:12")
    ran = sagafoley("mask", shot, *marks, "--json", "-o", tmp_path / "mattes")
    assert ran.code == 0, ran.err
    said = ran.document
    assert (said["label"], said["first_frame"], said["frames"], said["followed"]) == ("object", 8, 5, 4)
    assert said["makers"]["words"] == "colour cut and flow tracker, no model"
    assert Path(said["matte"]).parent == tmp_path / "mattes"
    (keyframe,) = read_document(Path(said["prompts"])).objects[0].keyframes
    assert [type(one) for one in keyframe.gestures] == [Box, Click, Click]
    cv2.imwrite(str(tmp_path / "true.png"), true_mask(4).astype(np.uint8) * 255)
    given = sagafoley(
        "mask", shot, "--keyframe", f"4={tmp_path / 'true.png'}", "--range", "4:4", "-o", tmp_path
    )
    assert given.code == 0, given.err
    (picture,) = Path(given.lines[0]).iterdir()
    assert picture.name.endswith("_matte_v01.0004.png")
    assert likeness(cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE), 4) == 1
    painted = read_document(Path(given.lines[1])).objects[0].keyframes[0].painted
    assert (tmp_path / painted).is_file()


def test_a_correction_adds_to_what_was_saved_and_follows_only_its_neighbours(
    sagafoley: Sagafoley, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = sagafoley("mask", shot, *LASSO).lines[1]
    followed: list[tuple[int, int]] = []
    real = FlowTracker.track

    def counted(self: FlowTracker, frames: Any, keys: Any, *, first: int, last: int, **more: Any) -> Any:
        followed.append((first, last))
        return real(self, frames, keys, first=first, last=last, **more)

    monkeypatch.setattr(FlowTracker, "track", counted)
    lines = sagafoley("mask", "--prompts", prompts, "--frame", 20, "--lasso", *lasso(20)).lines
    assert followed == [(0, 20), (20, 29)]
    assert [Path(line).name for line in lines] == ["shot_ball_matte_v02", "shot_ball_matte_v02.prompts.json"]
    followed.clear()
    last = sagafoley("mask", "--prompts", lines[1], "--frame", 25, "--lasso", *lasso(25)).lines
    assert followed == [(20, 25), (25, 29)]
    assert [one.frame for one in read_document(Path(last[1])).objects[0].keyframes] == [0, 20, 25]
    assert [one.frame for one in read_document(Path(prompts)).objects[0].keyframes] == [0]


def test_points_correct_the_mask_that_a_frame_has(sagafoley: Sagafoley, shot: Path) -> None:
    prompts = sagafoley("mask", shot, *LASSO, "--range", "0:8").lines[1]
    x, y = centre(6)
    ran = sagafoley("mask", "--prompts", prompts, "--frame", 6, "--point", f"{x},{y}")
    assert ran.code == 0, ran.err
    keyframe = read_document(Path(ran.lines[1])).objects[0].keyframes[1]
    assert keyframe.painted
    assert likeness(masks_of(Path(ran.lines[0]), 7)[6], 6) > 0.85


def test_an_object_that_seems_lost_stops_with_three_ways_to_go_on(
    sagafoley: Sagafoley, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsure(self: FlowTracker, frames: Any, keys: Any, *, first: int, last: int, **_more: Any) -> Any:
        mask = keys[min(keys)]
        yield from (
            Tracked(at, mask, 0.1 if at > 9 else 0.9) for at in range(first, last + 1) if at not in keys
        )

    monkeypatch.setattr(FlowTracker, "track", unsure)
    ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 1
    assert "Stopped at frame 10: The object may be gone or changed." in ran.err
    assert "14 of 29 frames are followed and kept" in ran.err
    prompts = shot.with_name("shot_ball_matte_v01.prompts.json")
    assert f"--prompts {prompts} --absent 10" in ran.err
    assert folder_of(shot) == ["shot.mp4", prompts.name]
    gone = sagafoley("mask", "--prompts", prompts, "--absent", 10)
    assert gone.code == 0, gone.err
    assert Path(gone.lines[0]).name == "shot_ball_matte_v01"
    found = masks_of(Path(gone.lines[0]))
    assert (found[9].any(), found[10].any(), found[29].any()) == (True, False, False)
    on = sagafoley("mask", shot, *LASSO, "--go-on", "--json")
    assert (on.code, on.document["confidence"]["weak_frames"]) == (0, list(range(10, 30)))


def test_a_film_that_is_cut_short_is_marked_as_far_as_it_goes_and_told(
    sagafoley: Sagafoley, tmp_path: Path
) -> None:
    cut = make_truncated(tmp_path / "cut.mp4").path
    cv2.imwrite(str(tmp_path / "given.png"), np.full((64, 96), 255, np.uint8))
    ran = sagafoley("mask", cut, "--keyframe", f"0={tmp_path / 'given.png'}", "--range", "0:0")
    assert ran.code == 0, ran.err
    assert "warning: cut.mp4 is incomplete: it should go on after frame" in ran.err
    assert ": 1 frame, " in ran.err


def test_a_new_shot_is_told(sagafoley: Sagafoley, tmp_path: Path) -> None:
    def cut(frame: int) -> np.ndarray:
        return draw(frame) if frame < 12 else 255 - draw(frame)

    shot = make_shot(tmp_path / "two.mp4", draw=cut).path
    ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 0, ran.err
    assert "A new shot begins at frame 12; ball is not followed into it." in ran.err
    found = masks_of(Path(ran.lines[0]))
    assert (found[11].any(), found[12].any()) == (True, False)


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    sagafoley: Sagafoley, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FlowTracker.track

    def interrupted(self: FlowTracker, *given: Any, **more: Any) -> Any:
        for number, tracked in enumerate(real(self, *given, **more)):
            if number == 5:
                signal.raise_signal(signal.SIGINT)
            yield tracked

    with monkeypatch.context() as patched:
        patched.setattr(FlowTracker, "track", interrupted)
        ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 130
    assert "of 29 frames are followed and kept" in ran.err
    prompts = shot.with_name("shot_ball_matte_v01.prompts.json")
    assert f"Go on with: sagafoley mask --prompts {prompts}" in ran.err
    assert folder_of(shot) == ["shot.mp4", prompts.name]
    same_line = sagafoley("mask", shot, *LASSO)
    assert Path(same_line.lines[0]).name == "shot_ball_matte_v01"
    assert len(masks_of(Path(same_line.lines[0]))) == FRAMES


def test_ctrl_c_before_anything_is_followed_keeps_the_marks(
    sagafoley: Sagafoley, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ColourCut.segment

    def interrupted(self: ColourCut, *given: Any, **more: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(self, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ColourCut, "segment", interrupted)
        ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 130
    prompts = shot.with_name("shot_ball_matte_v01.prompts.json")
    assert "Cancelled. What you marked is kept." in ran.err
    assert f"Go on with: sagafoley mask --prompts {prompts}" in ran.err
    assert folder_of(shot) == ["shot.mp4", prompts.name]
    assert len(read_document(prompts).objects[0].keyframes) == 1


KILLED = """
import os, sys
from plugin.cli import main
from plugin.masks.flow_tracker import FlowTracker
real = FlowTracker.track
def killed(self, *given, **more):
    for number, tracked in enumerate(real(self, *given, **more)):
        yield tracked
        if number == 6:
            os.kill(os.getpid(), 9)
FlowTracker.track = killed
main(sys.argv[1:])
"""


def test_killed_in_the_middle_it_goes_on(sagafoley: Sagafoley, shot: Path) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, "mask", shot, *LASSO], check=False)
    assert child.returncode == -9
    ran = sagafoley("mask", shot, *LASSO)
    assert ran.code == 0, ran.err
    assert folder_of(shot) == ["shot.mp4", "shot_ball_matte_v01", "shot_ball_matte_v01.prompts.json"]
    afresh = sagafoley("mask", shot, *LASSO)
    kept, again = (
        [path.read_bytes() for path in sorted(Path(one.lines[0]).iterdir())] for one in (ran, afresh)
    )
    assert kept == again


def timeline_with(shot: Path, *, first: int = 3, count: int = 24) -> Path:
    timeline = otio.schema.Timeline("film", global_start_time=otio.opentime.RationalTime(86400, RATE))
    timeline.tracks.append(track("V1", clip("shot", shot, first, count)))
    path = shot.with_name("film.otio")
    otio.adapters.write_to_file(timeline, str(path))
    return path


def test_onto_a_timeline_and_on_to_a_stem(sagafoley: Sagafoley, shot: Path, tmp_path: Path) -> None:
    """With the bundle that ships with the code: lasso, matte, timeline, spot, stem."""
    film = timeline_with(shot)
    before = film.read_bytes()
    ran = sagafoley("mask", shot, *LASSO, "--timeline", film)
    assert ran.code == 0, ran.err
    masked = Path(ran.lines[-1])
    assert masked == film.with_name("film_masks.otio")
    assert film.read_bytes() == before
    spots = sagafoley("spots", masked, "--json").document
    (cue,) = spots["cues"]
    assert (cue["label"], cue["start"], cue["end"]) == ("ball", "01:00:00:00", "01:00:01:00")
    assert spots["problems"] == []
    fast = ("--provider", "cpu", "--threads", "1", "--steps", "1", "--guidance", "1")
    rendered = sagafoley("render", masked, "-o", tmp_path / "stems", *fast)
    assert rendered.code == 0, rendered.err
    stem = soundfile.info(rendered.lines[0])
    assert (stem.frames, stem.samplerate) == (48_000, 48_000)
    written = otio.adapters.read_from_file(rendered.lines[1])
    assert [one.name for one in written.tracks] == ["V1", "MASK ball", "FOLEY ball"]


def test_with_a_timeline_the_matte_is_as_long_as_what_it_shows(sagafoley: Sagafoley, shot: Path) -> None:
    film = timeline_with(shot, first=14, count=6)
    said = sagafoley("mask", shot, *LASSO, "--timeline", film, "--handles", "2", "--json").document
    assert (said["first_frame"], said["frames"]) == (12, 10)
    (placed,) = said["placed"]
    assert placed == {"track": "MASK ball", "record_seconds": ["3600", "14401/4"]}
    other = make_shot(shot.with_name("other.mp4")).path
    assert sagafoley("mask", other, *LASSO, "--timeline", film).told("film.otio shows no frame of other.mp4")
    part = sagafoley("mask", shot, *LASSO, "--timeline", film, "--range", "0:4")
    assert part.told("shows none of the frames 0 to 4")


def test_the_preview_is_a_picture(sagafoley: Sagafoley, shot: Path, tmp_path: Path) -> None:
    ran = sagafoley("mask", shot, *LASSO, "--range", "0:11", "--preview", tmp_path / "sheet.png")
    assert ran.lines[-1] == str(tmp_path / "sheet.png")
    sheet = cv2.imread(ran.lines[-1])
    assert sheet.shape[1] == 4 * 480
    assert sheet.shape[0] == 3 * round(480 * HEIGHT / WIDTH)
    green = (np.abs(sheet.astype(int) - (100, 220, 80)) < 40).all(axis=2)
    assert green[: sheet.shape[0] // 3, :480].sum() > 100


X, Y = centre(0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ((), "Nothing says which object is meant"),
        (("--point", "5000,5"), "lies outside the picture"),
        (("--box=-99,-99,-9,-9",), "lies outside the picture"),
        (("--lasso", "1,1", "5,5"), "needs three places"),
        (("--text", "ball"), "finds 'ball' by words"),
        (("--text", "drum " * 30), "characters, more than 100"),
        (("--text", " "), "There is no word to look for"),
        (("--text", "ball", "--box", "1,1,9,9"), "both say where the object is"),
        (("--candidate", "2", "--box", "1,1,9,9"), "--candidate chooses among places"),
        (("--absent", "3"), "No frame shows where the object is"),
        (("--box", "1,1,9,9", "--frame", "30"), "has no frame 30: its last one is 29"),
        (("--box", "1,1,9,9", "--range", "4:99"), "has no frame 99"),
        (("--keyframe", "3=nowhere.png"), "nowhere.png is not there"),
        (("--box", "1,1,9,9", "--maker", "sam9"), "no makers of masks called 'sam9'"),
        (("--box", "1,1,9,9", "--timeline", "nowhere.otio"), "nowhere.otio"),
    ],
)
def test_refusals_write_nothing(
    sagafoley: Sagafoley, shot: Path, line: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shot.parent)
    ran = sagafoley("mask", "shot.mp4", *line)
    assert ran.code == 2
    assert ran.told(words), ran.err
    assert folder_of(shot) == ["shot.mp4"]


@pytest.mark.parametrize(
    "line",
    [
        ("--box", "1,1,1,9"),
        ("--box", "1,2,3"),
        ("--point", "1"),
        ("--point", "nan,1"),
        ("--range", "5"),
        ("--range", "9:5"),
        ("--frame", "-1"),
        ("--keyframe", "a=b.png"),
        ("--format", "h264"),
    ],
)
def test_what_cannot_be_typed(sagafoley: Sagafoley, line: tuple[str, ...]) -> None:
    ran = sagafoley("mask", "shot.mp4", *line)
    assert ran.code == 2
    assert "Type for example: sagafoley mask shot.mp4" in ran.err


def test_prompts_of_another_film_and_none_at_all(sagafoley: Sagafoley, shot: Path) -> None:
    prompts = Path(sagafoley("mask", shot, *LASSO, "--range", "0:3").lines[1])
    assert sagafoley("mask", "--prompts", shot.with_name("no.json"), *LASSO).told("cannot be read")
    assert sagafoley("mask").told("No video was given")
    assert sagafoley("mask", "--prompts", prompts, *LASSO).told("which frame is corrected")
    make_shot(shot, draw=lambda frame: draw(FRAMES - frame))
    assert sagafoley("mask", "--prompts", prompts).told("made for another shot.mp4")
    broken = json.loads(prompts.read_text())
    prompts.write_text(json.dumps(broken | {"range": [0]}))
    assert sagafoley("mask", "--prompts", prompts).told("is damaged: range is not")
