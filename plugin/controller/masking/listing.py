"""A mask session as a window lists it: objects, marks of the shown frame, tools, what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plugin.controller.masking.crews import Crew
from plugin.controller.masking.knowledge import Knowledge
from plugin.controller.masking.marking import Marking, handle_of, words_of
from plugin.controller.masking.projection import colour_of
from plugin.controller.masking.strip import strip_of, words_of_strip
from plugin.controller.masking.targets import Shot
from plugin.controller.masking.views import (
    BlackFrames,
    FrameState,
    Mark,
    MaskOverlay,
    MaskView,
    ObjectRow,
    StripView,
    Tool,
)
from plugin.controller.playback import Playback
from plugin.masks.documents import ObjectPrompts, PromptsDocument


@dataclass(frozen=True, slots=True)
class Pen:
    """What the pointer draws with.

    Attributes:
        tool: what it does.
        paints: the brush adds; else it erases.
        radius: of the brush, source pixels.
    """

    tool: Tool
    paints: bool
    radius: float


@dataclass(frozen=True, slots=True)
class Look:
    """How masks are drawn.

    Attributes:
        overlay: over the picture.
        hidden: objects that are not drawn.
    """

    overlay: MaskOverlay = MaskOverlay.TINT
    hidden: frozenset[int] = frozenset()


def mask_view(
    shot: Shot,
    marking: Marking,
    playback: Playback,
    *,
    strips: Sequence[StripView],
    crew: Crew,
    pen: Pen,
    look: Look,
    saved: str,
    can_place: bool,
) -> MaskView:
    """Everything about a session but picture, strip and tracking.

    Args:
        shot: what is looked at.
        marking: what was drawn.
        playback: the playhead.
        strips: of all objects.
        crew: who makes the masks.
        pen: what the pointer draws with.
        look: how masks are drawn.
        saved: how the prompts on disk stand, in words.
        can_place: there is a timeline to place mattes on.
    """
    transport, film = playback.view(), shot.film
    objects = marking.document.objects
    rows = tuple(
        _row(number, objects[number], strip, shown=number not in look.hidden)
        for number, strip in enumerate(strips)
    )
    return MaskView(
        title=shot.target.title,
        cue_id=shot.target.cue_id,
        width=film.width,
        height=film.height,
        rate=film.rate,
        first=shot.first,
        last=shot.last,
        spot_first=shot.shown_first,
        spot_last=shot.shown_last,
        frame=shot.first + transport.frame,
        timecode=transport.timecode,
        mark_in=None if transport.mark_in is None else shot.first + transport.mark_in,
        mark_out=None if transport.mark_out is None else shot.first + transport.mark_out,
        playing=transport.playing,
        tool=pen.tool,
        paints=pen.paints,
        radius=pen.radius,
        overlay=look.overlay,
        objects=rows,
        object="" if marking.number is None else str(marking.number),
        marks=_marks(marking),
        undo=marking.undo_title,
        redo=marking.redo_title,
        segmenter=crew.segmenter_words,
        tracker=crew.tracker_words,
        clicks_need_model=crew.clicks_need_model,
        saved=saved,
        can_save=_can_save(marking.document),
        can_place=can_place,
        no_words=crew.no_words,
    )


def strip_view(knowledge: Knowledge, number: int) -> StripView:
    """The strip of an object."""
    document = knowledge.document
    return strip_of(
        document.objects[number],
        knowledge.made(number),
        earlier=knowledge.stale(number),
        first=document.first,
        last=document.last,
        cuts=knowledge.cuts,
    )


def black_in(strip: StripView, document: PromptsDocument, number: int) -> BlackFrames:
    """Frames that nothing is known of, or nothing any more."""
    states = [one.state for one in strip.frames]
    stale = states.count(FrameState.STALE)
    return BlackFrames(
        str(number),
        document.objects[number].label,
        frames=states.count(FrameState.GAP) + stale,
        stale=stale,
        total=len(states),
    )


def drawn_ones(document: PromptsDocument, object_ids: Sequence[str]) -> tuple[int, ...]:
    """Numbers of objects that are drawn in some frame, among those that are named or all."""
    numbers = [int(one) for one in object_ids] or range(len(document.objects))
    return tuple(
        number for number in numbers if any(not one.absent for one in document.objects[number].keyframes)
    )


def _row(number: int, prompts: ObjectPrompts, strip: StripView, *, shown: bool) -> ObjectRow:
    return ObjectRow(
        id=str(number),
        label=prompts.label,
        colour=colour_of(number),
        keyframes=len(prompts.keyframes),
        text=words_of_strip(strip),
        shown=shown,
    )


def _marks(marking: Marking) -> tuple[Mark, ...]:
    prompts = marking.prompts()
    gestures = prompts.gestures if prompts else ()
    return tuple(
        Mark(index, gesture, handle_of(gesture), words_of(gesture)) for index, gesture in enumerate(gestures)
    )


def _can_save(document: PromptsDocument) -> bool:
    return any(not one.absent for each in document.objects for one in each.keyframes)
