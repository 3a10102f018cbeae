"""First weights for networks that were only ever loaded: residual branches start small."""

from __future__ import annotations

import torch
from torch import nn

_PLACES = ("pos_embed", "temp_embed")

_LAST_OF_BRANCH = ("attn.proj", "timeattn.proj", "mlp.fc2", "out_proj", "mlp.c_proj", "linear2")


@torch.no_grad()
def tame_start(network: nn.Module, *, share: float = 0.5) -> None:
    """Scale the last projection of every residual branch; biases of all linear layers start at zero."""
    for name, value in network.named_parameters():
        if name.endswith(_PLACES):
            # As strong as a patch's token, and apart from each other where there is room for it: a place
            # that is drowned by its content is no place.
            nn.init.orthogonal_(value[0], gain=value.shape[-1] ** 0.5)
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            if module.bias is not None:
                module.bias.zero_()
            if name.endswith(_LAST_OF_BRANCH):
                module.weight.mul_(share)
