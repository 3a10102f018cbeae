"""OWLv2's weights to a finder bundle: two graphs, each compared with torch, a tokenizer, a manifest.

The bundle grows in a hidden folder beside its final place and is renamed when it is whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from exporter import halving, lowering, verify
from exporter.apache import LICENCE_FILE, ONNXRUNTIME_BELOW, Card, apache, write_licence_and_card
from exporter.bundle_facts import Fact, other_values, values_of
from exporter.bundle_parity import Row
from exporter.errors import ExportError
from exporter.export import ONNXRUNTIME_MIN, TOKENIZER_FILE
from exporter.growing import folder_beside, put_in_place
from exporter.owlv2_graphs import (
    CLIP_MEAN,
    CLIP_STD,
    GREY,
    OWLV2_SIZES,
    Owlv2Graph,
    Owlv2Size,
    example_inputs,
    graphs_of,
)
from exporter.owlv2_weights import Owlv2Weights
from exporter.replacing import refuse_foreign
from exporter.room import least_bytes, refuse_full
from exporter.tokenizer import build_tokenizer, load_merges, text_ids
from models_onnx.bundle import TextSpec, describe_files
from models_onnx.finder_manifest import (
    FINDER_KIND,
    FINDER_RESIZE,
    FINDER_SCHEMA,
    FinderBundle,
    FinderManifest,
    FinderPictureSpec,
    FindingSpec,
    write_finder_manifest,
)
from models_onnx.manifest_json import is_bundle_id

PROMPT = "a photo of a {}"
LEAST_SCORE = 0.1
"""The publisher's own."""
MOST_OVERLAP = 0.5

EXPORTED_WORDS = 3
COMPARED_WORDS = (1, 2)

LICENCE = apache("OWLv2 (Minderer, Gritsenko, Houlsby, Google)")
_PUBLISHED = """OWLv2 (Minderer, Gritsenko, Houlsby, Google, 2023), the published weights, exported to ONNX.
The file they came from and its hash are in the manifest."""
_UNTRAINED = "The weights are **random**: nothing was trained, and the boxes mean nothing."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Owlv2Request:
    """What is to be exported.

    Attributes:
        size: of the network and of the picture.
        weights: where they come from.
        id, title: of the bundle.
        precision: of the stored weights: "fp32", or "fp16" (half the size; see `halving`).
        trained: the weights are the published ones.
    """

    size: Owlv2Size
    weights: Owlv2Weights
    id: str
    title: str
    precision: str = "fp32"
    trained: bool = True


def export_owlv2(request: Owlv2Request, *, output: Path, say: Say) -> FinderBundle:
    """Make a finder bundle in the folder `output`.

    Args:
        request: what is wanted.
        output: a new folder, or that of a bundle to replace.
        say: told of progress, and of the table of differences.

    Raises:
        ExportError: weights that do not fit, graphs that differ from torch, or an output that is something
            else than a bundle.
    """
    refuse_foreign(output)
    if not is_bundle_id(request.id) or not request.title.isprintable():
        message = f"{request.id!r} titled {request.title!r} cannot be a bundle's id and title."
        raise ExportError(message, remedy="Name an id of lower-case letters and digits, such as owlv2.")
    say(f"{request.size.id}: loading weights")
    network = request.weights.network(request.size)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    refuse_full(output, least=least_bytes(parameters, precision=request.precision))
    with folder_beside(output) as folder:
        rows: list[verify.Difference] = []
        for graph in graphs_of(request.size):
            rows += _add_graph(folder, request, graph, network, say=say)
        say(difference_table(rows))
        limits = {graph.role: tolerance(request.precision) for graph in graphs_of(request.size)}
        verify.refuse_large(rows, looser=limits)
        _add_rest(folder, request, network, rows)
        write_finder_manifest(folder, _manifest(folder, request, rows))
        FinderBundle.open(folder).verify()
        put_in_place(folder, output)
    return FinderBundle.open(output)


def picture_of(size: Owlv2Size) -> FinderPictureSpec:
    """How a frame becomes input of a network of this size."""
    return FinderPictureSpec(
        size=size.image_size,
        patch=size.patch,
        resize=FINDER_RESIZE,
        padding=GREY,
        mean=CLIP_MEAN,
        std=CLIP_STD,
    )


def text_of(size: Owlv2Size) -> TextSpec:
    """How words become input of a network of this size."""
    ids = text_ids(vocabulary=size.vocabulary, length=size.length)
    return TextSpec(tokenizer=TOKENIZER_FILE, **asdict(ids))


def tolerance(precision: str) -> float:
    """How far a graph may be from torch, relative L2."""
    return halving.TOLERANCE if precision == "fp16" else verify.TOLERANCE


def references(graph: Owlv2Graph, network: nn.Module, size: Owlv2Size) -> tuple[verify.Reference, ...]:
    """What torch makes of a graph's example inputs."""
    module = graph.wrap(network).eval()
    known = []
    for words in COMPARED_WORDS:
        inputs = example_inputs(graph, size, words)
        with torch.inference_mode():
            outputs = module(*inputs)
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        arrays = (tuple(tensor.numpy() for tensor in tensors) for tensors in (inputs, listed))
        known.append(verify.Reference(words, 1, *arrays))
    return tuple(known)


def difference_table(rows: Iterable[verify.Difference]) -> str:
    """A Markdown table: graphs and sentences down, the difference across."""
    lines = ["| graph | sentences | ONNX to torch |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {row.role} | {row.frames} | {row.relative:.1e} |" for row in rows)])


def measure(bundle: FinderBundle, weights: Owlv2Weights | None, *, say: Say) -> tuple[Row, ...]:
    """A row for every graph; without weights only what was measured at export.

    Raises:
        ExportError: the bundle is of a size unknown here, or a graph cannot be loaded or run.
    """
    manifest = bundle.manifest
    size = size_of(manifest)
    network = None if weights is None else weights.network(size)
    rows = []
    for graph in graphs_of(size):
        say(f"{graph.role}: comparing" if network is not None else f"{graph.role}: running")
        known = () if network is None else references(graph, network, size)
        path = bundle.checked_path(graph.spec.file)
        found = verify.differences(path, graph.spec, known, role=graph.role)
        if network is None:
            _run_once(path, graph, size)
        now = max((row.relative for row in found), default=None)
        rows.append(Row(graph.role, manifest.parity.get(graph.role), now, None))
    return tuple(rows)


def finder_facts(manifest: FinderManifest) -> tuple[Fact, ...]:
    """What the manifest should not say of its picture and its words.

    Raises:
        ExportError: its architecture is unknown here.
    """
    size = size_of(manifest)
    expected = {**values_of("picture", picture_of(size)), **values_of("text", text_of(size))}
    return tuple(other_values(manifest, expected))


def _run_once(path: Path, graph: Owlv2Graph, size: Owlv2Size) -> None:
    inputs = tuple(tensor.numpy() for tensor in example_inputs(graph, size, COMPARED_WORDS[0]))
    verify.outputs_of(path, graph.spec, inputs, role=graph.role)


def refuse_far(rows: Iterable[Row], manifest: FinderManifest) -> None:
    """Pass when every difference, at export and now, is within its tolerance.

    Raises:
        ExportError: naming the graphs that are not.
    """
    limit = tolerance(manifest.precision)
    values = [
        verify.Difference(row.role, 1, 1, value)
        for row in rows
        for value in (row.recorded, row.now)
        if value is not None
    ]
    verify.refuse_large(values, tolerance=limit)


def size_of(manifest: FinderManifest) -> Owlv2Size:
    """The size that a bundle was made of, with its own picture.

    Raises:
        ExportError: it is unknown here.
    """
    for size in OWLV2_SIZES.values():
        if size.checkpoint == manifest.architecture:
            return replace(size, image_size=manifest.picture.size)
    raise ExportError(
        f"The bundle {manifest.id} has the architecture {manifest.architecture}, which is unknown here.",
        remedy=f"Update Sagafoley; it knows {', '.join(size.checkpoint for size in OWLV2_SIZES.values())}.",
    )


def _add_graph(
    folder: Path, request: Owlv2Request, graph: Owlv2Graph, network: nn.Module, *, say: Say
) -> tuple[verify.Difference, ...]:
    size, file = request.size, graph.spec.file
    known = references(graph, network, size)
    say(f"{file}: exporting")
    inputs = tuple(tensor.clone() for tensor in example_inputs(graph, size, EXPORTED_WORDS))
    model = lowering.lower(graph.wrap(network).eval(), graph.spec, inputs, compact=False)
    if request.precision == "fp16":
        halving.keep_in_half(model, role=graph.role)
    lowering.save(model, folder / file)
    del model
    gc.collect()
    say(f"{file}: comparing with torch")
    return verify.differences(folder / file, graph.spec, known, role=graph.role)


def _add_rest(
    folder: Path, request: Owlv2Request, network: nn.Module, rows: Iterable[verify.Difference]
) -> None:
    """Tokenizer, licence and card."""
    tokenizer = build_tokenizer(load_merges(), vocabulary=request.size.vocabulary)
    (folder / TOKENIZER_FILE).write_text(tokenizer.to_str(), "utf-8")
    card = Card(
        request.title,
        _PUBLISHED if request.trained else _UNTRAINED,
        checkpoint=request.size.checkpoint,
        side=request.size.image_size,
        licence=LICENCE,
        table=difference_table(rows),
    )
    write_licence_and_card(folder, card, network)


def _manifest(folder: Path, request: Owlv2Request, rows: Iterable[verify.Difference]) -> FinderManifest:
    size = request.size
    return FinderManifest(
        schema=FINDER_SCHEMA,
        kind=FINDER_KIND,
        id=request.id,
        title=request.title,
        version="1" if request.trained else "0",
        architecture=size.checkpoint,
        precision=request.precision,
        opset=lowering.OPSET,
        onnxruntime_min=ONNXRUNTIME_MIN,
        onnxruntime_below=ONNXRUNTIME_BELOW,
        licence=LICENCE,
        licence_file=LICENCE_FILE,
        sources=request.weights.sources(size),
        picture=picture_of(size),
        text=text_of(size),
        finding=FindingSpec(PROMPT, LEAST_SCORE, MOST_OVERLAP),
        graphs={graph.role: graph.spec for graph in graphs_of(size)},
        files=describe_files(folder),
        parity=verify.worst_by_role(rows),
        gpu_graphs={},
    )
