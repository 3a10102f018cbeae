"""Which finder of objects by words this machine has: one where its bundle is installed, else none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models_onnx.finder_manifest import FinderBundle
from models_onnx.store import Store
from plugin.errors import BundleMissing
from plugin.masks.makers import Finder

HOW_TO_GET_ONE = (
    "Run `sagafoley models fetch owlv2-base`, "
    "then `sagafoley-export owlv2-base --checkpoints FOLDER -o BUNDLE`"
)


def finder_bundle(store: Store) -> FinderBundle | None:
    """The first bundle that finds objects by words; None where none is installed and whole."""
    return next((each.bundle for each in store.list_finders() if each.bundle is not None), None)


@contextmanager
def opened_finder(
    store: Store, words: str, *, provider: str = "auto", threads: int | None = None
) -> Iterator[Finder]:
    """The finder of this machine, let go of at the end of the block.

    Args:
        store: where bundles lie.
        words: what is looked for, for the message where there is no finder.
        provider: where it runs: "auto", "cpu" or "cuda".
        threads: of one graph; None leaves it to ONNX Runtime.

    Raises:
        BundleMissing: there is none.
        BundleError: its bundle cannot be used.
        ProviderUnavailable: the provider does not work here.
    """
    bundle = finder_bundle(store)
    if bundle is None:
        raise BundleMissing(
            f"Nothing on this machine finds {words!r} by words: that needs the model OWLv2.",
            remedy=f"{HOW_TO_GET_ONE}; or mark the object with --lasso or --box.",
        )
    from plugin.masks.owlv2_finder import Owlv2Finder  # noqa: PLC0415 (onnxruntime only where it is used)

    finder = Owlv2Finder.open(bundle, provider=provider, threads=threads)
    try:
        yield finder
    finally:
        finder.close()
