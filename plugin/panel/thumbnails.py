"""Thumbnails of spots as images, made in the background when a list first shows them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from plugin.controller.pictures import Pictures, Thumbnail
from plugin.controller.views import DeskEvent
from plugin.panel.pulse import Pulse


class Thumbnails(QObject):
    """Thumbnails by spot; the one that was asked for last is made first."""

    ready = Signal(str)
    """The thumbnail of this spot has come."""
    _something = Signal()

    def __init__(self, pulse: Pulse, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._spots = pulse.desk.spots
        self._images: dict[str, QImage] = {}
        self._notices: dict[str, str] = {}
        self._pictures = Pictures(ready=self._something.emit, memory=0)
        self._something.connect(self._take)
        pulse.timeline.connect(self._forget)
        pulse.spots.connect(self._forget)

    def of(self, cue_id: str) -> QImage | None:
        """The thumbnail when it is there; else it is made and `ready` tells."""
        if cue_id in self._images:
            return self._images[cue_id]
        cue = self._spots.cue(cue_id)
        thumbnail = self._pictures.thumbnail(cue) if cue is not None else None
        if thumbnail is not None:
            self._keep(thumbnail)
        return self._images.get(cue_id)

    def notice(self, cue_id: str) -> str:
        """Why there is no thumbnail, "" when there is one or nobody knows yet."""
        return self._notices.get(cue_id, "")

    def only(self, cue_ids: frozenset[str]) -> None:
        """Make none but these: what is in sight."""
        self._pictures.only_thumbnails(cue_ids)

    def refresh(self) -> None:
        """Media may have changed: make all of them again."""
        self._pictures.refresh()
        self._images.clear()
        self._notices.clear()

    def close(self) -> None:
        """Make no more."""
        self._something.disconnect(self._take)
        self._pictures.close()

    def _take(self) -> None:
        for each in self._pictures.poll():
            if isinstance(each, Thumbnail):
                self._keep(each)
                self.ready.emit(each.cue_id)

    def _keep(self, each: Thumbnail) -> None:
        self._notices[each.cue_id] = each.notice
        if each.still is None:
            self._images[each.cue_id] = QImage()
            return
        still = each.still
        image = QImage(still.rgb, still.width, still.height, 3 * still.width, QImage.Format.Format_RGB888)
        self._images[each.cue_id] = image.copy()

    def _forget(self, event: DeskEvent) -> None:
        """Matte or media of a spot may be others now; what did not change comes at once."""
        for cue_id in event.ids or tuple(self._images):
            self._images.pop(cue_id, None)
