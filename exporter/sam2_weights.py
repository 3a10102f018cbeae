"""Where SAM 2.1's weights come from: a published checkpoint, or drawn from the names of the tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exporter.checkpoints import SUFFIXES, find_checkpoint, load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.models.sam2 import Sam2
from exporter.sam2_filling import fill_sam2
from exporter.sam2_graphs import Sam2Size
from models_onnx.bundle import Source, sha256_of


class Sam2Weights(Protocol):
    """Where the weights come from."""

    def network(self, size: Sam2Size) -> Sam2:
        """The network, weights in place, in evaluation mode."""

    def sources(self, size: Sam2Size) -> tuple[Source, ...]:
        """The files that were read; hashes them."""


@dataclass(frozen=True, slots=True)
class DrawnSam2:
    """Weights drawn from the tensors' names; another `salt` gives others."""

    salt: str = ""

    def network(self, size: Sam2Size) -> Sam2:
        """See `Sam2Weights`."""
        return fill_sam2(Sam2(size.dims), salt=self.salt)

    def sources(self, size: Sam2Size) -> tuple[Source, ...]:  # noqa: ARG002  the protocol's
        """None: there are no files."""
        return ()


@dataclass(frozen=True, slots=True)
class Sam2Folder:
    """Checkpoints in a folder, each under the name it was published by."""

    folder: Path

    def network(self, size: Sam2Size) -> Sam2:
        """See `Sam2Weights`.

        Raises:
            WrongCheckpoint: the tensors are not exactly the network's.
            ExportError: the file is not there or cannot be read.
        """
        path, network = self._path(size), Sam2(size.dims)
        load_strictly(network, read_checkpoint(path), name=f"{size.id} in {path.name}")
        return network.eval()

    def sources(self, size: Sam2Size) -> tuple[Source, ...]:
        """The checkpoint with its sha256."""
        path = self._path(size)
        return (Source(file=path.name, sha256=sha256_of(path)),)

    def _path(self, size: Sam2Size) -> Path:
        if not self.folder.is_dir():
            raise ExportError(
                f"There is no folder {self.folder}.", remedy="Name the folder that holds the checkpoint."
            )
        path = find_checkpoint(self.folder, size.checkpoint)
        if path is None:
            raise ExportError(
                f"{self.folder} has no checkpoint {size.checkpoint} (ending {', '.join(SUFFIXES)}).",
                remedy=f"Fetch it with `sagafoley models fetch {size.id} -o FOLDER`.",
            )
        return path
