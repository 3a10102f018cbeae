"""Every test: closed network, its own HOME, and no unexpected ERROR in the log."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_real_connect = socket.socket.connect
_LOOPBACK = ("127.", "::1", "localhost")


def _loopback_only(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
        raise AssertionError(f"a test tried to reach {address[0]}")
    _real_connect(self, address)


@pytest.fixture(autouse=True)
def closed_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SAGAFOLEY_BUNDLES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_unexpected_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test that expects an ERROR record clears `caplog` after looking at it."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, f"unexpected ERROR in the log: {errors[0].getMessage()}"
