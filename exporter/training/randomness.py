"""Randomness that is counted, not carried: every draw is named by the run's seed, a purpose and a number.

A step seeds itself, so an interrupted run goes on exactly as if it had never stopped, and a scene or
a sample is the same whenever and in whatever order it is asked for.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def seed_of(*parts: object) -> int:
    """A number below 2^63 that belongs to these parts alone."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def draws(*parts: object) -> np.random.Generator:
    """A generator of its own for these parts."""
    return np.random.default_rng(seed_of(*parts))


def noise_source(*parts: object, device: torch.device | str = "cpu") -> torch.Generator:
    """The same for torch."""
    return torch.Generator(device=device).manual_seed(seed_of(*parts))
