"""The options of `sagafoley mask`, and readers of what is typed after them."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

MOST_CANDIDATES = 9
"""Places of one word that are told and can be chosen."""

_LONGEST = 9
"""Digits of a frame number."""

Range = tuple[int | None, int | None]

USAGE = "VIDEO (--box | --lasso | --point | --keyframe | --text ...) [-o FOLDER] [options]"
SUMMARY = "mark an object in a frame of a video and follow it: a matte without an editor's mask"
TEXT = (
    "Mark one object in a frame; it is followed through the range and written as a matte, a folder\n"
    "of PNG pictures beside the video. What you marked is saved beside it and can be corrected:\n"
    "run again with --prompts and a further mark in the frame where the matte goes wrong.\n"
    "Frames count from 0; places are pixels of the video, x to the right and y down."
)


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `sagafoley mask` understands."""
    parser.add_argument("video", nargs="?", type=Path, metavar="VIDEO", help="Movie, or a folder of images.")
    _add_marks(parser.add_argument_group("marking the object"))
    _add_frames(parser.add_argument_group("frames"))
    _add_results(parser.add_argument_group("results"))


def _add_marks(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1", help="A box around the object.")
    group.add_argument(
        "--lasso",
        type=place,
        nargs="+",
        metavar="X,Y",
        help="A closed line around the object: the surest way.",
    )
    group.add_argument(
        "--point",
        type=click,
        nargs="+",
        default=[],
        metavar="X,Y[,-]",
        help="Points on the object, with ,- at the end on what is not; one alone needs a model to be good.",
    )
    group.add_argument(
        "--text",
        metavar="WORDS",
        help="The object in words, such as 'red drum'; needs the model owlv2-base (see docs/masks.md).",
    )
    group.add_argument(
        "--candidate",
        type=int,
        choices=range(1, MOST_CANDIDATES + 1),
        metavar="N",
        help="Which of the places that --text found, 1 the best (default: the only one).",
    )
    group.add_argument(
        "--keyframe",
        type=keyframe,
        nargs="+",
        default=[],
        metavar="FRAME=PNG",
        help="Masks made elsewhere, white on black, in the size of the video.",
    )
    group.add_argument(
        "--absent", type=frame, nargs="+", default=[], metavar="FRAME", help="Not to be seen from here on."
    )
    group.add_argument(
        "--label",
        metavar="WORD",
        help="What it is, e.g. violin; names the matte and its sound (default object).",
    )
    group.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="Marks saved earlier (.prompts.json); new ones are added.",
    )


def _add_frames(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--frame", type=frame, metavar="N", help="The marked frame (default: the first one).")
    group.add_argument(
        "--range",
        type=frames,
        metavar="A:B",
        dest="span",
        help="First and last frame of the matte (default: all; with --timeline what it shows).",
    )
    group.add_argument(
        "--handles",
        type=frame,
        metavar="N",
        help="Frames more at both ends (default 0; with --timeline and no --range 12).",
    )
    group.add_argument(
        "--go-on", action="store_true", help="Follow on where the object seems lost, instead of stopping."
    )


def _add_results(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER|FILE",
        help="Where the matte goes: a folder, or a name in .mov or .mkv (default: beside the video).",
    )
    group.add_argument(
        "--format",
        choices=("png", "ffv1", "prores4444"),
        dest="form",
        help="png: a folder of pictures, for every editor; ffv1: .mkv; prores4444: .mov (default png).",
    )
    group.add_argument(
        "--maker",
        default="auto",
        metavar="NAME",
        help="auto, 'no model', or a mask model such as sam2-tiny (default auto).",
    )
    group.add_argument(
        "--timeline",
        type=Path,
        metavar="FILE",
        help="Also lay the matte over this video on a timeline's copy.",
    )
    group.add_argument(
        "--preview", type=Path, metavar="PNG", help="Also write frames with the outline, to judge."
    )


def place(text: str) -> tuple[float, float]:
    """`X,Y`."""
    values = _numbers(text)
    if len(values) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a place (say 640,360)")
    return values[0], values[1]


def box(text: str) -> tuple[float, float, float, float]:
    """`X0,Y0,X1,Y1`, corners in any order."""
    values = _numbers(text)
    if len(values) != 4 or values[0] == values[2] or values[1] == values[3]:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a box (say 600,300,700,420: left, top, right, bottom)"
        )
    left, right = sorted((values[0], values[2]))
    top, bottom = sorted((values[1], values[3]))
    return left, top, right, bottom


def click(text: str) -> tuple[float, float, bool]:
    """`X,Y` on the object, or `X,Y,-` on what is not."""
    inside = not text.endswith(",-")
    x, y = place(text.removesuffix(",-").removesuffix(",+"))
    return x, y, inside


def _numbers(text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return values if all(math.isfinite(value) and abs(value) < 1e6 for value in values) else []


def frame(text: str) -> int:
    """A frame number."""
    if not _is_number(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame (frames are whole numbers from 0)")
    return int(text)


def frames(text: str) -> Range:
    """`A:B`, `A:` or `:B`."""
    first, colon, last = text.partition(":")
    if not colon or not all(_is_number(part) or not part for part in (first, last)) or not first + last:
        raise argparse.ArgumentTypeError(f"{text!r} is not a range of frames (say 0:124, both included)")
    if first and last and int(first) > int(last):
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return (int(first) if first else None, int(last) if last else None)


def keyframe(text: str) -> tuple[int, Path]:
    """`FRAME=PNG`."""
    number, equals, path = text.partition("=")
    if not equals or not path or not _is_number(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame and its picture (say 12=mask.png)")
    return int(number), Path(path)


def _is_number(text: str) -> bool:
    return re.fullmatch(rf"[0-9]{{1,{_LONGEST}}}", text) is not None
