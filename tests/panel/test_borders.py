"""Qt stays in the panel, and the panel decides nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plugin.panel

SOURCES = sorted(Path(plugin.panel.__file__).parent.glob("*.py"))
FORBIDDEN = {"numpy", "pathlib", "os", "shutil", "subprocess", "av", "opentimelineio", "onnxruntime"}


@pytest.mark.parametrize("module", ["plugin.cli", "plugin.cli.panel", "plugin.controller.desk"])
def test_nothing_below_the_panel_loads_qt(module: str) -> None:
    look = f"import sys, {module}; sys.exit(any(m.startswith('PySide6') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_widgets_know_neither_arrays_nor_files(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported.isdisjoint(FORBIDDEN)
