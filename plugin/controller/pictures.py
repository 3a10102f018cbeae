"""The panel's pictures: thumbnails and the viewer's frames, decoded in threads of their own.

A `Pictures` belongs to the window's thread. What is asked for comes back from `poll`; `ready` is called,
from another thread, whenever something has come. Nothing here waits for a file.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from models_onnx.manifest import Manifest
from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.focusing import Focuses
from plugin.controller.kept import Kept
from plugin.controller.overlays import Overlay, draw_over
from plugin.controller.projector import FocusMode, FrameWish, Projector, Still, ViewerFrame
from plugin.controller.shots import OpenShot, Shot
from plugin.cues import Cue, Spot
from plugin.errors import MediaError, SagafoleyError
from plugin.media.picking import Picture
from plugin.media.stills import Size

__all__ = ["FocusMode", "FrameWish", "Pictures", "Shown", "Still", "Thumbnail", "ViewerFrame"]

MEMORY = 256 << 20
"""Bytes of decoded pictures that are kept."""

_THUMBNAIL_MEMORY = 32 << 20
_VIEW = "view"


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of a spot, its matte drawn over; `still` is None where there is no picture to show.

    Attributes:
        cue_id: of the spot.
        still: the picture.
        notice: why there is none, "" when there is.
    """

    cue_id: str
    still: Still | None
    notice: str = ""


Shown = ViewerFrame | Thumbnail


class Pictures:
    """Thumbnails and viewer frames; end it with `close`.

    Attributes:
        thumbnail_size: what thumbnails are fitted into, pixels.
    """

    def __init__(
        self,
        *,
        ready: Callable[[], None] = lambda: None,
        manifest: Callable[[], Manifest | None] = lambda: None,
        memory: int = MEMORY,
    ) -> None:
        """Nothing is opened yet.

        Args:
            ready: called from other threads when `poll` has something new.
            manifest: of the bundle in use; looked at where the focus is asked for, in another thread.
            memory: bytes of decoded pictures that may be kept.
        """
        self._ready = ready
        self._shown: queue.SimpleQueue[Shown] = queue.SimpleQueue()
        self._viewer = Background("viewer")
        self._small = Background("thumbnails")
        self._focuses = Focuses(manifest)
        self._projector = Projector(memory)
        self._small_open = OpenShot()
        self._latest: FrameWish | None = None
        self._thumbnails: Kept[Thumbnail] = Kept(_THUMBNAIL_MEMORY)
        self.thumbnail_size = Size(160, 90)

    @property
    def busy(self) -> bool:
        """Whether anything is being decoded or waits to be."""
        return self._viewer.busy or self._small.busy or self._focuses.busy

    @property
    def kept_bytes(self) -> int:
        """Bytes of decoded pictures that are kept."""
        return self._projector.weight

    def ask(self, wish: FrameWish) -> None:
        """Decode this frame next; a wish that still waits is forgotten."""
        self._latest = wish
        self._viewer.put(_VIEW, lambda: self._tell(self._frame(wish)))

    def _ask_again(self) -> None:
        """The latest wish once more: more is known now."""
        if self._latest is not None:
            self.ask(self._latest)

    def thumbnail(self, cue: Cue) -> Thumbnail | None:
        """The thumbnail of a spot where it is there; else it is made and `poll` will bring it."""
        key = _thumbnail_key(cue.spot, self.thumbnail_size)
        known = self._thumbnails.get(key)
        if known is not None:
            return known if known.cue_id == cue.id else replace(known, cue_id=cue.id)
        self._small.put((cue.id, key), lambda: self._tell(self._make_thumbnail(cue, key)))
        return None

    def only_thumbnails(self, cue_ids: frozenset[str]) -> None:
        """Make no thumbnails but those of these spots: what is in sight."""
        self._small.keep(lambda key: isinstance(key, tuple) and key[0] in cue_ids)

    def poll(self) -> tuple[Shown, ...]:
        """What has come since the last call; of the viewer's frames only the last."""
        came: list[Shown] = []
        while not self._shown.empty():
            came.append(self._shown.get())
        frames = [one for one in came if isinstance(one, ViewerFrame)]
        return tuple(one for one in came if isinstance(one, Thumbnail) or one is frames[-1])

    def refresh(self) -> None:
        """Forget everything that was read: media may have been changed or relinked."""
        self._thumbnails.clear()
        self._focuses.clear()
        self._viewer.put("refresh", self._projector.forget)
        self._small.put("refresh", self._small_open.close)

    def close(self) -> None:
        """End the threads and let go of the files."""
        self._small.close()
        self._small_open.close()
        self._focuses.close()
        self._viewer.close()
        self._projector.forget()

    def _tell(self, shown: Shown) -> None:
        self._shown.put(shown)
        self._ready()

    def _frame(self, wish: FrameWish) -> ViewerFrame:
        try:
            wanted = wish.focus is not FocusMode.OFF
            focus = self._focuses.at(wish.cue, wish.time, again=self._ask_again) if wanted else None
            return self._projector.frame(wish, focus)
        except SagafoleyError as error:
            return ViewerFrame(wish, None, notice=error.message, remedy=error.remedy)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            told = unforeseen("showing a picture", error)
            return ViewerFrame(wish, None, notice=told.message, remedy=told.remedy)

    def _make_thumbnail(self, cue: Cue, key: Hashable) -> Thumbnail:
        try:
            shot = self._small_open.shot_of(cue.spot)
            still = Still.of(_thumbnail_picture(shot, limit=self.thumbnail_size))
            made = Thumbnail(cue.id, still)
        except SagafoleyError as error:
            made = Thumbnail(cue.id, None, notice=str(error))
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            made = Thumbnail(cue.id, None, notice=str(unforeseen("making a thumbnail", error)))
        self._thumbnails.put(key, made, weight=len(made.still.rgb) if made.still else 100)
        return made


def _thumbnail_key(spot: Spot, size: Size) -> Hashable:
    return (spot.picture, spot.matte, spot.record, size)


def _thumbnail_picture(shot: Shot, *, limit: Size) -> Picture:
    """The middle of the spot, its matte drawn over where it can be read."""
    record = shot.spot.record
    middle = (record.start + record.end) / 2
    picture = shot.picture(middle, limit=limit)
    try:
        mask = shot.mask(middle, size=Size(picture.shape[1], picture.shape[0]))
    except MediaError:
        mask = None
    return picture if mask is None else draw_over(picture, mask, Overlay(opacity=0.5))
