"""The solver: Euler steps over a guided velocity (spec 5.4). Pure numpy; the network is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Velocity = Callable[[Float, np.float32], Float]
"""`v(x, t)`: `[B, N, C]` at time t in 0..1 -> `[B, N, C]`."""
Steer = Callable[[int, Float], Float]
"""Sees the state after `i` steps (0 is the noise) and gives the state to go on with."""


def time_steps(steps: int) -> Float:
    """`steps + 1` times from 0 to 1, float32."""
    return np.linspace(0.0, 1.0, steps + 1, dtype=np.float32)


def needs_unconditional(guidance: float) -> bool:
    """Whether guidance asks for the second branch; at 1 and below it has no say."""
    return guidance > 1.0


def guide(conditional: Float, unconditional: Float, *, guidance: float) -> Float:
    """Classifier-free guidance: `g v(cond) + (1 - g) v(uncond)`."""
    strength = np.float32(guidance)
    guided: Float = strength * conditional + (np.float32(1) - strength) * unconditional
    return guided


def euler(
    velocity: Velocity,
    x0: Float,
    *,
    steps: int,
    before_step: Callable[[int], None] = lambda _: None,
    steer: Steer | None = None,
    done: int = 0,
) -> Float:
    """The state at time 1, `[B, N, C]` float32, reached from noise `x0` in equal steps.

    Args:
        velocity: the guided network.
        x0: `[B, N, C]` standard normal noise.
        steps: number of evaluations, at times 0, 1/steps, ...
        before_step: called with the step's index; may raise to stop.
        steer: may replace the state after every step, and the noise (index 0).
        done: steps that were done already; `x0` is then the state after them, steered.
    """
    times = time_steps(steps)
    x = x0 if steer is None or done else steer(0, x0)
    for index in range(done, steps):
        before_step(index)
        x = x + (times[index + 1] - times[index]) * velocity(x, times[index])
        if steer is not None:
            x = steer(index + 1, x)
    return x


def noise_rows(seed: int, *, channels: int) -> Callable[[int], Float]:
    """A source of starting noise, row after row.

    The rows of a seed are the same however they are asked for, so overlapping windows can share theirs.

    Args:
        seed: 0..2**63-1.
        channels: values per row.

    Returns:
        A function giving the next `count` rows, `[count, C]` float32 standard normal.
    """
    generator = np.random.Generator(np.random.PCG64(seed))

    def next_rows(count: int) -> Float:
        return generator.standard_normal((count, channels)).astype(np.float32)

    return next_rows


def noise_windows(seed: int, spans: Iterator[tuple[int, int]], *, channels: int) -> Iterator[Float]:
    """Starting noise `[1, end - start, C]` of each span of latent positions, ascending.

    Positions that two spans share have the same noise in both.
    """
    draw = noise_rows(seed, channels=channels)
    held = np.zeros((0, channels), np.float32)
    held_start = 0
    for start, end in spans:
        missing = end - (held_start + len(held))
        held = np.concatenate([held, draw(max(missing, 0))])[start - held_start :]
        held_start = start
        yield held[None, : end - start]
