"""`sagafoley-export`: weights to a verified bundle of ONNX graphs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exporter.bundle_options import add_bundle_options, described
from exporter.errors import ExportError
from exporter.owlv2_command import OWLV2_NAMES, add_owlv2, run_owlv2, verify_owlv2
from exporter.sam2_command import SAM2_NAMES, add_sam2, run_sam2, verify_sam2
from models_onnx.bundle import MANIFEST_NAME, Bundle, InvalidBundle
from models_onnx.finder_manifest import is_finder_bundle
from models_onnx.mask_manifest import is_mask_bundle

SIZE_NAMES = ("small_44k_sa", "medium_44k_sa", "small_44k", "medium_44k", "tiny", "embedded", "golden")
OTHER_NAMES = {
    "saganet-small": "small_44k_sa",
    "saganet-small-no-lora": "small_44k_sa",
    "saganet-medium": "medium_44k_sa",
    "mmaudio-small": "small_44k",
    "mmaudio-medium": "medium_44k",
}
"""What the catalog and people call the published sizes."""
ALWAYS_RANDOM = ("embedded", "golden")

_DESCRIPTION = """\
Make a bundle:    sagafoley-export saganet-small --checkpoints FOLDER -o BUNDLE
For masks:        sagafoley-export sam2-tiny --checkpoints FOLDER -o BUNDLE
For words:        sagafoley-export owlv2-base --checkpoints FOLDER -o BUNDLE
Check a bundle:   sagafoley-export verify BUNDLE"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 done, 2 wrong usage, weights or bundle, 130 interrupted."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    options = _parser().parse_args(arguments)
    try:
        {"verify": _verify, "int8-images": _int8_images}.get(options.what, _export)(options)
    except (ExportError, InvalidBundle) as error:
        return _failed(error, verbose=options.verbose)
    except KeyboardInterrupt:
        _print_error("Interrupted; nothing was written.")
        return 130
    except Exception as error:  # the outermost edge: no traceback reaches a user unasked
        if options.verbose:
            raise
        _print_error(f"The export failed unexpectedly: {type(error).__name__}: {error}")
        _print_error("Run it again with --verbose before the size and report what it prints.")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sagafoley-export",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--verbose", action="store_true", help="say what the libraries said when something fails"
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="SIZE|verify")
    for name in SIZE_NAMES:
        aliases = [other for other, size in OTHER_NAMES.items() if size == name]
        _add_size(commands.add_parser(name, aliases=aliases, help=f"make a bundle of {name}"), name)
    add_sam2(commands)
    add_owlv2(commands)
    check = commands.add_parser("verify", help="hash every file, load every graph, compare with torch")
    check.add_argument("bundle", type=Path, help="the bundle's folder")
    weights = check.add_mutually_exclusive_group()
    weights.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        help="compare with torch, with the weights in these files",
    )
    weights.add_argument(
        "--random-weights", action="store_true", help="compare with torch, with drawn weights"
    )
    check.add_argument("--salt", default="", help="of the drawn weights")
    rounded = commands.add_parser("int8-images", help="copy a bundle with an image tower of 8 bits")
    rounded.add_argument("bundle", type=Path, help="the bundle's folder; precision fp32, for the CPU")
    rounded.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE", help="folder to write")
    return parser


def _add_size(parser: argparse.ArgumentParser, name: str) -> None:
    add_bundle_options(parser, always_random=name in ALWAYS_RANDOM)
    parser.add_argument(
        "--provider",
        choices=("cpu", "cuda", "coreml-safe"),
        default="cpu",
        help="cuda: add graphs whose heavy arithmetic is in float16 for NVIDIA GPUs; the others are the same"
        " standard operators, which every provider takes (default: cpu)",
    )
    parser.add_argument("--about", type=Path, metavar="FILE", help="Markdown that the model card begins with")


def _export(options: argparse.Namespace) -> None:
    _need_torch()
    if options.what in SAM2_NAMES:
        run_sam2(options, say=_say)
        return
    if options.what in OWLV2_NAMES:
        run_owlv2(options, say=_say)
        return
    from exporter.export import export_bundle  # noqa: PLC0415  torch takes seconds to import
    from exporter.labels import checkpoint_label, random_label  # noqa: PLC0415
    from exporter.lowering import Form  # noqa: PLC0415
    from exporter.networks import CheckpointFolder, RandomWeights  # noqa: PLC0415
    from exporter.places import VARIANTS  # noqa: PLC0415
    from exporter.sizes import SIZES  # noqa: PLC0415

    sizes = SIZES[OTHER_NAMES.get(options.what, options.what)]
    if options.checkpoints is None:
        weights: RandomWeights | CheckpointFolder = RandomWeights(salt=options.salt)
        label = random_label(sizes, id=options.id, title=options.title)
    else:
        weights = CheckpointFolder.open(
            options.checkpoints, sizes, only=VARIANTS.get(options.what, ""), say=_say
        )
        _say(f"{options.checkpoints}: {weights.described()}")
        weights.check(sizes)
        flow, _ = weights.files["flow"]
        label = checkpoint_label(sizes, id=options.id, title=options.title, file=flow.stem)
    if options.about is not None:
        label = replace(label, about=_text(options.about))
    bundle = export_bundle(
        sizes,
        weights,
        label,
        output=options.output,
        say=_say,
        precision=options.precision,
        form=Form.GPU if options.provider == "cuda" else Form.PLAIN,
    )
    _say(described(bundle))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"The text {path} cannot be read ({error})."
        raise ExportError(message, remedy="Name a Markdown file.") from None


def _verify(options: argparse.Namespace) -> None:
    _need_torch()
    if is_mask_bundle(options.bundle):
        verify_sam2(options, say=_say)
        return
    if is_finder_bundle(options.bundle):
        verify_owlv2(options, say=_say)
        return
    bundle = Bundle.open(options.bundle)
    bundle.verify(lambda name: _say(f"{name}: hashing"))
    _check(bundle)
    _compare(bundle, options)
    _say(f"{bundle.folder}: whole; digest {bundle.digest}")


def _int8_images(options: argparse.Namespace) -> None:
    _need_torch()
    from exporter.int8_images import make_int8_images  # noqa: PLC0415

    bundle = make_int8_images(Bundle.open(options.bundle), options.output, say=_say)
    _say(f"{bundle.folder}: whole; digest {bundle.digest}")


def _check(bundle: Bundle) -> None:
    """Pass when the manifest is one of its architecture, and the runtime would take what is no graph."""
    from exporter.bundle_checks import refuse_arrays, refuse_claims, refuse_tokenizer  # noqa: PLC0415
    from exporter.bundle_facts import refuse_untrue, sound_facts  # noqa: PLC0415
    from exporter.bundle_parity import null_shapes, sizes_of  # noqa: PLC0415

    manifest, sizes = bundle.manifest, sizes_of(bundle.manifest)
    refuse_claims(bundle, manifest.parity)
    path = bundle.folder / MANIFEST_NAME
    refuse_untrue(path, sound_facts(manifest), architecture=manifest.architecture)
    refuse_tokenizer(bundle, vocabulary=sizes.clip.vocabulary)
    refuse_arrays(bundle, manifest.null_conditions, null_shapes(sizes))


def _compare(bundle: Bundle, options: argparse.Namespace) -> None:
    """Print the parity table; an error where a stage is out of tolerance."""
    from exporter.bundle_parity import measure, parity_table, refuse_far, sizes_of  # noqa: PLC0415
    from exporter.networks import CheckpointFolder, RandomWeights  # noqa: PLC0415
    from exporter.places import variant_of  # noqa: PLC0415

    weights: RandomWeights | CheckpointFolder | None = None
    if options.random_weights:
        weights = RandomWeights(salt=options.salt)
    elif options.checkpoints is not None:
        only = variant_of(bundle.manifest.sources)
        weights = CheckpointFolder.open(options.checkpoints, sizes_of(bundle.manifest), only=only, say=_say)
        _say(f"{options.checkpoints}: {weights.described()}")
    rows = measure(bundle, weights, say=_say)
    _say(parity_table(rows))
    refuse_far(rows, bundle.manifest)


def _need_torch() -> None:
    try:
        import onnxscript  # noqa: F401, PLC0415
        import torch  # noqa: F401, PLC0415
    except ImportError as error:
        message = f"The exporter needs {error.name}, which is not installed."
        raise ExportError(message, remedy="Install Sagafoley with its 'export' extra.") from None


def _failed(error: ExportError | InvalidBundle, *, verbose: bool) -> int:
    if isinstance(error, InvalidBundle):
        text = str(error)
        remedy = (
            "Update Sagafoley" if error.reason == "newer" else "Export the bundle again or name another one"
        )
        _print_error(f"{text[0].upper()}{text[1:]}. {remedy}.")
        return 2
    _print_error(str(error))
    table = getattr(error, "table", "")
    if table or (verbose and error.detail):
        _print_error(table or error.detail)
    return 2


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _print_error(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
