"""`sagafoley-export owlv2-base`, and `verify` of the bundles that it makes."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable

from exporter.bundle_options import add_bundle_options, described
from exporter.errors import ExportError
from models_onnx.bundle import MANIFEST_NAME
from models_onnx.finder_manifest import FinderBundle

OWLV2_NAMES = ("owlv2-base", "owlv2-golden")
ALWAYS_RANDOM = "owlv2-golden"

Say = Callable[[str], None]


def add_owlv2(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that make finder bundles."""
    for name in OWLV2_NAMES:
        parser = commands.add_parser(name, help=f"make a bundle of {name}, which finds objects by words")
        add_bundle_options(parser, always_random=name == ALWAYS_RANDOM)


def run_owlv2(options: argparse.Namespace, *, say: Say) -> None:
    """Make the bundle that was asked for.

    Raises:
        ExportError: the weights do not fit, or the library with the network is not installed.
    """
    _need_transformers()
    from exporter.owlv2_export import Owlv2Request, export_owlv2  # noqa: PLC0415  torch takes seconds
    from exporter.owlv2_graphs import OWLV2_SIZES  # noqa: PLC0415
    from exporter.owlv2_weights import DrawnOwlv2, Owlv2Folder  # noqa: PLC0415

    size, trained = OWLV2_SIZES[options.what], options.checkpoints is not None
    words = f"OWLv2 {size.id.removeprefix('owlv2-')}"
    request = Owlv2Request(
        size=size,
        weights=Owlv2Folder(options.checkpoints) if trained else DrawnOwlv2(options.salt),
        id=options.id or size.id.replace("-", "_"),
        title=options.title or (words if trained else f"{words}, untrained"),
        precision=options.precision,
        trained=trained,
    )
    bundle = export_owlv2(request, output=options.output, say=say)
    say(described(bundle))


def verify_owlv2(options: argparse.Namespace, *, say: Say) -> None:
    """Hash every file, load every graph, compare with torch where weights are named, print a table.

    Raises:
        ExportError: a graph cannot be loaded, or is out of tolerance, or the manifest is of no such size.
        InvalidBundle: a file was changed.
    """
    from exporter.bundle_checks import refuse_claims, refuse_tokenizer  # noqa: PLC0415
    from exporter.bundle_facts import refuse_untrue  # noqa: PLC0415
    from exporter.bundle_parity import parity_table  # noqa: PLC0415
    from exporter.owlv2_export import finder_facts, measure, refuse_far, size_of  # noqa: PLC0415
    from exporter.owlv2_weights import DrawnOwlv2, Owlv2Folder, Owlv2Weights  # noqa: PLC0415

    bundle = FinderBundle.open(options.bundle)
    bundle.verify(lambda name: say(f"{name}: hashing"))
    manifest = bundle.manifest
    refuse_claims(bundle, manifest.parity)
    path = bundle.folder / MANIFEST_NAME
    refuse_untrue(path, finder_facts(manifest), architecture=manifest.architecture)
    refuse_tokenizer(bundle, vocabulary=size_of(manifest).vocabulary)
    weights: Owlv2Weights | None = None
    if options.random_weights:
        weights = DrawnOwlv2(options.salt)
    elif options.checkpoints is not None:
        weights = Owlv2Folder(options.checkpoints)
    if weights is not None:
        _need_transformers()
    rows = measure(bundle, weights, say=say)
    say(parity_table(rows))
    refuse_far(rows, bundle.manifest)
    say(f"{bundle.folder}: whole; digest {bundle.digest}")


def _need_transformers() -> None:
    if importlib.util.find_spec("transformers") is None:  # not imported yet: `Owlv2Size.build` says how
        message = "The exporter needs transformers, which is not installed."
        raise ExportError(message, remedy="Install Sagafoley with its 'export' extra.")
