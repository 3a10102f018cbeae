"""A bundle of small made-up files; the graphs do nothing, and nothing here runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models_onnx.bundle import (
    ROLES,
    SCHEMA,
    GraphSpec,
    LatentSpec,
    Licence,
    Manifest,
    PictureSpec,
    SamplingSpec,
    Source,
    TensorSpec,
    TextSpec,
    VocoderSpec,
    WindowSpec,
    describe_files,
    write_manifest,
)
from tests.unit.models_onnx.fetch_desk import Desk
from tests.unit.models_onnx.graph_bytes import tiny_graph


def make_bundle(folder: Path, *, name: str = "sample") -> Path:
    """A whole bundle in `folder`; its flow graph has external weights."""
    (folder / "graphs").mkdir(parents=True)
    for role in ROLES:
        (folder / "graphs" / f"{role}.onnx").write_bytes(tiny_graph(role))
    flow = tiny_graph("flow", location="flow.onnx.data")
    (folder / "graphs" / "flow.onnx").write_bytes(flow)
    (folder / "graphs" / "flow.onnx.data").write_bytes(b"weights" * 100)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "null.npz").write_bytes(b"null")
    write_manifest(folder, _manifest(folder, name=name))
    return folder


def _graph(role: str) -> GraphSpec:
    return GraphSpec(
        file=f"graphs/{role}.onnx",
        inputs=(TensorSpec(name="x", dtype="float32", shape=("batch", 4)),),
        outputs=(TensorSpec(name="y", dtype="float32", shape=("batch", 4)),),
    )


def _manifest(folder: Path, *, name: str) -> Manifest:
    return Manifest(
        schema=SCHEMA,
        id=name,
        title="Made for a test",
        version="1",
        architecture="none",
        precision="fp32",
        opset=18,
        onnxruntime_min="1.20",
        licence=Licence(name="MIT", commercial_use=True, attribution="nobody", text="Free."),
        sources=(Source(file="weights.pth", sha256="0" * 64),),
        sample_rate=44100,
        picture=PictureSpec(
            clip_rate=8,
            clip_size=384,
            sync_rate=25,
            sync_size=224,
            segment_frames=16,
            segment_step=8,
            segment_features=8,
            resize="squash",
            crop_min=56,
            box_threshold=0.5,
        ),
        text=TextSpec(tokenizer="tokenizer.json", length=77, start_id=1, end_id=2, pad_id=0),
        latent=LatentSpec(channels=2, hop=1024, mean=(0.0, 0.5), std=(1.0, 2.0)),
        vocoder=VocoderSpec(mel_bands=128, mel_hop=512, halo=20),
        window=WindowSpec(min_frames=16, train_frames=125, multiple_frames=1),
        sampling=SamplingSpec(steps=25, guidance=7.0),
        null_conditions="null.npz",
        graphs={role: _graph(role) for role in ROLES},
        files=describe_files(folder),
        parity=dict.fromkeys(ROLES, 1e-7),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "sample")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.session.close()
