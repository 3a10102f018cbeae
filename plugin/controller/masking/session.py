"""Mask mode on one shot: what is seen, drawn, tracked and saved, without a window.

A `MaskSession` belongs to the window's thread; make it through `MaskDesk`. `beat` is called 20 times a
second or more, and whenever `ready` was called from another thread; nothing here waits for a disk, a
decoder or a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin.controller.chores import Chores
from plugin.controller.masking.crews import Crew
from plugin.controller.masking.keeping import PromptsKeeper
from plugin.controller.masking.knowledge import Knowledge
from plugin.controller.masking.listing import Look, Pen, mask_view, strip_view
from plugin.controller.masking.marking import Marking
from plugin.controller.masking.orders import TrackOrder, reach_of, require_keyframe
from plugin.controller.masking.propagation import Child, FrameMade, Happening, Propagation, start_child
from plugin.controller.masking.studio import Drawn, Failed, Looked, Outcome, Projected, Studio, Wish
from plugin.controller.masking.targets import Shot
from plugin.controller.masking.views import (
    Direction,
    FrameState,
    MaskChanged,
    MaskOverlay,
    MaskPicture,
    MaskView,
    StripView,
    Tool,
    TrackingView,
)
from plugin.controller.playback import Playback, Ruler
from plugin.errors import SagafoleyError
from plugin.masks.document_files import PaintedMasks
from plugin.masks.documents import PromptsDocument
from plugin.masks.prompts import FramePrompts
from plugin.masks.results import MaskStore
from plugin.media.stills import Size
from plugin.timebase import TimeSpan

_SMALLEST = 16
_BRUSH = 1 / 40
"""Radius of the brush at first, as a part of the picture's height."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """What a session needs of its surroundings.

    Attributes:
        crew: makes the masks.
        store: where masks are kept.
        document: what was said earlier, with the film and range of the shot.
        path: where what is said is saved.
        number: the object that is chosen at first, from 0.
        notices: what there is to say at the beginning, whole sentences.
    """

    crew: Crew
    store: MaskStore
    document: PromptsDocument
    path: Path
    number: int = 0
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _News:
    """What is new since the last beat."""

    picture: bool = False
    view: bool = True
    strip: bool = True
    tracking: bool = False
    saving: bool = False
    messages: list[str] = field(default_factory=list)

    def changed(self) -> MaskChanged:
        """The same for a window."""
        return MaskChanged(
            self.picture, self.view, self.strip, self.tracking, self.saving, tuple(self.messages)
        )


class MaskSession:
    """Mask mode on one shot; end it with `close`.

    Attributes:
        shot: what is looked at.
        marking: objects and gestures, undo and redo.
        playback: the playhead; its frames count from `MaskView.first`. J K L, loop and the in and out
            points, which limit what is tracked, are its.
        picture: the shown frame, None before the first has come.
    """

    def __init__(
        self,
        shot: Shot,
        desktop: Desktop,
        *,
        can_place: bool = False,
        ready: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[], Child] = start_child,
    ) -> None:
        """Nothing is opened yet.

        Args:
            shot: what is looked at.
            desktop: makers, folders and what was said earlier.
            can_place: there is a timeline that mattes can be placed on.
            ready: called from other threads when `beat` should be called.
            clock: seconds that only grow.
            start: gives a mask process.
        """
        film, folder = shot.film, desktop.path.parent
        self.shot = shot
        self._crew, self._can_place = desktop.crew, can_place
        self._chores = Chores()
        self._knowledge = Knowledge(desktop.document)
        self._keeper = PromptsKeeper(desktop.path, desktop.document, chores=self._chores)
        self._studio = Studio(
            film,
            store=desktop.store,
            segmenter=desktop.crew.segmenter,
            painted=PaintedMasks(folder, film),
            ready=ready,
        )
        self._propagation = Propagation(store=desktop.store, painted=folder, start=start, clock=clock)
        self.playback = Playback(clock=clock)
        self.playback.load(TimeSpan(shot.first / film.rate, (shot.last + 1) / film.rate), Ruler(film.rate))
        self.marking = Marking(
            desktop.document,
            here=lambda: self.frame,
            go=self.show,
            changed=self._changed,
            tracked=self._base,
            number=desktop.number,
        )
        tool = Tool.LASSO if desktop.crew.clicks_need_model else Tool.POINT
        self._pen = Pen(tool, paints=True, radius=max(1.0, film.height * _BRUSH))
        self._look, self._limit = Look(), Size(640, 360)
        self._drawn: dict[FramePrompts, Drawn] = {}
        self._strips: dict[int, tuple[int, StripView]] = {}
        self._asked: Wish | None = None
        self._came: Projected | None = None
        self._following = False
        self._transport = self.playback.view()
        self._news = _News(messages=list(desktop.notices))
        self.picture: MaskPicture | None = None
        self.show(shot.shown_first)
        self._draw_keyframes()

    @property
    def frame(self) -> int:
        """The shown frame."""
        return self.shot.first + self.playback.frame()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self._studio.busy or self._propagation.running or self._keeper.busy or self._chores.busy

    @property
    def tracking(self) -> TrackingView | None:
        """The propagation that runs, or the last one; None before the first."""
        return self._propagation.view()

    def view(self) -> MaskView:
        """Everything but picture, strip and tracking."""
        return mask_view(
            self.shot,
            self.marking,
            self.playback,
            strips=tuple(self._strip(number) for number in range(len(self.marking.document.objects))),
            crew=self._crew,
            pen=self._pen,
            look=self._look,
            saved=self._keeper.words,
            can_place=self._can_place,
        )

    def strip(self, object_id: str = "") -> StripView | None:
        """The strip of an object, the chosen one when none is named; None while there is none."""
        number = int(object_id) if object_id else self.marking.number
        if number is None or number >= len(self._knowledge.document.objects):
            return None
        return self._strip(number)

    def show(self, frame: int) -> None:
        """Show a frame of the range; what plays goes on from there."""
        self._following = False
        self.playback.seek(frame - self.shot.first)

    def step(self, frames: int) -> None:
        """Stop and move by whole frames, within the range."""
        self._following = False
        self.playback.step(frames)

    def show_keyframe(self, step: int) -> None:
        """Stop at the next keyframe of the chosen object (1), or at the one before (-1)."""
        chosen = self.marking.object
        found = None
        if chosen is not None:
            found = chosen.after(self.frame) if step > 0 else chosen.before(self.frame)
        if found is not None:
            self.playback.stop()
            self.show(found.frame)

    def fit(self, width: int, height: int) -> None:
        """There are so many pixels for the picture."""
        self._limit = Size(max(width, _SMALLEST), max(height, _SMALLEST))

    def draw(self, overlay: MaskOverlay) -> None:
        """Draw masks this way."""
        self._look = replace(self._look, overlay=overlay)
        self._news.view = True

    def show_object(self, object_id: str, *, shown: bool) -> None:
        """Draw an object's mask, or do not; its matte is saved all the same."""
        hidden, number = self._look.hidden, int(object_id)
        self._look = replace(self._look, hidden=hidden - {number} if shown else hidden | {number})
        self._news.view = True

    def choose_tool(self, tool: Tool) -> None:
        """Draw with this from now on; the segmenter gets ready for the shown frame."""
        self._pen = replace(self._pen, tool=tool)
        self._news.view = True
        if tool is not Tool.MOVE:
            self._studio.prepare(self.frame)

    def set_brush(self, *, radius: float | None = None, paints: bool | None = None) -> None:
        """Change the brush: its radius in source pixels, and whether it paints or erases."""
        pen, largest = self._pen, float(self.shot.film.height)
        wide = pen.radius if radius is None else min(max(radius, 1.0), largest)
        self._pen = Pen(pen.tool, pen.paints if paints is None else paints, wide)
        self._news.view = True

    def cycle(self, step: int) -> None:
        """Let the last click of the shown frame mean the next larger size (1), or a smaller one (-1)."""
        prompts = self.marking.prompts()
        drawn = self._drawn.get(prompts) if prompts else None
        if drawn is not None and drawn.sizes:
            self.marking.choose_size(((drawn.size or 0) + step) % drawn.sizes)

    def track(self, direction: Direction, *, anyway: bool = False) -> None:
        """Begin to track the chosen object from the shown frame; what still holds is not made again.

        Between two keyframes the whole stretch is filled from both. In and out points limit the range. The
        playhead follows the newest frame until it is moved.

        Args:
            direction: which way.
            anyway: do not pause where the object seems lost.

        Raises:
            UsageError: there is nothing to track from, nothing that way, or masks are being tracked.
            EngineError: the mask process cannot be started.
        """
        self._require_masks()
        first, last = reach_of(direction, self.frame, self._limits())
        self._propagation.start(
            TrackOrder(
                self.marking.document,
                self.marking.number or 0,
                first,
                last,
                direction,
                pause=not anyway,
                tracker=self._crew.choice,
            )
        )
        self.playback.stop()
        self._following = True
        self._news.tracking = True

    def stop(self) -> None:
        """Stop tracking; what was tracked is kept. Asked twice, the mask process is ended."""
        self._propagation.stop()
        self._news.tracking = True

    def beat(self) -> MaskChanged:
        """Go on: take what has come, ask for the frame under the playhead; what is new."""
        self._chores.poll()
        for outcome in self._studio.poll():
            self._take(outcome)
        waiting = self._propagation.order is not None and self._is_drawing(self._propagation.order)
        for happened in self._propagation.poll(ready=not waiting):
            self._follow(happened)
        self._news.tracking |= self._propagation.running
        fault = self._keeper.beat()
        if fault is not None:
            self._say(fault)
        self._ask()
        transport = self.playback.view()
        self._news.view |= transport != self._transport
        self._transport = transport
        self._show_picture()
        news, self._news = self._news, _News(view=False, strip=False)
        return news.changed()

    def close(self) -> SagafoleyError | None:
        """Save what was said and let go of everything; why it could not be saved. What is tracked stays."""
        self._propagation.close()
        self._studio.close()
        return self._keeper.finish()

    def _require_masks(self) -> None:
        """Nothing, where the chosen object can be tracked as far as is known.

        Raises:
            SagafoleyError: it was not drawn, or a keyframe of it could not be made.
        """
        chosen = self.marking.object
        require_keyframe(chosen)
        for prompts in chosen.keyframes if chosen else ():
            drawn = self._drawn.get(prompts)
            if drawn is not None and drawn.error is not None:
                raise drawn.error

    def _strip(self, number: int) -> StripView:
        kept = self._strips.get(number)
        if kept is None or kept[0] != self._knowledge.turn:
            self._strips[number] = kept = (self._knowledge.turn, strip_view(self._knowledge, number))
        return kept[1]

    def _limits(self) -> tuple[int, int]:
        """First and last frame between the marks."""
        view, shot = self.playback.view(), self.shot
        first = shot.first if view.mark_in is None else shot.first + view.mark_in
        return first, shot.last if view.mark_out is None else shot.first + view.mark_out

    def _say(self, error: SagafoleyError) -> None:
        self._news.messages.append(str(error))

    def _changed(self, document: PromptsDocument) -> None:
        """Everything that follows from an edit."""
        self._news.view = self._news.strip = True
        before = self._knowledge.document
        if document is before:
            return
        self._knowledge.change(document)
        self._keeper.keep(document)
        order = self._propagation.order
        if order is not None and _prompts_of(order, document) != order.document.objects[order.number]:
            self._propagation.stop()
        self._draw_keyframes()

    def _draw_keyframes(self) -> None:
        """Make the masks of keyframes that have none yet, those of the shown frame first."""
        document, here = self._knowledge.document, self.frame
        wanted = [
            (abs(prompts.frame - here), number, prompts)
            for number, one in enumerate(document.objects)
            for prompts in one.keyframes
            if not prompts.absent and prompts not in self._drawn
        ]
        for _, number, prompts in sorted(wanted, key=lambda one: one[0], reverse=True):
            self._studio.draw(document, number, prompts.frame)
        if not wanted:
            self._studio.look(document)

    def _is_drawing(self, order: TrackOrder) -> bool:
        """Whether a keyframe that an order hangs on has no mask yet."""
        prompts = order.document.objects[order.number]
        return any(not one.absent and one not in self._drawn for one in prompts.keyframes)

    def _base(self, number: int, frame: int) -> str:
        """The mask that was tracked in a frame, kept under a name that a correction can begin with."""
        came = self._came
        if frame not in self._knowledge.made(number) or came is None or came.base is None:
            return ""
        if (came.wish.frame, came.wish.number) != (frame, number):
            return ""
        self._studio.keep_base(*came.base)
        return came.base[0]

    def _take(self, outcome: Outcome) -> None:
        match outcome:
            case Projected():
                self._came = outcome
            case Drawn():
                self._take_drawn(outcome)
            case Looked():
                if outcome.document == self._knowledge.document:
                    self._knowledge.look(outcome.confidences, outcome.cuts)
                    self._news.strip = self._news.view = True
            case Failed():
                self._say(outcome.error)

    def _take_drawn(self, drawn: Drawn) -> None:
        self._drawn[drawn.prompts] = drawn
        self._knowledge.turn += 1
        self._news.view = True
        document = self._knowledge.document
        keyframes = [one for each in document.objects for one in each.keyframes if not one.absent]
        if all(one in self._drawn for one in keyframes):
            self._studio.look(document)

    def _follow(self, happened: Happening) -> None:
        self._news.tracking = True
        order = happened.order
        same = _prompts_of(order, self._knowledge.document) == order.document.objects[order.number]
        if isinstance(happened, FrameMade):
            if same:
                self._knowledge.add(order.number, happened.frame, happened.confidence)
                self._news.strip = True
            if self._following and not self.playback.playing:
                self.playback.seek(happened.frame - self.shot.first)
            return
        if happened.failure is not None:
            self._say(happened.failure)
        if happened.lost is not None and self._following:
            self.playback.seek(happened.lost - self.shot.first)
        self._following = False
        self._news.view = True
        self._studio.look(self._knowledge.document)

    def _ask(self) -> None:
        """Ask for the frame under the playhead, where it is not what was asked for last."""
        document, frame, knowledge = self._knowledge.document, self.frame, self._knowledge
        earlier = {}
        for number in range(len(document.objects)):
            found = knowledge.before(number, frame)
            if found is not None and frame not in knowledge.made(number):
                earlier[number] = (found.document, found.number)
        wish = Wish(
            frame,
            self._limit,
            self._look.overlay,
            document,
            self.marking.number,
            self._look.hidden,
            earlier,
            turn=knowledge.turn,
        )
        if wish != self._asked:
            self._asked = wish
            self._studio.ask(wish)

    def _show_picture(self) -> None:
        """Put the shown frame together out of what is known of it."""
        came, prompts = self._came, self.marking.prompts()
        drawn = self._drawn.get(prompts) if prompts is not None else None
        working = prompts is not None and not prompts.absent and drawn is None
        if came is None:
            return
        strip = self.strip()
        state = strip.frames[came.wish.frame - strip.first] if strip is not None else None
        error = came.error or (drawn.error if drawn else None)
        picture = MaskPicture(
            frame=came.wish.frame,
            still=came.still,
            state=state.state if state else FrameState.GAP,
            confidence=state.confidence if state else 0.0,
            working=working,
            candidate=drawn.size if drawn and drawn.sizes else None,
            candidates=(drawn.sizes or 0) if drawn else 0,
            notice=error.message if error else "",
            remedy=error.remedy if error else "",
        )
        if picture != self.picture:
            self.picture = picture
            self._news.picture = True


def _prompts_of(order: TrackOrder, document: PromptsDocument) -> object:
    """What a document says of the object of an order, None where it has none of that number."""
    return document.objects[order.number] if order.number < len(document.objects) else None
