"""Weights to bundle: one network at a time is loaded, lowered, compared with torch and let go.

The bundle grows in a hidden folder beside its final place (`growing`) and is renamed when it is whole.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import onnx_ir as ir
from torch import nn

from exporter import halving, lowering, verify
from exporter.errors import ExportError
from exporter.graphs import Graph, example_inputs, graphs_of
from exporter.growing import folder_beside, put_in_place
from exporter.labels import Label, model_card
from exporter.lowering import Form
from exporter.models.flow import FlowNetwork
from exporter.networks import Weights, parameter_count
from exporter.replacing import refuse_foreign
from exporter.room import least_bytes, refuse_full
from exporter.shared_weights import WeightFile
from exporter.short_convolutions import shorten_convolutions
from exporter.sizes import Sizes
from exporter.tokenizer import build_tokenizer, load_merges, text_ids
from exporter.verify import Difference, Reference
from models_onnx.bundle import (
    EXTERNAL_DATA,
    SCHEMA,
    Bundle,
    LatentSpec,
    Manifest,
    PictureSpec,
    SamplingSpec,
    TextSpec,
    VocoderSpec,
    WindowSpec,
    describe_files,
    write_manifest,
)
from models_onnx.manifest_json import is_bundle_id

ONNXRUNTIME_MIN = "1.20"
TOKENIZER_FILE = "tokenizer.json"
NULL_FILE = "null_conditions.npz"
CARD_FILE = "MODEL_CARD.md"
PARITY_FILE = "parity.json"
BOX_THRESHOLD = 0.5
HALF_ROLES = ("text_encoder", "image_encoder", "sync_encoder", "conditions", "flow")
"""Graphs whose form for CUDA computes in half precision; decoder and vocoder lose too much by it."""

GPU_ROLES = (*HALF_ROLES, "decoder", "vocoder")
"""Graphs that are made a second time for CUDA: in half precision, or without what only helps a CPU."""

SHORTENED: Mapping[str, bool] = {"flow": False, "vocoder": True}
"""Graphs whose convolutions are shortened, and whether their signals are far longer than wide.

Not the decoder's: it runs once a take, and its weights would grow from 0.7 to 1.3 GB.
"""

Say = Callable[[str], None]


@dataclass(slots=True)
class _Growing:
    """A bundle in the making.

    Attributes:
        folder: hidden, beside the final place.
        precision: "fp32", or "fp16" for weights kept in half precision.
        gpu: make the second form of the graphs, for CUDA, too.
        rows: differences measured so far.
        latent: once the flow network was there.
        parameters: of the networks so far.
    """

    folder: Path
    sizes: Sizes
    precision: str
    gpu: bool
    say: Say
    rows: list[Difference] = field(default_factory=list)
    latent: LatentSpec | None = None
    parameters: int = 0


def export_bundle(
    sizes: Sizes,
    weights: Weights,
    label: Label,
    *,
    output: Path,
    say: Say,
    precision: str = "fp32",
    form: Form = Form.PLAIN,
) -> Bundle:
    """Make a bundle in the folder `output`.

    Args:
        sizes: of the model.
        weights: where they come from.
        label: what people read.
        output: a new folder, or that of a bundle to replace.
        say: told of progress, and of the table of differences.
        precision: of the stored weights: "fp32", or "fp16" (half the size; see `halving`).
        form: `GPU` adds to the plain graphs, which every bundle has, those for CUDA.

    Returns:
        The bundle, every file verified.

    Raises:
        ExportError: weights that do not fit, graphs that differ from torch, a disk that is too full, or an
            output that is something else than a bundle.
    """
    refuse_foreign(output)
    if not is_bundle_id(label.id) or not label.title.isprintable():
        message = f"{label.id!r} titled {label.title!r} cannot be a bundle's id and title."
        raise ExportError(message, remedy="Name an id of lower-case letters and digits, such as violin-2.")
    refuse_full(output, least=least_bytes(parameter_count(sizes), precision=precision))
    with folder_beside(output) as folder:
        growing = _Growing(folder=folder, sizes=sizes, precision=precision, gpu=form is Form.GPU, say=say)
        for name, graphs in groupby(graphs_of(sizes), key=lambda graph: graph.network):
            _add_network(growing, name, tuple(graphs), weights)
        say(verify.difference_table(growing.rows, sizes))
        verify.refuse_large(growing.rows, looser=_tolerances(growing))
        _add_texts(growing, label)
        write_manifest(folder, _manifest(growing, weights, label))
        Bundle.open(folder).verify()
        put_in_place(folder, output)
    return Bundle.open(output)


def gpu_file(role: str) -> str:
    """The file of a graph's form for CUDA."""
    return f"{role}.gpu.onnx"


def picture_of(sizes: Sizes) -> PictureSpec:
    """How frames and masks become input of a model."""
    sync = sizes.synchformer
    return PictureSpec(
        clip_rate=sizes.clip_rate,
        clip_size=sizes.clip.image_size,
        sync_rate=sizes.sync_rate,
        sync_size=sync.image_size,
        segment_frames=sync.segment_frames,
        segment_step=sync.segment_step,
        segment_features=sync.steps,
        resize="squash",
        crop_min=sizes.crop_min,
        box_threshold=BOX_THRESHOLD,
    )


def text_of(sizes: Sizes) -> TextSpec:
    """How words become input of a model."""
    ids = text_ids(vocabulary=sizes.clip.vocabulary, length=sizes.clip.text_length)
    return TextSpec(tokenizer=TOKENIZER_FILE, **asdict(ids))


def vocoder_of(sizes: Sizes) -> VocoderSpec:
    """How a model's mel becomes sound."""
    vocoder = sizes.vocoder
    return VocoderSpec(mel_bands=vocoder.mel_bands, mel_hop=vocoder.hop, halo=vocoder.halo)


def window_of(sizes: Sizes) -> WindowSpec:
    """How long a pass of a model is."""
    return WindowSpec(
        min_frames=sizes.synchformer.segment_frames,
        train_frames=sizes.train_frames,
        multiple_frames=sizes.multiple_frames,
    )


def _add_network(growing: _Growing, name: str, graphs: Sequence[Graph], weights: Weights) -> None:
    """All graphs of one network; the torch module is gone before ONNX is loaded."""
    growing.say(f"{name}: loading weights")
    network = weights.network(name, growing.sizes)
    growing.parameters += sum(parameter.numel() for parameter in network.parameters())
    if isinstance(network, FlowNetwork):
        _add_flow_values(growing, network)
    known: dict[str, tuple[Reference, ...]] = {}
    for graph in graphs:
        growing.say(f"{graph.role}: exporting")
        module = graph.wrap(network)
        known[graph.role] = verify.references(graph, module, growing.sizes)
        _write_forms(growing, graph, module)
    del network, module
    gc.collect()
    for graph in graphs:
        growing.say(f"{graph.role}: comparing with torch")
        wanted = known.pop(graph.role)
        for file in _forms(growing, graph.role):
            row = file.removesuffix(".onnx")
            growing.rows += verify.differences(growing.folder / file, graph.spec, wanted, role=row)


def _write_forms(growing: _Growing, graph: Graph, module: nn.Module) -> None:
    """Every form of a graph; where there are two they share a file of weights."""
    forms = _forms(growing, graph.role)
    shared = WeightFile(growing.folder / f"{graph.spec.file}{EXTERNAL_DATA}") if len(forms) > 1 else None
    for file, form in forms.items():
        model = _lowered(graph, module, growing, form=form)
        if shared is not None:
            shared.take(model)
        lowering.save(model, growing.folder / file)


def _forms(growing: _Growing, role: str) -> dict[str, Form]:
    """The files of a graph and the form of each."""
    forms = {f"{role}.onnx": Form.PLAIN}
    return forms | ({gpu_file(role): Form.GPU} if growing.gpu and role in GPU_ROLES else {})


def _lowered(graph: Graph, module: nn.Module, growing: _Growing, *, form: Form) -> ir.Model:
    precision = "fp16" if _is_halved(growing, graph.role) else "fp32"
    return lowered(graph, module, growing.sizes, form=form, precision=precision)


def lowered(
    graph: Graph, module: nn.Module, sizes: Sizes, *, form: Form = Form.PLAIN, precision: str = "fp32"
) -> ir.Model:
    """One graph of a bundle.

    Args:
        graph: which.
        module: its network, wrapped.
        sizes: of the model.
        form: what it is made for.
        precision: of the stored weights of a plain graph. Weights to be stored in half precision stay as
            they are: those of shortened convolutions would lose more by it.
    """
    frames = 3 * sizes.synchformer.segment_frames
    inputs = example_inputs(graph, sizes, verify.pass_lengths(graph, sizes, frames=frames, batch=2))
    half = form is Form.GPU and graph.role in HALF_ROLES
    model = lowering.lower(
        module, graph.spec, inputs, compact=sizes.compact, form=Form.GPU if half else Form.PLAIN
    )
    if form is Form.PLAIN and precision == "fp16":
        halving.keep_in_half(model, role=graph.role)
    elif form is Form.PLAIN and graph.role in SHORTENED:
        shorten_convolutions(model, long=SHORTENED[graph.role])
    return model


def _is_halved(growing: _Growing, role: str) -> bool:
    return growing.precision == "fp16" and role not in halving.KEPT_WHOLE


def _tolerances(growing: _Growing) -> dict[str, float]:
    rows = verify.worst_by_role(growing.rows)
    gpu = {gpu_file(role).removesuffix(".onnx") for role in HALF_ROLES}
    halved = {
        row: halving.TOLERANCE for row in rows if row in gpu or _is_halved(growing, row.removesuffix(".gpu"))
    }
    return halved | growing.sizes.tolerances


def _add_flow_values(growing: _Growing, network: FlowNetwork) -> None:
    """Null features to a file, latent statistics to the manifest."""
    null = network.null_conditions()._asdict()
    arrays = {name: value.detach().numpy() for name, value in null.items()}
    np.savez(growing.folder / NULL_FILE, allow_pickle=False, **arrays)
    growing.latent = LatentSpec(
        channels=growing.sizes.flow.latent_channels,
        hop=growing.sizes.latent_hop,
        mean=tuple(network.latent_mean.flatten().tolist()),
        std=tuple(network.latent_std.flatten().tolist()),
    )


def _add_texts(growing: _Growing, label: Label) -> None:
    folder, sizes = growing.folder, growing.sizes
    tokenizer = build_tokenizer(load_merges(), vocabulary=sizes.clip.vocabulary)
    (folder / TOKENIZER_FILE).write_text(tokenizer.to_str(), "utf-8")
    rows = [{**asdict(row), "relative": float(f"{row.relative:.1e}")} for row in growing.rows]
    (folder / PARITY_FILE).write_text(json.dumps(rows) + "\n", "utf-8")
    table = verify.difference_table(growing.rows, sizes)
    card = model_card(label, sizes, parameters=growing.parameters, table=table)
    (folder / CARD_FILE).write_text(card, "utf-8")


def _manifest(growing: _Growing, weights: Weights, label: Label) -> Manifest:
    sizes = growing.sizes
    if growing.latent is None:
        raise RuntimeError("a model without a flow network")
    return Manifest(
        schema=SCHEMA,
        id=label.id,
        title=label.title,
        version=label.version,
        architecture=sizes.name,
        precision=growing.precision,
        opset=lowering.OPSET,
        onnxruntime_min=ONNXRUNTIME_MIN,
        licence=label.licence,
        sources=weights.sources(),
        sample_rate=sizes.sample_rate,
        picture=picture_of(sizes),
        text=text_of(sizes),
        latent=growing.latent,
        vocoder=vocoder_of(sizes),
        window=window_of(sizes),
        sampling=SamplingSpec(steps=sizes.steps, guidance=sizes.guidance),
        null_conditions=NULL_FILE,
        graphs={graph.role: graph.spec for graph in graphs_of(sizes)},
        files=describe_files(growing.folder),
        parity=verify.worst_by_role(growing.rows),
        gpu_graphs={role: gpu_file(role) for role in GPU_ROLES} if growing.gpu else {},
    )
