"""The way through the menu script: Resolve itself runs the other end, on this machine only."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from plugin.errors import HostError, HostNotRunning, HostRefused
from resolve_bridge.channels import Answer
from resolve_bridge.greetings import Greeting
from resolve_bridge.inside.asking import Address, Broken, NoAnswer, NoServer, ask, find_server, new_envelope
from resolve_bridge.inside.own_files import server_file
from resolve_bridge.inside.private_files import Exposed

PING_SECONDS = 5.0
_TRIES = 3
_PAUSE = 0.2
"""Seconds before a broken connection is made again."""
_RETURN = 3.0
"""Seconds that a newer script may take to be there after the older one has gone."""
_START = "In DaVinci Resolve choose Workspace > Scripts > Sagafoley."


class _Patience:
    """So many seconds from the first time that it is asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def is_over(self) -> bool:
        """Whether they have passed."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since > self._seconds


class LoopbackChannel:
    """Requests to the script that serves now; a newer script is found by its file.

    Args:
        address: a server that has answered.
        greeting: what its Resolve said.
        path: the file that names the server.
    """

    name = "menu script"

    def __init__(self, address: Address, greeting: Greeting, path: Path) -> None:
        self.greeting = greeting
        self._address = address
        self._path = path
        self._turn = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path | None = None) -> LoopbackChannel:
        """A channel to the script that serves now.

        Raises:
            HostNotRunning: none does.
            HostRefused: the file that names it is not safe to believe.
        """
        path = path or Path(server_file())
        address = _found(path)
        answer = _ping(address)
        if answer is None:
            raise _nobody()
        return cls(address, Greeting.of(address.greeting), path)

    def ask(self, request: Mapping[str, object], *, timeout: float) -> Answer:
        """As `Channel.ask`; done once, however often the connection breaks on the way."""
        if self._closed:
            raise HostNotRunning("The connection to DaVinci Resolve was closed.", remedy="Connect again.")
        try:
            envelope = new_envelope(dict(request), timeout)
        except ValueError as error:
            raise HostRefused(
                f"The request '{request.get('op')}' is too large for Resolve's script.",
                remedy="Place fewer stems at a time.",
                detail=str(error),
            ) from None
        with self._turn:
            return self._insist(envelope, str(request.get("op")), timeout)

    def close(self) -> None:
        """No more requests; the script need not stay for us."""
        if not self._closed:
            _told(self._address, "leave")
        self._closed = True

    def _insist(self, envelope: bytes, name: str, timeout: float) -> Answer:
        """Ask until there is an answer; no second server gets what a first one may have taken."""
        until = time.monotonic() + timeout
        missing = _Patience(_RETURN)
        taken_by = ""
        while (left := until - time.monotonic()) > 0:
            if taken_by and taken_by != self._address.token:
                raise _broken(name)
            try:
                answer = ask(self._address, envelope, left)
            except NoAnswer:
                break
            except Broken:
                taken_by = self._address.token
            except NoServer:
                pass
            else:
                if not answer.get("undone"):
                    return answer
            if missing.is_over():
                raise _broken(name) if taken_by else _nobody()
            time.sleep(_PAUSE)
            self._look_again()
        raise self._silent(name, timeout)

    def _look_again(self) -> None:
        """Follow the file to a newer script."""
        with suppress(HostNotRunning):
            self._address = _found(self._path)

    def _silent(self, name: str, timeout: float) -> HostError:
        answer = _ping(self._address) or {}
        result = answer.get("result")
        busy = result.get("busy") if isinstance(result, dict) else None
        other = isinstance(busy, dict) and busy.get("op") != name
        what = f"It is still busy with '{busy['op']}'. " if other and busy is not None else ""
        return HostNotRunning(
            f"DaVinci Resolve did not answer '{name}' within {timeout:g} seconds. {what}".strip(),
            remedy="Look whether Resolve shows a dialog, answer it, and try again.",
        )


def _found(path: Path) -> Address:
    try:
        return find_server(str(path))
    except NoServer:
        raise _nobody() from None
    except Exposed as fault:
        raise HostRefused(
            f"The file that names the menu script's server is not safe: {fault}.",
            remedy=f"Delete {path}, then start Sagafoley from Resolve's menu again.",
        ) from None


def _ping(address: Address) -> Answer | None:
    return _told(address, "ping")


def _told(address: Address, operation: str) -> Answer | None:
    """The answer to what a server does at once; None when nobody is there.

    A crowd of strangers may cost us a connection, not three.
    """
    for _ in range(_TRIES):
        try:
            return ask(address, new_envelope({"op": operation}, PING_SECONDS), PING_SECONDS)
        except Broken:
            time.sleep(_PAUSE)
        except (NoServer, NoAnswer):
            break
    return None


def _nobody() -> HostNotRunning:
    return HostNotRunning("Sagafoley's script is not running in DaVinci Resolve.", remedy=_START)


def _broken(name: str) -> HostNotRunning:
    return HostNotRunning(
        f"The connection to DaVinci Resolve broke while '{name}' was under way.",
        remedy="Look at the timeline before you do it again; start Sagafoley in Resolve's menu if it ended.",
    )
