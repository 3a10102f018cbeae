"""A finished bundle held against torch and against itself: a table of stages, and a verdict.

Three columns of relative L2 differences at the inputs of `graphs.example_inputs`, over one pass of the
length the model was trained at: what the export measured; torch against the graph, now, where the
weights are at hand; and the form for CUDA against torch, or against the plain graph without torch.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from exporter import halving, int8_images, verify
from exporter.errors import ExportError
from exporter.graphs import Graph, example_inputs, graphs_of
from exporter.networks import Weights
from exporter.sizes import SIZES, Sizes
from models_onnx.bundle import Bundle, Manifest

Say = Callable[[str], None]

NOT_COMPARED = "Not compared with torch now: that needs the weights it was made of (--checkpoints FOLDER)."


@dataclass(frozen=True, slots=True)
class Row:
    """One stage; None where a column has nothing to say.

    Attributes:
        role: of the graph.
        recorded: worst difference of the graph to torch float32 when the bundle was made.
        now: difference of the graph to torch float32, measured now.
        half: difference of the form for CUDA, run on the CPU, to torch float32, else to the plain graph.
    """

    role: str
    recorded: float | None
    now: float | None
    half: float | None


def measure(bundle: Bundle, weights: Weights | None, *, say: Say) -> tuple[Row, ...]:
    """A row for every graph of a bundle, each of whose graphs is loaded and run.

    Args:
        bundle: whole and verified.
        weights: those it was made of; None compares it with itself only.
        say: told which graph is being looked at.

    Raises:
        ExportError: the bundle is of an architecture unknown here, or a graph cannot be run, or gives
            values that are no numbers.
    """
    sizes = sizes_of(bundle.manifest)
    rows: list[Row] = []
    for name, graphs in groupby(graphs_of(sizes), key=lambda graph: graph.network):
        listed = tuple(graphs)
        known = _references(listed, name, sizes, weights)
        gc.collect()
        for graph in listed:
            say(f"{graph.role}: running" if weights is None else f"{graph.role}: comparing with torch")
            rows.append(_row(bundle, graph, sizes, known.get(graph.role)))
    return tuple(rows)


def sizes_of(manifest: Manifest) -> Sizes:
    """The sizes of a bundle's networks.

    Raises:
        ExportError: they are unknown here.
    """
    sizes = SIZES.get(manifest.architecture)
    if sizes is None:
        raise ExportError(
            f"The bundle {manifest.id} has the architecture {manifest.architecture}, which is unknown here.",
            remedy=f"Update Sagafoley; it knows {', '.join(SIZES)}.",
        )
    return sizes


def null_shapes(sizes: Sizes) -> Mapping[str, tuple[int, ...]]:
    """Shapes of the features that stand for "nothing known"."""
    flow = sizes.flow
    return {
        "clip": (flow.clip_width,),
        "sync": (flow.sync_width,),
        "text": (flow.text_length, flow.text_width),
    }


def refuse_far(rows: Iterable[Row], manifest: Manifest) -> None:
    """Pass when every difference is within its tolerance.

    Raises:
        ExportError: naming the stages that are not.
    """
    sizes = sizes_of(manifest)
    far = []
    for row in rows:
        limit = _limit(row.role, manifest, sizes)
        far += [
            f"{row.role} ({what}) by {value:.1e}, at most {most:.0e}"
            for what, value, most in (
                ("at export", row.recorded, limit),
                ("now", row.now, limit),
                ("for CUDA", row.half, halving.TOLERANCE),
            )
            if value is not None and not value <= most
        ]
    if far:
        raise ExportError(
            f"The bundle {manifest.id} differs too much (relative L2): {'; '.join(far)}.",
            remedy="Export it again, and verify it with the weights it was made of.",
        )


def parity_table(rows: Iterable[Row]) -> str:
    """The rows in Markdown, and a sentence where nothing was compared with torch now."""
    rows = tuple(rows)
    lines = [
        "| stage | at export, ONNX to torch | now, ONNX to torch fp32 | form for CUDA (fp16) |",
        "|---|---|---|---|",
    ]
    for row in rows:
        cells = ("" if value is None else f"{value:.1e}" for value in (row.recorded, row.now, row.half))
        lines.append(f"| {row.role} | {' | '.join(cells)} |")
    if all(row.now is None for row in rows):
        lines += ["", NOT_COMPARED]
    return "\n".join(lines)


def _limit(role: str, manifest: Manifest, sizes: Sizes) -> float:
    if role == int8_images.ROLE and role in manifest.eight_bit:
        return int8_images.TOLERANCE
    if manifest.precision == "fp16" and role not in halving.KEPT_WHOLE:
        return halving.TOLERANCE
    return sizes.tolerances.get(role, verify.TOLERANCE)


def _references(
    graphs: tuple[Graph, ...], name: str, sizes: Sizes, weights: Weights | None
) -> Mapping[str, verify.Reference]:
    """Torch's outputs, by role; the network is gone before ONNX is loaded."""
    if weights is None:
        return {}
    network = weights.network(name, sizes)
    once = ((sizes.train_frames, 1),)
    return {graph.role: verify.references(graph, graph.wrap(network), sizes, once)[0] for graph in graphs}


def _row(bundle: Bundle, graph: Graph, sizes: Sizes, known: verify.Reference | None) -> Row:
    """Every file of the graph is loaded once, and its interface held against the manifest's."""
    manifest, role = bundle.manifest, graph.role
    half = manifest.gpu_graphs.get(role)
    _refuse_other_inputs(graph, manifest)
    if known is not None:
        now = _difference(bundle, role, known, file=manifest.graphs[role].file)
    elif half is not None:
        known, now = _own_outputs(bundle, graph, sizes, frames=sizes.train_frames), None
    else:
        _own_outputs(bundle, graph, sizes, frames=verify.PASSES[0][0])
        now = None
    return Row(
        role,
        manifest.parity.get(role),
        now,
        None if half is None or known is None else _difference(bundle, role, known, file=half),
    )


def _refuse_other_inputs(graph: Graph, manifest: Manifest) -> None:
    wanted, found = (
        [tensor.name for tensor in spec.inputs] for spec in (graph.spec, manifest.graphs[graph.role])
    )
    if wanted != found:
        raise ExportError(
            f"The graph {graph.role} of the bundle {manifest.id} takes {found}, not {wanted}.",
            remedy="Verify it with the version of Sagafoley that made it, or export it again.",
        )


def _difference(bundle: Bundle, role: str, known: verify.Reference, *, file: str) -> float:
    path, spec = bundle.checked_path(file), bundle.manifest.graphs[role]
    return verify.differences(path, spec, (known,), role=role)[0].relative


def _own_outputs(bundle: Bundle, graph: Graph, sizes: Sizes, *, frames: int) -> verify.Reference:
    """What the plain graph makes of the example inputs of a pass: numbers, or an error."""
    role, spec = graph.role, bundle.manifest.graphs[graph.role]
    lengths = verify.pass_lengths(graph, sizes, frames=frames, batch=1)
    inputs = tuple(tensor.numpy() for tensor in example_inputs(graph, sizes, lengths))
    outputs = verify.outputs_of(bundle.checked_path(role), spec, inputs, role=role)
    return verify.Reference(frames, 1, inputs, outputs)
