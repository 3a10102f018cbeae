"""Mask mode when something goes wrong: words and a remedy, and nothing that was done is lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.controller.masking import keeping, opening
from plugin.controller.masking.crews import Crew, open_crew
from plugin.controller.masking.desktops import Desktop
from plugin.controller.masking.opening import open_target, prompts_beside
from plugin.controller.masking.propagation import start_child
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.targets import MaskTarget, Shot
from plugin.controller.masking.views import Direction, FrameState, TrackingState
from plugin.cues import ImageSequence, MediaFile
from plugin.errors import MediaMissing, OutputError, UndecodableMedia, UsageError
from plugin.folders import Folders
from plugin.masks import matte_files, results
from plugin.masks.document_files import PaintedMasks, read_document, write_document
from plugin.masks.matte_files import MatteForm
from plugin.masks.results import MaskStore
from plugin.media.mattes import MatteReader
from plugin.workspace import Workspace
from tests.unit.masking_fakes import FakeSegmenter, FakeTracker, crew_of, empty_document, made_film
from tests.unit.masking_stage import LAST, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    for session in made.sessions:
        session.close()


def tracked(stage: Stage) -> MaskSession:
    stage.session.marking.add_object("violin")
    stage.session.marking.click((30, 30))
    stage.track()
    return stage.session


def saved(stage: Stage) -> None:
    before = stage.session.report
    stage.session.save()
    stage.until(lambda: stage.session.report is not before)


def test_a_full_disk_while_saving(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    session = tracked(stage)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(matte_files, "write_pictures", full)
        saved(stage)
    report = session.report
    assert report is not None
    assert report.failed
    assert report.text.startswith("The disk is full")
    assert report.remedy.startswith("Free some space")
    assert stage.states() == "K" + "t" * LAST
    saved(stage)
    assert session.report is not None
    assert not session.report.failed
    folders = [path.name for path in (stage.folder / "out").iterdir() if path.is_dir()]
    assert folders == [Path(session.report.mattes[0].path).name]


def test_prompts_that_cannot_be_saved_are_saved_with_the_next_edit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OutputError("The disk is full.", remedy="Free some space.")

    with monkeypatch.context() as broken:
        broken.setattr(keeping, "write_document", refused)
        stage.session.marking.click((30, 30))
        stage.settle()
    assert stage.session.view().saved == "not saved"
    assert stage.said == ["The disk is full. Free some space."]
    stage.session.marking.click((31, 31))
    stage.settle()
    assert stage.session.view().saved == "saved"
    assert read_document(stage.path) == stage.session.marking.document


def test_a_full_disk_while_tracking(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.session.marking.click((30, 30))
    stage.track(Direction.NEXT)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(results, "_write", full)
        stage.track(Direction.FORWARD)
    view = stage.session.tracking
    assert view is not None
    assert view.state is TrackingState.FAILED
    assert "disk" in view.text
    assert view.remedy
    assert stage.states() == "Kt" + "." * (LAST - 1)
    stage.track(Direction.FORWARD)
    assert stage.states() == "K" + "t" * LAST


def test_saving_says_what_is_black_and_never_writes_over(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no mask"):
        stage.session.save()
    stage.session.marking.add_object("violin")
    stage.session.marking.click((30, 30))
    stage.track(Direction.NEXT)
    saved(stage)
    saved(stage)
    report = stage.session.report
    assert report is not None
    assert "18 of 20 frames of 'violin' are black" in report.text
    assert report.remedy == "Track them, then save again."
    names = sorted(path.name for path in (stage.folder / "out").iterdir())
    assert names == [
        "shot_violin_matte_v01",
        "shot_violin_matte_v01.prompts.json",
        "shot_violin_matte_v02",
        "shot_violin_matte_v02.prompts.json",
    ]


def test_a_keyframe_that_finds_nothing_is_named_before_anything_is_written(stage: Stage) -> None:
    tracked(stage)
    stage.session.show(9)
    stage.settle()
    stage.session.marking.delete_keyframe(0)
    stage.session.marking.stroke([(80, 60)], radius=3, paints=False)
    stage.session.marking.click((30, 30))
    stage.session.show(4)
    stage.settle()
    stage.session.marking.lasso([(1, 1), (9, 1), (9, 9)])
    stage.session.marking.stroke([(1, 1)], radius=40, paints=False)
    stage.settle()
    saved(stage)
    report = stage.session.report
    assert report is not None
    assert report.failed
    assert report.text == "The keyframe of 'violin' at frame 4 has no mask."
    assert "delete that keyframe" in report.remedy
    assert not (stage.folder / "out").exists()


@pytest.mark.parametrize("form", list(MatteForm))
def test_export_writes_each_form_with_its_prompts(stage: Stage, tmp_path: Path, form: MatteForm) -> None:
    session = tracked(stage)
    session.marking.add_object("trumpet")
    session.marking.box((50, 10), (80, 40))
    stage.settle()
    session.export(tmp_path / "elsewhere", form=form, object_ids=("0",))
    stage.until(lambda: session.report)
    assert session.report is not None
    (matte,) = session.report.mattes
    assert (matte.label, matte.track, matte.frames, matte.gaps) == ("violin", "", 20, 0)
    path = Path(matte.path)
    beside = path.with_name(f"{path.stem if form is not MatteForm.PNG else path.name}.prompts.json")
    document = read_document(beside)
    assert [one.label for one in document.objects] == ["violin"]
    if form is MatteForm.PNG:
        assert prompts_beside(ImageSequence(path, "x.", ".png", 4, 0, 19, 1, stage.film.rate)) == beside
    else:
        assert prompts_beside(MediaFile(path)) == beside
        with MatteReader.open(MediaFile(path)) as reader:
            (mask,) = reader.frames_at([0])
        assert abs(int((mask > 128).sum()) - 16 * 16) < 10


def crew() -> Crew:
    return crew_of(FakeSegmenter())


def test_damaged_prompts_are_left_alone_and_said(tmp_path: Path) -> None:
    film = made_film(tmp_path)
    target = MaskTarget("shot", film.media)
    store = MaskStore(tmp_path / "store")
    first = open_target(target, folder=tmp_path / "stems", store=store, open_crew=crew)
    first.desktop.path.parent.mkdir(parents=True)
    first.desktop.path.write_text("{ no")
    second = open_target(target, folder=tmp_path / "stems", store=store, open_crew=crew)
    assert second.desktop.path != first.desktop.path
    assert first.desktop.path.read_text() == "{ no"
    (notice,) = second.desktop.notices
    assert first.desktop.path.name in notice
    assert "damaged" in notice


def test_prompts_of_a_matte_are_taken_up_once(tmp_path: Path) -> None:
    film = made_film(tmp_path / "media")
    target = MaskTarget("shot", film.media, label="violin")
    store = MaskStore(tmp_path / "store")
    shot = open_target(target, folder=tmp_path / "a", store=store, open_crew=crew).shot
    matte = tmp_path / "mattes" / "v01.prompts.json"
    document = empty_document(shot.film)
    painted = PaintedMasks(matte.parent, shot.film)
    name = painted.add(np.full((64, 96), 255, np.uint8))
    made = opening._with_object(document, "violin")[0]
    made = made.with_object(0, made.objects[0].with_painted(3, name))
    write_document(matte, made, painted=painted)
    found = open_target(target, folder=tmp_path / "b", store=store, open_crew=crew, document=matte)
    assert found.desktop.document.objects == made.objects
    assert found.desktop.path.parent == tmp_path / "b" / "masks"
    assert (found.desktop.path.parent / name).is_file()


def test_a_matte_of_another_film_is_no_beginning(tmp_path: Path) -> None:
    film = made_film(tmp_path / "media")
    other = tmp_path / "other.prompts.json"
    write_document(other, empty_document(film), painted=PaintedMasks(tmp_path, film))  # its mark is made up
    target = MaskTarget("shot", film.media)
    found = open_target(
        target, folder=tmp_path / "b", store=MaskStore(tmp_path / "s"), open_crew=crew, document=other
    )
    assert found.desktop.document.objects == ()
    assert "another film" in found.desktop.notices[0]


def test_films_that_cannot_be_marked_are_refused_in_words(tmp_path: Path) -> None:
    store = MaskStore(tmp_path / "s")
    with pytest.raises(MediaMissing):
        open_target(
            MaskTarget("x", MediaFile(tmp_path / "no.mov")), folder=tmp_path, store=store, open_crew=crew
        )
    still = tmp_path / "still.png"
    import cv2

    cv2.imwrite(str(still), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(UndecodableMedia, match="single image"):
        open_target(MaskTarget("x", MediaFile(still)), folder=tmp_path, store=store, open_crew=crew)


def test_a_mask_process_killed_in_the_middle(tmp_path: Path) -> None:
    """The real process, ended by SIGKILL while it tracks; the next goes on where it was."""
    film = made_film(tmp_path / "media", frames=16)
    shot = Shot(MaskTarget("shot", film.media), film, 0, 15, 0, 15)
    folders = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    made = open_crew(Workspace.open(folders=folders))
    document = empty_document(film).with_makers(segmenter=made.segmenter, tracker=FakeTracker())
    document = opening._taken_up(document, shot, made)
    desktop = Desktop(
        made, MaskStore(tmp_path / "store"), document, tmp_path / "p.prompts.json", tmp_path / "out"
    )
    session = MaskSession(shot, desktop, start=start_child)
    said: list[str] = []

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            said.extend(session.beat().messages)
            assert time.monotonic() < end, said
            time.sleep(0.001)

    session.marking.stroke([(30, 30)], radius=12)
    until(lambda: session.picture and not session.busy)
    session.track(Direction.FORWARD)
    child = session._propagation._child
    until(lambda: session.tracking and session.tracking.done >= 2)
    os.kill(child.process.pid, signal.SIGKILL)  # type: ignore[union-attr]
    until(lambda: not session.busy)
    view = session.tracking
    assert view is not None
    if view.state is TrackingState.FAILED:  # a fast machine may have been through
        assert "kept" in view.text
        assert said == [f"{view.text} {view.remedy}"]
    strip = session.strip()
    assert strip is not None
    kept = sum(one.state is FrameState.TRACKED for one in strip.frames)
    assert kept >= 2
    session.track(Direction.FORWARD)
    until(lambda: not session.busy)
    strip = session.strip()
    assert strip is not None
    assert {one.state for one in strip.frames[1:]} == {FrameState.TRACKED}
    session.close()
    json.loads((tmp_path / "p.prompts.json").read_text())
