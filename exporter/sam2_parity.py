"""A finished mask bundle held against torch and against itself: rows of the same table as for sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from exporter import verify
from exporter.bundle_facts import Fact, other_values, values_of
from exporter.bundle_parity import Row
from exporter.errors import ExportError
from exporter.sam2_export import memory_of, picture_of, references, tolerance
from exporter.sam2_graphs import COMPARED, SAM2_SIZES, Sam2Graph, Sam2Size, example_inputs, graphs_of
from exporter.sam2_weights import Sam2Weights
from models_onnx.mask_manifest import MaskBundle, MaskManifest

Say = Callable[[str], None]


def size_of(manifest: MaskManifest) -> Sam2Size:
    """The size that a bundle was made of, with its own picture.

    Raises:
        ExportError: it is unknown here.
    """
    for size in SAM2_SIZES.values():
        if size.checkpoint == manifest.architecture:
            return size.at(manifest.picture.size)
    known = ", ".join(size.checkpoint for size in SAM2_SIZES.values())
    raise ExportError(
        f"The bundle {manifest.id} has the architecture {manifest.architecture}, which is unknown here.",
        remedy=f"Update Sagafoley; it knows {known}.",
    )


def mask_facts(manifest: MaskManifest) -> tuple[Fact, ...]:
    """What the manifest should not say of its picture and of what is remembered.

    Raises:
        ExportError: its architecture is unknown here.
    """
    dims = size_of(manifest).dims
    expected = {**values_of("picture", picture_of(dims)), **values_of("memory", memory_of(dims))}
    return tuple(other_values(manifest, expected))


def constant_shapes(manifest: MaskManifest) -> Mapping[str, tuple[int, ...]]:
    """Shapes of the learned values that the host needs."""
    width = manifest.memory.width
    return {
        "no_mem_embed": (width,),
        "no_obj_ptr": (width,),
        "mask_downsample_weight": (4, 4),
        "mask_downsample_bias": (1,),
    }


def load_graphs(bundle: MaskBundle, *, say: Say) -> None:
    """Load every graph and hold its interface against the manifest.

    Raises:
        ExportError: naming the graph at fault.
        InvalidBundle: a file was changed.
    """
    for role, spec in bundle.manifest.graphs.items():
        say(f"{role}: loading")
        for file in (spec.file, bundle.manifest.gpu_graphs.get(role)):
            if file is not None:
                verify.differences(bundle.checked_path(file), spec, (), role=role)


def measure(bundle: MaskBundle, weights: Sam2Weights | None, *, say: Say) -> tuple[Row, ...]:
    """A row for every graph.

    Args:
        bundle: whole and verified.
        weights: those it was made of; None compares it with itself only.
        say: told which graph is being looked at.

    Raises:
        ExportError: the bundle is of a size unknown here, or a graph cannot be run, or gives values that are
            no numbers.
    """
    size = size_of(bundle.manifest)
    network = None if weights is None else weights.network(size)
    rows = []
    for graph in graphs_of(size.dims):
        say(f"{graph.role}: comparing")
        known = None if network is None else references(graph, graph.wrap(network).eval(), size, COMPARED)
        listed = None if known is None else tuple(reference for _, reference in known)
        rows.append(_row(bundle, graph, size, listed))
    return tuple(rows)


def refuse_far(rows: Iterable[Row], manifest: MaskManifest) -> None:
    """Pass when every difference is within its tolerance.

    Raises:
        ExportError: naming the graphs that are not.
    """
    far = []
    for row in rows:
        limit = tolerance(row.role, precision=manifest.precision)
        half = tolerance(f"{row.role}.gpu", precision=manifest.precision)
        far += [
            f"{row.role} ({what}) by {value:.1e}, at most {most:.0e}"
            for what, value, most in (
                ("at export", row.recorded, limit),
                ("now", row.now, limit),
                ("for CUDA", row.half, half),
            )
            if value is not None and not value <= most
        ]
    if far:
        raise ExportError(
            f"The bundle {manifest.id} differs too much (relative L2): {'; '.join(far)}.",
            remedy="Export it again, and verify it with the weights it was made of.",
        )


def _row(
    bundle: MaskBundle, graph: Sam2Graph, size: Sam2Size, known: tuple[verify.Reference, ...] | None
) -> Row:
    role, manifest = graph.role, bundle.manifest
    now = None if known is None else _worst(bundle, graph, known, file=graph.spec.file)
    form = manifest.gpu_graphs.get(role)
    wanted = (_own_outputs(bundle, graph, size),) if known is None else known
    half = None if form is None else _worst(bundle, graph, wanted, file=form)
    return Row(role, manifest.parity.get(role), now, half)


def _worst(bundle: MaskBundle, graph: Sam2Graph, known: tuple[verify.Reference, ...], *, file: str) -> float:
    rows = verify.differences(bundle.checked_path(file), graph.spec, known, role=graph.role)
    return max(row.relative for row in rows)


def _own_outputs(bundle: MaskBundle, graph: Sam2Graph, size: Sam2Size) -> verify.Reference:
    """What the plain graph makes of the example inputs."""
    inputs = tuple(tensor.numpy() for tensor in example_inputs(graph, size.dims, COMPARED[-1]))
    path = bundle.checked_path(graph.spec.file)
    return verify.Reference(0, 1, inputs, verify.outputs_of(path, graph.spec, inputs, role=graph.role))
