"""The graphs of a bundle as ONNX Runtime sessions: loaded at first use, dropped on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models_onnx.bundle import Bundle
from plugin.engine.bundles import bundle_errors
from plugin.engine.providers import (
    Provider,
    choose_provider,
    describe_failure,
    load_runtime,
    parse_version,
    provider_arguments,
    runtime_version,
    session_options,
)
from plugin.errors import BundleTooNew, ProviderUnavailable, UnexpectedOutput

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]


class Sessions:
    """Runs graphs by role and keeps count.

    Attributes:
        bundle: where the graphs come from.
        provider: where they run.
        calls: runs by role since opening.
        loads: loads by role since opening.
    """

    def __init__(self, bundle: Bundle, *, provider: Provider, threads: int | None) -> None:
        self.bundle = bundle
        self.provider = provider
        self.calls: Counter[str] = Counter()
        self.loads: Counter[str] = Counter()
        self._threads = threads
        self._sessions: dict[str, Any] = {}

    @classmethod
    def open(cls, bundle: Bundle, *, provider: str = "auto", threads: int | None = None) -> Sessions:
        """Sessions on a provider that was proved to work; no graph is loaded yet.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.

        Raises:
            ProviderUnavailable: see `choose_provider`.
            BundleTooNew: the bundle needs a newer ONNX Runtime.
        """
        needed = bundle.manifest.onnxruntime_min
        if runtime_version() < parse_version(needed):
            raise BundleTooNew(
                f"The bundle {bundle.manifest.id} needs ONNX Runtime {needed} or newer.",
                remedy="Update Sagafoley.",
                detail=f"installed: {load_runtime().__version__}",
            )
        return cls(bundle, provider=choose_provider(provider), threads=threads)

    @property
    def loaded(self) -> frozenset[str]:
        """Roles of the graphs in memory."""
        return frozenset(self._sessions)

    def drop(self, *roles: str) -> None:
        """Forget the named graphs, or all of them, and give their memory back."""
        for role in roles or tuple(self._sessions):
            self._sessions.pop(role, None)

    def run(self, role: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        """The outputs of one graph, by name, checked to be finite.

        Args:
            role: "flow", "decoder", ...
            feeds: the graph's inputs by name.

        Raises:
            UnexpectedOutput: NaN or infinity came out.
            OutOfMemory, EngineError: the graph could not be loaded or run.
            BundleCorrupt: the graph's file was changed.
        """
        session = self._session(role)
        names = [output.name for output in self.bundle.manifest.graphs[role].outputs]
        self.calls[role] += 1
        try:
            values = session.run(names, dict(feeds))
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"run the {role} graph") from None
        outputs = dict(zip(names, values, strict=True))
        for name, value in outputs.items():
            check_finite(value, stage=f"{role} ({name})")
        return outputs

    def _session(self, role: str) -> Any:
        if role not in self._sessions:
            self._sessions[role] = self._load(role)
            self.loads[role] += 1
        return self._sessions[role]

    def _load(self, role: str) -> Any:
        with bundle_errors():
            path = self.bundle.checked_path(role)
        try:
            session = load_runtime().InferenceSession(
                str(path), session_options(threads=self._threads), providers=_with_cpu(self.provider)
            )
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"load the {role} graph") from None
        if self.provider.ort_name not in session.get_providers():
            raise ProviderUnavailable(
                f"ONNX Runtime refused to run the {role} graph with {self.provider.value}.",
                remedy="Choose the cpu provider, or run `sagafoley doctor` to see what is missing.",
                detail=f"it fell back to {session.get_providers()}",
            )
        return session


def _with_cpu(provider: Provider) -> list[Any]:
    """Shape arithmetic runs on the CPU whatever the provider."""
    arguments = provider_arguments(provider)
    return arguments if provider is Provider.CPU else [*arguments, Provider.CPU.ort_name]


def check_finite(value: Array, *, stage: str) -> None:
    """Raises when a stage gave NaN or infinity.

    Raises:
        UnexpectedOutput: naming the stage.
    """
    if not np.isfinite(value).all():
        count = int((~np.isfinite(value)).sum())
        raise UnexpectedOutput(
            f"The stage {stage} gave {count} values that are no numbers.",
            remedy="Render the cue with the cpu provider or an fp32 bundle.",
            detail=f"shape {value.shape}",
        )
