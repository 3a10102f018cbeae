"""A folder in the layout of Segmented Music Solos: squares that flash and beep, as real files."""

from __future__ import annotations

import csv
from fractions import Fraction

import av
import numpy as np

LABELS = ("violin", "trumpet")
SECONDS = 3


def make_solos(folder, *, train=3, val=1):
    """Videos and masks of 64 x 48 pixels at 25 per second with sound; returns the folder."""
    folder.mkdir()
    rows = []
    for number in range(train + val):
        name = f"clip{number}"
        (folder / "videos").mkdir(exist_ok=True)
        _write(folder / "videos" / f"{name}.mp4", number, mask=False)
        _write(folder / "videos" / f"{name}_mask.mp4", number, mask=True)
        split = "train" if number < train else "val"
        rows.append(("solos", name, f"{name}.mp4", LABELS[number % 2], split, 0, 1000 * SECONDS))
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("subset", "YTID", "filename", "redefined_label", "split", "start_msec", "end_msec"))
        writer.writerows(rows)
    return folder


def flashes(number):
    """Frames at which clip `number` flashes and beeps."""
    return tuple(range(5 + number, 25 * SECONDS, 20))


def _write(path, number, *, mask):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "5", "threads": "1"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = None if mask else container.add_stream("aac", rate=44100)
        for index in range(25 * SECONDS):
            picture = np.zeros((48, 64, 3), np.uint8)
            lit = mask or index in flashes(number)
            picture[12:36, 16:48] = 255 if lit else 60
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None:
            _write_sound(container, audio, number)


def _write_sound(container, stream, number):
    t = np.arange(44100 * SECONDS) / 44100
    wave = np.zeros(len(t), np.float32)
    for index in flashes(number):
        after = np.maximum(t - index / 25, 0)
        wave += (t >= index / 25) * 0.3 * np.exp(-after / 0.05) * np.sin(2 * np.pi * 300 * t)
    frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 44100, 0, Fraction(1, 44100)
    fifo = av.AudioFifo()
    fifo.write(frame)
    while (piece := fifo.read(1024)) is not None:
        container.mux(stream.encode(piece))
    container.mux(stream.encode())
