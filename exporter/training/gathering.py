"""The finished networks in one folder, under the names the exporter looks for."""

from __future__ import annotations

from pathlib import Path

import torch

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.models.flow import FlowNetwork
from exporter.sizes import Sizes
from exporter.training.checkpoint import write_weights
from exporter.training.frozen import finished, sync_state

PARTS = ("synchformer", "clip", "vae", "vocoder", "flow")


@torch.no_grad()
def gather_weights(out: Path, sizes: Sizes) -> Path:
    """`out/weights` with a file per part, for `sagafoley-export SIZE --checkpoints`.

    Raises:
        ExportError: a stage is not finished, or its weights are of other sizes.
    """
    folder = out / "weights"
    for part in PARTS:
        alone = part != "synchformer"
        tensors = read_checkpoint(finished(out, part)) if alone else sync_state(sizes, out)
        if part == "flow":
            load_strictly(FlowNetwork(sizes.flow), tensors, name="flow")
        write_weights(folder / f"{part}.safetensors", tensors)
    return folder
