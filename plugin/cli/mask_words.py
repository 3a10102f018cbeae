"""`sagafoley mask --text`: places that words could mean, told with numbers, one of them chosen."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plugin.cli.mask_prompts import Marks
from plugin.cli.output import Output, table, terminal_width
from plugin.cli.parser import PROGRAM
from plugin.errors import BadPrompt, UsageError
from plugin.masks.contact_sheet import png_bytes
from plugin.masks.finders import opened_finder
from plugin.masks.makers import Candidate, Picture
from plugin.masks.numbered_boxes import with_numbered_boxes
from plugin.masks.prompts import Box
from plugin.wholefile import write_whole
from plugin.workspace import Workspace


def looked_for(
    options: argparse.Namespace, output: Output, marks: Marks, workspace: Workspace, picture: Picture
) -> Box | None:
    """The place that the words mean.

    Args:
        options: of the command line.
        output: where several places are told.
        marks: with the words.
        workspace: with the finder's bundle.
        picture: the marked frame.

    Returns:
        The chosen place, or the only one; None where there are several and none was chosen, which was told.

    Raises:
        BundleMissing: nothing here finds objects by words.
        BadPrompt: nothing in this frame fits the words.
        UsageError: there is no place of the number that was chosen.
    """
    settings = workspace.settings
    with opened_finder(
        workspace.store, marks.words, provider=settings.provider, threads=settings.threads or None
    ) as finder:
        found = finder.find(picture, marks.words)
    if not found:
        raise BadPrompt(
            f"Nothing in this frame looks like {marks.words!r}.",
            remedy="Choose a --frame in which it is seen well, say another word, or draw a --lasso.",
        )
    number = 1 if marks.candidate is None and len(found) == 1 else marks.candidate
    if number is None:
        _tell(options, output, marks.words, picture, found)
        return None
    if number > len(found):
        raise UsageError(
            f"There is no candidate {number}: {len(found)} were found for {marks.words!r}.",
            remedy=f"Choose one from 1 to {len(found)}.",
        )
    output.note(f"{marks.words}: candidate {number}, {_sides(found[number - 1])}.")
    return found[number - 1].box


def _tell(
    options: argparse.Namespace, output: Output, words: str, picture: Picture, found: Sequence[Candidate]
) -> None:
    """The list, the picture, and the line to type."""
    shown = _picture_path(options)
    write_whole(shown, png_bytes(with_numbered_boxes(picture, [one.box for one in found])))
    rows = [(str(number), f"{one.score:.2f}", _sides(one)) for number, one in enumerate(found, start=1)]
    for line in table(("candidate", "score", "box"), rows, width=terminal_width(output.results)):
        output.line(line)
    output.path(shown)
    output.note(f"{len(found)} places could be {words!r}; the picture shows them with their numbers.")
    output.note(f"Choose one: {_line_to_type(options)}")
    output.document(
        {
            "matte": None,
            "picture": str(shown),
            "words": words,
            "candidates": [_document(number, one) for number, one in enumerate(found, start=1)],
        }
    )


def _picture_path(options: argparse.Namespace) -> Path:
    """Where `--preview` says, else where the matte would go."""
    if options.preview is not None:
        named: Path = options.preview
        return named.absolute()
    source: Path = (options.video or options.prompts).absolute()
    output: Path | None = options.output
    folder = source.parent if output is None else output.absolute()
    if folder.suffix in {".mov", ".mkv"}:
        folder = folder.parent
    return folder / f"{source.stem}_candidates.png"


def _line_to_type(options: argparse.Namespace) -> str:
    """What was typed, with the choice at its end."""
    return f"{PROGRAM} {shlex.join(options.typed)} --candidate 1"


def _sides(one: Candidate) -> str:
    box = one.box
    return f"{box.left:.0f},{box.top:.0f},{box.right:.0f},{box.bottom:.0f}"


def _document(number: int, one: Candidate) -> dict[str, Any]:
    box = one.box
    return {
        "candidate": number,
        "score": round(one.score, 4),
        "box": [box.left, box.top, box.right, box.bottom],
    }
