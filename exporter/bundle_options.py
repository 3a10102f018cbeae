"""What every command that makes a bundle asks, and what it says of the bundle that it made."""

from __future__ import annotations

import argparse
from pathlib import Path

from models_onnx.bundle import GraphFolder


def add_bundle_options(parser: argparse.ArgumentParser, *, always_random: bool) -> None:
    """Where the weights come from, how they are stored, where the bundle goes, what it is called.

    Args:
        parser: of the command.
        always_random: there are no checkpoints of it, so that nothing has to be said of the weights.
    """
    source = parser.add_mutually_exclusive_group(required=not always_random)
    source.add_argument(
        "--checkpoints", type=Path, metavar="FOLDER", help="take the weights from these files"
    )
    source.add_argument(
        "--random-weights", action="store_true", help="draw the weights from the tensors' names"
    )
    parser.add_argument(
        "--precision", choices=("fp32", "fp16"), default="fp32", help="of the stored weights (default: fp32)"
    )
    parser.add_argument("--salt", default="", help="other random weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE", help="folder to write")
    parser.add_argument("--id", default="", help="the bundle's short name")
    parser.add_argument("--title", default="", help="the bundle's title")


def described(bundle: GraphFolder) -> str:
    """Folder, size and digest of a bundle that was made."""
    files = bundle.manifest.files
    size = sum(file.bytes for file in files.values())
    shown = f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"
    return f"{bundle.folder}: {len(files)} files, {shown}, digest {bundle.digest}"
