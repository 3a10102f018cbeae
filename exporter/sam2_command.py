"""`sagafoley-export sam2-tiny` and its siblings, and `verify` of the bundles that they make."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from exporter.bundle_options import add_bundle_options, described
from models_onnx.bundle import MANIFEST_NAME
from models_onnx.mask_manifest import MaskBundle

SAM2_NAMES = ("sam2-tiny", "sam2-small", "sam2-base-plus", "sam2-golden")
ALWAYS_RANDOM = "sam2-golden"

Say = Callable[[str], None]


def add_sam2(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that make mask bundles."""
    for name in SAM2_NAMES:
        parser = commands.add_parser(name, help=f"make a bundle of {name}, which makes masks")
        add_bundle_options(parser, always_random=name == ALWAYS_RANDOM)
        parser.add_argument(
            "--size",
            type=int,
            metavar="PIXELS",
            help="side of the square picture; smaller is quicker and worse (default: 1024)",
        )
        parser.add_argument(
            "--provider",
            choices=("cpu", "cuda"),
            default="cpu",
            help="cuda: add graphs whose heavy arithmetic is in float16 for NVIDIA GPUs",
        )


def run_sam2(options: argparse.Namespace, *, say: Say) -> None:
    """Make the bundle that was asked for."""
    from exporter.lowering import Form  # noqa: PLC0415  torch takes seconds to import
    from exporter.sam2_export import Sam2Request, export_sam2  # noqa: PLC0415
    from exporter.sam2_graphs import SAM2_SIZES  # noqa: PLC0415
    from exporter.sam2_weights import DrawnSam2, Sam2Folder  # noqa: PLC0415

    size = SAM2_SIZES[options.what]
    if options.size is not None:
        size = size.at(options.size)
    trained = options.checkpoints is not None
    words = f"SAM 2.1 {size.id.removeprefix('sam2-').replace('-', ' ')}"
    request = Sam2Request(
        size=size,
        weights=Sam2Folder(options.checkpoints) if trained else DrawnSam2(options.salt),
        id=options.id or size.id.replace("-", "_"),
        title=options.title or (words if trained else f"{words}, untrained"),
        precision=options.precision,
        form=Form.GPU if options.provider == "cuda" else Form.PLAIN,
        trained=trained,
    )
    bundle = export_sam2(request, output=options.output, say=say)
    say(described(bundle))


def verify_sam2(options: argparse.Namespace, *, say: Say) -> None:
    """Hash every file, load every graph, compare with torch where weights are named, print a table.

    Raises:
        ExportError: a graph cannot be loaded, or is out of tolerance, or the manifest is of no such size.
        InvalidBundle: a file was changed.
    """
    from exporter.bundle_checks import refuse_arrays, refuse_claims  # noqa: PLC0415
    from exporter.bundle_facts import refuse_untrue  # noqa: PLC0415
    from exporter.bundle_parity import parity_table  # noqa: PLC0415
    from exporter.sam2_parity import (  # noqa: PLC0415
        constant_shapes,
        load_graphs,
        mask_facts,
        measure,
        refuse_far,
    )
    from exporter.sam2_weights import DrawnSam2, Sam2Folder, Sam2Weights  # noqa: PLC0415

    bundle = MaskBundle.open(options.bundle)
    bundle.verify(lambda name: say(f"{name}: hashing"))
    manifest = bundle.manifest
    refuse_claims(bundle, manifest.parity)
    path = bundle.folder / MANIFEST_NAME
    refuse_untrue(path, mask_facts(manifest), architecture=manifest.architecture)
    refuse_arrays(bundle, bundle.manifest.constants, constant_shapes(bundle.manifest))
    load_graphs(bundle, say=say)
    weights: Sam2Weights | None = None
    if options.random_weights:
        weights = DrawnSam2(options.salt)
    elif options.checkpoints is not None:
        weights = Sam2Folder(options.checkpoints)
    rows = measure(bundle, weights, say=say)
    say(parity_table(rows))
    refuse_far(rows, bundle.manifest)
    say(f"{bundle.folder}: whole; digest {bundle.digest}")
