"""The installer's scripts find each other in their own folder, as Python sees to when `install.py` is run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

INSTALLER = Path(__file__).parents[2] / "installer"
sys.path.insert(0, str(INSTALLER))


@pytest.fixture(autouse=True)
def same_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal leaves the folder that it removes; the next test is where it was."""
    monkeypatch.chdir(Path.cwd())


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test pulls the plug; waiting for the disk would be most of what they do."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
