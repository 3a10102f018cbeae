"""`sagafoley mask --text`: places are told with numbers, and one of them becomes the mark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin.cli import mask_words
from plugin.masks.document_files import read_document
from plugin.masks.makers import Candidate, Picture
from plugin.masks.prompts import Box, Click
from tests.cli.conftest import Sagafoley
from tests.cli.made_shot import HEIGHT, RADIUS, WIDTH, centre, make_shot


@dataclass
class MadeFinder:
    """Knows where the ball is, and of a dark corner that could be one too."""

    elsewhere: tuple[Candidate, ...] = ()
    asked: list[tuple[str, Picture]] = field(default_factory=list)

    def find(self, picture: Picture, words: str) -> tuple[Candidate, ...]:
        self.asked.append((words, picture))
        if "ball" not in words:
            return ()
        reddest = np.unravel_index(
            cv2.blur(picture[:, :, 0].astype(np.float32), (31, 31)).argmax(), picture.shape[:2]
        )
        y, x = (float(place) for place in reddest)
        away = RADIUS + 4
        ball = Box(x - away, y - away, x + away, y + away, words)
        return (Candidate(ball, 0.61), *self.elsewhere)


CORNER = Candidate(Box(100, 10, 150, 40, "ball"), 0.22)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> MadeFinder:
    made = MadeFinder()

    @contextmanager
    def opened(store: Any, words: str, **more: Any) -> Iterator[MadeFinder]:
        yield made

    monkeypatch.setattr(mask_words, "opened_finder", opened)
    return made


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    return make_shot(folder / "shot.mp4", frames=8).path


def test_the_only_place_is_followed_and_the_document_remembers_the_words(
    sagafoley: Sagafoley, shot: Path, finder: MadeFinder
) -> None:
    ran = sagafoley("mask", shot, "--text", "the  ball", "--frame", "3", "--range", "2:5")
    assert ran.code == 0, ran.err
    assert Path(ran.lines[0]).name == "shot_the-ball_matte_v01"
    assert "the ball: candidate 1, " in ran.err
    ((words, picture),) = finder.asked
    assert words == "the ball"
    document = read_document(Path(ran.lines[1]))
    (made,) = document.objects
    (prompts,) = made.keyframes
    (box,) = prompts.gestures
    assert (made.label, prompts.frame) == ("the ball", 3)
    assert isinstance(box, Box)
    assert box.words == "the ball"
    x, y = centre(3)
    assert abs((box.left + box.right) / 2 - x) < 4
    assert abs((box.top + box.bottom) / 2 - y) < 4
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_several_places_are_told_with_numbers_and_nothing_is_followed(
    sagafoley: Sagafoley, shot: Path, finder: MadeFinder
) -> None:
    finder.elsewhere = (CORNER,)
    ran = sagafoley("mask", shot, "--text", "ball", "--label", "big ball", "--range", "0:3")
    assert ran.code == 2
    assert [line.split() for line in ran.lines[:3]] == [
        ["candidate", "score", "box"],
        ["1", "0.61", ran.lines[1].split()[-1]],
        ["2", "0.22", "100,10,150,40"],
    ]
    picture = cv2.imread(ran.lines[-1])
    assert Path(ran.lines[-1]) == shot.with_name("shot_candidates.png")
    yellow = (np.abs(picture.astype(int) - (0, 210, 255)) < 10).all(axis=2)
    x, y = centre(0)
    assert yellow[y - 30 : y + 30, x - 30 : x + 30].any()
    assert "--text ball --label 'big ball' --range 0:3 --candidate 1" in ran.err
    assert {path.name for path in shot.parent.iterdir()} == {"shot.mp4", "shot_candidates.png"}
    said = sagafoley("mask", shot, "--text", "ball", "--json", "--preview", shot.with_name("look.png"))
    assert said.code == 2
    assert said.document["candidates"][1] == {"candidate": 2, "score": 0.22, "box": [100, 10, 150, 40]}
    assert said.document["picture"] == str(shot.with_name("look.png"))


def test_the_chosen_place_is_followed_with_the_points_beside_it(
    sagafoley: Sagafoley, shot: Path, finder: MadeFinder
) -> None:
    finder.elsewhere = (CORNER,)
    x, y = centre(0)
    ran = sagafoley(
        "mask", shot, "--text", "ball", "--candidate", "1", "--point", f"{x},{y}", "--range", "0:2", "-o",
        shot.with_name("mattes"),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    gestures = read_document(Path(ran.lines[1])).objects[0].keyframes[0].gestures
    assert [type(one) for one in gestures] == [Box, Click]


def test_what_cannot_be_is_told(sagafoley: Sagafoley, shot: Path, finder: MadeFinder) -> None:
    assert sagafoley("mask", shot, "--text", "violin").told("Nothing in this frame looks like 'violin'")
    ran = sagafoley("mask", shot, "--text", "ball", "--candidate", "4")
    assert ran.told("There is no candidate 4: 1 were found")
    assert sagafoley("mask", shot, "--text", "ball", "--frame", "99").told("has no frame 99")
    assert sagafoley("mask", shot, "--text", "ball", "--candidate", "0").code == 2


def test_without_a_finder_it_says_what_to_fetch(sagafoley: Sagafoley, shot: Path) -> None:
    ran = sagafoley("mask", shot, "--text", "red ball")
    assert ran.told("finds 'red ball' by words", "models fetch owlv2-base", "sagafoley-export owlv2-base")
    assert ran.code == 2
