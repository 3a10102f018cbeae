"""Deterministic weights of SAM 2.1: the same numbers for the same names, as its golden vectors have them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from exporter import fill
from exporter.models.sam2 import Sam2

SCORE_BIAS = "sam_mask_decoder.pred_obj_score_head.layers.2.bias"
"""Drawn around 2: the object is there in every golden case."""

_TABLES = frozenset(
    {
        *("pos_embed", "pos_embed_window", "maskmem_tpos_enc"),
        *("no_mem_embed", "no_mem_pos_enc", "no_obj_ptr", "no_obj_embed_spatial"),
    }
)
_BY_LAST_PART: Mapping[str, tuple[float, float]] = {
    "positional_encoding_gaussian_matrix": (0.0, 1.0),
    "gamma": (0.5, 0.1),
} | dict.fromkeys(_TABLES, (0.0, 0.2))
"""Offset and scale of a standard normal value."""


def weight(key: str, shape: tuple[int, ...], *, salt: str = "") -> torch.Tensor:
    """The tensor [*shape], float32, that belongs to a key of the state."""
    offset, scale = _rule(key, shape)
    return torch.from_numpy((offset + scale * fill.draw(key, shape, salt=salt)).astype("float32"))


@torch.no_grad()
def fill_sam2(network: Sam2, *, salt: str = "") -> Sam2:
    """The network, its weights overwritten, in evaluation mode."""
    for key, tensor in network.state_dict(keep_vars=True).items():
        tensor.copy_(weight(key, tuple(tensor.shape), salt=salt))
    return network.eval()


def _rule(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    last = key.rpartition(".")[2]
    if last in _BY_LAST_PART:
        return _BY_LAST_PART[last]
    if key == SCORE_BIAS:
        return 2.0, 0.02
    if len(shape) > 1:
        return 0.0, 1 / math.sqrt(math.prod(shape[1:]))
    return (1.0, 0.02) if last == "weight" else (0.0, 0.02)
