"""What a class of sound makers is: its rhythm, its looks, its voices and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exporter.synth.arrays import Float64, Random
from exporter.synth.palettes import Paints
from exporter.synth.rhythm import Span
from exporter.synth.scores import Kind, Score
from exporter.synth.shapes import Figure
from exporter.synth.voices import Voice


@dataclass(frozen=True, slots=True)
class Shot:
    """What a look needs to draw one object.

    Attributes:
        rng: where its proportions come from.
        variant: which of the class's looks, from 0.
        score: what happens.
        times: `[T]` seconds of the frames.
        paints: the object's colours.
        foreign: the thing that strikes is not part of the object.
    """

    rng: Random
    variant: int
    score: Score
    times: Float64
    paints: Paints
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Maker:
    """One class of sound makers.

    Attributes:
        name: of the class; words joined by underscores.
        kind: what its scores are made of.
        phrases: noun phrases for it, the plain one first.
        materials: what it is made of (keys of `palettes.NATURAL`), most important first.
        variants: how many looks it has; voice and look of one variant belong together.
        level: dBFS of its loudest event's peak, when near.
        compose: its rhythm within a span.
        look: its picture.
        voice: `voice(rng, variant, size)`; size 0 (small, high) to 1 (large, low).
    """

    name: str
    kind: Kind
    phrases: tuple[str, ...]
    materials: tuple[str, ...]
    variants: int
    level: float
    compose: Callable[[Random, Span], Score]
    look: Callable[[Shot], Figure]
    voice: Callable[[Random, int, float], Voice]


def pitch_of(rng: Random, size: float, *, octaves: float = 1.2) -> float:
    """A factor for frequencies: the larger the thing, the lower; never quite the same."""
    return float(2.0 ** ((0.5 - size) * octaves + rng.normal(0, 0.08)))
