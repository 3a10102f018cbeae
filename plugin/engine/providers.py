"""Which ONNX Runtime execution provider really works on this machine.

onnxruntime is imported here and nowhere else, at first use, with its telemetry off. That a provider is
listed means nothing: ONNX Runtime falls back to the CPU with no more than a log line. A provider counts
as usable when a tiny graph ran on it and nowhere else, with the right result.
"""

from __future__ import annotations

import base64
import importlib
import math
import os
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np

from plugin.engine.cuda import CudaTuning, explain, preload_libraries
from plugin.errors import EngineError, OutOfMemory, ProviderUnavailable

# One Conv, Transpose, MatMul and Sin: x [1, 1, 4] -> y [1, 2, 2].
_PROBE = base64.b64decode(
    "CAgSADrEAQoeCgF4CgF3EgFjIgRDb252Kg0KBHBhZHNAAUABoAEHCiIKAWMSAXQiCVRyYW5zcG9zZSoPCgRwZXJtQABAAkABoAEHChEK"
    "AWMKAXQSAW0iBk1hdE11bAoLCgFtEgF5IgNTaW4SBXByb2JlKiUIAggBCAMQAUIBd0oYAACAPwAAgD8AAIA/AACAPwAAgD8AAIA/WhcK"
    "AXgSEgoQCAESDAoCCAEKAggBCgIIBGIXCgF5EhIKEAgBEgwKAggBCgIIAgoCCAJCBAoAEBI="
)
_PROBE_ANSWER = math.sin(71.0)

_MEMORY_WORDS = (
    "out of memory",
    "failed to allocate",
    "smaller than requested bytes",
    "alloc_failed",
    "allocation_failed",
    "bad_alloc",
    "bad allocation",
)


class Provider(StrEnum):
    """Where graphs run."""

    CPU = "cpu"
    CUDA = "cuda"

    @property
    def ort_name(self) -> str:
        """ONNX Runtime's name of it."""
        return {Provider.CPU: "CPUExecutionProvider", Provider.CUDA: "CUDAExecutionProvider"}[self]


@cache
def load_runtime() -> Any:
    """The onnxruntime module, telemetry off, quiet.

    Raises:
        ProviderUnavailable: it is not installed, or its libraries do not load.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        runtime = importlib.import_module("onnxruntime")
        runtime.disable_telemetry_events()
    except (ImportError, OSError, AttributeError) as error:
        raise ProviderUnavailable(
            "ONNX Runtime cannot be loaded.",
            remedy="Install Sagafoley with its cpu or cuda extra, and only one of them.",
            detail=str(error),
        ) from None
    runtime.set_default_logger_severity(4)
    return runtime


def runtime_version() -> str:
    """Version of onnxruntime.

    Raises:
        ProviderUnavailable: see `load_runtime`.
    """
    return str(load_runtime().__version__)


def choose_provider(name: str) -> Provider:
    """The provider to use for "auto", "cpu" or "cuda"; auto is CUDA where it works, else CPU.

    Raises:
        ProviderUnavailable: the name is unknown, or that provider does not work here.
    """
    if name == "auto":
        return Provider.CUDA if provider_fault(Provider.CUDA) is None else Provider.CPU
    if name not in set(Provider):
        raise ProviderUnavailable(f"There is no provider {name!r}.", remedy="Choose auto, cpu or cuda.")
    provider = Provider(name)
    fault = provider_fault(provider)
    if fault is not None:
        raise ProviderUnavailable(
            f"The {name} provider does not work on this machine. {_first_sentence(fault)}".strip(),
            remedy="Choose the cpu provider, or run `sagafoley doctor` to see what is missing.",
            detail=fault,
        )
    return provider


def why_not_cuda(name: str) -> str:
    """Why "auto" took the CPU although this onnxruntime is the one for CUDA; "" when there is nothing to say.

    Args:
        name: what was asked for.
    """
    if name != "auto" or Provider.CUDA.ort_name not in load_runtime().get_available_providers():
        return ""
    return _first_sentence(provider_fault(Provider.CUDA) or "")


@cache
def provider_fault(provider: Provider) -> str | None:
    """Why a provider cannot be used here, a sentence on the first line where the cause is known.

    None when it can be used. Asked once per process.
    """
    runtime = load_runtime()
    if provider.ort_name not in runtime.get_available_providers():
        return f"this onnxruntime was built without {provider.ort_name}"
    complaints = preload_libraries(runtime) if provider is Provider.CUDA else ""
    try:
        fault = _probe(runtime, provider)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
        fault = str(error)
    if fault is None or provider is not Provider.CUDA:
        return fault
    return explain(fault, runtime=runtime, complaints=complaints)


def _first_sentence(fault: str) -> str:
    """The first line of a fault where it is a sentence, else nothing: the rest is for developers."""
    first = fault.split("\n", maxsplit=1)[0]
    return first if first[:1].isupper() and first.endswith(".") else ""


def _probe(runtime: Any, provider: Provider) -> str | None:
    options = session_options(threads=1, provider=provider)
    if provider is not Provider.CPU:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    session = runtime.InferenceSession(_PROBE, options, providers=provider_arguments(provider))
    if provider.ort_name not in session.get_providers():
        return f"{provider.ort_name} was asked for, but ONNX Runtime fell back to {session.get_providers()}"
    answer = session.run(None, {"x": np.arange(4, dtype=np.float32).reshape(1, 1, 4)})[0]
    if not np.allclose(answer, _PROBE_ANSWER, atol=1e-2):
        return f"{provider.ort_name} calculates wrongly: {answer.ravel()[0]} instead of {_PROBE_ANSWER}"
    return None


def provider_arguments(
    provider: Provider, *, tuning: CudaTuning | None = None, recorded: bool = False
) -> list[Any]:
    """The `providers` argument of a session of this provider alone.

    Args:
        provider: where it runs.
        tuning: of CUDA; None is the usual.
        recorded: runs become a CUDA graph.
    """
    if provider is Provider.CUDA:
        return [(provider.ort_name, (tuning or CudaTuning()).options(recorded=recorded))]
    return [provider.ort_name]


def session_options(*, threads: int | None, provider: Provider = Provider.CPU) -> Any:
    """Options of every session: quiet, repeatable, kind to the other programs of the machine.

    On the CPU without a plan of which results may share memory: the plan compares every result with every
    free one, 10 of the 10.5 s in which the full-size vocoder loaded, and the arena hands the memory of what
    is done to the next anyway. Values are the same to the bit, and so is the peak (docs/performance.md).

    Args:
        threads: of one graph; None leaves it to ONNX Runtime.
        provider: where the graph runs.
    """
    options = load_runtime().SessionOptions()
    options.enable_mem_reuse = provider is not Provider.CPU
    options.enable_cpu_mem_arena = True  # runs ask for it to shrink, which fails without one
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def describe_failure(error: Exception, *, action: str) -> EngineError:
    """An error of ONNX Runtime in our words.

    Args:
        error: what it raised.
        action: what was tried, for the message ("run the flow graph").
    """
    text = str(error)
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _MEMORY_WORDS):
        return OutOfMemory(
            f"The machine ran out of memory trying to {action}.",
            remedy="Close other programs, or choose the cpu provider or a smaller bundle.",
            detail=text,
        )
    return EngineError(
        f"ONNX Runtime could not {action}.",
        remedy="Verify the bundle with `sagafoley models verify`; where it is whole, try the cpu provider, "
        "then another bundle.",
        detail=text,
    )
