"""Requests answered: one operation each, plain JSON in and out, never an exception."""

from typing import Any, Callable, Dict

from .calls import REFUSED, BridgeFault
from .placing import place
from .reading import read_scope, read_timeline
from .removing import remove, standing
from .showing import export_otio, show
from .status import status

Operation = Callable[[Any, Dict[str, Any]], Dict[str, Any]]

OPERATIONS = {
    "status": status,
    "read": read_timeline,
    "scope": read_scope,
    "place": place,
    "remove": remove,
    "standing": standing,
    "show": show,
    "export_otio": export_otio,
}  # type: Dict[str, Operation]


def handle(resolve: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """The answer to one request: `{"ok": True, "result"}` or `{"ok": False, "error"}`.

    Args:
        resolve: the object that Resolve gives to scripts.
        request: plain JSON with the key `op`, one of `OPERATIONS`.
    """
    operation = OPERATIONS.get(str(request.get("op")))
    if operation is None:
        return _refusal(BridgeFault(REFUSED, "Resolve's side does not know this request.", _UPDATE))
    try:
        return {"ok": True, "result": operation(resolve, request)}
    except BridgeFault as fault:
        return _refusal(fault)
    except Exception as error:  # noqa: BLE001 (the outermost edge: what travels back is words)
        words = "{}: {}".format(type(error).__name__, error)
        message = "Something unforeseen happened on Resolve's side ({}).".format(words)
        return _refusal(BridgeFault(REFUSED, message, _UPDATE, repr(error)))


_UPDATE = "Install this version of Sagafoley again, so that both sides fit, and restart Resolve."


def _refusal(fault: BridgeFault) -> Dict[str, Any]:
    told: Dict[str, Any] = {
        "kind": fault.kind,
        "message": fault.message,
        "remedy": fault.remedy,
        "detail": fault.detail,
        "left": fault.left,
    }
    return {"ok": False, "error": told}
