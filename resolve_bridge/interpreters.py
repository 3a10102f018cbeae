"""Which Python speaks to Resolve from outside: not every one can load its library.

Up to Resolve 21.0 CPython 3.10 to 3.12 do; newer ones get None or crash on some builds. Resolve 21.1 brings
one along, and takes any from 3.11 on. So: our own if it is of the safe ones, then Resolve's,
then a safe one of this machine, then our own all the same.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from resolve_bridge.locations import Locations

CHOSEN = "SAGAFOLEY_RESOLVE_PYTHON"
"""The environment variable by which a user names the interpreter."""
SAFE = ((3, 10), (3, 11), (3, 12))


def interpreters(
    locations: Locations,
    *,
    environ: Mapping[str, str] | None = None,
    own: tuple[str, tuple[int, int]] | None = None,
    find: Callable[[str], str | None] = shutil.which,
) -> tuple[Path, ...]:
    """Programs to try, in order, each once; only those that are there.

    Args:
        locations: where Resolve's own would be.
        environ: the environment, in place of this process's.
        own: our program and its version, in place of this process's.
        find: looks a program up on the search path.
    """
    variables = os.environ if environ is None else environ
    chosen = variables.get(CHOSEN, "").strip()
    if chosen:
        return (Path(chosen),)
    candidates = _in_order(locations, own or (sys.executable, sys.version_info[:2]), find)
    return tuple(dict.fromkeys(path for path in candidates if os.path.isfile(path)))  # noqa: PTH113 (never raises)


def _in_order(
    locations: Locations, own: tuple[str, tuple[int, int]], find: Callable[[str], str | None]
) -> Iterator[Path]:
    program, version = own
    if version in SAFE:
        yield Path(program)
    yield from (Path(each) for each in locations.pythons)
    for major, minor in reversed(SAFE):
        found = find(f"python{major}.{minor}")
        if found:
            yield Path(found)
    yield Path(program)
