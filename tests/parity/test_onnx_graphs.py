"""Every graph at full size, exported and run by onnxruntime, against torch with the same weights.

One network at a time; files of up to 2.5 GB lie in the test's own folder and go with it.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch

from exporter import lowering, verify
from exporter.export import lowered
from exporter.graphs import graphs_of
from exporter.networks import BUILD, RandomWeights
from exporter.sizes import SMALL
from exporter.verify import Difference, Reference

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("network", BUILD)
def test_graphs_of_one_network(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graphs = [graph for graph in graphs_of(SMALL) if graph.network == network]
    known = _exported(network, tmp_path)
    rows: list[Difference] = []
    for graph in graphs:
        path = tmp_path / graph.spec.file
        rows += verify.differences(path, graph.spec, known.pop(graph.role), role=graph.role)
        for file in tmp_path.glob(f"{graph.role}*"):
            file.unlink()
    with capsys.disabled():
        print("\n" + verify.difference_table(rows, SMALL))  # noqa: T201  the figures are the point
    verify.refuse_large(rows)


def _exported(network: str, folder: Path) -> dict[str, tuple[Reference, ...]]:
    """Write the network's graphs; what torch gives for each. The torch module is gone afterwards."""
    known = {}
    module = RandomWeights().network(network, SMALL)
    for graph in graphs_of(SMALL):
        if graph.network != network:
            continue
        wrapped = graph.wrap(module)
        known[graph.role] = verify.references(graph, wrapped, SMALL)
        with torch.inference_mode(mode=False):
            model = lowered(graph, wrapped, SMALL)
        lowering.save(model, folder / graph.spec.file)
        del wrapped, model
    del module
    gc.collect()
    return known
