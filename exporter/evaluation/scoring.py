"""One sound that was made, measured against what is true of its scene: a row of plain numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from exporter.evaluation.cases import Case, truth
from exporter.evaluation.levels import (
    envelope,
    envelope_correlation,
    event_energy_ratio,
    event_levels,
    gain_correlation,
    level,
)
from exporter.evaluation.likeness import description
from exporter.evaluation.matching import Counts, Hits, false_hits, match
from exporter.evaluation.onsets import Float, Times, find_onsets
from exporter.likeness import Likeness
from exporter.synth.scenes import Scene
from exporter.synth.scores import SAMPLE_RATE

BLEND = "blend"
LEAD = 0.05
"""Seconds before the first event that are left out when the silence before it is measured."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was found in one sound.

    Attributes:
        condition, scene, things: of the case.
        kind: "impact", "continuous", or "blend" of several objects.
        name: class of the marked object; "" for a blend.
        named: class the words name; "" for none.
        heard: class the sound is most like.
        counts: onsets against the events of the marked objects, impacts only.
        hits: onsets at other objects' events.
        energy: event-energy ratio, dB; None where nothing can be compared.
        likeness: correlation of the envelope with the true stem's.
        level, lead: dB of full scale; `lead` before the first event, None where there is no time.
        gain: correlation of event levels with the generator's gains.
        course: envelope, decibels of full scale in tenths, one per 10 ms.
        bins: loud-bin error, dB, where a mel was compared; else None.
    """

    condition: str
    scene: int
    things: tuple[int, ...]
    kind: str
    name: str
    named: str
    heard: str
    counts: Counts
    hits: Hits
    energy: float | None
    likeness: float
    level: float
    lead: float | None
    gain: float | None
    course: tuple[int, ...]
    bins: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Row:
        """What `as_json` gave, after a way through JSON."""
        counts = content["counts"]
        return cls(
            **content
            | {
                "things": tuple(content["things"]),
                "counts": Counts(counts["found"], counts["there"], tuple(counts["errors"])),
                "hits": Hits(**content["hits"]),
                "course": tuple(content["course"]),
            }
        )

    @property
    def envelope(self) -> Float:
        """Linear, from `course`."""
        return np.asarray(10 ** (np.asarray(self.course) / 200), np.float32)


def events_of(scene: Scene, things: tuple[int, ...]) -> Times:
    """Times of all events of these objects' impacts, ascending; those closer than 40 ms are one."""
    times = sorted(
        event.time
        for one in things
        if scene.objects[one].kind == "impact"
        for event in scene.objects[one].score.events
    )
    return tuple(time for k, time in enumerate(times) if k == 0 or time - times[k - 1] >= 0.04)


def score(
    wave: Float, *, rate: int, scene: Scene, case: Case, likeness: Likeness, bins: float | None = None
) -> Row:
    """The row of one sound.

    Args:
        wave: [samples], from the scene's beginning.
        rate: of the wave.
        scene: of the case.
        case: what was asked for.
        likeness: knows the classes.
        bins: loud-bin error if a mel was compared.
    """
    marked = [scene.objects[one] for one in case.things]
    own = events_of(scene, case.things)
    rest = tuple(one for one in range(len(scene.objects)) if one not in case.things)
    others = events_of(scene, rest)
    found = find_onsets(wave, rate=rate)
    alone = marked[0] if len(marked) == 1 else None
    impacts = all(item.kind == "impact" for item in marked)
    course = envelope(wave, rate=rate)
    true = envelope(truth(scene, case.things), rate=SAMPLE_RATE)
    return Row(
        condition=case.condition,
        scene=case.scene,
        things=case.things,
        kind=(alone.kind if alone else BLEND) if impacts or alone else "mixed",
        name=alone.name if alone else "",
        named=case.named,
        heard=likeness.name(description(wave, rate=rate)) if level(wave) > -70 else "",
        counts=match(found, own),
        hits=false_hits(found, others=others, own=own) if impacts else Hits(),
        energy=event_energy_ratio(wave, rate=rate, own=own, others=others) if impacts else None,
        likeness=envelope_correlation(course, true),
        level=level(wave),
        lead=_lead(wave, rate, scene, case.things),
        gain=_gain(wave, rate, scene, case),
        course=tuple(int(one) for one in np.round(200 * np.log10(np.maximum(course, 1e-5)))),
        bins=bins,
    )


def _lead(wave: Float, rate: int, scene: Scene, things: tuple[int, ...]) -> float | None:
    """Level before the first event; None where the true stems sound before it or it comes at once."""
    first = min((time for time in events_of(scene, things)), default=0.0)
    end = first - LEAD
    if end < 0.2:
        return None
    true = truth(scene, things)[: round(end * SAMPLE_RATE)]
    return None if level(true) > -70 else level(wave[: round(end * rate)])


def _gain(wave: Float, rate: int, scene: Scene, case: Case) -> float | None:
    item = scene.objects[case.things[0]]
    if item.kind != "impact" or len(case.things) > 1:
        return None
    levels = event_levels(wave, rate=rate, times=tuple(item.score.times.tolist()))
    return gain_correlation(levels, np.asarray(item.score.gains, np.float32))
