"""Where a media reference points: every spelling that editors write, as a path; and back.

Nothing is fetched and nothing is written here. A reference may name any file on this machine, since
the editor's own timeline says so; it is only ever read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SLASH_DRIVE = re.compile(r"/[A-Za-z][:|]/")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+)://")
_LOCAL_HOSTS = {"", "localhost", "127.0.0.1"}


class UnusableUrl(ValueError):
    """A reference that names no file of this machine; the text completes `its media ...`."""


def path_of_url(url: str, *, folder: Path) -> Path:
    """The file that a reference names.

    Understood: `file:///x`, `file://localhost/x`, `file:/x`, `file://server/share/x`, percent-encoding
    or none (a `#`, `?` or `%` in a name stays part of it), bare POSIX, Windows and UNC paths, and
    paths relative to the timeline's folder. Of several readings the one that exists wins.

    Args:
        url: the text in the document.
        folder: the folder that relative references start from.

    Raises:
        UnusableUrl: it is empty, has a NUL, or points into a network.
    """
    text = url.strip()
    if not text:
        raise UnusableUrl("has an empty address")
    if "\0" in text:
        raise UnusableUrl("has an address with a NUL character")
    return _first_existing([_placed(name, folder) for name in _readings(text)])


def _placed(name: str, folder: Path) -> Path:
    """A path with a Windows drive stays as it is, on every system."""
    return Path(name) if _WINDOWS_DRIVE.match(name) else folder / name


def _readings(text: str) -> list[str]:
    """Possible file names, most literal meaning of the spelling first."""
    if _WINDOWS_DRIVE.match(text) or text.startswith("\\\\"):
        return [text.replace("\\", "/")]
    if text[:5].casefold() == "file:":
        rest = _without_host(text[5:])
        return [_without_slash_drive(_unquoted(rest)), _without_slash_drive(rest)]
    scheme = _SCHEME.match(text)
    if scheme or text[:5].casefold() == "data:":
        name = scheme[1].lower() if scheme else "data"
        raise UnusableUrl(f"is at a {name} address, which is never fetched")
    return [text, _unquoted(text), text.replace("\\", "/")]


def _unquoted(text: str) -> str:
    """The name that percent-encoded bytes stand for, as this system spells names (see `os.fsdecode`)."""
    return os.fsdecode(unquote_to_bytes(text.encode("utf-8", "surrogateescape")))


def _without_host(rest: str) -> str:
    if not rest.startswith("//"):
        return rest
    host, slash, path = rest[2:].partition("/")
    if host.casefold() in _LOCAL_HOSTS:
        return slash + path
    if re.fullmatch(r"[A-Za-z][:|]", host):
        return f"/{host}/{path}"
    return f"//{host}{slash}{path}"


def _without_slash_drive(path: str) -> str:
    return f"{path[1]}:{path[3:]}" if _SLASH_DRIVE.match(path) else path


def _first_existing(candidates: list[Path]) -> Path:
    for path in dict.fromkeys(candidates):
        if exists(path):
            return path
    return candidates[0]


def exists(path: Path) -> bool:
    """Whether something is there; a name that the system cannot hold is not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a file is there; a name that the system cannot hold is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_url(path: Path) -> str:
    """`file://` address of an absolute path, percent-encoded, readable by every OTIO reader."""
    return path.absolute().as_uri()
