"""Pictures of one frame rate shown at another: which moment each frame shows."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float64

SOURCE_RATES = (24.0, 30.0, 12.5)
"""Frame rates of sources that are shown at 25."""

AHEAD = 0.5
"""How long after a frame's time the source's frame may begin, in frames: the engine takes the nearest one
(ADR 6). With 0, a frame waits until it would be on screen."""


def frame_times(frames: int, *, fps: float, source: float | None = None) -> Float64:
    """The moment each frame shows, seconds `[frames]`: the middle of its source frame.

    Args:
        frames: how many.
        fps: at which they are shown.
        source: frame rate of the source, if another: its frames are repeated or left out as the engine does
            it (`AHEAD`).
    """
    rate = fps if source is None else source
    return (_shown(frames, fps=fps, source=rate, ahead=AHEAD) + 0.5) / rate


def held_frames(frames: int, *, fps: float, source: float, ahead: float = AHEAD) -> tuple[int, ...]:
    """For each frame shown, the index of the frame at `fps` that comes nearest to a source's of another rate.

    Args:
        frames: how many there are.
        fps: their rate.
        source: the rate of the imagined source.
        ahead: see `AHEAD`.
    """
    moments = _shown(frames, fps=fps, source=source, ahead=ahead) + 0.5
    nearest = np.ceil(moments * (fps / source) - 1 - 1e-6)
    return tuple(int(one) for one in np.clip(nearest, 0, frames - 1))


def _shown(frames: int, *, fps: float, source: float, ahead: float) -> Float64:
    """Which of the source's frames each frame shows."""
    return np.floor((np.arange(frames) + ahead) * (source / fps) + 1e-6)
