"""Where events are: places of things, what a segment keeps of them, and what is asked of each place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exporter.models.moving import FineReader
from exporter.training.placing import Placed, padded, placed_loss, shares

SIDE, FRAMES, MOMENTS = FineReader.SIDE, 6, 12
SURE = 8.0


def square(row, column, *, side=64):
    """A mask that fills one place in every frame, [FRAMES, side, side]."""
    each = side // SIDE
    mask = np.zeros((FRAMES, side, side), np.uint8)
    mask[:, row * each : (row + 1) * each, column * each : (column + 1) * each] = 255
    return mask


def test_shares_follow_the_worn_pictures():
    mask = square(1, 2)
    mask[3] = 0
    found = shares([mask, square(5, 0)], np.array([0, 3, 0, 3, 3, 5]), flip=True)
    assert found.shape == (2, FRAMES, SIDE, SIDE)
    assert found[0, :, 1, SIDE - 3].tolist() == [255, 0, 255, 0, 0, 255]
    assert found[0].sum() == 3 * 255
    assert (found[1, :, 5, SIDE - 1] == 255).all()


def test_nothing_marked_has_no_places():
    found = shares([], np.arange(FRAMES), flip=False)
    assert found.shape == (0, FRAMES, SIDE, SIDE)


def test_a_segment_keeps_its_frames_and_moments():
    onset = np.arange(2 * FRAMES, dtype=np.float32)[None]
    placed = Placed(shares([square(1, 2)], np.arange(FRAMES), flip=False), onset)
    where, times = placed.cut(2, 3, mirrored=True)
    assert where.shape == (1, 3, SIDE * SIDE)
    assert where[0, 0].nonzero().flatten().tolist() == [SIDE + SIDE - 3]
    assert times.tolist() == [[4, 5, 6, 7, 8, 9]]


def test_things_that_are_not_there_cover_nothing():
    one = torch.ones(1, FRAMES, 4), torch.ones(1, MOMENTS)
    three = torch.ones(3, FRAMES, 4), torch.ones(3, MOMENTS)
    where, onset = padded([one, three])
    assert where.shape == (2, 3, FRAMES, 4)
    assert onset.shape == (2, 3, MOMENTS)
    assert where.sum((2, 3)).tolist() == [[24, 0, 0], [24, 24, 24]]


@pytest.fixture
def asked():
    """Two things in places 0 and 1 of four; the first has an event at moment 3, the second at 8."""
    where, onset = torch.zeros(1, 2, FRAMES, 4), torch.zeros(1, 2, MOMENTS)
    where[0, 0, :, 0] = where[0, 1, :, 1] = 1
    onset[0, 0, 3] = onset[0, 1, 8] = 1
    return where, onset


def said(*events):
    found = torch.full((1, 4, MOMENTS), -SURE)
    for place, moment in events:
        found[0, place, moment] = SURE
    return found


def test_every_event_is_asked_of_its_own_thing(asked):
    right = float(placed_loss(said((0, 3), (1, 8)), *asked))
    assert right < 0.01
    for wrong in ((), ((0, 3),), ((0, 8), (1, 3)), ((0, 3), (1, 8), (2, 5)), ((0, 3), (1, 8), (0, 8))):
        assert placed_loss(said(*wrong), *asked) > right + 0.1, wrong


def test_at_the_edge_of_a_thing_nothing_is_asked(asked):
    """A place it covers a twentieth of may or may not see it."""
    where, onset = asked
    where[0, 0, :, 2] = 0.05
    loud, still = (placed_loss(said((0, 3), (1, 8), *more), where, onset) for more in (((2, 5),), ()))
    assert torch.isclose(loud, still)


def test_a_thing_out_of_sight_is_not_asked_for(asked):
    where, onset = asked
    where[0, 1] = 0
    assert placed_loss(said((0, 3)), where, onset) < 0.01


@pytest.mark.parametrize("marked", [0, 1])
def test_nothing_marked_and_everything_covered_have_a_loss(marked):
    where, onset = torch.full((1, marked, FRAMES, 4), 1.0), torch.zeros(1, marked, MOMENTS)
    found = said().requires_grad_()
    loss = placed_loss(found, where, onset)
    loss.backward()
    assert loss.isfinite()
    assert found.grad.isfinite().all()
