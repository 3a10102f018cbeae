"""Pictures of one frame rate shown at another: which moment each frame shows."""

from __future__ import annotations

import math

import numpy as np

from exporter.synth.arrays import Bytes, Float64

SOURCE_RATES = (24.0, 30.0, 12.5)
"""Frame rates of sources that are shown at 25."""


def frame_times(frames: int, *, fps: float, source: float | None = None) -> Float64:
    """The moment each frame shows, seconds `[frames]`: the middle of its source frame.

    Args:
        frames: how many.
        fps: at which they are shown.
        source: frame rate of the source, if another: its frames are repeated or left out.
    """
    rate = fps if source is None else source
    shown = np.floor(np.arange(frames) * (rate / fps) + 1e-6)
    return (shown + 0.5) / rate


def held_frames(frames: int, *, fps: float, source: float) -> tuple[int, ...]:
    """For each frame shown, the index of the frame at `fps` that a source of another rate would show.

    Args:
        frames: how many there are.
        fps: their rate.
        source: the rate of the imagined source.
    """
    starts = np.floor(np.arange(frames) * (source / fps) + 1e-6) / source
    return tuple(min(frames - 1, math.floor(start * fps + 1e-6)) for start in starts)


def held(stack: Bytes, *, fps: float, source: float) -> Bytes:
    """Frames or masks `[T, ...]` as a source of another frame rate would show them."""
    return stack[np.array(held_frames(len(stack), fps=fps, source=source))]
