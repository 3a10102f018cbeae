"""A take of 5 s as the reference makes it: everything in memory, everything encoded, two guidance passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.against_torch.graphs import GRAPHS
from benchmarks.against_torch.stages import first_output, reference_module
from exporter.graphs import example_inputs
from exporter.networks import BUILD, RandomWeights
from exporter.sizes import SMALL

ROWS = {"image_encoder": 8, "sync_encoder": 2}
"""Pictures and segments at a time. The reference's script takes all at once, which needs more memory."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Torch modules by role of a graph."""

    modules: Mapping[str, nn.Module]

    @classmethod
    def load(cls, *, threads: int) -> Reference:
        """All networks with drawn weights."""
        torch.set_num_threads(threads)
        networks = {name: RandomWeights().network(name, SMALL) for name in BUILD}
        return cls({role: reference_module(graph, networks[graph.network]) for role, graph in GRAPHS.items()})

    @torch.inference_mode()
    def take(self) -> Tensor:
        """The waveform."""
        clip, sync = self._encoded("image_encoder", 40), self._encoded("sync_encoder", 14)
        texts = [self._run("text_encoder", *_examples("text_encoder")) for _ in range(2)]
        index = _examples("conditions")[3]
        branches = [
            self._run("conditions", clip[None], sync.flatten(0, 1)[None], text, index) for text in texts
        ]
        x = _examples("flow")[0]
        for step in range(SMALL.steps):
            t = torch.tensor([step / SMALL.steps])
            wanted, other = (self._run("flow", x, t, *conditions) for conditions in branches)
            x = x + (SMALL.guidance * wanted + (1 - SMALL.guidance) * other) / SMALL.steps
        made: Tensor = self._run("vocoder", self._run("decoder", x))
        return made

    def _encoded(self, role: str, count: int) -> Tensor:
        rows = _examples(role, rows=ROWS[role])
        parts = [first_output(self._run(role, *rows)) for _ in range(count // ROWS[role])]
        return torch.cat(parts)

    def _run(self, role: str, *inputs: Tensor) -> Any:
        return self.modules[role](*inputs)


def _examples(role: str, *, rows: int = 1) -> tuple[Tensor, ...]:
    lengths = SMALL.lengths(SMALL.train_frames, batch=1)
    if role in ROWS:
        lengths |= {"batch": rows, "segments": rows}
    return example_inputs(GRAPHS[role], SMALL, lengths)
