"""SAM 2.1's weights to a mask bundle: four graphs, each compared with torch, and what the host needs.

The bundle grows in a hidden folder beside its final place and is renamed when it is whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx_ir as ir
import torch
from torch import nn

from exporter import halving, lowering, verify
from exporter.apache import LICENCE_FILE, ONNXRUNTIME_BELOW, Card, apache, write_licence_and_card
from exporter.errors import ExportError
from exporter.export import ONNXRUNTIME_MIN, gpu_file
from exporter.growing import folder_beside, put_in_place
from exporter.lowering import Form
from exporter.models.sam2 import Sam2
from exporter.models.sam2_sizes import Sam2Dims
from exporter.replacing import refuse_foreign
from exporter.room import least_bytes, refuse_full
from exporter.sam2_graphs import (
    COMPARED,
    EXPORTED,
    IMAGE_MEAN,
    IMAGE_STD,
    POINTERS,
    Lengths,
    Sam2Graph,
    Sam2Size,
    example_inputs,
    graphs_of,
)
from exporter.sam2_weights import Sam2Weights
from models_onnx.bundle import describe_files
from models_onnx.manifest_json import is_bundle_id
from models_onnx.mask_manifest import (
    KIND,
    MASK_SCHEMA,
    RESIZE,
    MaskBundle,
    MaskManifest,
    MaskPictureSpec,
    MemorySpec,
    write_mask_manifest,
)

CONSTANTS_FILE = "constants.npz"
HALF_ROLES = ("image", "memory_attention")
"""Graphs that are made a second time for CUDA: nearly all the arithmetic of a tracked frame."""
SMALLEST_SIDE, LARGEST_SIDE, SIDE_STEP = 32, 2048, 32

LICENCE = apache("SAM 2 (Ravi et al., Meta AI)")
_PUBLISHED = """Segment Anything 2.1 (Ravi et al., Meta AI, 2024), the published weights, exported to ONNX.
The file they came from and its hash are in the manifest."""
_UNTRAINED = "The weights are **random**: nothing was trained, and the masks mean nothing."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sam2Request:
    """What is to be exported.

    Attributes:
        size: of the networks and of the picture.
        weights: where they come from.
        id, title: of the bundle.
        precision: of the stored weights: "fp32", or "fp16" (half the size; see `halving`).
        form: `GPU` adds graphs for CUDA to the plain ones, which every bundle has.
        trained: the weights are the published ones.
    """

    size: Sam2Size
    weights: Sam2Weights
    id: str
    title: str
    precision: str = "fp32"
    form: Form = Form.PLAIN
    trained: bool = True


@dataclass(frozen=True, slots=True)
class Sam2Difference:
    """Relative L2 of one graph's file at one set of lengths, the worst of its outputs."""

    role: str
    lengths: Lengths
    relative: float


@dataclass(slots=True)
class _Growing:
    folder: Path
    request: Sam2Request
    say: Say
    rows: list[Sam2Difference] = field(default_factory=list)


def export_sam2(request: Sam2Request, *, output: Path, say: Say) -> MaskBundle:
    """Make a mask bundle in the folder `output`.

    Args:
        request: what is wanted.
        output: a new folder, or that of a bundle to replace.
        say: told of progress, and of the table of differences.

    Raises:
        ExportError: weights that do not fit, graphs that differ from torch, a size that cannot be, or an
            output that is something else than a bundle.
    """
    refuse_foreign(output)
    _check(request)
    say(f"{request.size.id}: loading weights")
    network = request.weights.network(request.size)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    refuse_full(output, least=least_bytes(parameters, precision=request.precision))
    with folder_beside(output) as folder:
        growing = _Growing(folder, request, say)
        for graph in graphs_of(request.size.dims):
            _add_graph(growing, graph, network)
        say(difference_table(growing.rows))
        refuse_far(growing.rows, precision=request.precision)
        _add_rest(growing, network)
        write_mask_manifest(folder, _manifest(growing))
        MaskBundle.open(folder).verify()
        put_in_place(folder, output)
    return MaskBundle.open(output)


def references(
    graph: Sam2Graph, module: nn.Module, size: Sam2Size, lengths: Iterable[Lengths]
) -> tuple[tuple[Lengths, verify.Reference], ...]:
    """What torch makes of a graph's example inputs; lengths that give the same shapes only once."""
    known: dict[tuple[tuple[int, ...], ...], tuple[Lengths, verify.Reference]] = {}
    for each in lengths:
        inputs = example_inputs(graph, size.dims, each)
        shapes = tuple(tuple(tensor.shape) for tensor in inputs)
        if shapes in known:
            continue
        with torch.inference_mode():
            outputs = module(*inputs)
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        arrays = (tuple(tensor.numpy() for tensor in tensors) for tensors in (inputs, listed))
        known[shapes] = each, verify.Reference(each.memories, 1, *arrays)
    return tuple(known.values())


def tolerance(role: str, *, precision: str) -> float:
    """How far a graph may be from torch, relative L2; `role` may be that of a form for CUDA."""
    return halving.TOLERANCE if precision == "fp16" or role.endswith(".gpu") else verify.TOLERANCE


def refuse_far(rows: Iterable[Sam2Difference], *, precision: str) -> None:
    """Pass when every graph agrees with torch.

    Raises:
        ExportError: naming those that do not.
    """
    listed = tuple(rows)
    limits = {row.role: tolerance(row.role, precision=precision) for row in listed}
    differences = [verify.Difference(row.role, row.lengths.memories, 1, row.relative) for row in listed]
    verify.refuse_large(differences, looser=limits)


def difference_table(rows: Iterable[Sam2Difference]) -> str:
    """A Markdown table: graphs and lengths down, the difference across."""
    lines = ["| graph | memories, pointers, points | ONNX to torch |", "|---|---|---|"]
    for row in rows:
        free = f"{row.lengths.memories}, {row.lengths.pointers}, {row.lengths.points}"
        lines.append(f"| {row.role} | {free} | {row.relative:.1e} |")
    return "\n".join(lines)


def picture_of(dims: Sam2Dims) -> MaskPictureSpec:
    """How a frame becomes input of networks of these sizes."""
    return MaskPictureSpec(size=dims.image_size, resize=RESIZE, mean=IMAGE_MEAN, std=IMAGE_STD)


def memory_of(dims: Sam2Dims) -> MemorySpec:
    """What the host remembers for networks of these sizes."""
    return MemorySpec(
        width=dims.model_width,
        memory_width=dims.memory_width,
        grid=dims.grid,
        low_size=dims.low_size,
        previous=dims.memories - 1,
        pointers=POINTERS,
    )


def _check(request: Sam2Request) -> None:
    side = request.size.dims.image_size
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE or side % SIDE_STEP:
        raise ExportError(
            f"Pictures of {side} pixels cannot be exported.",
            remedy=f"Name a multiple of {SIDE_STEP} up to {LARGEST_SIDE}, such as 1024 or 512.",
        )
    if not is_bundle_id(request.id) or not request.title.isprintable():
        message = f"{request.id!r} titled {request.title!r} cannot be a bundle's id and title."
        raise ExportError(message, remedy="Name an id of lower-case letters and digits, such as sam2-512.")


def _add_graph(growing: _Growing, graph: Sam2Graph, network: Sam2) -> None:
    size = growing.request.size
    module = graph.wrap(network).eval()
    known = references(graph, module, size, COMPARED)
    for file, form in _forms(growing.request, graph.role).items():
        growing.say(f"{file}: exporting")
        lowering.save(_lowered(graph, module, growing.request, form=form), growing.folder / file)
        gc.collect()
        growing.say(f"{file}: comparing with torch")
        for lengths, wanted in known:
            (row,) = verify.differences(growing.folder / file, graph.spec, (wanted,), role=graph.role)
            growing.rows.append(Sam2Difference(file.removesuffix(".onnx"), lengths, row.relative))


def _forms(request: Sam2Request, role: str) -> dict[str, Form]:
    forms = {f"{role}.onnx": Form.PLAIN}
    is_made = request.form is Form.GPU and role in HALF_ROLES
    return forms | ({gpu_file(role): Form.GPU} if is_made else {})


def _lowered(graph: Sam2Graph, module: nn.Module, request: Sam2Request, *, form: Form) -> ir.Model:
    inputs = tuple(tensor.clone() for tensor in example_inputs(graph, request.size.dims, EXPORTED))
    model = lowering.lower(module, graph.spec, inputs, compact=False, form=form)
    if form is Form.PLAIN and request.precision == "fp16":
        halving.keep_in_half(model, role=graph.role)
    return model


def _add_rest(growing: _Growing, network: Sam2) -> None:
    """Constants, licence and card."""
    folder, request = growing.folder, growing.request
    constants = {
        "no_mem_embed": network.no_mem_embed.reshape(-1),
        "no_obj_ptr": network.no_obj_ptr.reshape(-1),
        "mask_downsample_weight": network.mask_downsample.weight[0, 0],
        "mask_downsample_bias": network.mask_downsample.bias,
    }
    arrays = {name: value.detach().numpy() for name, value in constants.items() if value is not None}
    np.savez(folder / CONSTANTS_FILE, allow_pickle=False, **arrays)
    card = Card(
        request.title,
        _PUBLISHED if request.trained else _UNTRAINED,
        checkpoint=request.size.checkpoint,
        side=request.size.dims.image_size,
        licence=LICENCE,
        table=difference_table(growing.rows),
    )
    write_licence_and_card(folder, card, network)


def _manifest(growing: _Growing) -> MaskManifest:
    request, dims = growing.request, growing.request.size.dims
    gpu = {role: gpu_file(role) for role in HALF_ROLES} if request.form is Form.GPU else {}
    return MaskManifest(
        schema=MASK_SCHEMA,
        kind=KIND,
        id=request.id,
        title=request.title,
        version="1" if request.trained else "0",
        architecture=request.size.checkpoint,
        precision=request.precision,
        opset=lowering.OPSET,
        onnxruntime_min=ONNXRUNTIME_MIN,
        onnxruntime_below=ONNXRUNTIME_BELOW,
        licence=LICENCE,
        licence_file=LICENCE_FILE,
        sources=request.weights.sources(request.size),
        picture=picture_of(dims),
        memory=memory_of(dims),
        constants=CONSTANTS_FILE,
        graphs={graph.role: graph.spec for graph in graphs_of(dims)},
        files=describe_files(growing.folder),
        parity=_worst(growing.rows),
        gpu_graphs=gpu,
    )


def _worst(rows: Iterable[Sam2Difference]) -> dict[str, float]:
    listed = [verify.Difference(row.role, row.lengths.memories, 1, row.relative) for row in rows]
    return verify.worst_by_role(listed)
