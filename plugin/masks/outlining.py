"""The outline of an object that somebody drew a line around: odds of colours and of places, then a cut.

What lies just outside the line is background; the object is what differs from it, and it is likelier to
begin some pixels inside the line than at it. Three tries differ in what they learn from what; their mean is
the mask, with a soft edge, and how far they agree is the confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.colour_models import ColourModel, Flags, Floats, features
from plugin.masks.min_cut import MOST, cheapest_cut
from plugin.masks.object_crops import PIXELS
from plugin.masks.remembering import remembered

FEWEST = 12
"""Pixels below which nothing can be learnt."""

_RING = 0.16
"""Width of the ring of background that is learnt, relative to the square root of the area drawn around."""

_RING_LEAST = 4
_CORE = 0.35
"""What lies deeper than this share of the greatest depth is surely the object..."""

_CORE_MOST = 14.0
"""...or what lies this deep (240-pixel crop)."""

_GAP_LEAST, _GAP_MOST = 1.0, 9.0
"""How far a line may run outside the object (240-pixel crop)."""

_GAP_EARLY = 0.5
"""By how much the object is taken to begin before its colours say so: they mix at its edge."""

_DEEP = 0.7
"""Share of the greatest depth from which on nearly everything is the object."""

_SOFT_GAP = 3.0
_DEPTH_WEIGHT = 3.0
_COLOUR_MOST = 4.0
_OUTSIDE, _INSIDE = 20, 5
"""Components of the two models."""

_BLUR = 0.7


@dataclass(frozen=True, slots=True)
class Outlined:
    """An object in a crop.

    Attributes:
        soft: 0..1, [height, width].
        agreement: of the pixels that any try calls the object, the share that all do; 0 where none is.
    """

    soft: Floats
    agreement: float


@dataclass(frozen=True, slots=True)
class _Try:
    """What a further round learns from.

    Attributes:
        rest: background is also what the round before called so.
        sure: object is what it called so with at least these odds.
        keeps_core: and what lies deep inside in any case.
    """

    rest: bool
    sure: float
    keeps_core: bool


_FURTHER = (_Try(rest=True, sure=1.0, keeps_core=True), _Try(rest=False, sure=0.0, keeps_core=False))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A crop, the area drawn around in it, and what of that is surely the object.

    Attributes:
        picture: RGB, [height, width, 3].
        inside: drawn around.
        core: surely the object.
        depths: distance from the line, crop pixels; 0 outside.
        weight: of a pixel's depth against its colour, in odds.
    """

    picture: npt.NDArray[np.uint8]
    inside: Flags
    core: Flags
    depths: Floats
    weight: float = _DEPTH_WEIGHT

    @classmethod
    def of(cls, picture: npt.NDArray[np.uint8], filled: npt.NDArray[np.uint8]) -> Drawn:
        """A line that follows the object."""
        inside = filled >= 128
        depths = depths_of(inside)
        unit = max(inside.shape) / PIXELS
        core = inside & (depths >= min(_CORE * float(depths.max()), _CORE_MOST * unit))
        return cls(picture, inside, core, depths)


def depths_of(inside: Flags) -> Floats:
    """Distance of every pixel inside from the nearest one outside, which the picture's edge is not."""
    depths = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    return np.minimum(depths, np.float32(max(inside.shape))).astype(np.float32)  # endless where all is inside


@remembered
def outline(drawn: Drawn) -> Outlined:
    """The object that was drawn around; the same for the same crop."""
    if drawn.inside.sum() < FEWEST:
        return Outlined(drawn.inside.astype(np.float32), 0.5 if drawn.inside.any() else 0.0)
    found = _Outliner.of(drawn).tries()
    together = np.asarray(np.mean(found, axis=0), np.float32)
    any_of, all_of = float((together > 0).sum()), float((together > 1 - 1e-6).sum())
    soft = np.asarray(cv2.GaussianBlur(together, (0, 0), _BLUR), np.float32)
    return Outlined(np.where(drawn.inside, soft, np.float32(0)), all_of / any_of if any_of else 0.0)


@dataclass(frozen=True, slots=True)
class _Outliner:
    """One drawing at work: its features, and the models that do not change."""

    drawn: Drawn
    points: Floats
    ring: Flags
    outside: Floats

    @classmethod
    def of(cls, drawn: Drawn) -> _Outliner:
        extent = float(np.sqrt(drawn.inside.sum()))
        points = features(drawn.picture, extent=extent)
        ring = _ring(drawn, max(_RING_LEAST, _RING * extent))
        outside = ColourModel.of(points[ring], components=_OUTSIDE).log_likelihood(points[drawn.inside])
        return cls(drawn, points, ring, outside)

    def tries(self) -> list[Flags]:
        """The first round, and what each of the further ones makes of it."""
        first, odds = self._round(self.drawn.core, self.outside)
        return [first, *(self._further(one, first, odds) for one in _FURTHER)]

    def _further(self, what: _Try, first: Flags, odds: Floats) -> Flags:
        learnt = first & (odds > what.sure)
        learnt |= self.drawn.core if what.keeps_core else False
        outside = self.outside
        if what.rest:
            samples = self.points[self.ring | (self.drawn.inside & ~first)]
            outside = ColourModel.of(samples, components=_OUTSIDE).log_likelihood(
                self.points[self.drawn.inside]
            )
        return self._round(learnt, outside)[0]

    def _round(self, learnt: Flags, outside: Floats) -> tuple[Flags, Floats]:
        """The object, and the odds of colours alone, from samples of it."""
        drawn = self.drawn
        known = next(one for one in (learnt, drawn.core, drawn.inside) if one.sum() >= FEWEST)
        model = ColourModel.of(self.points[known], components=_INSIDE)
        colours = model.log_likelihood(self.points[drawn.inside]) - outside
        colours = np.clip(colours, -_COLOUR_MOST, _COLOUR_MOST)
        depths, unit = drawn.depths[drawn.inside], max(drawn.inside.shape) / PIXELS
        gap = gap_of(depths / unit, colours > 0) * unit
        depth = np.tanh((depths - gap) / (_SOFT_GAP * unit))
        odds = np.full(drawn.inside.shape, -MOST, np.float32)
        odds[drawn.inside] = colours + drawn.weight * depth
        alone = np.full(drawn.inside.shape, -MOST, np.float32)
        alone[drawn.inside] = colours
        return cheapest_cut(drawn.picture, odds, within=drawn.inside), alone


def gap_of(depths: Floats, alike: Flags) -> float:
    """How far inside the line the object begins: where half as many pixels look like it as deep inside.

    Hands differ, and so do objects; the colours of this one tell on the whole way round, even if at some
    places they are those of the ground.

    Args:
        depths: of the pixels drawn around, 240-pixel crop, [n].
        alike: whether each looks more like the object than like what lies around it, [n].
    """
    deep = depths >= min(_GAP_MOST, _DEEP * float(depths.max()))
    bands = depths.astype(int)
    shares = np.bincount(bands, alike) / np.maximum(np.bincount(bands), 1)
    needed = float(alike[deep].mean()) / 2
    reached = int(np.argmax(shares >= needed))
    before = shares[reached - 1] if reached else needed
    part = (needed - before) / max(shares[reached] - before, 1e-6)
    begin = reached - 0.5 + part if reached else 0.5
    return float(np.clip(begin - _GAP_EARLY, _GAP_LEAST, _GAP_MOST))


def _ring(drawn: Drawn, width: float) -> Flags:
    """What lies just outside; where there is hardly anything, what lies at the edge of the inside."""
    away = depths_of(~drawn.inside)
    ring = ~drawn.inside & (away <= width)
    if ring.sum() >= 2 * FEWEST:
        return ring
    framed = np.zeros_like(drawn.inside)
    framed[2:-2, 2:-2] = True
    return np.asarray(ring | (drawn.inside & ~framed))
