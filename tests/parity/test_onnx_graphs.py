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
from exporter.sizes import MEDIUM, MEDIUM_PLAIN, SMALL, SMALL_PLAIN, Sizes
from exporter.verify import Difference, Reference

pytestmark = pytest.mark.parity


CASES = [(SMALL, network) for network in BUILD] + [(MEDIUM, "flow"), (SMALL_PLAIN, "synchformer")]
"""Every network of the published size, and those in which the other sizes differ from it."""


@pytest.mark.parametrize(("sizes", "network"), CASES, ids=lambda case: getattr(case, "name", case))
def test_graphs_of_one_network(
    sizes: Sizes, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graphs = [graph for graph in graphs_of(sizes) if graph.network == network]
    known = _exported(network, sizes, tmp_path)
    rows: list[Difference] = []
    for graph in graphs:
        path = tmp_path / graph.spec.file
        rows += verify.differences(path, graph.spec, known.pop(graph.role), role=graph.role)
        for file in tmp_path.glob(f"{graph.role}*"):
            file.unlink()
    with capsys.disabled():
        print("\n" + verify.difference_table(rows, sizes))  # noqa: T201  the figures are the point
    verify.refuse_large(rows)


def test_the_other_sizes_differ_from_the_published_one_only_there() -> None:
    for sizes in (MEDIUM, MEDIUM_PLAIN, SMALL_PLAIN):
        for part in ("clip", "synchformer", "vae", "vocoder"):
            assert getattr(sizes, part) == getattr(SMALL, part)
    assert MEDIUM_PLAIN.flow == MEDIUM.flow
    assert SMALL_PLAIN.flow == SMALL.flow
    assert MEDIUM_PLAIN.masked is SMALL_PLAIN.masked is False


def _exported(network: str, sizes: Sizes, folder: Path) -> dict[str, tuple[Reference, ...]]:
    """Write the network's graphs; what torch gives for each. The torch module is gone afterwards."""
    known = {}
    module = RandomWeights().network(network, sizes)
    for graph in graphs_of(sizes):
        if graph.network != network:
            continue
        wrapped = graph.wrap(module)
        known[graph.role] = verify.references(graph, wrapped, sizes)
        with torch.inference_mode(mode=False):
            model = lowered(graph, wrapped, sizes)
        lowering.save(model, folder / graph.spec.file)
        del wrapped, model
    del module
    gc.collect()
    return known
