"""Help, version, wrong usage: answered at once, in words that help."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin import __version__
from plugin.cli.parser import EXAMPLES, parse

HEAVY = ("torch", "PySide6", "onnxruntime", "numpy", "av", "opentimelineio", "tqdm", "requests")


def test_importing_the_command_line_pulls_in_nothing_heavy() -> None:
    code = f"import sys, plugin.cli; print([name for name in {HEAVY} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_help_answers_in_under_half_a_second() -> None:
    line = [sys.executable, "-m", "plugin.cli", "--help"]
    subprocess.run(line, capture_output=True, check=True)  # warm
    durations = []
    for _ in range(3):
        begin = time.perf_counter()
        subprocess.run(line, capture_output=True, check=True)
        durations.append(time.perf_counter() - begin)
    assert min(durations) < 0.5


def test_version(sagafoley) -> None:
    ran = sagafoley("--version")
    assert (ran.code, ran.out) == (0, f"sagafoley {__version__}\n")


@pytest.mark.parametrize("command", EXAMPLES)
def test_every_command_has_help_with_an_example_that_parses(sagafoley, command: str) -> None:
    ran = sagafoley(command, "--help")
    assert ran.code == 0
    assert EXAMPLES[command] in ran.out
    assert "exit codes: 0 done" in ran.out
    assert parse(EXAMPLES[command].split()[1:]).command == command


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_help_fits_the_terminal(sagafoley, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    options = sagafoley("render", "--help").out.split("options:")[1].split("example:")[0]
    assert max(len(line) for line in options.splitlines()) <= int(columns)


def test_no_command_shows_what_there_is(sagafoley) -> None:
    ran = sagafoley()
    assert ran.code == 2
    assert ran.out == ""
    assert all(command in ran.err for command in EXAMPLES)


def test_a_misspelt_command_is_guessed(sagafoley) -> None:
    ran = sagafoley("rendre", "film.otio")
    assert ran.code == 2
    assert "no command 'rendre'; did you mean 'render'?" in ran.err
    assert "Type for example: sagafoley render film.otio -o stems" in ran.err


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (["render"], "TIMELINE"),
        (["render", "a.otio", "--steps", "0"], "'0' is not a whole number from 1 to 1000"),
        (["render", "a.otio", "--steps", "1e9"], "'1e9' is not a whole number"),
        (["render", "a.otio", "--guidance", "nan"], "'nan' is not a number from 0 to 50"),
        (["render", "a.otio", "--guidance", "-1"], "'-1' is not a number from 0 to 50"),
        (["render", "a.otio", "--takes", "100"], "--takes"),
        (["render", "a.otio", "--seed", "-5"], "--seed"),
        (["render", "a.otio", "--provider", "tpu"], "auto, cpu, cuda"),
        (["render", "a.otio", "--flavour", "avid"], "generic, resolve"),
        (["generate", "a.mp4", "--duration", "0"], "zero"),
        (["generate", "a.mp4", "--start", "1:75"], "is not a time"),
        (["models", "steal"], "steal"),
        (["spots", "a.otio", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_names_the_thing_and_says_what_to_type(
    sagafoley, line: list[str], complaint: str
) -> None:
    ran = sagafoley(*line)
    assert ran.code == 2
    assert complaint in ran.err
    assert "Type for example: sagafoley" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.5", "3/2"), ("0:01.5", "3/2"), ("1:00:00", "3600"), ("75", "75"), ("2:05", "125")],
)
def test_times_are_exact(text: str, expected: str) -> None:
    assert str(parse(["generate", "a.mp4", "--start", text]).start) == expected


@pytest.mark.parametrize("line", ["doctor", "--help", "doctor --json"])
def test_a_reader_that_has_gone_is_no_error(tmp_path: Path, line: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "plugin.cli", *line.split()],
            stdout=write_end,
            stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path)},
            check=False,
        )
    finally:
        os.close(write_end)
    assert ran.stderr == b""
    assert ran.returncode in {0, 141}  # 0: argparse itself swallows it where stdout is unbuffered


def test_help_speaks_plain_words_in_a_plain_locale(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-m", "plugin.cli", "spots", str(tmp_path / "日本.otio")],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert ran.returncode == 2
    assert b"There is no timeline file" in ran.stderr
    assert b"Traceback" not in ran.stderr
