"""Where everything goes, on each system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from machine import Machine

APPLICATION = "sagafoley"
_SCRIPTS = ("Fusion", "Scripts", "Utility")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of one installation; none needs to exist.

    Attributes:
        root: ours: environments, launcher, record. Also the product's data folder unless a prefix was given.
        data, config, cache: the product's own, as `plugin.folders` finds them.
        launcher: starts the command line.
        remover: starts the removal, with no source tree.
        command: what puts the launcher on the PATH, None where nothing does.
        menu_entry: what starts the panel from the desktop.
        icon: for the menu entry, None where there is none.
        resolve_scripts: the folder of DaVinci Resolve's scripts for every page, for one user.
    """

    root: Path
    data: Path
    config: Path
    cache: Path
    launcher: Path
    remover: Path
    command: Path | None
    menu_entry: Path
    icon: Path | None
    resolve_scripts: Path

    @property
    def environments(self) -> Path:
        """One folder for each environment."""
        return self.root / "app"

    @property
    def staging(self) -> Path:
        """What is needed while installing only."""
        return self.root / "installing"

    @property
    def menu_note(self) -> Path:
        """What Resolve's menu script reads (see `resolve_bridge.inside.own_files`)."""
        return self.data / "resolve_menu.json"

    @property
    def installer(self) -> Path:
        """The installer's own copy, for removal."""
        return self.root / "installer"

    def packages_of(self, environment: Path, series: str) -> Path:
        """The folder of an environment's packages; `series` is its Python's: "3.11"."""
        if self.launcher.suffix == ".bat":
            return environment / "Lib" / "site-packages"
        return environment / "lib" / f"python{series}" / "site-packages"

    def python_of(self, environment: Path) -> Path:
        """The Python of an environment."""
        if self.launcher.suffix == ".bat":
            return environment / "Scripts" / "python.exe"
        return environment / "bin" / "python"


def places_of(machine: Machine, prefix: Path | None = None) -> Places:
    """Where things go on this machine; `prefix` takes the place of our own folder."""
    find = {"Windows": _windows, "Darwin": _macos}.get(machine.system, _linux)
    return find(machine, prefix)


def _linux(machine: Machine, prefix: Path | None) -> Places:
    of_user = machine.home / ".local"
    share = _variable(machine.environment, "XDG_DATA_HOME", of_user / "share")
    config = _variable(machine.environment, "XDG_CONFIG_HOME", machine.home / ".config")
    cache = _variable(machine.environment, "XDG_CACHE_HOME", machine.home / ".cache")
    root = prefix or share / APPLICATION
    return Places(
        root=root,
        data=share / APPLICATION,
        config=config / APPLICATION,
        cache=cache / APPLICATION,
        launcher=root / "bin" / APPLICATION,
        remover=root / "bin" / f"{APPLICATION}-uninstall",
        command=None if prefix else of_user / "bin" / APPLICATION,
        menu_entry=share / "applications" / f"{APPLICATION}.desktop",
        icon=share / "icons" / "hicolor" / "scalable" / "apps" / f"{APPLICATION}.svg",
        resolve_scripts=(of_user / "share" / "DaVinciResolve").joinpath(*_SCRIPTS),
    )


def _macos(machine: Machine, prefix: Path | None) -> Places:
    support = machine.home / "Library" / "Application Support"
    data = _variable(machine.environment, "XDG_DATA_HOME", support) / APPLICATION
    caches = _variable(machine.environment, "XDG_CACHE_HOME", machine.home / "Library" / "Caches")
    root = prefix or data
    return Places(
        root=root,
        data=data,
        config=_variable(machine.environment, "XDG_CONFIG_HOME", support) / APPLICATION,
        cache=caches / APPLICATION,
        launcher=root / "bin" / APPLICATION,
        remover=root / "bin" / f"{APPLICATION}-uninstall",
        command=None if prefix else machine.home / ".local" / "bin" / APPLICATION,
        menu_entry=machine.home / "Applications" / "Sagafoley.command",
        icon=None,
        resolve_scripts=(support / "Blackmagic Design" / "DaVinci Resolve").joinpath(*_SCRIPTS),
    )


def _windows(machine: Machine, prefix: Path | None) -> Places:
    local = _variable(machine.environment, "LOCALAPPDATA", machine.home / "AppData" / "Local")
    roaming = _variable(machine.environment, "APPDATA", machine.home / "AppData" / "Roaming")
    root = prefix or local / APPLICATION
    resolve = roaming / "Blackmagic Design" / "DaVinci Resolve" / "Support"
    start_menu = roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs"
    return Places(
        root=root,
        data=local / APPLICATION,
        config=local / APPLICATION,
        cache=local / APPLICATION / "Cache",
        launcher=root / "bin" / f"{APPLICATION}.bat",
        remover=root / "bin" / f"{APPLICATION}-uninstall.bat",
        command=None,
        menu_entry=start_menu / "Sagafoley.bat",
        icon=None,
        resolve_scripts=resolve.joinpath(*_SCRIPTS),
    )


def _variable(environment: Mapping[str, str], name: str, otherwise: Path) -> Path:
    """The folder that a variable names; relative ones are void (XDG base directory specification)."""
    named = Path(environment.get(name, ""))
    return named if named.is_absolute() else otherwise
