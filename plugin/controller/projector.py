"""One frame of a spot as the viewer shows it: picture, matte and focus put together, the last ones kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from plugin.controller.focusing import WHOLE, Focus, Region
from plugin.controller.kept import Kept
from plugin.controller.overlays import Overlay, draw_over
from plugin.controller.shots import OpenShot, Shot
from plugin.cues import Cue, Spot
from plugin.errors import MediaError
from plugin.media.picking import Picture
from plugin.media.stills import Size

_BEHIND = 11
"""Frames that are kept on the way when pictures are asked for backwards."""

_NARROWEST = 1 / 16
"""No crop is taken for narrower than this part of the picture."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture to paint: RGB, 8 bits each, rows from the top without gaps."""

    rgb: bytes
    width: int
    height: int

    @classmethod
    def of(cls, picture: Picture) -> Still:
        """From `[h, w, 3]` uint8."""
        return cls(np.ascontiguousarray(picture).tobytes(), picture.shape[1], picture.shape[0])


PLAIN = Overlay()


class FocusMode(StrEnum):
    """How the focus is shown."""

    OFF = "off"
    RECTANGLE = "rectangle"
    CROP = "crop"


@dataclass(frozen=True, slots=True)
class FrameWish:
    """What the viewer wants to see.

    Attributes:
        cue: of which spot.
        time: absolute record seconds, the start of a timeline frame.
        step: length of a timeline frame, seconds.
        limit: pixels there are for the picture.
        overlay: how the matte is drawn.
        focus: how the focus is shown.
    """

    cue: Cue
    time: Fraction
    step: Fraction
    limit: Size
    overlay: Overlay = PLAIN
    focus: FocusMode = FocusMode.OFF


@dataclass(frozen=True, slots=True)
class ViewerFrame:
    """What the viewer shows.

    Attributes:
        wish: what was asked for.
        still: the picture, None where there is none: then `notice` is all there is to show.
        focus: where to draw the focus rectangle, None for nowhere.
        notice: what is wrong with picture or matte, or what is still being found out; "" for nothing.
        remedy: what to do about it, one imperative sentence, "" for nothing.
    """

    wish: FrameWish
    still: Still | None
    focus: Region | None = None
    notice: str = ""
    remedy: str = ""


class Projector:
    """Shows frames of spots, one thread's; the shot in use stays open, decoded pictures are kept."""

    def __init__(self, memory: int) -> None:
        self._pictures: Kept[Picture] = Kept(memory * 3 // 4)
        self._masks: Kept[Picture] = Kept(memory // 4)
        self._open = OpenShot()
        self._spot: Spot | None = None
        self._last: Fraction | None = None

    @property
    def weight(self) -> int:
        """Bytes of the pictures that are kept."""
        return self._pictures.weight + self._masks.weight

    def frame(self, wish: FrameWish, focus: Focus | None) -> ViewerFrame:
        """What the viewer shows for a wish.

        Args:
            wish: what is asked for.
            focus: of its moment, None where it is not known or not wanted.

        Raises:
            MediaError: there is no picture.
        """
        shot = self._load(wish.cue.spot)
        region = focus.region if focus and wish.focus is FocusMode.CROP else WHOLE
        picture = self._picture(shot, wish, limit=_limit_for(region, wish.limit))
        error = shot.matte_error
        if wish.overlay.shown and error is None:
            try:
                picture = self._overlaid(shot, wish, picture)
            except MediaError as met:
                error = met
        return ViewerFrame(
            wish,
            Still.of(_cut(picture, region)),
            focus=focus.region if focus and wish.focus is FocusMode.RECTANGLE else None,
            notice=error.message if error else _focus_words(focus, wish),
            remedy=error.remedy if error else "",
        )

    def forget(self) -> None:
        """Let go of the files and of everything that was kept."""
        self._open.close()
        self._spot = self._last = None
        self._pictures.clear()
        self._masks.clear()

    def _load(self, spot: Spot) -> Shot:
        """The shot of this spot, open; opened again when its files are others than before."""
        changed = self._open.has_changed(spot)
        if changed:
            self.forget()  # the files were written anew: what is kept is not theirs
        if self._spot != spot:
            self._spot, self._last = spot, None
        return self._open.shot_of(spot)

    def _picture(self, shot: Shot, wish: FrameWish, *, limit: Size) -> Picture:
        """The picture within `limit`; asked for backwards, those just before it are kept on the way."""
        key = (shot.spot.picture, wish.time, limit)
        known = self._pictures.get(key)
        back = self._last is not None and 0 < self._last - wish.time <= _BEHIND * wish.step
        self._last = wish.time
        if known is not None:
            return known
        first = shot.spot.record.start
        for behind in range(_BEHIND if back else 0, 0, -1):
            time = wish.time - behind * wish.step
            if time >= first and self._pictures.get((shot.spot.picture, time, limit)) is None:
                self._decode(shot, time, limit=limit)
        return self._decode(shot, wish.time, limit=limit)

    def _decode(self, shot: Shot, time: Fraction, *, limit: Size) -> Picture:
        picture = shot.picture(time, limit=limit)
        self._pictures.put((shot.spot.picture, time, limit), picture, weight=picture.nbytes)
        return picture

    def _overlaid(self, shot: Shot, wish: FrameWish, picture: Picture) -> Picture:
        size = Size(picture.shape[1], picture.shape[0])
        key = (shot.spot.matte, wish.time, size)
        mask = self._masks.get(key)
        if mask is None:
            mask = shot.mask(wish.time, size=size)
            if mask is None:
                return picture
            self._masks.put(key, mask, weight=mask.nbytes)
        return draw_over(picture, mask, wish.overlay)


def _limit_for(region: Region, limit: Size) -> Size:
    """How large the whole picture may be so that its `region` fills `limit`."""
    across = max(region.right - region.left, _NARROWEST)
    down = max(region.bottom - region.top, _NARROWEST)
    return Size(round(limit.width / across), round(limit.height / down))


def _cut(picture: Picture, region: Region) -> Picture:
    height, width = picture.shape[:2]
    top, left = int(region.top * height), int(region.left * width)
    bottom, right = max(top + 1, round(region.bottom * height)), max(left + 1, round(region.right * width))
    return picture[top:bottom, left:right]


def _focus_words(focus: Focus | None, wish: FrameWish) -> str:
    if wish.focus is FocusMode.OFF:
        return ""
    return "Finding the focus ..." if focus is None else focus.reason
