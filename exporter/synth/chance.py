"""Draws from a seeded generator, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from exporter.synth.arrays import Random

Item = TypeVar("Item")


def stream(seed: int, *path: int) -> Random:
    """A generator of its own for one purpose: other purposes may draw more without disturbing it."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *path])))


def between(rng: Random, low: float, high: float) -> float:
    """A number of `low .. high`, all equally likely."""
    return float(rng.uniform(low, high))


def across(rng: Random, low: float, high: float) -> float:
    """A number of `low .. high`, all ratios equally likely (both above 0)."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def chance(rng: Random, probability: float) -> bool:
    """True with this probability."""
    return bool(rng.random() < probability)


def pick(rng: Random, items: Sequence[Item]) -> Item:
    """One of the items."""
    return items[int(rng.integers(len(items)))]


def whole(rng: Random, low: int, high: int) -> int:
    """A whole number of `low .. high`, both included."""
    return int(rng.integers(low, high + 1))
