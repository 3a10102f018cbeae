"""Rhythms and captions."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.synth.captions import captions_of, draw_caption, vocabulary
from exporter.synth.chance import stream
from exporter.synth.makers import CLASS_NAMES
from exporter.synth.rhythm import Span, Tempo, bounces, hits, speeds, strokes
from exporter.synth.scores import CONTROL_RATE, Event, Score, ticks_of

HALF = Span(1.0, 4.0, 5.12)


@pytest.mark.parametrize("seed", range(20))
def test_events_keep_to_their_span_and_tempo(seed: int) -> None:
    score = hits(stream(seed), HALF, Tempo(0.2, 0.6), tones=4)
    assert score.events
    assert np.all((score.times >= 1.0) & (score.times < 4.0))
    assert np.all(np.diff(score.times) > 0.18)
    assert {event.tone for event in score.events} <= set(range(4))


def test_tempos_and_gains_vary() -> None:
    scores = [hits(stream(seed), Span(0, 5, 5), Tempo(0.2, 0.8)) for seed in range(40)]
    assert len({len(score.events) for score in scores}) > 8
    assert {float(np.ptp(score.gains)) > 0.4 for score in scores if len(score.events) > 4} == {True, False}


def test_bounces_shorten_until_the_next_throw() -> None:
    score = bounces(stream(1), Span(0, 5.12, 5.12), restitution=0.8, longest=1.0)
    gaps = np.diff(score.times)
    assert np.mean(gaps[1:] < gaps[:-1]) > 0.5
    assert score.gains[1:] == pytest.approx(np.clip(gaps, 0.15, 1), abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_strokes_start_where_the_drive_rises_and_rest_between(seed: int) -> None:
    score = strokes(stream(seed), HALF, length=Tempo(0.3, 0.6), pause=Tempo(0.2, 0.5), tones=3)
    assert score.drive.shape == (round(5.12 * CONTROL_RATE) + 1,)
    assert score.drive.min() >= 0
    assert score.drive.max() <= 1
    ticks = ticks_of(5.12)
    assert not score.drive[(ticks < 1.0) | (ticks > 4.0)].any()
    for event in score.events:
        assert score.drive_at(np.array([event.time - 0.01]))[0] < 0.05
        assert score.drive_at(np.array([event.time + 0.08]))[0] > 0.02


@pytest.mark.parametrize("seed", range(10))
def test_machines_change_speed_and_stop_at_the_end_of_their_span(seed: int) -> None:
    score = speeds(stream(seed), HALF, change=Tempo(0.3, 0.8))
    assert np.ptp(score.drive) > 0.2
    assert score.events
    assert not score.drive[ticks_of(5.12) >= 4.0].any()


def test_travel_is_the_integral_of_the_drive_and_may_turn_round() -> None:
    drive = np.zeros(401, np.float32)
    drive[100:200] = 0.5
    drive[300:400] = 0.5
    score = Score(2.0, (Event(0.5, 1.0), Event(1.5, 1.0)), drive)
    ends = np.array([0.0, 1.0, 2.0])
    assert score.travel_at(ends) == pytest.approx([0, 0.25, 0.5], abs=0.01)
    assert score.travel_at(ends, alternating=True) == pytest.approx([0, 0.25, 0.0], abs=0.01)
    assert Score(2.0).drive_at(ends) == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_every_class_has_many_short_captions(name: str) -> None:
    captions = captions_of(name)
    assert len(set(captions)) >= 20
    assert max(len(caption.split()) for caption in captions) <= 13
    assert draw_caption(stream(1), name) in captions


def test_captions_name_one_class_only_and_use_a_small_vocabulary() -> None:
    owners = [caption for name in CLASS_NAMES for caption in set(captions_of(name))]
    assert len(owners) == len(set(owners))
    assert 50 < len(vocabulary()) < 400


def test_unknown_classes_have_no_captions() -> None:
    with pytest.raises(KeyError):
        captions_of("unicorn")
