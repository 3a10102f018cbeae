"""Stand-in for the module of that name: it finds the native library, loads it, and is it from then on."""
# ruff: noqa: PTH100, PTH113, PTH118, PTH120

import importlib.machinery
import importlib.util
import os
import sys


def _library():
    named = os.environ.get("RESOLVE_SCRIPT_LIB")
    if named:
        return named
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.join(here, "..", "..", "..", "libs", "Fusion", "fusionscript.so")


def _load(path):
    if not os.path.isfile(path):
        raise ImportError("Could not locate module dependencies")
    loader = importlib.machinery.SourceFileLoader("fusionscript", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fusionscript", loader))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


sys.modules[__name__] = _load(_library())
