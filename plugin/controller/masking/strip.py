"""How far each frame of an object is: the states of a range, put together as they are painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from plugin.controller.masking.views import FrameState, StripFrame, StripRun, StripView
from plugin.masks.documents import ObjectPrompts
from plugin.masks.makers import LOST_BELOW, LOST_FRAMES


def strip_of(
    prompts: ObjectPrompts,
    confidences: Mapping[int, float],
    *,
    earlier: Mapping[int, float],
    first: int,
    last: int,
    cuts: Sequence[int] = (),
) -> StripView:
    """The strip of one object.

    Args:
        prompts: what was said.
        confidences: of the frames that are made, by frame.
        earlier: of frames that were made before something next to them was changed.
        first: of the range.
        last: of the range.
        cuts: first frames of new shots.
    """
    frames = tuple(_lost(_frames(prompts, confidences, earlier, first=first, last=last)))
    return StripView(
        first,
        last,
        frames,
        tuple(_runs(frames)),
        keyframes=tuple(one.frame for one in prompts.keyframes if first <= one.frame <= last),
        cuts=tuple(cut for cut in cuts if first < cut <= last),
    )


def _frames(
    prompts: ObjectPrompts,
    confidences: Mapping[int, float],
    earlier: Mapping[int, float],
    *,
    first: int,
    last: int,
) -> Iterable[StripFrame]:
    drawn = {one.frame: one for one in prompts.keyframes}
    before = prompts.before(first)
    absent = before is not None and before.absent
    for frame in range(first, last + 1):
        said = drawn.get(frame)
        if said is not None:
            absent = said.absent
        if absent:
            yield StripFrame(frame, FrameState.ABSENT, 1.0)
        elif said is not None:
            yield StripFrame(frame, FrameState.KEYFRAME, 1.0)
        elif frame in confidences:
            yield StripFrame(frame, FrameState.TRACKED, confidences[frame])
        elif frame in earlier:
            yield StripFrame(frame, FrameState.STALE, earlier[frame])
        else:
            yield StripFrame(frame, FrameState.GAP, 0.0)


def _lost(frames: Iterable[StripFrame]) -> Iterable[StripFrame]:
    """The same, where tracked frames of hardly any confidence are lost when there are enough in a row."""

    def doubtful(one: StripFrame) -> bool:
        return one.state is FrameState.TRACKED and one.confidence < LOST_BELOW

    for lost, group in groupby(frames, doubtful):
        run = list(group)
        if lost and len(run) >= LOST_FRAMES:
            yield from (StripFrame(one.frame, FrameState.LOST, one.confidence) for one in run)
        else:
            yield from run


def _runs(frames: Sequence[StripFrame]) -> Iterable[StripRun]:
    for (state, trust), group in groupby(frames, lambda one: (one.state, one.trust)):
        run = list(group)
        yield StripRun(run[0].frame, run[-1].frame, state, trust)


def words_of_strip(view: StripView) -> str:
    """How far an object is ("3 keyframes, 120 of 125 frames")."""
    count, total = len(view.keyframes), len(view.frames)
    keyframes = f"{count} keyframe{'s' * (count != 1)}"
    missing = sum(one.state in {FrameState.GAP, FrameState.STALE} for one in view.frames)
    stale = sum(one.state is FrameState.STALE for one in view.frames)
    text = f"{keyframes}, {total - missing} of {total} frames"
    return f"{text}, {stale} to track again" if stale else text
