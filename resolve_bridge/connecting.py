"""The way to Resolve that works here and now: each is tried in order, and says why it is not the one.

1. External scripting: Studio, with its preference on; a helper process of its own.
2. The menu script: Studio, and the free edition before 21.1; Resolve's own Python serves from inside.
3. Timeline files: every edition; the editor exports and imports.

What an edition can do is found by trying. Version numbers decide nothing: the preference, the edition and
the operating system's state do, and Resolve gives the same silence for all of them. So what can be known is
looked at first (is the library there, does Resolve run), and the silence is explained only by what is left.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath

from plugin.errors import HostError, HostNotRunning
from resolve_bridge.channels import Channel
from resolve_bridge.greetings import Greeting
from resolve_bridge.hand_over import WHY_FREE_21, HandOver, hand_over
from resolve_bridge.helper_channel import CONNECT_SECONDS, HelperChannel, Outcome, Trial
from resolve_bridge.helper_process import HelperCommand
from resolve_bridge.inside.own_files import server_file
from resolve_bridge.interpreters import CHOSEN, interpreters
from resolve_bridge.locations import Locations
from resolve_bridge.loopback_channel import LoopbackChannel
from resolve_bridge.processes import is_resolve_running

MENU_SCRIPT = "Sagafoley.py"
_RETRIES = 3
"""A Resolve that is starting turns everybody away for a while."""
_PAUSE = 1.0
PREFERENCE = "Preferences > System > General > External scripting using"


class Transport(StrEnum):
    """The ways, in the order in which they are tried."""

    EXTERNAL = "external scripting"
    MENU = "menu script"
    FILES = "timeline files"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one way turned out.

    Attributes:
        transport: which.
        works: whether it can be used.
        found: what was found, one or two sentences.
        remedy: what the editor can do to make it work, one imperative sentence; "" for nothing.
        detail: the system's own words, for a developer.
    """

    transport: Transport
    works: bool
    found: str
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at on this machine.

    Attributes:
        locations: where Resolve's files would be.
        environ: the user's environment.
        running: whether Resolve runs; None when nobody knows.
        server: the file in which a menu script says where it serves.
        pause: waits so many seconds.
        platform: as `sys.platform`.
    """

    locations: Locations
    environ: Mapping[str, str]
    running: Callable[[], bool | None]
    server: Path
    pause: Callable[[float], None] = time.sleep
    platform: str = sys.platform

    @classmethod
    def this(cls) -> Machine:
        """The one that this program runs on."""
        return cls(Locations.of_machine(), os.environ, is_resolve_running, Path(server_file()))


@dataclass(frozen=True, slots=True)
class Connection:
    """The way that works, and the report of all.

    Attributes:
        channel: to Resolve; None when only timeline files are left.
        greeting: what Resolve said of itself.
        attempts: every way, in the order of `Transport`.
        by_hand: the steps of the last way.
    """

    channel: Channel | None
    greeting: Greeting | None
    attempts: tuple[Attempt, ...]
    by_hand: HandOver

    @property
    def transport(self) -> Transport:
        """The way in use."""
        return next(each.transport for each in self.attempts if each.works)

    def required(self) -> Channel:
        """The channel.

        Raises:
            HostNotRunning: there is none; message and remedy are those of the way that is nearest to working.
        """
        if self.channel is not None:
            return self.channel
        external, menu, _ = self.attempts
        told = external if external.remedy else menu
        raise HostNotRunning(
            f"There is no connection to DaVinci Resolve. {told.found}",
            remedy=told.remedy,
            detail=external.detail,
        )


def connect(machine: Machine | None = None, *, timeout: float = CONNECT_SECONDS) -> Connection:
    """The first way that works; never raises because of Resolve.

    Args:
        machine: what is looked at, in place of this machine.
        timeout: seconds for one attempt to reach Resolve from outside.
    """
    machine = machine or Machine.this()
    served, menu = _try_menu(machine)
    outside, external = _try_external(machine, served, timeout)
    if outside is not None and served is not None:
        served.close()
        menu = Attempt(Transport.MENU, works=True, found="It serves too, and is not needed now.")
        served = None
    files = Attempt(
        Transport.FILES, works=True, found="They work with every edition: export, render, import."
    )
    greeting = outside.greeting if outside else served.greeting if served else None
    return Connection(outside or served, greeting, (external, menu, files), hand_over())


def _try_menu(machine: Machine) -> tuple[LoopbackChannel | None, Attempt]:
    try:
        channel = LoopbackChannel.open(machine.server)
    except HostNotRunning:
        return None, _menu_is_silent(machine)
    except HostError as error:
        return None, Attempt(Transport.MENU, works=False, found=error.message, remedy=error.remedy)
    return channel, Attempt(Transport.MENU, works=True, found=f"{channel.greeting.name} answers from inside.")


def _menu_is_silent(machine: Machine) -> Attempt:
    """Why no script serves, from what lies on the disk."""
    if menu_script(machine.locations) is None:
        found = f"There is no {MENU_SCRIPT} in Resolve's script folder {machine.locations.menu_folders[0]}."
        remedy = "Install Sagafoley again, then start Resolve again."
        return Attempt(Transport.MENU, works=False, found=found, remedy=remedy)
    found = "The script is installed and has not been started."
    if has_own_python(machine.locations):
        found = f"{found} {WHY_FREE_21}"
    remedy = "In Resolve choose Workspace > Scripts > Sagafoley."
    return Attempt(Transport.MENU, works=False, found=found, remedy=remedy)


def menu_script(locations: Locations) -> Path | None:
    """Our script in one of Resolve's folders."""
    return first_there(tuple(folder / MENU_SCRIPT for folder in locations.menu_folders))


def has_own_python(locations: Locations) -> bool:
    """Whether this Resolve brings an interpreter along, as 21.1 and later do."""
    return first_there(locations.pythons) is not None


def first_there(candidates: tuple[PurePath, ...]) -> Path | None:
    """The first candidate that exists."""
    return next((Path(each) for each in candidates if os.path.exists(each)), None)  # noqa: PTH110 (never raises)


def _try_external(
    machine: Machine, served: LoopbackChannel | None, timeout: float
) -> tuple[HelperChannel | None, Attempt]:
    library = first_there(machine.locations.library)
    if served is not None and served.greeting.studio is False:
        return None, _no("The free edition lets no outside programs in.")
    if library is None:
        return None, _not_installed(machine.locations)
    asleep = served is None and machine.running() is False
    channel, trials = _knock(machine, library, timeout, patient=served is None and not asleep)
    if channel is None and asleep:
        return None, _no(
            "DaVinci Resolve is not running.", "Start DaVinci Resolve and open your project.", _detail(trials)
        )
    if channel is None:
        return None, _explain(trials, machine.locations)
    greeting = channel.greeting
    found = f"{greeting.name} answers Python {greeting.python} ({channel.command.python})."
    return channel, Attempt(Transport.EXTERNAL, works=True, found=found)


def _knock(
    machine: Machine, library: Path, timeout: float, *, patient: bool
) -> tuple[HelperChannel | None, tuple[Trial, ...]]:
    """Every interpreter once, then the first one that was turned away again while Resolve may be starting.

    Where Resolve does not seem to run, one knock all the same: a list of processes is not everything.
    """
    api = first_there(machine.locations.api) or Path(machine.locations.api[0])
    pythons = interpreters(machine.locations, environ=machine.environ)
    commands = tuple(HelperCommand(python, api, library) for python in pythons)
    channel, trials = HelperChannel.open(commands if patient else commands[:1], timeout=timeout)
    turned_away = tuple(trial.command for trial in trials if trial.outcome is Outcome.NONE)
    retries = _RETRIES if patient and turned_away else 0
    while channel is None and retries and machine.running() is not False:
        machine.pause(_PAUSE)
        channel, again = HelperChannel.open(turned_away[:1], timeout=timeout)
        trials, retries = (*trials, *again), retries - 1
    return channel, trials


def _explain(trials: tuple[Trial, ...], locations: Locations) -> Attempt:
    """What the failed attempts have in common, in words."""
    outcomes = {trial.outcome for trial in trials}
    detail = _detail(trials)
    if Outcome.NONE in outcomes:
        return _no(
            "DaVinci Resolve runs and turns outside programs away: the preference is off, or it is the free "
            "edition.",
            f"In Resolve Studio set {PREFERENCE} to Local; in the free edition {_free_way(locations)}.",
            detail,
        )
    if Outcome.STALLED in outcomes:
        return _no(
            "DaVinci Resolve took the call and did not answer.",
            "Look whether Resolve shows a dialog, answer it, and connect again.",
            detail,
        )
    return _no(
        "No Python on this machine could load Resolve's library.",
        f"Start Sagafoley from Workspace > Scripts, or name a Python 3.10 to 3.12 in the variable {CHOSEN}.",
        detail,
    )


def _detail(trials: tuple[Trial, ...]) -> str:
    return "; ".join(f"{trial.command.python}: {trial.outcome} {trial.detail}".strip() for trial in trials)


def _free_way(locations: Locations) -> str:
    """What is left to the free edition: 21.1 and later bring a Python along, and keep it for Studio.

    Where that Python lies is told in different ways, so not finding it proves nothing.
    """
    by_files = "exchange timeline files (File > Export > Timeline)"
    if has_own_python(locations):
        return by_files
    return f"choose Workspace > Scripts > Sagafoley, or where that is not listed (21.1 and later) {by_files}"


def _not_installed(locations: Locations) -> Attempt:
    if first_there(locations.app_store) is not None:
        return _no(
            "This is the App Store edition of DaVinci Resolve, which is closed to other programs.",
            "Install DaVinci Resolve from Blackmagic's site, or work with timeline files.",
        )
    return _no(
        f"DaVinci Resolve is not installed here: there is no {locations.library[0]}.",
        "Install DaVinci Resolve, or set RESOLVE_SCRIPT_LIB when it is in another folder.",
    )


def _no(found: str, remedy: str = "", detail: str = "") -> Attempt:
    return Attempt(Transport.EXTERNAL, works=False, found=found, remedy=remedy, detail=detail)
