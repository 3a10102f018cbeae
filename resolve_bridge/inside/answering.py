"""The outermost edge inside Resolve: every request has an answer, whatever happens on the way to it."""

import json
from typing import Any, Callable, Dict

from .greeting import greet, is_alive

Answer = Dict[str, Any]

_GONE = "DaVinci Resolve has quit, or does not answer any more."
_START_AGAIN = "Start DaVinci Resolve, open your project, and connect again."


def performer(resolve: Any) -> "Callable[[Dict[str, Any]], Answer]":
    """What answers the requests to this Resolve."""
    from .requests import handle  # noqa: PLC0415 (a greeting must work where the operations cannot be loaded)

    def perform(request: "Dict[str, Any]") -> Answer:
        return answer_to(resolve, request, handle)

    return perform


def answer_to(
    resolve: Any, request: "Dict[str, Any]", handle: "Callable[[Any, Dict[str, Any]], Answer]"
) -> Answer:
    """The operation's answer; when nobody is behind the connection any more, that."""
    if request.get("op") == "hello":
        greeting = greet(resolve)
        return {"ok": True, "result": greeting} if greeting else gone()
    try:
        answer = handle(resolve, request)
        json.dumps(answer)
    except Exception as error:  # noqa: BLE001 (an exception must not end the script, nor reach the editor)
        answer = refusal(
            "HostRefused",
            "DaVinci Resolve gave something unforeseen to '{}'.".format(request.get("op")),
            "Try again; if it happens again, send the makers this: {}: {}.".format(
                type(error).__name__, error
            ),
        )
    if answer.get("ok") is not True and not is_alive(resolve):
        return gone()
    return answer


def gone() -> Answer:
    """The answer when Resolve is not there any more."""
    return refusal("HostNotRunning", _GONE, _START_AGAIN)


def refusal(kind: str, message: str, remedy: str) -> Answer:
    """A failure as an answer."""
    return {"ok": False, "error": {"kind": kind, "message": message, "remedy": remedy}}
