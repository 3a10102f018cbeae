"""Onsets and events are paired one to one, and others' events are judged only where one's own are far."""

import pytest

from exporter.evaluation.matching import Counts, Hits, exclusive, false_hits, match


def test_each_is_used_once():
    counts = match((0.10, 0.11), (0.1,))
    assert (counts.found, counts.there, len(counts.errors)) == (2, 1, 1)
    assert counts.precision == 0.5
    assert counts.recall == 1
    assert counts.f1 == pytest.approx(2 / 3)


def test_as_many_pairs_as_possible():
    # Nearest first would pair 0.14 with 0.12 and leave 0.18 alone.
    assert len(match((0.10, 0.14), (0.12, 0.18)).errors) == 2


def test_what_is_too_far_is_no_pair():
    assert match((0.2,), (0.1401,), tolerance=0.05).errors == ()
    assert match((0.2,), (0.1501,), tolerance=0.05).errors == pytest.approx((0.0499,))


def test_errors_have_a_sign_and_counts_add_up():
    total = match((0.12,), (0.1,)) + match((0.48,), (0.5, 0.9))
    assert total.errors == pytest.approx((0.02, -0.02))
    assert (total.found, total.there) == (2, 3)


def test_nothing_there_and_nothing_found_is_right():
    assert match((), ()).f1 == 1
    assert match((0.5,), ()).f1 == 0
    assert match((), (0.5,)).f1 == 0
    assert Counts().precision == 0


def test_others_events_near_own_ones_are_not_judged():
    assert exclusive((0.1, 0.5, 1.0), (0.12, 0.4)) == (1.0,)
    assert false_hits((0.11, 1.02), others=(0.1, 1.0), own=(0.12,)) == Hits(judged=1, hit=1)
    assert false_hits((0.11, 1.2), others=(0.1, 1.0), own=(0.12,)) == Hits(judged=1, hit=0)


def test_rates_of_hits():
    assert (Hits(3, 1) + Hits(1, 1)).rate == 0.5
    assert Hits().rate == 0
