"""The page `docs/embedded.md` and its pictures, out of what `benchmarks.embedded` found."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from exporter.evaluation.cases import OWN, TRUE, Case, Plan
from exporter.evaluation.learned import Learned
from exporter.evaluation.pictures import (
    confusion_picture,
    curves_picture,
    spectrogram_picture,
    write_picture,
)
from exporter.evaluation.report import Report
from exporter.evaluation.scoring import events_of
from exporter.evaluation.table import SceneRows, rows_of
from exporter.training.checkpoint import CHECKPOINT
from plugin.engine.engine import Engine

STAGES = {
    "sync": ("check/clean onset F1", "check/worn onset F1", "check/clean class"),
    "motion": ("check/clean onset F1", "check/held onset F1", "check/union onset F1", "check/clean class"),
    "towers": ("check/crop to phrase", "check/phrase to class"),
    "vae": ("check/loud dB", "check/loud dB worst"),
    "flow": ("loss", "check/onset", "check/class", "check/class without words"),
}
"""What is shown of every stage's log."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the page is made of.

    Attributes:
        engine: of the bundle.
        plan: of the scenes.
        scenes: what was found in each.
        folder: where sounds are kept.
        training: folder of the run, for its logs.
        cue: what a cue cost, in words.
        learned: the field's learned metrics.
    """

    engine: Engine
    plan: Plan
    scenes: Sequence[SceneRows]
    folder: Path
    training: Path
    cue: str
    learned: Learned


def write_page(path: Path, found: Found) -> None:
    """The page at `path`, pictures beside it in a folder of its name.

    Args:
        path: of the page; what a person wrote above its first table is kept.
        found: by the measurement.
    """
    pictures = path.with_suffix("")
    confusions = _confusions(found.scenes, pictures, found.plan)
    shown = {
        "Which class the output is most like (rows: the marked object's)": confusions,
        **_spectrograms(found.plan, found.folder, pictures),
        **_curves(found.training, pictures),
    }
    page = Report(
        scenes=found.scenes,
        opening=_opening(path),
        facts=_facts(found) | _costs(found.training),
        pictures={caption: f"{pictures.name}/{name}" for caption, name in shown.items()},
        learned=found.learned,
    )
    path.write_text(page.markdown(), "utf-8")


def _opening(path: Path) -> str:
    """What a person wrote above the tables; it stays as it is."""
    text = path.read_text("utf-8") if path.is_file() else "# The embedded model\n"
    return text.split("## What was measured")[0]


def _confusions(scenes: Sequence[SceneRows], pictures: Path, plan: Plan) -> str:
    pairs = [(row.name, row.heard) for row in rows_of(scenes, OWN)]
    write_picture(confusion_picture(pairs, plan.settings.classes), pictures / "confusions.png")
    return "confusions.png"


def _spectrograms(plan: Plan, folder: Path, pictures: Path) -> dict[str, str]:
    """Of the first scene: what was made for each mask above what is true."""
    seed = plan.seeds()[0]
    scene = plan.scene(seed)
    sounds, events = {}, {}
    for thing, item in enumerate(scene.objects):
        for condition in (OWN, TRUE):
            path = folder / "sounds" / f"{Case(condition, seed, (thing,), '').key}.npz"
            if path.is_file():
                stored, name = np.load(path), f"{item.name}: {condition}"
                sounds[name] = (stored["wave"].astype(np.float32), int(stored["rate"]))
                events[name] = events_of(scene, (thing,))
    if not sounds:
        return {}
    write_picture(spectrogram_picture(sounds, events), pictures / "spectrograms.png")
    return {"One picture, each of its objects marked in turn; red ticks are events": "spectrograms.png"}


def _curves(training: Path, pictures: Path) -> dict[str, str]:
    found = {}
    for stage, names in STAGES.items():
        path = training / stage / "log.csv"
        if path.is_file():
            curves = {name: points for name in names if (points := _points(path, name))}
            write_picture(curves_picture(curves, title=f"{stage}, by step"), pictures / f"{stage}.png")
            found[f"Training of the stage {stage}"] = f"{stage}.png"
    return found


def _points(log: Path, name: str) -> list[tuple[float, float]]:
    with log.open(encoding="utf-8", newline="") as file:
        return [
            (float(row["step"]), float(row["value"])) for row in csv.DictReader(file) if row["name"] == name
        ]


def _facts(found: Found) -> dict[str, str]:
    engine, scenes, manifest = found.engine, found.scenes, found.engine.manifest
    size = sum(file.bytes for file in manifest.files.values()) / 1e6
    sounds = sum(row.condition != TRUE for rows in scenes for row in rows)
    return {
        "Bundle": f"`{manifest.id}` {manifest.version}, {manifest.precision}, {size:.1f} MB",
        "Digest": f"`{engine.bundle.digest}`",
        "Sampling": f"{manifest.sampling.steps} steps, guidance {manifest.sampling.guidance:g}",
        "Scenes": f"{len(scenes)} that no stage has seen, 2 or 3 sounding objects each; {sounds} sounds made",
        "Classes": ", ".join(found.plan.settings.classes),
        "Detector": "rises of a log-mel spectrum (`exporter/evaluation/onsets.py`); 50 ms, one to one",
        "One 5.12 s cue on this machine": found.cue,
    }


def _costs(training: Path) -> dict[str, str]:
    """Steps and wall clock of every stage, as its log tells."""
    found = {}
    for stage in STAGES:
        log = training / stage / "log.csv"
        if (training / stage / CHECKPOINT).is_file() and log.is_file():
            with log.open(encoding="utf-8", newline="") as file:
                rows = [(int(row["step"]), float(row["seconds"])) for row in csv.DictReader(file)]
            found[f"Training, {stage}"] = (
                f"{rows[-1][0]} steps, {_lasted(rows) / 60:.0f} min on a shared core"
            )
    return found


def _lasted(rows: Sequence[tuple[int, float]]) -> float:
    """The clock of a log starts again when a run goes on."""
    return sum(max(0.0, later[1] - earlier[1]) for earlier, later in pairwise(rows)) + (
        rows[0][1] if rows else 0.0
    )
