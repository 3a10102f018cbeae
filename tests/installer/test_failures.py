"""What goes wrong while installing, told by its cause."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import front
import pytest
from faults import InstallError, write_error
from locking import locked
from programs import Ran, RealPrograms

from tests.installer.fake_machine import Desk

ROOT = Path(__file__).parents[2]
NO_MATCH = "ERROR: No matching distribution found for onnxruntime<2,>=1.23\n"
NO_NETWORK = (
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError('<...>: Failed to "
    "establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/numpy/\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path)


@pytest.mark.parametrize(
    ("said", "message", "remedy"),
    [
        (NO_NETWORK + NO_MATCH, "network or a proxy does not answer", "--offline"),
        ("OSError: [Errno 28] No space left on device\n" + NO_MATCH, "disk is full", "Free some space"),
        (NO_MATCH, "no package onnxruntime", "another Python"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE INDEX", "hash is wrong", "mirror"),
        ("ERROR: something else", "pip failed", "pip.log"),
    ],
)
def test_failures_of_pip_are_told_by_their_cause(desk: Desk, said: str, message: str, remedy: str) -> None:
    desk.programs.answers["install"] = Ran(1, said)
    with pytest.raises(InstallError, match=message) as told:
        desk.run()
    assert remedy in told.value.remedy
    desk.programs.answers.clear()
    desk.run()
    desk.run("--uninstall")
    assert desk.listing() == {}


def test_what_was_fetched_waits_for_the_next_run(desk: Desk) -> None:
    """pip's cache is in our folder until all is done; half of anything else is not."""
    desk.programs.answers["install"] = Ran(1, NO_NETWORK)
    for _ in range(2):
        with pytest.raises(InstallError):
            desk.run()
        fetched = desk.root / "installing/fetched/http/onnxruntime"
        fetched.parent.mkdir(parents=True, exist_ok=True)
        fetched.write_text("a wheel")
    assert fetched.is_file()
    desk.programs.answers.clear()
    desk.run()
    assert not (desk.root / "installing").exists()


def test_what_the_log_says_counts_where_the_terminal_had_the_rest(desk: Desk) -> None:
    class Shown(type(desk.programs)):  # type: ignore[misc]
        def run(self, words: list[str], **rest: object) -> Ran:
            if "install" not in words:
                return super().run(words, **rest)
            Path(words[words.index("--log") + 1]).write_text(NO_NETWORK + NO_MATCH)
            return Ran(1, "")

    desk.programs = Shown()
    with pytest.raises(InstallError, match="network"):
        desk.run()


def test_a_package_that_the_offline_folder_lacks_is_named(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    desk.programs.answers["install"] = Ran(1, NO_MATCH)
    with pytest.raises(InstallError, match="lacks a package that fits this machine: onnxruntime") as told:
        desk.run("--offline", str(tmp_path / "wheels"))
    assert "--collect" in told.value.remedy
    with pytest.raises(InstallError, match="There is no folder"):
        desk.run("--offline", str(tmp_path / "nowhere"))


def test_several_wheels_of_ours_are_a_question(desk: Desk, tmp_path: Path) -> None:
    for version in ("1.0", "1.1"):
        (tmp_path / f"sagafoley-{version}-py3-none-any.whl").write_bytes(b"")
    with pytest.raises(InstallError, match=r"sagafoley-1\.0.*sagafoley-1\.1"):
        desk.run("--offline", str(tmp_path))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "The virtual environment was not created because ensurepip is not available.",
            "ensurepip is missing",
        ),
        ("Error: [Errno 28] No space left on device: '/x'", "disk is full"),
        ("Error: something", "No environment could be made .* Error: something"),
        ("", "it said nothing"),
    ],
)
def test_failures_of_venv(desk: Desk, said: str, message: str) -> None:
    desk.programs.answers["venv"] = Ran(1, said)
    with pytest.raises(InstallError, match=message):
        desk.run()


def test_too_little_room_is_told_before_anything_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage(desk.home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=500_000_000))
    with pytest.raises(InstallError, match=r"about 965 MB are needed .* 500 MB are free"):
        desk.run()
    assert desk.listing() == {}


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "does not allow"), (errno.EIO, "could not")],
)
def test_failed_writes(number: int, message: str) -> None:
    assert message in write_error(Path("/x/y"), OSError(number, os.strerror(number))).message


def test_a_full_disk_in_the_middle_leaves_what_can_go_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = os.replace, [0]

    def full(*names: object) -> None:
        count[0] += 1
        if count[0] == 25:
            raise OSError(errno.ENOSPC, "No space left on device", str(names[1]))
        real(*names)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(InstallError, match="disk is full"):
            desk.run()
    desk.run()
    desk.run("--uninstall")
    assert desk.listing() == {}


def test_two_installers_do_not_work_at_once(desk: Desk) -> None:
    desk.run()
    desk.new_version()
    with locked(desk.root), pytest.raises(InstallError, match="Another installer"):
        desk.run()
    desk.run()


def test_programs_that_are_not_there_or_hang_are_answers(tmp_path: Path) -> None:
    programs = RealPrograms()
    assert programs.run([str(tmp_path / "none")], environment={}).code == 127
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert programs.run(sleeping, environment={}, timeout=0.2).code == 124
    ran = programs.run([sys.executable, "-c", "import os; print(os.environ['A'])"], environment={"A": "ö"})
    assert (ran.code, ran.output) == (0, "ö\n")


# -- the program itself ---------------------------------------------------------------------------


def install(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "installer/install.py"), *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_tells_failures_in_words(tmp_path: Path) -> None:
    ran = install("--wheel", "nowhere.whl", home=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: ")
    assert "nowhere.whl is not a Sagafoley wheel.\n  -> Name a file" in ran.stderr
    assert list(tmp_path.rglob("installed.json")) == []
    assert install("--what", home=tmp_path).returncode == 2


def test_the_program_runs_dry_in_a_new_home_and_leaves_no_trace(tmp_path: Path) -> None:
    home = tmp_path / "höme"
    home.mkdir()
    before = set((ROOT / "installer").rglob("*"))
    ran = install("--dry-run", home=home, PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "h\\xf6me" in ran.stdout
    assert list(home.iterdir()) == []
    assert set((ROOT / "installer").rglob("*")) == before


def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, str(ROOT / "installer/install.py"), "--dry-run", "--gpu", "no"]
    ran = subprocess.run(
        words, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, stdout=write, stderr=-1, check=False
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_what_nobody_foresaw_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(front.Machine, "this", fail)
    assert front.run(["--dry-run"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: Something unforeseen happened: ZeroDivisionError: by zero.\n  -> Run")


def test_an_old_python_looks_for_a_better_one(tmp_path: Path) -> None:
    """The first lines run under any Python: here one that says it is old."""
    old = tmp_path / "old.py"
    old.write_text(
        "import runpy, sys\n"
        "sys.version_info = (3, 6, 9, 'final', 0)\n"
        f"sys.argv = ['install.py', '--help']\nrunpy.run_path({str(ROOT / 'installer/install.py')!r}, "
        "run_name='__main__')\n"
    )
    stand_in = tmp_path / "bin/python3.12"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "started: $2"\n')
    stand_in.chmod(0o755)
    environment = {"PATH": str(stand_in.parent)}
    ran = subprocess.run(
        [sys.executable, str(old)], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0
    assert "This is Python 3.6; going on with" in ran.stderr
    assert ran.stdout == "started: --help\n"


def test_an_old_python_alone_says_which_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import install as program

    monkeypatch.setattr(program, "_other_python", lambda: None)
    monkeypatch.setattr(program.sys, "version_info", (3, 9, 6, "final", 0))
    said: list[str] = []
    monkeypatch.setattr("builtins.print", lambda text, **_rest: said.append(text))
    assert program.main() == 2
    (told,) = said
    assert told.splitlines() == [
        "error: Sagafoley needs Python 3.11 to 3.14; this is 3.9, and no other was found.",
        "  -> Install one, for example from python.org.",
    ]


def test_the_entry_is_python_2_syntax() -> None:
    """No f-strings, no annotations: anything later would be a SyntaxError, in words that nobody reads."""
    import ast

    tree = ast.parse((ROOT / "installer/install.py").read_text("utf-8"))
    late = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.Starred)
    assert not [node for node in ast.walk(tree) if isinstance(node, late)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not node.args.kwonlyargs
            assert all(argument.annotation is None for argument in node.args.args)
