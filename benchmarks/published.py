"""The vocoder as its authors wrote it: anti-aliasing by stuffing zeros, filtering and cropping.

`exporter.models.bigvgan` computes the same in polyphase form, which is ours and quicker. What torch is
measured with is the reference's way (spec section 7; BigVGAN v2, alias-free activation in plain torch).
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from exporter.models.bigvgan import FILTER_TAPS, AntiAliasedSnake

BEFORE = FILTER_TAPS // 2 - 1
"""Samples that either way is continued with before the first; up also after the last, down one more."""
CROPPED = 3 * BEFORE
"""Samples of the doubled signal that its continuation gave, on either side."""


class StuffedSnake(nn.Module):
    """SnakeBeta between doubling and halving the rate, by the definition: [B, C, L] -> [B, C, L]."""

    def __init__(self, polyphase: AntiAliasedSnake) -> None:
        super().__init__()
        self.act = polyphase.act
        self.upsample = polyphase.upsample
        self.downsample = polyphase.downsample

    def forward(self, x: Tensor) -> Tensor:
        """Sharp at both ends: the signal and the doubled signal continue with their edge values."""
        channels = x.shape[1]
        up, down = (
            taps.expand(channels, -1, -1) for taps in (self.upsample.filter, self.downsample.lowpass.filter)
        )
        padded = functional.pad(x, (BEFORE, BEFORE), mode="replicate")
        doubled = 2 * functional.conv_transpose1d(padded, up, stride=2, groups=channels)
        waved = cast("Tensor", self.act(doubled[..., CROPPED:-CROPPED].unsqueeze(2))).squeeze(2)
        return functional.conv1d(
            functional.pad(waved, (BEFORE, BEFORE + 1), mode="replicate"), down, stride=2, groups=channels
        )


def as_published(network: nn.Module) -> nn.Module:
    """The same network; a vocoder's activations are by the definition now, with the parameters it had."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, AntiAliasedSnake):
                setattr(parent, name, StuffedSnake(child))
    return network
