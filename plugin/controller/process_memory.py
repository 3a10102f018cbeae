"""How much memory this process holds."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def resident_bytes() -> int:
    """Bytes of memory that the process holds now; on macOS the most it has held; 0 where nobody says."""
    ways = {"linux": _linux, "win32": _windows}
    return ways.get(sys.platform, _most_held)()


def _linux() -> int:
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return _most_held()


def _most_held() -> int:
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows() -> int:
    """`GetProcessMemoryInfo`: the working set is the fourth number of its struct on 64 bits."""
    counters = (ctypes.c_size_t * 10)()
    library = getattr(ctypes, "windll").kernel32  # noqa: B009 (only there on Windows)
    size = ctypes.sizeof(counters)
    library.K32GetProcessMemoryInfo(library.GetCurrentProcess(), counters, size)
    return int(counters[2])
