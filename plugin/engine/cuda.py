"""CUDA: how its provider is set up, and in plain words why it does not work where it does not.

ONNX Runtime hides the cause: a library that is missing ends in a log line and a session on the CPU. So the
libraries and the driver are looked for here, as the provider itself would.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Loader = Callable[[str], Any]

_OLD_DRIVER = ("cuda failure 35", "driver version is insufficient")
_NO_DEVICE = ("cuda failure 100", "no cuda-capable device")
_NO_CODE = ("cuda failure 209", "no kernel image")
_FULL = ("out of memory", "failed to allocate", "alloc_failed", "allocation_failed")
_NO_CUDNN = ("cudnn is not available", "libcudnn", "cudnn64")


@dataclass(frozen=True, slots=True)
class CudaTuning:
    """What can be set about CUDA; the defaults are what takes are made with.

    Attributes:
        search: how an algorithm is chosen for a convolution. "HEURISTIC" asks cuDNN; "EXHAUSTIVE" tries them
            all, anew whenever a length differs from the call before.
        tf32: tensor cores for float32, with 10 bits of mantissa in products: decoder and vocoder.
        channels_last: convolutions with the channels last in memory.
        flat_conv: 1-D convolutions as `[N, C, 1, L]` instead of `[N, C, L, 1]`.
        device_state: the solver's state stays on the GPU; otherwise every step fetches and sends it.
        fixed_shapes: the solver's graph is loaded for one length, with its shape arithmetic done beforehand.
        graphs: the solver's steps are recorded as a CUDA graph and replayed. Needs the two above.
    """

    search: str = "HEURISTIC"
    tf32: bool = True
    channels_last: bool = False
    flat_conv: bool = False
    device_state: bool = True
    fixed_shapes: bool = True
    graphs: bool = False

    def options(self, *, recorded: bool = False) -> dict[str, str]:
        """The provider's options; what stands at ONNX Runtime's own default is left out.

        Args:
            recorded: for a session whose runs become a CUDA graph.
        """
        options = {
            "cudnn_conv_algo_search": self.search,
            # The default doubles the arena, which wastes memory the editor needs.
            "arena_extend_strategy": "kSameAsRequested",
        }
        marks = {
            "use_tf32": ("0", not self.tf32),
            "prefer_nhwc": ("1", self.channels_last),
            "cudnn_conv1d_pad_to_nc1d": ("1", self.flat_conv),
            "enable_cuda_graph": ("1", recorded),
        }
        return options | {name: value for name, (value, wanted) in marks.items() if wanted}


def preload_libraries(runtime: Any) -> str:
    """Load the CUDA libraries that were installed as packages; what could not be loaded, "" when all could.

    ONNX Runtime prints its complaints; they are kept from the output, which may be read by a program.
    """
    preload = getattr(runtime, "preload_dlls", None)
    if preload is None:
        return ""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        preload()
    lines = [line for line in said.getvalue().splitlines() if line.startswith("Failed to load")]
    return "; ".join(lines)


def explain(fault: str, *, runtime: Any, complaints: str = "", load: Loader | None = None) -> str:
    """Why CUDA does not work: a sentence for the user, what ONNX Runtime said on the lines after it.

    Args:
        fault: what a try ended with.
        runtime: the onnxruntime module.
        complaints: of `preload_libraries`.
        load: opens a shared library; None is the system's way.
    """
    version = built_for(runtime)
    text = fault.lower()
    sentence = (
        _told(text, version=version)
        or _about_driver(load or ctypes.CDLL, version=version)
        or _about_libraries(complaints, version=version)
    )
    rest = "\n".join(part for part in (complaints, fault) if part)
    return f"{sentence}\n{rest}" if sentence else rest


def built_for(runtime: Any) -> int:
    """The major version of CUDA that this onnxruntime was built for; 13 where it does not say."""
    try:
        facts = importlib.import_module(f"{runtime.__name__}.capi.build_and_package_info")
        return int(str(facts.cuda_version).split(".", maxsplit=1)[0])
    except (ImportError, AttributeError, ValueError):
        return 13


def _told(text: str, *, version: int) -> str:
    """What ONNX Runtime's own words mean; "" where they mean nothing."""
    if any(word in text for word in _OLD_DRIVER):
        return _old_driver(version)
    if any(word in text for word in _NO_DEVICE):
        return "No NVIDIA GPU answers."
    if any(word in text for word in _NO_CODE):
        return "This onnxruntime has no code for a GPU of this generation."
    if any(word in text for word in _FULL):
        return "The GPU's memory is full: close the programs that use it."
    if any(word in text for word in _NO_CUDNN):
        return f"cuDNN 9 for CUDA {version} cannot be loaded: install nvidia-cudnn-cu{version}."
    return ""


def _about_driver(load: Loader, *, version: int) -> str:
    """What is wrong with the driver; "" when it is there and new enough."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = load(name)
        found = ctypes.c_int(0)
        driver.cuDriverGetVersion(ctypes.byref(found))
    except (OSError, AttributeError):
        return "There is no NVIDIA driver on this machine."
    if found.value and found.value // 1000 < version:
        return _old_driver(version)
    return ""


def _about_libraries(complaints: str, *, version: int) -> str:
    if not complaints:
        return ""
    names = sorted({line.removeprefix("Failed to load ").split(":")[0] for line in complaints.split("; ")})
    if all("cudnn" in name for name in names):
        return _told("libcudnn", version=version)
    return (
        f"Libraries of CUDA {version} are missing ({', '.join(names)}): "
        "install onnxruntime-gpu with its extras cuda and cudnn."
    )


def _old_driver(version: int) -> str:
    least = {12: "525", 13: "580"}.get(version, "")
    wanted = f"version {least} or newer" if least else "a newer one"
    other = ", or install Sagafoley with its cuda12 extra" if version >= 13 else ""
    return f"The NVIDIA driver is too old for CUDA {version}: install {wanted}{other}."
