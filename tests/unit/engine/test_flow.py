from __future__ import annotations

import numpy as np
import pytest

from plugin.engine.flow import euler, guide, needs_unconditional, noise_rows, noise_windows, time_steps


def test_times_go_from_zero_to_one() -> None:
    times = time_steps(25)
    assert (len(times), times.dtype, times[0], times[-1]) == (26, np.float32, 0, 1)
    assert times[24] == pytest.approx(0.96)


def test_a_straight_flow_arrives_whatever_the_steps() -> None:
    x0, target = np.zeros((1, 3, 2), np.float32), np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    for steps in (1, 7):
        assert np.allclose(euler(lambda *_: target - x0, x0, steps=steps), target, atol=1e-6)


def test_euler_is_first_order() -> None:
    def error(steps: int) -> float:
        x = euler(lambda x, _: x, np.ones((1, 1, 1), np.float32), steps=steps)
        return abs(float(x[0, 0, 0]) - np.e)

    assert error(20) / error(40) == pytest.approx(2, rel=0.05)


def test_the_noise_is_left_as_it_was() -> None:
    x0 = np.ones((1, 2, 2), np.float32)
    euler(lambda x, _: x, x0, steps=3)
    assert (x0 == 1).all()


def test_the_network_sees_the_start_of_every_step() -> None:
    seen = []
    euler(lambda x, t: seen.append(float(t)) or x, np.zeros((1, 1, 1), np.float32), steps=4)
    assert seen == [0, 0.25, 0.5, 0.75]


def test_before_step_may_stop_the_solver() -> None:
    calls = []

    def stop(index: int) -> None:
        if index == 2:
            raise KeyboardInterrupt

    def velocity(x, _):
        calls.append(1)
        return x

    with pytest.raises(KeyboardInterrupt):
        euler(velocity, np.zeros((1, 1, 1), np.float32), steps=5, before_step=stop)
    assert len(calls) == 2


def test_guidance_mixes_and_one_is_none() -> None:
    a, b = np.float32([2.0]), np.float32([1.0])
    assert guide(a, b, guidance=7.0) == 8.0
    assert guide(a, b, guidance=1.0) == 2.0
    assert [needs_unconditional(g) for g in (0.0, 1.0, 1.5)] == [False, False, True]


def test_noise_is_standard_normal_and_repeatable() -> None:
    rows = noise_rows(42, channels=40)(1000)
    assert rows.dtype == np.float32
    assert abs(rows.mean()) < 0.02
    assert rows.std() == pytest.approx(1, abs=0.02)
    assert np.array_equal(rows, noise_rows(42, channels=40)(1000))
    assert not np.array_equal(rows, noise_rows(43, channels=40)(1000))


def test_noise_does_not_depend_on_how_it_is_drawn() -> None:
    pieces = noise_rows(2**63 - 1, channels=3)
    joined = np.concatenate([pieces(1), pieces(7), pieces(0), pieces(12)])
    assert np.array_equal(joined, noise_rows(2**63 - 1, channels=3)(20))


def test_windows_share_the_noise_of_shared_positions() -> None:
    spans = [(0, 10), (6, 16), (8, 18), (14, 24)]
    whole = noise_rows(5, channels=2)(24)
    for (start, end), x0 in zip(spans, noise_windows(5, iter(spans), channels=2), strict=True):
        assert np.array_equal(x0, whole[None, start:end])
