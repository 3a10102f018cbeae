"""DaVinci Resolve's menu entry: Workspace > Scripts > Sagafoley.

The installer copies this one file into Resolve's script folder. It runs in Resolve's own Python (any from
3.6 on, perhaps without packages and without `__file__`), finds the product by the file that the installer
wrote, loads the rest from there, and stays until the panel is closed: its threads would end with it.
"""

import importlib
import json
import os
import sys
import types
from typing import Any, Dict


def _menu_file() -> str:
    """As `own_files.menu_file`, which cannot be loaded before it is known where."""
    home = os.environ.get("USERPROFILE" if sys.platform == "win32" else "HOME") or os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif os.environ.get("XDG_DATA_HOME", "").strip():
        base = os.environ["XDG_DATA_HOME"].strip()
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.path.join(home, ".local", "share")
    return os.path.join(base, "sagafoley", "resolve_menu.json")


def _load(folder: str, module: str) -> "Any":
    """One module of the product's `inside` folder, under a package name that nobody else has."""
    name = "sagafoley_inside"
    for known in [each for each in sys.modules if each == name or each.startswith(name + ".")]:
        del sys.modules[known]  # of an earlier version, where the interpreter is shared
    package = types.ModuleType(name)
    package.__path__ = [folder]
    sys.modules[name] = package
    sys.dont_write_bytecode = True  # the folder is the installer's
    return importlib.import_module(name + "." + module)


def _resolve(names: "Dict[str, Any]") -> "Any":
    """Resolve's own object, from whatever this build puts in reach."""
    if names.get("resolve") is not None:
        return names["resolve"]
    for name in ("app", "fusion", "fu"):
        getter = getattr(names.get(name), "GetResolve", None)
        if callable(getter):
            return getter()
    scriptapp = getattr(names.get("bmd"), "scriptapp", None)
    return scriptapp("Resolve") if callable(scriptapp) else None


def _say(text: str) -> None:
    """Print, on a console that may not have these letters."""
    print("Sagafoley: " + text.encode("ascii", "backslashreplace").decode("ascii"))


_UNFORESEEN = (
    "something unforeseen happened ({}: {}). Start it again; if it happens again, send the makers this line."
)


def _main(names: "Dict[str, Any]") -> None:
    resolve = _resolve(names)
    if resolve is None:
        _say("start this in DaVinci Resolve: Workspace > Scripts > Sagafoley.")
        return
    path = _menu_file()
    try:
        with open(path, encoding="utf-8") as stream:
            folder = json.load(stream)["inside"]
        session = _load(folder, "menu_session")
    except (OSError, ValueError, KeyError, TypeError, ImportError, SyntaxError) as error:
        _say("not installed, or damaged ({}: {}). Install Sagafoley again.".format(path, error))
        return
    try:
        session.Session(resolve).run()
    except Exception as error:  # noqa: BLE001 (the outermost edge, on Resolve's console)
        _say(_UNFORESEEN.format(type(error).__name__, error))


if "." not in __name__:  # a menu script's name differs from build to build; an imported module's has a dot
    _main(globals())
