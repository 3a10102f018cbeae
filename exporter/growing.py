"""A bundle's folder while it grows: hidden beside its final place, renamed when it is whole.

    .NAME-xxxxxxxx.part/held      open and locked while the export lives
    .NAME-xxxxxxxx.part/bundle    what grows
    .NAME-xxxxxxxx.part/before    for an instant: the bundle that is replaced
    .NAME-xxxxxxxx.part/stood     the digest of the manifest that stood in the place when the export began

An export that was killed leaves such a folder. The next one to the same place knows by the lock that nobody
works in it, and removes it. What may be replaced: `replacing`. A link is followed: it stays, and leads to the
new bundle.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from exporter.errors import ExportError
from exporter.replacing import foreign_in, refuse_foreign
from models_onnx.bundle import MANIFEST_NAME

if os.name == "posix":
    import fcntl

SUFFIX = ".part"
HELD, GROWING, BEFORE, STOOD = "held", "bundle", "before", "stood"


@contextmanager
def folder_beside(output: Path) -> Iterator[Path]:
    """A hidden folder next to `output`, gone afterwards unless `put_in_place` gave it a name.

    What a killed export to the same place left is removed first.

    Raises:
        ExportError: a folder cannot be made there, something foreign is in the place, or what the caller
            writes does not fit.
    """
    output = _followed(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _clear_away(output)
        refuse_foreign(output)
        outer = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}-", suffix=SUFFIX))
    except OSError as error:
        message = f"{output.parent} cannot be written ({error.strerror})."
        raise ExportError(message, remedy="Name a folder where you may write.") from None
    try:
        with (outer / HELD).open("ab") as held:
            with suppress(OSError):  # a file system without locks: then nobody clears this away
                _hold(held)
            (outer / STOOD).write_text(_digest(output), "utf-8")
            (outer / GROWING).mkdir()
            yield outer / GROWING
    except OSError as error:
        message = f"The bundle could not be written ({error})."
        raise ExportError(message, remedy="Check the free space and the rights of the folder.") from None
    finally:
        _give_back(outer, output)
        shutil.rmtree(outer, ignore_errors=True)


def put_in_place(folder: Path, output: Path) -> None:
    """Rename the finished folder of `folder_beside`; an older bundle steps aside first and then goes.

    Where something else than that older bundle is there by now, it stays, and the finished bundle gets
    another name beside it.

    Raises:
        ExportError: that is so; it says the name.
        OSError: the folder cannot be renamed at all.
    """
    output = _followed(output)
    try:
        _swap(folder, output)
    except (ExportError, OSError) as error:
        _give_back(folder.parent, output)
        kept = _keep_beside(folder, output)
        why = error.message if isinstance(error, ExportError) else f"{output} cannot be replaced ({error})."
        raise ExportError(
            f"{why} It was left as it is; the finished bundle is {kept}.",
            remedy="Use it under that name, or move what is yours elsewhere and rename it.",
        ) from None


def _swap(folder: Path, output: Path) -> None:
    """Give the folder its name where that is free, or still belongs to what stood there at the beginning."""
    refuse_foreign(output)
    if _digest(output) != (folder.parent / STOOD).read_text("utf-8"):
        message = f"{output} became another bundle in the meantime."
        raise ExportError(message, remedy="Rename either.")
    if not output.exists():
        folder.rename(output)
        return
    before = folder.parent / BEFORE
    output.rename(before)
    problem = foreign_in(before)  # nobody reaches it by its name any more: now this is the last word
    if problem:
        raise ExportError(f"{output} {problem}.", remedy="Name a new folder.")
    folder.rename(output)


def _keep_beside(folder: Path, output: Path) -> Path:
    """Give the folder the first free name like `output`, with a number, where it grew; that path."""
    kept = _free_name(folder.parent.parent / output.name)
    folder.rename(kept)
    return kept


def _free_name(output: Path) -> Path:
    names = (output.with_name(f"{output.name}-{number}") for number in itertools.count(2))
    return next(path for path in names if not path.exists() and not path.is_symlink())


def _followed(output: Path) -> Path:
    return output.resolve() if output.is_symlink() and output.exists() else output


def _digest(output: Path) -> str:
    """Of the manifest in a folder; "" where there is none."""
    path = output / MANIFEST_NAME
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _clear_away(output: Path) -> None:
    """Remove what killed exports left; a bundle that was stepping aside just then comes back first."""
    ours = re.compile(rf"\.{re.escape(output.name)}-[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    for outer in tuple(output.parent.iterdir()):
        if ours.fullmatch(outer.name) and (outer / HELD).is_file() and not _is_held(outer / HELD):
            _give_back(outer, output)
            shutil.rmtree(outer, ignore_errors=True)


def _give_back(outer: Path, output: Path) -> None:
    """Give what stepped aside its name again, or one like it, unless its successor is in the place."""
    before, is_succeeded = outer / BEFORE, not (outer / GROWING).exists()
    if before.exists() and not output.exists():
        before.rename(output)
    elif before.exists() and not is_succeeded:
        before.rename(_free_name(output))


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
