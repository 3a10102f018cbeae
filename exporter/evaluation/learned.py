"""The field's learned metrics, for those who have their tools and weights installed; never guessed.

FAD, KL, IS, IB-score and DeSync all need networks of other people, which this project neither ships
nor downloads. `av-benchmark` measures them when its folder is named; where it is not, or where it fails,
the report says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from exporter.synth.dataset import write_video

FOLDER_VARIABLE = "AV_BENCHMARK"
"""Names the folder that av-benchmark was cloned into; the tool itself is installed in this Python."""

MEASURED: Mapping[str, str] = {
    "FAD": "FD-VGG",
    "KL": "KL-PANNS-softmax",
    "IS": "ISC-PANNS-mean",
    "IB-score": "IB-Score",
    "DeSync": "DeSync",
}
"""Names in the field, and what av-benchmark calls them."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Figures by name, or why there are none."""

    values: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Exam:
    """Folders whose files of the same name belong together.

    Attributes:
        made: what the model made, WAV.
        true: the true stems, WAV.
        pictures: what the model saw, MP4.
        seconds: length of each.
    """

    made: Path
    true: Path
    pictures: Path
    seconds: float


class LearnedMetrics(Protocol):
    """Measures sounds against true ones and their pictures."""

    @property
    def absent(self) -> str:
        """Why nothing can be measured; empty where it can."""

    def measure(self, exam: Exam) -> Learned:
        """Values stay empty where the tool fails."""


@dataclass(frozen=True, slots=True)
class AvBenchmark:
    """`av-benchmark`, in processes of its own: it wants a GPU and its own versions of things.

    Attributes:
        folder: with its scripts; None where nobody named one.
    """

    folder: Path | None

    @classmethod
    def find(cls) -> AvBenchmark:
        """Where `AV_BENCHMARK` says."""
        named = os.environ.get(FOLDER_VARIABLE)
        return cls(Path(named) if named else None)

    @property
    def absent(self) -> str:
        """See `LearnedMetrics`."""
        if self.folder is None:
            return f"av-benchmark is not installed; {FOLDER_VARIABLE} names no folder"
        if not (self.folder / "evaluate.py").is_file():
            return f"{self.folder} holds no evaluate.py"
        return ""

    def measure(self, exam: Exam) -> Learned:
        """See `LearnedMetrics`."""
        if self.absent:
            return Learned({}, self.absent)
        for script, options in _calls(exam):
            complaint = self._run(script, options)
            if complaint:
                return Learned({}, f"{script} failed: {complaint}")
        return _read(exam.made / "cache" / "output_metrics.json")

    def _run(self, script: str, options: tuple[str, ...]) -> str:
        """Its last words where it failed, else nothing."""
        done = subprocess.run(
            [sys.executable, script, *options], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return ""
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def _calls(exam: Exam) -> Iterator[tuple[str, tuple[str, ...]]]:
    true = ("--gt_audio", str(exam.true), "--gt_cache", str(exam.true / "cache"))
    length = ("--audio_length", f"{exam.seconds:g}")
    yield "extract_video.py", (*true, *length, "--video_path", str(exam.pictures))
    made = ("--pred_audio", str(exam.made), "--pred_cache", str(exam.made / "cache"))
    yield "evaluate.py", (*true, *made, *length)


def _read(path: Path) -> Learned:
    try:
        content = json.loads(path.read_text("utf-8"))
        found = {ours: float(content[theirs]) for ours, theirs in MEASURED.items() if theirs in content}
    except (OSError, ValueError, TypeError) as error:
        return Learned({}, f"{path.name} cannot be read ({error})")
    return Learned(found, "" if found else f"{path.name} holds none of them")


@dataclass(frozen=True, slots=True)
class ExamFolder:
    """Keeps what an exam needs, pair by pair.

    Attributes:
        folder: for all of it.
        seconds: length of every sound.
    """

    folder: Path
    seconds: float

    def keep_sound(self, name: str, wave: npt.NDArray[np.float32], *, rate: int, true: bool) -> None:
        """A sound, [samples] in -1..1, as one that was made or as the true one."""
        path = self.folder / ("true" if true else "made") / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, wave, rate, subtype="PCM_16")

    def keep_picture(self, name: str, frames: npt.NDArray[np.uint8], *, fps: float) -> None:
        """Pictures [T, H, W, 3] of a pair."""
        path = self.folder / "pictures" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, frames, fps=fps)

    @property
    def exam(self) -> Exam:
        """What is kept."""
        return Exam(self.folder / "made", self.folder / "true", self.folder / "pictures", self.seconds)
