"""Mask mode on one shot: what is seen, drawn, tracked and saved, without a window.

A `MaskSession` belongs to the window's thread; make it through `MaskDesk`. `beat` is called 20 times a
second or more, and whenever `ready` was called from another thread; nothing here waits for a disk, a
decoder or a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from plugin.controller.chores import Chores
from plugin.controller.masking.bases import Bases
from plugin.controller.masking.desktops import Desktop
from plugin.controller.masking.finding import Finding
from plugin.controller.masking.keeping import PromptsKeeper
from plugin.controller.masking.knowledge import Knowledge
from plugin.controller.masking.listing import black_in, drawn_ones, mask_view, strip_view
from plugin.controller.masking.marking import Marking
from plugin.controller.masking.news import News
from plugin.controller.masking.orders import TrackOrder, reach_of, require_keyframe
from plugin.controller.masking.propagation import (
    Child,
    FrameMade,
    Happening,
    Propagation,
    RunEnded,
    start_child,
)
from plugin.controller.masking.saving import MatteSaver, SaveWish, WrittenMatte
from plugin.controller.masking.studio import Drawn, Failed, Looked, Outcome, Projected, Studio, Wish
from plugin.controller.masking.targets import Shot
from plugin.controller.masking.viewing import Viewing
from plugin.controller.masking.views import (
    BlackFrames,
    Direction,
    FrameState,
    MaskChanged,
    MaskPicture,
    MaskView,
    SaveReport,
    SavingView,
    StripView,
    Tool,
    TrackingState,
    TrackingView,
)
from plugin.errors import SagafoleyError, UsageError
from plugin.masks.document_files import PaintedMasks
from plugin.masks.documents import PromptsDocument
from plugin.masks.matte_files import MatteForm
from plugin.masks.prompts import FramePrompts


class MaskSession(Viewing):
    """Mask mode on one shot; end it with `close`.

    Attributes:
        saver: writes and places mattes.
        finding: looks for objects by words.
        picture: the shown frame, None before the first has come.
    """

    def __init__(
        self,
        shot: Shot,
        desktop: Desktop,
        *,
        place: Callable[[MaskSession, tuple[WrittenMatte, ...]], None] | None = None,
        ready: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[], Child] = start_child,
    ) -> None:
        """Nothing is opened yet.

        Args:
            shot: what is looked at.
            desktop: makers, folders and what was said earlier.
            place: begins to lay mattes on the timeline and tells `saver`; None where there is none.
            ready: called from other threads when `beat` should be called.
            clock: seconds that only grow.
            start: gives a mask process.
        """
        film, folder = shot.film, desktop.path.parent
        tool = Tool.LASSO if desktop.crew.clicks_need_model else Tool.POINT
        super().__init__(shot, tool=tool, clock=clock)
        self._crew, self._desktop = desktop.crew, desktop
        self._chores = Chores()
        self.saver = MatteSaver(
            chores=self._chores, place=None if place is None else lambda mattes: place(self, mattes)
        )
        self._knowledge = Knowledge(desktop.document)
        self._bases = Bases(PaintedMasks(folder, film))
        self._keeper = PromptsKeeper(desktop.path, desktop.document, bases=self._bases, chores=self._chores)
        self._studio = Studio(
            film,
            store=desktop.store,
            segmenter=desktop.crew.segmenter,
            bases=self._bases,
            ready=ready,
        )
        self.finding = Finding(film, find=desktop.crew.find, ready=ready)
        self._propagation = Propagation(store=desktop.store, painted=folder, start=start, clock=clock)
        self.marking = Marking(
            desktop.document,
            here=lambda: self.frame,
            go=self.show,
            changed=self._changed,
            tracked=self._base,
            number=desktop.number,
        )
        self._drawn: dict[FramePrompts, Drawn] = {}
        self._strips: dict[int, tuple[int, StripView]] = {}
        self._asked: Wish | None = None
        self._prepared: int | None = None
        self._began = shot.shown_first  # what was tracked last
        self._came: Projected | None = None
        self._transport = self.playback.view()
        self._news = News(messages=list(desktop.notices))
        self.picture: MaskPicture | None = None
        self._draw_keyframes()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self._studio.busy or self._propagation.running or self._keeper.busy or self._chores.busy

    @property
    def tracking(self) -> TrackingView | None:
        """The propagation that runs, or the last one; None before the first."""
        return self._propagation.view()

    @property
    def saving(self) -> SavingView | None:
        """How far a save is, None while there is none."""
        return self.saver.view()

    @property
    def report(self) -> SaveReport | None:
        """What the last save did, None before the first."""
        return self.saver.report

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
            can_place=self.saver.can_place,
        )

    def strip(self, object_id: str = "") -> StripView | None:
        """The strip of an object, the chosen one when none is named; None while there is none."""
        number = int(object_id) if object_id else self.marking.number
        if number is None or number >= len(self._knowledge.document.objects):
            return None
        return self._strip(number)

    def cycle(self, step: int) -> None:
        """Let the last click of the shown frame mean the next larger size (1), or a smaller one (-1)."""
        prompts = self.marking.prompts()
        drawn = self._drawn.get(prompts) if prompts else None
        if drawn is not None and drawn.sizes:
            self.marking.choose_size(((drawn.size or 0) + step) % drawn.sizes)

    def look_for(self, words: str) -> None:
        """Begin to look for words in the shown frame; `finding.view` tells what came of it.

        Raises:
            UsageError: there are no words, or too many.
        """
        self.playback.stop()
        self.finding.look(words, frame=self.frame)

    def choose_place(self, number: int) -> bool:
        """Let a place that was found in the shown frame be the object's box; whether there is such a one."""
        box = self.finding.take(number, frame=self.frame)
        if box is not None:
            self.marking.box((box.left, box.top), (box.right, box.bottom), words=box.words)
        return box is not None

    def track(self, direction: Direction, *, anyway: bool = False) -> None:
        """Begin to track the chosen object from the shown frame; what still holds is not made again.

        Between two keyframes the whole stretch is filled from both. In and out points limit the range. The
        playhead follows the newest frame until it is moved; after both ways it comes back.

        Args:
            direction: which way.
            anyway: do not pause where the object seems lost.

        Raises:
            UsageError: there is nothing to track from, nothing that way, or masks are being tracked.
            EngineError: the mask process cannot be started.
        """
        self._require_masks()
        first, last = reach_of(direction, self.frame, self.limits())
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
        self._began = self.frame
        self.following = True
        self._news.tracking = True

    def stop(self) -> None:
        """Stop tracking; what was tracked is kept. Asked twice, the mask process is ended."""
        self._propagation.stop()
        self._news.tracking = True

    def save(self, *, form: MatteForm = MatteForm.PNG, object_ids: Sequence[str] = ()) -> None:
        """Begin to write the mattes of objects, all when none are named, and to lay them on the timeline.

        Each goes onto a disabled track `MASK <label>` of the host. A file host never touches the editor's
        file: what it writes is the timeline with our mattes beside it, and the open timeline shows them
        from then on as if they lay in the file, so the spots gain one per matte by the ordinary rules,
        while cue sheet, takes and names stay those of the timeline. A matte that was placed for the same
        object in the same place gives way on the timeline; its files stay. Without a timeline the mattes
        are only written. `report` tells how it ended.

        Raises:
            UsageError: nothing was drawn, masks are being tracked, or a save is under way.
        """
        self.saver.save(self._wish(self._desktop.mattes, form, object_ids), place=True)
        self._news.saving = True

    def export(
        self, folder: Path, *, form: MatteForm = MatteForm.PNG, object_ids: Sequence[str] = ()
    ) -> None:
        """Begin to write mattes with their prompts into a folder; nothing is placed.

        Raises:
            UsageError: nothing was drawn, masks are being tracked, or a save is under way.
        """
        self.saver.save(self._wish(folder, form, object_ids), place=False)
        self._news.saving = True

    def black(self, object_ids: Sequence[str] = ()) -> tuple[BlackFrames, ...]:
        """Objects whose mattes would be black in frames that nothing was tracked in, were they saved now."""
        numbers = drawn_ones(self.marking.document, object_ids)
        found = (black_in(self._strip(number), self.marking.document, number) for number in numbers)
        return tuple(one for one in found if one.frames)

    def beat(self) -> MaskChanged:
        """Go on: take what has come, ask for the frame under the playhead; what is new."""
        self._chores.poll()
        for outcome in self._studio.poll():
            self._take(outcome)
        self._news.finding |= self.finding.poll()
        waiting = self._propagation.order is not None and self._is_drawing(self._propagation.order)
        for happened in self._propagation.poll(ready=not waiting):
            self._follow(happened)
        self._news.tracking |= self._propagation.running
        self.saver.beat(ready=self._all_drawn())
        self._news.saving |= self.saver.take_news()
        fault = self._keeper.beat()
        if fault is not None:
            self._say(fault)
        self._ask()
        transport = self.playback.view()
        if transport == self._transport and not self._propagation.running:
            self._prepare()
        self._news.view |= self._moved or transport != self._transport
        self._moved = False
        self._transport = transport
        self._show_picture()
        news, self._news = self._news, News(view=False, strip=False)
        return news.changed()

    def keep(self) -> SagafoleyError | None:
        """Save what was said now; why it could not be. Slow."""
        return self._keeper.finish()

    def _prepare(self) -> None:
        """Let the segmenter get ready for a frame at which the playhead stands still."""
        frame = self.frame
        if self._pen.tool is not Tool.MOVE and not self.playback.playing and frame != self._prepared:
            self._prepared = frame
            self._studio.prepare(frame)

    def close(self) -> SagafoleyError | None:
        """Save what was said and let go of everything; why it could not be saved. What is tracked stays."""
        self.saver.stop()
        self._propagation.close()
        self.finding.close()
        self._studio.close()
        self._crew.close()
        return self._keeper.finish()

    def _wish(self, folder: Path, form: MatteForm, object_ids: Sequence[str]) -> SaveWish:
        if self._propagation.running:
            raise UsageError("Masks are being tracked.", remedy="Wait until they are, or stop, then save.")
        document = self.marking.document
        drawn = drawn_ones(document, object_ids)
        if not drawn:
            raise UsageError("There is no mask to save.", remedy="Draw the object in one frame first.")
        return SaveWish(
            self.shot,
            document,
            drawn,
            folder,
            form,
            prompts=self._desktop.path.parent,
            store=self._desktop.store,
        )

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
        if order is not None and not order.holds_in(document):
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

    def _all_drawn(self) -> bool:
        """Whether every keyframe has its mask, or cannot have one."""
        keyframes = (one for each in self._knowledge.document.objects for one in each.keyframes)
        return all(one.absent or one in self._drawn for one in keyframes)

    def _is_drawing(self, order: TrackOrder) -> bool:
        """Whether a keyframe that an order hangs on has no mask yet."""
        prompts = order.document.objects[order.number]
        return any(not one.absent and one not in self._drawn for one in prompts.keyframes)

    def _base(self, number: int, frame: int) -> str:
        """The mask that is shown in a frame, kept under a name that a correction can begin with."""
        came = self._came
        if came is None or came.base is None or (came.wish.frame, came.wish.number) != (frame, number):
            return ""
        self._bases.keep(*came.base)
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
        if self._all_drawn():
            self._studio.look(self._knowledge.document)

    def _follow(self, happened: Happening) -> None:
        self._news.tracking = True
        order = happened.order
        same = order.holds_in(self._knowledge.document)
        if isinstance(happened, FrameMade):
            if same:
                self._knowledge.add(order.number, happened.frame, happened.confidence)
                self._news.strip = True
            if self.following and not self.playback.playing:
                self.playback.seek(happened.frame - self.shot.first)
            return
        if happened.failure is not None:
            self._say(happened.failure)
        if self.following:
            self.playback.seek(self._led_to(happened) - self.shot.first)
        self.following = False
        self._news.view = True
        self._studio.look(self._knowledge.document)

    def _led_to(self, ended: RunEnded) -> int:
        """The frame that a propagation leaves the playhead at, where that went along.

        Where the object was lost; one that went both ways to its end gives back the frame it began with.
        One way leads to its end, and what was stopped stays where it was seen.
        """
        if ended.lost is not None:
            return ended.lost
        view = self.tracking
        whole = view is not None and view.state in {TrackingState.DONE, TrackingState.PAUSED}
        return self._began if whole and ended.order.direction is Direction.BOTH else self.frame

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
