"""What an object plays: events with their gains, and how hard it is driven in between.

A score is all that picture and sound share. The look of an object draws it, a voice plays it, and
because neither knows the other, any voice of the same kind can play any object's score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from exporter.synth.arrays import Float32, Float64

Kind = Literal["impact", "continuous", "silent"]

SAMPLE_RATE = 44100
"""Samples per second of every sound."""

CONTROL_RATE = 200
"""Values of a drive per second."""

_NO_DRIVE = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Event:
    """One contact, or the start of one stroke.

    Attributes:
        time: seconds from the start of the scene.
        gain: linear, above 0, at most 1; the sound's amplitude follows it.
        tone: which of the object's notes (bar of a xylophone, tick or tock), from 0.
    """

    time: float
    gain: float
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """The events of one object, and its drive if it sounds continuously.

    Attributes:
        seconds: length of the scene.
        events: in order of time.
        drive: `[ticks]` at `CONTROL_RATE`, 0..1, the speed of what moves; empty for impacts.
    """

    seconds: float
    events: tuple[Event, ...] = ()
    drive: Float32 = field(default_factory=lambda: _NO_DRIVE)

    @property
    def times(self) -> Float64:
        """`[events]` seconds."""
        return np.array([event.time for event in self.events], np.float64)

    @property
    def gains(self) -> Float64:
        """`[events]` linear."""
        return np.array([event.gain for event in self.events], np.float64)

    def drive_at(self, times: Float64) -> Float64:
        """The drive at these times; 0 for a score without one.

        Args:
            times: `[n]` seconds; the drive holds its first and last value outside the scene.
        """
        if not len(self.drive):
            return np.zeros(len(times))
        return np.interp(np.asarray(times) * CONTROL_RATE, np.arange(len(self.drive)), self.drive)

    def travel_at(self, times: Float64, *, alternating: bool = False) -> Float64:
        """The distance gone by these times: the integral of the drive.

        Args:
            times: `[n]` seconds.
            alternating: every second stroke (event) goes back instead of on.
        """
        if not len(self.drive):
            return np.zeros(len(times))
        ticks = np.arange(len(self.drive)) / CONTROL_RATE
        step = self.drive / CONTROL_RATE
        if alternating:
            step = step * np.where(np.searchsorted(self.times, ticks, side="right") % 2, 1.0, -1.0)
        gone = np.concatenate([[0.0], np.cumsum(step)[:-1]])
        return np.interp(times, ticks, gone)


def silence(seconds: float) -> Score:
    """The score of something that makes no sound."""
    return Score(seconds)


def ticks_of(seconds: float) -> Float64:
    """The times of the values of a drive, `[ticks]`."""
    return np.arange(round(seconds * CONTROL_RATE) + 1) / CONTROL_RATE
