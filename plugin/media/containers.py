"""Opening media files: local files only, known formats only, failures in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from plugin.errors import MediaMissing, UndecodableMedia

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".cin", ".dpx", ".exr", ".hdr", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm"}
    | {".sgi", ".tga", ".tif", ".tiff", ".webp"}
)
"""File names that mean one picture."""

_MOVIE_FORMATS = "mov,matroska,avi,mxf,mxf_opatom,mpegts,mpeg,ogg,flv,asf,dv,gif,apng,nut,ivf,yuv4mpegpipe"
_SOUND_FORMATS = "wav,w64,mp3,flac,aac,aiff,caf"
UNSEEKABLE = frozenset({"mpeg"})
"""Formats whose times cannot be trusted after a seek."""

_LARGEST_PIXELS = 1 << 27
"""16K video has 133 million; a frame of that size costs up to a gigabyte."""

_DAMAGED_REMEDY = "Export the file again or relink the clip to a file that plays."


def require_file(path: Path) -> None:
    """Checks that `path` is a file with something in it.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: it is a folder, or empty.
    """
    try:
        if not path.exists():
            raise MediaMissing(
                f"{path.name} is not there.", remedy="Relink the clip to its media.", detail=str(path)
            )
        if not path.is_file():
            raise undecodable(path, "is not a file", remedy="Relink the clip to a media file.")
        if path.stat().st_size == 0:
            raise undecodable(path, "is empty")
    except (OSError, ValueError) as error:  # a name the system cannot hold, a share that is gone
        raise MediaMissing(
            f"{path.name} cannot be reached.", remedy="Relink the clip to its media.", detail=str(error)
        ) from error


def undecodable(
    path: Path, what: str, *, remedy: str = _DAMAGED_REMEDY, detail: str = ""
) -> UndecodableMedia:
    """The error that says `what` is wrong with the file at `path`."""
    return UndecodableMedia(f"{path.name or path} {what}.", remedy=remedy, detail=detail or str(path))


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Turns what FFmpeg raises inside the block into the product's errors about `path`."""
    try:
        yield
    except av.error.PermissionError as error:
        raise undecodable(
            path, "may not be read", remedy="Give yourself permission to read the file.", detail=str(error)
        ) from error
    except (av.error.FFmpegError, ValueError) as error:
        # ValueError: a name with a zero byte or one that cannot be encoded
        raise undecodable(path, "is damaged or not a known media format", detail=str(error)) from error


def open_container(path: Path) -> InputContainer:
    """The opened file at `path`.

    Nothing but this file is ever opened: only the `file` protocol is allowed, playlists and other
    formats that refer to further files are not known here, and the name is never a pattern.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a media file of a known format.
    """
    require_file(path)
    still = is_image(path)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": "image2" if still else f"{_MOVIE_FORMATS},{_SOUND_FORMATS}",
    }
    if still:
        options["pattern_type"] = "none"
    with told_in_words(path):
        return av.open(
            f"file:{path.absolute()}",
            "r",
            format="image2" if still else None,
            options=options,
            metadata_errors="replace",
        )


def is_image(path: Path) -> bool:
    """Whether the name says that the file is one picture."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The moving picture of an opened file (cover art does not count).

    Raises:
        UndecodableMedia: there is none, or its size is beyond reason.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None or not stream.time_base:
                raise undecodable(path, "has a picture of an unknown kind")
            if stream.width * stream.height > _LARGEST_PIXELS:
                raise undecodable(path, f"states an impossible size of {stream.width} x {stream.height}")
            return stream
    what = "holds sound but no picture" if container.streams.audio else "holds no picture"
    raise undecodable(path, what, remedy="Choose a file with a picture.")
