from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin.controller.desk import Desk
from plugin.folders import Folders
from plugin.settings import Settings, change_settings, save_settings
from tests.unit.controller.waiting import wait_until

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A user whose bundle is the golden one."""
    made = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    save_settings(change_settings(Settings(), {"bundle": str(GOLDEN), "provider": "cpu"}), made.config)
    return made


@pytest.fixture
def desk(folders: Folders) -> Iterator[Desk]:
    made = Desk.open(folders=folders)
    yield made
    made.close()


@pytest.fixture
def opened(desk: Desk) -> Callable[[Path], Desk]:
    """Opens a timeline on the desk and waits until it is there."""

    def open_it(path: Path) -> Desk:
        desk.open_file(path)
        wait_until(desk, lambda: desk.timeline is not None and desk.timeline.path == path.absolute())
        return desk

    return open_it
