"""`sagafoley panel` where it cannot start."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

from plugin.cli import main


def test_without_qt_it_says_how_to_add_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "plugin.cli.panel.find_spec", lambda name: None if name.startswith("PySide6") else found(name)
    )
    assert main(["panel"]) == 2
    told = capsys.readouterr().err
    assert "PySide6" in told
    assert "installer again with --panel" in told
    assert "pip install 'sagafoley[panel]'" in told


def test_a_library_that_qt_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really = importlib.import_module

    def without_libraries(name: str, *rest: Any) -> Any:
        if name == "plugin.panel.starting":
            raise ImportError("libEGL.so.1: cannot open shared object file")
        return really(name, *rest)

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(importlib, "import_module", without_libraries)
    assert main(["panel"]) == 2
    told = capsys.readouterr().err
    assert "libEGL.so.1" in told
    assert "apt-get install" in told


def test_without_a_screen_nothing_crashes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["panel"]) == 2
    assert "no screen" in capsys.readouterr().err
