"""What Resolve says of itself, and whether it is still there."""

import platform
from typing import Any, Dict, Optional

PROTOCOL = 1
"""The bridge's own version: both ends must have the same."""


def greet(resolve: Any) -> "Optional[Dict[str, Any]]":
    """Product, version and edition of a live Resolve; None when this object leads nowhere.

    `studio` is None when Resolve neither has `IsStudio` nor names its edition as we know it.
    """
    product = _text(_ask(resolve, "GetProductName"))
    version = _text(_ask(resolve, "GetVersionString"))
    if not product and not version:
        return None
    return {
        "protocol": PROTOCOL,
        "product": product,
        "version": version,
        "studio": _is_studio(resolve, product),
        "python": platform.python_version(),
    }


def is_alive(resolve: Any) -> bool:
    """Whether Resolve still answers. A call on one that has quit gives None, or raises."""
    return bool(_text(_ask(resolve, "GetVersionString")) or _text(_ask(resolve, "GetProductName")))


def _is_studio(resolve: Any, product: str) -> "Optional[bool]":
    said = _ask(resolve, "IsStudio")  # from 21.1 on
    if isinstance(said, bool):
        return said
    return {"DaVinci Resolve Studio": True, "DaVinci Resolve": False}.get(product)


def _ask(resolve: Any, method: str) -> Any:
    """The answer of one call without arguments; None when there is no such call or nobody behind it."""
    function = getattr(resolve, method, None)
    if not callable(function):  # a missing method is None, and `hasattr` is true of everything
        return None
    try:
        return function()
    except Exception:  # noqa: BLE001 (a dead connection raises what its library likes)
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
