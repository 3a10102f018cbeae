"""Which of many known sounds a sound is like: what a small flow network is told before it is asked when.

A bell is one of a hundred bells. A network that must name one latent for all of them says their middle,
which is no bell. So a bank keeps how some sounds of every class are, in the words of the latent itself; the
conditions choose one of them, and the rest of the network only says what such a sound does at these times.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOUD, FAINT = 0.2, 0.02
"""Shares of a sound's loudest moment, in power above silence: above the first it is loud, down to the second
it fades."""
NOTHING = 0.05
"""Power above silence of a loudest moment that is none."""


class Voices(nn.Module):
    """A bank of voices [classes, voices, 2 C], and what chooses one.

    Args:
        width: H of the conditions.
        channels: C of the latent.
        classes: of sounds; the first stands for several at once, the last for none.
        voices: of each class.
    """

    def __init__(self, width: int, channels: int, *, classes: int, voices: int) -> None:
        super().__init__()
        self.bank = _fixed(classes, voices, 2 * channels)
        self.silence = _fixed(channels)
        self.size = _fixed(2 * channels)
        self.ask = nn.Linear(3 * width, 2 * width)
        self.kind = nn.Linear(2 * width, classes)
        self.which = nn.Linear(2 * width, classes * voices)
        self.give = nn.Linear(2 * channels, width)

    def logits(self, sync: Tensor, everywhere: Tensor) -> tuple[Tensor, Tensor]:
        """Of the classes [B, classes], and of the voices in each [B, classes, voices].

        Args:
            sync: condition of every latent position, [B, N, H].
            everywhere: condition of all of them, [B, H].
        """
        asked = F.silu(self.ask(torch.cat([sync.mean(1), sync.amax(1), everywhere], -1)))
        return self.kind(asked), self.which(asked).unflatten(-1, self.bank.shape[:2])

    def choose(self, sync: Tensor, everywhere: Tensor) -> Tensor:
        """The likeliest voice [B, 2 C] of the likeliest class; arguments as in `logits`."""
        kinds, voices = self.logits(sync, everywhere)
        kind = kinds.argmax(-1, keepdim=True)
        chosen = voices.argmax(-1).gather(1, kind)
        return self.bank.flatten(0, 1)[(kind * self.bank.shape[1] + chosen).squeeze(1)]

    def forward(self, voice: Tensor) -> Tensor:
        """[B, 2 C] to what it adds to the condition of all positions, [B, H]."""
        return self.give(voice)

    @torch.no_grad()
    def describe(self, latent: Tensor) -> Tensor:
        """How sounds are when they are loud and when they fade: normalised latents [B, N, C] to [B, 2 C]."""
        above = latent - self.silence
        power = above.square().mean(-1)
        top = power.amax(1, keepdim=True)
        share = power / top.clamp(min=1e-6)
        loud = share.pow(1.5) * (share > LOUD)
        faint = share * ((share > FAINT) & (share <= LOUD))
        parts = [_mean(above, weights) for weights in (loud, faint)]
        return torch.cat(parts, -1) * (top > NOTHING) / self.size.clamp(min=1e-6)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """[B, N, C] under weights [B, N], summed to [B, C]; zeros without any weight."""
    return (values * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True).clamp(min=1e-6)


def _fixed(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape), requires_grad=False)
