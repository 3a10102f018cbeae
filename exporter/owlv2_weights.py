"""Where OWLv2's weights come from: a published checkpoint, or drawn from the names of the tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from exporter import fill
from exporter.checkpoints import SUFFIXES, find_checkpoint, load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.owlv2_graphs import Owlv2Size
from models_onnx.bundle import Source, sha256_of

HUB_NAMES = ("model", "pytorch_model")
"""What the file is called in a copy of the publisher's whole folder."""

_TABLES = (".position_ids", "box_bias")
"""Tables that follow from the sizes; some versions of the publisher's library stored them."""


class Owlv2Weights(Protocol):
    """Where the weights come from."""

    def network(self, size: Owlv2Size) -> nn.Module:
        """The network, weights in place, in evaluation mode."""

    def sources(self, size: Owlv2Size) -> tuple[Source, ...]:
        """The files that were read; hashes them."""


@dataclass(frozen=True, slots=True)
class DrawnOwlv2:
    """Weights drawn from the tensors' names; another `salt` gives others."""

    salt: str = ""

    def network(self, size: Owlv2Size) -> nn.Module:
        """See `Owlv2Weights`."""
        network = size.build()
        with torch.no_grad():
            for key, tensor in network.state_dict(keep_vars=True).items():
                tensor.copy_(_drawn(key, tuple(tensor.shape), salt=self.salt))
        return network.eval()

    def sources(self, size: Owlv2Size) -> tuple[Source, ...]:  # noqa: ARG002  the protocol's
        """None: there are no files."""
        return ()


@dataclass(frozen=True, slots=True)
class Owlv2Folder:
    """A folder with the checkpoint, under the name of its repository or as its publisher named the file."""

    folder: Path

    def network(self, size: Owlv2Size) -> nn.Module:
        """See `Owlv2Weights`.

        Raises:
            WrongCheckpoint: the tensors are not exactly the network's.
            ExportError: the file is not there or cannot be read.
        """
        path, network = self._path(size), size.build()
        tensors = read_checkpoint(path)
        wanted = network.state_dict().keys()
        kept = {key: value for key, value in tensors.items() if key in wanted or not key.endswith(_TABLES)}
        load_strictly(network, kept, name=f"{size.id} in {path.name}")
        return network.eval()

    def sources(self, size: Owlv2Size) -> tuple[Source, ...]:
        """The checkpoint with its sha256."""
        path = self._path(size)
        return (Source(file=path.name, sha256=sha256_of(path)),)

    def _path(self, size: Owlv2Size) -> Path:
        if not self.folder.is_dir():
            raise ExportError(
                f"There is no folder {self.folder}.", remedy="Name the folder that holds the checkpoint."
            )
        for name in (size.checkpoint, *HUB_NAMES):
            path = find_checkpoint(self.folder, name)
            if path is not None:
                return path
        raise ExportError(
            f"{self.folder} has no checkpoint {size.checkpoint} (ending {', '.join(SUFFIXES)}).",
            remedy=f"Fetch it with `sagafoley models fetch {size.id} -o FOLDER`.",
        )


def _drawn(key: str, shape: tuple[int, ...], *, salt: str) -> torch.Tensor:
    last = key.rpartition(".")[2]
    if last == "class_embedding" or "position_embedding" in key or "token_embedding" in key:
        offset, scale = 0.0, 0.2
    elif len(shape) > 1:
        offset, scale = 0.0, 1 / math.sqrt(math.prod(shape[1:]))
    else:
        offset, scale = (1.0, 0.02) if last == "weight" else (0.0, 0.02)
    return torch.from_numpy(np.asarray(offset + scale * fill.draw(key, shape, salt=salt), np.float32))
