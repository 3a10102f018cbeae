"""A graph's file as a session of ONNX Runtime that provably runs where it should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin.engine.cuda import CudaTuning
from plugin.engine.providers import (
    Provider,
    describe_failure,
    load_runtime,
    provider_arguments,
    session_options,
)
from plugin.errors import ProviderUnavailable

HEAVY = frozenset(
    {"Conv", "ConvTranspose", "FusedConv", "Gemm", "MatMul", "FusedMatMul", "MultiHeadAttention", "Softmax"}
)
"""Operators of which one on the CPU makes a GPU wait; the arithmetic of shapes belongs there."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the nodes of a loaded graph run.

    Attributes:
        nodes: number of nodes by (ONNX Runtime's name of the provider, operator); empty where an older
            ONNX Runtime does not say.
    """

    nodes: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, session: Any) -> Placement:
        """What a session says that was opened with `open_session`."""
        ask = getattr(session, "get_provider_graph_assignment_info", None)
        if ask is None:
            return cls({})
        return cls(Counter((part.ep_name, node.op_type) for part in ask() for node in part.get_nodes()))

    def strays(self, provider: Provider) -> tuple[str, ...]:
        """Heavy operators that run elsewhere."""
        return tuple(
            sorted({kind for name, kind in self.nodes if name != provider.ort_name and kind in HEAVY})
        )


@dataclass(frozen=True, slots=True)
class Form:
    """How a graph's file is loaded.

    Attributes:
        file: of the bundle.
        provider: where it runs.
        lengths: free dimensions that are fixed, by name, sorted; other lengths cannot be run then.
        recorded: runs become a CUDA graph.
    """

    file: str
    provider: Provider
    lengths: tuple[tuple[str, int], ...] = ()
    recorded: bool = False


def open_session(
    path: Path | bytes, form: Form, *, role: str, threads: int | None, tuning: CudaTuning
) -> tuple[Any, Placement]:
    """A session, and where its nodes run.

    Args:
        path: the checked file, or the graph's own bytes.
        form: how it is loaded.
        role: for messages.
        threads: of the graph; None leaves it to ONNX Runtime.
        tuning: for CUDA.

    Raises:
        ProviderUnavailable: ONNX Runtime would have run it elsewhere.
        OutOfMemory, EngineError: it cannot be loaded.
    """
    options = session_options(threads=threads, provider=form.provider)
    for name, value in form.lengths:
        options.add_free_dimension_override_by_name(name, value)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if form.provider is Provider.CUDA:
        # Weights outside the arena, so that the arena can shrink.
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    arguments = provider_arguments(form.provider, tuning=tuning, recorded=form.recorded)
    try:
        graph = path if isinstance(path, bytes) else str(path)
        session = load_runtime().InferenceSession(graph, options, providers=_with_cpu(form, arguments))
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
        raise describe_failure(error, action=f"load the {role} graph") from None
    if form.provider.ort_name not in session.get_providers():
        raise ProviderUnavailable(
            f"ONNX Runtime refused to run the {role} graph with {form.provider.value}.",
            remedy="Choose the cpu provider, or run `sagafoley doctor` to see what is missing.",
            detail=f"it fell back to {session.get_providers()}",
        )
    return session, Placement.of(session)


def _with_cpu(form: Form, arguments: list[Any]) -> list[Any]:
    """Shape arithmetic runs on the CPU whatever the provider."""
    return arguments if form.provider is Provider.CPU else [*arguments, Provider.CPU.ort_name]
