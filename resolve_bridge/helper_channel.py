"""External scripting (Studio only): a helper process of its own holds the one connection to Resolve.

The library that speaks to Resolve is Blackmagic's and may hang or crash; then the helper does, not the
panel. It is killed, and the next request starts another one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plugin.errors import HostNotRunning
from resolve_bridge.channels import Answer
from resolve_bridge.greetings import Greeting
from resolve_bridge.helper_process import HelperCommand, HelperGone, HelperProcess, HelperStalled

CONNECT_SECONDS = 15.0
"""From the start of a helper to its first word; loading Resolve's library takes about one second."""

_CONNECT_AGAIN = "Start DaVinci Resolve, open your project, and connect again."


class Outcome(StrEnum):
    """How a helper's attempt to reach Resolve ended."""

    READY = "connected"
    NONE = "turned away"
    FAILED = "no library"
    CRASHED = "crashed"
    STALLED = "no answer"


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt of one interpreter.

    Attributes:
        command: what was started.
        outcome: how it ended.
        detail: the library's or the system's own words.
        greeting: what Resolve said, when it was reached.
    """

    command: HelperCommand
    outcome: Outcome
    detail: str = ""
    greeting: Greeting | None = None


class HelperChannel:
    """Requests through a helper process, one at a time.

    Args:
        command: starts a helper that connects.
        helper: a helper that has connected.
        greeting: what Resolve said to it.
    """

    name = "external scripting"

    def __init__(self, command: HelperCommand, helper: HelperProcess, greeting: Greeting) -> None:
        self.command = command
        self.greeting = greeting
        self._helper: HelperProcess | None = helper
        self._turn = threading.Lock()
        self._number = 0
        self._closed = False

    @classmethod
    def open(
        cls, commands: Sequence[HelperCommand], *, timeout: float = CONNECT_SECONDS
    ) -> tuple[HelperChannel | None, tuple[Trial, ...]]:
        """The channel of the first command that connects, and how each one ended."""
        trials: list[Trial] = []
        for command in commands:
            helper, trial = try_helper(command, timeout=timeout)
            trials.append(trial)
            if helper is not None and trial.greeting is not None:
                return cls(command, helper, trial.greeting), tuple(trials)
        return None, tuple(trials)

    @property
    def helper_number(self) -> int | None:
        """Process number of the helper that runs now."""
        return self._helper.number if self._helper is not None else None

    def ask(self, request: Mapping[str, object], *, timeout: float) -> Answer:
        """As `Channel.ask`; a helper that stalls is killed, the next request starts another."""
        with self._turn:
            helper = self._ready_helper()
            self._number += 1
            try:
                helper.say({"id": self._number, "request": dict(request)})
                answer = self._answer(helper, timeout)
            except HelperStalled:
                self._drop()
                raise _stalled(request, timeout) from None
            except HelperGone:
                words = helper.last_words
                self._drop()
                raise _gone(request, words) from None
            if _says_gone(answer):
                self._drop()
            return answer

    def close(self) -> None:
        """End the helper; a call under way may finish for a second."""
        helper, self._helper, self._closed = self._helper, None, True
        if helper is not None:
            helper.end()

    def _answer(self, helper: HelperProcess, timeout: float) -> Answer:
        message = helper.hear(timeout)
        answer = message.get("answer")
        if message.get("id") != self._number or not isinstance(answer, dict):
            raise HelperGone
        return answer

    def _ready_helper(self) -> HelperProcess:
        if self._closed:
            raise HostNotRunning("The connection to DaVinci Resolve was closed.", remedy="Connect again.")
        if self._helper is not None and self._helper.is_running:
            return self._helper
        self._drop()
        self._helper, trial = try_helper(self.command, timeout=CONNECT_SECONDS)
        if self._helper is None:
            raise HostNotRunning(
                "DaVinci Resolve does not answer any more.", remedy=_CONNECT_AGAIN, detail=trial.detail
            )
        return self._helper

    def _drop(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.kill()


def try_helper(command: HelperCommand, *, timeout: float) -> tuple[HelperProcess | None, Trial]:
    """A helper that has connected, or none and why."""
    try:
        helper = HelperProcess.start(command)
    except OSError as error:
        return None, Trial(command, Outcome.FAILED, f"{command.python}: {error.strerror or error}")
    try:
        event = helper.hear(timeout)
    except HelperStalled:
        helper.kill()
        return None, Trial(command, Outcome.STALLED, helper.last_words)
    except HelperGone:
        helper.end()
        return None, Trial(command, Outcome.CRASHED, helper.last_words)
    greeting = event.get("greeting")
    if event.get("event") == "ready" and isinstance(greeting, dict):
        return helper, Trial(command, Outcome.READY, greeting=Greeting.of(greeting))
    helper.end()
    if event.get("event") == "failed":
        return None, Trial(command, Outcome.FAILED, str(event.get("reason", "")))
    return None, Trial(command, Outcome.NONE)


def _says_gone(answer: Mapping[str, object]) -> bool:
    """Whether the inside found that nobody is behind its connection; the next request makes a new one."""
    error = answer.get("error")
    return isinstance(error, Mapping) and error.get("kind") == HostNotRunning.__name__


def _stalled(request: Mapping[str, object], timeout: float) -> HostNotRunning:
    return HostNotRunning(
        f"DaVinci Resolve did not answer '{request.get('op')}' within {timeout:g} seconds.",
        remedy="Look whether Resolve shows a dialog, answer it, and try again.",
    )


def _gone(request: Mapping[str, object], words: str) -> HostNotRunning:
    return HostNotRunning(
        f"The connection to DaVinci Resolve broke while '{request.get('op')}' was under way.",
        remedy="Look at the timeline before you do it again; start DaVinci Resolve when it has ended.",
        detail=words,
    )
