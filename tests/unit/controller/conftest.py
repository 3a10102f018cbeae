import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin.controller.desk import Desk
from plugin.controller.renders import RenderRequest, plan_render, render_sheet
from plugin.folders import Folders
from plugin.render.events import TakeWritten
from plugin.settings import Settings, change_settings, save_settings
from plugin.workspace import Workspace
from tests.cli.made_timelines import MadeTimeline, make_timeline
from tests.unit.controller.waiting import settle, wait_until

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A user whose bundle is the golden one, and whose presets mean little work."""
    made = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    save_settings(change_settings(Settings(), {"bundle": str(GOLDEN), "provider": "cpu"}), made.config)
    made.presets_file.write_text("[standard]\nsteps = 4\n[draft]\nsteps = 2\n")
    return made


@pytest.fixture
def desk(folders: Folders) -> Iterator[Desk]:
    made = Desk.open(folders=folders)
    yield made
    made.close()


@pytest.fixture
def open_on() -> Callable[[Desk, Path], Desk]:
    """Opens a timeline on a desk and waits until all of it was looked at."""

    def open_it(desk: Desk, path: Path) -> Desk:
        desk.open_file(path)
        wait_until(desk, lambda: not desk.opening)
        assert desk.timeline is not None
        assert desk.timeline.path == path.absolute()
        settle(desk)
        return desk

    return open_it


@pytest.fixture
def opened(desk: Desk, open_on: Callable[[Desk, Path], Desk]) -> Callable[[Path], Desk]:
    """Opens a timeline on the desk and waits until all of it was looked at."""
    return lambda path: open_on(desk, path)


@pytest.fixture
def timeline(tmp_path: Path) -> MadeTimeline:
    """Two spots, a violin and a trumpet, with media of their own."""
    return make_timeline(tmp_path / "edit")


@pytest.fixture(scope="session")
def rendered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a timeline and two takes of its violin, one of its trumpet."""
    folder = tmp_path_factory.mktemp("rendered")
    made = make_timeline(folder / "edit")
    folders = Folders(folder / "config", folder / "data", folder / "cache")
    for takes, only in ((2, "violin"), (1, "trumpet")):
        workspace = Workspace.open(
            {"bundle": str(GOLDEN), "provider": "cpu", "takes": takes}, folders=folders
        )
        plan = plan_render(RenderRequest(made.path, only=(only,), steps=4), workspace, workspace.bundle())
        engine = workspace.open_engine(workspace.bundle())
        events = list(render_sheet(plan.ready, engine, folder=plan.folder, cancel=lambda: False))
        assert sum(isinstance(event, TakeWritten) for event in events) == takes
    return folder / "edit"


@pytest.fixture
def rendered(rendered_once: Path, tmp_path: Path, opened: Callable[[Path], Desk]) -> Desk:
    """A desk with a timeline whose violin (001) has two takes and whose trumpet (002) has one."""
    folder = tmp_path / "edit"
    folder.mkdir()
    shutil.copy(rendered_once / "film.otio", folder)
    shutil.copytree(rendered_once / "film_foley", folder / "film_foley")
    return opened(folder / "film.otio")
