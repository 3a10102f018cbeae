"""How good the embedded model is: `python -m benchmarks.embedded --report docs/embedded.md`.

Renders held-out scenes through the bundle as the product does (`plugin.engine`, `plugin.render`), keeps
what it found per scene in a folder, and writes the page from it. A run that was stopped goes on;
several can share the scenes (`--part 1/2`, `--part 2/2`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.embedded_page import Found, write_page
from exporter import synth
from exporter.evaluation.cases import (
    FIRST_SCENE,
    ORACLE,
    OWN,
    TRUE,
    VOCODED,
    WORDS,
    Case,
    Material,
    Plan,
    material,
    truth,
)
from exporter.evaluation.learned import AvBenchmark, ExamFolder
from exporter.evaluation.likeness import description
from exporter.evaluation.oracle import Oracle
from exporter.evaluation.scoring import Row, score
from exporter.likeness import Likeness
from exporter.synth.scenes import Scene
from exporter.synth.scores import SAMPLE_RATE
from exporter.synth.settings import SceneSettings
from exporter.training.config import Config, read_config
from models_onnx.bundle import Bundle
from models_onnx.store import EMBEDDED, PACKAGED
from plugin.engine.conditions import NullConditions
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_windows
from plugin.engine.lengths import window_lengths
from plugin.errors import UnexpectedOutput
from plugin.render.rendering import Brief, synthesise
from plugin.timebase import STEM_RATE

Float = npt.NDArray[np.float32]
FPS = 25
RECIPE = Path("exporter/training/embedded.toml")
LEARNED_SCENES = 320
KEPT_SOUNDS = 4
"""Scenes whose sounds are kept for pictures."""


@dataclass(frozen=True, slots=True)
class SceneFootage:
    """A generated scene as the engine's `Footage`."""

    shown: Material
    fingerprint: str = ""
    damaged: bool = False

    def frames(
        self,
        times: Sequence[float],
        *,
        late: Sequence[float] = (),  # noqa: ARG002  of the protocol
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """The frame on screen at each time."""
        return (self.shown.frames[one] for one in self._indices(times))

    def masks(self, times: Sequence[float]) -> Iterator[npt.NDArray[np.uint8]] | None:
        """The mask at each time."""
        masks = self.shown.masks
        return None if masks is None else (masks[one] for one in self._indices(times))

    def _indices(self, times: Sequence[float]) -> list[int]:
        last = len(self.shown.frames) - 1
        return [min(max(int(time * FPS + 1e-6), 0), last) for time in times]


def brief_of(engine: Engine, case: Case) -> Brief:
    """The default preset; one seed per scene, so that masks of one picture are compared fairly."""
    sampling = engine.manifest.sampling
    return Brief(case.prompt, case.negative, sampling.steps, sampling.guidance, seed=case.scene % 9973)


def sound_of(engine: Engine, footage: SceneFootage, case: Case) -> Float:
    """What the product makes of it, at the stem's rate."""
    samples = round(len(footage.shown.frames) * STEM_RATE / FPS)
    try:
        return np.concatenate(list(synthesise(engine, footage, brief_of(engine, case), samples=samples)))
    except UnexpectedOutput:
        return np.zeros(samples, np.float32)  # silence for a marked object: told to users, counted here


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that turns a case into a row.

    Attributes:
        engine: of the bundle.
        oracle: the VAE's encoder, None where its weights are not here.
        likeness: knows the classes.
        plan: which scenes.
        folder: for rows and sounds.
        exam: keeps what learned metrics need; None where they cannot be measured here.
    """

    engine: Engine
    oracle: Oracle | None
    likeness: Likeness
    plan: Plan
    folder: Path
    exam: ExamFolder | None = None

    def rows(self, seed: int) -> tuple[Row, ...]:
        """Of one scene, from the folder or measured now."""
        path = self.folder / "rows" / f"{seed}.json"
        known = [Row.from_json(one) for one in json.loads(path.read_text("utf-8"))] if path.is_file() else []
        done = {(row.condition, row.things) for row in known}
        scene = self.plan.scene(seed)
        missing = [one for one in self.plan.cases(seed) if (one.condition, one.things) not in done]
        made = [row for case in missing if (row := self._row(scene, case)) is not None]
        if made:
            write_rows(path, [*known, *made])
        return (*known, *made)

    def _row(self, scene: Scene, case: Case) -> Row | None:
        wave, rate, bins = self._sound(scene, case)
        if wave is None:
            return None
        if scene.seed < self.plan.first + KEPT_SOUNDS and case.condition in {OWN, TRUE}:
            path = self.folder / "sounds" / f"{case.key}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, wave=wave.astype(np.float16), rate=rate)
        if self.exam is not None and case.condition in {OWN, TRUE} and len(case.things) == 1:
            name = f"{scene.seed}-{case.things[0]}"
            self.exam.keep_sound(name, wave, rate=rate, true=case.condition == TRUE)
            self.exam.keep_picture(name, scene.frames, fps=FPS)
        return score(wave, rate=rate, scene=scene, case=case, likeness=self.likeness, bins=bins)

    def _sound(self, scene: Scene, case: Case) -> tuple[Float | None, int, float | None]:
        if case.condition == TRUE:
            return truth(scene, case.things), SAMPLE_RATE, None
        if case.condition in {ORACLE, VOCODED}:
            return self._compared(scene, case)
        if case.condition == WORDS:
            return self._words_only(case), self.engine.manifest.sample_rate, None
        return sound_of(self.engine, SceneFootage(material(self.plan, scene, case)), case), STEM_RATE, None

    def _words_only(self, case: Case) -> Float:
        """Null features in place of pictures."""
        frames = round(self.plan.settings.seconds * FPS)
        lengths = window_lengths(frames, self.engine.manifest)
        features = NullConditions.load(self.engine.bundle).features(lengths)
        brief = brief_of(self.engine, case)
        conditions = self.engine.conditions(
            features, frames=frames, prompt=brief.prompt, negative_prompt="", guidance=brief.guidance
        )
        channels = self.engine.manifest.latent.channels
        x0 = next(noise_windows(brief.seed, iter([(0, lengths.latents)]), channels=channels))
        x = self.engine.sample(conditions, x0, steps=brief.steps, guidance=brief.guidance)
        return np.concatenate(list(self.engine.vocode([self.engine.decode(x)])))

    def _compared(self, scene: Scene, case: Case) -> tuple[Float | None, int, float | None]:
        """What the VAE, or the last decoder alone, makes of the true stem, and how far its mel is off."""
        rate = self.engine.manifest.sample_rate
        if self.oracle is None:
            return None, rate, None
        mel = self.oracle.mel(truth(scene, case.things))
        if case.condition == VOCODED:
            wave = np.concatenate(list(self.engine.vocode([mel])))
            return wave, rate, self.oracle.error(self.oracle.mel(wave), mel)
        latent = self.oracle.latent(mel)
        found = self.engine.sessions.run("decoder", {"latent": latent})["mel"][0]
        return np.concatenate(list(self.engine.vocode([found]))), rate, self.oracle.error(found, mel)


def cost_of_a_cue(bundle: Bundle, plan: Plan) -> str:
    """Seconds and memory of a cue, and of another, in words; on two threads, whatever else runs meanwhile."""
    case = Case(OWN, plan.seeds()[0], (0,), "")
    footage = SceneFootage(material(plan, plan.scene(case.scene), case))
    engine = Engine.open(bundle, provider="cpu", threads=2)
    taken = []
    for _ in range(2):
        wall, work = time.perf_counter(), time.process_time()
        sound_of(engine, footage, case)
        taken.append((time.perf_counter() - wall, time.process_time() - work))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (wall, work), (again, _) = taken
    return (
        f"{wall:.1f} s with loading ({work:.1f} s of CPU), {again:.1f} s when it is loaded; "
        f"the measuring process peaked at {memory:.0f} MB"
    )


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """In one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps([row.as_json() for row in rows]), "utf-8")
    partial.replace(path)


def learned_likeness(plan: Plan, folder: Path) -> Likeness:
    """From sounds of scenes beyond those of the plan; described once."""
    path = folder / f"likeness-{scenes_mark(plan)}.npz"
    if path.is_file():
        stored = np.load(path)
        return Likeness.learn(list(zip(stored["names"].tolist(), stored["vectors"], strict=True)))
    described = [
        (item.name, description(item.wet, rate=SAMPLE_RATE))
        for seed in range(FIRST_SCENE + 1_000_000, FIRST_SCENE + 1_000_000 + LEARNED_SCENES)
        for item in plan.scene(seed).objects
        if item.wet.any()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    names, vectors = [name for name, _ in described], np.stack([vector for _, vector in described])
    np.savez(path, names=names, vectors=vectors)
    return Likeness.learn(described)


def scenes_mark(plan: Plan) -> str:
    """Twelve letters that change with the generator's code and the scenes' settings."""
    told = hashlib.sha256(repr(plan.settings).encode())
    for path in sorted(Path(synth.__path__[0]).rglob("*.py")):
        told.update(path.read_bytes())
    return told.hexdigest()[:12]


def found_folder(work: Path, bundle: Bundle, plan: Plan) -> Path:
    """Where what was found of a bundle and these scenes is kept."""
    return work / f"{bundle.digest[:12]}-{scenes_mark(plan)}"


def tested_settings(config: Path | None) -> SceneSettings:
    """Two or three sounding objects of the classes and sizes the model was trained on."""
    data = Config().data if config is None else read_config(config).data
    plain = Plan().settings
    return replace(plain, classes=data.classes or plain.classes, extent=data.extent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagafoley"
    parser.add_argument("--bundle", type=Path, default=PACKAGED / EMBEDDED, help="folder (%(default)s)")
    parser.add_argument("--config", type=Path, default=RECIPE, help="of the training (%(default)s)")
    parser.add_argument(
        "--training", type=Path, default=cache / "training", help="its folder, for the oracle"
    )
    parser.add_argument("--work", type=Path, default=cache / "evaluation", help="for what was found")
    parser.add_argument("--first", type=int, default=FIRST_SCENE, help="seed of the first (%(default)s)")
    parser.add_argument("--scenes", type=int, default=100, help="scenes of own mask and words (%(default)s)")
    parser.add_argument("--few", type=int, default=24, help="scenes of the other conditions (%(default)s)")
    parser.add_argument("--worn", type=int, default=20, help="scenes of each kind of wear (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime (%(default)s)")
    parser.add_argument("--part", type=_part, default=(0, 1), metavar="I/N", help="a share of the scenes")
    parser.add_argument("--report", type=Path, metavar="FILE", help="measure what is missing, write the page")
    return parser


def _part(text: str) -> tuple[int, int]:
    first, count = (int(one) for one in text.split("/"))
    if not 1 <= first <= count:
        raise argparse.ArgumentTypeError(f"{text} is no share; write 1/2 and 2/2")
    return first - 1, count


def main() -> int:
    """Measure what is missing; with `--report`, write the page."""
    options = _parser().parse_args()
    cv2.setNumThreads(1)
    bundle = Bundle.open(options.bundle)
    plan = Plan(
        scenes=options.scenes,
        few=options.few,
        worn=options.worn,
        settings=tested_settings(options.config),
        first=options.first,
    )
    folder = found_folder(options.work, bundle, plan)
    tool = AvBenchmark.find()
    exam = ExamFolder(folder / "learned", plan.settings.seconds)
    bench = Bench(
        engine=Engine.open(bundle, provider="cpu", threads=options.threads),
        oracle=Oracle.find(options.training, bundle),
        likeness=learned_likeness(plan, options.work),
        plan=plan,
        folder=folder,
        exam=None if tool.absent else exam,
    )
    part, parts = options.part
    scenes = []
    for number, seed in enumerate(plan.seeds()):
        if options.report is not None or number % parts == part:
            began = time.monotonic()
            scenes.append(bench.rows(seed))
            print(f"{number + 1}/{plan.scenes} {time.monotonic() - began:.1f} s", flush=True)
    if options.report is not None:
        cue = cost_of_a_cue(bundle, plan)
        learned = tool.measure(exam.exam)
        write_page(options.report, Found(bench.engine, plan, scenes, folder, options.training, cue, learned))
    return 0


if __name__ == "__main__":
    sys.exit(main())
