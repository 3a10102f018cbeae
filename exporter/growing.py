"""A bundle's folder while it grows: hidden beside its final place, renamed when it is whole.

    .NAME-xxxxxxxx.part/held      open and locked while the export lives
    .NAME-xxxxxxxx.part/bundle    what grows
    .NAME-xxxxxxxx.part/before    for an instant: the bundle that is replaced

An export that was killed leaves such a folder. The next one to the same place knows by the lock that nobody
works in it, and removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from exporter.errors import ExportError
from models_onnx.bundle import MANIFEST_NAME

if os.name == "posix":
    import fcntl

SUFFIX = ".part"
HELD, GROWING, BEFORE = "held", "bundle", "before"


def refuse_foreign(output: Path) -> None:
    """Pass when `output` does not exist, is empty, or holds a bundle.

    Raises:
        ExportError: it is something else; nothing was touched.
    """
    if not output.exists():
        return
    if not output.is_dir() or (any(output.iterdir()) and not (output / MANIFEST_NAME).is_file()):
        raise ExportError(f"{output} exists and is no bundle.", remedy="Name a new folder.")


@contextmanager
def folder_beside(output: Path) -> Iterator[Path]:
    """A hidden folder next to `output`, gone afterwards unless `put_in_place` gave it the name.

    What a killed export to the same place left is removed first.

    Raises:
        ExportError: a folder cannot be made there, or what the caller writes does not fit.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _clear_away(output)
        outer = Path(tempfile.mkdtemp(dir=output.parent, prefix=_prefix(output), suffix=SUFFIX))
    except OSError as error:
        message = f"{output.parent} cannot be written ({error.strerror})."
        raise ExportError(message, remedy="Name a folder where you may write.") from None
    try:
        with (outer / HELD).open("ab") as held:
            with suppress(OSError):  # a file system without locks: then nobody clears this away
                _hold(held)
            (outer / GROWING).mkdir()
            yield outer / GROWING
    except OSError as error:
        message = f"The bundle could not be written ({error})."
        raise ExportError(message, remedy="Check the free space and the rights of the folder.") from None
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def put_in_place(folder: Path, output: Path) -> None:
    """Rename the finished folder of `folder_beside`; an older bundle steps aside first and then goes."""
    if not output.exists():
        folder.rename(output)
        return
    before = folder.parent / BEFORE
    output.rename(before)
    try:
        folder.rename(output)
    except OSError:
        before.rename(output)
        raise


def _prefix(output: Path) -> str:
    return f".{output.name}-"


def _clear_away(output: Path) -> None:
    """Remove what killed exports left; a bundle that was stepping aside just then comes back first."""
    for outer in tuple(output.parent.iterdir()):
        ours = outer.name.startswith(_prefix(output)) and outer.name.endswith(SUFFIX)
        if not ours or not (outer / HELD).is_file() or _is_held(outer / HELD):
            continue
        if (outer / BEFORE).exists() and not output.exists():
            (outer / BEFORE).rename(output)
        shutil.rmtree(outer, ignore_errors=True)


def _hold(file: IO[bytes]) -> None:
    """Lock an open file while this process has it; on Windows an open file cannot be removed anyway."""
    if os.name == "posix":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    if os.name != "posix":
        with suppress(PermissionError):
            path.unlink()
        return path.exists()
    with path.open("ab") as file:
        try:
            _hold(file)
        except OSError:
            return True
    return False
