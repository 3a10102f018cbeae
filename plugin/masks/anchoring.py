"""One run away from a keyframe: dense flow, always measured against the keyframe itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks import dense_flow
from plugin.masks.crop_following import Window, bounding_box, window_around
from plugin.masks.makers import Mask, Picture

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_LEVELS = 15.0
"""Photometric error, in levels of 255, at which trust falls to 1/e."""

_BAD_LEVELS = 10.0
_BETTER = 0.8


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of one frame: the crop, and a grey and a smoothed version of it."""

    window: Window
    crop: Bytes
    grey: Bytes

    @classmethod
    def of(cls, picture: Picture, window: Window) -> View:
        """The view of a picture through a window."""
        crop = window.cut(picture)
        return cls(window, crop, np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8))


@dataclass(frozen=True, slots=True)
class Placed:
    """The object in one frame.

    Attributes:
        window: where the crop lies.
        soft: the crop's mask, `[pixels, pixels]`, 0..1.
        confidence: 0..1.
        lost: it has been under `LOST_BELOW` for `LOST_FRAMES` frames.
    """

    window: Window
    soft: Floats
    confidence: float
    lost: bool = False

    def marked(self, *, lost: bool) -> Placed:
        """The same, with the object lost or not."""
        return replace(self, lost=lost)


class Run:
    """Follows the object of a keyframe through the frames on one side of it, one after the other."""

    def __init__(self, picture: Picture, mask: Mask) -> None:
        window = window_around(mask)
        self._anchor = View.of(picture, window)
        self._anchor_soft = window.cut(mask).astype(np.float32) / np.float32(255)
        self._area = float(self._anchor_soft.sum())
        self._view = self._anchor
        self._soft = self._anchor_soft
        self._places = dense_flow.grid(window.pixels)
        self._velocity = (0.0, 0.0)
        self._centre = window.centre

    def step(self, picture: Picture) -> Placed:
        """The object in the next frame."""
        view = View.of(picture, self._view.window.centred(self._ahead()))
        pixels = view.window.pixels
        flow = dense_flow.flow(view.grey, self._view.grey)
        before = dense_flow.grid(pixels) + flow
        places = dense_flow.warped(self._places, before)
        held = dense_flow.warped(self._soft, before)
        places, error = self._refined(view, places, held)
        warped_anchor = dense_flow.warped(self._anchor_soft, places)
        area = float(warped_anchor.sum()) / max(self._area, 1.0)
        under = _mean_under(error, warped_anchor)
        if under > _BAD_LEVELS or not 0.3 < area < 3:
            found = self._found(view, under)
            if found is not None:
                places, error, under = found
                warped_anchor = dense_flow.warped(self._anchor_soft, places)
                held = warped_anchor
        error_held = _error(view.crop, dense_flow.warped(self._view.crop, before))
        trust, trust_held = np.exp(-error / _LEVELS), np.exp(-error_held / _LEVELS)
        soft = (trust * warped_anchor + trust_held * held) / (trust + trust_held + 1e-6)
        self._places, self._view = places, view
        self._soft = soft.astype(np.float32)
        self._follow(view)
        return Placed(view.window, self._soft, float(np.exp(-under / _LEVELS)))

    def _ahead(self) -> tuple[float, float]:
        return self._centre[0] + self._velocity[0], self._centre[1] + self._velocity[1]

    def _follow(self, view: View) -> None:
        box = bounding_box((self._soft * 255).astype(np.uint8))
        if box[2] == 0:
            self._velocity = (0.0, 0.0)
            return
        centre = view.window.source_place((box[0] + box[2] / 2, box[1] + box[3] / 2))
        self._velocity = (0.0, 0.0)
        self._centre = centre

    def _refined(self, view: View, places: Floats, held: Floats) -> tuple[Floats, Floats]:
        pixels = view.window.pixels
        start = dense_flow.similarity(places, held >= 0.5)
        guess = places if start is None else dense_flow.mapped(start, pixels)
        flow = dense_flow.flow(view.grey, self._anchor.grey, guess - dense_flow.grid(pixels))
        refined = dense_flow.grid(pixels) + flow
        error = _error(view.crop, dense_flow.warped(self._anchor.crop, places))
        error_refined = _error(view.crop, dense_flow.warped(self._anchor.crop, refined))
        better = error_refined <= error + 1
        return (
            np.where(better[..., None], refined, places).astype(np.float32),
            np.where(better, error_refined, error).astype(np.float32),
        )

    def _found(self, view: View, under: float) -> tuple[Floats, Floats, float] | None:
        box = bounding_box((self._anchor_soft * 255).astype(np.uint8))
        x, y, w, h = box
        template = self._anchor.crop[y : y + h, x : x + w]
        mask = (self._anchor_soft[y : y + h, x : x + w] >= 0.5).astype(np.uint8)
        score = cv2.matchTemplate(view.crop, template, cv2.TM_SQDIFF, mask=cv2.merge([mask] * 3))
        _, _, (bx, by), _ = cv2.minMaxLoc(score)
        shift = np.array([x - bx, y - by], np.float32)
        pixels = view.window.pixels
        flow = dense_flow.flow(view.grey, self._anchor.grey, np.broadcast_to(shift, (pixels, pixels, 2)))
        places = dense_flow.grid(pixels) + flow
        error = _error(view.crop, dense_flow.warped(self._anchor.crop, places))
        now = _mean_under(error, dense_flow.warped(self._anchor_soft, places))
        return (places, error, now) if now < _BETTER * under else None


def _error(crop: Bytes, seen: Floats) -> Floats:
    levels = np.abs(crop.astype(np.float32) - seen).mean(axis=2)
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), 2), np.float32)


def _mean_under(error: Floats, soft: Floats) -> float:
    weight = float(soft.sum())
    return float((error * soft).sum()) / weight if weight > 1 else 255.0
