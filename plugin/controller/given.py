"""What a person gives a window: the file behind a text, the timeline among dropped files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

TIMELINES = ("otio", "otioz", "otiod", "edl", "xml", "aaf", "json")
"""Endings of the files that can be opened."""

FILMS = ("mov", "mp4", "mxf", "mkv", "m4v", "avi", "mts", "webm")
"""Endings of usual movies."""

Given = Path
"""What a window hands on without looking into it."""


def timeline_filter() -> str:
    """What a file dialog offers."""
    patterns = " ".join(f"*.{ending}" for ending in TIMELINES)
    return f"Timelines ({patterns});;All files (*)"


def film_filter() -> str:
    """What a file dialog offers where a movie is wanted."""
    patterns = " ".join(f"*.{ending}" for ending in FILMS)
    return f"Movies ({patterns});;All files (*)"


def given_path(text: str) -> Path:
    """The file or folder behind a text; `~` is the user's own folder."""
    return Path(text).expanduser().absolute()


def dropped_timeline(files: Iterable[str]) -> Path | None:
    """The first of dropped files that can be a timeline, None when there is none."""
    paths = (given_path(file) for file in files if file)
    return next((path for path in paths if path.suffix.lstrip(".").casefold() in TIMELINES), None)
