"""Why CUDA does not work, in words; and how it is set up."""

from __future__ import annotations

import ctypes
import sys
import types

import pytest

from plugin.engine import providers
from plugin.engine.cuda import CudaTuning, built_for, explain, preload_libraries
from plugin.engine.providers import Provider, choose_provider, provider_arguments, why_not_cuda
from plugin.engine.sessions import NOT_CUDA, Sessions
from plugin.errors import ProviderUnavailable

FELL_BACK = (
    "[ONNXRuntimeError] : 1 : FAIL : This session contains graph nodes that are assigned to the default CPU "
    "EP, but fallback to CPU EP has been explicitly disabled by the user."
)
OLD_DRIVER = (
    "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:122 CudaCall CUDA failure 35: CUDA driver "
    "version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=box ; "
    "file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=336 ; "
    "expr=cudaSetDevice(info_.device_id);"
)
NO_GPU = (
    "CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; expr=cudaSetDevice(info_.device_id);"
)
NO_CODE = "CUDA failure 209: no kernel image is available for execution on the device ; GPU=0"
NO_CUDNN = "cuDNN is not available. Install cuDNN or set enable_cudnn=0 to force native CUDA paths"
FULL = "CUDA failure 2: out of memory ; GPU=0 ; hostname=box ; expr=cudaMalloc((void**)&p, size);"
MISSING = (
    "Failed to load libcublasLt.so.13: libcublasLt.so.13: cannot open shared object file: No such file or "
    "directory; Failed to load libcurand.so.10: libcurand.so.10: cannot open shared object file"
)


class Driver:
    """libcuda of a version (13000 is CUDA 13.0)."""

    def __init__(self, version: int) -> None:
        self.version = version

    def cuDriverGetVersion(self, place) -> int:  # noqa: N802
        place._obj.value = self.version
        return 0


def _no_library(name: str):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.fixture
def runtime(monkeypatch):
    facts = types.SimpleNamespace(package_name="onnxruntime-gpu", cuda_version="13.0")
    monkeypatch.setitem(sys.modules, "ort_stand_in", types.ModuleType("ort_stand_in"))
    monkeypatch.setitem(sys.modules, "ort_stand_in.capi", types.ModuleType("ort_stand_in.capi"))
    monkeypatch.setitem(sys.modules, "ort_stand_in.capi.build_and_package_info", facts)
    return types.SimpleNamespace(__name__="ort_stand_in")


@pytest.mark.parametrize(
    ("fault", "complaints", "driver", "sentence"),
    [
        (OLD_DRIVER, "", 12080, "driver is too old for CUDA 13: install version 580 or newer"),
        (FELL_BACK, "", 12080, "driver is too old for CUDA 13: install version 580 or newer"),
        (FELL_BACK, MISSING, None, "There is no NVIDIA driver on this machine."),
        (FELL_BACK, MISSING, 13000, "Libraries of CUDA 13 are missing (libcublasLt.so.13, libcurand.so.10)"),
        (FELL_BACK, "Failed to load libcudnn.so.9: no such file", 13010, "cuDNN 9 for CUDA 13"),
        (NO_CUDNN, "", 13000, "install nvidia-cudnn-cu13"),
        (NO_GPU, "", 13000, "No NVIDIA GPU answers."),
        (NO_CODE, "", 13000, "no code for a GPU of this generation"),
        (FULL, "", 13000, "The GPU's memory is full: close the programs that use it."),
    ],
)
def test_the_cause_is_told_first_and_the_rest_after_it(
    runtime, fault: str, complaints: str, driver: int | None, sentence: str
) -> None:
    load = _no_library if driver is None else lambda _: Driver(driver)
    first, *rest = explain(fault, runtime=runtime, complaints=complaints, load=load).split("\n")
    assert sentence in first
    assert first.endswith(".")
    assert rest[-1] == fault


def test_what_nobody_understands_is_passed_on(runtime) -> None:
    assert explain("odd", runtime=runtime, load=lambda _: Driver(13000)) == "odd"


def test_the_version_it_was_built_for(runtime) -> None:
    assert built_for(runtime) == 13
    sys.modules["ort_stand_in.capi.build_and_package_info"].cuda_version = "12.4"
    assert built_for(runtime) == 12
    assert "525" in explain(OLD_DRIVER, runtime=runtime)
    assert built_for(types.SimpleNamespace(__name__="nothing_of_this_name")) == 13


def test_complaints_of_preloading_do_not_reach_the_output(capsys) -> None:
    class Runtime:
        @staticmethod
        def preload_dlls() -> None:
            sys.stdout.write("Failed to load libcublas.so.13: not there\n")
            sys.stdout.write("Please follow https://onnxruntime.ai/docs/install/ to install CUDA.\n")

    assert preload_libraries(Runtime) == "Failed to load libcublas.so.13: not there"
    assert capsys.readouterr().out == ""
    assert preload_libraries(object()) == ""


class GpuBuild:
    """onnxruntime-gpu on a machine without a driver: CUDA is listed, and every session falls back."""

    __name__ = "onnxruntime_gpu_stand_in"

    @staticmethod
    def get_available_providers() -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    @staticmethod
    def InferenceSession(*_: object, providers: list[object], **__: object):  # noqa: N802
        raise RuntimeError(OLD_DRIVER)


@pytest.fixture
def broken_gpu(monkeypatch):
    real = providers.load_runtime()
    GpuBuild.SessionOptions = real.SessionOptions
    GpuBuild.__version__ = real.__version__
    monkeypatch.setattr(providers, "load_runtime", lambda: GpuBuild)
    fault = providers.provider_fault.__wrapped__
    monkeypatch.setattr(providers, "provider_fault", lambda p: fault(p) if p is Provider.CUDA else None)


@pytest.mark.usefixtures("broken_gpu")
def test_auto_says_why_it_took_the_cpu(bundle, monkeypatch) -> None:
    assert choose_provider("auto") is Provider.CPU
    assert "driver is too old" in why_not_cuda("auto")
    assert why_not_cuda("cpu") == ""
    sessions = Sessions.open(bundle, provider="auto", threads=1)
    sessions.note_run("flow", sessions.form("flow"))
    (remark,) = sessions.remarks
    assert remark == NOT_CUDA.format(why=why_not_cuda("auto"))
    with pytest.raises(ProviderUnavailable, match="driver is too old for CUDA 13"):
        choose_provider("cuda")


def test_a_machine_without_the_gpu_build_says_nothing() -> None:
    assert why_not_cuda("auto") == ""


def test_what_can_be_measured_is_set_and_the_rest_left_alone() -> None:
    usual = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
    assert CudaTuning().options() == usual
    odd = CudaTuning(search="EXHAUSTIVE", tf32=False, channels_last=True, flat_conv=True, graphs=True)
    assert odd.options(recorded=True) == {
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
        "prefer_nhwc": "1",
        "cudnn_conv1d_pad_to_nc1d": "1",
        "enable_cuda_graph": "1",
    }
    ((_, options),) = provider_arguments(Provider.CUDA, tuning=CudaTuning(graphs=True))
    assert "enable_cuda_graph" not in options


def test_the_drivers_version_is_asked_as_it_wants_to_be() -> None:
    found = ctypes.c_int(0)
    Driver(13000).cuDriverGetVersion(ctypes.byref(found))
    assert found.value == 13000
