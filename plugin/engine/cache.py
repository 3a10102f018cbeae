"""Features on disk, so that another take, prompt or seed costs neither encoder.

Best effort: an entry that cannot be read is not there, and a folder that cannot be written stores
nothing. Entries are written beside and renamed; several processes may share the folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plugin.engine.arrays import UnreadableArrays, read_arrays

Arrays = Mapping[str, npt.NDArray[Any]]

DEFAULT_LIMIT = 2 * 1024**3
"""Bytes the cache may hold."""

_LAYOUT = 4
"""Raised when preprocessing changes what is stored."""

_SUFFIX = ".npz"
_PART = ".part"
_log = logging.getLogger(__name__)


def feature_key(**parts: str | float) -> str:
    """A file name for everything that decides a feature; equal parts give equal keys."""
    text = json.dumps({"layout": _LAYOUT, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FeatureCache:
    """A folder of `.npz` entries; the least recently used leave when it outgrows its limit.

    Attributes:
        folder: made when first written to.
        limit: bytes it may hold.
    """

    folder: Path
    limit: int = DEFAULT_LIMIT

    def load(self, key: str) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays stored under `key`; None when there are none, or they cannot be read."""
        path = self._path(key)
        try:
            arrays = read_arrays(path)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, UnreadableArrays) as error:
            _log.warning("a cached feature could not be read and is made again: %s", error)
            return None
        return arrays

    def store(self, key: str, arrays: Arrays) -> None:
        """Keep arrays under `key`, whole or not at all."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(self._path(key), arrays)
            self._prune()
        except OSError as error:
            _log.warning("features could not be cached in %s: %s", self.folder, error)

    def clear(self) -> None:
        """Remove every entry."""
        for path in self.folder.glob(f"*{_SUFFIX}"):
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def _write(self, path: Path, arrays: Arrays) -> None:
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=_PART)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, allow_pickle=False, **dict(arrays))
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Remove the least recently used entries over the limit."""
        entries = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            entries.append((found.st_mtime_ns, found.st_size, path))
        excess = sum(size for _, size, _ in entries) - self.limit
        for _, size, path in sorted(entries):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size
