"""One run away from a keyframe: dense flow, always measured against the keyframe itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks import dense_flow
from plugin.masks.colours import Colours
from plugin.masks.crop_following import Window, bounding_box, window_around
from plugin.masks.makers import Mask, Picture
from plugin.masks.notes import Note
from plugin.masks.redetection import STILL, Pattern
from plugin.masks.sights import Placed, Sight

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_LEVELS = 15.0
"""Photometric error, in levels of 255, at which trust falls to 1/e."""

_SURE_LEVELS = 20.0
"""The same for what the editor is told."""

_UNKNOWN = 0.1
"""Trust in what lay beyond the picture's border before."""

_FLOW, _COLOUR = 2.0, 0.5
"""What flow and colours weigh, in logarithms of odds."""

_LEAST_FLOW = 0.3
"""Share of its weight that flow has where it is not to be trusted."""

_REACH = 0.06
"""How far from where flow puts the object its colours may still add to it, relative to the crop."""

_LEFT = 3.0
"""Weight of the anchor's word against the last mask, one reach and more away from where it is seen."""

_SEEN_SHARE = 0.15
"""Share of the keyframe's area under which confidence falls."""

_WEAK = 0.25
"""Confidence under which the object is looked for elsewhere."""

_FOUND_MISFIT, _FOUND_TRUST = 25.0, 0.4

_BENT_LEVELS = 3.0
"""By how many levels dense flow must beat a rigid map at a pixel: flow bends where things cover."""

_MOST_LEVELS = 50.0
"""No pixel counts for more than this against a rigid map: it may be covered."""

_FEW_PIXELS, _WORST = 10.0, 255.0

_MEAN_OF_CHANNELS: Floats = np.full((1, 3), 1 / 3, np.float32)
_UNMOVED: Floats = np.array([[1, 0, 0], [0, 1, 0]], np.float32)

_TIGHT, _GROWTH, _OFF_CENTRE = 1.3, 1.15, 0.08


@dataclass(frozen=True, slots=True)
class Anchor:
    """The keyframe, which everything is measured against.

    Attributes:
        sight: the frame.
        soft: the mask in the crop, 0..1; at the picture's border it goes on beyond it.
        area: of the mask, source pixels.
        colours: what the mask teaches.
        pattern: to find the object again; None where it is too small for that.
    """

    sight: Sight
    soft: Floats
    area: float
    colours: Colours
    pattern: Pattern | None

    @classmethod
    def of(cls, picture: Picture, mask: Mask) -> Self:
        """The anchor of a keyframe; at least one pixel must lie on the object."""
        sight = Sight.of(picture, window_around(mask))
        soft = sight.window.cut(mask).astype(np.float32) / np.float32(255)
        seen = soft * sight.within
        area = float(seen.sum()) / sight.window.scale**2
        pattern = Pattern.of(sight.window, sight.crop, seen)
        return cls(sight, soft, area, Colours.learned(sight.crop, soft), pattern)


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of one frame.

    Attributes:
        sight: the frame.
        places: where in the anchor's crop each pixel comes from, `[pixels, pixels, 2]`.
        soft: the mask, 0..1; beyond the picture's border it is a guess.
        matrix: the turn, scale and shift that comes nearest to `places` on the object, `[2, 3]`.
        confidence: 0..1.
        velocity: source pixels per frame, right and down.
    """

    sight: Sight
    places: Floats
    soft: Floats
    matrix: Floats
    confidence: float = 1.0
    velocity: tuple[float, float] = (0.0, 0.0)

    @property
    def seen(self) -> Floats:
        """The mask, 0 beyond the picture's border."""
        return self.soft * self.sight.within


@dataclass(frozen=True, slots=True)
class Match:
    """A map into the anchor.

    Attributes:
        matrix: the rigid map beneath it, `[2, 3]`.
        places: where in the anchor's crop each pixel comes from, `[pixels, pixels, 2]`.
        error: of the anchor seen through it, levels of 255, `[pixels, pixels]`.
    """

    matrix: Floats
    places: Floats
    error: Floats

    def or_where_better(self, places: Floats, error: Floats, *, by: float) -> Match:
        """Another map wherever its error is less by this many levels."""
        better = error < self.error - np.float32(by)
        return Match(
            self.matrix,
            np.where(better[..., None], places, self.places),
            np.where(better, error, self.error),
        )


class Run:
    """Follows the object of a keyframe through the frames on one side of it, one after the other."""

    def __init__(self, picture: Picture, mask: Mask) -> None:
        self._anchor = Anchor.of(picture, mask)
        sight = self._anchor.sight
        self._last = Step(sight, dense_flow.grid(sight.window.pixels), self._anchor.soft, _UNMOVED)
        self._weak_frames = 0

    @property
    def start(self) -> Placed:
        """The keyframe itself."""
        return Placed(self._anchor.sight.window, self._anchor.soft * self._anchor.sight.within, 1.0)

    def step(self, picture: Picture) -> Placed:
        """The object in the next frame."""
        sight = Sight.of(picture, self._ahead(picture))
        weak = self._last.confidence < _WEAK
        self._weak_frames = self._weak_frames + 1 if weak else 0
        step = (self._returned(sight) if weak else None) or self._flowed(sight)
        self._last = _centred(step)
        return Placed(step.sight.window, step.seen, step.confidence)

    def noted(self) -> Note:
        """Where the run is; everything else follows from the pictures."""
        last = self._last
        return {
            "window": np.array(last.sight.window.numbers),
            "places": last.places,
            "soft": last.soft,
            "matrix": last.matrix,
            "numbers": np.array([last.confidence, *last.velocity]),
            "weak": np.array(self._weak_frames),
        }

    def take_up(self, picture: Picture, note: Note) -> None:
        """Goes on from where another run of the same keyframe was.

        Args:
            picture: the last frame that it was shown.
            note: what it noted then.
        """
        confidence, right, down = (float(number) for number in note["numbers"])
        sight = Sight.of(picture, Window.of_numbers(note["window"]))
        self._last = Step(sight, note["places"], note["soft"], note["matrix"], confidence, (right, down))
        self._weak_frames = int(note["weak"])

    def _ahead(self, picture: Picture) -> Window:
        """The window to look through next: where the object seems to have gone."""
        last = self._last
        pattern = Pattern.of(last.sight.window, last.sight.crop, last.seen)
        motion = pattern.moved(last.sight.picture, picture, last.velocity) if pattern else STILL
        x, y = last.sight.window.centre
        return last.sight.window.centred((x + motion.x, y + motion.y))

    def _flowed(self, sight: Sight) -> Step:
        last = self._last
        flow = dense_flow.flow(sight.grey, last.sight.grey)
        before = dense_flow.grid(sight.window.pixels) + flow
        held = dense_flow.warped(last.soft, before)
        match = self._anchored(sight, dense_flow.warped(last.places, before), held)
        places, error = match.places, match.error
        error_held = _error(sight.crop, dense_flow.warped(last.sight.crop, before))
        trust = _trust(error, dense_flow.warped(self._anchor.sight.within, places))
        trust_held = _trust(error_held, dense_flow.warped(last.sight.within, before))
        anchored = dense_flow.warped(self._anchor.soft, places)
        left = self._left(sight, anchored, error)
        soft = (trust * anchored + trust_held * held) / (trust + trust_held + left + 1e-6)
        if self._anchor.colours.trust > 0:
            soft = self._coloured(sight, soft, np.maximum(trust, trust_held))
        step = Step(
            sight, places, soft, match.matrix, velocity=_velocity(last.sight.window, sight, flow, soft)
        )
        return replace(step, confidence=self._confidence(step, error, anchored))

    def _left(self, sight: Sight, anchored: Floats, error: Floats) -> Floats:
        """What speaks against the last mask far from where the anchor is seen, if it is seen well.

        What an object has uncovered does not change any more and would be held for ever.
        """
        seen = anchored * sight.within
        if float(seen.sum()) < _FEW_PIXELS:
            return np.zeros_like(anchored)
        well = np.exp(-_mean(np.minimum(error, _MOST_LEVELS), seen) / _LEVELS)
        return np.asarray(_LEFT * well * np.minimum(_beyond(anchored, sight.window.pixels), 1), np.float32)

    def _anchored(self, sight: Sight, places: Floats, held: Floats) -> Match:
        """The map into the anchor: a rigid one, and dense flow where that explains the picture better."""
        pixels = sight.window.pixels
        carried = self._mapped(sight, self._carried(sight))
        rigid = self._better(sight, carried, dense_flow.similarity(places, held >= 0.5))
        start = rigid.places - dense_flow.grid(pixels)
        flow = dense_flow.grid(pixels) + dense_flow.flow(sight.grey, self._anchor.sight.grey, start)
        inside = dense_flow.warped(self._anchor.soft, flow) >= 0.5
        rigid = self._better(sight, rigid, dense_flow.similarity(flow, inside))
        bent = rigid.or_where_better(flow, self._error(sight, flow), by=_BENT_LEVELS)
        return bent.or_where_better(places, self._error(sight, places), by=1.0)

    def _better(self, sight: Sight, match: Match, matrix: Floats | None) -> Match:
        """Of two rigid maps, one of which may be missing, the one that explains the picture best."""
        if matrix is None:
            return match
        other = self._mapped(sight, matrix)
        return other if self._misfit(sight, other) <= self._misfit(sight, match) else match

    def _mapped(self, sight: Sight, matrix: Floats) -> Match:
        places = dense_flow.mapped(matrix, sight.window.pixels)
        return Match(matrix, places, self._error(sight, places))

    def _misfit(self, sight: Sight, match: Match) -> float:
        seen = dense_flow.warped(self._anchor.soft, match.places) * sight.within
        few = float(seen.sum()) < _FEW_PIXELS
        return _WORST if few else _mean(np.minimum(match.error, _MOST_LEVELS), seen)

    def _carried(self, sight: Sight) -> Floats:
        """The last frame's rigid map, had the object gone on as before."""
        before, now = self._last.sight.window, sight.window
        x, y = self._last.velocity
        shift = np.array([now.left - before.left - x, now.top - before.top - y]) * now.scale
        return _shifted(self._last.matrix, np.asarray(shift, np.float32))

    def _error(self, sight: Sight, places: Floats) -> Floats:
        return _error(sight.crop, dense_flow.warped(self._anchor.sight.crop, places))

    def _coloured(self, sight: Sight, soft: Floats, trust: Floats) -> Floats:
        """The mask that flow and the anchor's colours agree on."""
        pixels = sight.window.pixels
        flow = _FLOW * (2 * soft - 1) * (_LEAST_FLOW + (1 - _LEAST_FLOW) * trust)
        colours = _COLOUR * self._anchor.colours.trust * self._anchor.colours.speak_for(sight.crop)
        return _likely(flow + colours - 4 * _beyond(soft, pixels))

    def _confidence(self, step: Step, error: Floats, anchored: Floats) -> float:
        """How well the anchor explains what lies under the mask, by its pixels or at least by its colours.

        What comes from beside the object in the anchor is explained, too, but it is not the object.
        """
        seen = step.seen
        known = seen * dense_flow.warped(self._anchor.sight.within, step.places)
        pixels = _mean(anchored * np.exp(-error / _SURE_LEVELS), known)
        colours = self._anchor.colours
        fits = _mean(_likely(colours.speak_for(step.sight.crop)), seen)
        area = float(seen.sum()) / step.sight.window.scale**2
        whole = min(1.0, area / (_SEEN_SHARE * self._anchor.area))
        return whole * (pixels + (1 - pixels) * 0.6 * colours.trust * fits)

    def _returned(self, sight: Sight) -> Step | None:
        """The object where the anchor's pattern is found again, ever further away; None if nowhere."""
        anchor = self._anchor
        if anchor.pattern is None:
            return None
        largest = 2.2 * max(sight.picture.shape[:2]) / anchor.sight.window.side
        wider = min(2.0 + 0.5 * self._weak_frames, max(largest, 1.0))
        x, y = sight.window.centre
        motion = anchor.pattern.anywhere(sight.picture, (x, y), wider=wider)
        if motion.misfit > _FOUND_MISFIT:
            return None
        there = Sight.of(sight.picture, anchor.sight.window.centred((x + motion.x, y + motion.y)))
        places = dense_flow.grid(there.window.pixels) + dense_flow.flow(there.grey, anchor.sight.grey)
        error = _error(there.crop, dense_flow.warped(anchor.sight.crop, places))
        soft = dense_flow.warped(anchor.soft, places)
        trust = _mean(np.exp(-error / _LEVELS), soft)
        return Step(there, places, soft, _UNMOVED, trust) if trust >= _FOUND_TRUST else None


def _centred(step: Step) -> Step:
    """The same frame through a window in which the object lies well."""
    left, top, wide, high = bounding_box((step.seen * 255).astype(np.uint8))
    window = step.sight.window
    if wide == 0:
        return step
    x, y = window.source_place((left + wide / 2, top + high / 2))
    off = max(abs(x - window.centre[0]), abs(y - window.centre[1])) > _OFF_CENTRE * window.side
    if max(wide, high) * _TIGHT > window.pixels:
        window = replace(window, side=round(window.side * _GROWTH)).centred(window.centre)
    return _through(step, window.centred((x, y)) if off else window)


def _through(step: Step, window: Window) -> Step:
    """The same frame through another window."""
    old = step.sight.window
    if window == old:
        return step
    ratio = window.side / old.side
    shift = np.array([window.left - old.left, window.top - old.top]) * old.scale + 0.5 * ratio - 0.5
    places = np.asarray(dense_flow.grid(window.pixels) * ratio + shift, np.float32)
    matrix = _shifted(step.matrix, np.asarray(shift, np.float32))
    matrix[:, :2] *= np.float32(ratio)
    return replace(
        step,
        matrix=matrix,
        sight=Sight.of(step.sight.picture, window),
        places=dense_flow.warped(step.places, places),
        soft=dense_flow.warped(step.soft, places),
    )


def _shifted(matrix: Floats, shift: Floats) -> Floats:
    """The rigid map from places that lie further right and down by a shift."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ shift
    return moved


def _velocity(before: Window, sight: Sight, flow: Floats, soft: Floats) -> tuple[float, float]:
    inside = soft * sight.within >= 0.5
    if int(inside.sum()) < 4:
        return 0.0, 0.0
    right, down = np.median(flow[inside], axis=0) / sight.window.scale
    return sight.window.left - before.left - float(right), sight.window.top - before.top - float(down)


def _trust(error: Floats, known: Floats) -> Floats:
    return np.asarray((_UNKNOWN + (1 - _UNKNOWN) * known) * np.exp(-error / _LEVELS), np.float32)


def _beyond(soft: Floats, pixels: int) -> Floats:
    """How far beyond reach of a mask each pixel lies, in reaches: 0 on it and near it."""
    outside = cv2.distanceTransform((soft < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.maximum(np.minimum(outside, pixels) / (_REACH * pixels) - 1, 0), np.float32)


def _likely(odds: Floats) -> Floats:
    """0..1 from odds whose logarithm, halved, is given."""
    return np.asarray(1 / (1 + np.exp(-2 * np.clip(odds, -15, 15))), np.float32)


def _error(crop: Bytes, seen: Floats) -> Floats:
    """Mean difference of the channels, levels of 255, a little smoothed: `[H, W]`."""
    apart = cv2.absdiff(crop.astype(np.float32), seen)
    levels = cv2.transform(apart, _MEAN_OF_CHANNELS)
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), 2), np.float32)


def _mean(values: Floats, weights: Floats) -> float:
    weight = float(weights.sum())
    return float((values * weights).sum()) / weight if weight > 1 else 0.0
