"""What can go wrong while installing, told in words."""

from __future__ import annotations

import errno
from pathlib import Path

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class InstallError(Exception):
    """A failure told in words.

    Attributes:
        message: what failed, on which named thing.
        remedy: one imperative sentence.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def is_refusal(error: OSError) -> bool:
    """Whether the folder does not let this user write."""
    return error.errno in _REFUSED


def write_error(path: Path, error: OSError) -> InstallError:
    """What a failed write to `path` means to a user."""
    if error.errno in _FULL:
        return InstallError(
            f"The disk is full: {path} could not be written.",
            remedy="Free some space and run the installer again; it goes on where it was.",
        )
    if error.errno in _REFUSED:
        return InstallError(
            f"{path} could not be written: the folder does not allow it ({error.strerror}).",
            remedy="Choose another place with --prefix FOLDER, or make the folder writable for you.",
        )
    return InstallError(
        f"{path} could not be written: {error.strerror or error}.",
        remedy="Choose another place with --prefix FOLDER.",
    )
