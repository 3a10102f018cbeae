"""Joining the windows of a long cue without a seam.

A window starts from the noise its neighbour had in the part they share, and while it is solved that
part follows the neighbour's path: fully at the window's own beginning, less and less towards the
neighbour's end, where the neighbour knew nothing of what comes. The log-mels, nearly equal there by then,
are faded into each other and one unbroken vocoder run makes the sound, so phase is continuous. Measured
against fading waveforms in docs/adr/0002-window-joins.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from plugin.engine.flow import Steer
from plugin.errors import UnexpectedOutput

Float = npt.NDArray[np.float32]


def overlap_weights(length: int) -> Float:
    """Weight of the earlier window at each shared position, `[length]`, 1 falling to 0.

    The first and the last quarter belong to one window alone: there the other one is at its edge.
    """
    position = (np.arange(length) + 0.5) / length
    ramp = np.clip((position - 0.25) / 0.5, 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * ramp)).astype(np.float32)


@dataclass(slots=True)
class Trail:
    """The path that the end of one window took while it was solved, for the next to follow.

    Attributes:
        states: after 0, 1, ... steps: `[positions, C]`.
    """

    states: list[Float] = field(default_factory=list)


def follow(previous: Trail | None, *, shared: int, recorded: int, trail: Trail) -> Steer:
    """A `Steer` that follows the previous window and records the way for the next.

    Args:
        previous: the earlier window's path over the shared positions; None for the first window.
        shared: positions shared with the earlier window, at this window's beginning.
        recorded: this window's first position that the next window shares.
        trail: receives this window's path from `recorded` on.
    """
    weights = overlap_weights(shared)[None, :, None] if shared else None

    def steer(step: int, x: Float) -> Float:
        if previous is not None and weights is not None:
            led = weights * previous.states[step] + (1 - weights) * x[:, :shared]
            x = np.concatenate([led, x[:, shared:]], axis=1)
        trail.states.append(x[0, recorded:].copy())
        return x

    return steer


def join_mels(mels: Iterable[Float], firsts: Sequence[int], *, frames_per_latent: int) -> Iterator[Float]:
    """One log-mel, in pieces `[bands, m]`, from the overlapping ones of all windows.

    Args:
        mels: `[bands, frames]` of every window.
        firsts: each window's first latent position.
        frames_per_latent: mel frames of one latent position.
    """
    held: Float | None = None
    for index, mel in enumerate(mels):
        joined = mel if held is None else _fade(held, mel)
        if index + 1 == len(firsts):
            yield joined
            return
        settled = (firsts[index + 1] - firsts[index]) * frames_per_latent
        yield joined[:, :settled]
        held = joined[:, settled:]


def _fade(earlier: Float, later: Float) -> Float:
    """`later`, its beginning faded over from the end of the earlier window."""
    shared = earlier.shape[1]
    weights = overlap_weights(shared)
    return np.concatenate([weights * earlier + (1 - weights) * later[:, :shared], later[:, shared:]], axis=1)


def skip(pieces: Iterable[Float], count: int) -> Iterator[Float]:
    """The pieces without their first `count` samples."""
    for piece in pieces:
        dropped = min(count, len(piece))
        count -= dropped
        if dropped < len(piece):
            yield piece[dropped:]


def exactly(pieces: Iterable[Float], count: int, *, tolerance: int) -> Iterator[Float]:
    """The first `count` samples of the pieces.

    A shortfall of at most `tolerance` samples, which a resampler's rounding may leave, becomes silence.

    Raises:
        UnexpectedOutput: more than that is missing.
    """
    missing = count
    for piece in pieces:
        taken = piece[:missing]
        missing -= len(taken)
        if len(taken):
            yield taken
        if not missing:
            return
    if missing > tolerance:
        raise UnexpectedOutput(
            f"The sound ended {missing} samples before its cue.",
            remedy="Render the cue again, and report this if it repeats.",
            detail=f"{count} samples were due",
        )
    yield np.zeros(missing, np.float32)
