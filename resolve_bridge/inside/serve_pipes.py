"""The helper process of external scripting: one connection to Resolve, requests on stdin, answers on stdout.

    python -I serve_pipes.py MODULES LIBRARY

Lines of JSON: first one event (`ready` with a greeting, `none`, or `failed` with the reason), then for every
`{"id", "request"}` one `{"id", "answer"}`. A process connects once: a second connection of the same process
has been seen to hand out objects that never answer. It ends when stdin does.
"""

import contextlib
import importlib
import importlib.machinery
import json
import os
import queue
import sys
import threading
import time
import types
from typing import Any, Callable, Dict, Optional, TextIO

LINGER = 60.0
"""Seconds that a call may go on after nobody waits for it any more."""


def main(modules: str, library: str) -> int:
    """Connect, tell how that went, and serve until stdin ends or Resolve does."""
    out = _own_stdout()
    sys.dont_write_bytecode = True  # this folder is the installer's
    try:
        resolve = _connect(modules, library)
    except BaseException as error:  # noqa: BLE001 (a foreign library may raise anything, SystemExit too)
        _write(out, {"event": "failed", "reason": "{}: {}".format(type(error).__name__, error)})
        return 1
    greet = _load("greeting").greet
    greeting = greet(resolve) if resolve is not None else None
    if greeting is None:
        _write(out, {"event": "none"})
        return 1
    _write(out, {"event": "ready", "greeting": greeting})
    with contextlib.suppress(OSError):  # nobody reads any more
        _serve(out, resolve)
    return 0


def _serve(out: TextIO, resolve: Any) -> None:
    perform: "Optional[Callable[[Dict[str, Any]], Dict[str, Any]]]" = None
    lines = _read_ahead()
    while True:
        line = lines.get()
        if line is None:
            return
        message = json.loads(line)
        perform = perform or _load("answering").performer(resolve)
        answer = perform(message["request"])
        _write(out, {"id": message["id"], "answer": answer})


def _own_stdout() -> TextIO:
    """The pipe, for us alone; what a library prints goes to stderr."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8", newline="\n")


def _read_ahead() -> "queue.Queue[Optional[str]]":
    """The lines of stdin, then None; and an end to the process when its last call never returns."""
    lines: "queue.Queue[Optional[str]]" = queue.Queue()

    def read() -> None:
        with os.fdopen(os.dup(0), "r", encoding="utf-8") as pipe:
            for line in pipe:
                lines.put(line)
        lines.put(None)
        time.sleep(LINGER)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _connect(modules: str, library: str) -> Any:
    """Resolve, or None when it does not want us."""
    sys.path.insert(0, modules)
    try:
        scripting = importlib.import_module("DaVinciResolveScript")
    except ImportError:  # up to 20 the module needs `imp`, which Python 3.12 no longer has
        scripting = _load_library(library)
    return scripting.scriptapp("Resolve")


def _load_library(path: str) -> Any:
    """What DaVinciResolveScript would load; its name is part of its interface."""
    loader = importlib.machinery.ExtensionFileLoader("fusionscript", path)
    module = loader.create_module(importlib.machinery.ModuleSpec("fusionscript", loader, origin=path))
    loader.exec_module(module)
    return module


def _load(module: str) -> Any:
    """One module of this folder, under a package name that nobody else has."""
    name, folder = "sagafoley_inside", os.path.dirname(os.path.abspath(__file__))
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [folder]
        sys.modules[name] = package
    return importlib.import_module(name + "." + module)


def _write(out: TextIO, message: "Dict[str, Any]") -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
