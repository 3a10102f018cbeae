"""Which onnxruntime fits: one for the CPU, two for NVIDIA GPUs. An environment holds exactly one of them.

Sizes are those of the wheels for Python 3.11 and 3.12 as published in November 2026, all packages that come
along included. `onnxruntime-gpu` from 1.28 is built for CUDA 13, which needs driver 580 and compute
capability 7.5; 1.26 was the last for CUDA 12 (driver 525 on Linux, 527 on Windows).
"""

from __future__ import annotations

from dataclasses import dataclass

from gpu import Gpu
from machine import Machine


@dataclass(frozen=True, slots=True)
class Runtime:
    """One build of onnxruntime.

    Attributes:
        name: what `--gpu` and the record call it.
        extra: the extra of the product that brings it.
        title: for people.
        downloads: bytes to fetch, by system.
        driver: oldest driver, by system.
        capability: least compute capability.
    """

    name: str
    extra: str
    title: str
    downloads: dict[str, int]
    driver: dict[str, tuple[int, ...]]
    capability: tuple[int, ...] = ()

    def download(self, system: str) -> int:
        """Bytes to fetch on `system`."""
        return self.downloads.get(system, 0)


CPU = Runtime("cpu", "cpu", "CPU", {"Linux": 20_000_000, "Darwin": 20_000_000, "Windows": 15_000_000}, {})
CUDA_13 = Runtime(
    name="cuda13",
    extra="cuda",
    title="GPU pack, CUDA 13",
    downloads={"Linux": 1_570_000_000, "Windows": 1_340_000_000},
    driver={"Linux": (580,), "Windows": (580,)},
    capability=(7, 5),
)
CUDA_12 = Runtime(
    name="cuda12",
    extra="cuda12",
    title="GPU pack, CUDA 12",
    downloads={"Linux": 1_980_000_000, "Windows": 1_890_000_000},
    driver={"Linux": (525,), "Windows": (527,)},
    capability=(7, 5),
)
RUNTIMES = {runtime.name: runtime for runtime in (CPU, CUDA_13, CUDA_12)}


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits a machine.

    Attributes:
        pack: the GPU pack that fits, None where none does.
        reason: what was found, as a sentence.
    """

    pack: Runtime | None
    reason: str


def fitting(machine: Machine, gpu: Gpu | None) -> Fitting:
    """The GPU pack for this machine, or why there is none."""
    if machine.system == "Darwin":
        return Fitting(None, "GPU packs are for NVIDIA GPUs; macOS has none.")
    if gpu is None:
        return Fitting(None, "No NVIDIA GPU with a working driver was found.")
    if machine.processor != "x86_64":
        return Fitting(None, f"{gpu.name} was found; GPU packs exist for x86_64 only.")
    found = f"{gpu.name} with driver {gpu.driver_text} was found"
    for pack in (CUDA_13, CUDA_12):
        if gpu.capability is not None and gpu.capability < pack.capability:
            wanted = ".".join(map(str, pack.capability))
            has = ".".join(map(str, gpu.capability))
            return Fitting(None, f"{found}; it has compute capability {has}, {wanted} is needed.")
        if gpu.driver >= pack.driver[machine.system]:
            return Fitting(pack, f"{found}.")
    oldest = CUDA_12.driver[machine.system][0]
    return Fitting(None, f"{found}; driver {oldest} or newer is needed (580 or newer is best).")
