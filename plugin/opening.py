"""A timeline file opened: unpacked where it is a package, read, and spotted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.timeline.packages import unpack_otioz
from plugin.timeline.reading import media_folder, read_timeline, read_tree
from plugin.timeline.spotting import Spotting, find_spots

CONTENT = "content.otio"
_PACKAGE = ".otioz"


def default_output(path: Path) -> Path:
    """Where the results of a file go when nobody says: `<name>_foley` beside it."""
    return path.absolute().with_name(f"{path.stem}_foley")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person says about a timeline file that the file does not say itself.

    Attributes:
        edl_rate: frames per second of an EDL; None takes the lowest that fits.
        timeline_name: which timeline of a file that holds several.
        drop_frame: how timecode is counted; None finds out.
        use_alpha: alpha channels of pictures are mattes.
        mask_tracks: video tracks that hold mattes whatever their names say: number from 1, the lowest,
            to words such as `violin | not trumpet`.
    """

    edl_rate: Fraction | None = None
    timeline_name: str | None = None
    drop_frame: bool | None = None
    use_alpha: bool = False
    mask_tracks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenTimeline:
    """A timeline that was read and spotted.

    Attributes:
        path: the file that was asked for, absolute.
        source: the file that is read: `path`, or the timeline inside the unpacked package.
        reading: what was said about it.
        document: the OTIO Timeline as read; nobody changes it.
        found: its spots and what is wrong.
    """

    path: Path
    source: Path
    reading: Reading
    document: Any
    found: Spotting

    @classmethod
    def read(
        cls, path: Path, *, unpack_into: Path | None = None, reading: Reading | None = None
    ) -> OpenTimeline:
        """The timeline in a file.

        Args:
            path: OTIO, OTIOZ, EDL, XML or AAF.
            unpack_into: where the folder of an unpacked package goes; None: `default_output`.
            reading: what is known beside the file.

        Raises:
            UnreadableTimeline: no such file, not a timeline, damaged, or of a newer schema.
            OutputError: a package cannot be unpacked.
            UsageError: `reading` names a video track that is not there.
        """
        absolute, reading = path.absolute(), reading or Reading()
        packed = absolute.suffix.casefold() == _PACKAGE
        source = _unpacked(absolute, unpack_into or default_output(path)) if packed else absolute
        document = read_timeline(source, edl_frame_rate=reading.edl_rate, timeline_name=reading.timeline_name)
        found = find_spots(
            document,
            folder=media_folder(source),
            use_alpha=reading.use_alpha,
            mask_tracks=reading.mask_tracks,
            drop_frame=reading.drop_frame,
        )
        return cls(absolute, source, reading, document, found)


def _unpacked(package: Path, into: Path) -> Path:
    """The timeline of a package, unpacked once: the folder's name changes with the file."""
    read_tree(package)  # what is no whole package is refused before anything is written
    status = package.stat()
    stamp = f"{package.name} {status.st_size} {status.st_mtime_ns}"
    mark = hashlib.sha256(stamp.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    folder = into / f"{package.stem[:60]}_{mark}"
    if not (folder / CONTENT).is_file():
        return unpack_otioz(package, folder=folder)
    return folder / CONTENT
