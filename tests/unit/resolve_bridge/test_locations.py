"""The places of Blackmagic's READMEs, for three systems."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

from resolve_bridge.locations import Locations

WINDOWS = {
    "USERPROFILE": r"C:\Users\Ada",
    "APPDATA": r"C:\Users\Ada\AppData\Roaming",
    "PROGRAMDATA": r"C:\ProgramData",
    "PROGRAMFILES": r"C:\Program Files",
}


def _texts(paths: tuple[object, ...]) -> list[str]:
    return [str(path) for path in paths]


def test_macos() -> None:
    found = Locations.of_machine("darwin", {"HOME": "/Users/ada"})
    support = "/Library/Application Support/Blackmagic Design/DaVinci Resolve"
    contents = "/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents"
    assert _texts(found.modules) == [f"{support}/Developer/Scripting/Modules"]
    assert _texts(found.library) == [f"{contents}/Libraries/Fusion/fusionscript.so"]
    assert _texts(found.pythons)[0] == f"{contents}/Applications/ResolvePython"
    assert _texts(found.menu_folders) == [
        f"/Users/ada{support}/Fusion/Scripts/Utility",
        f"{support}/Fusion/Scripts/Utility",
    ]
    assert _texts(found.app_store) == [
        "/Users/ada/Library/Containers/com.blackmagic-design.DaVinciResolveLite/Data"
    ]


def test_windows_has_support_in_two_of_three_places() -> None:
    """The user's scripts and everybody's developer folder lie under `Support`, everybody's scripts do not."""
    found = Locations.of_machine("win32", WINDOWS)
    shared = r"C:\ProgramData\Blackmagic Design\DaVinci Resolve"
    programs = r"C:\Program Files\Blackmagic Design\DaVinci Resolve"
    roaming = r"C:\Users\Ada\AppData\Roaming\Blackmagic Design\DaVinci Resolve"
    assert _texts(found.api) == [shared + r"\Support\Developer\Scripting"]
    assert _texts(found.library) == [programs + r"\fusionscript.dll"]
    assert _texts(found.pythons) == [programs + r"\ResolvePython\ResolvePython.exe"]
    assert _texts(found.scripts_of_user) == [roaming + r"\Support\Fusion\Scripts"]
    assert _texts(found.scripts_of_all) == [shared + r"\Fusion\Scripts"]
    assert isinstance(found.api[0], PureWindowsPath)


def test_windows_with_an_empty_environment() -> None:
    found = Locations.of_machine("win32", {"USERPROFILE": r"D:\Ada"})
    assert str(found.scripts_of_user[0]).startswith(r"D:\Ada\AppData\Roaming\Blackmagic Design")


def test_linux_has_two_homes() -> None:
    found = Locations.of_machine("linux", {"HOME": "/home/ada"})
    assert _texts(found.api) == ["/opt/resolve/Developer/Scripting", "/home/resolve/Developer/Scripting"]
    assert _texts(found.library) == [
        "/opt/resolve/libs/Fusion/fusionscript.so",
        "/home/resolve/libs/Fusion/fusionscript.so",
    ]
    assert {"/opt/resolve/bin/ResolvePython", "/opt/resolve/ResolvePython/ResolvePython"} < set(
        _texts(found.pythons)
    )
    assert _texts(found.menu_folders)[0] == "/home/ada/.local/share/DaVinciResolve/Fusion/Scripts/Utility"
    assert found.app_store == ()


def test_what_the_environment_names_comes_first() -> None:
    variables = {"HOME": "/home/ada", "RESOLVE_SCRIPT_API": " /x/api ", "RESOLVE_SCRIPT_LIB": "/x/lib.so"}
    found = Locations.of_machine("linux", variables)
    assert found.api[0] == PurePosixPath("/x/api")
    assert found.library[0] == PurePosixPath("/x/lib.so")
    assert len(found.api) == 3
