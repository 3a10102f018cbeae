"""What the editor makes of a file that is imported."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from pathlib import Path

from .model import Media
from .timecode import Rate, frames_of, nearest_rate

SOUNDS = {".wav", ".bwf", ".aif", ".aiff", ".flac", ".mp3", ".m4a"}
STILLS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx"}
_ALPHA_FORMATS = ("yuva", "rgba", "argb", "bgra", "abgr", "gbrap")


def read_media(path: str, project_rate: Rate, *, stamps: str = "nearest") -> Media | None:
    """The file's media as the editor sees it; None for what it cannot import.

    A sound takes the project's rate and keeps it. Where a Broadcast WAV says when it begins, it begins
    at the frame `nearest` to that, or with `floor` at the frame that then runs; nobody has told which.
    """
    file = Path(path)
    if not file.is_absolute() or not file.is_file() or file.stat().st_size == 0:
        return None
    suffix = file.suffix.lower()
    try:
        if suffix in SOUNDS:
            return _sound(path, project_rate, stamps)
        if suffix in STILLS:
            return Media(path, "still", project_rate, 5 * project_rate.nominal)
        return _movie(path, project_rate)
    except (OSError, RuntimeError, ValueError):
        return None


def read_sequence(pattern: str, first: int, last: int, project_rate: Rate) -> Media | None:
    """A numbered sequence, `name_%04d.png`: shown with its range in brackets, at the project's rate.

    None where a picture is missing or the name has no counter.
    """
    counter = re.search(r"%0?(\d*)d", Path(pattern).name)
    if counter is None or not Path(pattern).is_absolute() or last < first:
        return None
    width = int(counter[1] or 1)
    if not all(Path(pattern % number).is_file() for number in range(first, last + 1)):
        return None
    path = pattern.replace(counter[0], f"[{first:0{width}}-{last:0{width}}]")
    return Media(path, "sequence", project_rate, last + 1 - first)


def _sound(path: str, project_rate: Rate, stamps: str) -> Media | None:
    import soundfile

    info = soundfile.info(path)
    frames = int(Fraction(info.frames, info.samplerate) * project_rate.exact)
    if info.frames == 0 or frames == 0:
        return None
    begins = Fraction(_time_reference(path), info.samplerate) * project_rate.exact
    start = round(begins) if stamps == "nearest" else int(begins)
    return Media(path, "audio", project_rate, frames, start, info.channels, info.samplerate)


def _time_reference(path: str) -> int:
    """Samples since midnight at which a Broadcast WAV begins; 0 for other files."""
    with Path(path).open("rb") as file:
        if file.read(4) not in {b"RIFF", b"RF64"}:
            return 0
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"bext":
                return int(struct.unpack_from("<Q", file.read(346), 338)[0])
            if name == b"data":
                return 0
            file.seek(size + size % 2, 1)
    return 0


def _movie(path: str, project_rate: Rate) -> Media | None:
    import av

    with av.open(path) as container:
        pictures = container.streams.video
        sounds = container.streams.audio
        channels = sum(stream.codec_context.channels for stream in sounds)
        if not pictures:
            seconds = Fraction(container.duration or 0, 1_000_000)
            frames = int(seconds * project_rate.exact)
            return Media(path, "audio", project_rate, frames, channels=channels)
        stream = pictures[0]
        rate = nearest_rate(Fraction(stream.average_rate or 25))
        start = stream.metadata.get("timecode") or container.metadata.get("timecode")
        pixels = str(stream.codec_context.pix_fmt)
        rate = Rate(rate.exact, drop=bool(start) and ";" in start)
        return Media(
            path,
            "av" if sounds else "video",
            rate,
            stream.frames or _counted(path),
            start=frames_of(start, rate) if start else 0,
            channels=channels,
            alpha="Straight" if pixels.startswith(_ALPHA_FORMATS) else "None",
            size=(stream.codec_context.width, stream.codec_context.height),
        )


def _counted(path: str) -> int:
    import av

    with av.open(path) as container:
        return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
