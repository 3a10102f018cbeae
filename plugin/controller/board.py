"""What the parts of the desk share: the workspace, the open timeline, background work, events."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.controller.chores import Chores
from plugin.controller.session import Session
from plugin.controller.views import DeskEvent, Topic
from plugin.errors import SagafoleyError, UsageError
from plugin.workspace import Workspace


@dataclass(slots=True)
class Board:
    """Shared by the parts of one desk; used in the desk's own thread only.

    Attributes:
        workspace: folders, settings, presets, bundles.
        chores: background work.
        session: the open timeline, None for none.
        outbox: events that `Desk.poll` hands out next.
    """

    workspace: Workspace
    chores: Chores = field(default_factory=Chores)
    session: Session | None = None
    outbox: list[DeskEvent] = field(default_factory=list)

    def tell(self, topic: Topic, *ids: str, text: str = "") -> None:
        """Puts an event into the outbox; the same one twice in a row counts once."""
        event = DeskEvent(topic, ids, text)
        if event not in self.outbox:
            self.outbox.append(event)

    def say(self, error: SagafoleyError) -> None:
        """A failure as a message."""
        self.tell(Topic.MESSAGE, text=str(error))

    def open_session(self) -> Session:
        """The open timeline.

        Raises:
            UsageError: there is none.
        """
        if self.session is None:
            raise UsageError("No timeline is open.", remedy="Open a timeline first.")
        return self.session
