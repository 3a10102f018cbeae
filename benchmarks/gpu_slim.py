"""Blanks the device code of all but one GPU generation in a CUDA library, so that it compresses well.

    python gpu_slim.py LIBRARY ARCHITECTURE     (90 is Hopper; needs readelf)

The section `.nv_fatbin` is a row of containers (magic 0xBA55ED50, header length, payload length), each a row
of images with their own headers; an image's architecture is the 32-bit number 28 bytes into its header.
Headers stay, payloads of other architectures become zeros.
"""

from __future__ import annotations

import mmap
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CONTAINER = 0xBA55ED50


def main() -> int:
    """Change the library in place; print how many MB were blanked."""
    path, keep = Path(sys.argv[1]), int(sys.argv[2])
    start, size = section(path, ".nv_fatbin")
    blanked = 0
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
        for offset, length, architecture in tuple(images(content, start, start + size)):
            if architecture != keep:
                content[offset : offset + length] = bytes(length)
                blanked += length
        content.flush()
    print(f"{path.name}: {blanked / 1e6:.0f} of {path.stat().st_size / 1e6:.0f} MB blanked")
    return 0 if blanked else 1


def section(path: Path, name: str) -> tuple[int, int]:
    """Offset and size of a section of an ELF file."""
    said = subprocess.run(
        ["readelf", "--section-headers", "--wide", str(path)], capture_output=True, text=True, check=True
    )
    for line in said.stdout.splitlines():
        cells = line.replace("[ ", "[").split()
        if len(cells) > 5 and cells[1] == name:
            return int(cells[4], 16), int(cells[5], 16)
    raise SystemExit(f"{path} has no section {name}")


def images(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Offset, length and architecture of every image's payload."""
    place = start
    while place < end - 16:
        magic, _, header, length = struct.unpack_from("<IHHQ", content, place)
        if magic != CONTAINER:
            place += 8
            continue
        place += header
        last = place + length
        while place < last:
            _, _, header, length = struct.unpack_from("<HHIQ", content, place)
            (architecture,) = struct.unpack_from("<I", content, place + 28)
            yield place + header, length, architecture
            place += header + length
        place = (last + 7) // 8 * 8


if __name__ == "__main__":
    raise SystemExit(main())
