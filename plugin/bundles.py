"""Which model bundles this machine has, whether they are whole, and what may be done with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models_onnx.bundle import Bundle, GraphFolder, InvalidBundle
from models_onnx.finder_manifest import FinderBundle
from models_onnx.mask_manifest import MaskBundle
from models_onnx.store import Found, FoundFinder, FoundMasks, Store
from models_onnx.versions import refuse_newer
from plugin.engine.bundle_errors import bundle_errors, describe_invalid
from plugin.engine.providers import runtime_version
from plugin.errors import BundleError, BundleTooNew, ProviderUnavailable


@dataclass(frozen=True, slots=True)
class BundleState:
    """One bundle as found.

    Attributes:
        name: its id; the folder's name when it cannot be opened.
        folder: where it is.
        bundle: the opened bundle, which makes sound or masks or finds objects; None when it cannot be
            opened.
        fault: what is wrong, None when nothing is known to be.
        hashed: whether every file was read and hashed.
    """

    name: str
    folder: Path
    bundle: Bundle | MaskBundle | FinderBundle | None
    fault: BundleError | None
    hashed: bool = False

    @property
    def megabytes(self) -> float:
        """Size of its files."""
        if self.bundle is None:
            return 0.0
        return sum(file.bytes for file in self.bundle.manifest.files.values()) / 1e6

    @property
    def size(self) -> str:
        """The same in words: "21.7 MB", "7.47 GB"."""
        return f"{self.megabytes:.1f} MB" if self.megabytes < 1000 else f"{self.megabytes / 1000:.2f} GB"

    @property
    def condition(self) -> str:
        """In a word: "verified", "found" (not hashed yet), "damaged" or "too new"."""
        if self.fault is not None:
            return "too new" if isinstance(self.fault, BundleTooNew) else "damaged"
        return "verified" if self.hashed else "found"


def list_bundles(store: Store) -> tuple[BundleState, ...]:
    """Every bundle that makes sound, damaged ones included; sizes checked, nothing hashed."""
    return tuple(map(_state, store.list()))


def list_mask_bundles(store: Store) -> tuple[BundleState, ...]:
    """Every bundle that makes masks, then those that find what to mask by words, in the same way."""
    return (*map(_state, store.list_masks()), *map(_state, store.list_finders()))


def find_mask_bundle(store: Store, name: str) -> MaskBundle:
    """The mask bundle of that id, or in that folder.

    Raises:
        BundleError: there is none, or it is not usable.
    """
    with bundle_errors():
        return store.find_masks(name)


def find_bundle(store: Store, name: str) -> Bundle:
    """The bundle of that id, or in that folder.

    Raises:
        BundleError: there is none, or it is not usable.
    """
    with bundle_errors():
        return store.find(name)


def _state(item: Found | FoundMasks | FoundFinder) -> BundleState:
    return BundleState(
        name=item.bundle.manifest.id if item.bundle else item.path.name,
        folder=item.path,
        bundle=item.bundle,
        fault=describe_invalid(item.problem) if item.problem else None,
    )


def verify_bundle(state: BundleState) -> BundleState:
    """The state after every file was read and hashed, and what a render refuses before it loads a graph."""
    if state.bundle is None:
        return state
    return BundleState(state.name, state.folder, state.bundle, _fault_of(state.bundle), hashed=True)


def _fault_of(bundle: GraphFolder) -> BundleError | None:
    try:
        bundle.verify()
        runtime = _installed_runtime()
        if runtime is not None:
            refuse_newer(bundle, runtime=runtime)
    except InvalidBundle as error:
        return describe_invalid(error)
    return None


def _installed_runtime() -> str | None:
    """Its version; None where there is none, which the doctor tells and says nothing of a bundle."""
    try:
        return runtime_version()
    except ProviderUnavailable:
        return None
