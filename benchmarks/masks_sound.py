"""Does the sound follow a tracked matte: `python -m benchmarks.masks_sound --report docs/masks_figures.md`.

Held-out scenes of the generator, every object twice through the bundle as the product does it: with its true
matte, and with one made as an editor without a matte would make it. A lasso drawn a little outside of the
object (`benchmarks.masks_first_frame.lassos`) in frame 0 goes through the colour cut, and the flow tracker
makes all other frames. Where frame 0 hardly shows the object, the lasso is drawn in the first frame that
shows half of it, and it is tracked both ways from there.

What was found is kept per scene; a run that was stopped goes on. Mattes are kept apart from scores, under a
mark of the makers' code: another bundle needs no new mattes, another tracker does. Scores with true mattes
that `benchmarks.embedded` has measured with the same bundle are taken from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.embedded import (
    RECIPE,
    SceneFootage,
    found_folder,
    learned_likeness,
    scenes_mark,
    sound_of,
    tested_settings,
)
from benchmarks.masks_first_frame import lassos
from benchmarks.masks_sound_page import TRACKED, Facts, Matte, SceneFound, opening_of, page
from benchmarks.masks_tracking import overlap
from exporter.evaluation.cases import OWN, TRUE, Case, Material, Plan, truth
from exporter.evaluation.scoring import Row, events_of, score
from exporter.likeness import Likeness
from exporter.synth.scenes import Scene
from exporter.synth.scores import SAMPLE_RATE
from models_onnx.bundle import Bundle
from models_onnx.store import EMBEDDED, PACKAGED
from plugin.engine.engine import Engine
from plugin.errors import BadPrompt
from plugin.masks.colour_cut import ColourCut
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.makers import LOST_BELOW, Mask, Picture, Segmenter, Tracker
from plugin.masks.prompts import FramePrompts
from plugin.timebase import STEM_RATE

Bytes = npt.NDArray[np.uint8]

AWAY = 2
"""How far outside the lasso runs, in pixels of a crop of 240 that is 1.8 times the object."""

FEWEST = 60
"""Pixels from which on an object counts as seen in frame 0."""


@dataclass(frozen=True, slots=True)
class ScenePictures:
    """The pictures of a scene as the tracker's `Frames`."""

    pictures: Bytes

    def picture(self, frame: int) -> Picture:
        """One of them."""
        return np.asarray(self.pictures[frame])


def marked_frame(masks: Bytes) -> int | None:
    """The frame in which an editor would mark the object; None where it is never seen.

    Args:
        masks: true ones, `[T, H, W]`.
    """
    areas = np.count_nonzero(masks, axis=(1, 2))
    if not areas.any():
        return None
    if areas[0] >= FEWEST:
        return 0
    return int(np.argmax(areas >= 0.5 * np.median(areas[areas > 0])))


def followed(
    pictures: Bytes, true: Bytes, *, segmenter: Segmenter, tracker: Tracker
) -> tuple[Bytes, int, npt.NDArray[np.float64]]:
    """The matte that a lasso around the true mask of one frame leads to.

    Args:
        pictures: `[T, H, W, 3]`.
        true: masks, `[T, H, W]`.
        segmenter: makes the mask of the marked frame.
        tracker: makes those of all others.

    Returns:
        Masks `[T, H, W]`, black where the lasso finds nothing; the marked frame, -1 where there is none;
        confidences `[T]`.
    """
    masks, sure = np.zeros_like(true), np.zeros(len(true))
    start = marked_frame(true)
    if start is None:
        return masks, -1, sure
    key = _segmented(segmenter, pictures[start], true[start], start)
    if key is None:
        return masks, start, sure
    for answer in tracker.track(ScenePictures(pictures), {start: key}, first=0, last=len(true) - 1):
        masks[answer.frame], sure[answer.frame] = answer.mask, answer.confidence
    return masks, start, sure


def _segmented(segmenter: Segmenter, picture: Picture, true: Mask, frame: int) -> Mask | None:
    prompts = FramePrompts(frame, tuple(lassos(true >= 128, AWAY)))
    try:
        return segmenter.segment(picture, prompts).mask
    except BadPrompt:  # an editor would be told, and draw again; here it is silent and counted
        return None


@dataclass(frozen=True, slots=True)
class Matting:
    """Makes the mattes of scenes, and keeps them.

    Attributes:
        plan: which scenes.
        folder: for mattes, of one mark.
    """

    plan: Plan
    folder: Path

    def mattes(self, scene: Scene) -> tuple[Bytes, tuple[Matte, ...]]:
        """Those of all objects `[N, T, H, W]`, from the folder or made now, and what they are worth."""
        path = self.folder / f"{scene.seed}.npz"
        if path.is_file():
            with np.load(path) as stored:
                told = json.loads(str(stored["told"]))
                return stored["masks"], tuple(Matte(**one) for one in told)
        made = [self._made(scene, thing) for thing in range(len(scene.objects))]
        masks, mattes = np.stack([one for one, _ in made]), tuple(one for _, one in made)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npz")
        np.savez_compressed(partial, masks=masks, told=json.dumps([asdict(one) for one in mattes]))
        partial.replace(path)
        return masks, mattes

    def _made(self, scene: Scene, thing: int) -> tuple[Bytes, Matte]:
        true, begun = scene.mask(thing), time.process_time()
        masks, start, sure = followed(scene.frames, true, segmenter=ColourCut(), tracker=FlowTracker())
        spent = time.process_time() - begun
        each = [overlap(one, other) for one, other in zip(masks, true, strict=True)]
        rest = [value for frame, value in enumerate(each) if frame != start]
        matte = Matte(
            scene=scene.seed,
            thing=thing,
            name=scene.objects[thing].name,
            start=start,
            drawn=each[start] if start >= 0 else float("nan"),
            mean=float(np.mean(rest)),
            last=each[-1],
            unsure=float(np.mean(sure < LOST_BELOW)),
            seconds=spent,
        )
        return masks, matte


@dataclass(frozen=True, slots=True)
class Hearing:
    """Makes and scores the sounds of scenes with both mattes, and keeps the scores.

    Attributes:
        engine: of the bundle.
        likeness: knows the classes.
        matting: makes the mattes.
        known: folder of rows that `benchmarks.embedded` has measured with this bundle.
        folder: for what was found.
    """

    engine: Engine
    likeness: Likeness
    matting: Matting
    known: Path
    folder: Path

    def found(self, seed: int) -> SceneFound:
        """Of one scene, from the folder or measured now."""
        path = self.folder / f"{seed}.json"
        if path.is_file():
            return SceneFound.from_json(json.loads(path.read_text("utf-8")))
        scene = self.matting.plan.scene(seed)
        masks, mattes = self.matting.mattes(scene)
        rows, begun = self._true_rows(scene), time.process_time()
        rows += [self._row(scene, _case(TRACKED, scene, thing), masks[thing]) for thing in range(len(masks))]
        found = SceneFound(tuple(rows), mattes, time.process_time() - begun)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(found.as_json()), "utf-8")
        partial.replace(path)
        return found

    def _true_rows(self, scene: Scene) -> list[Row]:
        path = self.known / f"{scene.seed}.json"
        contents = json.loads(path.read_text("utf-8")) if path.is_file() else []
        known = {(row.condition, row.things): row for row in map(Row.from_json, contents)}
        cases = [_case(one, scene, thing) for one in (OWN, TRUE) for thing in range(len(scene.objects))]
        return [known_row(known, case, scene) or self._row(scene, case, None) for case in cases]

    def _row(self, scene: Scene, case: Case, masks: Bytes | None) -> Row:
        """With these masks; None for the true ones."""
        if case.condition == TRUE:
            wave, rate = truth(scene, case.things), SAMPLE_RATE
        else:
            masks = scene.joint_mask(case.things) if masks is None else masks
            footage = SceneFootage(Material(scene.frames, masks))
            wave, rate = sound_of(self.engine, footage, case), STEM_RATE
        return score(wave, rate=rate, scene=scene, case=case, likeness=self.likeness)


def known_row(known: Mapping[tuple[str, tuple[int, ...]], Row], case: Case, scene: Scene) -> Row | None:
    """A row measured earlier, if it is of this very object; scenes of other settings share numbers."""
    row = known.get((case.condition, case.things))
    mine = (scene.seed, scene.objects[case.things[0]].name, case.named, len(events_of(scene, case.things)))
    same = row is not None and (row.scene, row.name, row.named, row.counts.there) == mine
    return row if same else None


def _case(condition: str, scene: Scene, thing: int) -> Case:
    item = scene.objects[thing]
    return Case(condition, scene.seed, (thing,), item.caption, named=item.name)


def makers_mark(plan: Plan) -> str:
    """Twelve letters that change with the makers' code, the lassos and the scenes."""
    names = sorted(name for name in sys.modules if name.startswith("plugin.masks."))
    told = hashlib.sha256(repr((scenes_mark(plan), AWAY, FEWEST)).encode())
    for name in (*names, lassos.__module__):
        told.update(Path(str(sys.modules[name].__file__)).read_bytes())
    return told.hexdigest()[:12]


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masks_sound", description=about)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagafoley"
    parser.add_argument("--bundle", type=Path, default=PACKAGED / EMBEDDED, help="folder (%(default)s)")
    parser.add_argument("--config", type=Path, default=RECIPE, help="of the training (%(default)s)")
    parser.add_argument("--work", type=Path, default=cache / "evaluation", help="for what was found")
    parser.add_argument("--scenes", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime (%(default)s)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page there too")
    return parser


def main() -> int:
    """Measure what is missing, print the page; with `--report`, write it."""
    options = _parser().parse_args()
    cv2.setNumThreads(1)
    plan = Plan(scenes=options.scenes, few=0, worn=0, settings=tested_settings(options.config))
    bundle, mark = Bundle.open(options.bundle), makers_mark(plan)
    folder = found_folder(options.work, bundle, plan)
    hearing = Hearing(
        engine=Engine.open(bundle, provider="cpu", threads=options.threads),
        likeness=learned_likeness(plan, options.work),
        matting=Matting(plan, options.work / "mattes" / mark),
        known=folder / "rows",
        folder=folder / "tracked" / mark,
    )
    scenes = []
    for number, seed in enumerate(plan.seeds()):
        begun = time.monotonic()
        scenes.append(hearing.found(seed))
        print(f"{number + 1}/{plan.scenes} {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    manifest, today = bundle.manifest, datetime.now(UTC).date()
    facts = Facts(f"`{manifest.id}` {manifest.version}, digest `{bundle.digest[:12]}`", f"{today:%Y-%m-%d}")
    opening = opening_of(options.report) if options.report else ""
    text = page(scenes, facts, opening=opening)
    print(text)
    if options.report is not None:
        options.report.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
