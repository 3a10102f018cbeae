"""What the parts of the desk share: the workspace, the open timeline, background work, events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from models_onnx.bundle import Bundle
from plugin.controller.chores import Chores
from plugin.controller.hosts import connect_editor
from plugin.controller.session import Session
from plugin.controller.views import DeskEvent, Topic
from plugin.errors import BundleError, SagafoleyError, UsageError
from plugin.folders import Folders
from plugin.hosts import Host
from plugin.render.checking import Hearing
from plugin.settings import Settings
from plugin.workspace import Workspace


@dataclass(slots=True)
class Board:
    """Shared by the parts of one desk; used in the desk's own thread only.

    Attributes:
        workspace: folders, settings, presets, bundles.
        chores: background work.
        session: the open timeline, None for none.
        outbox: events that `Desk.poll` hands out next.
        editor: the running editor, once it was connected to.
        connect: finds the running editor; slow.
        bundle: the one that the settings name, None while there is none that can be used.
        fault: why there is none.
        settings_fault: why the settings or presets of the user are not used; None when they are.
    """

    workspace: Workspace
    chores: Chores = field(default_factory=Chores)
    session: Session | None = None
    outbox: list[DeskEvent] = field(default_factory=list)
    editor: Host | None = None
    connect: Callable[[], Host] = connect_editor
    bundle: Bundle | None = None
    fault: BundleError | None = None
    settings_fault: UsageError | None = None

    @classmethod
    def open(cls, folders: Folders | None = None) -> Board:
        """A board with an empty desk on it; settings with a mistake give way to the usual ones."""
        try:
            board = cls(Workspace.open(folders=folders))
        except UsageError as error:
            board = cls(Workspace.plain(folders))
            board.settings_fault = error
        board.find_bundle()
        return board

    def find_bundle(self) -> None:
        """Looks for the bundle that the settings name."""
        try:
            self.bundle, self.fault = self.workspace.bundle(), None
        except BundleError as error:
            self.bundle, self.fault = None, error

    def use_settings(self, settings: Settings) -> None:
        """Works with other settings from now on; the open timeline with the bundle that they name."""
        self.workspace = replace(self.workspace, settings=settings)
        self.find_bundle()
        session = self.session
        if session is not None:
            session.presets = self.workspace.presets_of(self.bundle)
            session.bundle = self.bundle.digest if self.bundle else ""
            session.hearing = Hearing.of(self.bundle.manifest if self.bundle else None)

    def tell(self, topic: Topic, *ids: str, text: str = "") -> None:
        """Puts an event into the outbox, once until it is handed out."""
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
