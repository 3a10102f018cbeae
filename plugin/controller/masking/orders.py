"""What the desk tells the mask process: which frames of which document it shall track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plugin.controller.masking.views import Direction
from plugin.controller.wire import Message
from plugin.errors import UsageError
from plugin.masks.documents import ObjectPrompts, PromptsDocument
from plugin.masks.prompts_json import document_bytes, parse_document
from plugin.masks.results import MaskStore


@dataclass(frozen=True, slots=True)
class TrackOrder:
    """One propagation.

    Attributes:
        document: what was said.
        number: the object, from 0.
        first: first frame that is wanted.
        last: last frame that is wanted, included.
        direction: as the editor asked for it.
        pause: stop where the object seems lost.
        tracker: which one, as `Crew.choice` names it.
    """

    document: PromptsDocument
    number: int
    first: int
    last: int
    direction: Direction
    pause: bool
    tracker: str

    @property
    def label(self) -> str:
        """Of the object."""
        return self.document.objects[self.number].label

    def holds_in(self, document: PromptsDocument) -> bool:
        """Whether a document says the same of the object."""
        said = document.objects[self.number : self.number + 1]
        return said == (self.document.objects[self.number],)


def reach_of(direction: Direction, frame: int, limits: tuple[int, int]) -> tuple[int, int]:
    """First and last frame that are tracked that way from a frame, within limits.

    Raises:
        UsageError: nothing lies that way.
    """
    first, last = limits
    spans = {
        Direction.FORWARD: (max(frame, first), last),
        Direction.REVERSE: (first, min(frame, last)),
        Direction.BOTH: limits,
        Direction.NEXT: (frame + 1, min(frame + 1, last)),
        Direction.PREVIOUS: (max(frame - 1, first), frame - 1),
    }
    span = spans[direction]
    if span[0] > span[1]:
        raise UsageError(
            "The range ends here: there is nothing to track that way.",
            remedy="Move the playhead, or the in and out points.",
        )
    return span


def require_keyframe(prompts: ObjectPrompts | None) -> None:
    """Nothing, where an object is drawn in some frame.

    Raises:
        UsageError: there is nothing to track from.
    """
    if prompts is None or not prompts.keyframes:
        raise UsageError("Nothing is drawn yet.", remedy="Draw the object in this frame first.")
    if all(one.absent for one in prompts.keyframes):
        raise UsageError(
            f"'{prompts.label}' is absent wherever anything was said of it.",
            remedy="Draw it in a frame in which it can be seen.",
        )


def order_to_message(order: TrackOrder, *, item: int, store: MaskStore, painted: Path) -> Message:
    """An order as JSON can hold it.

    Args:
        order: what is wanted.
        item: tells this order from others.
        store: where masks are kept.
        painted: folder of the masks that the document names.
    """
    return {
        "do": "track",
        "item": str(item),
        "document": document_bytes(order.document).decode(),
        "number": order.number,
        "first": order.first,
        "last": order.last,
        "direction": order.direction.value,
        "pause": order.pause,
        "tracker": order.tracker,
        "store": str(store.folder),
        "limit": store.limit,
        "painted": str(painted),
    }


def order_of_message(message: Message) -> TrackOrder:
    """The order that `order_to_message` wrote.

    Raises:
        NotAsked: its document is none.
    """
    return TrackOrder(
        parse_document(message["document"].encode()),
        message["number"],
        message["first"],
        message["last"],
        Direction(message["direction"]),
        message["pause"],
        message["tracker"],
    )
