"""`sagafoley mask --point` without a model: a guess where there is a thing, a refusal where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cli.conftest import Sagafoley
from tests.cli.made_shot import HEIGHT, WIDTH, centre, draw, make_shot, true_mask

WALL = "150,100"


def before_a_plain_wall(frame: int) -> NDArray[np.uint8]:
    """The ball before grey with some grain, a little lighter to the right."""
    grain = np.random.default_rng(frame).normal(0, 4, (HEIGHT, WIDTH, 3))
    made = 90 + grain + np.linspace(0, 30, WIDTH)[None, :, None]
    made[true_mask(frame)] = draw(frame)[true_mask(frame)]
    return np.clip(made, 0, 255).astype(np.uint8)


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    return make_shot(folder / "shot.mp4", frames=6, draw=before_a_plain_wall).path


def test_a_point_on_a_bare_wall_is_refused_and_nothing_is_written(sagafoley: Sagafoley, shot: Path) -> None:
    ran = sagafoley("mask", shot, "--point", WALL)
    assert ran.code == 2
    assert ran.told("There is no object under the click in frame 0", "Draw a lasso or a box just outside")
    assert [path.name for path in shot.parent.iterdir()] == ["shot.mp4"]
    more = sagafoley("mask", shot, "--point", WALL, "--point", "20,20,-", "--json")
    assert more.code == 2
    assert [path.name for path in shot.parent.iterdir()] == ["shot.mp4"]


def test_a_point_on_the_ball_is_followed_and_called_a_guess(sagafoley: Sagafoley, shot: Path) -> None:
    x, y = centre(0)
    ran = sagafoley("mask", shot, "--point", f"{x},{y}")
    assert ran.code == 0, ran.err
    assert "one point alone is a guess" in ran.err


def test_a_box_on_the_same_wall_is_the_remedy_where_something_is(sagafoley: Sagafoley, shot: Path) -> None:
    x, y = centre(0)
    ran = sagafoley("mask", shot, "--box", f"{x - 22},{y - 22},{x + 22},{y + 22}", "--point", f"{x},{y}")
    assert ran.code == 0, ran.err
