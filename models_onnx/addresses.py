"""Which addresses may be fetched from: https; http only where the user named it, and never after https."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit


class UnsafeAddress(Exception):
    """An address that is not asked."""


def check_address(address: str, *, named_by_user: str = "no") -> str:
    """The address itself, when it may be asked first.

    Args:
        address: of a file.
        named_by_user: "yes" allows http, for a mirror in the house.

    Raises:
        UnsafeAddress: another scheme, or no host.
    """
    parts = urlsplit(address)
    allowed = {"https", "http"} if named_by_user == "yes" else {"https"}
    if parts.scheme.lower() not in allowed or not parts.hostname:
        raise UnsafeAddress(f"{address} is not an address to fetch from; it must begin with https://")
    return address


def next_address(current: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        UnsafeAddress: from https to http, or to another scheme.
    """
    address = urljoin(current, location)
    before, after = urlsplit(current).scheme.lower(), urlsplit(address)
    scheme = after.scheme.lower()
    if not after.hostname or scheme not in {"https", "http"} or (before == "https" and scheme == "http"):
        raise UnsafeAddress(f"{current} redirects to {address}, which is not safe to follow")
    return address


def file_address(mirror: str, name: str) -> str:
    """The address of a file on a mirror."""
    return f"{mirror.rstrip('/')}/{name}"
