"""Finished networks of earlier stages, loaded to be used and not trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.models.clip import Clip
from exporter.models.mel import MelDims, log_mel
from exporter.models.synchformer import Synchformer
from exporter.models.vae import Posterior, Vae, normalise_weights
from exporter.sizes import Sizes
from exporter.training.sounding import mel_layout

Network = TypeVar("Network", bound=nn.Module)

NEEDED = {
    "synchformer": ("sync", "synchformer.safetensors"),
    "motion": ("motion", "motion.safetensors"),
    "clip": ("towers", "clip.safetensors"),
    "vae": ("vae", "vae.safetensors"),
    "latent": ("vae", "latent.safetensors"),
    "vocoder": ("vocoder", "vocoder.safetensors"),
    "flow": ("flow", "flow.safetensors"),
}
"""Of each part of a model, the stage and the file it comes from."""


def finished(out: Path, part: str) -> Path:
    """The file of a part.

    Raises:
        ExportError: its stage is not finished.
    """
    stage, name = NEEDED[part]
    path = out / stage / name
    if not path.is_file():
        raise ExportError(
            f"The stage {stage} is not finished: there is no {path}.",
            remedy=f"Run `python -m exporter.training {stage}` first.",
        )
    return path


@dataclass(frozen=True, slots=True)
class Encoders:
    """What turns pictures, masks, words and sounds into features, on one device."""

    sync: Synchformer
    clip: Clip
    vae: Vae
    mel: MelDims
    device: torch.device

    @classmethod
    def load(cls, out: Path, sizes: Sizes, device: torch.device) -> Encoders:
        """From the folders of the stages.

        Raises:
            ExportError: a stage is not finished, or its weights are of other sizes.
        """
        return cls(
            sync=_loaded_sync(sizes, out, device),
            clip=_loaded(Clip(sizes.clip), finished(out, "clip"), device),
            vae=_loaded_vae(sizes, finished(out, "vae"), device),
            mel=mel_layout(sizes),
            device=device,
        )

    def posterior(self, wave: Tensor) -> Posterior:
        """Waveform [B, samples], whole mel frames, to the latent's mean and deviation [B, N, C]."""
        mean, std = self.vae.encode(log_mel(wave.to(self.device), self.mel))
        return Posterior(mean.transpose(1, 2), std.transpose(1, 2))


def _loaded(network: Network, path: Path, device: torch.device) -> Network:
    load_strictly(network, read_checkpoint(path), name=str(path))
    return network.to(device).eval().requires_grad_(requires_grad=False)


def sync_state(sizes: Sizes, out: Path) -> dict[str, Tensor]:
    """The sync encoder's tensors, with those of the motion path where the sizes have one.

    Raises:
        ExportError: a stage is not finished.
    """
    parts = ("synchformer", "motion") if sizes.synchformer.motion else ("synchformer",)
    return {key: one for part in parts for key, one in read_checkpoint(finished(out, part)).items()}


def _loaded_sync(sizes: Sizes, out: Path, device: torch.device) -> Synchformer:
    network = Synchformer(sizes.synchformer)
    load_strictly(network, sync_state(sizes, out), name=str(finished(out, "synchformer")))
    return network.to(device).eval().requires_grad_(requires_grad=False)


def _loaded_vae(sizes: Sizes, path: Path, device: torch.device) -> Vae:
    vae = Vae(sizes.vae)
    load_strictly(vae, normalise_weights(read_checkpoint(path)), name=str(path))
    return vae.to(device).eval().requires_grad_(requires_grad=False)
