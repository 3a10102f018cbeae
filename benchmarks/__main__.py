"""Runs the measurements that need nothing special, one after the other: `make bench-desk`.

`benchmarks.gpu` wants a GPU (docs/gpu.md) and is run by name.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BUNDLE = Path(__file__).parents[1] / "models_onnx" / "bundles" / "embedded"
MEASUREMENTS = (("timeline",), ("desk",), ("window_joins", str(BUNDLE)), ("synth",))


def main() -> int:
    """Print what each measurement prints; the worst of their exit codes."""
    worst = 0
    for name, *arguments in MEASUREMENTS:
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
