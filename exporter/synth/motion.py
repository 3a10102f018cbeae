"""How things move: curves over time, all evaluated for all frames at once.

`times` is always `[T]`, seconds; curves return `[T]` unless they say otherwise. Lengths are figure
units: a figure is about two units high, x to the right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.scores import Score

Ease = Literal["smooth", "speeding", "slowing"]


@dataclass(frozen=True, slots=True)
class Key:
    """A value at a time, and how the curve comes to it from the key before."""

    time: float
    value: float
    ease: Ease = "smooth"


def keyed(times: Float64, keys: Sequence[Key]) -> Float64:
    """The curve through the keys; constant before the first and after the last."""
    at = np.array([key.time for key in keys])
    values = np.array([key.value for key in keys])
    bend = np.array([("smooth", "speeding", "slowing").index(key.ease) for key in keys])
    right = np.clip(np.searchsorted(at, times, side="right"), 1, len(keys) - 1)
    share = np.clip((times - at[right - 1]) / np.maximum(at[right] - at[right - 1], 1e-9), 0, 1)
    eased = np.choose(bend[right], (share**2 * (3 - 2 * share), share**2, 1 - (1 - share) ** 2))
    return values[right - 1] + (values[right] - values[right - 1]) * eased


def lift(times: Float64, score: Score, *, rest: float = 0.6) -> Float64:
    """How far a striking tool is from what it strikes: 0 at every event, at most 1.

    It winds up before an event, speeds up into it, stays for half a frame, and rebounds; the louder the
    event, the further.

    Args:
        times: `[T]` seconds.
        score: what is struck.
        rest: the distance it waits at.
    """
    keys = [Key(-10.0, rest)]
    before = -10.0
    for event in score.events:
        gap = event.time - before
        if gap > 0.6:
            keys += [Key(event.time - 0.34, rest), Key(event.time - 0.13, 0.3 + 0.7 * event.gain)]
        else:
            keys.append(Key(event.time - 0.5 * gap, (0.25 + 0.65 * event.gain) * min(1.0, gap / 0.3)))
        keys += [Key(event.time, 0, "speeding"), Key(event.time + 0.02, 0)]
        rebound = min(0.12, 0.25 * _gap_after(score, event.time))
        height = rest * (0.35 + 0.65 * event.gain) * min(1.0, rebound / 0.12)
        keys.append(Key(event.time + 0.02 + rebound, height, "slowing"))
        before = event.time
    return keyed(times, sorted(keys, key=lambda key: key.time))


def _gap_after(score: Score, time: float) -> float:
    later = [event.time for event in score.events if event.time > time]
    return later[0] - time if later else 10.0


def swing(times: Float64, score: Score, *, softest: float = 0.4) -> Float64:
    """A pendulum of -1..1 that turns round at every event; at rest before and after the events.

    Args:
        times: `[T]` seconds.
        score: when it turns, and how loudly it sounds there.
        softest: how far it swings for the softest sound; 1 swings equally far for all.
    """
    at = score.times
    if not len(at):
        return np.zeros(len(times))
    reach = softest + (1 - softest) * score.gains
    turns = np.where(np.arange(len(at)) % 2, reach, -reach)
    gap = float(np.median(np.diff(at))) if len(at) > 1 else 0.5
    keys = [Key(at[0] - gap, 0.0)]
    keys += [Key(time, turn) for time, turn in zip(at, turns, strict=True)]
    keys += [Key(at[-1] + (i + 1) * gap, -turns[-1] * (-0.6) ** i) for i in range(6)]
    return keyed(times, keys)


def ringing(times: Float64, score: Score, *, rate: float, decay: float) -> Float64:
    """The visible trembling of something struck: damped swings after every event.

    Args:
        times: `[T]` seconds.
        score: when it is struck, and how hard.
        rate: swings per second.
        decay: seconds to 1/e.
    """
    if not score.events:
        return np.zeros(len(times))
    since = times[:, None] - score.times[None]
    going = np.where(since >= 0, np.exp(-np.maximum(since, 0) / decay), 0.0)
    return np.sum(score.gains * going * np.sin(2 * np.pi * rate * since), axis=1)


def flash(times: Float64, score: Score, *, decay: float) -> Float64:
    """What jumps to the gain at an event and dies away; of overlapping ones the largest."""
    if not score.events:
        return np.zeros(len(times))
    since = times[:, None] - score.times[None]
    return np.max(np.where(since >= 0, score.gains * np.exp(-np.maximum(since, 0) / decay), 0.0), axis=1)


def flights(times: Float64, score: Score, *, first: float, last: float) -> Float64:
    """The height of a ball that touches the ground at the events, in s^2 (times g/2 gives a length).

    Args:
        times: `[T]` seconds.
        score: the contacts.
        first: seconds of the flight that ends in the first contact.
        last: seconds of the flight after the last one; then it lies on the ground.
    """
    at = score.times
    if not len(at):
        return np.zeros(len(times))
    knots = np.concatenate([[at[0] - first], at, [at[-1] + last]])
    right = np.clip(np.searchsorted(knots, times, side="right"), 1, len(knots) - 1)
    height = (times - knots[right - 1]) * (knots[right] - times)
    height = np.where(times < knots[0] + first / 2, first**2 / 4, height)
    return np.maximum(height, 0.0)


def wander(rng: Random, times: Float64, *, reach: float, slowest: float = 6.0) -> Float64:
    """An aimless smooth path of about -reach..reach.

    Args:
        rng: where the draws come from.
        times: `[T]` seconds.
        reach: how far it goes.
        slowest: seconds of its slowest wave.
    """
    periods = slowest / np.array([1.0, 1.7, 2.9])
    phases = rng.uniform(0, 2 * np.pi, 3)
    shares = np.array([0.6, 0.28, 0.12])
    return reach * np.sum(shares * np.sin(2 * np.pi * times[:, None] / periods + phases), axis=1)


def tone_path(times: Float64, score: Score, *, ahead: float = 0.3) -> Float64:
    """The note a hand is at: it moves to each event's note in time before it, and stays."""
    keys = [Key(-10.0, float(score.events[0].tone) if score.events else 0.0)]
    for event in score.events:
        leave = max(keys[-1].time, event.time - ahead)
        keys += [Key(leave, keys[-1].value), Key(event.time, float(event.tone))]
        keys.append(Key(event.time + 0.03, float(event.tone)))
    return keyed(times, keys)
