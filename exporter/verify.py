"""How far a bundle's graphs are from torch: relative L2 differences, by graph and length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exporter.errors import ExportError
from exporter.graphs import Graph, example_inputs
from exporter.models.bigvgan import VocoderDims
from exporter.models.vocos import VocosDims
from exporter.sizes import Sizes
from models_onnx.bundle import GraphSpec

Array = NDArray[Any]

TOLERANCE = 1e-5
"""Largest relative L2 difference of a float32 graph."""

PASSES = ((16, 1), (48, 2), (125, 1), (300, 2))
"""Sync frames (0.64 s, 1.92 s, 5 s, 12 s) and batch of the compared passes."""

_MOST_WORK = 4e10
"""Input values x width x layers of an encoder per pass: a large one sees a few pictures, not all of 12 s."""

_LARGE_VOCODER = 512
"""Channels from which a vocoder is compared up to the length the model was trained at.

More costs minutes and shows nothing new: it sees few frames to either side, and the engine gives it about as
many in one call.
"""


_RUNTIME_TYPES = {"float32": "tensor(float)", "float16": "tensor(float16)", "int64": "tensor(int64)"}
"""What ONNX Runtime calls the dtypes of a manifest."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What torch makes of one pass: inputs and outputs of a graph, as arrays."""

    frames: int
    batch: int
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Relative L2 of one graph at one length, the worst of its outputs."""

    role: str
    frames: int
    batch: int
    relative: float


@torch.no_grad()
def references(
    graph: Graph, module: nn.Module, sizes: Sizes, passes: Sequence[tuple[int, int]] = PASSES
) -> tuple[Reference, ...]:
    """Torch's outputs for every pass; hold them so that the module can go before ONNX is loaded.

    A pass whose inputs have the shapes of an earlier one is left out.
    """
    results: list[Reference] = []
    for frames, batch in passes:
        inputs = example_inputs(graph, sizes, pass_lengths(graph, sizes, frames=frames, batch=batch))
        shapes = [tuple(tensor.shape) for tensor in inputs]
        if any(shapes == [array.shape for array in one.inputs] for one in results):
            continue
        outputs = module(*inputs)
        listed: tuple[Tensor, ...] = outputs if isinstance(outputs, tuple) else (outputs,)
        results.append(Reference(frames, batch, _arrays(inputs), _arrays(listed)))
    return tuple(results)


def pass_lengths(graph: Graph, sizes: Sizes, *, frames: int, batch: int) -> dict[str, int]:
    """`Sizes.lengths`, with the rows of a large encoder and the frames of a large vocoder limited."""
    lengths = sizes.lengths(frames, batch=batch)
    if graph.role == "vocoder" and _is_large(sizes.vocoder):
        trained = sizes.lengths(sizes.train_frames, batch=1)["mel_frames"]
        if batch * lengths["mel_frames"] > trained:
            lengths |= {"batch": 1, "mel_frames": trained}
    layers = {
        "image_encoder": sizes.clip.vision_width * sizes.clip.vision_layers,
        "sync_encoder": sizes.synchformer.width * sizes.synchformer.depth,
    }
    if graph.role in layers:
        row = sum(math.prod(size for size in t.shape if isinstance(size, int)) for t in graph.spec.inputs)
        most = max(1, int(_MOST_WORK / (row * layers[graph.role]))) + batch - 1
        lengths["batch"] = min(lengths["batch"] * lengths["clip_frames"], most)
        lengths["segments"] = min(lengths["segments"], most)
    return lengths


def _is_large(vocoder: VocoderDims | VocosDims) -> bool:
    return isinstance(vocoder, VocoderDims) and vocoder.channels >= _LARGE_VOCODER


def differences(
    path: Path, spec: GraphSpec, known: Iterable[Reference], *, role: str
) -> tuple[Difference, ...]:
    """The graph in `path`, run on the CPU, against each reference.

    Raises:
        ExportError: onnxruntime does not take or run the graph, or an output has another shape.
    """
    session = _session(path, spec, role=role)
    return tuple(
        Difference(
            role,
            one.frames,
            one.batch,
            _worst(role, _run(session, spec, one.inputs, path=path, role=role), one.outputs),
        )
        for one in known
    )


def outputs_of(path: Path, spec: GraphSpec, inputs: Sequence[Array], *, role: str) -> tuple[Array, ...]:
    """What the graph in `path`, run on the CPU, makes of its inputs.

    Raises:
        ExportError: onnxruntime does not take or run the graph, it has another interface, or what comes out
            are no numbers.
    """
    outputs = tuple(_run(_session(path, spec, role=role), spec, inputs, path=path, role=role))
    if not all(np.isfinite(array).all() for array in outputs):
        message = f"The graph {role} ({path}) gives values that are no numbers."
        raise ExportError(message, remedy="Export the bundle again.")
    return outputs


def relative_l2(found: Array, wanted: Array) -> float:
    """`||found - wanted|| / ||wanted||`; infinite where either is not finite."""
    length = float(np.linalg.norm(wanted.astype(np.float64)))
    distance = float(np.linalg.norm(found.astype(np.float64) - wanted))
    if not math.isfinite(distance) or not math.isfinite(length):
        return math.inf
    return distance / length if length > 0 else distance


def worst_by_role(rows: Iterable[Difference]) -> dict[str, float]:
    """The largest difference of every graph, two digits."""
    worst: dict[str, float] = {}
    for row in rows:
        worst[row.role] = max(worst.get(row.role, 0.0), float(f"{row.relative:.1e}"))
    return worst


def refuse_large(
    rows: Iterable[Difference],
    *,
    tolerance: float = TOLERANCE,
    looser: Mapping[str, float] | None = None,
) -> None:
    """Pass when every graph agrees with torch.

    Args:
        rows: what was measured.
        tolerance: for every graph.
        looser: tolerances of graphs whose own arithmetic enlarges rounding.

    Raises:
        ExportError: naming those that do not.
    """
    worst = worst_by_role(rows)
    limits = {role: (looser or {}).get(role, tolerance) for role in worst}
    wrong = {role: value for role, value in worst.items() if not value <= limits[role]}
    if wrong:
        listed = ", ".join(
            f"{role} by {value:.1e} (at most {limits[role]:.0e})" for role, value in wrong.items()
        )
        raise ExportError(
            f"ONNX and torch differ too much (relative L2): {listed}.",
            remedy="Report this with the output of the command; the bundle was not written.",
        )


def difference_table(rows: Iterable[Difference], sizes: Sizes) -> str:
    """A Markdown table: graphs down, lengths across."""
    listed = tuple(rows)
    passes = tuple(dict.fromkeys((row.frames, row.batch) for row in listed))
    roles = dict.fromkeys(row.role for row in listed)
    cells: Mapping[tuple[str, int, int], float] = {
        (row.role, row.frames, row.batch): row.relative for row in listed
    }
    head = [f"{frames / sizes.sync_rate:.2f} s x {batch}" for frames, batch in passes]
    lines = [f"| graph | {' | '.join(head)} |", f"|---|{'---|' * len(head)}"]
    for role in roles:
        values = (cells.get((role, *one)) for one in passes)
        lines.append(f"| {role} | {' | '.join('' if v is None else f'{v:.1e}' for v in values)} |")
    return "\n".join(lines)


def _worst(role: str, found: Sequence[Array], wanted: Sequence[Array]) -> float:
    for ours, theirs in zip(found, wanted, strict=True):
        if ours.shape != theirs.shape:
            raise ExportError(
                f"The graph {role} gives the shape {ours.shape} where torch gives {theirs.shape}.",
                remedy="Report this with the output of the command.",
            )
    return max(relative_l2(ours, theirs) for ours, theirs in zip(found, wanted, strict=True))


def _session(path: Path, spec: GraphSpec, *, role: str) -> Any:
    """The graph, loaded by onnxruntime for the CPU, with the interface it should have."""
    import onnxruntime  # noqa: PLC0415  slow to import, needed only here

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  onnxruntime's own errors share no base but Exception
        raise ExportError(
            f"onnxruntime does not take the graph {role} ({path}).",
            remedy="Export the bundle again.",
            detail=str(error),
        ) from None
    for ours, theirs in ((spec.inputs, session.get_inputs()), (spec.outputs, session.get_outputs())):
        wanted = [(tensor.name, _RUNTIME_TYPES[tensor.dtype], list(tensor.shape)) for tensor in ours]
        found = [(tensor.name, tensor.type, list(tensor.shape)) for tensor in theirs]
        if wanted != found:
            message = f"The graph {role} ({path}) has {found} where the manifest says {wanted}."
            raise ExportError(message, remedy="Export the bundle again.")
    return session


def _run(session: Any, spec: GraphSpec, inputs: Sequence[Array], *, path: Path, role: str) -> list[Array]:
    fed = {tensor.name: array for tensor, array in zip(spec.inputs, inputs, strict=True)}
    try:
        outputs: list[Array] = session.run([tensor.name for tensor in spec.outputs], fed)
    except Exception as error:  # noqa: BLE001  onnxruntime's own errors share no base but Exception
        message = f"onnxruntime cannot run the graph {role} ({path})."
        raise ExportError(message, remedy="Export the bundle again.", detail=str(error)) from None
    return outputs


def _arrays(tensors: Iterable[Tensor]) -> tuple[Array, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
