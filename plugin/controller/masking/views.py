"""What a window shows of mask mode: frozen values, every text ready to be printed.

Frames are numbers in the source, from 0; places are source pixels, x to the right and y down. A
window that draws a picture at another size scales by `MaskView.width` and `height`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from plugin.controller.projector import Still
from plugin.masks.prompts import Box, Gesture, Place


class Tool(StrEnum):
    """What the pointer does in the picture."""

    MOVE = "move"
    POINT = "point"
    BOX = "box"
    LASSO = "lasso"
    BRUSH = "brush"


class MaskOverlay(StrEnum):
    """How masks are drawn over the picture."""

    OFF = "off"
    OUTLINE = "outline"
    TINT = "tint"
    MATTE = "matte"


class Direction(StrEnum):
    """Which way masks are tracked from the shown frame."""

    FORWARD = "forward"
    REVERSE = "reverse"
    BOTH = "both"
    NEXT = "next"
    """One frame forward."""
    PREVIOUS = "previous"
    """One frame back."""


class FrameState(StrEnum):
    """What is known of one object in one frame."""

    KEYFRAME = "keyframe"
    """Drawn by the editor."""
    TRACKED = "tracked"
    """Followed from the keyframes around it."""
    STALE = "stale"
    """Tracked before a keyframe next to it was changed; shown until it is tracked again."""
    LOST = "lost"
    """Tracked, but the object is most likely gone or changed."""
    ABSENT = "absent"
    """The editor said that the object cannot be seen."""
    GAP = "gap"
    """Nothing is known: black in the matte."""


class Trust(StrEnum):
    """A confidence as the strip colours it; each also has a hatching of its own."""

    GOOD = "good"
    """Above 0.6."""
    FAIR = "fair"
    """0.3 to 0.6."""
    POOR = "poor"
    """Below 0.3."""


def trust_of(confidence: float) -> Trust:
    """The colour of a confidence."""
    return Trust.GOOD if confidence > 0.6 else Trust.FAIR if confidence >= 0.3 else Trust.POOR


@dataclass(frozen=True, slots=True)
class StripFrame:
    """One frame of one object in the strip.

    Attributes:
        frame: its number.
        state: what is known.
        confidence: 0..1; 1 on keyframes, 0 where nothing is known.
    """

    frame: int
    state: FrameState
    confidence: float

    @property
    def trust(self) -> Trust:
        """How it is coloured."""
        return trust_of(self.confidence)


@dataclass(frozen=True, slots=True)
class StripRun:
    """Neighbouring frames that look the same in the strip.

    Attributes:
        first: first frame.
        last: last frame, included.
        state: of all of them.
        trust: of all of them.
    """

    first: int
    last: int
    state: FrameState
    trust: Trust


@dataclass(frozen=True, slots=True)
class StripView:
    """The strip of one object.

    Attributes:
        first: first frame of the range.
        last: last frame of the range, included.
        frames: all of them.
        runs: the same, put together as they are painted.
        keyframes: frames with a diamond; absent ones too.
        cuts: frames with which another shot begins, as far as they were found.
    """

    first: int
    last: int
    frames: tuple[StripFrame, ...]
    runs: tuple[StripRun, ...]
    keyframes: tuple[int, ...]
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One object that is being marked.

    Attributes:
        id: for `Marking.choose_object`; it may change when an object is removed.
        label: its word, which names the mask track ("violin").
        colour: red, green, blue, 0..255.
        keyframes: how many it has.
        text: how far it is, in words ("3 keyframes, 120 of 125 frames").
        shown: drawn in the picture.
    """

    id: str
    label: str
    colour: tuple[int, int, int]
    keyframes: int
    text: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class BlackFrames:
    """What of an object's matte would be black because nothing was tracked there.

    Attributes:
        id: of the object.
        label: its word.
        frames: how many would be black.
        stale: how many of them were tracked before a keyframe next to them was changed.
        total: how many the matte has.
    """

    id: str
    label: str
    frames: int
    stale: int
    total: int

    @property
    def text(self) -> str:
        """For people ("violin: 12 of 125 frames, 4 of them to be tracked again")."""
        again = f", {self.stale} of them to be tracked again" if self.stale else ""
        return f"{self.label}: {self.frames} of {self.total} frames{again}"


@dataclass(frozen=True, slots=True)
class Mark:
    """One gesture of the shown frame, for the window to draw.

    Attributes:
        index: for `Marking.move_gesture` and `remove_gesture`.
        gesture: what was drawn; its sign is `inside` (or `paints`), not its colour alone.
        handle: where it is taken hold of.
        text: for a list and for screen readers ("point on the object at 320, 180").
    """

    index: int
    gesture: Gesture
    handle: Place
    text: str


@dataclass(frozen=True, slots=True)
class MaskPicture:
    """The shown frame.

    Attributes:
        frame: which one.
        still: picture with masks drawn over it, None where the frame cannot be shown.
        state: of the chosen object in it.
        confidence: 0..1 of the chosen object.
        working: the mask is still being made; a spinner belongs on the picture.
        candidate: which of the `candidates` is shown, from 0; None where there is no choice.
        candidates: how many sizes the last click could mean, 0 or 1 for no choice.
        notice: what is wrong with this frame or what was drawn, "" for nothing.
        remedy: what to do about it, one imperative sentence, "" for nothing.
    """

    frame: int
    still: Still | None
    state: FrameState
    confidence: float
    working: bool = False
    candidate: int | None = None
    candidates: int = 0
    notice: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place that words could mean.

    Attributes:
        number: from 1, the best first; it is chosen by it.
        box: around it, source pixels.
        score: how well it fits the words, 0..1.
    """

    number: int
    box: Box
    score: float

    @property
    def text(self) -> str:
        """For a list and for screen readers."""
        box = self.box
        width, height = box.right - box.left, box.bottom - box.top
        return (
            f"{self.number}: score {self.score:.2f}, {width:.0f} by {height:.0f} pixels "
            f"at {box.left:.0f}, {box.top:.0f}"
        )


@dataclass(frozen=True, slots=True)
class FindingView:
    """What is looked for by words, or what was found.

    Attributes:
        words: that were given, "" while nothing was looked for.
        frame: in which they are looked for; places are shown in this one only.
        looking: the answer has not come; a spinner belongs on the picture.
        places: what was found, to choose one of.
        notice: why nothing was, "" for nothing.
        remedy: what to do about it, "" for nothing.
    """

    words: str = ""
    frame: int = -1
    looking: bool = False
    places: tuple[FoundPlace, ...] = ()
    notice: str = ""
    remedy: str = ""


class TrackingState(StrEnum):
    """Where a propagation is."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    """Asked to stop; ends with the frame that is being tracked."""
    DONE = "done"
    STOPPED = "stopped"
    """By the editor; what was tracked is kept."""
    PAUSED = "paused"
    """By itself: the object was lost, or another shot begins; `text` says so."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrackingView:
    """The propagation that runs, or the last one.

    Attributes:
        state: where it is.
        direction: which way.
        label: of the object.
        done: frames tracked.
        total: frames to track.
        frame: the newest tracked frame, None before the first.
        rate: frames per second, None until it can be said.
        seconds_left: None until it can be said.
        text: all of that in words, or why it ended.
        remedy: what to do, one imperative sentence; "" for nothing.
        lost: the object seems gone in some frame; it paused there.
    """

    state: TrackingState
    direction: Direction
    label: str
    done: int
    total: int
    frame: int | None
    rate: float | None
    seconds_left: float | None
    text: str
    remedy: str = ""
    lost: bool = False

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.state in {TrackingState.STARTING, TrackingState.RUNNING, TrackingState.STOPPING}

    @property
    def progress(self) -> float:
        """0..1."""
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class MaskView:
    """Everything about an open mask session but picture, strip and tracking.

    Attributes:
        title: the clip or file, for people.
        cue_id: the spot it was opened for, "" for none.
        width: of the upright source picture, pixels.
        height: of the upright source picture, pixels.
        rate: source frames per second.
        first: first frame of the range, handles included.
        last: last frame of the range, included.
        spot_first: first frame that is visible on the timeline.
        spot_last: last frame that is visible on the timeline.
        frame: the shown one.
        timecode: of the shown frame, counted from the source's first.
        mark_in: the range to track begins here, None for `first`.
        mark_out: the range to track ends here, included; None for `last`.
        playing: the playhead moves.
        tool: chosen tool.
        paints: the brush adds; else it erases.
        radius: of the brush, source pixels.
        overlay: how masks are drawn.
        objects: in their order.
        object: id of the chosen one, "" while there is none.
        marks: what was drawn in the shown frame of the chosen object.
        undo: what undo would take back, "" for nothing.
        redo: what redo would make again, "" for nothing.
        segmenter: what makes the masks of keyframes, for people ("GrabCut, no model").
        tracker: what follows them, for people ("flow tracker, no model", "SAM 2.1 tiny, CUDA").
        clicks_need_model: a lone click is a guess here; offer box and lasso first.
        no_words: why objects cannot be found by words here, with the remedy; "" where they can.
        saved: whether the prompts are on disk, in words.
        can_save: there is at least one keyframe to make a matte of.
        can_place: there is a timeline to place the mattes on.
    """

    title: str
    cue_id: str
    width: int
    height: int
    rate: Fraction
    first: int
    last: int
    spot_first: int
    spot_last: int
    frame: int
    timecode: str
    mark_in: int | None
    mark_out: int | None
    playing: bool
    tool: Tool
    paints: bool
    radius: float
    overlay: MaskOverlay
    objects: tuple[ObjectRow, ...]
    object: str
    marks: tuple[Mark, ...]
    undo: str
    redo: str
    segmenter: str
    tracker: str
    clicks_need_model: bool
    saved: str
    can_save: bool
    can_place: bool
    no_words: str = ""


@dataclass(frozen=True, slots=True)
class SavedMatte:
    """One matte that was written.

    Attributes:
        label: the object.
        path: folder or file.
        track: the mask track it lies on, "" when it was only exported.
        frames: how many it has.
        gaps: how many of them are black because nothing is known.
    """

    label: str
    path: str
    track: str
    frames: int
    gaps: int


@dataclass(frozen=True, slots=True)
class SavingView:
    """How far a save is.

    Attributes:
        done: frames that are written.
        total: frames of all mattes.
        text: the same in words.
    """

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class SaveReport:
    """What the last save did.

    Attributes:
        mattes: what was written.
        text: the whole in words.
        remedy: what to do next or about a failure, "" for nothing.
        failed: nothing was placed; the prompts and all masks are as they were.
        cue_ids: spots that the timeline has gained, once it was read again.
    """

    mattes: tuple[SavedMatte, ...]
    text: str
    remedy: str = ""
    failed: bool = False
    cue_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskChanged:
    """What a `MaskSession.beat` found to be new.

    Attributes:
        picture: `MaskSession.picture`.
        view: `MaskSession.view`: the playhead, objects, marks, undo, what was saved.
        strip: `MaskSession.strip`.
        tracking: `MaskSession.tracking`.
        saving: `MaskSession.saving` or `MaskSession.report`.
        finding: `MaskSession.finding.view`.
        messages: sentences for the person, each with its remedy.
    """

    picture: bool = False
    view: bool = False
    strip: bool = False
    tracking: bool = False
    saving: bool = False
    finding: bool = False
    messages: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is new."""
        shown = self.picture or self.view or self.strip or self.tracking or self.saving or self.finding
        return bool(shown or self.messages)
