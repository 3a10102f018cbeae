"""The errors of `models_onnx` told in the product's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models_onnx.bundle import GraphFolder
from models_onnx.manifest import InvalidBundle
from models_onnx.versions import refuse_newer
from plugin.errors import BundleCorrupt, BundleError, BundleMissing, BundleTooNew


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


def refuse_unknown(bundle: GraphFolder, *, runtime: str) -> None:
    """Pass when the graphs of a bundle are such that they can run here.

    Args:
        bundle: of any kind.
        runtime: version of the installed ONNX Runtime.

    Raises:
        BundleTooNew: they need another ONNX Runtime, or are in a newer form of ONNX.
    """
    with bundle_errors():
        refuse_newer(bundle, runtime=runtime)
