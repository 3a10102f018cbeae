"""This machine and this installation: bundles, settings, doctor, first-run facts, licences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.controller.board import Board
from plugin.controller.views import (
    BundleRow,
    DoctorView,
    FirstRun,
    LicenceRow,
    SettingFault,
    SettingRow,
)


class Machine:
    """The part of the desk that knows where it runs."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def settings(self) -> tuple[SettingRow, ...]:
        """All settings, in the order they are shown."""
        raise NotImplementedError

    def check_settings(self, values: Mapping[str, Any]) -> tuple[SettingFault, ...]:
        """Why these values cannot be; nothing when they can. Texts of numbers are read as numbers."""
        raise NotImplementedError

    def change_settings(self, values: Mapping[str, Any]) -> None:
        """Save settings and work with them from the next item of the queue on; a SETTINGS event follows.

        Raises:
            UsageError: a value that cannot be.
            OutputError: they could not be saved.
        """
        raise NotImplementedError

    def bundles(self) -> tuple[BundleRow, ...]:
        """The model bundles of this machine."""
        raise NotImplementedError

    def examine(self) -> None:
        """Begin to look at everything a render needs; DOCTOR events follow as findings come."""
        raise NotImplementedError

    @property
    def doctor(self) -> DoctorView:
        """The findings so far."""
        raise NotImplementedError

    @property
    def first_time(self) -> bool:
        """Whether the first-run page has not been seen on this machine."""
        raise NotImplementedError

    def first_run(self) -> FirstRun:
        """What is installed, what could be added, under which licences."""
        raise NotImplementedError

    def first_run_seen(self) -> None:
        """Do not show the first-run page by itself again."""
        raise NotImplementedError

    def licences(self) -> tuple[LicenceRow, ...]:
        """Of the program, of every bundle's weights, of the libraries."""
        raise NotImplementedError
