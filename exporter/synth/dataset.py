"""Scenes as a data set on disk, in the layout of Segmented Music Solos (spec section 10).

    metadata.csv                  one row per object
    videos/<stem>.mp4             the scene's picture with the object's sound
    videos/<stem>_mask.mp4        its mask, white on black
    stems/<stem>.wav              its sound in the room, 24 bit: what training should use
    mixtures/<scene>.wav          everything that is heard
    events/<stem>.json            its events, drive and captions

A stem is `scene<seed>_<object>`. Files are written beside and renamed when whole; a scene
that is there and was made with the same settings is not made again: a stopped run goes on where it was.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

from exporter.errors import ExportError
from exporter.synth.arrays import Bytes, Float32
from exporter.synth.captions import captions_of
from exporter.synth.generating import generate
from exporter.synth.scenes import Scene, SceneObject
from exporter.synth.scores import CONTROL_RATE, SAMPLE_RATE
from exporter.synth.settings import SceneSettings

METADATA = "metadata.csv"
SUBSET = "sagafoley-scenes"

_AUDIO_FRAME = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One line of metadata.csv: the columns of Segmented Music Solos."""

    subset: str
    YTID: str
    filename: str
    redefined_label: str
    split: str
    start_msec: int
    end_msec: int


def write_scenes(
    folder: Path, seeds: Iterable[int], settings: SceneSettings | None = None, *, validation: int = 10
) -> Iterator[Row]:
    """Writes the scenes of these seeds, and metadata.csv when the last one is whole.

    Args:
        folder: made if absent.
        seeds: one scene each.
        settings: what kind of scenes.
        validation: every n-th seed (seed % n == 0) is for validation; 0 for none.

    Yields:
        The row of every object, as soon as its files are whole.

    Raises:
        ExportError: the folder cannot be written.
    """
    rows = []
    try:
        for seed in seeds:
            split = "val" if validation and seed % validation == 0 else "train"
            for row in _write_scene(folder, seed, settings, split=split):
                rows.append(row)
                yield row
        _write_metadata(folder / METADATA, rows)
    except OSError as error:
        raise ExportError(
            f"The scenes cannot be written to {folder}.",
            remedy="Choose a folder on a disk with room that you may write to.",
            detail=str(error),
        ) from error


def _write_scene(folder: Path, seed: int, settings: SceneSettings | None, *, split: str) -> Iterator[Row]:
    done = folder / "events" / f"scene{seed:08d}.json"
    wanted = settings or SceneSettings()
    kept = _kept_rows(done, wanted)
    if kept:
        yield from (replace(row, split=split) for row in kept)
        return
    scene = generate(seed, wanted)
    for name in ("videos", "stems", "mixtures", "events"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = [_write_object(folder, scene, index, split=split) for index in range(len(scene.objects))]
    _write_sound(folder / "mixtures" / f"scene{seed:08d}.wav", scene.mixture)
    record = {"seed": seed, "settings": asdict(wanted), "rows": [asdict(row) for row in rows]}
    _write_text(done, json.dumps(record, indent=1))
    yield from rows


def _kept_rows(done: Path, settings: SceneSettings) -> tuple[Row, ...]:
    """The rows of a scene that is whole and was made with these settings; none else."""
    try:
        record = json.loads(done.read_text("utf-8"))
        same = record["settings"] == json.loads(json.dumps(asdict(settings)))
        return tuple(Row(**row) for row in record["rows"]) if same else ()
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _write_object(folder: Path, scene: Scene, index: int, *, split: str) -> Row:
    item = scene.objects[index]
    stem = f"scene{scene.seed:08d}_{index}"
    write_video(folder / "videos" / f"{stem}.mp4", scene.frames, fps=scene.fps, sound=item.wet)
    mask = np.repeat(scene.mask(index)[..., None], 3, axis=3)
    write_video(folder / "videos" / f"{stem}_mask.mp4", mask, fps=scene.fps)
    _write_sound(folder / "stems" / f"{stem}.wav", item.wet)
    _write_text(folder / "events" / f"{stem}.json", json.dumps(_described(item)))
    milliseconds = round(1000 * item.score.seconds)
    return Row(SUBSET, stem, f"{stem}.mp4", item.caption, split, 0, milliseconds)


def _described(item: SceneObject) -> dict[str, object]:
    return {
        "class": item.name,
        "kind": item.kind,
        "caption": item.caption,
        "captions": captions_of(item.name),
        "level": item.level,
        "events": [asdict(event) for event in item.score.events],
        "drive_rate": CONTROL_RATE,
        "drive": [round(float(value), 4) for value in item.score.drive],
    }


def write_video(path: Path, frames: Bytes, *, fps: float, sound: Float32 | None = None) -> None:
    """Writes H.264 in MP4, with AAC if there is a sound.

    Args:
        path: of the file; it appears when it is whole.
        frames: `[T, H, W, 3]` RGB; sides must be even.
        fps: frames per second.
        sound: `[samples]` mono at 44.1 kHz.
    """
    part = path.with_name(path.name + ".part")
    with av.open(part, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        picture.width, picture.height, picture.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        picture.options = {"crf": "14", "preset": "veryfast"}
        track = None if sound is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for frame in frames:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(picture.encode(None))
        if track is not None and sound is not None:
            for packet in _audio_frames(sound):
                container.mux(track.encode(packet))
            container.mux(track.encode(None))
    part.replace(path)


def _audio_frames(sound: Float32) -> Iterator[av.AudioFrame]:
    for start in range(0, len(sound), _AUDIO_FRAME):
        frame = av.AudioFrame.from_ndarray(sound[None, start : start + _AUDIO_FRAME].copy(), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame


def _write_sound(path: Path, sound: Float32) -> None:
    part = path.with_name(path.name + ".part")
    soundfile.write(part, sound, SAMPLE_RATE, subtype="PCM_24", format="WAV")
    part.replace(path)


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _write_metadata(path: Path, rows: Iterable[Row]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_metadata(folder: Path) -> tuple[Row, ...]:
    """The rows of a folder's metadata.csv.

    Raises:
        ExportError: there is none, or it lacks a column.
    """
    path = folder / METADATA
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(_row(line) for line in csv.DictReader(file))
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(
            f"{path} is not the metadata of a Segmented Music Solos folder.",
            remedy="Point to a folder with metadata.csv and videos.",
            detail=repr(error),
        ) from error


def _row(line: dict[str, str]) -> Row:
    return Row(
        line["subset"],
        line["YTID"],
        line["filename"],
        line["redefined_label"],
        line["split"],
        int(line["start_msec"]),
        int(line["end_msec"]),
    )
