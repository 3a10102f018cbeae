"""Where DaVinci Resolve keeps what scripts need, by operating system; nothing here looks at a disk.

Every place is a tuple of candidates, the most likely one first: builds and distributions differ.
Source: Blackmagic's scripting READMEs for 20.3 to 21.1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

_PRODUCT = ("Blackmagic Design", "DaVinci Resolve")
_APP_STORE = ("Library", "Containers", "com.blackmagic-design.DaVinciResolveLite", "Data")
_MENU_FOLDER = "Utility"
"""Scripts of this folder are listed on every page."""

Paths = tuple[PurePath, ...]


@dataclass(frozen=True, slots=True)
class Locations:
    """Candidates, each a tuple with the most likely first.

    Attributes:
        api: RESOLVE_SCRIPT_API; its `Modules` holds DaVinciResolveScript.
        library: RESOLVE_SCRIPT_LIB.
        program: what runs when Resolve runs.
        pythons: the interpreter that Resolve 21.1 and later bring along.
        scripts_of_user: script folders of this user.
        scripts_of_all: script folders of all users.
        app_store: the data folder of the sandboxed App Store build, empty elsewhere.
    """

    api: Paths
    library: Paths
    program: Paths
    pythons: Paths
    scripts_of_user: Paths
    scripts_of_all: Paths
    app_store: Paths = ()

    @classmethod
    def of_machine(cls, platform: str = sys.platform, environ: Mapping[str, str] | None = None) -> Locations:
        """Those of an operating system; what the user's environment names comes first."""
        variables = os.environ if environ is None else environ
        if platform == "win32":
            found = _windows(variables)
        elif platform == "darwin":
            found = _macos(PurePosixPath(variables.get("HOME") or os.path.expanduser("~")))  # noqa: PTH111
        else:
            found = _linux(PurePosixPath(variables.get("HOME") or os.path.expanduser("~")))  # noqa: PTH111
        return found.preferring(variables, PureWindowsPath if platform == "win32" else PurePosixPath)

    @property
    def modules(self) -> Paths:
        """Folders of DaVinciResolveScript.py."""
        return tuple(each / "Modules" for each in self.api)

    @property
    def menu_folders(self) -> Paths:
        """Where a script is listed on every page: this user's folder, then everybody's."""
        return tuple(each / _MENU_FOLDER for each in (*self.scripts_of_user, *self.scripts_of_all))

    def preferring(self, variables: Mapping[str, str], kind: type[PurePath]) -> Locations:
        """The same with what RESOLVE_SCRIPT_API and RESOLVE_SCRIPT_LIB name put first."""
        named = {name: _first(variables.get(f"RESOLVE_SCRIPT_{name}", ""), kind) for name in ("API", "LIB")}
        return Locations(
            named["API"] + self.api,
            named["LIB"] + self.library,
            self.program,
            self.pythons,
            self.scripts_of_user,
            self.scripts_of_all,
            self.app_store,
        )


def _first(text: str, kind: type[PurePath]) -> Paths:
    return (kind(text.strip()),) if text.strip() else ()


def _macos(home: PurePosixPath) -> Locations:
    support = PurePosixPath("/Library/Application Support").joinpath(*_PRODUCT)
    of_user = home.joinpath("Library", "Application Support", *_PRODUCT)
    container = home.joinpath(*_APP_STORE)
    contents = PurePosixPath("/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents")
    return Locations(
        api=(support / "Developer" / "Scripting",),
        library=(contents / "Libraries" / "Fusion" / "fusionscript.so",),
        program=(contents / "MacOS" / "Resolve",),
        pythons=(
            contents / "Applications" / "ResolvePython",
            contents / "Applications" / "ResolvePython" / "ResolvePython",
        ),
        scripts_of_user=(of_user / "Fusion" / "Scripts",),
        scripts_of_all=(support / "Fusion" / "Scripts",),
        app_store=(container,),
    )


def _windows(variables: Mapping[str, str]) -> Locations:
    home = PureWindowsPath(variables.get("USERPROFILE") or "C:\\Users\\Default")
    roaming = PureWindowsPath(variables.get("APPDATA") or home / "AppData" / "Roaming")
    shared = PureWindowsPath(variables.get("PROGRAMDATA") or "C:\\ProgramData").joinpath(*_PRODUCT)
    programs = PureWindowsPath(variables.get("PROGRAMFILES") or "C:\\Program Files").joinpath(*_PRODUCT)
    return Locations(
        api=(shared / "Support" / "Developer" / "Scripting",),
        library=(programs / "fusionscript.dll",),
        program=(programs / "Resolve.exe",),
        pythons=(programs / "ResolvePython" / "ResolvePython.exe",),
        scripts_of_user=(roaming.joinpath(*_PRODUCT, "Support", "Fusion", "Scripts"),),
        scripts_of_all=(shared / "Fusion" / "Scripts",),
    )


def _linux(home: PurePosixPath) -> Locations:
    roots = (PurePosixPath("/opt/resolve"), PurePosixPath("/home/resolve"))
    return Locations(
        api=tuple(root / "Developer" / "Scripting" for root in roots),
        library=tuple(root / "libs" / "Fusion" / "fusionscript.so" for root in roots),
        program=tuple(root / "bin" / "resolve" for root in roots),
        pythons=tuple(
            root / place
            for root in roots
            for place in (
                "bin/ResolvePython",
                "bin/ResolvePython/ResolvePython",
                "ResolvePython/ResolvePython",
            )
        ),
        scripts_of_user=(home / ".local/share/DaVinciResolve/Fusion/Scripts",),
        scripts_of_all=tuple(root / "Fusion" / "Scripts" for root in roots),
    )
