"""Which bundles can run here: by ONNX Runtime's version, and by the opset of their graphs."""

from __future__ import annotations

from models_onnx.bundle import GraphFolder
from models_onnx.manifest import InvalidBundle

NEWEST_OPSET = 23
"""Of the graphs this version knows to run: what the oldest ONNX Runtime it installs with supports."""


def refuse_newer(bundle: GraphFolder, *, runtime: str) -> None:
    """Pass when the graphs of a bundle are such that they can run here.

    Args:
        bundle: of any kind.
        runtime: version of the installed ONNX Runtime.

    Raises:
        InvalidBundle: "newer": they need another ONNX Runtime, or are in a newer form of ONNX.
    """
    manifest, installed = bundle.manifest, parse_version(runtime)
    needed, below = manifest.onnxruntime_min, str(getattr(manifest, "onnxruntime_below", ""))
    if installed < parse_version(needed) or (below and installed >= parse_version(below)):
        until = f" and older than {below}" if below else ""
        message = (
            f"the bundle {manifest.id} needs ONNX Runtime {needed} or newer{until}; {runtime} is installed"
        )
        raise InvalidBundle(message, reason="newer", path=bundle.folder)
    if manifest.opset > NEWEST_OPSET:
        message = (
            f"the graphs of the bundle {manifest.id} are of ONNX opset {manifest.opset}; "
            f"this version runs opsets up to {NEWEST_OPSET}"
        )
        raise InvalidBundle(message, reason="newer", path=bundle.folder)


def parse_version(text: str) -> tuple[int, ...]:
    """Leading numbers of a version ("1.31.1rc2" -> (1, 31))."""
    numbers = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
