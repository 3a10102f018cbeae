from __future__ import annotations

import numpy as np
import pytest

from plugin.errors import UnexpectedOutput
from plugin.render.stitching import Trail, exactly, follow, join_mels, overlap_weights, skip


def _pieces(count: int, length: int) -> list[np.ndarray]:
    samples = np.arange(count, dtype=np.float32)
    return [samples[at : at + length] for at in range(0, count, length)]


def test_weights_fall_from_one_to_zero_in_the_middle_half() -> None:
    weights = overlap_weights(40)
    assert (weights[:10] == 1).all()
    assert (weights[30:] == 0).all()
    assert (np.diff(weights) <= 0).all()
    assert np.allclose(weights + weights[::-1], 1, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_shortest_overlaps_have_weights(length: int) -> None:
    weights = overlap_weights(length)
    assert len(weights) == length
    assert ((weights >= 0) & (weights <= 1)).all()


def test_the_beginning_follows_and_the_rest_is_free() -> None:
    trail = Trail([np.full((8, 2), 10.0, np.float32)])
    recorded = Trail()
    steer = follow(trail, shared=8, recorded=15, trail=recorded)
    x = steer(0, np.zeros((1, 20, 2), np.float32))
    assert np.array_equal(x[0, :8, 0], 10 * overlap_weights(8))
    assert not x[0, 8:].any()
    assert recorded.states[0].shape == (5, 2)


def test_the_first_window_only_records() -> None:
    recorded = Trail()
    x = np.arange(12, dtype=np.float32).reshape(1, 6, 2)
    steer = follow(None, shared=0, recorded=4, trail=recorded)
    assert steer(0, x) is x
    assert np.array_equal(recorded.states[0], x[0, 4:])


def test_what_is_recorded_is_what_was_led() -> None:
    recorded = Trail()
    steer = follow(Trail([np.ones((4, 1), np.float32)]), shared=4, recorded=0, trail=recorded)
    x = steer(0, np.zeros((1, 6, 1), np.float32))
    assert np.array_equal(recorded.states[0], x[0])


@pytest.mark.parametrize("firsts", [[0], [0, 7], [0, 6, 12], [0, 3, 6, 9]])
def test_windows_of_one_sound_join_to_it(firsts: list[int]) -> None:
    whole = np.random.default_rng(0).standard_normal((3, 2 * (firsts[-1] + 10))).astype(np.float32)
    mels = [whole[:, 2 * first : 2 * (first + 10)] for first in firsts]
    pieces = list(join_mels(mels, firsts, frames_per_latent=2))
    assert np.allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)
    assert len(pieces) == len(firsts)


def test_different_windows_fade_without_a_jump() -> None:
    mels = [np.zeros((1, 100), np.float32), np.ones((1, 100), np.float32)]
    joined = np.concatenate(list(join_mels(mels, [0, 60], frames_per_latent=1)), axis=1)[0]
    assert joined.shape == (160,)
    assert (np.diff(joined) >= 0).all()
    assert np.diff(joined).max() < 0.1


def test_a_window_is_given_before_the_next_is_asked_for() -> None:
    asked = []

    def mels():
        for index in range(3):
            asked.append(index)
            yield np.zeros((1, 10), np.float32)

    joined = join_mels(mels(), [0, 8, 16], frames_per_latent=1)
    assert next(joined).shape == (1, 8)
    assert asked == [0]


@pytest.mark.parametrize("length", [1, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 7, 13, 50])
def test_skipping_counts_samples(length: int, count: int) -> None:
    assert np.concatenate(list(skip(_pieces(50, length), count)) or [np.zeros(0)]).tolist() == list(
        range(count, 50)
    )


@pytest.mark.parametrize("length", [1, 7, 100])
@pytest.mark.parametrize("count", [1, 7, 13, 50])
def test_exactly_so_many_samples(length: int, count: int) -> None:
    pieces = list(exactly(_pieces(50, length), count, tolerance=0))
    assert np.concatenate(pieces).tolist() == list(range(count))


def test_nothing_is_asked_for_after_the_last_sample() -> None:
    def pieces():
        yield np.zeros(10, np.float32)
        raise AssertionError("asked for more")

    assert sum(map(len, exactly(pieces(), 10, tolerance=0))) == 10


def test_a_rounding_shortfall_is_filled_and_a_real_one_told() -> None:
    filled = np.concatenate(list(exactly(_pieces(48, 10), 50, tolerance=2)))
    assert filled.tolist() == [*range(48), 0, 0]
    with pytest.raises(UnexpectedOutput, match="3 samples"):
        list(exactly(_pieces(47, 10), 50, tolerance=2))
