"""The size limits of docs/architecture.md, held by a test."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("plugin", "resolve_bridge", "exporter", "models_onnx")


def _files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _functions() -> list[tuple[str, int]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", _body_lines(node))
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the end."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_functions_stay_short() -> None:
    sizes = _functions()
    assert [name for name, lines in sizes if lines > 60] == []
    lengths = sorted(lines for _, lines in sizes)
    assert statistics.median(lengths) <= 10
    assert lengths[int(0.9 * len(lengths))] <= 30


def test_files_stay_short() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in _files()}
    assert [str(path.relative_to(ROOT)) for path, lines in lengths.items() if lines > 500] == []
    ordered = sorted(lengths.values())
    assert ordered[int(0.9 * len(ordered))] <= 350


def test_no_room_holds_a_drawer_for_leftovers() -> None:
    names = {path.stem for path in _files()}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "manager", "common", "misc"})
