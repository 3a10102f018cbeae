"""Files that are either the old one or the new one, never half of either, and why a write failed."""

from __future__ import annotations

import errno
import glob
import os
import platform
import re
import shutil
import time
import zlib
from contextlib import suppress
from pathlib import Path

from plugin.errors import OutputError

WORK_FOLDER = ".sagafoley"
"""The folder inside an output folder that holds what is not finished."""

_FORGOTTEN = 3600.0
"""Seconds after which an unfinished file belongs to a run that was killed."""

_THIS_HOST = f"{zlib.crc32(platform.node().encode('utf-8', 'replace')):08x}"
_OWNER = re.compile(r"\.(?P<host>[0-9a-f]{8})-(?P<process>\d{1,9})\.part$")

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_whole(path: Path, data: bytes) -> None:
    """Puts `data` under `path`: written to its part, forced to disk, then renamed over it.

    Raises:
        OutputError: the folder refuses, the disk is full, or the name is not possible.
    """
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(part, data)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        discard(part)
        raise output_error(path, error) from error


def part_of(path: Path) -> Path:
    """What `path` is called until it is whole: in the work folder where there is one, else beside it.

    So a killed run leaves nothing in sight; and what it left under this name is cleared away here.
    """
    work = path.parent / WORK_FOLDER
    folder = work if work.is_dir() else path.parent
    for left in folder.glob(f"{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            if _is_forgotten(left):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    return folder / f"{path.name}.{_THIS_HOST}-{os.getpid()}.part"


def _is_forgotten(part: Path) -> bool:
    """Whether the run that wrote it is gone; where that cannot be known, after an hour."""
    owner = _OWNER.search(part.name)
    if os.name == "posix" and owner is not None and owner["host"] == _THIS_HOST:
        try:
            os.kill(int(owner["process"]), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
    return time.time() - part.stat().st_mtime > _FORGOTTEN


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to `path` and waits until the disk has it; an `OSError` passes through."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until renames inside `folder` are on disk, where the system has a way to ask for that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:  # some network shares have no sync for folders
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(handle)


def discard(path: Path) -> None:
    """Removes a file of ours if it is there; a refusal is left for the next run."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def is_disk_full(error: OSError) -> bool:
    """Whether more room (disk, quota, file size limit) would have let the write through."""
    return error.errno in _FULL


def output_error(path: Path, error: OSError) -> OutputError:
    """What a failed write to `path` means to a user."""
    detail = f"{path}: {error.strerror or error}"
    if is_disk_full(error):
        return OutputError(
            f"The disk is full: {path.name} could not be written to {path.parent}.",
            remedy="Free some space there or choose another output folder, then run again.",
            detail=detail,
        )
    if error.errno in _REFUSED:
        return OutputError(
            f"{path.name} could not be written: {path.parent} does not allow it.",
            remedy="Choose an output folder that you may write to.",
            detail=detail,
        )
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(
            f"{path.name} could not be written: the path is too long for this disk.",
            remedy="Choose an output folder with a shorter path.",
            detail=detail,
        )
    return OutputError(
        f"{path.name} could not be written to {path.parent}: {error.strerror or error}.",
        remedy="Choose another output folder.",
        detail=detail,
    )
