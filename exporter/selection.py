"""How the tensors of each network are taken from its files: what overrides what, and what is left out.

Tensors are held against what the network wants before anything is computed with them (spec sections 4.1, 6, 7
and 9).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from exporter.checkpoints import Mismatch, differences, mismatches, refuse_differences
from exporter.lora_check import (
    LoraState,
    factors_of,
    lora_state,
    refuse_neither,
    refuse_odd_base,
    refuse_odd_factors,
    with_delta,
)
from exporter.models.bigvgan import fold_weight_norm
from exporter.models.clip import image_state_dict, text_state_dict
from exporter.models.plain_sync import PlainSynchformer
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
        pieces: by the part of the model (`places.PARTS`), the tensors of its file; "lora" are factors
            that lie beside the network in its file.
        files: by the part of the model, the name of its file.
        say: told what was found.
    """

    name: str
    module: nn.Module
    pieces: Mapping[str, Tensors]
    files: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = _log.info


def _synchformer_tensors(stored: Stored, part: str) -> Tensors:
    """The fine-tuned tensors, all of them, over those of the base, whose audio side is left out.

    The base has no context layers: one that the fine-tuned file lacks is missing here, and refused.
    (The reference would go on with that layer's gates closed.)
    """
    own = stored.pieces[part]
    if isinstance(stored.module, PlainSynchformer):  # it is the base itself
        return _video_side(own)
    return _video_side(stored.pieces.get(f"{part}_base", {})) | own


def _video_side(tensors: Mapping[str, Tensor]) -> Tensors:
    """The encoder of pictures; the published file has one of sounds and a third network beside it."""
    return {key: value for key, value in tensors.items() if key.startswith(SYNC_PREFIXES)}


def _flow_tensors(stored: Stored, part: str) -> Tensors:
    """Without the LoRA factors: the published qkv weights already contain them (spec section 4.1).

    With the base model at hand this is checked, and a delta that was left out is added.
    """
    everything = stored.pieces[part]
    factors = stored.pieces.get("lora", {}) | factors_of(everything)
    kept = {key: everything[key] for key in everything if key not in factors and key not in UNUSED_FLOW_KEYS}
    refuse_differences(mismatches(stored.module, kept), name=stored.name)
    shapes = {key: tuple(tensor.shape) for key, tensor in kept.items()}
    refuse_odd_factors(factors, shapes, name=f"LoRA of {stored.name}")
    base = f"{part}_base"
    if not factors or base not in stored.pieces or any(factor.is_meta for factor in factors.values()):
        return kept
    refuse_odd_base(
        factors, kept, stored.pieces[base], name=f"{stored.files[base]}, the base of {stored.name}"
    )
    state = lora_state(kept, factors, stored.pieces[base])
    refuse_neither(state, name=stored.name, base=stored.files[base])
    _tell(state, stored, base=stored.files[base])
    return with_delta(kept, factors, state.pending) if state.pending else kept


def _tell(state: LoraState, stored: Stored, *, base: str) -> None:
    """What was found: a line where all is as it should be, a warning where a delta is added."""
    layers = len(state.merged) + len(state.pending) + len(state.silent) + len(state.resumed)
    silent = f"; of {len(state.silent)} nothing can be told" if state.silent else ""
    if state.resumed:
        _log.warning(
            "%s: by %s, %d of %d layers have more in them than their LoRA delta, as a resumed training leaves"
            " them. They are taken as they are, which is what their authors' program does.",
            *(stored.name, base, len(state.resumed), layers),
        )
    there = len(state.merged) + len(state.resumed)
    if not state.pending:
        stored.say(f"{stored.name}: by {base}, LoRA is in {there} of {layers} layers{silent}")
        return
    _log.warning(
        "%s: by %s, LoRA was left out of %d of %d layers%s: the LoRA delta is added to these, once.",
        *(stored.name, base, len(state.pending), layers, silent),
    )


def _decoder_tensors(stored: Stored, part: str) -> Tensors:
    """Without the encoder, normalised: exactly once, whatever the file contains (spec section 6)."""
    kept = {key: value for key, value in stored.pieces[part].items() if not key.startswith("encoder.")}
    refuse_differences(mismatches(stored.module, kept), name=stored.name)
    spread = kept.get("data_std")
    if spread is not None and not spread.is_meta and not bool((spread > 0).all()):
        row = Mismatch("data_std", "not positive", "> 0", f"{float(spread.min()):g}")
        refuse_differences((row,), name=stored.name)
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
