"""One click on Workspace > Scripts > Sagafoley: the panel starts, and Resolve answers it until it closes."""

import time
from typing import Any, Callable, Dict, List, Optional, Set

from .answering import performer
from .asking import Address, NoAnswer, NoServer, ask, find_server, new_envelope
from .greeting import greet, is_alive
from .menu_file import NotInstalled, read_menu_file
from .own_files import panel_log
from .panel_process import is_running, last_words, start_panel
from .private_files import Exposed
from .serve_loopback import Server
from .telling import say, tell

PATIENCE = 0.25
"""Seconds between looks at what else may have ended the session."""
LOOK_EVERY = 1.0
"""Seconds between looks at Resolve itself."""
SILENCES = 3
"""Looks in a row without an answer, after which Resolve has gone."""
EARLY = 15.0
"""Seconds in which a panel that ends has never really started."""
GRACE = 3.0
"""Seconds without any panel until the session ends; another panel may be about to call."""
RETIRE_SECONDS = 10.0


class Session:
    """What runs between the click and the end.

    Args:
        resolve: Resolve's own object.
        say: tells a person something.
    """

    def __init__(self, resolve: Any, say: "Callable[[str], None]" = tell) -> None:
        self._resolve = resolve
        self._say = say
        self._server: "Optional[Server]" = None
        self._child: "Any" = None
        self._started = 0.0
        self._broke = False
        self._panels: "Set[int]" = set()
        self._retired = False
        self._silences = 0
        self._alone_since: "Optional[float]" = None

    def run(self) -> str:
        """Serve until there is a reason to end; the reason."""
        greeting = greet(self._resolve)
        if greeting is None:
            return self._give_up("DaVinci Resolve did not answer. Click Sagafoley in the menu again.")
        try:
            launcher = read_menu_file()["launcher"]
        except NotInstalled as fault:
            return self._give_up("{} Install Sagafoley again.".format(fault))
        self._panels.update(retire_older())
        server = Server(greeting, performer(self._resolve), seen=self._panels.add)
        server.operations.update(retire=self._retire, leave=self._leave)
        try:
            server.start()
        except OSError as fault:
            return self._give_up(_NO_SERVER.format(fault.strerror or fault))
        self._server = server
        try:
            return self._serve(server, launcher)
        finally:
            server.stop()

    def _serve(self, server: Server, launcher: "List[str]") -> str:
        try:
            self._started = time.monotonic()
            self._child = start_panel(launcher)
        except OSError as fault:
            return self._give_up(_NO_PANEL.format(launcher[0], fault.strerror or fault))
        say("serving {product} {version}".format(**server.greeting))
        looked, reason = time.monotonic(), ""
        while not reason:
            server.work(PATIENCE)
            reason = self._end_of_panels(server)
            if time.monotonic() - looked >= LOOK_EVERY:
                looked = time.monotonic()
                reason = reason or self._end_of_resolve()
        say("ended: " + reason)
        return reason

    def _leave(self, process: int) -> "Dict[str, Any]":
        """A program that lets go of Resolve, and may run on."""
        self._panels.discard(process)
        return {"ok": True, "result": {}}

    def _retire(self, process: int) -> "Dict[str, Any]":
        """A newer script takes over; it is told which panels to look after."""
        self._retired = True
        running = sorted(self._running() - {process})
        return {"ok": True, "result": {"panels": running}}

    def _running(self) -> "Set[int]":
        """The panels that are there; our child is asked itself, as its number outlives it."""
        child = self._child
        ended = {child.pid} if child is not None and child.poll() is not None else set()
        mine = {child.pid} - ended if child is not None else set()
        return mine | {each for each in self._panels - ended if is_running(each)}

    def _end_of_panels(self, server: Server) -> str:
        if self._retired or not server.is_current():
            return "a newer script took over"
        self._tell_of_broken_panel()
        if self._running():
            self._alone_since = None
            return ""
        if self._broke:
            return "the panel broke"
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
        return "the panel was closed" if now - self._alone_since >= GRACE else ""

    def _tell_of_broken_panel(self) -> None:
        """Words, once, when our panel did not end by itself; another one may be open still."""
        code = self._child.poll()
        if not code or self._broke:
            return
        self._broke = True
        how = "was ended by signal {}".format(-code) if code < 0 else "ended with code {}".format(code)
        if time.monotonic() - self._started < EARLY:
            self._say(_NEVER_STARTED.format(how, last_words() or "It said nothing."))
        else:
            self._say(_BROKE_OFF.format(how, panel_log()))

    def _end_of_resolve(self) -> str:
        self._silences = 0 if is_alive(self._resolve) else self._silences + 1
        return "DaVinci Resolve has ended" if self._silences >= SILENCES else ""

    def _give_up(self, words: str) -> str:
        self._say(words)
        return words


_NO_PANEL = "{} could not be started: {}. Install Sagafoley again."
_NO_SERVER = (
    "No connection could be opened on this machine: {}. Allow Sagafoley in the firewall, or work with "
    "timeline files: File > Export > Timeline."
)
_NEVER_STARTED = "The panel {}. {} Run `sagafoley doctor` in a terminal, or install Sagafoley again."
_BROKE_OFF = "The panel {}. Start it again, nothing that was rendered is lost. What it said last is in {}."


def retire_older(seconds: float = RETIRE_SECONDS) -> "List[int]":
    """Ask the script that serves now to end, and wait for it; the panels that it looked after."""
    try:
        older = find_server()
        answer = ask(older, new_envelope({"op": "retire"}, seconds), seconds)
    except (NoServer, NoAnswer, Exposed):
        return []
    until = time.monotonic() + seconds
    while time.monotonic() < until and _serves(older):
        time.sleep(PATIENCE / 2)
    panels = answer.get("result", {}).get("panels", [])
    return [each for each in panels if isinstance(each, int) and each > 0]


def _serves(older: Address) -> bool:
    try:
        return find_server().token == older.token
    except (NoServer, Exposed):
        return False
