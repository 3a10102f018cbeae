"""The render queue: what is rendered, in which order, how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from plugin.controller.board import Board
from plugin.controller.child import RenderChild, death_of
from plugin.controller.items import Item
from plugin.controller.orders import extra_takes, order_of, preview_of
from plugin.controller.pace import Pace
from plugin.controller.states import wanting
from plugin.controller.views import QueueRow, QueueState, Topic
from plugin.controller.wire import Message, failure_of_message, order_to_message
from plugin.cues import Cue
from plugin.errors import EngineError, SagafoleyError

_KEPT = 200
"""Ended items that are remembered."""


class RenderQueue:
    """The part of the desk that renders, item after item, in a process of its own.

    Attributes:
        provider: where renders really run; "" until the first began.
        memory: bytes that the render process holds; 0 when there is none.
    """

    def __init__(
        self,
        board: Board,
        *,
        arrived: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._clock = clock
        self._pace = Pace()
        self._items: list[Item] = []
        self._number = 0
        self._child: RenderChild | None = None
        self._idle_since = 0.0
        self.provider = ""
        self.memory = 0
        self._arrived = arrived

    def rows(self) -> tuple[QueueRow, ...]:
        """Ended items first, then the running one, then those that wait, in their order."""
        now = self._clock()
        return tuple(item.row(self._pace, now=now) for item in self._items)

    def generate(self, cue_ids: Sequence[str], *, takes: int | None = None, preview: bool = False) -> None:
        """Add spots to the queue, one item each, in record order.

        Args:
            cue_ids: the spots.
            takes: that many takes more, with seeds after those that are there or wait; None: the takes
                that the cue asks for, or where those are all there, one more.
            preview: with the steps of the preset that the settings name for previews.
        """
        session = self._board.open_session()
        wanted = set(cue_ids)
        for cue in session.book.sheet.cues:
            if cue.id in wanted:
                shown = preview_of(cue, session, self._board.workspace) if preview else cue
                waiting = [item.cue for item in self._items if not item.ended and item.cue.id == cue.id]
                self._add(extra_takes(shown, session, waiting, takes=takes), preview=shown.steps < cue.steps)
        self._next()

    def generate_stale(self, *, preview: bool = False) -> int:
        """Add every spot that is new or stale, not blocked and not in the queue; how many were added."""
        session = self._board.open_session()
        busy = {item.cue.id for item in self._items if not item.ended}
        ids = [cue_id for cue_id in wanting(session) if cue_id not in busy]
        self.generate(ids, preview=preview)
        return len(ids)

    def _add(self, cue: Cue, *, preview: bool) -> None:
        try:
            order = order_of(cue, self._board, number=self._number + 1)
        except SagafoleyError as error:  # no bundle to render with
            self._board.say(error)
            return
        self._number += 1
        self._items.append(Item(order, preview=preview))
        self._told(self._items[-1])

    def move(self, item: str, *, to: int) -> None:
        """Give a waiting item another place among those that wait, 0 the next."""
        moved = self._find(item)
        if moved is None or moved.state is not QueueState.WAITING:
            return
        self._items.remove(moved)
        waiting = [index for index, each in enumerate(self._items) if each.state is QueueState.WAITING]
        place = waiting[to] if 0 <= to < len(waiting) else len(self._items)
        self._items.insert(place if to >= 0 else (waiting or [len(self._items)])[0], moved)
        self._board.tell(Topic.QUEUE)

    def cancel(self, item: str) -> None:
        """Take a waiting item out; stop the running one after its solver step, at once when asked twice."""
        found = self._find(item)
        if found is None or found.ended:
            return
        if found.state is QueueState.WAITING:
            self._end(found, QueueState.CANCELLED)
        elif self._child is not None:
            if found.stopping:
                self._child.kill()
            found.stopping = True
            self._child.send({"do": "cancel", "item": found.id})
            self._told(found)

    def cancel_all(self) -> None:
        """Cancel everything that waits or runs."""
        for item in reversed([each for each in self._items if not each.ended]):
            if not item.stopping:
                self.cancel(item.id)

    def retry(self, item: str) -> None:
        """Add a failed or cancelled item again."""
        found = self._find(item)
        if found is not None and found.state in {QueueState.FAILED, QueueState.CANCELLED}:
            self._items.remove(found)
            self._add(found.cue, preview=found.preview)
            self._next()

    def forget(self, item: str) -> None:
        """Take an item that has ended off the list."""
        self._items = [each for each in self._items if each.id != item or not each.ended]
        self._board.tell(Topic.QUEUE)

    def clear(self) -> None:
        """Forget the items that have ended."""
        self._items = [item for item in self._items if not item.ended]
        self._board.tell(Topic.QUEUE)
        self._board.tell(Topic.PROBLEMS)

    @property
    def running(self) -> bool:
        """Whether anything waits or runs: closing the window would end it."""
        return any(not item.ended for item in self._items)

    @property
    def failed(self) -> tuple[Item, ...]:
        """The items that failed and were neither tried again nor forgotten."""
        return tuple(item for item in self._items if item.state is QueueState.FAILED)

    def of_cue(self, cue_id: str) -> QueueRow | None:
        """What runs, or else waits, for a spot; None when nothing does."""
        of_it = [item for item in self._items if item.cue.id == cue_id and not item.ended]
        of_it.sort(key=lambda item: item.state is QueueState.WAITING)
        return of_it[0].row(self._pace, now=self._clock()) if of_it else None

    def words(self) -> str:
        """The queue in a few words, "" when nothing waits or runs."""
        current = self._current()
        waiting = sum(item.state is QueueState.WAITING for item in self._items)
        more = f", {waiting} waiting" if waiting else ""
        if current is None:
            return f"{waiting} waiting" if waiting else ""
        row = current.row(self._pace, now=self._clock())
        return f"{current.cue.id} {row.label}: {row.text}{more}"

    def poll(self) -> None:
        """Take what the render process told, look whether it lives, and give it its next item."""
        if self._child is None:
            return
        for message in self._child.messages():
            self._hear(message)
        status = self._child.exit_status
        if status is not None:
            self._bury(status)
        self._next()
        self._rest()

    def close(self) -> None:
        """End the render process and forget every item."""
        self._items.clear()
        self._kill()
        self._hang_up()

    def stop_all(self) -> None:
        """Forget every item; a running one ends with its process."""
        running = self._current() is not None
        self._items.clear()
        if running:
            self._kill()
            self._hang_up()
        self._board.tell(Topic.QUEUE)

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _hang_up(self) -> None:
        """End the render process; an idle one goes by itself."""
        if self._child is not None:
            child, self._child, self.memory = self._child, None, 0
            child.close()
            self._board.tell(Topic.STATUS)

    def _find(self, item: str) -> Item | None:
        return next((each for each in self._items if each.id == item), None)

    def _current(self) -> Item | None:
        return next((each for each in self._items if each.state is QueueState.RUNNING), None)

    def _next(self) -> None:
        """Begin the next item when none is under way."""
        waiting = next((each for each in self._items if each.state is QueueState.WAITING), None)
        if waiting is None or self._current() is not None:
            return
        try:
            self._child = self._child or RenderChild.start()
        except EngineError as error:
            self._end(waiting, QueueState.FAILED, error)
            return
        waiting.state = QueueState.RUNNING
        self._child.send(order_to_message(waiting.order))
        self._told(waiting)

    def _hear(self, message: Message) -> None:
        match message["tell"]:
            case "opened":
                self.provider = message["provider"]
                self._board.tell(Topic.STATUS)
            case "memory":
                self.memory = message["bytes"]
                self._board.tell(Topic.STATUS)
        current = self._current()
        if current is not None and message.get("item") == current.id:
            self._hear_of(current, message)

    def _hear_of(self, item: Item, message: Message) -> None:
        match message["tell"]:
            case "progress":
                part = message["done"] / max(message["total"], 1)
                item.told(message["stage"], part, now=self._clock())
            case "warning":
                item.warnings.append(message["message"])
            case "take":
                item.finish_take(message["name"], self._pace)
                self._arrived(item.cue.id, message["name"])
            case "failed":
                item.failure = failure_of_message(message)
            case "ended":
                self._idle_since = self._clock()
                self._end(item, _STATES[message["outcome"]], item.failure)
                return
        self._told(item)

    def _end(self, item: Item, state: QueueState, failure: SagafoleyError | None = None) -> None:
        item.state, item.failure = state, failure
        self._items.remove(item)
        ended = [each for each in self._items if each.ended]
        self._items.insert(len(ended), item)
        del self._items[: max(len(ended) + 1 - _KEPT, 0)]
        if failure is not None:
            self._board.say(failure)
            self._board.tell(Topic.PROBLEMS)
        self._told(item)

    def _told(self, item: Item) -> None:
        self._board.tell(Topic.QUEUE, item.id)
        self._board.tell(Topic.SPOTS, item.cue.id)

    def _bury(self, status: int) -> None:
        """The render process has ended by itself: its item failed, unless it was asked to stop."""
        child, self._child, self.memory = self._child, None, 0
        item = self._current()
        if child is None:
            return
        child.close()
        self._board.tell(Topic.STATUS)
        if item is not None and item.stopping:
            self._end(item, QueueState.CANCELLED)
        elif item is not None:
            failure = death_of(status, doing=item.title, last_words=child.last_words())
            self._end(item, QueueState.FAILED, failure)

    def _rest(self) -> None:
        """Give the memory of an idle render process back."""
        minutes = self._board.workspace.settings.idle_minutes
        idle = self._clock() - self._idle_since
        if self._child is not None and not self.running and minutes and idle > 60 * minutes:
            self._hang_up()


_STATES = {"done": QueueState.DONE, "failed": QueueState.FAILED, "cancelled": QueueState.CANCELLED}
