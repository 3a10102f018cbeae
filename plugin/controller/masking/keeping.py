"""The prompts of a session on disk: every edit is saved by itself, in the background."""

from __future__ import annotations

from pathlib import Path

from plugin.controller.chores import Chores
from plugin.controller.masking.bases import Bases
from plugin.errors import SagafoleyError
from plugin.masks.document_files import write_document
from plugin.masks.documents import PromptsDocument

_LANE = "mask prompts"


class PromptsKeeper:
    """Saves the document of a session; used by the window's thread.

    Attributes:
        path: of the document.
        fault: why the last save failed, None when it did not.
    """

    def __init__(self, path: Path, document: PromptsDocument, *, bases: Bases, chores: Chores) -> None:
        """Nothing is written yet.

        Args:
            path: ends in `.prompts.json`.
            document: as it is on disk, or where nothing was said yet.
            bases: masks that documents name.
            chores: does the writing.
        """
        self.path = path
        self.fault: SagafoleyError | None = None
        self._told: SagafoleyError | None = None
        self._bases = bases
        self._chores = chores
        self._wanted = self._saved = document

    @property
    def busy(self) -> bool:
        """Whether something is being saved, or waits for it."""
        return self._chores.has(_LANE) or (self._wanted is not self._saved and self.fault is None)

    @property
    def words(self) -> str:
        """How it stands, for people."""
        if self.fault is not None:
            return "not saved"
        return "saving" if self.busy else "saved"

    def keep(self, document: PromptsDocument) -> None:
        """Save this document soon; a save that failed is tried again."""
        self._wanted = document
        self.fault = None

    def beat(self) -> SagafoleyError | None:
        """Begin to save what is not saved; a failure that has come since the last call."""
        if self._wanted is not self._saved and self.fault is None and not self._chores.has(_LANE):
            self._begin(self._wanted)
        told, self._told = self._told, self.fault
        return self.fault if self.fault is not told else None

    def finish(self) -> SagafoleyError | None:
        """Save now; why it failed. Slow."""
        self._chores.finish(_LANE)
        if self._wanted is not self._saved:
            self._begin(self._wanted)
            self._chores.finish(_LANE)
        return self.fault

    def _begin(self, document: PromptsDocument) -> None:
        path, bases = self.path, self._bases

        def work() -> None:
            bases.write()
            write_document(path, document, painted=bases.painted)

        def done(_: None) -> None:
            self._saved = document

        def failed(error: SagafoleyError) -> None:
            self.fault = error

        self._chores.start(_LANE, work, done=done, failed=failed)
