"""A take as the reference makes it: everything in memory, everything encoded, two guidance passes.

    python -m benchmarks.against_torch.reference --threads 2 --turns 3 --seconds 5

Whatever is asked of it, it does all of this. Prints a line of JSON after each take: see `footprint.timed`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.against_torch.footprint import timed
from benchmarks.against_torch.graphs import GRAPHS
from benchmarks.against_torch.size import MEASURED
from benchmarks.against_torch.stages import first_output, reference_module
from exporter.graphs import example_inputs
from exporter.networks import BUILD, RandomWeights

ROWS = {"image_encoder": 8, "sync_encoder": 2}
"""Pictures and segments at a time. The reference's script takes all at once, which needs more memory."""


@dataclass(frozen=True, slots=True)
class Reference:
    """All networks, in one pass over a cue.

    Attributes:
        modules: by role of a graph.
        lengths: free dimensions of the graphs.
    """

    modules: Mapping[str, nn.Module]
    lengths: Mapping[str, int]

    @classmethod
    def load(cls, *, threads: int, seconds: int = 5) -> Reference:
        """With drawn weights.

        Args:
            threads: of torch.
            seconds: of the cue.
        """
        torch.set_num_threads(threads)
        networks = {name: RandomWeights().network(name, MEASURED) for name in BUILD}
        return cls(
            {role: reference_module(graph, networks[graph.network]) for role, graph in GRAPHS.items()},
            MEASURED.lengths(seconds * MEASURED.sync_rate, batch=1),
        )

    @torch.inference_mode()
    def take(self) -> Tensor:
        """The waveform."""
        clip, sync = (self._encoded(role) for role in ROWS)
        texts = [self._run("text_encoder", *self._examples("text_encoder")) for _ in range(2)]
        index = self._examples("conditions")[3]
        branches = [
            self._run("conditions", clip[None], sync.flatten(0, 1)[None], text, index) for text in texts
        ]
        x = self._examples("flow")[0]
        for step in range(MEASURED.steps):
            t = torch.tensor([step / MEASURED.steps])
            wanted, other = (self._run("flow", x, t, *conditions) for conditions in branches)
            x = x + (MEASURED.guidance * wanted + (1 - MEASURED.guidance) * other) / MEASURED.steps
        made: Tensor = self._run("vocoder", self._run("decoder", x))
        return made

    def _encoded(self, role: str) -> Tensor:
        rows = self._examples(role, rows=ROWS[role])
        count = self.lengths["clip_frames" if role == "image_encoder" else "segments"]
        parts = [first_output(self._run(role, *rows)) for _ in range(0, count, ROWS[role])]
        return torch.cat(parts)[:count]

    def _run(self, role: str, *inputs: Tensor) -> Any:
        return self.modules[role](*inputs)

    def _examples(self, role: str, *, rows: int = 1) -> tuple[Tensor, ...]:
        free = {"batch": rows, "segments": rows} if role in ROWS else {}
        return example_inputs(GRAPHS[role], MEASURED, {**self.lengths, **free})


def main() -> int:
    """Make torch's takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    networks = Reference.load(threads=options.threads, seconds=options.seconds)
    for _ in range(options.turns):
        print(json.dumps(timed("first take", networks.take) | {"threads": options.threads}), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
