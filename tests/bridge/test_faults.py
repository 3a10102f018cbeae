"""The fault table: every documented failure of every call of a placing, a reading and a removing.

Whatever happens, one of two things is true afterwards: everything that was asked for is there and
verified, or a sentence with a remedy says why not and nothing of ours is left. Where Resolve goes on
refusing while we take things back, the sentence says what is left, and a later `remove` clears it.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import HostError, HostNotRunning
from plugin.hosts import Conflict
from tests.bridge.desk import Desk, without_ours
from tests.bridge.fake_resolve import Call, Editor, differences, documented_failures, film

WANTED = [("dog", 3, 9, 1), ("dog", 9, 20, 1), ("cat", 5, 12, 2)]
MakeEditor = Callable[..., Editor]
Case = tuple[str, int, Any, bool]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Resolve is given time for happens at once here."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def desks(
    make_editor: MakeEditor, media_folder: Callable[[str], Path], tmp_path: Path
) -> Callable[[str], Desk]:
    """Fresh editors with the same film; the takes are written once."""
    numbers = count()

    def make(profile: str = "studio_20_3", page: str = "edit") -> Desk:
        editor = make_editor(profile)
        film(editor, media_folder("25"), rate="25")
        editor.page = page
        takes = tmp_path / "takes"
        takes.mkdir(exist_ok=True)
        return Desk.of(editor, takes, tmp_path / f"records {next(numbers)}")

    return make


def pieces_of(desk: Desk) -> list[Any]:
    return [desk.piece(first, last, label, channels=channels) for label, first, last, channels in WANTED]


def calls_of(desk: Desk, act: Callable[[Desk], Any]) -> list[Call]:
    """The calls of an act that goes well; what it placed is taken away again."""
    begun = len(desk.editor.calls)
    act(desk)
    calls = desk.editor.calls[begun:]
    while desk.again().host.remove().pieces:
        pass
    return calls


def place(desk: Desk) -> None:
    desk.host.place(pieces_of(desk))


def replace(desk: Desk) -> None:
    desk.host.place(pieces_of(desk)[:2])


def remove(desk: Desk) -> None:
    desk.host.remove()


def attempt(desk: Desk, act: Callable[[Desk], Any]) -> HostError | None:
    """The act, and how it ended; a refusal always has both sentences, and no word of Python."""
    try:
        act(desk)
    except HostError as error:
        told = error
    else:
        return None
    assert told.message.endswith((".", ")", "!"))
    assert told.remedy.endswith(".")
    for word in ("Traceback", "NoneType", "Error:", "object at 0x"):
        assert word not in str(told)
    return told


def placed_files(desk: Desk) -> list[Path]:
    return sorted((desk.folder / "placed").glob("*.wav"))


def check_nothing_is_left(desk: Desk, before: dict[str, Any], files: list[Path], case: object = "") -> None:
    assert differences(before, desk.editor.state()) == [], case
    assert placed_files(desk) == files, case


def check_all_is_there(desk: Desk, before: dict[str, Any]) -> None:
    state = desk.editor.state()
    assert differences(without_ours(before), without_ours(state)) == []
    items = [
        item for item in desk.editor.timeline.items() if "/placed/" in str(item.pool and item.pool.media.path)
    ]
    assert len(items) == len(WANTED)
    assert not any(item.problems for item in items)


@pytest.mark.parametrize(("profile", "page"), [("studio_19_1", "media"), ("free_21_1", "deliver")])
def test_every_documented_failure_while_placing(desks: Callable[..., Desk], profile: str, page: str) -> None:
    """From another page than placing needs, so that leaving it and coming back fail too."""
    cases = list(documented_failures(calls_of(desks(profile, page), place)))
    assert {"Resolve.OpenPage", "Timeline.SetCurrentTimecode"} < {method for method, *_ in cases}
    ended: Counter[str] = Counter()
    for case in cases:
        desk = desks(profile, page)
        before = desk.editor.state()
        desk.editor.fail(*case)
        error = attempt(desk, place)
        desk.editor.heal()
        if error is None:
            check_all_is_there(desk, before)
            ended["placed"] += 1
            assert desk.again().host.remove().pieces == len(WANTED), case
        else:
            ended["refused"] += 1
        check_nothing_is_left(desk, before, [], case)
        assert desk.again().host.remove().pieces == 0
    assert ended["placed"] + ended["refused"] == len(cases) >= 200
    assert ended["refused"] >= 15


@pytest.mark.parametrize(("profile", "page"), [("studio_21_1", "fairlight")])
def test_failures_that_last(desks: Callable[..., Desk], profile: str, page: str) -> None:
    """From some call on a method fails for good: what cannot be taken back is told, and cleared later."""
    cases = [case for case in documented_failures(calls_of(desks(profile, page), place)) if not case[3]]
    told = 0
    for method, nth, result, _ in cases:
        desk = desks(profile, page)
        before = desk.editor.state()
        desk.editor.fail(method, nth, result, times=None)
        error = attempt(desk, place)
        desk.editor.heal()
        if error is None:
            check_restored_or_told(desk, before, (method, nth, result))
            assert desk.again().host.remove().pieces == len(WANTED), (method, nth, result)
        elif desk.editor.state() != before:
            told += 1
            assert "resolve remove" in error.remedy or "could not be" in error.message, (method, nth, error)
            desk.again().host.remove()
        check_same_timeline(desk, before, (method, nth, result))
    assert told < len(cases) / 3


def check_restored_or_told(desk: Desk, before: dict[str, Any], case: object = "") -> None:
    """What of the editor's state is not as before is said in a note."""
    changed = differences(without_ours(before), without_ours(desk.editor.state()))
    if changed:
        assert any("could not be" in note for note in desk.host.notes), (changed, case)


def check_same_timeline(desk: Desk, before: dict[str, Any], case: object = "") -> None:
    """Timelines and bins are as before; page, playhead, open bin and timeline may have stayed moved."""
    for state in (before, after := desk.editor.state()):
        state["page"] = ""
        for project in state["projects"].values():
            project["current bin"] = project["current timeline"] = ""
            for timeline in project["timelines"].values():
                timeline["playhead"] = 0
    assert differences(before, after) == [], case


def test_a_window_opens_at_any_step(desks: Callable[..., Desk]) -> None:
    """While it is open nothing can be taken back either; closed, a later run does."""
    calls = calls_of(desks("studio_20_3", "color"), place)
    changing = [number for number, call in enumerate(calls) if not call.name.startswith("Get")]
    counted: Counter[str] = Counter()
    for number in changing:
        name = f"{calls[number].kind}.{calls[number].name}"
        nth = sum(1 for call in calls[: number + 1] if f"{call.kind}.{call.name}" == name)
        desk = desks("studio_20_3", "color")
        before = desk.editor.state()
        desk.editor.fail(name, nth, before=desk.editor.open_modal)
        error = attempt(desk, place)
        desk.editor.close_modal()
        desk.editor.heal()
        counted["told" if error else "placed"] += 1
        if error:
            assert "window" in error.remedy, (name, error)
            desk.again().host.remove()
        else:
            check_restored_or_told(desk, before)
            assert desk.again().host.remove().pieces == len(WANTED)
        check_same_timeline(desk, before)
    assert counted["told"] >= 10


@pytest.mark.parametrize("what", ["project", "timeline", "quit"])
def test_the_editor_goes_elsewhere_at_any_step(desks: Callable[..., Desk], what: str) -> None:
    calls = calls_of(desks("studio_20_3", "color"), place)
    changing = [number for number, call in enumerate(calls) if not call.name.startswith("Get")]
    for number in changing:
        name = f"{calls[number].kind}.{calls[number].name}"
        nth = sum(1 for call in calls[: number + 1] if f"{call.kind}.{call.name}" == name)
        desk = desks("studio_20_3", "color")
        editor = desk.editor
        first, reel = editor.project, editor.timeline
        other = editor.new_timeline("Reel 2")
        editor.project.current = reel
        before = editor.state()

        def leave(editor: Editor = editor, other: Any = other) -> None:
            if what == "project":
                editor.open_project(None)
            elif what == "timeline":
                editor.project.current = other
            else:
                editor.quit()

        editor.fail(name, nth, before=leave)
        error = attempt(desk, place)
        editor.heal()
        editor.options.running = True
        if editor.project is None:
            editor.open_project(first)
        editor.project.current = reel
        if error is None:  # it was all there, and only putting things back was left
            assert desk.again().host.remove().pieces == len(WANTED)
        else:
            desk.again().host.remove()
        check_same_timeline(desk, before)


@pytest.mark.parametrize("where", ["dies_before", "dies_after"])
def test_the_way_to_resolve_breaks(desks: Callable[[str], Desk], where: str) -> None:
    desk = desks("studio_20_3")
    before = desk.editor.state()
    setattr(desk.channel, where, "place")
    with pytest.raises(HostNotRunning):
        place(desk)
    later = desk.again().host
    if where == "dies_after":
        assert later.remove().pieces == len(WANTED)
    else:
        assert later.remove().pieces == 0
    check_nothing_is_left(desk, before, [])


def test_a_placing_that_was_killed_is_cleared_by_the_next_run(desks: Callable[[str], Desk]) -> None:
    """At every call of it: what was made until then is known from the record alone."""
    total = len(calls_of(desks("studio_20_3"), place))

    class Killed(BaseException):
        pass

    for number in range(1, total, 7):
        desk = desks("studio_20_3")
        before, left = desk.editor.state(), number

        def answer(*call: Any, real: Any = desk.editor.answer) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return real(*call)

        desk.editor.answer = answer
        with pytest.raises(Killed):
            place(desk)
        del desk.editor.answer
        desk.again().host.remove()
        check_same_timeline(desk, before)


def test_every_documented_failure_while_replacing(desks: Callable[[str], Desk]) -> None:
    first = desks("studio_20_3")
    place(first)
    calls = calls_of(first, replace)
    taking_away = next(number for number, call in enumerate(calls) if call.name == "DeleteClips")
    as_when_placing = set(map(str, documented_failures(calls[: taking_away - 20], done=False)))
    cases = [case for case in documented_failures(calls, done=False) if str(case) not in as_when_placing]
    for case in cases:
        desk = desks("studio_20_3")
        bare = desk.editor.state()
        place(desk)
        before, files = desk.editor.state(), placed_files(desk)
        desk.editor.fail(*case)
        error = attempt(desk, replace)
        desk.editor.heal()
        if error is not None:
            check_nothing_is_left(desk, before, files, case)
        while desk.again().host.remove().pieces:
            pass
        check_nothing_is_left(desk, bare, [], case)
    assert len(cases) >= 80


def test_every_documented_failure_while_removing(desks: Callable[[str], Desk]) -> None:
    first = desks("studio_20_3")
    place(first)
    cases = list(documented_failures(calls_of(first, remove)))
    for case in cases:
        desk = desks("studio_20_3")
        bare = desk.editor.state()
        place(desk)
        desk.editor.fail(*case)
        attempt(desk, remove)
        desk.editor.heal()
        desk.again().host.remove()
        check_same_timeline(desk, bare)
        assert placed_files(desk) == [], case
    assert len(cases) >= 100


def test_a_getter_that_fails_once_changes_nothing_that_is_read(desks: Callable[[str], Desk]) -> None:
    def read(desk: Desk) -> None:
        desk.host.snapshot(desk.folder)

    first = desks("studio_21_1")
    cases = list(documented_failures(calls_of(first, read), done=False))
    (wanted,) = first.folder.glob("*.otio")
    expected = wanted.read_bytes()
    for case in cases:
        wanted.unlink()
        desk = desks("studio_21_1")
        desk.editor.fail(*case)
        if attempt(desk, read) is None:
            assert wanted.read_bytes() == expected, case
        else:
            wanted.write_bytes(b"")
    assert len(cases) >= 150


def test_skipping_and_adding_survive_failures_too(desks: Callable[[str], Desk]) -> None:
    def add(desk: Desk) -> None:
        desk.host.place([*pieces_of(desk), desk.piece(30, 33, "dog")], conflict=Conflict.SKIP)

    first = desks("studio_20_3")
    place(first)
    calls = calls_of(first, add)
    asking = next(number for number, call in enumerate(calls) if call.name == "ImportMedia")
    for case in documented_failures(calls[:asking], done=False):
        desk = desks("studio_20_3")
        place(desk)
        before, files = desk.editor.state(), placed_files(desk)
        desk.editor.fail(*case)
        error = attempt(desk, add)
        desk.editor.heal()
        if error is None:
            assert desk.again().host.remove().pieces == 1, case
        check_nothing_is_left(desk, before, files, case)
