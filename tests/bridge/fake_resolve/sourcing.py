"""Which part of its media an item plays, in the counts that the editor gives."""

from __future__ import annotations

from fractions import Fraction

from .model import Item, Timeline


def source_ends(item: Item, timeline: Timeline) -> tuple[Fraction, Fraction]:
    """First media frame played and the one after the last; first > last when it runs backwards."""
    assert item.pool is not None
    span = item.duration * abs(item.speed) * item.pool.media.rate.exact / timeline.rate.exact
    if item.speed < 0:
        return item.source_start + span, item.source_start
    return item.source_start, item.source_start + span


def left_offset(item: Item, timeline: Timeline) -> Fraction:
    """Trim from the media's head: media frames; of sound, timeline frames; warped by a retime."""
    if item.pool is None:
        return Fraction(0)
    offset = item.source_start
    track = timeline.track_of(item)
    if track is not None and track.kind == "audio":
        offset = offset * timeline.rate.exact / item.pool.media.rate.exact
    return offset / abs(item.speed) if item.speed else offset
