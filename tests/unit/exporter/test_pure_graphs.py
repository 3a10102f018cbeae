"""`--provider coreml-safe`: graphs of standard operators alone, for providers that know no others."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import onnx
import pytest

from exporter import lowering
from exporter.__main__ import main
from exporter.graphs import graphs_of
from exporter.networks import RandomWeights
from exporter.sizes import GOLDEN
from models_onnx.bundle import ROLES, Bundle

GOLDEN_BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"
STANDARD = {"", "ai.onnx"}


def _domains(model: onnx.ModelProto) -> set[str]:
    return {node.domain for node in model.graph.node} | {each.domain for each in model.opset_import}


@pytest.mark.parametrize("role", ROLES)
def test_plain_graphs_hold_standard_operators_of_one_opset(role: str) -> None:
    model = onnx.load(Bundle.open(GOLDEN_BUNDLE).path_of(role))
    assert _domains(model) <= STANDARD
    assert [each.version for each in model.opset_import] == [lowering.OPSET]
    assert not model.functions
    assert not {node.op_type for node in model.graph.node} & {"If", "Loop", "Scan"}


@pytest.mark.parametrize(("provider", "form"), [("coreml-safe", "plain"), ("cpu", "plain"), ("cuda", "gpu")])
def test_only_cuda_asks_for_other_operators(provider: str, form: str, monkeypatch, tmp_path: Path) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "exporter.export.export_bundle", lambda *_, **how: asked.append(how["form"]) or _Made()
    )
    assert main(["golden", "--provider", provider, "-o", str(tmp_path / "x")]) == 0
    assert [str(each) for each in asked] == [form]


class _Made:
    """What an export gives back, as far as the command line looks at it."""

    folder, digest = Path("made"), "0"

    class manifest:  # noqa: N801 - stands for an attribute
        files: ClassVar[dict[str, object]] = {}


def test_the_form_for_cuda_would_be_noticed(tmp_path: Path) -> None:
    """The check above is one that can fail."""
    (graph,) = (graph for graph in graphs_of(GOLDEN) if graph.role == "text_encoder")
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    from exporter.graphs import example_inputs

    inputs = example_inputs(graph, GOLDEN, GOLDEN.lengths(48, batch=2))
    model = lowering.lower(module, graph.spec, inputs, compact=False, form=lowering.Form.GPU)
    lowering.save(model, tmp_path / "x.onnx")
    assert not _domains(onnx.load(tmp_path / "x.onnx")) <= STANDARD
