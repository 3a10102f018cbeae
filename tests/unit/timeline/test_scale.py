"""A large timeline costs one pass: offsets are summed once per track, pictures found by bisection."""

from __future__ import annotations

import time
from typing import Any

from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots


def large(build: Any, clips: int, spots: int) -> Any:
    picture = build.track("V1", *(build.clip("shot", 96) for _ in range(clips - spots)))
    mattes = []
    for _ in range(spots):
        mattes += [build.gap(106), build.clip("matte", 60), build.gap(26)]
    return build.timeline(picture, build.track("MASK violin", *mattes, enabled=False), start=86400)


def test_3000_clips_and_300_spots_take_seconds_at_most(build: Any) -> None:
    path = build.write(large(build, 3000, 300))
    begun = time.process_time()
    spotting = find_spots(read_timeline(path), folder=build.folder)
    assert time.process_time() - begun < 2.0
    assert len(spotting.spots) == 300
    assert not spotting.problems
    assert spotting.spots[-1].record == build.span(86400 + 299 * 192 + 106, 86400 + 299 * 192 + 166)


def test_twice_the_clips_cost_about_twice(build: Any) -> None:
    def cost(clips: int) -> float:
        timeline = large(build, clips, clips // 10)
        return min(_seconds(timeline, build) for _ in range(3))

    assert cost(2000) < 3.5 * cost(1000)


def _seconds(timeline: Any, build: Any) -> float:
    begun = time.process_time()
    find_spots(timeline, folder=build.folder)
    return time.process_time() - begun
