"""Whether a disk has room for a bundle, as far as that is certain before it is made."""

from __future__ import annotations

import shutil
from pathlib import Path

from exporter.errors import ExportError

STORED = 0.75
"""Part of its parameters that a network's graphs hold at least: some only train, some are shared."""

_BYTES = {"fp32": 4, "fp16": 2}


def refuse_full(output: Path, *, least: int) -> None:
    """Pass when the disk of a place has room, or does not tell how much it has.

    Args:
        output: where the bundle goes; it need not exist.
        least: bytes that it takes without doubt.

    Raises:
        ExportError: it cannot fit.
    """
    place = next((path for path in (output, *output.absolute().parents) if path.is_dir()), Path())
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return
    if free < least:
        raise ExportError(
            f"The disk of {place} has {_shown(free)} free; the bundle takes {_shown(least)} or more.",
            remedy="Make room there, or name a folder on another disk.",
        )


def least_bytes(parameters: int, *, precision: str) -> int:
    """Bytes that a bundle of networks with so many parameters takes without doubt."""
    return int(parameters * _BYTES[precision] * STORED)


def _shown(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
