"""`AppendToTimeline`: strict, and it mends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .calling import Ghost, Refused, is_whole
from .model import Item, PoolItem, Project, Timeline, Track

if TYPE_CHECKING:
    from .editor import Editor


@dataclass(frozen=True, slots=True)
class _Wish:
    """One clip that is to be placed; frames are whole."""

    pool: PoolItem
    first: int
    frames: int
    kinds: tuple[str, ...]
    index: int | None
    record: int | None


class _WholeBatch(Refused):
    """A wrong number spoils everything that was asked for."""


def append(editor: Editor, project: Project, asked: tuple[Any, ...]) -> Any:
    """Place what was asked for on the current timeline.

    Returns:
        The items; `[]` or None for nothing; ghosts where a place was taken.
    """
    timeline = project.current
    if timeline is None:
        raise Refused
    try:
        wishes = [_wish(editor, project, one) for one in _wanted(asked)]
    except _WholeBatch:
        return None
    if not wishes or any(wish is None for wish in wishes):
        return []
    placed: list[Any] = []
    seen: set[str] = set()
    for wish in wishes:
        if editor.options.batch_keeps_first and wish.pool.id in seen:
            continue
        seen.add(wish.pool.id)
        placed += _placed(editor, timeline, wish)
    if editor.options.errored_batch_lost and any(isinstance(one, Ghost) for one in placed):
        for one in placed:
            if isinstance(one, Item):
                one.unsaved = True
    ends = [int(one.end) for one in placed if isinstance(one, Item)]
    if ends and editor.options.playhead_moves:
        editor.later(editor.options.playhead_delay, lambda: _move_playhead(timeline, max(ends)))
    if editor.options.overlap == "none":
        return [None if isinstance(one, Ghost) else one for one in placed]
    if editor.options.overlap == "empty":
        return [one for one in placed if not isinstance(one, Ghost)]
    return placed


def _move_playhead(timeline: Timeline, frame: int) -> None:
    timeline.playhead = frame


def _wanted(asked: tuple[Any, ...]) -> list[Any]:
    if len(asked) == 1 and isinstance(asked[0], list):
        return asked[0]
    if len(asked) == 1 and isinstance(asked[0], dict) and "mediaPoolItem" not in asked[0]:
        return list(asked[0].values())
    return list(asked)


def _frame(info: dict[str, Any], key: str) -> int | None:
    value = info.get(key)
    if value is None:
        return None
    if not is_whole(value):
        raise _WholeBatch
    return int(value)


def _wish(editor: Editor, project: Project, info: Any) -> _Wish | None:
    """One wish read; None when it cannot be met at all."""
    if isinstance(info, PoolItem):
        info = {"mediaPoolItem": info}
    pool = info.get("mediaPoolItem") if isinstance(info, dict) else None
    if not isinstance(pool, PoolItem):
        return None
    first, last, record = (_frame(info, key) for key in ("startFrame", "endFrame", "recordFrame"))
    kind, index = info.get("mediaType"), info.get("trackIndex")
    if kind not in (None, 1, 2) or (index is not None and not isinstance(index, int)):
        return None
    first = first or 0
    frames = _length(editor, pool, first, last)
    kinds = tuple(
        name
        for name, number, has in (("video", 1, pool.media.has_picture), ("audio", 2, pool.media.has_sound))
        if kind in (None, number) and has
    )
    if frames <= 0 or not kinds or not _tracks(project, kinds, index):
        return None
    return _Wish(pool, first, frames, kinds, index, record)


def _length(editor: Editor, pool: PoolItem, first: int, last: int | None) -> int:
    """Media frames asked for; 0 or less when it is out of the media's bounds."""
    if last is None:
        return pool.media.frames - first
    if editor.end_frame == "inclusive":
        return 0 if last >= pool.media.frames else last + 1 - first
    return 0 if last > pool.media.frames else last - first


def _tracks(project: Project, kinds: tuple[str, ...], index: int | None) -> list[Track]:
    """The track of every kind, [] when one of them is not there or locked."""
    assert project.current is not None
    found = []
    for kind in kinds:
        tracks = project.current.of_kind(kind)
        place = 1 if index is None else index
        if not 1 <= place <= len(tracks) or tracks[place - 1].locked:
            return []
        found.append(tracks[place - 1])
    return found


def _placed(editor: Editor, timeline: Timeline, wish: _Wish) -> list[Any]:
    """Items for one wish, one for each kind; a ghost where something lies already."""
    out: list[Any] = []
    link = max((item.link for item in timeline.items()), default=0) + 1 if len(wish.kinds) > 1 else 0
    length = int(Fraction(wish.frames) * timeline.rate.exact / wish.pool.media.rate.exact)
    record = timeline.end if wish.record is None else wish.record
    for kind in wish.kinds:
        track = timeline.of_kind(kind)[(wish.index or 1) - 1]
        free = _free_length(editor, track, record, length)
        if free <= 0:
            out.append(Ghost())
            continue
        item = Item(wish.pool.name, Fraction(record), Fraction(free), pool=wish.pool, link=link)
        item.source_start = Fraction(wish.first)
        item.problems = tuple(_problems(timeline, track, item))
        track.items.append(item)
        out.append(item)
    return out


def _free_length(editor: Editor, track: Track, record: int, length: int) -> int:
    """Frames that may be placed; what lies there already wins."""
    for item in track.sorted_items():
        if item.start < record + length and item.end > record:
            shorter = int(item.start) - record
            return shorter if editor.options.overlap == "shorten" else 0
    return length


def _problems(timeline: Timeline, track: Track, item: Item) -> list[str]:
    assert item.pool is not None
    problems = ["outside_timeline"] if item.start < timeline.start else []
    if track.kind == "audio" and track.subtype == "mono" and item.pool.media.channels > 1:
        problems.append("channel_loss")
    return problems
