"""Timelines that were open before."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from plugin.controller.views import RecentRow
from plugin.errors import OutputError
from plugin.folders import Folders
from plugin.wholefile import write_whole

_KEPT = 12


def recent_rows(folders: Folders) -> tuple[RecentRow, ...]:
    """The timelines, newest first."""
    paths = (Path(path) for path in _read(folders))
    return tuple(RecentRow(path, path.name, str(path.parent), _is_file(path)) for path in paths)


def remember(folders: Folders, path: Path) -> None:
    """Puts a timeline at the head of the list; a list that cannot be written is no reason to stop."""
    text, known = str(path.absolute()), _read(folders)
    paths = [text, *(each for each in known if each != text)][:_KEPT]
    if paths == known:
        return  # read again, as after every placing: a window need not wait for a disk then
    with suppress(OutputError):
        write_whole(_file(folders), json.dumps(paths, indent=1).encode("ascii"))


def _file(folders: Folders) -> Path:
    return folders.data / "recent.json"


def _read(folders: Folders) -> list[str]:
    try:
        paths = json.loads(_file(folders).read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
