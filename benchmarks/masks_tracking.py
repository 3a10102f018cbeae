"""How well masks are tracked without weights: `python -m benchmarks.masks_tracking`.

Procedural objects of `exporter/synth` (default settings), each from its true mask in the first frame in which
at least half of its median area is seen, and with true masks in the middle and in the last frame too. With
`--clip`, also a folder with one film `Vid*` and films `Masks*` of the same length, white on the object.

A frame in which neither truth nor answer has a pixel counts as 1; keyframes do not count.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from exporter.synth.generating import generate
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.makers import Mask, Picture

Bytes = npt.NDArray[np.uint8]

_FEWEST_PIXELS = 40
_LATEST_START = 100


@dataclass(frozen=True, slots=True)
class Case:
    """One object: its pictures `[T, H, W, 3]`, its true masks `[T, H, W]`, the frame it is given in."""

    name: str
    label: str
    pictures: Bytes
    truth: Bytes
    start: int

    def picture(self, frame: int) -> Picture:
        """One frame."""
        return self.pictures[frame]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case: IoU and confidence of every frame but the keyframes, and CPU ms per frame."""

    case: Case
    overlaps: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    milliseconds: float


def synthetic(seed: int, count: int) -> Iterator[Case]:
    """The first objects of the scenes of seed, seed + 1, ..."""
    return itertools.islice(_objects(seed), count)


def _objects(seed: int) -> Iterator[Case]:
    for number in itertools.count(seed):
        scene = generate(number)
        for index, item in enumerate(scene.objects):
            truth = scene.mask(index)
            areas = np.count_nonzero(truth, axis=(1, 2))
            if areas.max() < _FEWEST_PIXELS:
                continue
            start = int(np.argmax(areas >= 0.5 * np.median(areas[areas > 0])))
            if start <= _LATEST_START:
                yield Case(f"{number}/{index}", item.name, scene.frames, truth, start)


def filmed(folder: Path) -> Iterator[Case]:
    """The objects of a real clip."""
    pictures = _decoded(next(folder.glob("Vid*")), "rgb24")
    for path in sorted(folder.glob("Masks*")):
        yield Case(path.stem[:14], path.stem, pictures, _decoded(path, "gray"), 0)


def _decoded(path: Path, form: str) -> Bytes:
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray(format=form) for frame in film.decode(video=0)])


def tracked(case: Case, *, keyframes: int) -> Result:
    """The case tracked with 1 (first) or 3 (first, middle, last) true masks."""
    end = len(case.truth) - 1
    keys = (case.start,) if keyframes == 1 else (case.start, (case.start + end) // 2, end)
    given: Mapping[int, Mask] = {key: case.truth[key] for key in keys}
    begun = time.process_time()
    answers = list(FlowTracker().track(case, given, first=case.start, last=end))
    cost = (time.process_time() - begun) * 1000 / max(1, end - case.start)
    free = [answer for answer in answers if answer.frame not in given]
    free.sort(key=lambda answer: answer.frame)
    overlaps = np.array([overlap(answer.mask, case.truth[answer.frame]) for answer in free])
    return Result(case, overlaps, np.array([answer.confidence for answer in free]), cost)


def overlap(mask: Mask, truth: Mask) -> float:
    """Intersection over union; 1 where both are empty."""
    found, true = mask >= 128, truth >= 128
    union = int((found | true).sum())
    return float((found & true).sum()) / union if union else 1.0


def row(name: str, results: list[Result]) -> str:
    """One line of the table, means over objects."""
    means = np.array([result.overlaps.mean() for result in results])
    least = np.mean([result.overlaps.min() for result in results])
    last = np.mean([result.overlaps[-1] for result in results])
    sure = np.mean([result.confidences.mean() for result in results])
    cost = np.mean([result.milliseconds for result in results])
    return (
        f"| {name} | {len(results)} | {means.mean():.3f} | {least:.3f} | {last:.3f} "
        f"| {np.mean(means > 0.7):.0%} | {sure:.2f} | {cost:.0f} |"
    )


def main() -> None:
    """Prints a table; with `--each`, a line per object too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--objects", type=int, default=100, help="procedural objects (%(default)s)")
    parser.add_argument("--seed", type=int, default=900_000, help="of the first scene (%(default)s)")
    parser.add_argument("--clip", type=Path, help="folder of a real clip and its masks")
    parser.add_argument("--keyframes", type=int, nargs="+", choices=(1, 3), default=[1, 3])
    parser.add_argument("--each", action="store_true", help="a line per object")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    print("| what | objects | mean IoU | min | last | above 0.7 | confidence | CPU ms per frame |")
    print("|---|---|---|---|---|---|---|---|")
    for keys in wanted.keyframes:
        if wanted.clip:
            for case in filmed(wanted.clip):
                print(row(f"{case.name}, {keys} key", [tracked(case, keyframes=keys)]), flush=True)
        if wanted.objects:
            _procedural(wanted.seed, wanted.objects, keyframes=keys, each=wanted.each)


def _procedural(seed: int, count: int, *, keyframes: int, each: bool) -> None:
    classes: dict[str, list[Result]] = defaultdict(list)
    for case in synthetic(seed, count):
        result = tracked(case, keyframes=keyframes)
        classes[case.label].append(result)
        if each:
            print(row(f"{case.name} {case.label}, {keyframes} key", [result]), flush=True)
    everything = [result for results in classes.values() for result in results]
    print(row(f"procedural, {keyframes} key", everything), flush=True)
    for label in sorted(classes, key=lambda name: np.mean([r.overlaps.mean() for r in classes[name]])):
        print(row(f"{label}, {keyframes} key", classes[label]), flush=True)


if __name__ == "__main__":
    main()
