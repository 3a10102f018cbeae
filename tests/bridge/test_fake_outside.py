"""The fake editor from other processes: the library, the script menu, a program that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bridge.fake_resolve import Editor, film
from tests.bridge.fake_resolve.installation import Installation
from tests.bridge.fake_resolve.outside import OwnProcess, served

PRELUDE = "import json, DaVinciResolveScript as dvr\nresolve = dvr.scriptapp('Resolve')\n"


def _script(installation: Installation, body: str) -> object:
    """What an outside script prints as JSON."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | installation.env()
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + body],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def reel(editor: Editor, media_folder: Callable[[str], Path], tmp_path: Path) -> Iterator[Installation]:
    film(editor, media_folder("24"))
    with served(editor, tmp_path / "resolve") as installation:
        yield installation


def test_a_script_from_outside_reads_the_timeline(reel: Installation, editor: Editor) -> None:
    body = """
project = resolve.GetProjectManager().GetCurrentProject()
timeline = project.GetCurrentTimeline()
item = timeline.GetItemListInTrack("video", 1)[0]
print(json.dumps([resolve.GetVersion(), timeline.GetName(), item.GetStart(), item.GetUniqueId(),
    {str(k): v["name"] for k, v in timeline.GetMarkers().items()}, timeline.GetMarkInOut(),
    [hasattr(item, "Nope"), item.Nope, "GetName" in dir(item), "Nope" in dir(item), resolve.EXPORT_OTIO]]))
"""
    version, name, start, identity, markers, marks, odd = _script(reel, body)  # type: ignore[misc]
    assert (version, name, start) == ([20, 3, 2, 9, ""], "Reel 1", 86400)
    assert identity == editor.timeline.of_kind("video")[0].items[0].id
    assert markers == {"3.0": "note", "60.0": "FOLEY door"}
    assert marks == {"video": {"in": 6, "out": 90}, "audio": {"in": 6, "out": 90}}
    assert odd == [True, None, True, False, 14.0]


def test_handles_travel_back_as_arguments(reel: Installation, editor: Editor) -> None:
    body = """
pool = resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
bin = pool.AddSubFolder(pool.GetRootFolder(), "Sagafoley")
print(json.dumps([bin.GetName(), pool.SetCurrentFolder(bin), pool.SetCurrentFolder("Sagafoley"),
    pool.SetCurrentFolder(object())]))
"""
    assert _script(reel, body) == ["Sagafoley", True, False, False]
    assert editor.folder.name == "Sagafoley"


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ("free_21_0", {}),
        ("free_21_1", {}),
        ("studio_21_0", {"preference": "None"}),
        ("studio_21_0", {"running": False}),
    ],
)
def test_who_may_not_connect_gets_none(
    make_editor: Callable[..., Editor], tmp_path: Path, profile: str, options: dict[str, object]
) -> None:
    with served(make_editor(profile, **options), tmp_path / "resolve") as installation:
        assert _script(installation, "print(json.dumps(resolve is None))") is True


def test_nobody_answers_when_it_does_not_run(tmp_path: Path, editor: Editor) -> None:
    installation = Installation.create(tmp_path / "resolve", editor.profile)
    assert _script(installation, "print(json.dumps(resolve is None))") is True


def test_while_it_starts_the_first_answers_are_none(
    make_editor: Callable[..., Editor], tmp_path: Path
) -> None:
    with served(make_editor(starting=2), tmp_path / "resolve") as installation:
        body = "print(json.dumps([resolve is None] + [dvr.scriptapp('Resolve') is None for _ in range(2)]))"
        assert _script(installation, body) == [True, True, False]


def test_the_second_connection_of_a_process_is_dead(reel: Installation) -> None:
    body = (
        "two = dvr.scriptapp('Resolve')\nprint(json.dumps([resolve.GetProductName(), two.GetProductName()]))"
    )
    assert _script(reel, body) == ["DaVinci Resolve Studio", None]


def test_two_threads_at_once_are_seen(reel: Installation, editor: Editor) -> None:
    editor.fail("GetProductName", delay=0.5, times=None)
    body = """
import threading
threads = [threading.Thread(target=resolve.GetProductName) for _ in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
print("0")
"""
    _script(reel, body)
    assert len(editor.violations) == 1
    editor.violations.clear()


def test_when_the_editor_quits_every_call_gives_none(reel: Installation) -> None:
    body = "print(json.dumps([resolve.GetProductName(), resolve.Quit(), resolve.GetProductName()]))"
    assert _script(reel, body) == ["DaVinci Resolve Studio", None, None]


def test_a_menu_script_runs_with_the_names_of_the_menu(reel: Installation, tmp_path: Path) -> None:
    script = tmp_path / "Hello.py"
    script.write_text(
        "import sys, threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(60), print('late'))).start()\n"
        "names = [n for n in ('resolve', 'fusion', 'bmd', 'app', '__file__') if n in globals()]\n"
        "project = resolve.GetProjectManager().GetCurrentProject()\n"
        "print(project.GetName(), names, any('site-packages' in p for p in sys.path))\n",
        "utf-8",
    )
    child = reel.run_menu_script(script)
    out, _ = child.communicate(timeout=60)
    assert out.decode().strip() == "Film ['resolve', 'fusion', 'bmd', 'app'] False"
    assert child.returncode == 0


def test_free_21_1_lists_no_python_script(make_editor: Callable[..., Editor], tmp_path: Path) -> None:
    for profile, listed in (("free_21_0", ["a.lua", "a.py"]), ("free_21_1", ["a.lua"])):
        installation = Installation.create(tmp_path / profile, make_editor(profile).profile)
        for name in ("a.py", "a.lua"):
            (installation.scripts / "Utility" / name).write_text("", "utf-8")
        assert [path.name for path in installation.menu()] == listed


def test_an_editor_of_its_own_can_be_steered_and_killed(
    tmp_path: Path, media_folder: Callable[[str], Path]
) -> None:
    with OwnProcess.start(tmp_path / "resolve", "studio_21_1", media=media_folder("25"), rate="25") as editor:
        before = editor.state()
        editor.do("fail", "GetProductName", result=None)
        editor.do("set", language="ru")
        body = "print(json.dumps([resolve.GetProductName(), resolve.IsStudio()]))"
        assert _script(editor.installation, body) == [None, True]
        assert editor.do("calls") == ["Resolve.GetProductName()", "Resolve.IsStudio()"]
        assert editor.state() == before
        editor.kill()
        assert _script(editor.installation, "print(json.dumps(resolve is None))") is True
