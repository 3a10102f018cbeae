"""The low-rank update of the flow network's latent qkv layers (spec section 4.1).

Published SAGANet weights already contain it: inference never calls this. Fine-tuning does, on the
parameters of every step (`torch.func.functional_call(network, merge_lora(parameters), ...)`).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SCALING = 2.0
"""alpha / rank = 32 / 16."""


def lora_delta(lora_A: Tensor, lora_B: Tensor, *, scaling: float = SCALING) -> Tensor:
    """The update [3H, H] of a qkv weight; differentiable.

    [MATCH] The first and the last third of the rows are updated. Rows are interleaved by head,
    so the thirds are not q, k and v but all three of the first and of the last heads.

    Args:
        lora_A: [2r, H], one half per third.
        lora_B: [2H, r], one half per third.
        scaling: alpha / r.
    """
    first, last = (b @ a for a, b in zip(lora_A.chunk(2), lora_B.chunk(2), strict=True))
    return torch.cat([first, torch.zeros_like(first), last]) * scaling


def merge_lora(tensors: Mapping[str, Tensor], *, scaling: float = SCALING) -> dict[str, Tensor]:
    """State dict or named parameters with every delta added to its qkv weight; other entries as they are.

    Only for weights that do not contain the delta yet (a base model being fine-tuned).
    """
    merged = dict(tensors)
    for key in lora_layers(tensors):
        delta = lora_delta(tensors[f"{key}.lora_A"], tensors[f"{key}.lora_B"], scaling=scaling)
        merged[f"{key}.weight"] = tensors[f"{key}.weight"] + delta
    return merged


def lora_layers(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names of the layers that carry LoRA tensors."""
    return tuple(key.removesuffix(".lora_A") for key in tensors if key.endswith(".lora_A"))


def trainable_keys(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """What fine-tuning with LoRA trains: both factors and the bias of each such layer (spec section 10)."""
    return tuple(f"{key}.{part}" for key in lora_layers(tensors) for part in ("lora_A", "lora_B", "bias"))
