"""How long a render will still take, from how long the stages of earlier takes took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plugin.engine.watch import PICTURES, SAMPLING, SOUND, STAGES

STAGE_WORDS = {PICTURES: "looking at the pictures", SAMPLING: "making the sound", SOUND: "writing the sound"}
"""What a person is told of each stage."""

_SHARES = {PICTURES: 0.4, SAMPLING: 0.45, SOUND: 0.15}
"""Of the time of a first take, before any was measured."""

_MEMORY = 0.5
"""How much a new measurement counts against the earlier ones."""


@dataclass(slots=True)
class Pace:
    """What stages cost, per second of sound (and per solver step for sampling).

    Attributes:
        costs: by stage: seconds of work per unit; empty until the first take has ended.
    """

    costs: dict[str, float] = field(default_factory=dict)

    def learn(self, seconds: Mapping[str, float], *, length: float, steps: int) -> None:
        """Notes what the stages of one take cost; pictures that were known already do not count.

        Args:
            seconds: by stage, how long it took.
            length: seconds of sound.
            steps: solver steps.
        """
        for stage, spent in seconds.items():
            unit = spent / max(length * (steps if stage == SAMPLING else 1), 1e-6)
            if stage == PICTURES and stage in self.costs and unit < self.costs[stage] / 4:
                continue
            known = self.costs.get(stage, unit)
            self.costs[stage] = known + _MEMORY * (unit - known)

    def cost(self, stage: str, *, length: float, steps: int) -> float | None:
        """Seconds that a whole stage will take; None when nothing is known."""
        unit = self.costs.get(stage)
        return None if unit is None else unit * length * (steps if stage == SAMPLING else 1)


@dataclass(slots=True)
class TakeProgress:
    """How far one take is.

    Attributes:
        length: seconds of sound.
        steps: solver steps.
        started: when it began, in seconds of the clock that `told` is given.
        done: by stage, the part that is done, 0..1.
        spent: by stage, seconds so far.
    """

    length: float
    steps: int
    started: float
    done: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    _last: float = 0.0

    def told(self, stage: str, part: float, *, now: float) -> None:
        """Notes that `part` of a stage is done."""
        before = self._last or self.started
        self.spent[stage] = self.spent.get(stage, 0.0) + now - before
        self.done[stage] = part
        self._last = now

    def progress(self, pace: Pace) -> float:
        """The part of the take that is done, 0..1, by what its stages cost."""
        whole = {stage: self._whole(stage, pace) for stage in STAGES}
        total = sum(whole.values())
        return sum(whole[stage] * self.done.get(stage, 0.0) for stage in STAGES) / total if total else 0.0

    def seconds_left(self, pace: Pace, *, now: float) -> float | None:
        """Seconds until it is done; None when it cannot be said yet."""
        elapsed = now - self.started
        if not pace.costs:
            done = self.progress(pace)
            return elapsed * (1 - done) / done if done > 0.05 and elapsed > 1 else None
        left = (self._whole(stage, pace) * (1 - self.done.get(stage, 0.0)) for stage in STAGES)
        return sum(left)

    def _whole(self, stage: str, pace: Pace) -> float:
        cost = pace.cost(stage, length=self.length, steps=self.steps)
        return _SHARES[stage] if cost is None else cost
