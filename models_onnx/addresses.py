"""Which addresses may be fetched from: https; http only where the user named it, and never after https."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit


class UnsafeAddress(Exception):
    """An address that is not asked."""


def check_address(address: str, *, named_by_user: str = "no") -> str:
    """The address itself, when it may be asked first.

    Args:
        address: of a file.
        named_by_user: "yes" allows http, for a mirror in the house.

    Raises:
        UnsafeAddress: another scheme, no host, or no address at all.
    """
    scheme, host = _scheme_and_host(address)
    allowed = {"https", "http"} if named_by_user == "yes" else {"https"}
    if scheme not in allowed or not host:
        raise UnsafeAddress(f"{shown(address)} is not an address to fetch from; it must begin with https://")
    return address


def next_address(current: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        UnsafeAddress: from https to http, to another scheme, or to what is no address.
    """
    try:
        address = urljoin(current, location)
    except ValueError:
        raise UnsafeAddress(f"{shown(current)} redirects to {location!r:.200}, which is no address") from None
    (before, _), (scheme, host) = _scheme_and_host(current), _scheme_and_host(address)
    if not host or scheme not in {"https", "http"} or (before == "https" and scheme == "http"):
        raise UnsafeAddress(f"{shown(current)} redirects to {shown(address)}, which is not safe to follow")
    return address


def shown(address: str) -> str:
    """The address as it may stand in messages and notes: without a user's name and password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def file_address(mirror: str, name: str) -> str:
    """The address of a file on a mirror."""
    return f"{mirror.rstrip('/')}/{name}"


def _scheme_and_host(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnsafeAddress(f"{address!r:.200} is no address ({error})") from None
    return parts.scheme.lower(), host
