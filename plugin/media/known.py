"""What was found out about files, once per file: finding it may take decoding a whole group of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_KEPT = 512
_Key = tuple[Path, str, int, int]
_known: dict[_Key, Any] = {}


def once_per_file(path: Path, what: str, find: Callable[[], T]) -> T:
    """What `find` says of the file as it is now, asked once until its size or time of change is another.

    Args:
        path: the file.
        what: names the thing found out, with everything that it depends on beside the file.
        find: reads the file; what it raises is not remembered.
    """
    try:
        status = path.stat()
    except OSError:
        return find()
    key = (path, what, status.st_size, status.st_mtime_ns)
    if key in _known:
        kept: T = _known[key]
        return kept
    found = find()
    while len(_known) >= _KEPT:
        _known.pop(next(iter(_known)), None)
    _known[key] = found
    return found
