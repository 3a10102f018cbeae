from __future__ import annotations

import os
import subprocess
import sys

import pytest

from plugin.engine import providers
from plugin.engine.providers import (
    Provider,
    choose_provider,
    describe_failure,
    provider_arguments,
    session_options,
)
from plugin.errors import EngineError, OutOfMemory, ProviderUnavailable


def test_the_cpu_works() -> None:
    assert choose_provider("cpu") is Provider.CPU
    assert providers.provider_fault(Provider.CPU) is None


def test_an_unknown_provider_is_told() -> None:
    with pytest.raises(ProviderUnavailable, match="'tpu'"):
        choose_provider("tpu")


def test_auto_takes_the_cpu_where_cuda_does_not_work(monkeypatch) -> None:
    monkeypatch.setattr(providers, "provider_fault", lambda p: "no" if p is Provider.CUDA else None)
    assert choose_provider("auto") is Provider.CPU


def test_auto_takes_cuda_where_it_works(monkeypatch) -> None:
    monkeypatch.setattr(providers, "provider_fault", lambda _: None)
    assert choose_provider("auto") is Provider.CUDA


def test_asking_for_cuda_where_it_does_not_work_never_falls_back(monkeypatch) -> None:
    monkeypatch.setattr(providers, "provider_fault", lambda _: "libcudart.so.13 is missing")
    with pytest.raises(ProviderUnavailable) as caught:
        choose_provider("cuda")
    assert caught.value.detail == "libcudart.so.13 is missing"


class _Session:
    """What onnxruntime gives on a machine whose CUDA libraries do not load, or that calculates wrongly."""

    def __init__(self, names: list[str], answer: float) -> None:
        self.names, self.answer = names, answer

    def get_providers(self) -> list[str]:
        return self.names

    def run(self, *_: object) -> list[object]:
        return [providers.np.array([self.answer])]


@pytest.mark.parametrize(
    ("names", "answer", "fault"),
    [
        (["CPUExecutionProvider"], 0.951, "fell back"),
        (["CUDAExecutionProvider"], 0.0, "calculates wrongly"),
        (["CUDAExecutionProvider"], 0.9510546, None),
    ],
)
def test_a_listed_provider_has_to_prove_itself(names, answer, fault) -> None:
    class Runtime:
        @staticmethod
        def InferenceSession(_: bytes, options, **__: object) -> _Session:  # noqa: N802
            assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
            return _Session(names, answer)

    found = providers._probe(Runtime, Provider.CUDA)
    assert (found is None) if fault is None else (fault in (found or ""))


def test_sessions_are_repeatable_and_kind_to_other_programs() -> None:
    options = session_options(threads=3)
    assert options.use_deterministic_compute
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.intra_op_num_threads == 3
    assert session_options(threads=None).intra_op_num_threads == 0


def test_on_the_cpu_no_time_goes_into_a_plan_of_shared_memory() -> None:
    assert not session_options(threads=None).enable_mem_reuse
    assert session_options(threads=None, provider=Provider.CUDA).enable_mem_reuse


def test_cuda_plans_convolutions_quickly_and_takes_no_more_memory_than_it_needs() -> None:
    ((name, options),) = provider_arguments(Provider.CUDA)
    assert name == "CUDAExecutionProvider"
    assert options == {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}


def test_importing_the_engine_pulls_in_no_runtime() -> None:
    code = (
        "import sys, plugin.engine.engine; "
        "print(sorted({'onnxruntime', 'torch', 'PySide6', 'onnx'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_telemetry_is_off_before_the_runtime_is_imported() -> None:
    code = (
        "import os, sys; os.environ.pop('ORT_DISABLE_TELEMETRY', None)\n"
        "import importlib; real = importlib.import_module\n"
        "def spy(name, *a):\n"
        "    if name == 'onnxruntime': print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return real(name, *a)\n"
        "importlib.import_module = spy\n"
        "from plugin.engine.providers import load_runtime; load_runtime()"
    )
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.split() == ["1"]


def test_a_missing_runtime_is_told(monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(providers.importlib, "import_module", absent)
    with pytest.raises(ProviderUnavailable, match="cannot be loaded"):
        providers.load_runtime.__wrapped__()


@pytest.mark.parametrize(
    "text",
    [
        "Failed to allocate memory for requested buffer of size 1073741824",
        "CUDA error 2: out of memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "std::bad_alloc",
    ],
)
def test_running_out_of_memory_is_recognised(text: str) -> None:
    assert isinstance(describe_failure(RuntimeError(text), action="run the flow graph"), OutOfMemory)


def test_other_failures_say_what_was_tried() -> None:
    error = describe_failure(RuntimeError("INVALID_ARGUMENT in a bathroom"), action="run the flow graph")
    assert type(error) is EngineError
    assert "run the flow graph" in error.message
    assert "bathroom" in error.detail
    assert "where it is whole" in error.remedy
