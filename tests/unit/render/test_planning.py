from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.engine.lengths import latent_seconds
from plugin.render.planning import plan_windows

SECOND = 48_000


def _manifest(*, train: int = 125, shortest: int = 16, multiple: int = 1, hop: int = 1024, rate: int = 44100):
    return SimpleNamespace(
        sample_rate=rate,
        latent=SimpleNamespace(hop=hop),
        picture=SimpleNamespace(
            clip_rate=8, sync_rate=25, segment_frames=16, segment_step=8, segment_features=8
        ),
        window=SimpleNamespace(min_frames=shortest, train_frames=train, multiple_frames=multiple),
    )


PUBLISHED = _manifest()
OWN = _manifest(train=128, multiple=16, hop=2048)


def test_five_seconds_are_one_window_of_the_trained_length() -> None:
    plan = plan_windows(5 * SECOND, PUBLISHED)
    assert len(plan.windows) == 1
    window = plan.windows[0]
    assert (window.frames, window.latents, window.start, plan.lead) == (125, 216, 0, 0)


@pytest.mark.parametrize(("samples", "frames"), [(SECOND, 25), (SECOND + 1, 26), (SECOND * 16 // 25, 16)])
def test_a_window_has_the_frames_that_cover_the_cue(samples: int, frames: int) -> None:
    assert plan_windows(samples, PUBLISHED).windows[0].frames == frames


def test_a_short_cue_borrows_on_both_sides_by_whole_latents() -> None:
    plan = plan_windows(SECOND // 5, PUBLISHED)
    window = plan.windows[0]
    assert window.frames == 16
    assert plan.lead == (28 - 9) // 2
    assert window.start == -plan.lead * latent_seconds(PUBLISHED) < 0


def test_one_sample_is_a_cue() -> None:
    plan = plan_windows(1, PUBLISHED)
    assert plan.windows[0].frames == 16
    assert plan.samples == 1


def test_no_samples_need_no_window() -> None:
    assert plan_windows(0, PUBLISHED).windows == ()


def test_a_negative_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="-1"):
        plan_windows(-1, PUBLISHED)


def test_lengths_are_multiples_where_the_bundle_says_so() -> None:
    assert plan_windows(SECOND, OWN).windows[0].frames == 32
    assert plan_windows(SECOND * 128 // 25, OWN).windows[0].frames == 128
    assert plan_windows(5 * SECOND, OWN).windows[0].frames == 128


def test_a_little_more_than_the_window_still_is_one_when_its_last_latent_covers_it() -> None:
    covered = 216 * 1024 * 48000 // 44100
    assert len(plan_windows(covered, PUBLISHED).windows) == 1
    assert len(plan_windows(covered + 2, PUBLISHED).windows) == 2


def test_long_cues_take_trained_windows_evenly_spread() -> None:
    plan = plan_windows(60 * SECOND, PUBLISHED)
    assert {window.frames for window in plan.windows} == {125}
    steps = [b.first - a.first for a, b in pairwise(plan.windows)]
    assert max(steps) - min(steps) <= 7  # a picture's time is 5.4 positions, rounded twice
    assert len(plan.windows) == 15


def test_windows_of_a_long_cue_count_their_pictures_from_a_common_time() -> None:
    windows = plan_windows(60 * SECOND, PUBLISHED).windows
    assert all(window.pictures * 8 == round(window.pictures * 8) for window in windows[:-1])
    assert windows[-1].pictures == windows[-1].start
    seen = {window.pictures + Fraction(index, 8) for window in windows for index in range(40)}
    last_but_one = windows[-2].pictures
    assert len(seen) == last_but_one * 8 + 40 + 40  # each of them once, and those of the last window


def test_a_single_window_begins_with_its_pictures() -> None:
    for samples in (SECOND // 5, 3 * SECOND, 5 * SECOND):
        (window,) = plan_windows(samples, PUBLISHED).windows
        assert window.pictures == window.start


def _check(samples: int, manifest) -> None:
    plan = plan_windows(samples, manifest)
    unit = latent_seconds(manifest)
    windows = plan.windows
    assert windows[0].first == 0
    assert (windows[-1].end - plan.lead) * unit >= Fraction(samples, SECOND)
    for window in windows:
        assert window.start == (window.first - plan.lead) * unit
        assert abs(window.pictures - window.start) <= unit / 2
        assert window.frames % manifest.window.multiple_frames == 0
        assert manifest.window.min_frames <= window.frames <= manifest.window.train_frames
    for earlier, later in pairwise(windows):
        assert later.first > earlier.first
        assert earlier.end - later.first >= earlier.latents // 5


@given(st.integers(1, 120 * SECOND))
def test_every_length_is_covered(samples: int) -> None:
    _check(samples, PUBLISHED)
    _check(samples, OWN)


@given(st.integers(1, 20 * SECOND), st.integers(16, 60), st.integers(100, 3000), st.integers(8000, 48000))
def test_every_bundle_is_covered(samples: int, train: int, hop: int, rate: int) -> None:
    _check(samples, _manifest(train=train, hop=hop, rate=rate))
