"""How a request reaches the code inside Resolve, whatever carries it.

A request is a JSON object with an `op`; an answer is `{"ok": true, "result": {...}}` or
`{"ok": false, "error": {"kind", "message", "remedy"}}` (`resolve_bridge.inside.requests`). A channel
carries both and adds nothing. One channel serves any number of threads; requests run one at a time,
because Resolve's own interface is not made for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from plugin.errors import HostError, HostNotRunning, HostRefused, HostTooOld

Answer = dict[str, object]

_KINDS: dict[str, type[HostError]] = {
    kind.__name__: kind for kind in (HostNotRunning, HostRefused, HostTooOld)
}


@runtime_checkable
class Channel(Protocol):
    """A way to a running Resolve.

    Attributes:
        name: for people: which way this is.
    """

    name: str

    def ask(self, request: Mapping[str, object], *, timeout: float) -> Answer:
        """Send one request and wait for its answer, good or bad, as the inside gave it.

        Args:
            request: plain JSON values, with the key `op`.
            timeout: seconds until we stop waiting.

        Raises:
            HostNotRunning: nobody answered in time, or the way to Resolve is gone.
        """
        ...

    def close(self) -> None:
        """Let go of Resolve; a closed channel may be closed again, not asked."""
        ...


def result_of(answer: Mapping[str, object]) -> dict[str, object]:
    """What a good answer holds.

    Raises:
        HostError: the answer is a refusal; its kind, message and remedy are the inside's.
    """
    if answer.get("ok") is True:
        result = answer.get("result")
        return dict(result) if isinstance(result, Mapping) else {}
    told = answer.get("error")
    fault = told if isinstance(told, Mapping) else {}
    kind = _KINDS.get(str(fault.get("kind")), HostRefused)
    message = str(fault.get("message") or "DaVinci Resolve gave an answer without meaning.")
    remedy = str(fault.get("remedy") or "Try again.")
    raise kind(message, remedy=remedy, detail=str(fault.get("detail") or ""))


def refusal(error: HostError) -> Answer:
    """An error in the form of an answer."""
    return {
        "ok": False,
        "error": {"kind": type(error).__name__, "message": error.message, "remedy": error.remedy},
    }
