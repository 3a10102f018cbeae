"""Weights averaged over the last steps: what is checked, exported and used, if a stage keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Averages:
    """Exponential moving averages of parameters, in float32.

    The decay rises with the steps done, so that the first weights are forgotten soon.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], *, decay: float) -> None:
        self.parameters = parameters
        self.decay = decay
        self.values = {key: value.detach().clone() for key, value in parameters.items()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after update number `step`, counted from 1."""
        decay = min(self.decay, step / (step + 10))
        for key, value in self.values.items():
            value.lerp_(self.parameters[key].detach(), 1 - decay)

    @torch.no_grad()
    def restore(self, values: Mapping[str, Tensor]) -> None:
        """Averages from a checkpoint."""
        for key, value in self.values.items():
            value.copy_(values[key])

    @contextmanager
    @torch.no_grad()
    def in_place(self) -> Iterator[None]:
        """The parameters are the averages while this lasts."""
        kept = {key: self.parameters[key].detach().clone() for key in self.values}
        for key, value in self.values.items():
            self.parameters[key].copy_(value)
        try:
            yield
        finally:
            for key, value in kept.items():
                self.parameters[key].copy_(value)
