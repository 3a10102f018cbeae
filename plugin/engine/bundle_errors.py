"""The errors of `models_onnx` told in the product's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models_onnx.manifest import InvalidBundle, Manifest
from plugin.engine.providers import parse_version
from plugin.errors import BundleCorrupt, BundleError, BundleMissing, BundleTooNew

NEWEST_OPSET = 23
"""Of the graphs this version knows to run: what the oldest ONNX Runtime it installs with supports."""


@contextmanager
def bundle_errors() -> Iterator[None]:
    """Turns `InvalidBundle` into the error a user sees."""
    try:
        yield
    except InvalidBundle as error:
        raise describe_invalid(error) from None


def describe_invalid(error: InvalidBundle) -> BundleError:
    """The product's error for a bundle that is not usable."""
    sentence = f"{str(error).rstrip('.')}."
    message, detail = sentence[0].upper() + sentence[1:], str(error.path)
    if error.reason == "missing":
        return BundleMissing(message, remedy="List the bundles with `sagafoley models list`.", detail=detail)
    if error.reason == "other":
        remedy = "Name another bundle; `sagafoley models list` shows all."
        return BundleMissing(message, remedy=remedy, detail=detail)
    if error.reason == "newer":
        return BundleTooNew(message, remedy="Update Sagafoley.", detail=detail)
    return BundleCorrupt(message, remedy="Install or export the bundle again.", detail=detail)


def refuse_unknown(manifest: Manifest, *, runtime: str) -> None:
    """Pass when the graphs of a bundle are such that they can run here.

    Args:
        manifest: of the bundle.
        runtime: version of the installed ONNX Runtime.

    Raises:
        BundleTooNew: they need a newer ONNX Runtime, or are in a newer form of ONNX.
    """
    needed = manifest.onnxruntime_min
    if parse_version(runtime) < parse_version(needed):
        raise BundleTooNew(
            f"The bundle {manifest.id} needs ONNX Runtime {needed} or newer; {runtime} is installed.",
            remedy="Update Sagafoley.",
            detail=f"installed: {runtime}",
        )
    if manifest.opset > NEWEST_OPSET:
        raise BundleTooNew(
            f"The graphs of the bundle {manifest.id} are of ONNX opset {manifest.opset}; "
            f"this version runs opsets up to {NEWEST_OPSET}.",
            remedy="Update Sagafoley.",
        )
