"""Writes the pages that are made from the code, settings.md and modules.md: `python docs/make_pages.py`."""  # noqa: INP001

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from plugin import presets, settings
from plugin.cues import MAX_GUIDANCE, MAX_STEPS

ROOT = Path(__file__).parents[1]
_MADE = "<!-- Made by docs/make_pages.py from the code; change that. -->"


def settings_page() -> str:
    """The settings and the presets, as the tables in the code have them."""
    return f"""\
{_MADE}
# Settings and presets

## Settings

They stand in `{settings.FILE_NAME}` in the folder that `sagafoley doctor` calls the config folder, one line
each (`takes = 3`). A setting that is not there has its default. Most can be given for one run on the command
line, with dashes: `--memory-mb 4000`.

{settings.markdown_table()}
## Presets

How much work goes into a take. Your own stand in `presets.toml` beside the settings, in the form below; one
of the same name takes the place of ours. What a preset leaves open is the bundle's own.

{presets.markdown_table()}
    [quick]
    title = "To hear where things are."
    steps = 4        # 1 to {MAX_STEPS}
    guidance = 5.0   # 0 to {MAX_GUIDANCE:g}; 1 and below is off

## What wins

Weakest first: what the bundle was made for, the preset, the settings, the options of the command line, what
the timeline says of a spot (its words and its matte), the cue sheet (`--cues`). The cue sheet always wins.
"""


def modules_page() -> str:
    """One line per module of the runtime and its contract: the first of its docstring."""
    return f"{_MADE}\n# Modules\n\n" + "\n".join(_rooms())


def _rooms() -> Iterator[str]:
    inside = sorted(path.parent for path in (ROOT / "plugin").glob("*/**/__init__.py"))
    for room in (ROOT / "models_onnx", ROOT / "plugin", *inside):
        summaries = {path.stem: _summary(path) for path in sorted(room.glob("*.py"))}
        if not summaries:
            continue
        yield f"## {room.relative_to(ROOT).as_posix()}/\n"
        yield f"{summaries.pop('__init__')}\n"
        summaries.pop("__main__", None)
        yield "| module | holds |\n|---|---|"
        yield from (f"| `{name}` | {summary} |" for name, summary in summaries.items())
        yield ""


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.split("\n\n", maxsplit=1)[0].replace("\n", " ").replace("|", "\\|")


PAGES = {"settings.md": settings_page, "modules.md": modules_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        Path(__file__).with_name(name).write_text(make(), "utf-8")
