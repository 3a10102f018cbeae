"""Which way to Resolve is taken in every edition and state, and what is said of the others."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import HostNotRunning
from resolve_bridge.connecting import Connection, Machine, Transport, connect
from resolve_bridge.diagnosis import Row, diagnose
from resolve_bridge.hand_over import WHY_FREE_21, hand_over
from resolve_bridge.inside.answering import answer_to
from resolve_bridge.inside.greeting import greet
from resolve_bridge.inside.serve_loopback import Server
from resolve_bridge.locations import Locations
from tests.bridge.bridge_machine import install_menu_script, machine_with
from tests.bridge.fake_resolve import PROFILES, Editor, Installation, served

MakeEditor = Callable[..., Editor]


@contextmanager
def _menu_server(editor: Editor) -> Iterator[None]:
    """The menu script's server, in a thread of this process."""
    resolve = editor.resolve()
    greeting = greet(resolve)
    assert greeting is not None
    ended = threading.Event()
    server = Server(greeting, lambda request: answer_to(resolve, request, _no_operation), seen=lambda _: None)
    server.start()

    def work() -> None:
        while not ended.is_set():
            server.work(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(60)
        server.stop()


def _no_operation(_resolve: Any, _request: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError


@contextmanager
def _connected(machine: Machine) -> Iterator[Connection]:
    connection = connect(machine)
    yield connection
    if connection.channel is not None:
        connection.channel.close()


def _found(connection: Connection) -> dict[Transport, str]:
    return {attempt.transport: attempt.found for attempt in connection.attempts}


@pytest.mark.parametrize("profile", [name for name in PROFILES if name.startswith("studio")])
def test_studio_is_reached_from_outside(make_editor: MakeEditor, tmp_path: Path, profile: str) -> None:
    with (
        served(make_editor(profile), tmp_path) as installation,
        _connected(machine_with(installation)) as connection,
    ):
        assert connection.transport is Transport.EXTERNAL
        assert connection.channel is connection.required()
        assert connection.greeting is not None
        assert connection.greeting.studio is True
        assert [attempt.works for attempt in connection.attempts] == [True, False, True]


@pytest.mark.parametrize("studio", ["studio_19_1", "studio_21_1"])
def test_studio_with_the_preference_off_is_reached_from_its_menu(
    make_editor: MakeEditor, tmp_path: Path, studio: str
) -> None:
    editor = make_editor(studio, preference="None")
    with (
        served(editor, tmp_path) as installation,
        _menu_server(editor),
        _connected(machine_with(installation)) as connection,
    ):
        assert connection.transport is Transport.MENU
        assert connection.attempts[0].remedy.startswith(
            "In Resolve Studio set Preferences > System > General > External scripting using to Local"
        )


def test_the_free_edition_is_reached_from_its_menu_and_not_knocked_at(
    make_editor: MakeEditor, tmp_path: Path
) -> None:
    """What runs inside has said which edition it is; a knock from outside could only cost time."""
    editor = make_editor("free_21_0")
    with (
        served(editor, tmp_path) as installation,
        _menu_server(editor),
        _connected(machine_with(installation, environ={"SAGAFOLEY_RESOLVE_PYTHON": "/no"})) as connection,
    ):
        assert connection.transport is Transport.MENU
        assert _found(connection)[Transport.EXTERNAL] == "The free edition lets no outside programs in."
        assert connection.greeting is not None
        assert connection.greeting.studio is False


def test_both_ways_open_takes_the_first_and_lets_go_of_the_second(
    make_editor: MakeEditor, tmp_path: Path
) -> None:
    editor = make_editor("studio_21_0")
    with (
        served(editor, tmp_path) as installation,
        _menu_server(editor),
        _connected(machine_with(installation)) as connection,
    ):
        assert connection.transport is Transport.EXTERNAL
        assert connection.attempts[1].works


def test_the_free_edition_of_21_1_works_by_files_and_says_why(
    make_editor: MakeEditor, tmp_path: Path
) -> None:
    with served(make_editor("free_21_1"), tmp_path) as installation:
        install_menu_script(installation, [sys.executable])
        with _connected(machine_with(installation, own_python=True)) as connection:
            assert connection.channel is None
            assert connection.transport is Transport.FILES
            assert WHY_FREE_21 in _found(connection)[Transport.MENU]
            assert "File > Export > Timeline" in connection.attempts[0].remedy
            with pytest.raises(HostNotRunning) as caught:
                connection.required()
            assert caught.value.message == (
                "There is no connection to DaVinci Resolve. DaVinci Resolve runs and turns outside programs "
                "away: the preference is off, or it is the free edition."
            )


def test_a_free_edition_of_21_1_whose_python_is_not_found_is_no_dead_end(
    make_editor: MakeEditor, tmp_path: Path
) -> None:
    with served(make_editor("free_21_1"), tmp_path) as installation:
        install_menu_script(installation, [sys.executable])
        with _connected(machine_with(installation)) as connection:
            remedy = connection.attempts[0].remedy
    assert "Workspace > Scripts" in remedy
    assert "where that is not listed" in remedy
    assert "File > Export > Timeline" in remedy


def test_a_resolve_that_is_starting_is_waited_for(make_editor: MakeEditor, tmp_path: Path) -> None:
    pauses: list[float] = []
    with served(make_editor("studio_20_3", starting=2), tmp_path) as installation:
        machine = replace(machine_with(installation), pause=pauses.append)
        with _connected(machine) as connection:
            assert connection.transport is Transport.EXTERNAL
    assert len(pauses) == 2


def test_a_resolve_that_quits_meanwhile_is_not_waited_for(make_editor: MakeEditor, tmp_path: Path) -> None:
    answers = iter([True, True, False])
    with served(make_editor("studio_20_3", starting=9), tmp_path) as installation:
        machine = replace(machine_with(installation), running=lambda: next(answers))
        with _connected(machine) as connection:
            assert connection.channel is None
    assert next(answers, None) is None


def test_a_resolve_that_does_not_run_is_told_and_not_waited_for(tmp_path: Path) -> None:
    installation = Installation.create(tmp_path, PROFILES["studio_20_3"])
    pauses: list[float] = []
    machine = replace(machine_with(installation, running=False), pause=pauses.append)
    with _connected(machine) as connection:
        external = connection.attempts[0]
        assert (external.found, external.remedy) == (
            "DaVinci Resolve is not running.",
            "Start DaVinci Resolve and open your project.",
        )
    assert pauses == []


def test_a_resolve_that_the_system_does_not_list_is_reached_all_the_same(
    make_editor: MakeEditor, tmp_path: Path
) -> None:
    """It may run in a container, or under another name."""
    with (
        served(make_editor(), tmp_path) as installation,
        _connected(machine_with(installation, running=False)) as connection,
    ):
        assert connection.transport is Transport.EXTERNAL


def test_a_machine_without_resolve(tmp_path: Path) -> None:
    locations = Locations.of_machine(environ={"RESOLVE_SCRIPT_LIB": str(tmp_path / "no.so")})
    locations = replace(locations, library=locations.library[:1])
    machine = Machine(locations, {}, lambda: False, tmp_path / "server.json")
    with _connected(machine) as connection:
        assert connection.transport is Transport.FILES
        found = f"DaVinci Resolve is not installed here: there is no {tmp_path / 'no.so'}."
        assert _found(connection)[Transport.EXTERNAL] == found
    store = tmp_path / "container"
    store.mkdir()
    with _connected(replace(machine, locations=replace(locations, app_store=(store,)))) as connection:
        assert "App Store" in _found(connection)[Transport.EXTERNAL]


@pytest.mark.parametrize(
    ("library", "found", "remedy"),
    [
        ("import sys; sys.exit(1)", "No Python on this machine could load", "SAGAFOLEY_RESOLVE_PYTHON"),
        ("import time; time.sleep(600)", "took the call and did not answer", "Look whether Resolve shows"),
    ],
)
def test_a_library_that_fails_is_told(tmp_path: Path, library: str, found: str, remedy: str) -> None:
    installation = Installation.create(tmp_path, PROFILES["studio_20_3"])
    (installation.modules / "DaVinciResolveScript.py").write_text(library, "utf-8")
    connection = connect(machine_with(installation), timeout=1.0 if "time" in library else 60.0)
    external = connection.attempts[0]
    assert found in external.found
    assert remedy in external.remedy
    assert sys.executable in external.detail


def test_every_word_to_a_person_is_a_sentence(make_editor: MakeEditor, tmp_path: Path) -> None:
    """A tired editor reads what is wrong first, and then one thing to do."""
    with ExitStack() as stack:
        for number, (profile, options) in enumerate(
            [
                ("studio_20_3", {"preference": "None"}),
                ("free_21_0", {}),
                ("free_21_1", {}),
                ("studio_21_1", {}),
            ]
        ):
            installation = stack.enter_context(
                served(make_editor(profile, **options), tmp_path / str(number))
            )
            with _connected(machine_with(installation, own_python="21_1" in profile)) as connection:
                for attempt in connection.attempts:
                    assert attempt.found.endswith("."), attempt
                    assert attempt.remedy == "" or attempt.remedy.endswith("."), attempt
                    assert attempt.works or attempt.remedy or "free" in attempt.found, attempt
                    assert "Traceback" not in attempt.found + attempt.detail


def test_the_steps_by_hand_name_menus_keys_and_files() -> None:
    steps = hand_over(timeline=Path("/films/reel 1.otio"), result=Path("/stems/reel 1_foley.otio"))
    text = "\n".join(steps.lines())
    assert "File > Export > Timeline. (Ctrl+Shift+O)" in text
    assert 'sagafoley render "/films/reel 1.otio" --flavour resolve' in text
    assert "pick /stems/reel 1_foley.otio. (Ctrl+Shift+I)" in text
    assert [
        line.split(".")[0].strip() for line in text.splitlines() if line.startswith("  ") and line[2] != " "
    ] == [str(n) for n in range(1, 10)]
    assert "Shift-Command-O" in "\n".join(hand_over(platform="darwin").lines())
    assert "film_foley.otio" in "\n".join(hand_over().lines())


def _rows(machine: Machine) -> dict[str, Row]:
    return {row.subject: row for row in diagnose(machine)}


def test_doctor_of_a_whole_installation(make_editor: MakeEditor, tmp_path: Path) -> None:
    with served(make_editor("studio_20_3"), tmp_path / "resolve") as installation:
        script = install_menu_script(installation, [sys.executable])
        rows = _rows(machine_with(installation))
    assert all(row.fine for row in rows.values()), rows
    assert rows["Resolve"].found == f"installed, {installation.library}"
    assert rows["Resolve edition"].found == "DaVinci Resolve Studio 20.3.2.9"
    assert rows["Resolve menu"].found == f"{script} starts {sys.executable}"
    assert sys.executable in rows["Resolve outside"].found
    assert rows["Resolve way"].found == "external scripting is in use"


def test_doctor_without_resolve_is_one_note(tmp_path: Path) -> None:
    locations = replace(Locations.of_machine(environ={}), library=(tmp_path / "no.so",), app_store=())
    (row,) = diagnose(Machine(locations, {}, lambda: None, tmp_path / "server.json"))
    assert not row.fine
    assert row.remedy == "Install DaVinci Resolve, or set RESOLVE_SCRIPT_LIB when it is in another folder."


def test_doctor_names_the_file_to_mend(make_editor: MakeEditor, tmp_path: Path) -> None:
    with served(make_editor("studio_20_3"), tmp_path / "resolve") as installation:
        machine = machine_with(installation)
        row = _rows(machine)["Resolve menu"]
        assert row.found == f"no Sagafoley.py in {machine.locations.menu_folders[0]}"
        script = install_menu_script(installation, ["/nowhere/sagafoley"])
        row = _rows(machine)["Resolve menu"]
        assert row.found == f"{script}; but The program /nowhere/sagafoley is not there any more"
        script.write_text("print('older')", "utf-8")
        row = _rows(machine)["Resolve menu"]
        assert row.found == f"{script} is of another version"
        assert row.remedy.startswith("Install Sagafoley again")


def test_doctor_on_the_free_edition(make_editor: MakeEditor, tmp_path: Path) -> None:
    with served(make_editor("free_21_0"), tmp_path / "resolve") as installation:
        install_menu_script(installation, [sys.executable])
        rows = _rows(machine_with(installation))
    assert not rows["Resolve outside"].fine
    assert rows["Resolve script"].found == "The script is installed and has not been started"
    assert rows["Resolve script"].remedy == "In Resolve choose Workspace > Scripts > Sagafoley."
    assert rows["Resolve way"].found.startswith("timeline files only; they work with every edition")


def test_doctor_is_content_with_one_way(make_editor: MakeEditor, tmp_path: Path) -> None:
    editor = make_editor("free_21_0")
    with served(editor, tmp_path / "resolve") as installation, _menu_server(editor):
        install_menu_script(installation, [sys.executable])
        rows = _rows(machine_with(installation))
    assert all(row.fine and not row.remedy for row in rows.values()), rows
    assert rows["Resolve edition"].found == "DaVinci Resolve 21.0.4.5, free edition"
    assert rows["Resolve way"].found == "menu script is in use"


def test_doctor_tells_which_python_failed_and_how(tmp_path: Path) -> None:
    installation = Installation.create(tmp_path / "resolve", PROFILES["studio_20_3"])
    (installation.modules / "DaVinciResolveScript.py").write_text("raise OSError('wrong magic')", "utf-8")
    row = _rows(machine_with(installation))["Resolve outside"]
    assert row.found.endswith(f"{sys.executable}: no library OSError: wrong magic")
    assert "name a Python 3.10 to 3.12 in the variable SAGAFOLEY_RESOLVE_PYTHON" in row.remedy


def test_doctor_on_a_mac_looks_for_the_python_of_the_menu(
    make_editor: MakeEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resolve_bridge import diagnosis

    monkeypatch.setattr(diagnosis, "_MENU_PYTHON", str(tmp_path / "python3"))
    installation = Installation.create(tmp_path / "resolve", PROFILES["studio_20_3"])
    machine = replace(machine_with(installation, running=False), platform="darwin")
    row = _rows(machine)["Resolve Python"]
    assert not row.fine
    assert "python.org" in row.remedy
    environ = {**machine.environ, "PYTHON3HOME": "/opt/python"}
    row = _rows(replace(machine, environ=environ))["Resolve Python"]
    assert (row.fine, row.found) == (True, "/opt/python for scripts of the menu")
    assert "Resolve Python" not in _rows(machine_with(installation, running=False))
