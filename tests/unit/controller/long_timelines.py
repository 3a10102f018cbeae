"""Timelines as long as a feature: thousands of clips, hundreds of mattes."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio

from tests.cli.made_timelines import RATE, START, rational, span, track

CLIP = 48
"""Frames of each clip."""


def make_long_timeline(folder: Path, *, clips: int, spots: int, files: int = 50) -> Path:
    """A picture track of `clips` clips and three mask tracks with `spots` mattes; no media is there.

    Args:
        folder: where it goes.
        clips: clips on the picture track.
        spots: mattes, evenly spread; at most one per clip.
        files: different movies that the clips show.
    """
    timeline = otio.schema.Timeline("feature", global_start_time=rational(START))
    timeline.tracks.append(
        track("V1", *(_clip(f"shot {number:04}", f"reel{number % files:02}.mov") for number in range(clips)))
    )
    every = clips // spots
    for lane, word in enumerate(("violin", "footsteps", "door")):
        masks = track(f"MASK {word}")
        for number in range(clips):
            if number % every == 0 and (number // every) % 3 == lane and number // every < spots:
                masks.append(_clip(f"matte {number:04}", f"matte{number:04}.mov"))
            else:
                masks.append(otio.schema.Gap(source_range=span(0, CLIP)))
        masks.enabled = False
        timeline.tracks.append(masks)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "feature.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def _clip(name: str, file: str) -> otio.schema.Clip:
    reference = otio.schema.ExternalReference(file, span(0, 100 * RATE))
    return otio.schema.Clip(name, media_reference=reference, source_range=span(24, CLIP))
