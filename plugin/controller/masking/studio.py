"""What a mask session does in threads: frames decoded and painted, keyframes segmented, results looked at.

A `Studio` belongs to the window's thread; nothing of it waits. Outcomes come from `poll`, and `ready` is
called, from another thread, whenever there is one.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.kept import Kept
from plugin.controller.masking.bases import Bases, name_of
from plugin.controller.masking.crews import NoTracker
from plugin.controller.masking.films import MakersFrames, ScreenFrames
from plugin.controller.masking.projection import Layer, colour_of, drawn_over
from plugin.controller.masking.views import MaskOverlay
from plugin.controller.projector import Still
from plugin.errors import SagafoleyError
from plugin.masks.documents import Film, PromptsDocument
from plugin.masks.made import MadeMasks
from plugin.masks.makers import Mask, Picture, Segmented, Segmenter
from plugin.masks.prompts import Click, FramePrompts
from plugin.masks.propagating import MaskWork
from plugin.masks.results import KeptMask, MaskStore
from plugin.media.stills import Size

_PATIENCE = 0.5
"""Seconds that each thread gets to end."""

_PICTURES = 96 << 20
_MASKS = 96 << 20
"""Bytes that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A frame that is wanted on the screen.

    Attributes:
        frame: its number.
        limit: pixels there are.
        overlay: how masks are drawn.
        document: what was said.
        number: the chosen object, None for none.
        hidden: objects that are not drawn.
        earlier: for objects whose frame is not made anew yet: the documents that it was made of before,
            and the number that the object had in each.
        turn: counts up with every result, so that the same frame is drawn again.
    """

    frame: int
    limit: Size
    overlay: MaskOverlay
    document: PromptsDocument
    number: int | None
    hidden: frozenset[int] = frozenset()
    earlier: Mapping[int, tuple[PromptsDocument, int]] = field(default_factory=dict)
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Projected:
    """A frame that was painted.

    Attributes:
        wish: what was asked for.
        still: the picture; None where there is none, `error` says why.
        base: the chosen object's mask where nothing was drawn, and its name: a correction begins with it.
        error: why there is no picture.
    """

    wish: Wish
    still: Still | None
    base: tuple[str, Mask] | None = None
    error: SagafoleyError | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A keyframe has its mask, or `error` says why not.

    Attributes:
        prompts: of the keyframe.
        sizes: how many candidates there are to choose from, 0 for no choice; None: not known.
        size: which of them the mask is; None: none of them, or not known.
        error: why there is no mask.
        kept: the mask could be written to disk.
    """

    prompts: FramePrompts
    sizes: int | None = None
    size: int | None = None
    error: SagafoleyError | None = None
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Looked:
    """What is on disk of one object of a document: confidences by frame, and the cuts that are known."""

    document: PromptsDocument
    confidences: tuple[Mapping[int, float], ...]
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Something nobody thought of."""

    error: SagafoleyError


Outcome = Projected | Drawn | Looked | Failed


class _Noted:
    """A segmenter that remembers the candidates of what it was last asked."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._last: Segmented | None = None

    @property
    def name(self) -> str:
        return self._segmenter.name

    @property
    def version(self) -> str:
        return self._segmenter.version

    def prepare(self, picture: Picture) -> None:
        """Get ready for a picture, where that helps."""
        prepare = getattr(self._segmenter, "prepare", None)
        if prepare is not None:
            prepare(picture)

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        self._last = self._segmenter.segment(picture, prompts, before=before)
        return self._last

    def take(self) -> Segmented | None:
        """What it was last asked, once; None where it was not asked since."""
        last, self._last = self._last, None
        return last


class Studio:
    """The threads of one mask session; end it with `close`."""

    def __init__(
        self,
        film: Film,
        *,
        store: MaskStore,
        segmenter: Segmenter,
        bases: Bases,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            film: what is looked at.
            store: where masks are kept.
            segmenter: makes the masks of keyframes; used by one thread only.
            bases: masks that documents name.
            ready: called from other threads when `poll` has something.
        """
        self._store = store
        self._segmenter = _Noted(segmenter)
        self._bases = bases
        self._ready = ready
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._viewer, self._drawer, self._looker = (
            Background(name) for name in ("mask viewer", "mask drawer", "mask looker")
        )
        self._shown, self._worked = ScreenFrames(film), MakersFrames(film)
        self._stills: Kept[Picture] = Kept(_PICTURES)
        self._fresh: Kept[KeptMask] = Kept(_MASKS)
        self._seen: tuple[PromptsDocument, MadeMasks] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self._viewer.busy or self._drawer.busy or self._looker.busy

    @property
    def drawing(self) -> bool:
        """Whether a keyframe is being segmented or waits for it."""
        return self._drawer.busy

    def ask(self, wish: Wish) -> None:
        """Paint this frame next; one that still waits is forgotten."""
        self._viewer.put("view", lambda: self._tell(self._project(wish)))

    def draw(self, document: PromptsDocument, number: int, frame: int) -> None:
        """Make the mask of a keyframe, before others that wait; of one frame only the newest wish counts."""
        self._drawer.put(("draw", number, frame), lambda: self._tell(self._draw(document, number, frame)))

    def prepare(self, frame: int) -> None:
        """Decode a frame before something is drawn in it, and let the segmenter get ready for it."""
        self._drawer.put("prepare", lambda: self._prepare(frame))

    def look(self, document: PromptsDocument) -> None:
        """Look what is on disk of a document."""
        self._looker.put("look", lambda: self._tell(self._look(document)))

    def poll(self) -> tuple[Outcome, ...]:
        """What has come since the last call; of painted frames only the last."""
        came: list[Outcome] = []
        while not self._outcomes.empty():
            came.append(self._outcomes.get())
        frames = [one for one in came if isinstance(one, Projected)]
        return tuple(one for one in came if not isinstance(one, Projected) or one is frames[-1])

    def close(self) -> None:
        """End the threads and let go of the film; one that is in the middle of a frame goes after it."""
        for thread in (self._viewer, self._drawer, self._looker):
            thread.close(patience=_PATIENCE)
        if not self._viewer.busy:
            self._shown.close()
        if not self._drawer.busy:
            self._worked.close()

    def _tell(self, outcome: Outcome) -> None:
        self._outcomes.put(outcome)
        self._ready()

    def _project(self, wish: Wish) -> Projected:
        try:
            picture = self._picture(wish)
            base, layers = None, []
            for number in range(len(wish.document.objects)):
                kept = self._mask(wish, number)
                if kept is None:
                    continue
                if number == wish.number and wish.document.objects[number].at(wish.frame) is None:
                    base = (name_of(kept.mask), kept.mask) if kept.mask.any() else None
                if number not in wish.hidden:
                    layers.append(Layer(kept.mask, colour_of(number)))
            return Projected(wish, Still.of(drawn_over(picture, layers, wish.overlay)), base)
        except SagafoleyError as error:
            return Projected(wish, None, error=error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            return Projected(wish, None, error=unforeseen("showing a frame", error))

    def _picture(self, wish: Wish) -> Picture:
        key = (wish.frame, wish.limit)
        known = self._stills.get(key)
        if known is None:
            known = self._shown.picture(wish.frame, limit=wish.limit)
            self._stills.put(key, known, weight=known.nbytes)
        return known

    def _mask(self, wish: Wish, number: int) -> KeptMask | None:
        """The mask of one object in the wished frame: of today, else of before it was changed."""
        prompts = wish.document.objects[number].at(wish.frame)
        fresh = self._fresh.get(prompts) if prompts is not None else None
        found = fresh or self._made(wish.document).mask(number, wish.frame)
        earlier = wish.earlier.get(number)
        if found is None and earlier is not None:
            found = MadeMasks(earlier[0], self._store).mask(earlier[1], wish.frame)
        return found

    def _made(self, document: PromptsDocument) -> MadeMasks:
        if self._seen is None or self._seen[0] != document:
            self._seen = (document, MadeMasks(document, self._store))
        return self._seen[1]

    def _draw(self, document: PromptsDocument, number: int, frame: int) -> Drawn:
        prompts = document.objects[number].at(frame) or FramePrompts(frame)
        try:
            return self._segmented(document, number, prompts)
        except SagafoleyError as error:
            return Drawn(prompts, error=error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            return Drawn(prompts, error=unforeseen("making a mask", error))

    def _segmented(self, document: PromptsDocument, number: int, prompts: FramePrompts) -> Drawn:
        self._segmenter.take()
        self._bases.write()
        work = MaskWork(
            document,
            store=self._store,
            frames=self._worked,
            segmenter=self._segmenter,
            tracker=NoTracker(document.tracker),
            painted=self._bases.painted,
        )
        kept = work.keyframe(number, prompts.frame)
        self._fresh.put(prompts, kept, weight=kept.mask.nbytes)
        found = self._segmenter.take()
        if found is None:
            return Drawn(prompts)
        sizes = len(found.candidates)
        same = [index for index, one in enumerate(found.candidates) if np.array_equal(one, kept.mask)]
        if sizes > 1 and same:
            self._keep_sizes(work.made, prompts, found)
        return Drawn(prompts, sizes if sizes > 1 else 0, same[0] if same else None)

    def _keep_sizes(self, made: MadeMasks, prompts: FramePrompts, found: Segmented) -> None:
        """The other sizes that a lone click could mean, so that choosing among them needs no segmenter."""
        if len(prompts.gestures) != 1 or prompts.painted or not isinstance(prompts.gestures[0], Click):
            return
        for size, mask in enumerate(found.candidates):
            chosen = replace(prompts, gestures=(replace(prompts.gestures[0], size=size),))
            kept = KeptMask(mask, found.confidence)
            self._store.store(made.keyframe_key(chosen), prompts.frame, kept)
            self._fresh.put(chosen, kept, weight=mask.nbytes)
            self._tell(Drawn(chosen, len(found.candidates), size))

    def _prepare(self, frame: int) -> None:
        try:
            picture = self._worked.picture(frame)
        except SagafoleyError:
            return  # the viewer says on the picture what is wrong with it
        try:
            self._segmenter.prepare(picture)
        except SagafoleyError as error:
            self._tell(Failed(error))

    def _look(self, document: PromptsDocument) -> Looked | Failed:
        try:
            made = MadeMasks(document, self._store)
            found = tuple(made.confidences(number) for number in range(len(document.objects)))
            return Looked(document, found, made.shot_changes() or ())
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            return Failed(unforeseen("looking at masks", error))
