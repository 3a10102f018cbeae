import numpy as np
import pytest

from plugin.media.shaping import Shape


def test_gain_is_in_decibels():
    assert Shape(-6.0206).applied(np.ones(4, np.float32)) == pytest.approx([0.5] * 4, abs=1e-5)


def test_fades_begin_and_end_in_silence_and_reach_full_level():
    shaped = Shape(0, fade_in=10, fade_out=20).applied(np.ones(100, np.float32))

    assert shaped[0] == 0
    assert shaped[-1] == 0
    assert shaped[5] == pytest.approx(0.5)
    assert shaped[10:79] == pytest.approx(np.ones(69))
    assert (np.diff(shaped[:11]) > 0).all()
    assert (np.diff(shaped[79:]) < 0).all()


def test_pieces_are_shaped_as_the_whole():
    sound = np.random.default_rng(1).standard_normal(1000).astype(np.float32)
    shape = Shape.of(gain_db=3, fade_in=0.01, fade_out=0.015, sample_rate=48_000)

    whole = shape.applied(sound)
    pieces = [shape.applied(sound[at : at + 130], first=at, total=1000) for at in range(0, 1000, 130)]

    assert np.array_equal(np.concatenate(pieces), whole)
    assert shape.fade_in == 480


def test_fades_that_overlap_multiply():
    shaped = Shape(0, fade_in=100, fade_out=100).applied(np.ones(101, np.float32))

    assert shaped[50] == pytest.approx(0.25)


def test_channels_are_shaped_alike():
    shaped = Shape(0, fade_in=4).applied(np.ones((8, 2), np.float32))

    assert np.array_equal(shaped[:, 0], shaped[:, 1])
