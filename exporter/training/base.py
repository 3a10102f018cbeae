"""The base model that fine-tuning starts from: published files, and first weights for what they lack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from exporter.checkpoints import find_checkpoint, load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.models.clip import Clip
from exporter.models.flow import FlowNetwork
from exporter.models.synchformer import Synchformer
from exporter.models.vae import Vae, normalise_weights
from exporter.selection import SYNC_PREFIXES, UNUSED_FLOW_KEYS
from exporter.sizes import Sizes
from exporter.training.frozen import Encoders
from exporter.training.sounding import mel_layout

FILES = {
    "synchformer": (("synchformer", ""), ("synchformer_state_dict", "")),
    "clip": (("clip", ""), ("open_clip_pytorch_model", "")),
    "vae": (("vae", ""), ("v1-44", "")),
    "flow": (("flow", ""), ("mmaudio_small_44k", ""), ("mmaudio_medium_44k", "")),
}
"""Names a base file may have, without their endings, and the part of it."""

_PUBLISHED = ("small_44k", "medium_44k")

MASK_PARTS = ("vfeat_extractor.cross_attn_layers.", "vfeat_extractor.patch_embed_3d_mask.")
"""What the published base lacks, and fine-tuning trains in the sync encoder."""


@dataclass(frozen=True, slots=True)
class Base:
    """Networks with the base's weights; the encoders frozen."""

    encoders: Encoders
    flow: FlowNetwork

    @classmethod
    def load(cls, folder: Path, sizes: Sizes, device: torch.device, *, lora_rank: int) -> Base:
        """From a folder of checkpoints.

        Raises:
            ExportError: a file is missing or does not fit.
        """
        sync = Synchformer(sizes.synchformer)
        close_gates(sync)
        _fill(sync, _without_sound(_tensors(folder, "synchformer")), "synchformer", may_lack=MASK_PARTS)
        clip = Clip(sizes.clip)
        _fill(clip, _tensors(folder, "clip"), "clip", may_lack=("text_projection", "logit_scale"))
        vae = Vae(sizes.vae)
        _fill(vae, normalise_weights(_tensors(folder, "vae")), "vae", may_lack=())
        flow = FlowNetwork(replace(sizes.flow, lora_rank=lora_rank))
        start_lora(flow)
        known = {
            key: value
            for key, value in _tensors(folder, "flow", size=sizes.name).items()
            if key not in UNUSED_FLOW_KEYS
        }
        lacking = tuple(key for key in flow.state_dict() if key.endswith((".lora_A", ".lora_B")))
        _fill(flow, known, "flow", may_lack=lacking)
        for network in (sync, clip, vae, flow):
            network.to(device).eval().requires_grad_(requires_grad=False)
        return cls(Encoders(sync, clip, vae, mel_layout(sizes), device), flow)


@torch.no_grad()
def close_gates(sync: Synchformer) -> None:
    """The published start: gates closed, the mask's kernel zero, so that the base is unchanged."""
    extractor = sync.vfeat_extractor
    nn.init.zeros_(extractor.patch_embed_3d_mask.proj.weight)
    for name, value in extractor.cross_attn_layers.named_parameters():
        if name.endswith("_factor"):
            value.zero_()


@torch.no_grad()
def start_lora(flow: FlowNetwork) -> None:
    """One factor random, the other zero: the first update changes nothing."""
    for name, value in flow.named_parameters():
        if name.endswith(".lora_A"):
            nn.init.kaiming_uniform_(value, a=5**0.5)
        if name.endswith(".lora_B"):
            value.zero_()


def _tensors(folder: Path, part: str, *, size: str = "") -> dict[str, Tensor]:
    names = stems_of(part, size)
    for stem, nesting in FILES[part]:
        path = find_checkpoint(folder, stem) if stem in names else None
        if path is not None:
            return read_checkpoint(path, part=nesting)
    raise ExportError(
        f"{folder} has no checkpoint {' or '.join(names)} to begin with.",
        remedy="Name the folder of the base model's files as finetune.checkpoints.",
    )


def stems_of(part: str, size: str) -> tuple[str, ...]:
    """Names of `FILES` that may hold a part for a size: MMAudio's small is no base of a medium model.

    Args:
        part: key of `FILES`.
        size: `Sizes.name`; of a size that MMAudio has not, all.
    """
    stems = tuple(stem for stem, _ in FILES[part])
    other = {
        f"mmaudio_{name}" for name in _PUBLISHED if size.startswith(_PUBLISHED) and not size.startswith(name)
    }
    return tuple(stem for stem in stems if stem not in other)


def _without_sound(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in tensors.items() if key.startswith(SYNC_PREFIXES)}


def _fill(network: nn.Module, tensors: dict[str, Tensor], name: str, *, may_lack: tuple[str, ...]) -> None:
    """Load strictly, but keep the network's own first weights of the parts that the base may lack."""
    own = {
        key: value
        for key, value in network.state_dict().items()
        if key not in tensors and key.startswith(may_lack)
    }
    load_strictly(network, own | tensors, name=f"the base's {name}")
