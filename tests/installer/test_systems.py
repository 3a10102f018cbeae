"""Windows and macOS: where things go and what is written into them, with no such system at hand."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from faults import InstallError
from launchers import desktop_entry, launcher_files, menu_note
from machine import Machine, Python, processor_name
from places import places_of

from tests.installer.fake_machine import Desk


def machine(home: Path, system: str, **variables: str) -> Machine:
    return Machine(system, "x86_64", variables, home, Python(Path("/usr/bin/python3.12"), "3.12.3"))


HOME = Path("/Users/Zoë Ångström")
RESOLVE = "Blackmagic Design/DaVinci Resolve"


def test_places_on_macos() -> None:
    places = places_of(machine(HOME, "Darwin"))
    support = HOME / "Library/Application Support"
    assert places.root == support / "sagafoley"
    assert places.cache == HOME / "Library/Caches/sagafoley"
    assert places.resolve_scripts == support / RESOLVE / "Fusion/Scripts/Utility"
    assert places.menu_entry == HOME / "Applications/Sagafoley.command"
    assert places.menu_note == support / "sagafoley/resolve_menu.json"


def test_places_on_windows() -> None:
    local, roaming = "/c/Users/Zoë/AppData/Local", "/c/Users/Zoë/AppData/Roaming"
    places = places_of(machine(Path("/c/Users/Zoë"), "Windows", LOCALAPPDATA=local, APPDATA=roaming))
    assert places.root == Path(local, "sagafoley")
    assert places.launcher == Path(local, "sagafoley/bin/sagafoley.bat")
    scripts = Path(roaming, RESOLVE, "Support/Fusion/Scripts/Utility")
    assert places.resolve_scripts == scripts
    assert places.menu_entry == Path(roaming, "Microsoft/Windows/Start Menu/Programs/Sagafoley.bat")
    environment = places.root / "app/1"
    assert places.python_of(environment) == environment / "Scripts/python.exe"
    assert places.packages_of(environment, "3.12") == environment / "Lib/site-packages"
    without = places_of(machine(Path("/c/Users/Zoë"), "Windows"))
    assert without.resolve_scripts == scripts


def test_places_on_linux() -> None:
    home = Path("/home/zoë")
    places = places_of(machine(home, "Linux", XDG_DATA_HOME="/data/zoë", XDG_CACHE_HOME="relative"))
    assert places.root == Path("/data/zoë/sagafoley")
    assert places.cache == home / ".cache/sagafoley"
    assert places.resolve_scripts == home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility"
    assert places_of(machine(home, "Linux"), Path("/p")).launcher == Path("/p/bin/sagafoley")


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_our_folders_are_those_of_the_product_and_the_bridge(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The menu script and the product look where the installer put things."""
    from resolve_bridge.inside.own_files import data_folder

    platform = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}[system]
    variables = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    assert data_folder(platform, variables) == str(places_of(machine(tmp_path, system)).data)
    from platformdirs.macos import MacOS
    from platformdirs.unix import Unix

    if system != "Windows":
        monkeypatch.setenv("HOME", str(tmp_path))
        theirs = (Unix if system == "Linux" else MacOS)("sagafoley", appauthor=False)
        ours = places_of(machine(tmp_path, system))
        assert theirs.user_data_path == ours.data
        assert theirs.user_config_path == ours.config
        assert theirs.user_cache_path == ours.cache


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_the_launcher_survives_any_path(system: str, tmp_path: Path) -> None:
    """Run by a real shell, from a home with a blank, a quote, a dollar and letters of three alphabets."""
    home = tmp_path / "it's $HOME ö д 音"
    mac = machine(home, system)
    places = places_of(mac)
    environment = places.environments / "1"
    python = places.python_of(environment)
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s|" "$PYTHONHOME" "$@"\n')
    python.chmod(0o755)
    for wanted in launcher_files(mac, places, environment):
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        wanted.path.write_bytes(wanted.content)
        wanted.path.chmod(wanted.mode)
    assert places.command is not None

    def answer(*words: str) -> str:
        ran = subprocess.run(
            words, env={"PYTHONHOME": "/opt/resolve"}, capture_output=True, text=True, check=True
        )
        return ran.stdout

    assert answer(str(places.command), "spots", "a b") == "|-I|-m|plugin.cli|spots|a b|"
    if system == "Darwin":
        assert answer(str(places.menu_entry)) == "|-I|-m|plugin.cli|panel|"
    python.unlink()
    ran = subprocess.run([places.launcher], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "run its installer again" in ran.stderr


def test_the_desktop_entry_survives_any_path() -> None:
    """Read back by the rules of the specification: text unescaped, then the quoted word."""
    home = Path('/home/a "b" $c `d` \\e 100% ö')
    places = places_of(machine(home, "Linux"))
    (line,) = (line for line in desktop_entry(places).splitlines() if line.startswith("Exec="))
    text = line.removeprefix("Exec=").replace("\\\\", "\\")
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)" panel', text)
    assert quoted is not None
    assert re.sub(r"\\(.)", r"\1", quoted[1]).replace("%%", "%") == str(places.launcher)


def test_batch_files_survive_any_path() -> None:
    home = Path("/c/Users/Zoë & 100% Söhne")
    windows = machine(home, "Windows")
    places = places_of(windows)
    files = {each.path: each.content for each in launcher_files(windows, places, places.environments / "1")}
    text = files[places.launcher].decode("utf-8")
    assert text.count("\r\n") == text.count("\n")
    assert text.isascii(), "found from its own folder: no letter depends on the code page"
    assert '"%~dp0..\\app\\1\\Scripts\\python.exe" -I -m plugin.cli %*\r\nexit /b %errorlevel%' in text
    assert places.launcher.parent.parent / "app/1/Scripts/python.exe" == places.python_of(
        places.environments / "1"
    )
    menu = files[places.menu_entry].decode("utf-8")
    python = str(places.python_of(places.environments / "1").with_name("pythonw.exe")).replace("%", "%%")
    assert f'chcp 65001 >nul\r\nstart "" "{python}" -I -m plugin.cli panel' in menu
    remover = files[places.remover].decode("utf-8").splitlines()[-1]
    assert "--uninstall" in remover
    assert remover.endswith("& pause & exit"), "read whole before it is removed"


def test_on_windows_the_menu_script_starts_no_console() -> None:
    import json

    windows = machine(Path("/c/Users/z"), "Windows")
    places = places_of(windows)
    told = json.loads(menu_note(windows, places, places.environments / "1", "1.2.0"))
    assert told["launcher"][0].endswith("pythonw.exe")
    assert told["launcher"][1:] == ["-I", "-m", "plugin.cli", "panel", "--host", "resolve"]


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_install_and_remove_on_other_systems(tmp_path: Path, system: str) -> None:
    desk = Desk.make(tmp_path, system=system)
    desk.run()
    entries = {path.name for path in desk.home.rglob("*") if path.is_file()}
    assert {"Sagafoley.py", "resolve_menu.json", "install.py"} <= entries
    assert desk.run().endswith("nothing was changed.\n")
    desk.new_version()
    desk.run()
    desk.run("--uninstall")
    assert desk.listing() == {}


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    python = Path("/usr/bin/python3.12")
    store = Path("C:/Users/z/AppData/Local/Microsoft/WindowsApps/python.exe")
    for system, unfit, message in (
        ("Linux", Python(python, "3.12.3", bits=32), "32 bit"),
        ("Linux", Python(python, "3.13.0", free_threaded=True), "free-threaded"),
        ("Windows", Python(store, "3.12.3"), "Microsoft Store"),
        ("Linux", Python(python, "3.12.3", makes_environments=False), "ensurepip is missing"),
    ):
        with pytest.raises(InstallError, match=message):
            Machine(system, "x86_64", {}, tmp_path, unfit).check()
    with pytest.raises(InstallError, match="FreeBSD"):
        machine(tmp_path, "FreeBSD").check()
    debian = Machine("Linux", "x86_64", {}, tmp_path, Python(python, "3.12.3", makes_environments=False))
    with pytest.raises(InstallError) as told:
        debian.check()
    assert "sudo apt install python3.12-venv" in told.value.remedy


def test_sudo_is_refused_and_a_plain_root_is_not(tmp_path: Path) -> None:
    python = Python(Path("/usr/bin/python3.12"), "3.12.3")
    Machine("Linux", "x86_64", {}, tmp_path, python, user_id=0).check()
    with pytest.raises(InstallError, match="sudo"):
        Machine("Linux", "x86_64", {"SUDO_USER": "zoë"}, tmp_path, python, user_id=0).check()


def test_names_of_processors() -> None:
    assert [processor_name(name) for name in ("AMD64", "x86_64", "aarch64", "arm64", "riscv64")] == [
        "x86_64",
        "x86_64",
        "arm64",
        "arm64",
        "riscv64",
    ]


def test_this_machine_is_looked_at() -> None:
    this = Machine.this()
    assert this.python.executable.exists()
    assert this.home == Path.home()
    assert shlex.quote(this.python.series) == this.python.series
