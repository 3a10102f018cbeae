"""This machine and this installation: bundles, settings, doctor, first-run facts, licences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models_onnx.manifest import Manifest
from plugin.bundles import BundleState, list_bundles, list_mask_bundles
from plugin.controller import facts
from plugin.controller.board import Board
from plugin.controller.doctoring import Doctoring
from plugin.controller.preferences import read_values, setting_rows
from plugin.controller.views import (
    BundleRow,
    DoctorView,
    FirstRun,
    LicenceRow,
    SettingFault,
    SettingRow,
    Topic,
)
from plugin.errors import UsageError
from plugin.settings import change_settings, load_settings, save_settings

_SEEN = "first-run-seen"


class Machine:
    """The part of the desk that knows where it runs."""

    def __init__(self, board: Board, *, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._doctoring = Doctoring(board)

    def settings(self) -> tuple[SettingRow, ...]:
        """All settings, in the order they are shown."""
        workspace = self._board.workspace
        names = tuple(state.name for state in self._states())
        return setting_rows(workspace.settings, workspace.presets, names)

    def check_settings(self, values: Mapping[str, Any]) -> tuple[SettingFault, ...]:
        """Why these values cannot be; nothing when they can. Texts of numbers are read as numbers."""
        good, faults = read_values(values)
        found = list(faults)
        presets = self._board.workspace.presets
        for key in ("preset", "preview_preset"):
            if key in good and good[key] not in presets.names:
                names = ", ".join(presets.names)
                found.append(SettingFault(key, f"There is no preset '{good[key]}'.", f"Use one of: {names}."))
        return tuple(found)

    def change_settings(self, values: Mapping[str, Any]) -> None:
        """Save settings and work with them from the next item of the queue on; a SETTINGS event follows.

        Raises:
            UsageError: a value that cannot be.
            OutputError: they could not be saved.
        """
        faults = self.check_settings(values)
        if faults:
            raise UsageError(faults[0].message, remedy=faults[0].remedy)
        good, _ = read_values(values)
        config = self._board.workspace.folders.config
        settings = change_settings(load_settings(config), good)
        save_settings(settings, config)
        self._board.use_settings(settings)
        self._changed()
        self._board.tell(Topic.SETTINGS)
        self._board.tell(Topic.STATUS)

    def bundles(self) -> tuple[BundleRow, ...]:
        """The model bundles of this machine."""
        workspace = self._board.workspace
        bundle, states = self._board.bundle, self._states()
        if bundle is not None and all(state.folder != bundle.folder for state in states):
            states = (BundleState(bundle.manifest.id, bundle.folder, bundle, None), *states)
        return facts.bundle_rows(states, workspace.settings.bundle, bundle.folder if bundle else None)

    def manifest(self) -> Manifest | None:
        """Of the bundle in use, None where there is none; may be asked for from any thread."""
        bundle = self._board.workspace.bundle_if_any()
        return bundle.manifest if bundle else None

    def examine(self) -> None:
        """Begin to look at everything a render needs; DOCTOR events follow as findings come."""
        self._doctoring.begin()

    @property
    def doctor(self) -> DoctorView:
        """The findings so far."""
        return self._doctoring.view()

    def poll(self) -> None:
        """Take the findings that have come."""
        self._doctoring.poll()

    @property
    def first_time(self) -> bool:
        """Whether the first-run page has not been seen on this machine."""
        return not self._seen.exists()

    def first_run(self) -> FirstRun:
        """What is installed, what could be added, under which licences."""
        return facts.first_run(self._states(), list_mask_bundles(self._board.workspace.store))

    def first_run_seen(self) -> None:
        """Do not show the first-run page by itself again."""
        try:
            self._seen.parent.mkdir(parents=True, exist_ok=True)
            self._seen.touch()
        except OSError:
            return  # it is shown again then, which harms nobody

    def licences(self) -> tuple[LicenceRow, ...]:
        """Of the program, of every bundle's weights, of the libraries."""
        return facts.licences(self._states())

    @property
    def _seen(self) -> Path:
        return self._board.workspace.folders.data / _SEEN

    def _states(self) -> tuple[BundleState, ...]:
        return list_bundles(self._board.workspace.store)
