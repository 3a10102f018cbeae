"""Whole takes of 5 s with the product's engine: first, new seed, new words, new object; memory; Cancel.

The footage is drawn once and held, so that no decoder is measured; making network input of the pictures is.
"""

from __future__ import annotations

from benchmarks.gpu_ledger import Ledger, alternate, gpu_memory, parse

# isort: split
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from models_onnx.bundle import Bundle
from plugin.engine.cache import FeatureCache
from plugin.engine.cuda import CudaTuning
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_rows
from plugin.engine.lengths import window_lengths
from plugin.engine.watch import Watch
from plugin.errors import Cancelled

SIDE = 480
WAYS: Mapping[str, CudaTuning] = {
    "usual": CudaTuning(),
    "graphs": CudaTuning(graphs=True),
    "host": CudaTuning(device_state=False),
    "free": CudaTuning(fixed_shapes=False),
}
_GROUND = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class DrawnFootage:
    """A square that goes round over noise; `phase` tells objects apart, all of one shot."""

    fingerprint: str
    phase: float = 0.0
    frames_fingerprint: str = ""
    damaged: bool = False

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Any]:  # noqa: ARG002
        """See `plugin.engine.footage.Footage`."""
        for moment in times:
            picture = _GROUND.copy()
            rows, columns = self._place(moment)
            picture[rows, columns] = 220
            yield picture

    def masks(self, times: Sequence[float]) -> Iterator[Any]:
        """The square."""
        for moment in times:
            mask = np.zeros((SIDE, SIDE), np.uint8)
            rows, columns = self._place(moment)
            mask[rows, columns] = 255
            yield mask

    def _place(self, moment: float) -> tuple[slice, slice]:
        angle = 2 * np.pi * moment + self.phase
        row, column = (round(SIDE / 2 + SIDE / 4 * f(angle)) for f in (np.sin, np.cos))
        return slice(row - 40, row + 40), slice(column - 40, column + 40)


@dataclass(frozen=True, slots=True)
class Wish:
    """One take."""

    footage: DrawnFootage
    prompt: str = "violin"
    seed: int = 1


def take(
    engine: Engine, wish: Wish, *, clock: dict[str, list[float]] | None = None, watch: Watch | None = None
) -> np.ndarray:
    """The waveform of one window of the trained length, and the milliseconds of each stage."""
    manifest, how = engine.manifest, watch or Watch()
    frames = manifest.window.train_frames
    latents = window_lengths(frames, manifest).latents
    sampling = manifest.sampling
    marks = [("", time.perf_counter())]

    def mark(stage: str) -> None:
        marks.append((stage, time.perf_counter()))

    features = engine.features(wish.footage, start=Fraction(0), frames=frames, watch=how)
    mark("pictures and encoders")
    conditions = engine.conditions(
        features,
        frames=frames,
        prompt=wish.prompt,
        negative_prompt="",
        guidance=sampling.guidance,
        watch=how,
    )
    mark("words and conditions")
    x0 = noise_rows(wish.seed, channels=manifest.latent.channels)(latents)[None]
    x = engine.sample(conditions, x0, steps=sampling.steps, guidance=sampling.guidance, watch=how)
    mark("solver")
    mel = engine.decode(x, watch=how)
    mark("decoder")
    audio = np.concatenate(list(engine.vocode([mel], watch=how)))
    mark("vocoder")
    if clock is not None:
        for (_, before), (stage, after) in pairwise(marks):
            clock.setdefault(stage, []).append(1000 * (after - before))
    return audio


def measure(ledger: Ledger, way: str, folder: Path) -> None:
    """Medians of every kind of take with one tuning."""
    bundle = Bundle.open(ledger.bundle)
    engine = Engine.open(bundle, provider=ledger.provider, cache=FeatureCache(folder), tuning=WAYS[way])
    label, shot = f"ours, {way}", Wish(DrawnFootage("shot", frames_fingerprint="shot"))
    start = time.perf_counter()
    first = take(engine, shot)
    ledger.add("take", engine=label, asked="cold: files, graphs, first take", ms=_since(start))
    turns = iter(range(10**6))
    stages: dict[str, dict[str, list[float]]] = {"first take": {}, "second take": {}}

    def fresh() -> Wish:
        name = f"shot {next(turns)}"
        return Wish(DrawnFootage(name, frames_fingerprint=name))

    def object_of_the_shot() -> Wish:
        return Wish(DrawnFootage(f"object {next(turns)}", 1.0, frames_fingerprint="shot"))

    rivals = {
        "first take": lambda: take(engine, fresh(), clock=stages["first take"]),
        "second take": lambda: take(engine, replace(shot, seed=next(turns)), clock=stages["second take"]),
        "second prompt": lambda: take(engine, replace(shot, prompt=f"bell {next(turns)}")),
        "second object": lambda: take(engine, object_of_the_shot()),
    }
    for asked, milliseconds in alternate(rivals, runs=ledger.runs).items():
        ledger.add("take", engine=label, asked=asked, ms=round(milliseconds, 2))
    for asked, clock in stages.items():
        medians = {stage: round(statistics.median(times), 2) for stage, times in clock.items()}
        ledger.add("stages", engine=label, asked=asked, ms=medians)
    ledger.add("memory", what=label, mib=gpu_memory())
    same = bool(np.array_equal(first, take(engine, shot)))
    ledger.add("repeat", what=f"{label}: the first take again", same=same)
    again = Engine.open(bundle, provider=ledger.provider, cache=FeatureCache(folder), tuning=WAYS[way])
    same = bool(np.array_equal(first, take(again, shot)))
    ledger.add("repeat", what=f"{label}: in another engine, features from the cache", same=same)
    ledger.add("remarks", engine=label, said=sorted(engine.remarks), fallen_back=engine.fallen_back)


def compare_ways(ledger: Ledger) -> None:
    """How far the takes of every tuning are from the usual one."""
    bundle = Bundle.open(ledger.bundle)
    takes = {}
    for way, tuning in WAYS.items():
        if way == "graphs" and ledger.provider == "cpu":
            continue
        engine = Engine.open(bundle, provider=ledger.provider, tuning=tuning)
        takes[way] = take(engine, Wish(DrawnFootage("")))
        engine.drop()
    usual = takes["usual"].astype(np.float64)
    for way, found in takes.items():
        relative = float(np.linalg.norm(found - usual) / np.linalg.norm(usual))
        ledger.add("parity", graph="whole take", form=f"ours, {way}", relative=relative)


def measure_cancel(ledger: Ledger) -> None:
    """Milliseconds from asking to stop until the engine has stopped, in the middle of a take."""
    engine = Engine.open(Bundle.open(ledger.bundle), provider=ledger.provider)
    take(engine, Wish(DrawnFootage("")))
    waited = []
    for turn in range(5):
        asked, moment = threading.Event(), [0.0]

        def ask(asked: threading.Event = asked, moment: list[float] = moment) -> None:
            moment[0] = time.perf_counter()
            asked.set()

        timer = threading.Timer(0.01 + 0.02 * turn, ask)
        timer.start()
        try:
            take(engine, Wish(DrawnFootage("")), watch=Watch(asked.is_set))
        except Cancelled:
            waited.append(_since(moment[0]))
        timer.join()
    ledger.add("cancel", ms=waited)


def _since(start: float) -> float:
    return round(1000 * (time.perf_counter() - start), 2)


def main() -> int:
    """Measure one tuning; with the usual one also what all have in common."""
    way, ledger = parse(__doc__, tuple(WAYS))
    folder = Path(tempfile.mkdtemp(prefix="features-"))
    try:
        ledger.attempt(f"takes, {way}", lambda: measure(ledger, way, folder))
        if way == "usual":
            ledger.attempt("cancel", lambda: measure_cancel(ledger))
            ledger.attempt("takes of all tunings", lambda: compare_ways(ledger))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
