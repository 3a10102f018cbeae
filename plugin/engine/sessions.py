"""The graphs of a bundle as ONNX Runtime sessions: loaded at first use, the least used dropped for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models_onnx.bundle import EXTERNAL_DATA, Bundle
from plugin.engine.bundle_errors import bundle_errors
from plugin.engine.memory import give_back_freed, physical_memory
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
from plugin.errors import BundleTooNew, OutOfMemory, ProviderUnavailable, UnexpectedOutput

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]


class Sessions:
    """Runs graphs by role and keeps count; together they stay within a limit of memory.

    Attributes:
        bundle: where the graphs come from.
        provider: where they run.
        calls: runs by role since opening.
        loads: loads by role since opening.
        fallen_back: runs by role whose half-precision graph gave values that are no numbers, and that
            were done again in float32.
    """

    def __init__(
        self, bundle: Bundle, *, provider: Provider, threads: int | None, memory: int | None
    ) -> None:
        self.bundle = bundle
        self.provider = provider
        self.calls: Counter[str] = Counter()
        self.loads: Counter[str] = Counter()
        self.fallen_back: Counter[str] = Counter()
        self._threads = threads
        self._memory = memory
        self._sessions: dict[str, Any] = {}  # by file of the graph, the least recently used first
        self._roles = {graph.file: role for role, graph in bundle.manifest.graphs.items()} | {
            file: role for role, file in bundle.manifest.gpu_graphs.items()
        }

    @classmethod
    def open(
        cls, bundle: Bundle, *, provider: str = "auto", threads: int | None = None, memory: int | None = None
    ) -> Sessions:
        """Sessions on a provider that was proved to work; no graph is loaded yet.

        Args:
            bundle: opened and checked.
            provider: "auto", "cpu" or "cuda".
            threads: of one graph; None leaves it to ONNX Runtime.
            memory: bytes that the loaded graphs may take together; None: see `usual_memory`.

        Raises:
            ProviderUnavailable: see `choose_provider`.
            BundleTooNew: the bundle needs a newer ONNX Runtime.
        """
        needed = bundle.manifest.onnxruntime_min
        if parse_version(runtime_version()) < parse_version(needed):
            raise BundleTooNew(
                f"The bundle {bundle.manifest.id} needs ONNX Runtime {needed} or newer.",
                remedy="Update Sagafoley.",
                detail=f"installed: {runtime_version()}",
            )
        chosen = choose_provider(provider)
        limit = usual_memory(chosen) if memory is None else memory
        return cls(bundle, provider=chosen, threads=threads, memory=limit)

    @property
    def loaded(self) -> frozenset[str]:
        """Roles of the graphs in memory."""
        return frozenset(self._roles[file] for file in self._sessions)

    def drop(self, *roles: str) -> None:
        """Forget the named graphs, or all of them, and give their memory back."""
        for file in tuple(self._sessions):
            if not roles or self._roles[file] in roles:
                del self._sessions[file]
        give_back_freed()

    def run(self, role: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        """The outputs of one graph, by name, checked to be finite.

        Where memory runs out the other graphs are dropped, and the run is tried once more. What
        overflows in half precision is done again in float32.

        Args:
            role: "flow", "decoder", ...
            feeds: the graph's inputs by name.

        Raises:
            UnexpectedOutput: NaN or infinity came out.
            OutOfMemory, EngineError: the graph could not be loaded or run.
            BundleCorrupt: the graph's file was changed.
        """
        file = self._file(role)
        outputs = self._run_with_room(role, file, feeds)
        whole = self.bundle.manifest.graphs[role].file
        if file != whole and not all(np.isfinite(value).all() for value in outputs.values()):
            self.fallen_back[role] += 1
            outputs = self._run_with_room(role, whole, feeds)
        for name, value in outputs.items():
            check_finite(value, role=role, name=name)
        return outputs

    def _file(self, role: str) -> str:
        """The file of the graph for this provider: on CUDA the one made for it, if there is one."""
        manifest = self.bundle.manifest
        usual = manifest.graphs[role].file
        return manifest.gpu_graphs.get(role, usual) if self.provider is Provider.CUDA else usual

    def _run_with_room(self, role: str, file: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        try:
            return self._run(role, file, feeds)
        except OutOfMemory:
            others = self.loaded - {role}
            if not others:
                raise
            self.drop(*others)
            return self._run(role, file, feeds)

    def _run(self, role: str, file: str, feeds: Mapping[str, Array]) -> dict[str, Float]:
        session = self._session(role, file)
        names = [output.name for output in self.bundle.manifest.graphs[role].outputs]
        self.calls[role] += 1
        try:
            values = session.run(names, dict(feeds))
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
            raise describe_failure(error, action=f"run the {role} graph") from None
        return dict(zip(names, values, strict=True))

    def _session(self, role: str, file: str) -> Any:
        session = self._sessions.pop(file, None)
        if session is None:
            self._make_room(file)
            session = self._load(role, file)
            self.loads[role] += 1
        self._sessions[file] = session
        return session

    def _make_room(self, file: str) -> None:
        """Drop the least recently used graphs until there is room for another."""
        if self._memory is None:
            return
        sizes = {held: self._bytes(held) for held in self._sessions}
        excess = sum(sizes.values()) + self._bytes(file) - self._memory
        for held, size in sizes.items():
            if excess <= 0:
                return
            self.drop(self._roles[held])
            excess -= size

    def _bytes(self, file: str) -> int:
        """What a loaded graph takes: about the size of its files, with weights of the type computed with."""
        manifest = self.bundle.manifest
        parts = (manifest.files.get(name) for name in (file, file + EXTERNAL_DATA))
        stored = sum(part.bytes for part in parts if part is not None)
        widened = manifest.precision == "fp16" and file not in manifest.gpu_graphs.values()
        return 2 * stored if widened else stored

    def _load(self, role: str, file: str) -> Any:
        with bundle_errors():
            path = self.bundle.checked_path(file)
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


def usual_memory(provider: Provider) -> int | None:
    """Bytes that loaded graphs may take when nobody says; None: no limit.

    On the CPU half of the machine's memory: a system that runs out ends programs without asking. A GPU
    says when it is full, and then `Sessions.run` makes room.
    """
    physical = physical_memory()
    return physical // 2 if provider is Provider.CPU and physical is not None else None


def _with_cpu(provider: Provider) -> list[Any]:
    """Shape arithmetic runs on the CPU whatever the provider."""
    arguments = provider_arguments(provider)
    return arguments if provider is Provider.CPU else [*arguments, Provider.CPU.ort_name]


def check_finite(value: Array, *, role: str, name: str) -> None:
    """Nothing, when an output holds numbers only.

    Raises:
        UnexpectedOutput: NaN or infinity is among them; the graph is named.
    """
    if not np.isfinite(value).all():
        count = int((~np.isfinite(value)).sum())
        raise UnexpectedOutput(
            f"The {role} graph gave {count} values that are no numbers.",
            remedy="Render the cue with the cpu provider or an fp32 bundle.",
            detail=f"{name}, of the shape {value.shape}",
        )
