"""Masks as matte files: numbered PNG pictures or a movie, whole or not there at all, read back first.

White is the object, grey its soft edge. Nothing is ever written over: a matte gets the next free version.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import count
from pathlib import Path

import av.error
import numpy as np

from plugin.cues import ImageSequence, MediaFile, MediaSource
from plugin.errors import Cancelled, MediaError, OutputError
from plugin.filenames import folded, safe_name
from plugin.masks.makers import Cancel, Mask
from plugin.masks.matte_encoding import write_movie, write_pictures
from plugin.masks.results import mask_digest
from plugin.media.mattes import MatteReader
from plugin.media.picking import Pick
from plugin.wholefile import output_error, part_of, sync_folder

CLIP_BYTES = 72
LABEL_BYTES = 48

_CLOSE = 4
"""Levels of 255 by which a value of a ProRes matte may differ: its edges are quantised."""


class MatteForm(StrEnum):
    """How a matte is written."""

    PNG = "png"
    """A folder of numbered pictures, exact; every editing program reads it."""
    FFV1 = "ffv1"
    """Matroska, exact and smallest; not for every editing program."""
    PRORES = "prores4444"
    """QuickTime with the matte as luma and as alpha; nearly exact."""

    @property
    def suffix(self) -> str:
        """Of the file's name; a folder has none."""
        return {MatteForm.PNG: "", MatteForm.FFV1: ".mkv", MatteForm.PRORES: ".mov"}[self]

    @property
    def is_exact(self) -> bool:
        """Whether every value reads back as it was."""
        return self is not MatteForm.PRORES


@dataclass(frozen=True, slots=True)
class MatteFile:
    """A finished matte.

    Attributes:
        path: a folder of pictures, or a movie.
        form: which of them.
        rate: frames per second, the film's.
        first: the frame of the film that its first picture shows; also that picture's number.
        frames: how many it has.
    """

    path: Path
    form: MatteForm
    rate: Fraction
    first: int
    frames: int

    def media(self) -> MediaSource:
        """For reading it."""
        if self.form is not MatteForm.PNG:
            return MediaFile(self.path)
        return _pictures(self.path, self.path.name, self)


def picture_name(matte: str, frame: int, *, last: int) -> str:
    """The name of one picture of a matte: `<matte>.0012.png`."""
    return f"{matte}.{frame:0{_padding(last)}d}.png"


def _padding(last: int) -> int:
    return max(4, len(str(last)))


def _pictures(folder: Path, name: str, matte: MatteFile) -> ImageSequence:
    last = matte.first + matte.frames - 1
    return ImageSequence(
        folder=folder,
        prefix=f"{name}.",
        suffix=".png",
        padding=_padding(last),
        first=matte.first,
        last=last,
        step=1,
        rate=matte.rate,
    )


def matte_base(clip: str, label: str) -> str:
    """The name of an object's mattes without their version: `<clip>_<label>_matte`."""
    first = safe_name(clip, limit=CLIP_BYTES, fallback="clip")
    return f"{first}_{safe_name(label, limit=LABEL_BYTES, fallback='object')}_matte"


def free_name(folder: Path, *, clip: str, label: str) -> str:
    """`<clip>_<label>_matte_v<nn>` with the first number that no file of this folder has had.

    Numbers count on from the highest one there is, of mattes and prompts alike.
    """
    base = matte_base(clip, label)
    version = re.compile(re.escape(folded(base)) + r"_v(\d{2,6})(?:\..*)?", re.DOTALL)
    try:
        names = [folded(entry.name) for entry in folder.iterdir()]
    except OSError:
        names = []
    taken = [int(match[1]) for name in names if (match := version.fullmatch(name))]
    return f"{base}_v{max(taken, default=0) + 1:02d}"


def write_matte(
    masks: Callable[[int], Mask],
    *,
    path: Path,
    form: MatteForm,
    rate: Fraction,
    frames: range,
    timecode: str | None = None,
    cancel: Cancel = lambda: False,
    tell: Callable[[int], None] = lambda _done: None,
) -> MatteFile:
    """Writes a matte, reads it back and gives it its name.

    Args:
        masks: gives the mask of a frame, `[height, width]`; asked again for a form that is not exact.
        path: what it is to be called, with the form's suffix; must not be there.
        form: how it is written.
        rate: frames per second.
        frames: of the film, ascending without holes.
        timecode: of the first frame, for a movie; None writes none.
        cancel: asked before every frame.
        tell: how many frames are written, after each.

    Raises:
        OutputError: the name is taken, the folder refuses, the disk is full, or it reads back different.
        Cancelled: `cancel` answered true.
    """
    matte = MatteFile(path.absolute(), form, rate, frames.start, len(frames))
    part = part_of(matte.path)
    watched = _Watched(masks, cancel, tell)
    try:
        if matte.path.exists():
            raise _taken(matte.path)
        matte.path.parent.mkdir(parents=True, exist_ok=True)
        _write(watched, part, matte, frames, timecode)
        _check(watched, _written(part, matte), frames, matte)
        _name(part, matte.path)
    except OSError as error:
        raise output_error(matte.path, error) from error
    except (av.error.FFmpegError, ValueError) as error:
        raise _unwritable(matte, str(error)) from error
    finally:
        _clear(part)
    return matte


class _Watched:
    """Masks that are asked for one after the other, with progress told and cancelling looked at."""

    def __init__(self, masks: Callable[[int], Mask], cancel: Cancel, tell: Callable[[int], None]) -> None:
        self._masks = masks
        self._cancel = cancel
        self._tell = tell
        self._number = count()
        self._digests: dict[int, str] = {}

    def __call__(self, frame: int) -> Mask:
        self._tell(next(self._number))
        if self._cancel():
            raise Cancelled
        mask = self._masks(frame)
        self._digests[frame] = mask_digest(mask)
        return mask

    def is_alike(self, frame: int, read: Mask, *, exact: bool) -> bool:
        """Whether what was read back is what was given before, or near enough where it cannot be exact."""
        if exact:
            return mask_digest(read) == self._digests.get(frame)
        mask = self._masks(frame)
        return mask.shape == read.shape and int(np.abs(mask.astype(np.int16) - read).max(initial=0)) <= _CLOSE


def _write(masks: _Watched, part: Path, matte: MatteFile, frames: range, timecode: str | None) -> None:
    pictures = (masks(frame) for frame in frames)
    if matte.form is MatteForm.PNG:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        names = (picture_name(matte.path.name, frame, last=frames[-1]) for frame in frames)
        write_pictures(part, zip(names, pictures, strict=True))
    else:
        write_movie(
            part, pictures, rate=matte.rate, timecode=timecode, with_alpha=matte.form is MatteForm.PRORES
        )


def _written(part: Path, matte: MatteFile) -> MediaSource:
    if matte.form is MatteForm.PNG:
        return _pictures(part, matte.path.name, matte)
    return MediaFile(part)


def _check(masks: _Watched, media: MediaSource, frames: range, matte: MatteFile) -> None:
    """Reads everything back and compares.

    Raises:
        OutputError: something differs.
    """
    times = [number / matte.rate for number in range(len(frames))]
    try:
        with MatteReader.open(media) as reader:
            found: Iterator[Mask] = reader.frames_at(times, pick=Pick.SCREEN)
            for frame, read in zip(frames, found, strict=True):
                if not masks.is_alike(frame, read, exact=matte.form.is_exact):
                    raise _different(matte, frame)
            if reader.ran_short or reader.damaged:
                raise _different(matte, frames[-1])
    except MediaError as error:
        raise _unwritable(matte, f"{error.message} {error.detail}") from error


def _name(part: Path, final: Path) -> None:
    """Renames without ever writing over what is there."""
    if final.exists():
        raise _taken(final)
    part.rename(final)
    sync_folder(final.parent)


def _clear(part: Path) -> None:
    with suppress(OSError):
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def _taken(path: Path) -> OutputError:
    return OutputError(
        f"{path.name} is there already, and mattes are never written over.",
        remedy="Choose another name or folder.",
        detail=str(path),
    )


def _different(matte: MatteFile, frame: int) -> OutputError:
    return OutputError(
        f"Frame {frame} of {matte.path.name} reads back different from what was written.",
        remedy="Check the disk, then save the matte again.",
        detail=str(matte.path),
    )


def _unwritable(matte: MatteFile, detail: str) -> OutputError:
    return OutputError(
        f"{matte.path.name} cannot be written as {matte.form}.",
        remedy="Choose PNG pictures for this matte.",
        detail=detail,
    )
