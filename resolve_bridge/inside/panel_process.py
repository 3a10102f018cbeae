"""The panel as the menu script sees it: a program of the product's own, started and watched."""

import os
import subprocess
import sys
from typing import Dict, List, Mapping

from .own_files import panel_log
from .private_files import make_private_folder

FROM_MENU = "SAGAFOLEY_FROM_RESOLVE"
"""Set in the environment of a panel that the menu script started."""

_NO_WINDOW_OWN_GROUP = 0x08000000 | 0x00000200
_RESOLVES_OWN = ("PYTHON", "DYLD_", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QML")
_MIXED = ("LD_LIBRARY_PATH", "LD_PRELOAD")
"""Resolve's libraries, and perhaps the user's (CUDA's)."""
_STILL_ACTIVE = 259
_MAY_ASK = 0x1000


def start_panel(launcher: "List[str]") -> "subprocess.Popen[bytes]":
    """The panel's process; what it prints goes to `own_files.panel_log`.

    Raises:
        OSError: it cannot be started.
    """
    make_private_folder(os.path.dirname(panel_log()))
    with open(panel_log(), "wb") as log:
        return subprocess.Popen(
            launcher,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            cwd=os.path.expanduser("~"),
            start_new_session=sys.platform != "win32",
            creationflags=_NO_WINDOW_OWN_GROUP if sys.platform == "win32" else 0,
        )


def clean_environment(variables: "Mapping[str, str]") -> "Dict[str, str]":
    """The environment without what Resolve set for its own Python, Qt and libraries."""
    kept = {name: value for name, value in variables.items() if not name.startswith(_RESOLVES_OWN)}
    for name in _MIXED:
        parts = kept.pop(name, "").split(os.pathsep)
        others = [part for part in parts if part and "resolve" not in part.lower()]
        if others:
            kept[name] = os.pathsep.join(others)
    kept[FROM_MENU] = "1"
    return kept


def last_words(lines: int = 3) -> str:
    """The end of what the panel printed."""
    try:
        with open(panel_log(), "rb") as log:
            text = log.read()[-4000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return " ".join(text.strip().splitlines()[-lines:])


def is_running(process: int) -> bool:
    """Whether a process of that number is there."""
    if sys.platform == "win32":
        return _is_running_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's, but there
    return True


def _is_running_on_windows(process: int) -> bool:
    import ctypes  # noqa: PLC0415 (Windows only)

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (known on Windows only)
    handle = kernel.OpenProcess(_MAY_ASK, 0, process)
    if not handle:
        return False
    code = ctypes.c_ulong()
    found = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(found) and code.value == _STILL_ACTIVE
