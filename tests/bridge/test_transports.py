"""Requests through a helper process (a) and through the menu script's server (b), and every way they end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin.errors import HostNotRunning
from resolve_bridge.channels import Channel, result_of
from resolve_bridge.helper_channel import HelperChannel, Outcome, try_helper
from resolve_bridge.helper_process import HelperCommand
from tests.bridge.bridge_machine import is_alive, wait_for
from tests.bridge.fake_resolve import Editor, Installation, film, served
from tests.bridge.fake_resolve.outside import OwnProcess


def _command(installation: Installation, python: str = sys.executable) -> HelperCommand:
    return HelperCommand(Path(python), installation.api, installation.library)


@pytest.fixture
def reel(editor: Editor, media_folder: Callable[[str], Path], tmp_path: Path) -> Iterator[Installation]:
    film(editor, media_folder("24"))
    with served(editor, tmp_path / "resolve") as installation:
        yield installation


@pytest.fixture
def channel(reel: Installation) -> Iterator[HelperChannel]:
    opened, trials = HelperChannel.open([_command(reel)])
    assert opened is not None, trials
    yield opened
    opened.close()


def _product(channel: Channel) -> object:
    return result_of(channel.ask({"op": "hello"}, timeout=60))["product"]


def test_a_helper_reaches_resolve_and_greets(channel: HelperChannel) -> None:
    assert isinstance(channel, Channel)
    assert (channel.greeting.name, channel.greeting.studio) == ("DaVinci Resolve Studio 20.3.2.9", True)
    status = result_of(channel.ask({"op": "status"}, timeout=60))
    assert status["product"] == "DaVinci Resolve Studio"


def test_every_request_goes_through_one_connection(channel: HelperChannel, editor: Editor) -> None:
    first = channel.helper_number
    results = [_product(channel) for _ in range(3)]
    assert results == ["DaVinci Resolve Studio"] * 3
    assert channel.helper_number == first


def test_requests_of_many_threads_run_one_after_the_other(channel: HelperChannel, editor: Editor) -> None:
    editor.fail("GetProductName", delay=0.02, times=None)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(_product(channel))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == ["DaVinci Resolve Studio"] * 8
    assert editor.violations == []


def test_a_call_that_never_returns_is_given_up_in_words(channel: HelperChannel, editor: Editor) -> None:
    stalled = channel.helper_number
    assert stalled is not None
    editor.fail("GetProductName", stall=True)
    with pytest.raises(HostNotRunning) as caught:
        channel.ask({"op": "status"}, timeout=0.5)
    assert caught.value.message == "DaVinci Resolve did not answer 'status' within 0.5 seconds."
    assert caught.value.remedy == "Look whether Resolve shows a dialog, answer it, and try again."
    wait_for(lambda: not is_alive(stalled))
    editor.heal()
    assert _product(channel) == "DaVinci Resolve Studio"
    assert channel.helper_number != stalled


def test_a_killed_helper_is_told_and_replaced(channel: HelperChannel, editor: Editor) -> None:
    killed = channel.helper_number
    assert killed is not None
    editor.fail("GetProductName", before=lambda: os.kill(killed, 9))
    with pytest.raises(HostNotRunning, match="broke while 'status' was under way") as caught:
        channel.ask({"op": "status"}, timeout=60)
    assert caught.value.remedy.startswith("Look at the timeline before you do it again")
    assert _product(channel) == "DaVinci Resolve Studio"


def test_a_helper_killed_between_requests_is_not_noticed(channel: HelperChannel) -> None:
    killed, helper = channel.helper_number, channel._helper
    assert killed is not None
    assert helper is not None
    os.kill(killed, 9)
    wait_for(lambda: not helper.is_running)  # its first thread is gone before the others are
    assert _product(channel) == "DaVinci Resolve Studio"
    assert channel.helper_number != killed


def test_resolve_quits_in_the_middle_of_a_call_and_comes_back(
    media_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    root = tmp_path / "resolve"
    with OwnProcess.start(root, media=media_folder("24")) as first:
        channel, _ = HelperChannel.open([_command(first.installation)])
        assert channel is not None
        first.do("fail", "GetProductName", delay=30, times=None)
        ended = threading.Timer(0.3, first.kill)
        ended.start()
        answer = channel.ask({"op": "hello"}, timeout=60)
        ended.join()
        assert answer["ok"] is False
        with pytest.raises(HostNotRunning, match="has quit"):
            result_of(answer)
    with pytest.raises(HostNotRunning, match="does not answer any more"):
        channel.ask({"op": "hello"}, timeout=60)
    with OwnProcess.start(root, media=media_folder("24")):
        assert _product(channel) == "DaVinci Resolve Studio"
    channel.close()


def test_a_closed_channel_refuses_and_leaves_no_process(reel: Installation) -> None:
    channel, _ = HelperChannel.open([_command(reel)])
    assert channel is not None
    number = channel.helper_number
    assert number is not None
    channel.close()
    channel.close()
    assert not is_alive(number)
    with pytest.raises(HostNotRunning, match="closed"):
        channel.ask({"op": "hello"}, timeout=1)


def test_a_helper_ends_with_whoever_started_it(reel: Installation, tmp_path: Path) -> None:
    """A killed panel closes no channel; its helper notices all the same."""
    import subprocess

    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from resolve_bridge.helper_channel import HelperChannel\n"
        "from resolve_bridge.helper_process import HelperCommand\n"
        "command = HelperCommand(*map(Path, sys.argv[1:]))\n"
        "channel, _ = HelperChannel.open([command])\n"
        "print(channel.helper_number, flush=True)\ntime.sleep(600)\n"
    )
    words = [sys.executable, "-c", program, sys.executable, str(reel.api), str(reel.library)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as panel:
        assert panel.stdout is not None
        helper = int(panel.stdout.readline())
        assert is_alive(helper)
        panel.kill()
    wait_for(lambda: not is_alive(helper))


def test_what_a_library_prints_does_not_disturb(reel: Installation) -> None:
    module = reel.modules / "DaVinciResolveScript.py"
    module.write_text(
        "import os\nprint('hello')\nos.write(1, b'{}\\n')\n" + module.read_text("utf-8"), "utf-8"
    )
    channel, trials = HelperChannel.open([_command(reel)])
    assert channel is not None, trials
    assert _product(channel) == "DaVinci Resolve Studio"
    channel.close()


@pytest.mark.parametrize(
    ("library", "outcome", "detail"),
    [
        ("raise ImportError('imp is gone')", Outcome.FAILED, "fusionscript.so"),
        ("import sys; sys.exit(3)", Outcome.FAILED, "SystemExit: 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Outcome.CRASHED, ""),
        ("raise MemoryError", Outcome.FAILED, "MemoryError"),
        ("import time; time.sleep(600)", Outcome.STALLED, ""),
        ("def scriptapp(name): return None", Outcome.NONE, ""),
        ("def scriptapp(name): return object()", Outcome.NONE, ""),
    ],
)
def test_a_library_that_fails(tmp_path: Path, library: str, outcome: Outcome, detail: str) -> None:
    modules = tmp_path / "Modules"
    modules.mkdir()
    (modules / "DaVinciResolveScript.py").write_text(library, "utf-8")
    command = HelperCommand(Path(sys.executable), tmp_path, tmp_path / "fusionscript.so")
    helper, trial = try_helper(command, timeout=1.0 if outcome is Outcome.STALLED else 60.0)
    assert helper is None
    assert trial.outcome is outcome
    assert detail in trial.detail


def test_an_interpreter_that_is_not_there(reel: Installation) -> None:
    helper, trial = try_helper(_command(reel, "/nowhere/python"), timeout=60)
    assert helper is None
    assert (trial.outcome, trial.detail) == (Outcome.FAILED, "/nowhere/python: No such file or directory")


def test_the_next_interpreter_is_tried(reel: Installation) -> None:
    commands = [_command(reel, "/nowhere/python"), _command(reel)]
    channel, trials = HelperChannel.open(commands)
    assert channel is not None
    assert [trial.outcome for trial in trials] == [Outcome.FAILED, Outcome.READY]
    channel.close()
