"""Checkpoints of the published shapes and names, filled by rule, to graphs: one network at a time.

Files of up to 4 GB are written, read and removed again. The flow network takes minutes and 5 GB of memory,
the image tower 12 GB.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from exporter import export, fill, halving, verify
from exporter.checkpoints import WrongCheckpoint
from exporter.export import gpu_file
from exporter.graphs import graphs_of
from exporter.networks import BUILD, CheckpointFolder
from exporter.places import PARTS
from exporter.sizes import SMALL
from models_onnx.bundle import EXTERNAL_DATA

pytestmark = pytest.mark.slow

STATE_DICTS = Path(__file__).parent / "state_dicts"
LOW, SPREAD = -4.0, 2.0
"""Mean and deviation that stand for the mel statistics, which have no rule."""


def _shapes(name: str) -> dict[str, tuple[int, ...]]:
    rows = (line.split("\t") for line in (STATE_DICTS / f"{name}.tsv").read_text("utf-8").splitlines())
    return {
        row[0]: tuple(map(int, row[1].strip("[]").replace(" ", "").split(","))) if row[1] != "[]" else ()
        for row in rows
        if row[1].startswith("[")
    }


def _filled(name: str, network: str) -> dict[str, Tensor]:
    shapes = _shapes(name)
    tensors = fill.weights(shapes)
    constants = [key for key in shapes if key not in tensors]
    if constants:
        own = BUILD[network](SMALL).state_dict()
        statistics = {"data_mean": LOW, "data_std": SPREAD}
        for key in constants:
            made = torch.full(shapes[key], statistics.get(key, 0.0))
            tensors[key] = own[key].reshape(shapes[key]) if key in own and key not in statistics else made
    return tensors


def _saganet(part: str) -> dict[str, object]:
    if part == "flow":
        tensors = _filled("small_44k_sa", "flow")
        factors = {key: value for key, value in tensors.items() if "lora" in key}
        return {"network": tensors, "lora": factors}
    return {"synchformer": _filled("synchformer_with_context", "synchformer")}


FILES: dict[str, tuple[str, Callable[[], dict[str, object]]]] = {
    "clip": (
        "open_clip_pytorch_model.bin",
        lambda: dict(_filled("clip_vit_h_14_378_quickgelu", "clip_text")),
    ),
    "synchformer": ("saganet.pth", lambda: _saganet("synchformer")),
    "flow": ("saganet.pth", lambda: _saganet("flow")),
    "vae": ("v1-44.pth", lambda: dict(_filled("vae_v1-44", "vae"))),
    "vocoder": (
        "bigvgan_generator.pt",
        lambda: {"generator": _filled("bigvgan_v2_44khz_128band_512x.weight_norm", "vocoder")},
    ),
}


def _part_of(network: str) -> str:
    return "clip" if network.startswith("clip") else network


@pytest.mark.parametrize("network", BUILD)
def test_a_published_file_becomes_graphs_in_both_forms(network: str, tmp_path: Path) -> None:
    part = _part_of(network)
    name, make = FILES[part]
    torch.save(make(), tmp_path / name)
    gc.collect()
    nesting = next(where for stem, where in PARTS[part] if name.startswith(f"{stem}."))
    weights = CheckpointFolder({part: (tmp_path / name, nesting)})
    said: list[str] = []
    growing = export._Growing(tmp_path, SMALL, precision="fp16", gpu=True, say=said.append)
    graphs = tuple(graph for graph in graphs_of(SMALL) if graph.network == network)
    export._add_network(growing, network, graphs, weights)
    verify.refuse_large(growing.rows, looser=export._tolerances(growing))
    for graph in graphs:
        if (tmp_path / gpu_file(graph.role)).exists() and graph.role not in halving.KEPT_WHOLE:
            forms = [tmp_path / graph.spec.file, tmp_path / gpu_file(graph.role)]
            together = sum(
                path.stat().st_size for path in (*forms, tmp_path / f"{forms[0].name}{EXTERNAL_DATA}")
            )
            assert together < 2.2 * growing.parameters + 4_000_000, "weights lie there twice"


@pytest.mark.parametrize("network", ["flow", "synchformer"])
def test_a_published_file_with_faults_is_told_in_a_table(network: str, tmp_path: Path) -> None:
    content = _saganet(network)
    inner = content["network" if network == "flow" else "synchformer"]
    assert isinstance(inner, dict)
    keys = [key for key in inner if key.endswith("weight") and "lora" not in key]
    del inner[keys[0]]
    inner[keys[1]] = inner[keys[1]][..., :-1].clone()
    inner["vfeat_extractor.surplus" if network == "synchformer" else "surplus"] = torch.zeros(2)
    torch.save(content, tmp_path / "saganet.pth")
    places = {network: (tmp_path / "saganet.pth", "network" if network == "flow" else "synchformer")}
    with pytest.raises(WrongCheckpoint, match="3 tensors do not fit") as caught:
        CheckpointFolder(places).network(network, SMALL)
    found = {row.problem: row.key for row in caught.value.mismatches}
    assert found["missing"] == keys[0]
    assert found["shape"] == keys[1]
    assert found["unexpected"].endswith("surplus")
    assert all(key in caught.value.table for key in found.values())


@pytest.mark.parametrize("spelling", ["old", "folded", "wrapped", "trainer"])
def test_other_ways_to_keep_the_published_vocoder(spelling: str, tmp_path: Path) -> None:
    stored = _filled("bigvgan_v2_44khz_128band_512x.weight_norm", "vocoder")
    place = {"vocoder": (tmp_path / "bigvgan_generator.pt", "generator")}
    torch.save({"generator": stored}, tmp_path / "bigvgan_generator.pt")
    wanted = CheckpointFolder(place).network("vocoder", SMALL).state_dict()
    old = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for key, value in stored.items()
    }
    content = {
        "old": {"generator": old},
        "folded": {"generator": wanted},
        "wrapped": {"generator": {f"module.{key}": value for key, value in stored.items()}},
        "trainer": {"model": {"generator": stored}, "optimizer": {"step": 3}, "ema": None},
    }[spelling]
    torch.save(content, tmp_path / "bigvgan_generator.pt")
    found = CheckpointFolder(place).network("vocoder", SMALL).state_dict()
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-7, msg=key)
