"""A folder in the layout of Segmented Music Solos: videos, a mask video beside each, and a table.

`metadata.csv` names every clip with its label and split (spec section 10). Videos may lie in any folder
below; `<name>_mask.mp4` belongs to `<name>.mp4`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from exporter.errors import ExportError
from exporter.training.scenes import Bytes, Float

TABLE = "metadata.csv"
MASK_ENDING = "_mask"
EARLY = 1e-4
"""Seconds by which a picture may be said to begin late and still count as there."""
_COLUMNS = ("filename", "redefined_label", "split")


@dataclass(frozen=True, slots=True)
class Solo:
    """One clip: its name, what sounds in it, and where picture and mask are."""

    name: str
    label: str
    video: Path
    mask: Path


@dataclass(frozen=True, slots=True)
class Clip:
    """A decoded clip: pictures [T, H, W, 3], masks [T, H, W], sound [samples]."""

    frames: Bytes
    masks: Bytes
    wave: Float


def read_solos(folder: Path, *, split: str) -> tuple[Solo, ...]:
    """The clips of a split ("train" or "val"), in the order of the table.

    Raises:
        ExportError: no such folder or table, a column or file that is missing, or an empty split.
    """
    rows = list(_rows(folder / TABLE))
    found = {path.stem: path for path in sorted(folder.rglob("*.mp4"))}
    solos = []
    for row in rows:
        if row["split"] != split:
            continue
        stem = Path(row["filename"]).stem
        for name in (stem, stem + MASK_ENDING):
            if name not in found:
                raise ExportError(
                    f"{folder / TABLE} names {row['filename']}, but {folder} has no {name}.mp4.",
                    remedy="Complete the data set or take that row out.",
                )
        solos.append(Solo(stem, row["redefined_label"], found[stem], found[stem + MASK_ENDING]))
    if not solos:
        raise ExportError(f"{folder / TABLE} has no clip of the split {split}.", remedy="Check the table.")
    return tuple(solos)


def _rows(table: Path) -> Iterator[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ExportError(f"{table} has no column {missing[0]}.", remedy="Check the table.")
            yield from reader
    except OSError as error:
        message = f"There is no data set in {table.parent} ({error.strerror}: {table.name})."
        raise ExportError(message, remedy="Name the folder that holds the table as data.folder.") from None


def decode_solo(solo: Solo, *, frames: int, rate: int, side: int, samples: int, sample_rate: int) -> Clip:
    """The first `frames` pictures at `rate` per second, squashed to `side`, and as much sound.

    What is too short ends with its last picture and with silence.

    Raises:
        ExportError: a file cannot be decoded or has no picture or sound.
    """
    times = np.arange(frames) / rate
    pictures = _pictures(solo.video, times=times, side=side, grey=False)
    masks = _pictures(solo.mask, times=times, side=side, grey=True)
    return Clip(pictures, masks, _sound(solo.video, samples=samples, rate=sample_rate))


def _pictures(path: Path, *, times: np.ndarray, side: int, grey: bool) -> Bytes:
    """The picture standing at each time, [T, side, side(, 3)]."""
    shown: list[Bytes] = []
    last: Bytes | None = None
    with _opened(path) as container:
        for frame in container.decode(video=0):
            due = int(np.searchsorted(times, (frame.time or 0) - EARLY))
            if last is not None:
                shown += [last] * (due - len(shown))
            if len(shown) >= len(times):
                break
            layout = "gray" if grey else "rgb24"
            picture = frame.to_ndarray(width=side, height=side, format=layout, interpolation="BICUBIC")
            last = picture.astype(np.uint8, copy=False)
    if last is None:
        raise ExportError(f"{path} has no picture.", remedy="Make the clip again.")
    return np.stack((shown + [last] * len(times))[: len(times)])


def _sound(path: Path, *, samples: int, rate: int) -> Float:
    """The mean of all channels, [samples]."""
    pieces: list[Float] = []
    with _opened(path) as container:
        if not container.streams.audio:
            raise ExportError(f"{path} has no sound.", remedy="Make the clip again.")
        resampler = av.AudioResampler(format="fltp", rate=rate)
        for frame in container.decode(audio=0):
            pieces += [one.to_ndarray().mean(0) for one in resampler.resample(frame)]
            if sum(map(len, pieces)) >= samples:
                break
        else:
            pieces += [one.to_ndarray().mean(0) for one in resampler.resample(None)]
    joined = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return np.asarray(np.pad(joined, (0, max(0, samples - len(joined))))[:samples], np.float32)


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except (FFmpegError, OSError) as error:
        message = f"{path} cannot be decoded ({error})."
        raise ExportError(message, remedy="Make the clip again.") from None
