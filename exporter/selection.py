"""How the tensors of each network are taken from its files: what overrides what, and what is left out.

Tensors are held against what the network wants before anything is computed with them (spec sections 4.1, 6, 7
and 9).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from exporter.checkpoints import differences, mismatches, refuse_differences
from exporter.models.bigvgan import fold_weight_norm
from exporter.models.clip import image_state_dict, text_state_dict
from exporter.models.lora import lora_delta, lora_layers, merge_lora
from exporter.models.vae import normalise_weights
from exporter.weight_norm import stored_shapes

_log = logging.getLogger(__name__)

Tensors = dict[str, Tensor]

SYNC_PREFIXES = ("vfeat_extractor.", "motion.")

UNUSED_FLOW_KEYS = frozenset({"latent_rot", "clip_rot", "t_embed.freqs"})
"""Tables that older files carry and that are computed here."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is of one network.

    Attributes:
        name: of the network and its file, for messages.
        module: the network, whose keys and shapes are wanted.
        pieces: by the part of the model (`places.PARTS`), the tensors of its file.
    """

    name: str
    module: nn.Module
    pieces: Mapping[str, Tensors]


def _synchformer_tensors(stored: Stored, part: str) -> Tensors:
    """The fine-tuned tensors over those of the base, whose audio side is left out.

    The base has no context layers: one that the fine-tuned file lacks is missing here, and refused.
    (The reference would go on with that layer's gates closed.)
    """
    return _video_side(stored.pieces.get(f"{part}_base", {})) | _video_side(stored.pieces[part])


def _video_side(tensors: Mapping[str, Tensor]) -> Tensors:
    """The encoder of pictures; the published file has one of sounds and a third network beside it."""
    return {key: value for key, value in tensors.items() if key.startswith(SYNC_PREFIXES)}


def _flow_tensors(stored: Stored, part: str) -> Tensors:
    """Without the LoRA factors: the published qkv weights already contain them (spec section 4.1).

    With the base model at hand this is checked, and a delta that was left out is added.
    """
    tensors = stored.pieces[part]
    if lora_is_pending(tensors, stored.pieces.get(f"{part}_base", {})):
        _log.warning("The qkv weights are those of the base model: the LoRA delta is added to them.")
        tensors = merge_lora(tensors)
    return {
        key: value
        for key, value in tensors.items()
        if not key.endswith((".lora_A", ".lora_B")) and key not in UNUSED_FLOW_KEYS
    }


def lora_is_pending(tensors: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> bool:
    """Whether fine-tuned weights lack their LoRA delta: every such layer is nearer to the base without it."""
    layers = [layer for layer in lora_layers(tensors) if _is_comparable(layer, tensors, base)]
    return bool(layers) and all(_lacks_delta(layer, tensors, base) for layer in layers)


def _is_comparable(layer: str, tensors: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> bool:
    weight = f"{layer}.weight"
    if weight not in base or weight not in tensors or f"{layer}.lora_B" not in tensors:
        return False
    return base[weight].shape == tensors[weight].shape


def _lacks_delta(layer: str, tensors: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> bool:
    delta = lora_delta(tensors[f"{layer}.lora_A"].float(), tensors[f"{layer}.lora_B"].float())
    moved = tensors[f"{layer}.weight"].float() - base[f"{layer}.weight"].float()
    return bool(torch.linalg.vector_norm(moved) < torch.linalg.vector_norm(moved - delta))


def _decoder_tensors(stored: Stored, part: str) -> Tensors:
    """Without the encoder, normalised: exactly once, whatever the file contains (spec section 6)."""
    kept = {key: value for key, value in stored.pieces[part].items() if not key.startswith("encoder.")}
    refuse_differences(mismatches(stored.module, kept), name=stored.name)
    return normalise_weights(kept)


def _vocoder_tensors(stored: Stored, part: str) -> Tensors:
    """Folded, where they are stored with weight norm; in its keys and shapes a fault is still to be seen."""
    tensors = stored.pieces[part]
    refuse_differences(differences(stored_shapes(stored.module, tensors), tensors), name=stored.name)
    return fold_weight_norm(tensors)


Select = Callable[[Stored, str], Tensors]

SELECT: Mapping[str, tuple[str, Select]] = {
    "clip_text": ("clip", lambda stored, part: text_state_dict(stored.pieces[part])),
    "clip_image": ("clip", lambda stored, part: image_state_dict(stored.pieces[part])),
    "synchformer": ("synchformer", _synchformer_tensors),
    "flow": ("flow", _flow_tensors),
    "vae": ("vae", _decoder_tensors),
    "vocoder": ("vocoder", _vocoder_tensors),
}
"""The part each network is in, and how its tensors are taken from it."""
