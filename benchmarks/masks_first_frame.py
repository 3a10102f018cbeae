"""How good the masks of one frame are that gestures give without weights, and what they cost.

    python -m benchmarks.masks_first_frame [CLIP_FOLDER] [--objects 40] [--frames 0 40 80 120]

CLIP_FOLDER holds one `Vid_*` movie and `Masks_*` movies of its objects. The gestures are simulated from the
true mask, as a careful hand would draw them: lassos around the mask grown by 2, 4 and 6 pixels of a crop of
240 (1.8 times the object) and simplified to a polygon; exact and loose boxes; clicks on the object, of whose
sizes the best one is taken, as an editor would. IoU is measured at the source's own size.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from exporter.synth.generating import generate
from plugin.errors import BadPrompt
from plugin.masks.colour_cut import ColourCut
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_ROOM, _PIXELS, _SIMPLER = 1.8, 240, 2.0
_FEWEST = 60


@dataclass(frozen=True, slots=True)
class Case:
    """A picture and the true mask of one object in it."""

    group: str
    picture: Bytes
    mask: Flags


def main() -> None:
    """Print a table: gesture by group of objects."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--objects", type=int, default=40)
    parser.add_argument("--frames", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cases = [*(real(options.clip, options.frames) if options.clip else ()), *drawn(options.objects)]
    groups = list(dict.fromkeys(case.group for case in cases))
    print("gesture".ljust(16), *(group[:20].rjust(22) for group in groups), "CPU ms".rjust(8))
    for name, gesture in GESTURES.items():
        scores, spent = measured(cases, gesture)
        told = (
            f"{np.mean(scores[one]):.3f} (> 0.7: {np.mean(np.array(scores[one]) > 0.7):.0%})"
            for one in groups
        )
        print(name.ljust(16), *(one.rjust(22) for one in told), f"{spent:8.0f}", flush=True)


def measured(
    cases: list[Case], gesture: Callable[[Flags], list[Gesture]]
) -> tuple[dict[str, list[float]], float]:
    """The IoUs of every group, and CPU milliseconds per object."""
    scores: dict[str, list[float]] = {}
    spent = 0.0
    for case in cases:
        prompts = FramePrompts(0, tuple(gesture(case.mask)))
        begun = time.process_time()
        try:
            found = ColourCut().segment(case.picture, prompts)
            masks = [found.mask, *found.candidates]
        except BadPrompt:
            masks = [np.zeros(case.mask.shape, np.uint8)]
        spent += time.process_time() - begun
        scores.setdefault(case.group, []).append(max(overlap(one >= 128, case.mask) for one in masks))
    return scores, 1000 * spent / len(cases)


def overlap(one: Flags, other: Flags) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def lassos(mask: Flags, away: int) -> list[Gesture]:
    """Lines some crop pixels outside the object, one around every piece."""
    left, top, right, bottom = extent(mask)
    side = max(right - left, bottom - top) * _ROOM
    x, y, scale = (left + right - side) / 2, (top + bottom - side) / 2, _PIXELS / side
    matrix = np.array([[scale, 0, 0.5 * scale - 0.5 - x * scale], [0, scale, 0.5 * scale - 0.5 - y * scale]])
    way = cv2.INTER_LINEAR
    crop = cv2.warpAffine(mask.astype(np.float32), matrix, (_PIXELS, _PIXELS), flags=way) >= 0.5
    grown = cv2.dilate(crop.astype(np.uint8), np.ones((2 * away + 1, 2 * away + 1), np.uint8))
    lines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    corners = [cv2.approxPolyDP(line, _SIMPLER, True)[:, 0] for line in lines]  # noqa: FBT003
    return [
        Lasso(tuple(((px + 0.5) / scale + x, (py + 0.5) / scale + y) for px, py in one))
        for one in corners
        if len(one) > 2
    ]


def box(mask: Flags, loose: float) -> list[Gesture]:
    """The object's box, larger by a share of its sides."""
    left, top, right, bottom = extent(mask)
    across, down = (right - left) * loose / 2, (bottom - top) * loose / 2
    return [Box(left - across, top - down, right + across, bottom + down)]


def click(mask: Flags) -> list[Gesture]:
    """A place well inside."""
    depths = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(depths > 0.7 * depths.max())
    chosen = np.random.default_rng(int(mask.sum())).integers(len(rows))
    return [Click((float(columns[chosen]) + 0.5, float(rows[chosen]) + 0.5))]


def extent(mask: Flags) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a mask, ends exclusive."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return left, top, left + width, top + height


GESTURES: dict[str, Callable[[Flags], list[Gesture]]] = {
    "lasso 2 px": lambda mask: lassos(mask, 2),
    "lasso 4 px": lambda mask: lassos(mask, 4),
    "lasso 6 px": lambda mask: lassos(mask, 6),
    "exact box": lambda mask: box(mask, 0.0),
    "box 10 % loose": lambda mask: box(mask, 0.1),
    "box 25 % loose": lambda mask: box(mask, 0.25),
    "click, best size": click,
}


def real(folder: Path, frames: list[int]) -> Iterator[Case]:
    """The objects of a clip with masks."""
    (film,) = folder.glob("Vid_*.mp4")
    pictures = dict(decoded(film, frames))
    for masks in sorted(folder.glob("Masks_*.mp4")):
        for frame, mask in decoded(masks, frames):
            yield Case(masks.stem[:12], pictures[frame], mask[..., 0] >= 128)


def decoded(path: Path, frames: list[int]) -> Iterator[tuple[int, Bytes]]:
    """Some frames of a movie."""
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in frames:
                yield number, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            if number >= max(frames):
                return


def drawn(count: int) -> Iterator[Case]:
    """The first object of every procedural scene, in the first frame that shows something of it."""
    seed = 1000
    while count:
        scene = generate(seed)
        seed += 1
        masks = scene.mask(0) > 0
        shown = np.flatnonzero(masks.sum(axis=(1, 2)) >= _FEWEST)
        if len(shown):
            yield Case("procedural", scene.frames[shown[0]], masks[shown[0]])
            count -= 1


if __name__ == "__main__":
    main()
