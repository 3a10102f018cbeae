"""Every stage by its name: built from the configuration and run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from exporter.errors import ExportError
from exporter.training.config import Config
from exporter.training.features import make_features
from exporter.training.filling import write_bank
from exporter.training.finetune_stage import FinetuneTraining
from exporter.training.flow_stage import FlowTraining
from exporter.training.loop import Place, Stage, run_stage
from exporter.training.motion_stage import MotionTraining
from exporter.training.scenes import SceneSource
from exporter.training.sync_stage import SyncTraining
from exporter.training.towers_stage import TowersTraining
from exporter.training.vae_stage import VaeTraining
from exporter.training.vocoder_stage import VocoderTraining

FROM_SCENES: dict[str, Callable[[Config, SceneSource, torch.device], Stage]] = {
    "sync": SyncTraining,
    "motion": MotionTraining,
    "towers": TowersTraining,
    "vae": VaeTraining,
    "vocoder": VocoderTraining,
}
FROM_FOLDERS: dict[str, Callable[[Config, Path, torch.device], Stage]] = {
    "flow": FlowTraining,
    "finetune": FinetuneTraining,
}


def run_named(
    name: str, config: Config, out: Path, *, stop: Callable[[], bool], source: SceneSource | None = None
) -> bool:
    """Run a stage in `out/<name>`; True when it is finished.

    Args:
        name: of `STAGES`.
        config: of the run.
        out: folder of the run.
        stop: asked before every step.
        source: of scenes; None takes the generator.

    Raises:
        ExportError: an earlier stage is missing, the folder belongs to another configuration, or there is
            no such device.
    """
    device = chosen_device(config)
    if device.type == "cpu":
        torch.set_num_threads(config.running.threads)
    if name == "features":
        scenes = source or generated(config)
        write_bank(config, scenes, out, device)
        return make_features(config, scenes, out, device, stop=stop)
    if name in FROM_SCENES:
        stage = FROM_SCENES[name](config, source or generated(config), device)
    else:
        stage = FROM_FOLDERS[name](config, out, device)
    place = Place(out / name, device, config.seed, recipe(config, name))
    return run_stage(stage, config.optimisation(name), config.running, place, stop=stop)


def generated(config: Config) -> SceneSource:
    """The scene generator at this model's rates and sizes."""
    from exporter.training.synthetic import SyntheticScenes  # noqa: PLC0415  draws in libraries of its own

    return SyntheticScenes(config.model, data=config.data)


def chosen_device(config: Config) -> torch.device:
    """The device the configuration names.

    Raises:
        ExportError: there is none of that name.
    """
    wanted = config.running.device
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in {"cpu", "cuda"} or (device.type == "cuda" and not torch.cuda.is_available()):
        raise ExportError(f"There is no device {wanted} here.", remedy="Set running.device to auto or cpu.")
    return device


def recipe(config: Config, stage: str) -> str:
    """What decides a stage's result, as text: all but how long and where it runs.

    A run may be lengthened: the number of steps is left out, and the schedule follows the new one.
    """
    tree: dict[str, Any] = dataclasses.asdict(config)
    kept = {name: tree[name] for name in ("sizes", "seed", "data", "mattes", stage)}
    kept[stage]["optimisation"].pop("steps")
    return json.dumps({"stage": stage, **kept}, sort_keys=True)
