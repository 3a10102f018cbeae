"""How fast scenes are made: `python -m benchmarks.synth` (one thread, one process)."""

from __future__ import annotations

import argparse
import time

import cv2

from exporter.synth.generating import generate
from exporter.synth.makers import CLASS_NAMES
from exporter.synth.settings import SceneSettings


def seconds_per_scene(settings: SceneSettings, *, scenes: int) -> tuple[float, float]:
    """CPU and wall seconds of one scene, over this many, after one to warm up."""
    generate(0, settings)
    cpu, wall = time.process_time(), time.perf_counter()
    for seed in range(1, scenes + 1):
        generate(seed, settings)
    return (time.process_time() - cpu) / scenes, (time.perf_counter() - wall) / scenes


def main() -> None:
    """Prints a table of sizes and casts, and the slowest classes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=40, help="per row (%(default)s)")
    count = parser.parse_args().scenes
    cv2.setNumThreads(1)
    print("| scene of 5.12 s | CPU s | wall s |\n|---|---|---|")
    rows = {
        "defaults, 128 x 128": SceneSettings(),
        "2 objects, 128 x 128": SceneSettings(objects=(2, 2)),
        "4 objects, 128 x 128": SceneSettings(objects=(4, 4)),
        "2 objects, 64 x 64": SceneSettings(size=64, objects=(2, 2)),
        "2 objects, 256 x 256": SceneSettings(size=256, objects=(2, 2)),
    }
    for name, settings in rows.items():
        cpu, wall = seconds_per_scene(settings, scenes=count)
        print(f"| {name} | {cpu:.3f} | {wall:.3f} |")
    single = {
        name: seconds_per_scene(
            SceneSettings(objects=(1, 1), classes=(name,), silent_object=0), scenes=max(4, count // 8)
        )
        for name in CLASS_NAMES
    }
    slowest = sorted(single, key=lambda name: -single[name][0])[:5]
    print("\nslowest alone: " + ", ".join(f"{name} {single[name][0]:.3f}" for name in slowest))


if __name__ == "__main__":
    main()
