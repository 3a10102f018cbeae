"""Pages that are made from the code, or name what is in it, are as the code is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from plugin.presets import Presets
from plugin.settings import row

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "modules.md"])
def test_the_page_is_as_the_code_is(name: str) -> None:
    made = runpy.run_path(str(DOCS / "make_pages.py"))["PAGES"][name]()
    assert (DOCS / name).read_text("utf-8") == made, "run: python docs/make_pages.py"


def test_the_presets_that_help_names_are_there() -> None:
    *others, last = Presets.load().names
    assert f"{', '.join(others)}, {last} or your own" in row("preset").help


_ROOMS = "plugin|exporter|models_onnx|tests|docs|benchmarks|examples"


@pytest.mark.parametrize("page", sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")))
def test_pages_name_only_files_that_are_there(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    named = re.findall(rf"`((?:{_ROOMS})/[\w/.-]+\.\w+)`", text)
    assert [name for name in named if not (DOCS.parent / name).exists()] == []
