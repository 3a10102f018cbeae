"""`python -m exporter.training`: train one stage, or gather the finished ones."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from exporter.errors import ExportError
from exporter.training.config import STAGES

GATHER = "weights"
UNFINISHED = 3
"""Exit code of a stage that was told to stop; the same command goes on."""

_DESCRIPTION = """\
Train one stage; the same command goes on after an interruption. Stages, in order:
sync, towers, vae, vocoder, features, flow; then `weights` gathers them for sagafoley-export.
`finetune` trains the published model's mask parts on a folder of solos."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 done, 2 wrong usage or input, 3 stopped before the end."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ExportError as error:
        sys.stderr.write(f"{error}\n")
        if options.verbose and error.detail:
            sys.stderr.write(f"{error.detail}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exporter.training",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "stage", choices=(*STAGES, GATHER), metavar="STAGE", help=", ".join((*STAGES, GATHER))
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the run's TOML file")
    parser.add_argument(
        "--out", type=Path, default=default_folder(), metavar="FOLDER", help="of the run (%(default)s)"
    )
    parser.add_argument("--verbose", action="store_true", help="say more when something fails")
    return parser


def default_folder() -> Path:
    """Where runs are kept: never inside the project."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "sagafoley" / "training"


_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""glibc's numbers for: size from which blocks are the system's own; free memory that goes back to it."""


def _keep_heap() -> None:
    """Let glibc use the memory of passing arrays again at once, instead of giving it back.

    Every array of some megabytes would otherwise be zeroed page by page by the system: two fifths of a
    step's time. What a stage keeps for long lies outside the heap (`scenes.in_own_pages`).
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(_MMAP_THRESHOLD, 32 << 20)
            set_option(_TRIM_THRESHOLD, 1 << 30)


def _run(options: argparse.Namespace) -> int:
    _keep_heap()
    from exporter.training.config import read_config  # noqa: PLC0415  torch takes seconds to import
    from exporter.training.gathering import gather_weights  # noqa: PLC0415
    from exporter.training.loop import stop_on_signal  # noqa: PLC0415
    from exporter.training.stages import run_named  # noqa: PLC0415

    config = read_config(options.config)
    if options.stage == GATHER:
        sys.stdout.write(f"{gather_weights(options.out, config.model)}\n")
        return 0
    with stop_on_signal() as stop:
        return 0 if run_named(options.stage, config, options.out, stop=stop) else UNFINISHED


if __name__ == "__main__":
    sys.exit(main())
