"""`python -m exporter.synth FOLDER`: scenes as a data set on disk."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from exporter.errors import ExportError
from exporter.synth.dataset import METADATA, write_scenes
from exporter.synth.settings import SceneSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes scenes; 0 when all are written, 2 if the folder cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m exporter.synth", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the data set goes; made if absent")
    parser.add_argument("--scenes", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first scene (%(default)s)")
    parser.add_argument(
        "--size", type=int, default=128, help="pixels of the picture's side, even (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=5.12, help="length of a scene (%(default)s)")
    parser.add_argument(
        "--validation", type=int, default=10, help="every n-th scene is for validation (%(default)s)"
    )
    options = parser.parse_args(arguments)
    settings = SceneSettings(size=options.size, seconds=options.seconds)
    seeds = range(options.seed, options.seed + options.scenes)
    try:
        count = sum(1 for _ in write_scenes(options.folder, seeds, settings, validation=options.validation))
    except ExportError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{count} objects of {options.scenes} scenes: {options.folder / METADATA}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
