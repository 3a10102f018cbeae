"""What an OTIO media reference names: files, extent, rate, or the reason why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import opentimelineio as otio

from plugin.cues import ImageSequence, MediaFile, MediaSource
from plugin.timebase import TimeSpan
from plugin.timeline.times import BadTime, exact_rate, span_of
from plugin.timeline.urls import UnusableUrl, exists, path_of_url

_BRACKET_RANGE = re.compile(r"(?P<prefix>.*)\[(?P<first>\d+)-(?P<last>\d+)\](?P<suffix>\.[^.]+)")
_COUNTER = re.compile(r"(?P<prefix>.*?)(?:%0?(?P<width>\d{0,2})d|(?P<hashes>#{2,}))(?P<suffix>\.[^.]+)")
_POLICIES = {"error": "error", "hold": "hold", "black": "black"}
_DEFAULT_RATE = Fraction(24)
_MOST_DIGITS = 20
_MOST_IMAGES = 10_000_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A media reference in our values.

    Attributes:
        media: the files; None with a `fault`.
        available: the media's extent in the document's count; None when it does not say.
        rate: the media's rate as the document states it.
        fault: why there is no media, "" when there is; completes `its media ...`.
    """

    media: MediaSource | None
    available: TimeSpan | None
    rate: Fraction | None
    fault: str = ""


NO_REFERENCE = Reference(None, None, None, "is not named in the timeline")


def is_missing(reference: Any) -> bool:
    """Whether a reference names no file at all: none, missing, or a generator."""
    kinds = (otio.schema.MissingReference, otio.schema.GeneratorReference)
    return reference is None or isinstance(reference, kinds)


def available_of(reference: Any) -> TimeSpan | None:
    """The media's extent, None when the document does not say or says nonsense."""
    if reference is None or reference.available_range is None:
        return None
    try:
        span = span_of(reference.available_range)
    except BadTime:
        return None
    return span if span.duration > 0 else None


def read_reference(reference: Any, *, folder: Path) -> Reference:
    """A media reference in our values.

    Args:
        reference: an OTIO MediaReference or None.
        folder: where relative references start.
    """
    if reference is None:
        return NO_REFERENCE
    available, rate = available_of(reference), _rate_of(reference)
    if isinstance(reference, otio.schema.GeneratorReference):
        return Reference(None, available, rate, "is made by the editing program, not a file")
    try:
        if isinstance(reference, otio.schema.ImageSequenceReference):
            return Reference(_image_sequence(reference, folder), available, rate)
        url = getattr(reference, "target_url", None)
        if not isinstance(url, str):
            return Reference(None, available, rate, NO_REFERENCE.fault)
        return Reference(media_of_url(url, rate, folder), available, rate)
    except UnusableUrl as error:
        return Reference(None, available, rate, str(error))


def _rate_of(reference: Any) -> Fraction | None:
    rate = getattr(reference, "rate", None)
    if rate is None and reference.available_range is not None:
        rate = reference.available_range.duration.rate
    try:
        return exact_rate(rate) if rate else None
    except BadTime:
        return None


def _image_sequence(reference: Any, folder: Path) -> ImageSequence:
    rate = _rate_of(reference) or _DEFAULT_RATE
    base = path_of_url(reference.target_url_base or ".", folder=folder)
    prefix, suffix = reference.name_prefix, reference.name_suffix
    step = max(1, abs(reference.frame_step))
    first = reference.start_frame
    available = available_of(reference)
    if available is not None:
        images = min(_MOST_IMAGES, max(1, ceil(available.duration * rate)))
        last = first + step * (images - 1)
    else:
        last = max(images_on_disk(base, prefix, suffix), default=first)
    policy = str(reference.missing_frame_policy).rsplit(".", 1)[-1].casefold()
    return ImageSequence(
        folder=base,
        prefix=prefix,
        suffix=suffix,
        padding=min(_MOST_DIGITS, max(0, reference.frame_zero_padding)),
        first=first,
        last=max(first, last),
        step=step,
        rate=rate,
        missing=_POLICIES.get(policy, "error"),
    )


def media_of_url(url: str, rate: Fraction | None, folder: Path) -> MediaSource:
    """One file, or numbered files where the name is a pattern such as `m.[1001-1099].tif`."""
    path = path_of_url(url, folder=folder)
    if exists(path):
        return MediaFile(path)
    numbers = _bracketed(path) or _counted(path)
    if numbers is None:
        return MediaFile(path)
    prefix, suffix, first, last, padding = numbers
    return ImageSequence(
        folder=path.parent,
        prefix=prefix,
        suffix=suffix,
        padding=padding,
        first=first,
        last=max(first, last),
        step=1,
        rate=rate or _DEFAULT_RATE,
    )


_Numbers = tuple[str, str, int, int, int]


def _bracketed(path: Path) -> _Numbers | None:
    """Prefix, suffix, first, last and padding of a name such as `m.[1001-1099].tif`."""
    match = _BRACKET_RANGE.fullmatch(path.name)
    if match is None or len(match["first"]) > _MOST_DIGITS or len(match["last"]) > _MOST_DIGITS:
        return None
    first, last = int(match["first"]), int(match["last"])
    return match["prefix"], match["suffix"], first, min(last, first + _MOST_IMAGES - 1), len(match["first"])


def _counted(path: Path) -> _Numbers | None:
    """The same of a name such as `m.%04d.tif` or `m.####.tif`, from the files that are there."""
    match = _COUNTER.fullmatch(path.name)
    numbers = images_on_disk(path.parent, match["prefix"], match["suffix"]) if match else {}
    if match is None or not numbers:
        return None
    padding = int(match["width"] or 0) or len(match["hashes"] or "")
    return match["prefix"], match["suffix"], min(numbers), max(numbers), padding


def images_on_disk(folder: Path, prefix: str, suffix: str) -> dict[int, Path]:
    """The files of a numbered sequence that are there, by number, ascending."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (OSError, ValueError):
        return {}
    found = {}
    for name in names:
        middle = name[len(prefix) : len(name) - len(suffix)]
        if name == prefix + middle + suffix and middle.isascii() and middle.isdigit():
            found[int(middle)] = folder / name
    return dict(sorted(found.items()))


def is_there(media: MediaSource) -> bool:
    """Whether the file, or at least one image of the sequence, is on this machine."""
    if isinstance(media, MediaFile):
        return exists(media.path)
    if exists(media.path_of(media.first)):
        return True
    numbers = images_on_disk(media.folder, media.prefix, media.suffix)
    return any(media.first <= number <= media.last for number in numbers)
