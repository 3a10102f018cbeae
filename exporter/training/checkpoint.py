"""The state of a stage on disk: written beside and renamed when whole, so a kill leaves the last one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from exporter.errors import ExportError

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a stage is.

    Attributes:
        step: updates done.
        model: every tensor of the stage's modules.
        optimiser: its state.
        averages: of the trained parameters; empty without an average.
        recipe: the configuration that decides the result, as text.
        random: states of the global generators; a step seeds itself, so these only matter to code of
            others that draws between steps.
    """

    step: int
    model: dict[str, Tensor]
    optimiser: dict[str, Any]
    averages: dict[str, Tensor]
    recipe: str
    random: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Replace the folder's checkpoint in one move."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CHECKPOINT
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            torch.save({name: getattr(self, name) for name in self.__slots__}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """The folder's checkpoint; None when there is none.

        Raises:
            ExportError: the file is damaged.
        """
        path = folder / CHECKPOINT
        if not path.is_file():
            return None
        try:
            return cls(**torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # noqa: BLE001  unpickling a damaged file raises anything
            raise ExportError(
                f"The checkpoint {path} is damaged.", remedy="Remove it to begin again.", detail=str(error)
            ) from None


def random_states() -> dict[str, Any]:
    """Of torch on the CPU and on every GPU."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": list(cuda)}


def restore_random(states: Mapping[str, Any]) -> None:
    """What `random_states` gave."""
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A `.safetensors` file, in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, partial)
    partial.replace(path)
