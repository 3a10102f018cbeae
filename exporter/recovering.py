"""The weights that a bundle's graphs hold, a checkpoint per network: to go on where a training run is gone.

    python -m exporter.recovering BUNDLE FOLDER

Every network is built once more with numbers that are all different, and lowered as the bundle was. Where one
of these numbers turns up in a graph, the same place of the bundle's graph holds the parameter. What was
computed of several parameters, or left out because it was nothing, cannot be told and is named: positions
that were added up, layers that are silent. The encoder of the VAE is in no bundle.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import Tensor, nn

from exporter.bundle_parity import sizes_of
from exporter.errors import ExportError
from exporter.export import lowered
from exporter.graphs import Graph, graphs_of
from exporter.networks import BUILD
from models_onnx.bundle import Bundle, InvalidBundle

Float = npt.NDArray[np.float32]

_HALF = "_half"
"""What `halving` adds to a name."""
_LOWEST = 0x3E800000
_COUNT = (1 << 24) - 1
"""Bits of 0.25, and how many float32 there are from there to 1."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """Of one network: tensors in float32, and the keys of those that could not be told."""

    tensors: Mapping[str, Tensor]
    lost: tuple[str, ...]


def recover(bundle: Bundle) -> Iterator[tuple[str, Recovered]]:
    """Every network of a bundle by its name in `networks.BUILD`, one at a time.

    Raises:
        ExportError: its sizes are unknown here, or a network has more parameters than there are numbers.
    """
    sizes = sizes_of(bundle.manifest)
    for name, graphs in groupby(graphs_of(sizes), key=lambda graph: graph.network):
        network = BUILD[name](sizes).eval()
        places = _mark(network)
        found = {
            key: np.full(value.numel(), np.nan, np.float32)
            for key, value in network.state_dict().items()
            if value.is_floating_point()
        }
        for graph in graphs:
            drawn = _values(ir.serde.serialize_model(lowered(graph, graph.wrap(network), sizes)))
            _collect(drawn, _values(_loaded(bundle, graph)), places, found)
        shapes = {key: network.state_dict()[key].shape for key in found}
        whole = {key: value for key, value in found.items() if not np.isnan(value).any()}
        tensors = {key: torch.from_numpy(value).reshape(shapes[key]) for key, value in whole.items()}
        yield name, Recovered(tensors, tuple(key for key in found if key not in whole))


_Places = Mapping[float, tuple[str, int]]


def _mark(network: nn.Module) -> _Places:
    """Give every parameter another number; which number is where."""
    state = {key: value for key, value in network.state_dict().items() if value.is_floating_point()}
    total = sum(value.numel() for value in state.values())
    if total > _COUNT:
        raise ExportError(
            f"A network of {total} parameters has more than there are numbers to tell them apart by.",
            remedy="Recover the weights of small models only; large ones have their checkpoints.",
        )
    bits = _LOWEST + np.random.default_rng(0).permutation(_COUNT)[:total]
    numbers = bits.astype(np.int32).view(np.float32)
    places: dict[float, tuple[str, int]] = {}
    used = 0
    for key, value in state.items():
        own = numbers[used : used + value.numel()]
        used += value.numel()
        with torch.no_grad():
            value.copy_(torch.from_numpy(own.copy()).reshape(value.shape))
        places.update({number: (key, index) for index, number in enumerate(own.tolist())})
    return places


def _loaded(bundle: Bundle, graph: Graph) -> onnx.ModelProto:
    return onnx.load(bundle.checked_path(graph.spec.file))


def _values(model: onnx.ModelProto) -> dict[str, Float]:
    """The graph's constants by name, without what halving does to it."""
    arrays = {one.name.removesuffix(_HALF): numpy_helper.to_array(one) for one in model.graph.initializer}
    return {name: array.astype(np.float32) for name, array in arrays.items() if array.dtype.kind == "f"}


def _collect(
    drawn: Mapping[str, Float], real: Mapping[str, Float], places: _Places, found: Mapping[str, Float]
) -> None:
    """Put the bundle's numbers where the marks say they belong."""
    for name, marks in drawn.items():
        held = real.get(name)
        known = [places.get(mark) for mark in marks.ravel().tolist()]
        told = [place for place in known if place is not None]
        if held is None or held.shape != marks.shape or len(set(told)) < len(told):
            continue  # left out, or a table that was computed: it repeats what it was made of
        for place, number in zip(known, held.ravel().tolist(), strict=True):
            if place is not None:
                found[place[0]][place[1]] = number


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a file per network; tell what is lost."""
    parser = argparse.ArgumentParser(prog="python -m exporter.recovering", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        for name, one in recover(Bundle.open(options.bundle)):
            options.folder.mkdir(parents=True, exist_ok=True)
            tensors = {key: value.contiguous() for key, value in one.tensors.items()}
            save_file(tensors, options.folder / f"{name}.safetensors")
            lost = ", ".join(one.lost) or "none"
            sys.stdout.write(f"{name}: {len(tensors)} tensors; not told: {lost}\n")
    except (ExportError, InvalidBundle) as error:
        sys.stderr.write(f"{error} {getattr(error, 'remedy', '')}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
