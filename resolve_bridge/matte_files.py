"""The files of a matte that Resolve is given: one picture for every frame that it shows.

Resolve gives a numbered sequence the frame rate of the project, whatever it was made for, and what a start
and an end frame mean differs between versions. So every placement has a folder with exactly the pictures
that are shown, each under the number of its frame, sharing its bytes with the matte's own picture; repeated
or left out where the rates differ. A movie knows its rate and is placed as it is, from one frame to another.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from plugin.errors import HostRefused, MediaMissing, OutputError
from plugin.hosts import MattePiece
from plugin.wholefile import discard, output_error, sync_folder
from resolve_bridge.counting import FrameCount
from resolve_bridge.stem_files import FOLDER, remove_file

Json = dict[str, Any]
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class FramedMatte:
    """A matte in frames.

    Attributes:
        piece: what was asked for.
        frame: where it is placed, in Resolve's count.
        frames: frames of the timeline that it must cover.
        most: frames that it may cover, where the file's rate is not the timeline's.
        pictures: numbers into the matte, one for each frame of the sequence that is made; () of a movie.
        part: first frame of a movie that is shown, and the one after the last.
    """

    piece: MattePiece
    frame: int
    frames: int
    most: int
    pictures: tuple[int, ...] = ()
    part: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, piece: MattePiece, count: FrameCount, *, project_rate: Fraction | None) -> FramedMatte:
        """The frames of a matte on a timeline.

        Raises:
            HostRefused: it begins before the timeline, or has fewer frames than are to be shown.
        """
        frame, end = round(count.frame(piece.record.start)), round(count.frame(piece.record.end))
        if piece.record.start < count.start or end <= frame:
            raise HostRefused(
                f"The matte of '{piece.label}' begins before the timeline does, or shows nothing.",
                remedy="Give the timeline the start timecode that it had when the matte was made.",
            )
        if not piece.is_sequence:
            return cls._of_movie(piece, frame, end - frame, count.rate)
        rate = project_rate or count.rate
        length = ceil((end - frame) * rate / count.rate)
        pictures = tuple(piece.head + floor(number * piece.rate / rate) for number in range(length))
        _require_held(piece, pictures[0], pictures[-1])
        return cls(piece, frame, end - frame, max(end - frame, floor(length * count.rate / rate)), pictures)

    @classmethod
    def _of_movie(cls, piece: MattePiece, frame: int, frames: int, rate: Fraction) -> FramedMatte:
        length = ceil(frames * piece.rate / rate)
        _require_held(piece, piece.head, piece.head + length - 1)
        most = max(frames, floor(length * rate / piece.rate))
        return cls(piece, frame, frames, most, part=(piece.head, piece.head + length))


def _require_held(piece: MattePiece, first: int, last: int) -> None:
    if first < 0 or last >= piece.frames:
        raise HostRefused(
            f"The matte of '{piece.label}' does not cover the whole range that it is placed on.",
            remedy="Track the object over the whole range and write the matte again, then place it.",
        )


@dataclass(frozen=True, slots=True)
class MatteFile:
    """What Resolve is given.

    Attributes:
        path: as Resolve shows it: of a sequence `<folder>/<name>_[000000-000049].png`.
        name: for people.
        sequence: how a sequence is imported; None of a movie.
    """

    path: str
    name: str
    sequence: Json | None = None


def make_matte(framed: FramedMatte, placement: str) -> MatteFile:
    """The files of a matte, whole and under their final names.

    Raises:
        MediaMissing: the matte is not there.
        OutputError: it has not the pictures that it should have, or a file cannot be written.
    """
    piece = framed.piece
    if not piece.path.exists():
        raise MediaMissing(
            f"The matte is not there: {piece.path.name}.", remedy="Write it again.", detail=str(piece.path)
        )
    name = f"{piece.path.stem if not piece.is_sequence else piece.path.name}_{placement}"
    home = piece.path.parent / FOLDER
    try:
        if piece.is_sequence:
            return _made_sequence(framed, home / name)
        home.mkdir(parents=True, exist_ok=True)
        target = home / f"{name}{piece.path.suffix}"
        _share(piece.path, target)
        sync_folder(home)
    except OSError as error:
        remove_file(home / f"{name}{piece.path.suffix}")
        raise output_error(home / name, error) from error
    return MatteFile(str(target), target.name)


def _made_sequence(framed: FramedMatte, folder: Path) -> MatteFile:
    held = sorted(path for path in framed.piece.path.iterdir() if path.suffix.lower() == ".png")
    if len(held) != framed.piece.frames:
        raise OutputError(
            f"The matte {framed.piece.path.name} has {len(held)} pictures instead of {framed.piece.frames}.",
            remedy="Write the matte again.",
            detail=str(framed.piece.path),
        )
    folder.mkdir(parents=True)
    try:
        for number, picture in enumerate(framed.pictures):
            _share(held[picture], folder / f"{folder.name}_{number:0{_DIGITS}}.png")
        sync_folder(folder)
    except BaseException:
        remove_matte(folder / "all")
        raise
    last = len(framed.pictures) - 1
    shown = f"{folder.name}_[{0:0{_DIGITS}}-{last:0{_DIGITS}}].png"
    counter = str(folder / f"{folder.name}_%0{_DIGITS}d.png")
    return MatteFile(
        str(folder / shown), folder.name, {"FilePath": counter, "StartIndex": 0, "EndIndex": last}
    )


def remove_matte(path: Path) -> None:
    """Take away the folder that a matte's pictures were put into for Resolve; anything else stays.

    Args:
        path: anything in that folder.
    """
    folder = path.parent
    if folder.parent.name != FOLDER or not folder.is_dir():
        return
    for picture in folder.glob(f"{glob_safe(folder.name)}_*.png"):
        discard(picture)
    for empty in (folder, folder.parent):
        try:
            empty.rmdir()
        except OSError:
            return  # somebody put something there, or it holds the files of other placements


def glob_safe(name: str) -> str:
    """A name in which no letter means anything to `glob`."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # no hard links on this disk, or too many
        shutil.copyfile(source, target)
