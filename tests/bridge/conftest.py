"""The fake Resolve for tests: one per test, and no test may misuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.desk import Desk
from tests.bridge.fake_resolve import Editor, Film, Options, film
from tests.bridge.loopback_server import Running


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where the media of one rate are made, once per run."""
    root = tmp_path_factory.mktemp("bridge media")
    return lambda rate: root / rate


@pytest.fixture
def make_editor() -> Iterator[Callable[..., Editor]]:
    """Makes editors (profile, options by name); afterwards none may have seen a violation."""
    made: list[Editor] = []

    def make(profile: str = "studio_20_3", **options: Any) -> Editor:
        made.append(Editor(profile, Options(**options)))
        return made[-1]

    yield make
    for editor in made:
        editor.heal()
        assert editor.violations == []


@pytest.fixture
def editor(make_editor: Callable[..., Editor]) -> Editor:
    """A Studio 20.3 without a project."""
    return make_editor()


@pytest.fixture
def make_desk(
    make_editor: Callable[..., Editor], media_folder: Callable[[str], Path], tmp_path: Path
) -> Callable[..., Desk]:
    """Makes a desk on an editor (profile, options by name) with the film of `scenes.film` open."""

    def make(
        profile: str = "studio_20_3",
        *,
        rate: str = "25",
        start: int | None = None,
        change: Callable[[Film], None] | None = None,
        **options: Any,
    ) -> Desk:
        editor = make_editor(profile, **options)
        film(editor, media_folder(rate), rate=rate, start=start, change=change)
        folder = tmp_path / "takes"
        folder.mkdir(exist_ok=True)
        return Desk.of(editor, folder, tmp_path / "records")

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a loopback server writes down how it is reached."""
    return tmp_path / "bridge" / "server.json"


@pytest.fixture
def running(path: Path) -> Iterator[Running]:
    """A loopback server at work."""
    running = Running(path).start()
    yield running
    running.stop()


@pytest.fixture
def channel(running: Running) -> LoopbackChannel:
    """The way to it."""
    return LoopbackChannel.open(running.path)
