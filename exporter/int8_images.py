"""A bundle whose image tower computes with integers of 8 bits, made where that is as good and quicker.

Every large product of the tower with its weights becomes one of integers: weights rounded per output
channel, activations per call. Whether the features stay what they were depends on the weights (trained
transformers have outliers), whether it is quicker on the processor. Both are measured here and now, and
where one of them fails no bundle is made. The new bundle has a digest of its own, so its takes are told
from those of the bundle that it was made of.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
from numpy.typing import NDArray

from exporter import lowering
from exporter.errors import ExportError
from exporter.export import CARD_FILE
from exporter.growing import folder_beside, put_in_place
from exporter.replacing import refuse_foreign
from exporter.room import refuse_full
from models_onnx.bundle import EXTERNAL_DATA, Bundle, Manifest, describe_files, write_manifest

ROLE = "image_encoder"
LEAST_COSINE = 0.999
"""Of the features of every picture to those in float32."""
TOLERANCE = (2 * (1 - LEAST_COSINE)) ** 0.5
"""Relative L2 difference that goes with it: features have unit length."""
LEAST_GAIN = 1.05
"""Times as quick, for it to be worth it."""
LARGE = 1 << 20
"""Values of a weight from which on its product is rounded."""
LEAST_PART = 5
"""An image tower in 8 bits takes more than a fifth of one in 32; the other files may be links."""
TURNS = 3

Pictures = NDArray[np.float32]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What the rounded tower is like.

    Attributes:
        products: that became products of integers.
        cosine: of the features to those in float32, the worst picture's.
        relative: L2 difference of all features.
        gain: times as quick as float32 here, processor seconds.
    """

    products: int
    cosine: float
    relative: float
    gain: float

    def told(self) -> str:
        """In words."""
        return (
            f"{self.products} products, cosine {self.cosine:.5f} to float32 (at least {LEAST_COSINE}), "
            f"{self.gain:.2f} times as quick on this machine (at least {LEAST_GAIN})"
        )


def make_int8_images(
    bundle: Bundle, output: Path, *, say: Say, pictures: Pictures | None = None, large: int = LARGE
) -> Bundle:
    """A copy of a bundle in the folder `output`, its image tower in 8 bits.

    Args:
        bundle: of precision fp32, for the CPU alone.
        output: a new folder, or that of a bundle to replace.
        say: told what was measured.
        pictures: `[B, 3, S, S]`, 0..1, that features are compared on; None draws some.
        large: see `LARGE`.

    Raises:
        ExportError: the bundle is another kind, the features change, or it is no quicker here; nothing is
            written then.
        InvalidBundle: a file of the bundle was changed.
    """
    refuse_foreign(output)
    _refuse_other_kinds(bundle)
    bundle.verify()
    spec = bundle.manifest.graphs[ROLE]
    whole = sum(bundle.manifest.files[name].bytes for name in bundle.parts_of(spec.file))
    refuse_full(output, least=whole // LEAST_PART)
    seen = drawn_pictures(bundle.manifest.picture.clip_size) if pictures is None else pictures
    with folder_beside(output) as folder:
        model = ir.load(bundle.folder / spec.file)
        count = quantise(model, large=large)
        if not count:
            raise ExportError(
                f"The image tower of {bundle.manifest.id} has no products that are worth rounding.",
                remedy="Keep the bundle in float32.",
            )
        lowering.save(model, folder / spec.file)
        del model
        found = _compare(bundle.folder / spec.file, folder / spec.file, seen, products=count)
        say(f"{ROLE} in 8 bits: {found.told()}")
        _refuse_worse(found)
        _fill(folder, bundle, found)
        put_in_place(folder, output)
    return Bundle.open(output)


def drawn_pictures(size: int) -> Pictures:
    """Pictures to compare features on where none are at hand: noise, waves, a disc before a ground."""
    random = np.random.default_rng(8)
    rows, columns = np.mgrid[0:size, 0:size] / size
    waves = [0.5 + 0.5 * np.sin(2 * np.pi * (a * rows + b * columns)) for a, b in ((1, 2), (3, 0), (7, 5))]
    disc = (np.hypot(rows - 0.4, columns - 0.6) < 0.2).astype(np.float64)
    ground = [0.2 + 0.3 * rows, 0.5 * columns, np.full_like(rows, 0.3)]
    discs = [part * (1 - disc) + colour * disc for part, colour in zip(ground, (0.9, 0.7, 0.1), strict=True)]
    return np.stack([random.random((3, size, size)), np.stack(waves), np.stack(discs)]).astype(np.float32)


def quantise(model: ir.Model, *, large: int = LARGE) -> int:
    """Turn the large products of a float32 graph into those of integers; how many."""
    wide = [node for node in model.graph if _is_large(node, large)]
    changed: dict[ir.Value, tuple[ir.Value, ...]] = {}
    for node in wide:
        source = node.inputs[0]
        if source is None:
            raise RuntimeError("a product of nothing")
        if source not in changed:
            made = ir.node("DynamicQuantizeLinear", [source], num_outputs=3)
            model.graph.insert_before(node, made)
            changed[source] = tuple(made.outputs)
        _replace(model.graph, node, changed[source])
    for name, value in tuple(model.graph.initializers.items()):
        if not value.uses():
            del model.graph.initializers[name]
    model.graph.opset_imports["com.microsoft"] = 1
    return len(wide)


def _is_large(node: ir.Node, large: int) -> bool:
    weight = node.inputs[1] if node.op_type == "MatMul" else None
    return weight is not None and weight.const_value is not None and weight.const_value.size >= large


def _replace(graph: ir.Graph, node: ir.Node, source: tuple[ir.Value, ...]) -> None:
    """Put a product of integers in a product's place; `source` is the signal, its step and its zero."""
    weight, old = node.inputs[1], node.outputs[0]
    if weight is None or weight.const_value is None:
        raise RuntimeError("a product with nothing")
    rounded, scale = _rounded(weight.const_value.numpy())
    parts = {"int8": rounded, "scale": scale, "zero": np.zeros(rounded.shape[1], np.int8)}
    matrix, step, zero = (_constant(graph, f"{weight.name}_{key}", array) for key, array in parts.items())
    product = ir.node(
        "MatMulIntegerToFloat",
        [source[0], matrix, source[1], step, source[2], zero],
        domain="com.microsoft",
    )
    graph.insert_before(node, product)
    ir.convenience.replace_all_uses_with(old, product.outputs[0])
    graph.remove(node, safe=True)


def _rounded(weight: Any) -> tuple[Any, Any]:
    """Weights `[K, N]` in 8 bits and the step of every column."""
    scale = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)


def _constant(graph: ir.Graph, name: str, array: Any) -> ir.Value:
    """A weight of the graph; products of the same weight share it."""
    if name in graph.initializers:
        return graph.initializers[name]
    value = ir.Value(name=name, const_value=ir.tensor(array, name=name))
    graph.register_initializer(value)
    return value


def _compare(whole: Path, rounded: Path, pictures: Pictures, *, products: int) -> Found:
    """Both towers on the same pictures, one after the other in memory and in turn by the clock."""
    sessions = [_session(path) for path in (whole, rounded)]
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for session, seconds in zip(sessions, spent, strict=True):
            began = time.process_time()
            session.run(None, {"images": pictures[:1]})
            seconds.append(time.process_time() - began)
    wanted, found = (_features(session, pictures) for session in sessions)
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
    return Found(
        products=products,
        cosine=float(((wanted * found).sum(1) / lengths).min()),
        relative=float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted)),
        gain=statistics.median(spent[0]) / max(statistics.median(spent[1]), 1e-9),
    )


def _features(session: Any, pictures: Pictures) -> Any:
    return np.concatenate([session.run(None, {"images": one[None]})[0] for one in pictures])


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _refuse_other_kinds(bundle: Bundle) -> None:
    manifest = bundle.manifest
    if manifest.precision != "fp32" or manifest.gpu_graphs or manifest.eight_bit:
        raise ExportError(
            f"The bundle {manifest.id} cannot get an image tower of 8 bits: its weights are not in float32, "
            "or it has graphs for a GPU.",
            remedy="Name a bundle that was exported with --precision fp32 --provider cpu.",
        )


def _refuse_worse(found: Found) -> None:
    if not found.cosine >= LEAST_COSINE or not found.gain >= LEAST_GAIN:
        raise ExportError(
            f"An image tower of 8 bits is not worth it with these weights: {found.told()}.",
            remedy="Keep the bundle in float32.",
        )


def _fill(folder: Path, bundle: Bundle, found: Found) -> None:
    """The other files, linked where the file system can, the card with a line more, and the manifest."""
    file = bundle.manifest.graphs[ROLE].file
    for name in bundle.manifest.files:
        if name not in {file, f"{file}{EXTERNAL_DATA}"}:
            _take_along(bundle.folder / name, folder / name)
    card = folder / CARD_FILE
    told = f"\nThe image tower computes with integers of 8 bits: {found.told()}, when this was made.\n"
    if card.exists():
        text = card.read_text("utf-8") + told
        card.unlink()  # it may be the other bundle's file
        card.write_text(text, "utf-8")
    write_manifest(folder, _manifest(folder, bundle.manifest, found))


def _take_along(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(folder: Path, manifest: Manifest, found: Found) -> Manifest:
    return replace(
        manifest,
        id=f"{manifest.id}-int8",
        title=f"{manifest.title} (image tower in 8 bits)",
        files=describe_files(folder),
        parity=manifest.parity | {ROLE: float(f"{found.relative:.1e}")},
        eight_bit={ROLE: float(f"{found.cosine:.6f}")},
    )
