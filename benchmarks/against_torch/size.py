"""The model that is measured: the published one, or for a try-out what the environment names.

SAGAFOLEY_BENCH_SIZE=golden python -m benchmarks.against_torch --out out/bench
"""

from __future__ import annotations

import os

from exporter.sizes import SIZES

MEASURED = SIZES[os.environ.get("SAGAFOLEY_BENCH_SIZE", "small_44k_sa")]
"""Its sizes."""

WINDOW = MEASURED.train_frames
"""Sync frames of a window of the trained length, 5 s."""
