"""Workspace > Scripts > Sagafoley: what one click starts, and how it ends."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resolve_bridge.channels import result_of
from resolve_bridge.inside.menu_session import Session
from resolve_bridge.inside.own_files import bridge_folder, menu_file, panel_log, server_file
from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.bridge_machine import (
    INSIDE,
    SCRIPT,
    install_menu_script,
    is_alive,
    panel_until,
    panels_of,
    wait_for,
)
from tests.bridge.fake_resolve import Editor, Installation, film, served
from tests.bridge.fake_resolve.outside import OwnProcess

MODULES = sorted(INSIDE.glob("*.py"))


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """When this file is there, the panels close."""
    return tmp_path / "close the panels"


@pytest.fixture
def reel(
    editor: Editor, media_folder: Callable[[str], Path], tmp_path: Path, sign: Path
) -> Iterator[Installation]:
    film(editor, media_folder("24"))
    with served(editor, tmp_path / "resolve") as installation:
        yield installation
        sign.touch()


def _words(child: subprocess.Popen[bytes]) -> str:
    out, _ = child.communicate(timeout=60)
    return out.decode().strip()


def _serving() -> LoopbackChannel:
    def look() -> LoopbackChannel | None:
        return LoopbackChannel.open() if Path(server_file()).exists() else None

    channel = wait_for(look)
    assert channel is not None
    return channel


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_inside_is_python_3_6(path: Path) -> None:
    """The syntax, and two names that the syntax check lets pass."""
    source = path.read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    plain = (name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names)
    named = (
        str(each.module) for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and not each.level
    )
    imported = {name.partition(".")[0] for name in (*plain, *named)}
    assert "__future__" not in imported, "`annotations` is of 3.7"
    assert "dataclasses" not in imported, "of 3.7"
    assert imported <= set(sys.stdlib_module_names), "standard library only"
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.level:
            assert each.level == 1, "nothing of ours outside the folder"


NEWER = {
    *("capture_output", "missing_ok", "dirs_exist_ok", "time_ns", "monotonic_ns", "nullcontext"),
    *("removeprefix", "removesuffix", "is_relative_to", "cached_property", "isascii", "fromisoformat"),
    *("ThreadingHTTPServer", "create_server", "strict", "reconfigure", "prod", "dist", "breakpoint"),
}
"""Names of the standard library that came after 3.6; `text` of subprocess is looked at by itself."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_call_is_newer_than_python_3_6(path: Path) -> None:
    """What fails only when it is called, long after the syntax was right."""
    for each in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(each, ast.Attribute | ast.Name):
            assert (each.attr if isinstance(each, ast.Attribute) else each.id) not in NEWER, each.lineno
        if isinstance(each, ast.Call):
            keywords = {keyword.arg for keyword in each.keywords}
            process = isinstance(each.func, ast.Attribute) and each.func.attr in {"run", "Popen", "call"}
            assert not keywords & (NEWER | ({"text"} if process else set())), each.lineno
        assert not isinstance(each, ast.JoinedStr), "one with `=` would be of 3.8, and looks the same here"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_annotations_can_be_read_by_python_3_6(path: Path) -> None:
    """What is not in quotes is evaluated: `list[str]` and `str | None` are newer."""
    tree = ast.parse(path.read_text("utf-8"))
    for each in ast.walk(tree):
        if isinstance(each, ast.FunctionDef):
            arguments = [*each.args.args, *each.args.kwonlyargs, each.args.vararg, each.args.kwarg]
            noted = [each.returns, *(one.annotation for one in arguments if one is not None)]
        elif isinstance(each, ast.AnnAssign):
            noted = [each.annotation]
        else:
            continue
        for part in (part for one in noted if one is not None for part in ast.walk(one)):
            assert not isinstance(part, ast.BinOp), f"line {each.lineno}"
            generic = isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name)
            assert not (generic and part.value.id.islower()), f"line {each.lineno}"  # type: ignore[attr-defined]


def test_one_click_starts_the_panel_and_answers_it_until_it_is_closed(
    reel: Installation, sign: Path, tmp_path: Path
) -> None:
    script = install_menu_script(reel, panel_until(sign))
    assert script in reel.menu()
    click = reel.run_menu_script(script)
    channel = _serving()
    assert channel.greeting.name == "DaVinci Resolve Studio 20.3.2.9"
    status = result_of(channel.ask({"op": "status"}, timeout=60))
    assert status["product"] == "DaVinci Resolve Studio"
    wait_for(lambda: panels_of(sign))
    channel.close()
    sign.touch()
    assert _words(click).endswith("Sagafoley: ended: the panel was closed")
    assert not Path(server_file()).exists()
    assert click.returncode == 0


def test_the_panel_gets_nothing_of_resolves_own_environment(
    reel: Installation, sign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = {
        "LD_LIBRARY_PATH": "/opt/resolve/libs",
        "QT_PLUGIN_PATH": "/opt/resolve",
        "PYTHONHOME": "/opt/x",
    }
    for name, value in strange.items():
        monkeypatch.setenv(name, value)
    install_menu_script(reel, panel_until(sign))
    from resolve_bridge.inside.panel_process import start_panel

    with start_panel(json.loads(Path(menu_file()).read_text("utf-8"))["launcher"]):
        number = wait_for(lambda: panels_of(sign))[0]
        told = wait_for(lambda: sign.with_name(f"{sign.name}.{number}").read_text("utf-8"))
        sign.touch()
    environment = json.loads(told)
    assert not set(strange) & set(environment)
    assert environment["SAGAFOLEY_FROM_RESOLVE"] == "1"
    assert environment["HOME"] == os.environ["HOME"]


def test_the_script_ends_with_resolve_and_the_panel_stays(
    media_folder: Callable[[str], Path], tmp_path: Path, sign: Path
) -> None:
    with OwnProcess.start(tmp_path / "resolve", media=media_folder("24")) as resolve:
        click = resolve.installation.run_menu_script(
            install_menu_script(resolve.installation, panel_until(sign))
        )
        _serving().close()
        (panel,) = wait_for(lambda: panels_of(sign))
        resolve.kill()
        assert _words(click).endswith("Sagafoley: ended: DaVinci Resolve has ended")
        assert not Path(server_file()).exists()
        assert is_alive(panel)
        sign.touch()


def test_a_second_click_replaces_the_first_and_keeps_its_panel(reel: Installation, sign: Path) -> None:
    script = install_menu_script(reel, panel_until(sign))
    first = reel.run_menu_script(script)
    channel = _serving()
    wait_for(lambda: len(panels_of(sign)) == 1)
    token = json.loads(Path(server_file()).read_text("utf-8"))["token"]
    second = reel.run_menu_script(script)
    assert _words(first).endswith("Sagafoley: ended: a newer script took over")
    wait_for(lambda: len(panels_of(sign)) == 2)
    assert json.loads(Path(server_file()).read_text("utf-8"))["token"] != token
    assert result_of(channel.ask({"op": "hello"}, timeout=60))["product"] == "DaVinci Resolve Studio"
    assert second.poll() is None
    channel.close()
    sign.touch()
    assert _words(second).endswith("Sagafoley: ended: the panel was closed")
    assert not any(map(is_alive, panels_of(sign)))


def test_two_panels_keep_the_script_until_both_are_closed(
    reel: Installation, sign: Path, tmp_path: Path
) -> None:
    """The second one was started by the editor; it is known since it asked."""
    other = tmp_path / "close the other"
    click = reel.run_menu_script(install_menu_script(reel, panel_until(sign)))
    _serving().close()
    program = (
        "import pathlib, sys, time\nfrom resolve_bridge.loopback_channel import LoopbackChannel\n"
        "channel = LoopbackChannel.open()\nprint('asked', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists():\n    time.sleep(0.05)\n"
        "print(channel.ask({'op': 'hello'}, timeout=60)['ok'])\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(other)], stdout=subprocess.PIPE) as panel:
        assert panel.stdout is not None
        assert panel.stdout.readline() == b"asked\n"
        wait_for(lambda: panels_of(sign))
        sign.touch()
        wait_for(lambda: not any(map(is_alive, panels_of(sign))))
        assert click.poll() is None
        other.touch()
        assert panel.stdout.read() == b"True\n"
    assert _words(click).endswith("Sagafoley: ended: the panel was closed")


def test_a_panel_that_breaks_is_told_with_its_last_words(reel: Installation) -> None:
    words = "import sys; sys.exit('ImportError: libEGL.so.1 is missing')"
    click = reel.run_menu_script(install_menu_script(reel, [sys.executable, "-c", words]))
    said = _words(click)
    assert "The panel ended with code 1. ImportError: libEGL.so.1 is missing" in said
    assert "Run `sagafoley doctor` in a terminal, or install Sagafoley again." in said
    assert "Traceback" not in said
    assert not Path(server_file()).exists()
    assert Path(panel_log()).is_file()


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (None, "resolve_menu.json"),
        ("{", "not installed, or damaged"),
        ("[]", "not installed, or damaged"),
        ('{"inside": "/nowhere"}', "not installed, or damaged"),
        ('{"inside": "%s"}', "was written by another version of Sagafoley"),
        ('{"inside": "%s", "schema": 1}', "names no launcher"),
        ('{"inside": "%s", "schema": 1, "launcher": "sagafoley"}', "names no launcher"),
        ('{"inside": "%s", "schema": 1, "launcher": ["/nowhere/sagafoley"]}', "is not there any more"),
    ],
)
def test_an_installation_that_is_not_whole_is_told(reel: Installation, note: str | None, said: str) -> None:
    script = install_menu_script(reel, ["-"])
    if note is None:
        Path(menu_file()).unlink()
    else:
        Path(menu_file()).write_text(note.replace("%s", str(INSIDE)), "utf-8")
    words = _words(reel.run_menu_script(script))
    assert words.startswith("Sagafoley: ")
    assert said in words
    assert words.endswith("Install Sagafoley again.")
    assert not Path(bridge_folder()).exists()


def test_a_launcher_that_cannot_be_started_is_told(reel: Installation, tmp_path: Path) -> None:
    launcher = tmp_path / "not a program"
    launcher.write_text("text", "utf-8")
    words = _words(reel.run_menu_script(install_menu_script(reel, [str(launcher)])))
    assert f"{launcher} could not be started: Permission denied." in words
    assert not Path(server_file()).exists()


def test_a_resolve_that_does_not_answer_is_told(reel: Installation, editor: Editor, sign: Path) -> None:
    script = install_menu_script(reel, panel_until(sign))
    editor.fail("GetProductName", result=None, times=None)
    editor.fail("GetVersionString", result=None, times=None)
    words = _words(reel.run_menu_script(script))
    assert words == "Sagafoley: DaVinci Resolve did not answer. Click Sagafoley in the menu again."


@pytest.mark.parametrize("python", [sys.executable])
def test_outside_of_resolve_it_says_where_it_belongs(python: str) -> None:
    done = subprocess.run([python, "-I", "-S", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Sagafoley: start this in DaVinci Resolve: Workspace > Scripts > Sagafoley.\n"


@pytest.mark.parametrize("names", ["app", "fusion", "fu", "bmd"])
def test_resolve_is_found_by_whatever_name_is_in_reach(names: str) -> None:
    """Without `resolve`, without `__file__`; what these objects do not have is None."""
    program = f"""
class Quirky:
    def __init__(self, **known): self.__dict__.update(known)
    def __getattr__(self, name): return None
found = []
give = lambda *name: found.append(name) or Quirky()
it = Quirky(GetResolve=give, scriptapp=give)
names = {{"__name__": "__main__", "app": None, "fusion": Quirky(), {names!r}: it}}
source = open({str(SCRIPT)!r}, encoding="utf-8").read()
exec(compile(source, "<string>", "exec"), names)
print(len(found))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "1"


def test_the_script_and_the_rest_agree_on_where_the_note_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The script computes it before it can load the rest."""
    names: dict[str, object] = {"__name__": "a.module"}
    exec(compile(SCRIPT.read_text("utf-8"), "<string>", "exec"), names)  # noqa: S102
    for platform in ("linux", "darwin", "win32"):
        for variables in ({}, {"XDG_DATA_HOME": str(tmp_path)}, {"LOCALAPPDATA": "C:/Local"}):
            with monkeypatch.context() as patch:
                patch.setattr(sys, "platform", platform)
                for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
                    patch.delenv(name, raising=False)
                for name, value in variables.items():
                    patch.setenv(name, value)
                from resolve_bridge.inside.own_files import data_folder

                expected = os.path.join(data_folder(platform), "resolve_menu.json")  # noqa: PTH118
                assert names["_menu_file"]() == expected  # type: ignore[operator]


def test_nothing_is_written_into_the_products_folder(reel: Installation, sign: Path) -> None:
    """Its owner, the installer, removes exactly what it put there."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "names = {'__name__': 'x.y'}\n"
        "exec(compile(open(sys.argv[2], encoding='utf-8').read(), 's', 'exec'), names)\n"
        "names['_load'](sys.argv[3], 'menu_session'); print(sys.dont_write_bytecode)"
    )
    words = [sys.executable, "-I", "-S", "-c", code, "", str(SCRIPT), str(INSIDE)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


class EndedPanel:
    """A panel's process that has ended."""

    pid = 2**22 + 1
    """No process has that number."""

    def __init__(self, code: int) -> None:
        self.returncode = code

    def poll(self) -> int:
        return self.returncode


@pytest.mark.parametrize(
    ("code", "seconds", "said"),
    [
        (3, 1.0, ["The panel ended with code 3. It said nothing. Run `sagafoley doctor` in a terminal, or"]),
        (-9, 3600.0, ["The panel was ended by signal 9. Start it again, nothing that was rendered is lost."]),
        (0, 1.0, []),
    ],
)
def test_a_panel_that_breaks_off_is_told_once(code: int, seconds: float, said: list[str]) -> None:
    told: list[str] = []
    session = Session(None, say=told.append)
    session._child = EndedPanel(code)
    session._started = time.monotonic() - seconds
    for _ in range(3):
        session._tell_of_broken_panel()
    assert len(told) == len(said)
    assert all(words.startswith(start) for words, start in zip(told, said, strict=True))


def test_a_second_panel_that_breaks_does_not_end_the_first_ones_connection(
    reel: Installation, sign: Path
) -> None:
    script = install_menu_script(reel, panel_until(sign))
    first = reel.run_menu_script(script)
    _serving().close()
    (panel,) = wait_for(lambda: panels_of(sign))
    install_menu_script(reel, [sys.executable, "-c", "raise SystemExit('no screen')"])
    second = reel.run_menu_script(script)
    _words(first)
    wait_for(lambda: "no screen" in Path(panel_log()).read_text("utf-8"))
    _serving().close()
    assert is_alive(panel)
    assert second.poll() is None
    sign.touch()
    words = _words(second)
    assert "The panel ended with code 1. no screen Run `sagafoley doctor`" in words
    assert words.endswith("ended: the panel broke")
