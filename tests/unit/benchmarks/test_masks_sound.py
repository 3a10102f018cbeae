"""Does the sound follow a tracked matte: which frame is marked, what is kept, what the page says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.embedded import scenes_mark
from benchmarks.masks_sound import Matting, followed, known_row, makers_mark, marked_frame
from benchmarks.masks_sound_page import TRACKED, Facts, Matte, SceneFound, kept, opening_of, page
from exporter import synth
from exporter.evaluation.cases import OWN, TRUE, Case, Plan
from exporter.evaluation.matching import Counts, Hits
from exporter.evaluation.scoring import Row, events_of
from exporter.evaluation.table import onset_f1, swap_success
from exporter.synth.settings import SceneSettings
from plugin.errors import BadPrompt
from plugin.masks.makers import Frames, Mask, Picture, Segmented, Tracked
from plugin.masks.prompts import FramePrompts, Lasso

Bytes = npt.NDArray[np.uint8]
FACTS = Facts("`embedded` 1", "2026-01-02")


class Painter:
    """A segmenter that fills what the lassos enclose with their box, or finds nothing."""

    name, version = "painter", "1"

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind
        self.asked: list[FramePrompts] = []

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        self.asked.append(prompts)
        if self.blind:
            raise BadPrompt("Nothing there.", remedy="Draw again.")
        mask = np.zeros(picture.shape[:2], np.uint8)
        for lasso in prompts.gestures:
            assert isinstance(lasso, Lasso)
            xs, ys = zip(*lasso.places, strict=True)
            mask[round(min(ys)) : round(max(ys)), round(min(xs)) : round(max(xs))] = 255
        return Segmented(mask, 1.0)


class Still:
    """A tracker that leaves the mask where it is, surer near the keyframe."""

    name, version = "still", "1"

    def track(
        self, frames: Frames, keyframes: Mapping[int, Mask], *, first: int, last: int, cancel: object = None
    ) -> Iterator[Tracked]:
        ((key, mask),) = keyframes.items()
        for frame in range(last, first - 1, -1):
            assert frames.picture(frame).shape[:2] == mask.shape
            yield Tracked(frame, mask, 1.0 - abs(frame - key) / 10)


def _masks(*areas: int) -> Bytes:
    """Upright bars, ten high, in pictures of 20 x 40."""
    masks = np.zeros((len(areas), 20, 40), np.uint8)
    for mask, area in zip(masks, areas, strict=True):
        mask[5:15, 10 : 10 + area // 10] = 255
    return masks


def test_frame_0_is_marked_where_it_shows_the_object() -> None:
    assert marked_frame(_masks(60, 200, 200)) == 0


def test_else_the_first_frame_that_shows_half_of_the_object() -> None:
    assert marked_frame(_masks(0, 0, 70, 110, 200, 200, 200)) == 3


def test_a_small_object_is_marked_too() -> None:
    assert marked_frame(_masks(0, 20, 20, 20)) == 1


def test_nothing_is_marked_where_nothing_is_seen() -> None:
    assert marked_frame(_masks(0, 0)) is None


def test_the_lasso_is_drawn_in_the_marked_frame_and_tracked_both_ways() -> None:
    true, painter = _masks(0, 100, 100, 100), Painter()
    pictures = np.zeros((4, 20, 40, 3), np.uint8)
    masks, start, sure = followed(pictures, true, segmenter=painter, tracker=Still())
    assert (start, painter.asked[0].frame) == (1, 1)
    assert sure.tolist() == [0.9, 1.0, 0.9, 0.8]
    assert (masks == masks[1]).all()
    assert ((masks[1] == 255) >= (true[1] == 255)).all()
    assert 100 <= np.count_nonzero(masks[1]) <= 196


def test_a_lasso_that_finds_nothing_gives_a_black_matte() -> None:
    masks, start, sure = followed(
        np.zeros((2, 20, 40, 3), np.uint8), _masks(100, 100), segmenter=Painter(blind=True), tracker=Still()
    )
    assert start == 0
    assert not masks.any()
    assert not sure.any()


def test_an_object_that_is_never_seen_gives_a_black_matte() -> None:
    masks, start, _ = followed(
        np.zeros((2, 20, 40, 3), np.uint8), _masks(0, 0), segmenter=Painter(), tracker=Still()
    )
    assert start == -1
    assert not masks.any()


def _row(
    condition: str, thing: int, *, hits: int = 0, beat: int = 0, name: str = "drum", scene: int = 5
) -> Row:
    """Four events of which some are hit; the envelope is loud at `beat`."""
    course = [-1000] * 40
    course[beat] = 0
    return Row(
        condition=condition, scene=scene, things=(thing,), kind="impact", name=name, named=name, heard=name,
        counts=Counts(4, 4, (0.01,) * hits), hits=Hits(2, 1), energy=None, likeness=0.5, level=-20.0,
        lead=None, gain=None, course=tuple(course),
    )  # fmt: skip


def _matte(thing: int, *, mean: float = 0.9, start: int = 0) -> Matte:
    return Matte(5, thing, "drum", start, 0.95, mean, 0.8, 0.1, 2.0)


def _found(*, hits: int, beats: tuple[int, int] = (10, 30)) -> SceneFound:
    """Two objects: all hit with true mattes; tracked ones hit `hits` of four and sound at `beats`."""
    rows = [_row(one, thing, hits=4, beat=10 + 20 * thing) for one in (OWN, TRUE) for thing in (0, 1)]
    rows += [_row(TRACKED, thing, hits=hits, beat=beats[thing]) for thing in (0, 1)]
    return SceneFound(tuple(rows), (_matte(0), _matte(1, mean=0.3, start=4)), 3.5)


def test_what_is_kept_is_a_share_of_the_true_mattes_figure() -> None:
    rows = _found(hits=3).rows
    assert kept([rows], onset_f1) == pytest.approx(0.75)
    assert kept([rows], swap_success) == 1.0
    assert kept([_found(hits=3, beats=(30, 10)).rows], swap_success) == 0.0


def test_nothing_is_kept_of_nothing() -> None:
    silent = tuple(replace(row, counts=Counts(4, 4, ())) for row in _found(hits=0).rows)
    assert np.isnan(kept([silent], onset_f1))


def test_the_page_marks_what_is_not_kept() -> None:
    text = page([_found(hits=3)], FACTS, opening="# Title", draws=9)
    assert text.startswith("# Title\n\n## What was measured\n\n* Measured: 2026-01-02, bundle `embedded` 1")
    impacts, swaps = (line for line in text.splitlines() if line.endswith("| 0.85 |"))
    assert "**0.750 (0.750 to 0.750)**" in impacts
    assert "| 1.000 (1.000 to 1.000) | 0.85" in swaps
    assert "**" not in swaps


def test_the_page_says_how_good_the_mattes_are() -> None:
    text = page([_found(hits=4)], FACTS, draws=9)
    assert "2 objects" in text
    assert "not seen there: 1; nothing found or seen: 0" in text
    assert "In all other frames: 0.600, median 0.600, over 0.7: 50%" in text
    assert "CPU per scene: 4.0 s for the mattes, 3.5 s for their sounds" in text
    assert "| drum | 2 | 0.95 | 0.60 | 1.00 | 1.00 |  |  |" in text


def test_the_object_that_loses_most_comes_first() -> None:
    found = _found(hits=4)
    worse = replace(found.rows[-1], counts=Counts(4, 4, (0.01,)))
    lines = page([replace(found, rows=(*found.rows[:-1], worse))], FACTS, draws=9).splitlines()
    assert lines[-2] == "| 5, 1 | drum | 4 | 0.95 | 0.30 | 0.80 | 10% | 4 | 4 of 4 | 1 of 4 |"
    assert lines[-1].startswith("| 5, 0 |")


def test_what_a_person_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    assert opening_of(path).startswith("# Does the sound follow")
    path.write_text("# Mine\n\nWords.\n\n## What was measured\n\n* old", "utf-8")
    assert opening_of(path) == "# Mine\n\nWords.\n\n"


def test_what_was_found_survives_json() -> None:
    found = _found(hits=2)
    assert SceneFound.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.fixture(scope="module")
def plan() -> Plan:
    settings = SceneSettings(seconds=0.4, size=64, objects=(2, 2), silent_object=0.0, idle=0.0, offscreen=0.0)
    return Plan(scenes=1, few=0, worn=0, settings=settings)


def test_a_row_of_another_object_is_not_taken_for_this_one(plan: Plan) -> None:
    scene = plan.scene(plan.seeds()[0])
    item, there = scene.objects[0], len(events_of(scene, (0,)))
    case = Case(OWN, scene.seed, (0,), item.caption, named=item.name)
    row = replace(_row(OWN, 0, name=item.name, scene=scene.seed), counts=Counts(0, there, ()))
    assert known_row({(OWN, (0,)): row}, case, scene) is row
    assert known_row({(OWN, (0,)): replace(row, name="other")}, case, scene) is None
    assert known_row({(OWN, (0,)): replace(row, counts=Counts(0, there + 1, ()))}, case, scene) is None
    assert known_row({(TRUE, (0,)): row}, case, scene) is None


def test_another_generator_or_other_settings_make_nothing_pass_for_what_was_found(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path(synth.__path__[0]), tmp_path / "synth")
    monkeypatch.setattr(synth, "__path__", [str(tmp_path / "synth")])
    before = scenes_mark(plan), makers_mark(plan)
    assert (scenes_mark(plan), makers_mark(plan)) == before
    other = replace(plan, settings=replace(plan.settings, shake=0.123))
    with (tmp_path / "synth" / "motion.py").open("a") as file:
        file.write("\n# swings further\n")
    for marks in ((scenes_mark(plan), makers_mark(plan)), (scenes_mark(other), makers_mark(other))):
        assert all(one != old for one, old in zip(marks, before, strict=True))


def test_mattes_are_made_once(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = plan.scene(plan.seeds()[0])
    masks, mattes = Matting(plan, tmp_path / "kept").mattes(scene)
    assert masks.shape == (2, *scene.ids.shape)
    assert [one.name for one in mattes] == [one.name for one in scene.objects]
    assert all(0 <= one.mean <= 1 for one in mattes)
    monkeypatch.setattr("benchmarks.masks_sound.followed", None)
    again, told = Matting(plan, tmp_path / "kept").mattes(scene)
    assert (again == masks).all()
    assert told == mattes
