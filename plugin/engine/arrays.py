"""Reading arrays from `.npz` files without trusting them."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class UnreadableArrays(Exception):
    """The file is there but is not a whole `.npz` of plain arrays."""


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an `.npz` file, by name; nothing is unpickled.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableArrays: it is damaged, or something else.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    # A lone array is no context manager (TypeError); a damaged length asks for too much memory.
    except (OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError, MemoryError) as error:
        raise UnreadableArrays(str(error)) from None
    except (zipfile.BadZipFile, zlib.error, SyntaxError) as error:
        raise UnreadableArrays(str(error)) from None
