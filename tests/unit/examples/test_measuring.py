"""The demo tells what it measured in the sound, not what it hopes for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

RATE = 48000
Measured = Callable[..., tuple[tuple[str, str], ...]]


@pytest.fixture
def measured(examples_on_the_path: None) -> Any:
    """The function, once the examples can be imported."""
    return import_module("measuring").measured


def clicks(*times: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    wave = np.zeros(2 * RATE, np.float32)
    fade = np.exp(-np.arange(RATE // 20) / 400).astype(np.float32)
    for time in times:
        first = round(time * RATE)
        wave[first : first + len(fade)] += 0.3 * fade * rng.standard_normal(len(fade)).astype(np.float32)
    return wave


def test_events_distances_and_other_objects_are_told(measured: Measured) -> None:
    facts = dict(measured(clicks(0.5, 1.03, 1.6), rate=RATE, own=[0.5, 1.0, 1.8], others=[0.52, 1.6, 0.2]))
    assert facts["events heard"] == "2 of 3 within 50 ms; 3 onsets in all"
    assert facts["median distance to the picture"] in {"28 ms", "29 ms", "30 ms"}
    assert facts["other objects' events heard"] == "1 of 2"


def test_nothing_is_told_where_nothing_is_known(measured: Measured) -> None:
    assert measured(clicks(0.5), rate=RATE, own=[], others=[0.5]) == ()


def test_silence_hears_no_event(measured: Measured) -> None:
    facts = measured(np.zeros(RATE, np.float32), rate=RATE, own=[0.5], others=[])
    assert facts == (("events heard", "0 of 1 within 50 ms; 0 onsets in all"),)
