"""First weights for networks that were only ever loaded: residual branches start small."""

from __future__ import annotations

import torch
from torch import nn

_PLACES = ("pos_embed", "temp_embed", "vfeat_extractor.cls_token")
PLACE_DEVIATION = 0.3
"""About that of a patch's token: a place that is drowned by its content is no place."""

_LAST_OF_BRANCH = ("attn.proj", "timeattn.proj", "mlp.fc2", "out_proj", "mlp.c_proj", "linear2")


@torch.no_grad()
def tame_start(network: nn.Module, *, share: float = 0.5) -> None:
    """Scale the last projection of every residual branch; biases of all linear layers start at zero."""
    for name, value in network.named_parameters():
        if name.endswith(_PLACES):
            nn.init.normal_(value, std=PLACE_DEVIATION)
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            if module.bias is not None:
                module.bias.zero_()
            if name.endswith(_LAST_OF_BRANCH):
                module.weight.mul_(share)
