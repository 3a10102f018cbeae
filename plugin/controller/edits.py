"""Edits of cues: what a change of fields makes of a book, and the fields of a selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, TypeVar

from plugin.controller.book import Book
from plugin.controller.views import MAX_HANDLE, CueEdit, Inspector, Shared
from plugin.cueing import NO_MATTE
from plugin.cues import Cue, Matte, MatteChannel, Spot
from plugin.cuesheets.values import CUE_KEYS, WrongValue
from plugin.errors import UsageError
from plugin.presets import Presets
from plugin.timebase import TimeSpan

T = TypeVar("T")

TITLES = {
    "label": "object",
    "prompt": "prompt",
    "negative_prompt": "negative prompt",
    "preset": "preset",
    "steps": "steps",
    "guidance": "guidance",
    "seed": "seed",
    "takes": "takes",
    "matte": "matte",
    "invert": "matte inversion",
    "handle_in": "handle before",
    "handle_out": "handle after",
}
"""What a person calls each field of an edit."""

_CHANNELS = tuple(channel.value for channel in MatteChannel)


def edit_title(change: CueEdit, count: int) -> str:
    """The edit in words, for the menu."""
    names = [TITLES[name] for name, _ in _changes(change)]
    what = " and ".join(names) if len(names) < 3 else "settings"
    return f"Change {what}" + (f" of {count} spots" if count > 1 else "")


def _changes(change: CueEdit) -> Iterator[tuple[str, Any]]:
    for each in fields(change):
        value = getattr(change, each.name)
        if value is not None:
            yield each.name, value


def edited(book: Book, cue_ids: Iterable[str], change: CueEdit, *, presets: Presets) -> Book:
    """The book after the edit.

    Raises:
        UsageError: a value that cannot be, or no such preset.
    """
    _check(change, presets)
    wanted = set(cue_ids)
    return book.with_cues(
        _edited_cue(book, cue, change, presets=presets) if cue.id in wanted else cue
        for cue in book.sheet.cues
    )


def _check(change: CueEdit, presets: Presets) -> None:
    for name, value in _changes(change):
        if name in {"handle_in", "handle_out"}:
            _check_handle(TITLES[name], value)
            continue
        try:
            CUE_KEYS[name](value, None)
        except WrongValue as error:
            raise UsageError(f"The {TITLES[name]} {error}.", remedy="Give another value.") from error
    if change.preset is not None:
        presets.find(change.preset)


def _check_handle(title: str, value: Any) -> None:
    if not isinstance(value, int) or not 0 <= value <= MAX_HANDLE:
        raise UsageError(
            f"The {title} is {value!r}; it must be a whole number of frames from 0 to {MAX_HANDLE}.",
            remedy="Give another number.",
        )


def _edited_cue(book: Book, cue: Cue, change: CueEdit, *, presets: Presets) -> Cue:
    own = book.own.get(cue.id, cue.spot)
    before, after = handles(book, cue)
    before = before if change.handle_in is None else change.handle_in
    after = after if change.handle_out is None else change.handle_out
    spot = replace(
        cue.spot,
        label=cue.spot.label if change.label is None else change.label.strip(),
        record=_with_handles(book, own, before, after),
        matte=_edited_matte(own, cue.spot, change),
    )
    steps, guidance = (cue.steps, cue.guidance)
    if change.preset is not None:
        steps, guidance = presets.sampling(change.preset)
    return replace(
        cue,
        spot=spot,
        prompt=_or(change.prompt, cue.prompt),
        negative_prompt=_or(change.negative_prompt, cue.negative_prompt),
        preset=_or(change.preset, cue.preset),
        steps=_or(change.steps, steps),
        guidance=float(_or(change.guidance, guidance)),
        seed=_or(change.seed, cue.seed),
        takes=_or(change.takes, cue.takes),
    )


def _or(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def handles(book: Book, cue: Cue) -> tuple[int, int]:
    """Frames that the cue begins before its own spot and ends after it."""
    own = book.own.get(cue.id, cue.spot).record
    rate = book.sheet.rate
    return round((own.start - cue.spot.record.start) * rate), round((cue.spot.record.end - own.end) * rate)


def _with_handles(book: Book, own: Spot, before: int, after: int) -> TimeSpan:
    rate = book.sheet.rate
    start = own.record.start - Fraction(before) / rate
    if before > 0:
        start = max(start, min(book.sheet.record.start, own.record.start))
    return TimeSpan(start, own.record.end + Fraction(after) / rate)


def _edited_matte(own: Spot, spot: Spot, change: CueEdit) -> Matte | None:
    """The matte after the edit; taking it away and giving it back finds the timeline's own again."""
    if change.matte == NO_MATTE:
        return None
    matte = spot.matte
    if change.matte is not None:
        base = own.matte or spot.matte
        clip = base.clip if base else spot.picture
        channel = MatteChannel(change.matte)
        if clip is None or (base is None and channel is not MatteChannel.ALPHA):
            raise UsageError(
                f"Spot {spot.id} ('{spot.label}') has no matte on the timeline.",
                remedy="Choose 'alpha' for the alpha channel of its picture, or 'none' for the whole frame.",
            )
        inverted = (spot.matte or base or Matte(clip)).invert
        matte = Matte(clip, channel, inverted)
    if matte is None or change.invert is None:
        return matte
    return replace(matte, invert=change.invert)


def inspect(book: Book, cue_ids: Sequence[str]) -> Inspector:
    """The fields of the cues of these ids, each shared or mixed."""
    wanted = set(cue_ids)
    cues = [cue for cue in book.sheet.cues if cue.id in wanted]

    def shared(read: Callable[[Cue], T]) -> Shared[T]:
        values = {read(cue) for cue in cues}
        return Shared(values.pop()) if len(values) == 1 else Shared(None, mixed=bool(values))

    return Inspector(
        ids=tuple(cue.id for cue in cues),
        label=shared(lambda cue: cue.spot.label),
        prompt=shared(lambda cue: cue.prompt),
        negative_prompt=shared(lambda cue: cue.negative_prompt),
        preset=shared(lambda cue: cue.preset),
        steps=shared(lambda cue: cue.steps),
        guidance=shared(lambda cue: cue.guidance),
        seed=shared(lambda cue: cue.seed),
        takes=shared(lambda cue: cue.takes),
        matte=shared(lambda cue: cue.spot.matte.channel.value if cue.spot.matte else NO_MATTE),
        invert=shared(lambda cue: cue.spot.matte is not None and cue.spot.matte.invert),
        handle_in=shared(lambda cue: handles(book, cue)[0]),
        handle_out=shared(lambda cue: handles(book, cue)[1]),
        matte_choices=_matte_choices(book, cues),
    )


def _matte_choices(book: Book, cues: Sequence[Cue]) -> tuple[str, ...]:
    """What the matte may be for all of them."""
    if not cues:
        return ()
    if all((book.own.get(cue.id, cue.spot).matte or cue.spot.matte) is not None for cue in cues):
        return (*_CHANNELS, NO_MATTE)
    return (MatteChannel.ALPHA.value, NO_MATTE)
