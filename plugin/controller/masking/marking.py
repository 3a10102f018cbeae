"""What an editor draws: gestures on objects in frames, each one edit that can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from plugin.controller.masking.history import Edit, EditHistory
from plugin.errors import UsageError
from plugin.masks.documents import ObjectPrompts, PromptsDocument
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Place, Stroke

_NEAREST = 0.5
"""Source pixels: a box or lasso smaller than this was a slip of the hand."""

_SLACK = 2.0
"""Source pixels beside the picture at which a click still means its edge."""

_LASSO_PLACES = 3


class Marking:
    """The part of a mask session that draws; used by the window's thread.

    Every gesture makes the shown frame a keyframe of the chosen object, and without an object, one is
    added first. Places are source pixels; what lies outside the picture is brought to its edge.
    """

    def __init__(
        self,
        document: PromptsDocument,
        *,
        here: Callable[[], int],
        go: Callable[[int], None],
        changed: Callable[[PromptsDocument], None],
        tracked: Callable[[int, int], str],
        number: int = 0,
    ) -> None:
        """Nothing is drawn yet beyond the document.

        Args:
            document: where to begin.
            here: the shown frame.
            go: shows another frame.
            changed: told the document before every change.
            tracked: keeps the mask that was tracked for an object (number from 0) in a frame as a
                PNG and gives its name, which a correction starts from; "" where there is none.
            number: the object that is chosen at first, from 0.
        """
        self._history = EditHistory(document)
        self._here = here
        self._go = go
        self._changed = changed
        self._tracked = tracked
        self._number = number

    @property
    def document(self) -> PromptsDocument:
        """All that was said so far."""
        return self._history.document

    @property
    def number(self) -> int | None:
        """The chosen object, from 0; None while there is none."""
        count = len(self.document.objects)
        return min(self._number, count - 1) if count else None

    @property
    def object(self) -> ObjectPrompts | None:
        """The chosen object, None while there is none."""
        return self.document.objects[self.number] if self.number is not None else None

    def choose_object(self, object_id: str) -> None:
        """Draw on another object."""
        self._number = self._number_of(object_id)
        self._changed(self.document)

    def add_object(self, label: str) -> str:
        """Add an object and choose it; its id.

        Raises:
            UsageError: no word, or another object has it.
        """
        words = self._free_label(label, besides=None)
        number = len(self.document.objects)
        self._edit(self.document.with_object(number, ObjectPrompts(words)), f"Add {words}", number=number)
        return str(number)

    def rename_object(self, object_id: str, label: str) -> None:
        """Call an object otherwise; mattes that were saved keep their names.

        Raises:
            UsageError: no such object, no word, or another object has it.
        """
        number = self._number_of(object_id)
        words = self._free_label(label, besides=number)
        renamed = replace(self.document.objects[number], label=words)
        self._edit(self.document.with_object(number, renamed), f"Rename to {words}", number=number)

    def remove_object(self, object_id: str) -> None:
        """Take an object away with all that was drawn of it; undo brings it back.

        Raises:
            UsageError: no such object.
        """
        number = self._number_of(object_id)
        label = self.document.objects[number].label
        self._edit(self.document.without_object(number), f"Remove {label}", number=number)

    def allow_overlap(self, allowed: bool) -> None:  # noqa: FBT001 - a switch's own value
        """Whether a pixel may belong to several objects; else the one it most likely is."""
        self._edit(replace(self.document, may_overlap=allowed), "Overlapping objects")

    def click(self, place: Place, *, inside: bool = True) -> None:
        """A point on the object, or on what is not the object.

        Raises:
            UsageError: it lies beside the picture.
        """
        film, (x, y) = self.document.film, place
        if not (-_SLACK <= x <= film.width + _SLACK and -_SLACK <= y <= film.height + _SLACK):
            raise UsageError("The click lies beside the picture.", remedy="Click on the picture itself.")
        self._draw(Click(self._on_picture(place), inside), "Click" if inside else "Click to take away")

    def box(self, corner: Place, opposite: Place, *, words: str = "") -> None:
        """A rectangle around the object, by two corners; one without extent is a slip and ignored.

        Args:
            corner: of it.
            opposite: the corner opposite.
            words: that found it; the object that is added with it is called so. "" where it was drawn.
        """
        (x0, y0), (x1, y1) = self._within(corner), self._within(opposite)
        left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        if right - left >= _NEAREST and bottom - top >= _NEAREST:
            found = Box(left, top, right, bottom, words)
            self._draw(found, "Found" if words else "Box", afresh=True, label=words)

    def lasso(self, places: Sequence[Place], *, inside: bool = True) -> None:
        """A closed line around the object, or around what is taken away; one without area is ignored."""
        line = _thinned([self._within(place) for place in places])
        if len(line) >= _LASSO_PLACES and _extent(line) >= _NEAREST:
            self._draw(Lasso(line, inside), "Lasso", afresh=inside)

    def stroke(self, places: Sequence[Place], *, radius: float, paints: bool = True) -> None:
        """A brush stroke that paints the mask or erases it; `radius` in source pixels."""
        line = _thinned([self._within(place) for place in places])
        if line and radius > 0:
            self._draw(Stroke(line, float(radius), paints), "Paint" if paints else "Erase")

    def move_gesture(self, index: int, place: Place, *, drag: str = "") -> None:
        """Put a gesture of the shown frame with its handle elsewhere.

        Args:
            index: `Mark.index`.
            place: where its handle goes.
            drag: the same text for all moves of one drag, which is then one edit; "" for a single move.
        """
        found = self._gesture(index)
        if found is not None:
            point = isinstance(found[1], Click)
            x, y = self._on_picture(place) if point else self._within(place)
            at_x, at_y = handle_of(found[1])
            moved = found[0].with_gesture_moved(self._here(), index, by=(x - at_x, y - at_y))
            self._put(moved, f"Move {words_of(found[1])}", drag=drag)

    def remove_gesture(self, index: int) -> None:
        """Take a gesture of the shown frame away."""
        found = self._gesture(index)
        if found is not None:
            left = found[0].without_gesture(self._here(), index)
            self._put(left, f"Remove {words_of(found[1])}")

    def choose_size(self, size: int) -> None:
        """Let the last click of the shown frame mean the candidate `size`, 0 the smallest."""
        prompts = self.prompts()
        of_clicks = [
            index
            for index, each in enumerate(prompts.gestures if prompts else ())
            if isinstance(each, Click) and each.inside
        ]
        found = self._gesture(of_clicks[-1]) if of_clicks else None
        if found is not None and isinstance(found[1], Click):
            sized = replace(found[1], size=max(size, 0))
            after = found[0].with_gesture_changed(self._here(), of_clicks[-1], sized)
            self._put(after, "Choose size", drag=f"size {self._here()} {of_clicks[-1]}")

    def absent(self) -> None:
        """The object cannot be seen from the shown frame on, until the next keyframe."""
        if self.object is not None:
            self._put(self.object.absent_from(self._here()), f"{self.object.label} absent")

    def back(self) -> bool:
        """The object can be seen in the shown frame again; whether that could be said without a gesture.

        An absence that begins in this very frame is taken back. One that began earlier goes on up to
        here, and only a gesture in this frame says where the object is: False, draw it.
        """
        frame, chosen = self._here(), self.object
        if chosen is None or not chosen.is_absent(frame):
            return True
        if chosen.at(frame) is None:
            return False
        self._put(chosen.without_keyframe(frame), f"{chosen.label} back")
        return True

    def delete_keyframe(self, frame: int | None = None) -> None:
        """Forget what was drawn in a frame, the shown one when none is named."""
        chosen, where = self.object, self._here() if frame is None else frame
        if chosen is not None and chosen.at(where) is not None:
            self._put(chosen.without_keyframe(where), "Delete keyframe", frame=where)

    def prompts(self) -> FramePrompts | None:
        """What was drawn of the chosen object in the shown frame, None for nothing."""
        return self.object.at(self._here()) if self.object else None

    def undo(self) -> None:
        """Take the last gesture back and show its frame."""
        self._follow(self._history.undo())

    def redo(self) -> None:
        """Make the gesture again that was taken back, and show its frame."""
        self._follow(self._history.redo())

    @property
    def undo_title(self) -> str:
        """What `undo` would take back, "" for nothing."""
        return self._history.done[-1].title if self._history.done else ""

    @property
    def redo_title(self) -> str:
        """What `redo` would make again, "" for nothing."""
        return self._history.undone[-1].title if self._history.undone else ""

    def _follow(self, edit: Edit | None) -> None:
        if edit is None:
            return
        self._number = edit.number
        self._go(edit.frame)
        self._changed(self.document)

    def _draw(self, gesture: Gesture, title: str, *, afresh: bool = False, label: str = "") -> None:
        """One more gesture.

        Args:
            gesture: what was drawn.
            title: of the edit.
            afresh: it does not start from a mask that was tracked.
            label: of the object where it is the first.
        """
        frame, chosen, number = self._here(), self.object, self.number
        if chosen is None or number is None:  # the first gesture adds its object with it
            chosen, number = ObjectPrompts(label or self._unused_label()), len(self.document.objects)
        elif chosen.at(frame) is None and not afresh:
            name = self._tracked(number, frame)
            chosen = chosen.with_painted(frame, name) if name else chosen
        after = self.document.with_object(number, chosen.with_gesture(frame, gesture))
        self._edit(after, f"{title}: {chosen.label}", number=number)

    def _put(self, prompts: ObjectPrompts, title: str, *, drag: str = "", frame: int | None = None) -> None:
        after = self.document.with_object(self.number or 0, prompts)
        self._edit(after, title, drag=drag, frame=frame)

    def _edit(
        self,
        after: PromptsDocument,
        title: str,
        *,
        number: int | None = None,
        drag: str = "",
        frame: int | None = None,
    ) -> None:
        chosen = (self.number or 0) if number is None else number
        where = self._here() if frame is None else frame
        if self._history.change(Edit(title, self.document, after, where, chosen, drag)):
            self._number = chosen
            self._changed(after)

    def _gesture(self, index: int) -> tuple[ObjectPrompts, Gesture] | None:
        """The chosen object and its gesture of the shown frame; None where that is gone."""
        prompts = self.prompts()
        if self.object is None or prompts is None or not 0 <= index < len(prompts.gestures):
            return None
        return self.object, prompts.gestures[index]

    def _number_of(self, object_id: str) -> int:
        if object_id.isdecimal() and int(object_id) < len(self.document.objects):
            return int(object_id)
        raise UsageError("This object is not in the list any more.", remedy="Choose another object.")

    def _free_label(self, label: str, *, besides: int | None) -> str:
        words = " ".join(label.split())
        if not words:
            raise UsageError("The object has no name.", remedy="Say what it is, for example 'violin'.")
        others = (one.label for number, one in enumerate(self.document.objects) if number != besides)
        if words.casefold() in {one.casefold() for one in others}:
            raise UsageError(f"Another object is called '{words}'.", remedy="Give each object its own name.")
        return words

    def _unused_label(self) -> str:
        taken = {one.label.casefold() for one in self.document.objects}
        names = ("object", *(f"object {count}" for count in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)

    def _on_picture(self, place: Place) -> Place:
        """The middle of the nearest pixel for a point at the edge or beside it: a point needs a pixel."""
        film, (x, y) = self.document.film, self._within(place)
        return min(x, film.width - 0.5), min(y, film.height - 0.5)

    def _within(self, place: Place) -> Place:
        film = self.document.film
        x, y = float(place[0]), float(place[1])
        return min(max(x, 0.0), float(film.width)), min(max(y, 0.0), float(film.height))


def _thinned(places: Sequence[Place]) -> tuple[Place, ...]:
    """The line without places that repeat the one before."""
    return tuple(place for index, place in enumerate(places) if not index or place != places[index - 1])


def _extent(places: Sequence[Place]) -> float:
    """The smaller side of the rectangle around a line."""
    across, down = [x for x, _ in places], [y for _, y in places]
    return min(max(across) - min(across), max(down) - min(down))


def handle_of(gesture: Gesture) -> Place:
    """Where a gesture is taken hold of: the point, the middle of a box, the first place of a line."""
    match gesture:
        case Click():
            return gesture.place
        case Box():
            return (gesture.left + gesture.right) / 2, (gesture.top + gesture.bottom) / 2
        case _:
            return gesture.places[0]


def words_of(gesture: Gesture) -> str:
    """A gesture in words, for lists and screen readers."""
    x, y = handle_of(gesture)
    match gesture:
        case Click():
            kind = "point on the object" if gesture.inside else "point outside the object"
        case Box():
            kind = f"box found for {gesture.words!r}" if gesture.words else "box around the object"
        case Lasso():
            kind = "lasso around the object" if gesture.inside else "lasso around what is taken away"
        case Stroke():
            kind = "brush stroke" if gesture.paints else "eraser stroke"
    return f"{kind} at {x:.0f}, {y:.0f}"
