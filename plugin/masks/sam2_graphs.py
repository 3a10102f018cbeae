"""SAM 2.1's graphs as ONNX Runtime sessions on a provider that was proved, and its constants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models_onnx.finder_manifest import FinderBundle
from models_onnx.mask_manifest import MaskBundle
from plugin.engine.bundle_errors import bundle_errors, refuse_unknown
from plugin.engine.memory import give_back_freed
from plugin.engine.providers import (
    Provider,
    choose_provider,
    describe_failure,
    load_runtime,
    provider_arguments,
    runtime_version,
    session_options,
)
from plugin.errors import BundleCorrupt, ProviderUnavailable, UnexpectedOutput

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

AnyBundle = MaskBundle | FinderBundle

IMAGE, MEMORY_ATTENTION, HEADS, MEMORY_ENCODER = "image", "memory_attention", "heads", "memory_encoder"


class Graphs(Protocol):
    """Runs one of the four graphs."""

    def run(self, role: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        """The outputs by name."""


@dataclass(frozen=True, slots=True)
class Sam2Constants:
    """Learned values that the host needs.

    Attributes:
        no_mem_embed: added to a map that sees no memory, [C].
        no_obj_ptr: pointer of an object that cannot be seen, [C].
        mask_kernel: of the 4 x 4 convolution that shrinks a given mask, [4, 4].
        mask_bias: of the same.
    """

    no_mem_embed: Float
    no_obj_ptr: Float
    mask_kernel: Float
    mask_bias: float

    @classmethod
    def load(cls, bundle: MaskBundle) -> Sam2Constants:
        """Those of a bundle.

        Raises:
            BundleCorrupt: the file was changed or does not hold them.
        """
        with bundle_errors():
            path = bundle.checked_path(bundle.manifest.constants)
        width = bundle.manifest.memory.width
        try:
            with np.load(path, allow_pickle=False) as held:
                embed, pointer = held["no_mem_embed"], held["no_obj_ptr"]
                kernel, bias = held["mask_downsample_weight"], held["mask_downsample_bias"]
        except (OSError, ValueError, KeyError) as error:
            raise _bad_constants(bundle, str(error)) from None
        if embed.shape != (width,) or pointer.shape != (width,) or kernel.shape != (4, 4):
            raise _bad_constants(bundle, f"shapes {embed.shape}, {pointer.shape}, {kernel.shape}")
        return cls(embed, pointer, kernel, float(bias.reshape(-1)[0]))


class Sam2Graphs:
    """The graphs of a bundle, of masks or of a finder, each loaded at its first use.

    Attributes:
        bundle: where they come from.
        provider: where they run.
        calls: runs by role since opening.
        fallen_back: runs by role whose half-precision graph gave values that are no numbers, and that were
            done again in float32.
    """

    def __init__(self, bundle: AnyBundle, *, provider: Provider, threads: int | None) -> None:
        self.bundle = bundle
        self.provider = provider
        self.calls: Counter[str] = Counter()
        self.fallen_back: Counter[str] = Counter()
        self._threads = threads
        self._sessions: dict[str, Any] = {}

    @classmethod
    def open(cls, bundle: AnyBundle, *, provider: str = "auto", threads: int | None = None) -> Sam2Graphs:
        """Graphs on a provider that works here; none is loaded yet.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.

        Raises:
            ProviderUnavailable: the provider does not work on this machine.
            BundleTooNew: the bundle was made for another ONNX Runtime, or is in a newer form of ONNX.
        """
        refuse_unknown(bundle, runtime=runtime_version())
        return cls(bundle, provider=choose_provider(provider), threads=threads)

    @property
    def words(self) -> str:
        """For people: "SAM 2.1 tiny, CUDA"."""
        where = "CUDA" if self.provider is Provider.CUDA else "CPU"
        return f"{self.bundle.manifest.title}, {where}"

    def close(self) -> None:
        """Forget every loaded graph and give the memory back."""
        self._sessions.clear()
        give_back_freed()

    def run(self, role: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        """The outputs of a graph, by name, checked to be finite.

        Raises:
            UnexpectedOutput: NaN or infinity came out.
            OutOfMemory, EngineError: the graph could not be loaded or run.
            BundleCorrupt: its file was changed.
        """
        manifest = self.bundle.manifest
        whole = manifest.graphs[role].file
        file = manifest.gpu_graphs.get(role, whole) if self.provider is Provider.CUDA else whole
        outputs = self._run(role, file, feeds)
        if file != whole and not _all_finite(outputs):
            self.fallen_back[role] += 1
            outputs = self._run(role, whole, feeds)
        if not _all_finite(outputs):
            raise UnexpectedOutput(
                f"The {role} graph of {manifest.id} gave values that are no numbers.",
                remedy="Choose the cpu provider, or export the bundle with fp32.",
            )
        return outputs

    def _run(self, role: str, file: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        session = self._sessions.get(file)
        if session is None:
            session = self._sessions[file] = self._load(role, file)
        names = [output.name for output in self.bundle.manifest.graphs[role].outputs]
        self.calls[role] += 1
        try:
            values = session.run(names, dict(feeds))
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"run the {role} graph") from None
        return dict(zip(names, values, strict=True))

    def _load(self, role: str, file: str) -> Any:
        with bundle_errors():
            path = self.bundle.checked_path(file)
        providers = provider_arguments(self.provider)
        if self.provider is not Provider.CPU:
            providers = [*providers, Provider.CPU.ort_name]  # the arithmetic of shapes belongs there
        options = session_options(threads=self._threads, provider=self.provider)
        try:
            session = load_runtime().InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"load the {role} graph") from None
        if self.provider.ort_name not in session.get_providers():
            raise ProviderUnavailable(
                f"ONNX Runtime refused to run the {role} graph with {self.provider.value}.",
                remedy="Choose the cpu provider, or run `sagafoley doctor` to see what is missing.",
                detail=f"it fell back to {session.get_providers()}",
            )
        return session


def _all_finite(outputs: Mapping[str, Float]) -> bool:
    return all(bool(np.isfinite(value).all()) for value in outputs.values())


def _bad_constants(bundle: MaskBundle, detail: str) -> BundleCorrupt:
    return BundleCorrupt(
        f"The constants of the bundle {bundle.manifest.id} are not those of SAM 2.",
        remedy="Install or export the bundle again.",
        detail=detail,
    )
