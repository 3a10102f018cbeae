"""The parts of the inside that need no Resolve."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugin.folders import Folders
from resolve_bridge.inside import jobs, own_files, panel_process, private_files, telling
from resolve_bridge.inside.answering import answer_to
from resolve_bridge.inside.greeting import greet, is_alive
from resolve_bridge.inside.jobs import Jobs, TooMany
from resolve_bridge.inside.menu_file import menu_text, read_menu_file
from resolve_bridge.inside.private_files import read_private, write_private
from resolve_bridge.inside.proofs import answer_proof, digest_of, new_token, request_proof, same

INSIDE = Path(own_files.__file__).parent


class Quirky:
    """Resolve's way with attributes: what is missing is None."""

    def __init__(self, **methods: Any) -> None:
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> None:
        return None


def _raise() -> None:
    raise ConnectionError


STUDIO = {"GetProductName": lambda: "DaVinci Resolve Studio", "GetVersionString": lambda: "20.3"}
FREE = {"GetProductName": lambda: "DaVinci Resolve", "GetVersionString": lambda: "21.0"}


@pytest.mark.parametrize(
    ("methods", "studio"),
    [
        (STUDIO, True),
        (FREE, False),
        ({**FREE, "IsStudio": lambda: True}, True),
        ({**STUDIO, "IsStudio": lambda: None}, True),
        ({"GetVersionString": lambda: "22"}, None),
    ],
)
def test_the_edition_is_asked_for_where_it_can_be(methods: dict[str, Any], studio: bool | None) -> None:
    greeting = greet(Quirky(**methods))
    assert greeting is not None
    assert greeting["studio"] is studio


@pytest.mark.parametrize(
    "resolve",
    [None, Quirky(), Quirky(GetProductName=lambda: None), Quirky(GetVersionString=_raise), object()],
)
def test_nobody_there(resolve: Any) -> None:
    assert greet(resolve) is None
    assert not is_alive(resolve)


def test_an_operation_that_breaks_is_words() -> None:
    answer = answer_to(Quirky(**STUDIO), {"op": "place"}, lambda *_: {}["a"])
    assert answer["error"]["message"] == "DaVinci Resolve gave something unforeseen to 'place'."
    assert "KeyError" in answer["error"]["remedy"]
    answer = answer_to(Quirky(**STUDIO), {"op": "place"}, lambda *_: {"ok": True, "result": {"a": object()}})
    assert answer["ok"] is False


def test_a_failure_of_a_resolve_that_has_gone_is_told_as_that() -> None:
    refused = {
        "ok": False,
        "error": {"kind": "HostRefused", "message": "No timeline.", "remedy": "Open one."},
    }
    assert answer_to(Quirky(**STUDIO), {"op": "read"}, lambda *_: refused) == refused
    assert answer_to(Quirky(), {"op": "read"}, lambda *_: refused)["error"]["kind"] == "HostNotRunning"
    assert answer_to(Quirky(), {"op": "hello"}, lambda *_: refused)["error"]["kind"] == "HostNotRunning"


def test_our_data_folder_is_the_products() -> None:
    assert own_files.data_folder() == str(Folders.default().data)


def test_data_folders_of_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_files.os.path, "join", lambda *parts: "/".join(parts))
    assert own_files.data_folder("linux", {"HOME": "/home/a"}) == "/home/a/.local/share/sagafoley"
    assert own_files.data_folder("linux", {"HOME": "/home/a", "XDG_DATA_HOME": "/d"}) == "/d/sagafoley"
    assert own_files.data_folder("darwin", {"HOME": "/U/a"}) == "/U/a/Library/Application Support/sagafoley"
    assert own_files.data_folder("win32", {"LOCALAPPDATA": "C:/L"}) == "C:/L/sagafoley"
    assert own_files.data_folder("win32", {"USERPROFILE": "C:/a"}) == "C:/a/AppData/Local/sagafoley"


def test_a_private_file_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "bridge" / "server.json"
    path.parent.mkdir(mode=0o755)
    path.write_text("older")
    path.chmod(0o644)
    write_private(str(path), "né")
    assert read_private(str(path)) == "né"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    write_private(str(path), "newer")
    assert [each.name for each in path.parent.iterdir()] == ["server.json"]


def test_a_file_left_by_a_killed_script_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    (tmp_path / f"server.json.{os.getpid()}.part").symlink_to(tmp_path / "precious")
    write_private(str(path), "mine")
    assert not (tmp_path / "precious").exists()
    assert read_private(str(path)) == "mine"


def test_a_disk_without_access_rights_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    monkeypatch.setattr(private_files.os, "open", lambda path, flags, _mode: real(path, flags, 0o664))
    with pytest.raises(OSError, match="does not keep files private"):
        write_private(str(tmp_path / "bridge" / "server.json"), "secret")
    assert list((tmp_path / "bridge").iterdir()) == []


def test_the_installers_note_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "resolve_menu.json"
    path.write_text(menu_text("/a b/inside", [sys.executable, "panel"], "1.0"), "utf-8")
    assert read_menu_file(str(path))["launcher"] == [sys.executable, "panel"]


def test_proofs_differ_by_everything_that_they_hold() -> None:
    token = new_token()
    proofs = {
        request_proof(token, "n", "d"),
        request_proof(token, "n", "e"),
        request_proof(token, "m", "d"),
        request_proof(new_token(), "n", "d"),
        request_proof(token, "n\nd", ""),
        answer_proof(token, "n", b"d"),
    }
    assert len(proofs) == 6
    assert request_proof(token, "n", digest_of(b"d")) != answer_proof(token, "n", b"d")
    assert same("a", "a")
    assert not same("a", "b")
    assert not same("ä", "\udcff")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_job_is_done_once_under_its_name() -> None:
    queue = Jobs()
    assert queue.submit("a", {"op": "x"}, 5) is queue.submit("a", {"op": "x"}, 5)
    assert queue.work(lambda request: {"ok": request["op"]}, 0)
    assert not queue.work(lambda _: {}, 0)
    assert queue.submit("a", {"op": "x"}, 5).answer == {"ok": "x"}


def test_a_job_that_nobody_waits_for_is_not_begun() -> None:
    clock = Clock()
    queue = Jobs(clock)
    job = queue.submit("a", {"op": "place"}, 5)
    clock.now = 5.1
    done: list[object] = []
    assert queue.work(lambda request: done.append(request) or {}, 0)  # type: ignore[func-returns-value]
    assert done == []
    assert job.answer["error"]["message"] == "It was no longer waited for."


def test_answers_are_forgotten_in_the_end() -> None:
    queue = Jobs()
    for number in range(jobs.REMEMBERED + 50):
        queue.submit(str(number), {"op": "x"}, 5)
        queue.work(lambda _: {"ok": True}, 0)
    assert len(queue._known) <= jobs.REMEMBERED + 1


def test_a_full_queue_says_so() -> None:
    queue = Jobs()
    for number in range(jobs.WAITING):
        queue.submit(str(number), {"op": "x"}, 5)
    with pytest.raises(TooMany):
        queue.submit("more", {"op": "x"}, 5)


def test_an_operation_that_raises_leaves_the_queue_usable() -> None:
    queue = Jobs()
    job = queue.submit("a", {"op": "x"}, 5)
    with pytest.raises(SystemExit):
        queue.work(lambda _: sys.exit(1), 0)
    assert job.done.is_set()
    assert queue.busy_with() is None


def test_boxes_of_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is said never becomes part of a command that a shell or a script reads."""
    words = "'; rm -rf ~ $(x) \" & echo"
    command = telling.box_command(words, "darwin")
    assert command[-1] == words
    assert all(words not in part for part in command[:-1])
    assert all(words not in part for part in telling.box_command(words, "win32"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert telling.box_command(words, "linux") == []
    monkeypatch.setenv("DISPLAY", ":0")
    zenity = tmp_path / "zenity"
    zenity.write_text("#!/bin/sh\n")
    zenity.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = [str(zenity), "--info", "--no-markup", "--title", "Sagafoley", "--text", words]
    assert telling.box_command(words, "linux") == expected
    zenity.unlink()
    assert telling.box_command(words, "linux") == []


def test_resolves_own_variables_stay_with_it() -> None:
    own = {
        "PYTHONPATH": "x",
        "PYTHONHOME": "x",
        "QT_PLUGIN_PATH": "x",
        "LD_PRELOAD": "/opt/resolve/libs/x.so",
    }
    users = {"HOME": "/h", "QT_QPA_PLATFORM": "wayland"}
    libraries = {"LD_LIBRARY_PATH": "/opt/resolve/libs:/usr/local/cuda/lib64"}
    found = panel_process.clean_environment({**own, **users, **libraries})
    assert found == {**users, "LD_LIBRARY_PATH": "/usr/local/cuda/lib64", "SAGAFOLEY_FROM_RESOLVE": "1"}


def test_processes_that_are_there_and_not() -> None:
    assert panel_process.is_running(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert not panel_process.is_running(child.pid)
    assert panel_process.last_words() == ""


def test_every_module_loads_without_packages_in_any_python_at_hand() -> None:
    """As the menu script loads them: under a name of their own, with nothing but the standard library."""
    modules = sorted(path.stem for path in INSIDE.glob("*.py") if path.stem not in {"__init__", "Sagafoley"})
    program = (
        "import importlib, json, sys, types\n"
        "package = types.ModuleType('sagafoley_inside'); package.__path__ = [sys.argv[1]]\n"
        "sys.modules['sagafoley_inside'] = package; sys.dont_write_bytecode = True\n"
        "for name in sys.argv[2:]: importlib.import_module('sagafoley_inside.' + name)\n"
        "ours = ('plugin', 'resolve_bridge')\n"
        "print(json.dumps([name for name in sys.modules if name.split('.')[0] in ours]))\n"
    )
    for python in _pythons():
        words = [python, "-I", "-S", "-W", "error", "-c", program, str(INSIDE), *modules]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{python}: {done.stderr}"
        assert json.loads(done.stdout) == []


def _pythons() -> list[str]:
    """This one, and the oldest from 3.6 on that is installed."""
    import shutil

    found = (shutil.which(f"python3.{minor}") for minor in range(6, 11))
    return [sys.executable, *[path for path in found if path and _works(path)][:1]]


def _works(python: str) -> bool:
    done = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    return done.returncode == 0
