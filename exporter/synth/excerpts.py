"""Parts of scenes: a window that begins in the middle of things, as a long cue's windows do."""

from __future__ import annotations

from dataclasses import replace

from exporter.synth.scenes import Scene, SceneObject
from exporter.synth.scores import CONTROL_RATE, SAMPLE_RATE, Score


def excerpt(scene: Scene, first: int, *, frames: int) -> Scene:
    """A part of a scene, with its own time: what began before rings on, but is no event of it.

    Args:
        scene: the whole.
        first: index of its first frame.
        frames: how many.

    Raises:
        ValueError: the scene does not have these frames.
    """
    if first < 0 or frames < 1 or first + frames > len(scene.frames):
        raise ValueError(f"frames {first} to {first + frames} of a scene of {len(scene.frames)}")
    start, seconds = first / scene.fps, frames / scene.fps
    return replace(
        scene,
        times=scene.times[first : first + frames] - start,
        frames=scene.frames[first : first + frames],
        ids=scene.ids[first : first + frames],
        objects=tuple(_cut_object(item, start, seconds) for item in scene.objects),
        offscreen=tuple(_cut_object(item, start, seconds) for item in scene.offscreen),
    )


def _cut_object(item: SceneObject, start: float, seconds: float) -> SceneObject:
    begin = round(start * SAMPLE_RATE)
    span = slice(begin, begin + round(seconds * SAMPLE_RATE))
    return replace(item, score=cut_score(item.score, start, seconds), dry=item.dry[span], wet=item.wet[span])


def cut_score(score: Score, start: float, seconds: float) -> Score:
    """The events of `start .. start + seconds` and the drive there, counted from `start`."""
    events = tuple(
        replace(event, time=event.time - start)
        for event in score.events
        if start <= event.time < start + seconds
    )
    begin = round(start * CONTROL_RATE)
    return Score(seconds, events, score.drive[begin : begin + round(seconds * CONTROL_RATE) + 1])
