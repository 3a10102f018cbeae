"""How much memory there is, and giving back what was freed."""

from __future__ import annotations

import ctypes
import os
import sys


def physical_memory() -> int | None:
    """Bytes of this machine's memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def give_back_freed() -> None:
    """Ask the C library to return freed memory to the system; elsewhere than on Linux it does so unasked.

    glibc keeps blocks of up to 32 MB, which is most of a network's matrices: after its second loading a
    dropped graph of 1 GB was still held in full.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and keeps nothing
    if trim is not None:
        trim(0)
