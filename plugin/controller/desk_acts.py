"""What buttons of the problems list do beyond the timeline's own decisions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from plugin.controller.autosave import FAULT, Autosave
from plugin.controller.board import Board
from plugin.controller.machine import Machine
from plugin.controller.views import Action, Topic
from plugin.errors import UsageError
from plugin.settings import FILE_NAME

Act = Callable[[Path | str | None], None]


class DeskActs:
    """The acts, each given what its button asked for."""

    def __init__(
        self, board: Board, autosave: Autosave, machine: Machine, *, reload: Callable[[], None]
    ) -> None:
        self._board = board
        self._autosave = autosave
        self._machine = machine
        self._reload = reload

    def table(self) -> dict[Action, Act]:
        """The act of each button."""
        return {
            Action.CHOOSE_BUNDLE: self.choose_bundle,
            Action.CHOOSE_OUTPUT: self.choose_output,
            Action.RELOAD_SHEET: self.reload_sheet,
            Action.KEEP_MINE: self.keep_mine,
            Action.RESET_SETTINGS: self.reset_settings,
            Action.SHOW_DOCTOR: self.show_doctor,
        }

    def choose_bundle(self, given: Path | str | None) -> None:
        """Render with the bundle of that name or in that folder."""
        if given is None:
            raise UsageError("No bundle was chosen.", remedy="Choose a bundle of the list, or its folder.")
        self._machine.change_settings({"bundle": str(given)})

    def choose_output(self, given: Path | str | None) -> None:
        """Write stems to that folder from now on; the timeline is read again with its takes."""
        if given is None:
            raise UsageError("No folder was chosen.", remedy="Choose a folder for stems.")
        self._machine.change_settings({"output_folder": str(given)})

    def reload_sheet(self, _given: Path | str | None) -> None:
        """Take the cue sheet as another program left it; what was not saved here is given up."""
        self._autosave.forget()
        self._reload()

    def keep_mine(self, _given: Path | str | None) -> None:
        """Put the other program's cue sheet aside and write ours."""
        session = self._board.open_session()
        session.file = session.file.put_aside()
        session.faults.pop("sheet", None)
        session.faults.pop(FAULT, None)
        self._autosave.touch()
        self._board.tell(Topic.PROBLEMS)

    def reset_settings(self, _given: Path | str | None) -> None:
        """Put the user's settings and presets aside and work with the usual ones."""
        folders = self._board.workspace.folders
        for path in (folders.config / FILE_NAME, folders.presets_file):
            if path.is_file():
                path.replace(path.with_name(f"{path.name}.damaged"))
        self._board.settings_fault = None
        self._board.tell(Topic.SETTINGS)
        self._board.tell(Topic.PROBLEMS)

    def show_doctor(self, _given: Path | str | None) -> None:
        """Look at everything a render needs."""
        self._machine.examine()
