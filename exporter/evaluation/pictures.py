"""The pictures of the report, drawn with what is there anyway: confusions, curves, spectrograms. PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from exporter.evaluation.onsets import Float, Times, spectrum_bands

Picture = npt.NDArray[np.uint8]
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PALE = (40, 40, 40), (200, 200, 200)
_COLOURS = ((180, 90, 20), (30, 120, 220), (60, 150, 60), (150, 60, 150), (30, 30, 200), (120, 120, 120))
_SHOWN_DB = 60.0


def write_picture(picture: Picture, path: Path) -> None:
    """As PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _sheet(height: int, width: int) -> Picture:
    return np.full((height, width, 3), 255, np.uint8)


def _write(picture: Picture, text: str, place: tuple[int, int], *, scale: float = 0.38) -> None:
    cv2.putText(picture, text, place, _FONT, scale, _INK, 1, cv2.LINE_AA)


def confusion_picture(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> Picture:
    """True classes down, heard ones across, each row in shares of its class.

    Args:
        pairs: (true, heard) of every sound; what is heard as nothing has a column of its own.
        names: the classes in order.
    """
    columns = [*names, "silence"]
    counts = np.zeros((len(names), len(columns)))
    for true, heard in pairs:
        if true in names:
            counts[names.index(true), columns.index(heard) if heard in columns else -1] += 1
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    cell, left, top = 22, 120, 120
    picture = _sheet(top + cell * len(names) + 10, left + cell * len(columns) + 10)
    for row, name in enumerate(names):
        _write(picture, name, (6, top + cell * row + 15))
        for column in range(len(columns)):
            value = share[row, column]
            shade = tuple(int(255 - value * (255 - one)) for one in (150, 70, 10))
            corner = (left + cell * column, top + cell * row)
            cv2.rectangle(picture, corner, (corner[0] + cell - 2, corner[1] + cell - 2), shade, -1)
            if value >= 0.05:
                _write(picture, f"{100 * value:.0f}", (corner[0] + 1, corner[1] + 14), scale=0.3)
    return _headed(picture, columns, cell=cell, left=left, top=top)


def _headed(picture: Picture, names: Sequence[str], *, cell: int, left: int, top: int) -> Picture:
    """Column names, turned to be read from below."""
    for column, name in enumerate(names):
        strip = _sheet(cell, top)
        _write(strip, name, (6, 15))
        first = left + cell * column
        picture[:top, first : first + cell] = cv2.rotate(strip, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return picture


def curves_picture(curves: Mapping[str, Sequence[tuple[float, float]]], *, title: str) -> Picture:
    """Lines over steps, each scaled to its own range, which is written beside its name."""
    width, height, left, top = 760, 300, 20, 30
    picture = _sheet(height, width)
    _write(picture, title, (left, 18), scale=0.45)
    cv2.rectangle(picture, (left, top), (width - 260, height - 20), _PALE, 1)
    for index, (name, points) in enumerate(curves.items()):
        if len(points) < 2:
            continue
        x, y = np.asarray(points, np.float64).T
        low, high = float(y.min()), float(y.max())
        across = left + (x - x[0]) / max(x[-1] - x[0], 1e-9) * (width - 260 - left)
        down = height - 20 - (y - low) / max(high - low, 1e-9) * (height - 20 - top)
        line = np.stack([across, down], 1).round().astype(np.int32)
        colour = _COLOURS[index % len(_COLOURS)]
        cv2.polylines(picture, [line], False, colour, 1, cv2.LINE_AA)  # noqa: FBT003  OpenCV's own order
        _write(picture, f"{name}: {y[0]:.3g} to {y[-1]:.3g}", (width - 250, top + 14 + 18 * index))
        cv2.line(
            picture, (width - 256, top + 10 + 18 * index), (width - 252, top + 10 + 18 * index), colour, 3
        )
    return picture


def spectrogram_picture(sounds: Mapping[str, tuple[Float, int]], events: Mapping[str, Times]) -> Picture:
    """Spectrograms one below the other over the same time; ticks at events.

    Args:
        sounds: by name, the wave and its rate.
        events: by the same names, the times of the true events.
    """
    rows = [_spectrogram(name, *sound, events.get(name, ())) for name, sound in sounds.items()]
    width = min(row.shape[1] for row in rows)
    return np.concatenate([row[:, :width] for row in rows])


def _spectrogram(name: str, wave: Float, rate: int, events: Times) -> Picture:
    bands, step = spectrum_bands(wave, rate=rate)
    decibels = 10 * np.log10(np.maximum(bands.T[::-1], 1e-12))
    shade = np.clip((decibels - decibels.max() + _SHOWN_DB) / _SHOWN_DB, 0, 1)
    grey = np.asarray(255 * shade, np.uint8).repeat(2, axis=0)
    body = np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_MAGMA), np.uint8)
    head = _sheet(22, body.shape[1])
    _write(head, name, (4, 15))
    for time in events:
        place = round(time / step)
        cv2.line(head, (place, 17), (place, 21), (0, 0, 220), 2)
    return np.concatenate([head, body])
