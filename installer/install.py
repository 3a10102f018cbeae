"""Installs Sagafoley for this user, brings it up to date, or removes it: `python3 install.py --help`.

This file runs under any Python, if only to find a better one; everything else here needs 3.11.
"""

# ruff: noqa: UP031, RUF005, PTH100, PTH118 (as old Pythons have it)

from __future__ import print_function  # noqa: UP010 (see above)

import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
_MORE_FOLDERS = ("/usr/local/bin", "/opt/homebrew/bin", "/usr/bin")


def main():
    # type: () -> int
    """Run with this Python where it is one of ours, else with one that is found, else say what is missing."""
    sys.dont_write_bytecode = True
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        from front import run  # noqa: PLC0415 (its syntax is too new for an old Python)

        return run(sys.argv[1:])
    found = _other_python()
    if found is None:
        print(_no_python(), file=sys.stderr)
        return 2
    print("This is Python %d.%d; going on with %s." % (sys.version_info[:2] + (found[0],)), file=sys.stderr)
    sys.stderr.flush()
    return subprocess.call(found + [os.path.abspath(__file__)] + sys.argv[1:])


def _no_python():
    # type: () -> str
    wanted = "Python %d.%d to %d.%d" % (OLDEST + NEWEST)
    this = "this is %d.%d, and no other was found" % sys.version_info[:2]
    return "error: Sagafoley needs %s; %s.\n  -> Install one, for example from python.org." % (wanted, this)


def _other_python():
    # type: () -> list[str] | None
    """How to start a Python that fits, the newest first; None when there is none."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for start in _spellings(minor):
            if _starts(start, minor):
                return start
    return None


def _spellings(minor):
    # type: (int) -> list[list[str]]
    if os.name == "nt":
        return [["py", "-3.%d" % minor], ["python3.%d" % minor]]
    folders = os.environ.get("PATH", "").split(os.pathsep) + list(_MORE_FOLDERS)
    folders.append("/Library/Frameworks/Python.framework/Versions/3.%d/bin" % minor)
    paths = [os.path.join(folder, "python3.%d" % minor) for folder in folders if folder]
    return [[path] for path in paths if os.access(path, os.X_OK)]


def _starts(start, minor):
    # type: (list[str], int) -> bool
    question = "import sys; sys.exit(sys.version_info[:2] != (3, %d))" % minor
    try:
        return subprocess.call(start + ["-c", question], stderr=subprocess.PIPE) == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
