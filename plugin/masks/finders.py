"""Which finder of objects by words this machine has: one where its bundle is installed, else none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models_onnx.finder_manifest import FinderBundle
from models_onnx.store import Store
from plugin.engine.bundle_errors import describe_invalid
from plugin.errors import BundleCorrupt, BundleError, BundleMissing, BundleTooNew
from plugin.masks.makers import Finder

HOW_TO_GET_ONE = (
    "Run `sagafoley models fetch owlv2-base`, "
    "then `sagafoley-export owlv2-base --checkpoints FOLDER -o BUNDLE`"
)
LONGEST_WORDS = 100
"""Characters; OWLv2 takes 14 parts of words in."""

_OPTIONS = "mark the object with --lasso or --box"


def finder_bundle(store: Store) -> FinderBundle | None:
    """The first bundle that finds objects by words; None where none is installed and whole."""
    return next((each.bundle for each in store.list_finders() if each.bundle is not None), None)


def usable_finder(store: Store, words: str = "", *, instead: str = _OPTIONS) -> FinderBundle:
    """The bundle of this machine that finds objects by words; sizes are looked at, nothing is hashed.

    Args:
        store: where bundles lie.
        words: what is looked for, for the message where there is none; "" where nothing was said yet.
        instead: what can be done without a finder, as the end of a sentence.

    Raises:
        BundleMissing: there is none.
        BundleError: there is one, but it is damaged or too new.
    """
    bundle = finder_bundle(store)
    if bundle is not None:
        return bundle
    faults = [describe_invalid(each.problem) for each in store.list_finders() if each.problem is not None]
    if faults:
        raise _with_commands(faults[0], instead)
    what = f"{words!r} by words" if words else "objects by their words"
    raise BundleMissing(
        f"Nothing on this machine finds {what}: that needs the model OWLv2.", remedy=_remedy(instead)
    )


@contextmanager
def opened_finder(
    store: Store, words: str, *, provider: str = "auto", threads: int | None = None, instead: str = _OPTIONS
) -> Iterator[Finder]:
    """The finder of this machine, let go of at the end of the block.

    Args:
        store: where bundles lie.
        words: what is looked for, for the message where there is no finder.
        provider: where it runs: "auto", "cpu" or "cuda".
        threads: of one graph; None leaves it to ONNX Runtime.
        instead: what can be done without a finder, as the end of a sentence.

    Raises:
        BundleMissing: there is none.
        BundleError: its bundle cannot be used, which may be found out inside the block.
        ProviderUnavailable: the provider does not work here.
    """
    bundle = usable_finder(store, words, instead=instead)
    from plugin.masks.owlv2_finder import Owlv2Finder  # noqa: PLC0415 (onnxruntime only where it is used)

    finder = Owlv2Finder.open(bundle, provider=provider, threads=threads)
    try:
        yield finder
    except BundleCorrupt as error:
        raise _with_commands(error, instead) from None
    finally:
        finder.close()


def _with_commands(error: BundleError, instead: str) -> BundleError:
    """The same, and how to come by a whole bundle; one that is too new wants a newer Sagafoley."""
    if isinstance(error, BundleTooNew):
        return error
    return type(error)(error.message, remedy=_remedy(instead), detail=error.detail)


def _remedy(instead: str) -> str:
    return f"{HOW_TO_GET_ONE}; or {instead}."
