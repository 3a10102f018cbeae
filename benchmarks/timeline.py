"""How long reading, spotting and placing take on a large timeline, and how much memory.

    python benchmarks/timeline.py [--clips 3000] [--spots 300]

Prints one line per step: seconds of processor time (best of three) and the process's peak memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from plugin.timebase import TimeSpan
from plugin.timeline.packages import write_otioz
from plugin.timeline.placing import PlacedTake, place
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots

RATE = 24
START = 86_400


def _time(value: float) -> Any:
    return otio.opentime.RationalTime(value, RATE)


def _range(start: float, duration: float) -> Any:
    return otio.opentime.TimeRange(_time(start), _time(duration))


def _clip(name: str, start: int, duration: int, folder: Path) -> Any:
    url = (folder / "media" / f"{name}.mov").as_uri()
    return otio.schema.Clip(
        name, otio.schema.ExternalReference(url, _range(0, 100_000)), _range(start, duration)
    )


def _gap(duration: int) -> Any:
    return otio.schema.Gap(source_range=_range(0, duration))


def make_timeline(clips: int, spots: int, folder: Path) -> Any:
    """Two picture tracks and one mask track; each matte lies inside one shot of 96 frames."""
    timeline = otio.schema.Timeline("benchmark", global_start_time=_time(START))
    names = ("V1", "V2", "MASK violin | not trumpet")
    base, over, mask = (otio.schema.Track(name, kind="Video") for name in names)
    mask.enabled = False
    upper = clips // 10
    lower = clips - upper - spots
    base.extend([_clip(f"shot{number}", number, 96, folder) for number in range(lower)])
    for number in range(upper):
        over.extend([_gap(72), _clip(f"over{number}", 0, 24, folder)])
    for number in range(spots):
        mask.extend([_gap(96 + 10), _clip(f"matte{number}", 0, 60, folder), _gap(26)])
    timeline.tracks.extend([base, over, mask])
    return timeline


def best_of_three(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of the fastest of three runs, and the last result."""
    fastest, result = float("inf"), None
    for _ in range(3):
        begun = time.process_time()
        result = work()
        fastest = min(fastest, time.process_time() - begun)
    return fastest, result


def report(step: str, seconds: float, more: str = "") -> None:
    """One line of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    print(f"{step:<28}{seconds:8.3f} s   peak {peak:6.0f} MB   {more}")


def main() -> None:
    """Runs the steps on one generated timeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--spots", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "cut.otio"
        timeline = make_timeline(arguments.clips, arguments.spots, folder)
        source.write_text(otio.core.serialize_json_to_string(timeline), "utf-8")
        report("generated", 0.0, f"{source.stat().st_size / 1e6:.1f} MB")
        seconds, timeline = best_of_three(lambda: read_timeline(source))
        report("read", seconds)
        seconds, spotting = best_of_three(lambda: find_spots(timeline, folder=folder))
        report("spotted", seconds, f"{len(spotting.spots)} spots, {len(spotting.problems)} problems")
        wav = folder / "take.wav"
        wav.touch()
        begin = Fraction(START, RATE)
        takes = [
            PlacedTake("violin", TimeSpan(begin + 4 * number, begin + 4 * number + 2), wav, f"{number:03}")
            for number in range(arguments.spots)
        ]
        output = folder / "out" / "cut_foley.otio"
        seconds, placement = best_of_three(lambda: place(source, takes, output=output))
        report("placed and read back", seconds, f"{len(placement.positions)} takes")
        seconds, _ = best_of_three(lambda: write_otioz(output, output=folder / "out" / "cut.otioz"))
        report("packed", seconds)


if __name__ == "__main__":
    main()
