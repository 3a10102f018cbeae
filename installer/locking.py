"""One installer at a time in a folder; the lock goes with the process that holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults import InstallError

if os.name == "posix":
    import fcntl


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; on Windows, where folders have no locks and files in use stay whole, do nothing.

    Raises:
        InstallError: another installer holds it.
    """
    if os.name != "posix":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InstallError(
            f"Another installer is at work in {folder}.", remedy="Wait until it has ended, then run again."
        ) from None
    finally:
        os.close(handle)
