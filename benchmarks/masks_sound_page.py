"""The page of `benchmarks.masks_sound`: how much of the sound a tracked matte keeps, and where it is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from exporter.evaluation.cases import OWN, TRUE
from exporter.evaluation.intervals import DRAWS, Figure, figure
from exporter.evaluation.scoring import Row
from exporter.evaluation.table import (
    NOTHING,
    envelope_likeness,
    false_hit_rate,
    joint_counts,
    named_right,
    onset_f1,
    swap_success,
)

TRACKED = "tracked matte"
"""Condition: words as with the true matte."""

KEEPS = 0.85
"""Share of the true mattes' figure that must be kept."""

_WORST = 12


@dataclass(frozen=True, slots=True)
class Matte:
    """What a tracked matte is worth.

    Attributes:
        scene, thing, name: whose it is.
        start: the marked frame; -1 where the object is never seen.
        drawn: intersection over union in the marked frame; NaN without one.
        mean: of all other frames, both-empty ones counting as 1.
        last: of the last frame.
        unsure: share of the frames in which the tracker hardly found the object.
        seconds: CPU seconds from lasso to masks.
    """

    scene: int
    thing: int
    name: str
    start: int
    drawn: float
    mean: float
    last: float
    unsure: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SceneFound:
    """All that was found in one scene.

    Attributes:
        rows: with the true matte, with the tracked one, and of the true stem, every object.
        mattes: of every object.
        seconds: CPU seconds of the sounds with tracked mattes.
    """

    rows: tuple[Row, ...]
    mattes: tuple[Matte, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = [row.as_json() for row in self.rows]
        return {"rows": rows, "mattes": [asdict(one) for one in self.mattes], "seconds": self.seconds}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> SceneFound:
        """What `as_json` gave, after a way through JSON."""
        rows = tuple(Row.from_json(one) for one in content["rows"])
        return cls(rows, tuple(Matte(**one) for one in content["mattes"]), content["seconds"])


@dataclass(frozen=True, slots=True)
class Facts:
    """What the figures are of: the bundle in words, the day."""

    bundle: str
    day: str


Rows = Sequence[tuple[Row, ...]]
Value = Callable[..., float]

COMPARED: tuple[tuple[str, Value, float | None], ...] = (
    ("onset F1 within 50 ms, impacts", onset_f1, KEEPS),
    ("mask-swap success (chance 0.25)", swap_success, KEEPS),
    ("continuous classes: envelope correlation", envelope_likeness, None),
    ("class of the output", named_right, None),
    ("distractor false-hit rate (less is better)", false_hit_rate, None),
)
"""Name, value, and the share that must be kept."""


def kept(scenes: Rows, value: Value) -> float:
    """What tracked mattes give as a share of what true ones give; NaN where those give nothing."""
    true = value(scenes, OWN)
    return value(scenes, TRACKED) / true if true else NOTHING


def opening_of(path: Path) -> str:
    """What a person wrote above the tables; it stays as it is."""
    text = path.read_text("utf-8") if path.is_file() else "# Does the sound follow a tracked matte?\n"
    return text.split("## What was measured")[0]


def page(scenes: Sequence[SceneFound], facts: Facts, *, opening: str = "", draws: int = DRAWS) -> str:
    """The page in Markdown.

    Args:
        scenes: what was found.
        facts: of the bundle and the day.
        opening: stands above the tables.
        draws: how often scenes are drawn again for the intervals.
    """
    parts = (
        opening.strip(),
        "## What was measured",
        "\n".join(_measured(scenes, facts)),
        "## What tracked mattes keep",
        "Intervals hold the value in 95 of 100 draws of the scenes; **bold** misses what must be kept.",
        "\n".join(_compared([found.rows for found in scenes], draws)),
        "## Class by class",
        "\n".join(_classes(scenes)),
        "## Impacts that lose most",
        "\n".join(_losers(scenes)),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _measured(scenes: Sequence[SceneFound], facts: Facts) -> Iterator[str]:
    mattes = [one for found in scenes for one in found.mattes]
    late = sum(one.start > 0 for one in mattes)
    empty = sum(one.start < 0 or one.drawn == 0 for one in mattes)
    overlaps = np.array([one.mean for one in mattes])
    share = float(np.mean(overlaps > 0.7))
    per_scene = [np.mean([sum(one.seconds for one in found.mattes) for found in scenes])]
    per_scene.append(np.mean([found.seconds for found in scenes]))
    yield f"* Measured: {facts.day}, bundle {facts.bundle}"
    yield f"* Scenes: {len(scenes)} that no stage has seen, {len(mattes)} objects, one lasso each"
    yield f"* Marked later than frame 0, for they are not seen there: {late}; nothing found or seen: {empty}"
    drawn = np.nanmean([one.drawn for one in mattes])
    yield f"* Intersection over union in the marked frame: {drawn:.3f}"
    middle = np.median(overlaps)
    yield f"* In all other frames: {overlaps.mean():.3f}, median {middle:.3f}, over 0.7: {share:.0%}"
    yield f"* CPU per scene: {per_scene[0]:.1f} s for the mattes, {per_scene[1]:.1f} s for their sounds"


def _compared(scenes: Rows, draws: int) -> Iterator[str]:
    yield "| | true mattes | tracked mattes | kept | must |\n|---|---|---|---|---|"
    for name, value, must in COMPARED:
        cells = [_shown(figure(scenes, partial(value, condition=one), draws=draws)) for one in (OWN, TRACKED)]
        share = figure(scenes, partial(kept, value=value), draws=draws)
        text = _shown(share)
        missed = must is not None and (share is None or share.value < must)
        asked = "" if must is None else f"{must:g}"
        yield f"| {name} | {' | '.join(cells)} | {f'**{text}**' if missed else text} | {asked} |"


def _shown(found: Figure | None) -> str:
    if found is None:
        return "not measured"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _classes(scenes: Sequence[SceneFound]) -> Iterator[str]:
    yield "| class | objects | IoU marked | IoU mean | onset F1 true | tracked | envelope true | tracked |"
    yield "|---|---|---|---|---|---|---|---|"
    mattes = [one for found in scenes for one in found.mattes]
    rows = [row for found in scenes for row in found.rows]
    for name in sorted({one.name for one in mattes}):
        mine = [one for one in mattes if one.name == name]
        overlaps = (
            f"{np.nanmean([one.drawn for one in mine]):.2f} | {np.mean([one.mean for one in mine]):.2f}"
        )
        heard = [[row for row in rows if (row.name, row.condition) == (name, one)] for one in (OWN, TRACKED)]
        impact = heard[0][0].kind == "impact"
        f1 = " | ".join(f"{joint_counts(one).f1:.2f}" if impact else "" for one in heard)
        alike = " | ".join("" if impact else f"{np.mean([row.likeness for row in one]):.2f}" for one in heard)
        yield f"| {name} | {len(mine)} | {overlaps} | {f1} | {alike} |"


def _losers(scenes: Sequence[SceneFound]) -> Iterator[str]:
    """Objects in the order of the hits that were lost."""
    yield "| object | class | marked | IoU then | mean | last | unsure | events | hit, true matte | tracked |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    lost = []
    for found in scenes:
        by = {(row.condition, row.things[0]): row for row in found.rows}
        for one in found.mattes:
            own, tracked = by[OWN, one.thing].counts, by[TRACKED, one.thing].counts
            if by[TRUE, one.thing].kind == "impact":
                lost.append((len(own.errors) - len(tracked.errors), one, own, tracked))
    for _, one, own, tracked in sorted(lost, key=lambda row: -row[0])[:_WORST]:
        worth = f"{one.drawn:.2f} | {one.mean:.2f} | {one.last:.2f} | {one.unsure:.0%}"
        heard = f"{own.there} | {len(own.errors)} of {own.found} | {len(tracked.errors)} of {tracked.found}"
        yield f"| {one.scene}, {one.thing} | {one.name} | {one.start} | {worth} | {heard} |"
