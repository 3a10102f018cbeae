"""The whole program, killed and starved: `kill -9` at any moment, full disks, pipes in place of files."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.made_timelines import make_timeline
from tests.faults.stem_invariants import environment, finished_takes

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/bundle"
PATIENCE = 60
LIMITED = """
import os, resource, sys
limit, program = int(sys.argv[1]), sys.argv[2:]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(program[0], program)
"""


def line(film: Path, out: Path) -> list[str]:
    program = [sys.executable, "-m", "plugin.cli", "render", str(film), "-o", str(out), "--otioz"]
    return [*program, "--bundle", str(GOLDEN), "--steps", "2", "--takes", "2", "--provider", "cpu"]


def run(film: Path, out: Path, *, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """The program to its end; with `limit`, no file of it may have more bytes."""
    limited = [] if limit is None else [sys.executable, "-c", LIMITED, str(limit)]
    return subprocess.run(
        [*limited, *line(film, out)],
        cwd=ROOT,
        env=environment(ROOT),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def visible(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if path.name != ".sagafoley"} if out.exists() else set()


def assert_all_there(out: Path) -> None:
    sounds = [f"film_{cue}_t{take:02}" for cue in ("001_violin", "002_trumpet") for take in (1, 2)]
    expected = {f"{name}{suffix}" for name in sounds for suffix in (".wav", ".json")}
    assert visible(out) == {*expected, "film_foley.otio", "film_foley.otioz"}
    left = [path.name for path in (out / ".sagafoley").iterdir() if path.suffix != ".lock"]
    assert left == ["journal.jsonl"]


@pytest.mark.parametrize("moment", range(8))
def test_killed_at_any_moment(tmp_path: Path, moment: int) -> None:
    film, out = make_timeline(tmp_path / "edit").path, tmp_path / "out"
    if moment % 2:  # an earlier placement is there
        assert run(film, out).returncode == 0
        for path in (*out.glob("*_violin_t02.*"), *out.glob("*trumpet*")):
            path.unlink()
    otio = out / "film_foley.otio"
    old = otio.read_bytes() if otio.exists() else None
    child = subprocess.Popen(line(film, out), cwd=ROOT, env=environment(ROOT), stdout=subprocess.DEVNULL)
    time.sleep(0.3 + random.Random(moment).uniform(0, 0.9))  # noqa: S311 - moments, not secrets
    child.send_signal(signal.SIGKILL)
    assert child.wait() in {-signal.SIGKILL, 0}
    assert {Path(name).suffix for name in visible(out)} <= {".wav", ".json", ".otio", ".otioz"}
    if otio.exists():
        assert otio.read_bytes() == old or json.loads(otio.read_bytes())["OTIO_SCHEMA"] == "Timeline.1"
    before = finished_takes(out) if out.exists() else {}
    whole = {
        name: state for name, state in before.items() if (out / name).with_suffix(".json").name in before
    }

    resumed = run(film, out)
    assert resumed.returncode == 0, resumed.stderr
    assert whole.items() <= finished_takes(out).items()
    assert_all_there(out)


@pytest.mark.parametrize("limit", [0, 1_000, 50_000, 150_000])
def test_a_full_disk_is_one_sentence_and_the_next_run_completes(tmp_path: Path, limit: int) -> None:
    """The system's own limit on file sizes stands in for a disk that is full."""
    film, out = make_timeline(tmp_path / "edit").path, tmp_path / "out"
    ran = run(film, out, limit=limit)
    assert ran.returncode == 2, ran.stderr
    assert "disk is full" in ran.stderr
    assert "-> Free some space" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert visible(out) == set()
    assert run(film, out).returncode == 0
    assert_all_there(out)


def test_a_pipe_in_place_of_a_timeline_or_of_media_is_no_wait_for_ever(tmp_path: Path) -> None:
    film, out = make_timeline(tmp_path / "edit"), tmp_path / "out"
    pipe = tmp_path / "pipe.otio"
    os.mkfifo(pipe)
    ran = run(pipe, out)
    assert (ran.returncode, "pipe.otio is not a file" in ran.stderr) == (2, True), ran.stderr
    film.matte.unlink()
    os.mkfifo(film.matte)
    ran = run(film.path, out)
    assert (ran.returncode, "matte.mp4 is not a file" in ran.stderr) == (2, True), ran.stderr
    assert visible(out) == set()
