"""Files that nobody but this user may read or write: made so, and believed only while they are so."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
import time
from typing import Callable, List

LIMIT = 65536
"""Bytes; a private file of ours is a small JSON document."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Exposed(Exception):
    """The file belongs to somebody else, or others may read or write it."""


def make_private_folder(folder: str) -> None:
    """The folder, its owner's alone.

    Raises:
        OSError: it cannot be made or closed to others.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if sys.platform == "win32":
        subprocess.call(_access_command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    elif stat.S_IMODE(os.stat(folder).st_mode) & _OTHERS:
        os.chmod(folder, 0o700)


def write_private(path: str, text: str) -> None:
    """`text` under `path`, whole or not at all, in a folder of this user alone.

    Raises:
        OSError: the folder refuses or the disk is full.
    """
    make_private_folder(os.path.dirname(path))
    part = "{}.{}.part".format(path, os.getpid())
    if os.path.lexists(part):
        os.unlink(part)
    try:
        _write_alone(part, text)
        _replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _write_alone(part: str, text: str) -> None:
    """A new file with the text, after a look at whether this disk keeps it from others."""
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        if sys.platform != "win32" and stat.S_IMODE(os.fstat(handle).st_mode) & _OTHERS:
            raise OSError(errno.EPERM, "the disk of {} does not keep files private".format(part))
        stream.write(text.encode("utf-8"))
        stream.flush()
        os.fsync(stream.fileno())


def _replace(part: str, path: str) -> None:
    """Windows refuses for as long as somebody reads the older file, which takes no time."""
    for _ in range(20):
        try:
            os.replace(part, path)
        except PermissionError:
            time.sleep(0.05)
        else:
            return
    os.replace(part, path)


def read_private(path: str) -> str:
    """The text of a private file.

    Raises:
        Exposed: somebody else made it, or others may read or write it.
        OSError: it is not there or cannot be read.
        UnicodeDecodeError: it holds no text.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        facts = os.fstat(stream.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise Exposed("{} is not a plain file".format(path))
        if sys.platform != "win32":
            _check_owner(path, facts)
        return stream.read(LIMIT).decode("utf-8")


def _check_owner(path: str, facts: os.stat_result) -> None:
    """On Windows the folder's access list does this; there is nothing to look at in the file's mode."""
    if facts.st_uid != os.getuid():
        raise Exposed("{} belongs to another user".format(path))
    if stat.S_IMODE(facts.st_mode) & _OTHERS:
        raise Exposed("{} can be read or changed by other users".format(path))


def _access_command(folder: str, variable: "Callable[[str], str | None]" = os.environ.get) -> List[str]:
    """Windows: nothing inherited, everything for this user, and so for every file made inside."""
    system = variable("SYSTEMROOT") or "C:\\Windows"
    domain, name = variable("USERDOMAIN"), variable("USERNAME") or ""
    user = "{}\\{}".format(domain, name) if domain else name
    program = system + "\\System32\\icacls.exe"
    return [program, folder, "/inheritance:r", "/grant:r", user + ":(OI)(CI)F", "/q"]
