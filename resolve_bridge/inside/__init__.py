"""What Resolve's own Python runs: standard library only, Python 3.6 syntax, nothing of ours outside.

Resolve's interpreter may be any CPython from 3.6 to the newest, with no packages and with flags that close
its search path. `Sagafoley.py` and `serve_pipes.py` therefore load this folder by its path, under a package
name of its own; modules here import each other relatively (`from .requests import handle`). Annotations
are in quotes or of plain kinds, since `from __future__ import annotations` is newer than 3.6.
"""
