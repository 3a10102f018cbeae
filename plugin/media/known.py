"""What was found out about files, once per file: finding it may take decoding a whole group of pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Stamp = tuple[int, int, int, int, int]
"""Device, number on it, size, and when content and entry were last changed, in nanoseconds."""

_KEPT = 512
_known: dict[tuple[Stamp, str], Any] = {}
_guard = threading.Lock()


def stamp_of(path: Path) -> Stamp | None:
    """Which file is at `path` and how it is now; None where nothing can be asked.

    Take it before the file is opened: what is read then is never said of a file that took its place.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def once_per_file(stamp: Stamp | None, what: str, find: Callable[[], T]) -> T:
    """What `find` says, asked once while the file is as it was; every time without a stamp.

    Args:
        stamp: of the file.
        what: names the thing found out, with everything that it depends on beside the file.
        find: reads the file; what it raises is not remembered.
    """
    if stamp is None:
        return find()
    key = (stamp, what)
    with _guard:
        if key in _known:
            kept: T = _known.pop(key)
            _known[key] = kept  # the last to leave
            return kept
    found = find()
    with _guard:
        _known[key] = found
        while len(_known) > _KEPT:
            _known.pop(next(iter(_known)))
    return found
