"""The NVIDIA GPU and driver of this machine, as the driver's own program and files tell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from machine import Machine
from programs import Programs

_QUERIES = ("name,driver_version,compute_cap,memory.total", "name,driver_version")
_WSL = "/usr/lib/wsl/lib/nvidia-smi"
_MODULE = re.compile(r"NVRM version:.*?\s(\d+(?:\.\d+)+)")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU.

    Attributes:
        name: as the driver tells it.
        driver: version in numbers: (580, 65, 6).
        capability: compute capability in numbers: (8, 9); None where an old driver does not tell.
        memory_mb: its own memory, 0 where not told.
    """

    name: str
    driver: tuple[int, ...]
    capability: tuple[int, ...] | None = None
    memory_mb: int = 0

    @property
    def driver_text(self) -> str:
        """The driver's version as people write it."""
        return ".".join(map(str, self.driver))


def find_gpu(machine: Machine, programs: Programs) -> Gpu | None:
    """The most able NVIDIA GPU whose driver answers; None where there is none.

    Args:
        machine: where to look.
        programs: runs `nvidia-smi`.
    """
    if machine.system == "Darwin":
        return None
    for program in _programs(machine):
        for query in _QUERIES:
            words = [program, f"--query-gpu={query}", "--format=csv,noheader,nounits"]
            ran = programs.run(words, environment=machine.environment, timeout=30)
            gpus = [gpu for gpu in map(_gpu_of, ran.output.splitlines()) if gpu] if ran.code == 0 else []
            if gpus:
                return max(gpus, key=lambda gpu: (gpu.capability or (), gpu.memory_mb))
    return _gpu_of_files(machine.system_root / "proc/driver/nvidia")


def _programs(machine: Machine) -> Iterator[str]:
    """Where `nvidia-smi` may be."""
    found = shutil.which("nvidia-smi", path=machine.environment.get("PATH"))
    if found:
        yield found
    if machine.system == "Windows":
        yield machine.environment.get("SYSTEMROOT", "C:\\Windows") + "\\System32\\nvidia-smi.exe"
        programs = machine.environment.get("PROGRAMFILES", "C:\\Program Files")
        yield programs + "\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe"
    else:
        yield _WSL


def _gpu_of(line: str) -> Gpu | None:
    """A line of `nvidia-smi`; None when it is something else (a message, a driver that does not answer)."""
    parts = [part.strip() for part in line.split(",")]
    driver = _numbers(parts[1]) if len(parts) >= 2 else ()
    if not driver:
        return None
    capability = _numbers(parts[2]) if len(parts) > 2 else ()
    memory = parts[3] if len(parts) > 3 else ""
    return Gpu(parts[0], driver, capability or None, int(memory) if memory.isdigit() else 0)


def _gpu_of_files(folder: Path) -> Gpu | None:
    """What the driver's files say (Linux), where `nvidia-smi` is not installed."""
    try:
        found = _MODULE.search((folder / "version").read_text("utf-8", "replace"))
        cards = sorted(folder.glob("gpus/*/information"))
        text = cards[0].read_text("utf-8", "replace") if cards else ""
    except OSError:
        return None
    model = re.search(r"^Model:\s*(.+)$", text, re.MULTILINE)
    return Gpu(model[1].strip(), _numbers(found[1])) if found and model else None


def _numbers(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"\d+(\.\d+)*", text) is None:
        return ()
    return tuple(map(int, text.split(".")))
