"""What the machine is, and whether CUDA works there by the product's own probe."""

from __future__ import annotations

from benchmarks.gpu_ledger import Ledger, gpu_memory, parse

# isort: split
import platform
import subprocess
from importlib import metadata

from plugin.engine.providers import Provider, load_runtime, provider_fault

_PACKAGES = ("torch", "onnx", "onnxscript", "onnx-ir", "numpy", "onnxruntime", "onnxruntime-gpu")


def describe(ledger: Ledger) -> None:
    """Names, versions, memory at rest, and the verdict on the provider."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    runtime = load_runtime()
    fault = provider_fault(Provider(ledger.provider))
    ledger.add(
        "machine",
        gpu=_gpu(),
        python=platform.python_version(),
        versions=versions,
        onnxruntime=runtime.__version__,
        providers=runtime.get_available_providers(),
        usable=fault is None,
        fault=fault or "",
        resting_mib=gpu_memory(),
    )


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "none"


def main() -> int:
    """1 when the provider does not work: nothing else is worth the time then."""
    _, ledger = parse(__doc__, ("machine",))
    describe(ledger)
    return 0 if provider_fault(Provider(ledger.provider)) is None else 1


if __name__ == "__main__":
    raise SystemExit(main())
