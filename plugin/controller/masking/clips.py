"""The picture clips of a timeline, to choose one that gets a matte."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from plugin.controller.session import Session
from plugin.controller.sheets import range_finder, timecodes


@dataclass(frozen=True, slots=True)
class ClipRow:
    """A picture clip, as far as it is on screen.

    Attributes:
        name: of the clip, or of its media.
        start: first timecode.
        length: as text ("2.4 s").
        time: absolute record seconds of its first frame, for `MaskDesk.open_at`.
    """

    name: str
    start: str
    length: str
    time: Fraction


def picture_clips(session: Session) -> tuple[ClipRow, ...]:
    """Every picture clip with media, where it is on screen; one that is covered in its middle comes twice."""
    sheet = session.book.sheet
    found = []
    for spot in range_finder(session.opened).spots(sheet.record, label="object", source=""):
        clip = spot.picture
        if clip is not None and clip.media is not None:
            start, _ = timecodes(spot.record, sheet)
            length = f"{float(spot.record.duration):.1f} s"
            found.append(ClipRow(clip.clip_name or clip.media.name, start, length, spot.record.start))
    return tuple(found)
