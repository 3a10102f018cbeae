"""The learning rate by step."""

from __future__ import annotations

import math

from exporter.training.config import Optimisation


def rate_at(step: int, one: Optimisation) -> float:
    """Learning rate of update `step`, counted from 0.

    The warm-up rises linearly and reaches the full rate with its last step, `(k + 1) / (warm_up + 1)`
    (spec section 10).
    """
    if step < one.warm_up:
        return one.rate * (step + 1) / (one.warm_up + 1)
    return one.rate * _falling(step - one.warm_up, one)


def _falling(step: int, one: Optimisation) -> float:
    if one.schedule == "cosine":
        share = min(step / max(one.steps - one.warm_up, 1), 1.0)
        return one.floor + (1 - one.floor) * (1 + math.cos(math.pi * share)) / 2
    if one.schedule == "steps":
        return float(0.1 ** sum(step >= milestone for milestone in one.milestones))
    return 1.0
