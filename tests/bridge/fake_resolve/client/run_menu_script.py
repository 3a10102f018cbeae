"""Runs a script of the menu as the editor does, in a process of its own.

The script finds `resolve`, `fusion`, `bmd` and `app`; it does not know its own file; threads that it
started die when it comes to its end. Usage: run_menu_script.py LIBRARY SCRIPT
"""
# ruff: noqa: PTH123

import importlib.machinery
import importlib.util
import os
import sys
import time
import traceback


class _Bmd:
    """The little of `bmd` that scripts may touch."""

    wait = staticmethod(time.sleep)
    gettime = staticmethod(time.time)
    fileexists = staticmethod(os.path.exists)


def main():
    library, script = sys.argv[1:3]
    loader = importlib.machinery.SourceFileLoader("fusionscript", library)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fusionscript", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    resolve = module._connected({"hello": os.getpid(), "app": "Resolve", "menu": True})
    sys.argv = [""]
    with open(script, encoding="utf-8") as file:
        source = file.read()
    fusion = resolve.Fusion()
    names = {"__name__": "__main__", "resolve": resolve, "fusion": fusion, "bmd": _Bmd(), "app": fusion}
    status = 0
    try:
        exec(compile(source, "<string>", "exec"), names)  # noqa: S102
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


main()
