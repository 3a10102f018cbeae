"""The state of a stage on disk: written beside and renamed when whole, so a kill leaves the last one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

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


@torch.no_grad()
def go_on_from(network: nn.Module, folder: Path, *, stage: str, new: tuple[str, ...] = ()) -> bool:
    """Load the averages of a stage that was trained before.

    Args:
        network: of the same sizes.
        folder: of the stage that was trained.
        stage: its name.
        new: tensors with one of these in their name may be missing there, and stay as they begin.

    Returns:
        Whether some were missing.

    Raises:
        ExportError: there is no checkpoint, or one of other sizes.
    """
    before = Checkpoint.load(folder)
    if before is None:
        raise ExportError(
            f"{folder} has no checkpoint of a stage {stage} to begin from.",
            remedy=f"Name a folder that the stage was trained in, or leave out `{stage}.begin`.",
        )
    try:
        odd = network.load_state_dict(before.model | before.averages, strict=False)
        known = [key for key in odd.missing_keys if not any(one in key for one in new)]
        detail, missing = ", ".join([*known, *odd.unexpected_keys][:5]), bool(odd.missing_keys)
    except RuntimeError as error:
        detail, missing = str(error), False
    if detail:
        raise ExportError(
            f"The stage {stage} in {folder} was trained with other sizes.",
            remedy=f"Begin from one of the same sizes, or leave out `{stage}.begin`.",
            detail=detail,
        )
    return missing


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
