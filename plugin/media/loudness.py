"""How loud a stem is (EBU R128), and the gain that keeps its true peak under a ceiling."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from numpy.typing import NDArray

from plugin.wholefile import output_error

Samples = NDArray[np.float32]

CEILING_DBTP = -1.0
"""No stem's true peak exceeds this."""

_BLOCK = 4800
_SHORT_TERM_SECONDS = 3
_NOTHING = -70.0
_OVERSAMPLING = 4
_TAPS = 32
_READ_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class Loudness:
    """Measured loudness; None where the sound is too short or too quiet to have the figure.

    Attributes:
        integrated: LUFS, gated; None for silence and for less than 0.4 s.
        range: LU; None for less than 3 s.
        true_peak: dBTP; None for digital silence.
        momentary_max: LUFS over 0.4 s.
        short_term_max: LUFS over 3 s; None for less than 3 s.
    """

    integrated: float | None = None
    range: float | None = None
    true_peak: float | None = None
    momentary_max: float | None = None
    short_term_max: float | None = None

    def scaled(self, gain: float) -> Loudness:
        """The figures of the same sound times `gain` (0 < gain)."""
        change = 20 * math.log10(gain)

        def moved(level: float | None) -> float | None:
            return None if level is None else level + change

        return Loudness(
            moved(self.integrated),
            self.range,
            moved(self.true_peak),
            moved(self.momentary_max),
            moved(self.short_term_max),
        )


class LoudnessMeter:
    """Takes mono float32 pieces of any size and tells their `Loudness`; the sizes do not matter.

    A mono stem is measured as one channel: played from two speakers it is 3 LU louder. The true
    peak is the larger of two estimates, ours and the `ebur128` filter's: at abrupt starts they
    differ by up to 0.5 dB, and no meter that a mixer trusts should read more than we say. (The
    filter alone would miss a peak between the last samples.)
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._graph = _ebur128_graph(sample_rate)
        self._peak = TruePeakMeter()
        self._waiting: Samples = np.zeros(0, np.float32)
        self._pushed = 0
        self._last: dict[str, float] = {}
        self._momentary = self._short_term = -math.inf

    def add(self, piece: Samples) -> None:
        """Measures `[n]` more samples."""
        self._peak.add(piece)
        self._waiting = np.concatenate([self._waiting, piece])
        whole = len(self._waiting) // _BLOCK * _BLOCK
        for start in range(0, whole, _BLOCK):
            self._push(self._waiting[start : start + _BLOCK])
        self._waiting = self._waiting[whole:]

    def finish(self) -> Loudness:
        """The figures of everything added; the meter takes no more after this."""
        if len(self._waiting):
            self._push(self._waiting)
        self._graph.push(None)
        self._pull()
        seconds = self._pushed / self._rate
        long = seconds >= _SHORT_TERM_SECONDS
        return Loudness(
            integrated=_above_nothing(self._last.get("lavfi.r128.I", -math.inf)),
            range=self._last.get("lavfi.r128.LRA") if long else None,
            true_peak=_decibels(max(self._peak.peak, self._last.get("lavfi.r128.true_peak", 0.0))),
            momentary_max=_above_nothing(self._momentary) if seconds >= 0.4 else None,
            short_term_max=_above_nothing(self._short_term) if long else None,
        )

    def _push(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
        frame.sample_rate = self._rate
        frame.pts = self._pushed
        self._pushed += len(block)
        self._graph.push(frame)
        self._pull()

    def _pull(self) -> None:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            figures = {key: float(value) for key, value in frame.metadata.items()}
            self._last |= figures
            self._momentary = max(self._momentary, figures.get("lavfi.r128.M", -math.inf))
            self._short_term = max(self._short_term, figures.get("lavfi.r128.S", -math.inf))


def _ebur128_graph(sample_rate: int) -> Any:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=sample_rate, format="fltp", layout="mono")
    meter = graph.add("ebur128", "metadata=1:peak=true")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    return graph


def _decibels(peak: float) -> float | None:
    return 20 * math.log10(peak) if peak > 0 else None


def _above_nothing(level: float) -> float | None:
    """None for the floor that the filter gives when no block passed the gate."""
    return level if math.isfinite(level) and level > _NOTHING else None


class TruePeakMeter:
    """The largest value of a mono signal between and on its samples, by 4-fold interpolation.

    A Kaiser-windowed sinc of 32 taps per phase (BS.1770-4 asks for at least 4-fold). Pieces may
    have any size; the signal counts as silent before and after.
    """

    def __init__(self) -> None:
        self._phases = _interpolation_phases()
        self._tail: NDArray[np.float64] = np.zeros(_TAPS - 1)
        self._peak = 0.0

    def add(self, piece: Samples) -> None:
        """Looks at `[n]` more samples."""
        if len(piece):
            self._scan(np.concatenate([self._tail, piece]))
            self._peak = max(self._peak, float(np.max(np.abs(piece))))
            self._tail = np.concatenate([self._tail, piece])[-(_TAPS - 1) :]

    @property
    def peak(self) -> float:
        """Linear true peak of everything added so far, as if silence followed."""
        self._scan(np.concatenate([self._tail, np.zeros(_TAPS - 1)]))
        return self._peak

    def _scan(self, signal: NDArray[np.float64]) -> None:
        for phase in self._phases:
            values = np.convolve(signal, phase, "valid")
            self._peak = max(self._peak, float(np.max(np.abs(values))))


def _interpolation_phases() -> tuple[NDArray[np.float64], ...]:
    """Filters that give the signal at 1/4, 2/4 and 3/4 between two samples, unit gain at 0 Hz."""
    half = _TAPS // 2
    window_beta = 8.0
    phases = []
    for step in range(1, _OVERSAMPLING):
        distance = np.arange(-half + 1, half + 1) - step / _OVERSAMPLING
        window = np.i0(window_beta * np.sqrt(np.maximum(0, 1 - (distance / half) ** 2))) / np.i0(window_beta)
        taps = np.sinc(distance) * window
        phases.append(taps / taps.sum())
    return tuple(phases)


def peak_gain(true_peak: float | None, *, ceiling: float = CEILING_DBTP) -> float:
    """The largest gain, at most 1, that keeps a true peak (dBTP, None: silence) at or under `ceiling`."""
    if true_peak is None or true_peak <= ceiling:
        return 1.0
    return float(10 ** ((ceiling - true_peak) / 20))


@dataclass(frozen=True, slots=True)
class LimitedSound:
    """A mono sound turned down, if need be, so that its true peak keeps under the ceiling.

    Attributes:
        samples: how many there are.
        gain: what every sample is multiplied by, 0 < gain <= 1.
        loudness: the figures after the gain.
        path: raw float32 of the sound before the gain; gone at the end of its block.
    """

    samples: int
    gain: float
    loudness: Loudness
    path: Path

    def pieces(self) -> Iterator[Samples]:
        """The sound after the gain, float32 `[n]` pieces; may be asked for more than once."""
        gain = np.float32(self.gain)
        with self.path.open("rb") as file:
            while data := file.read(4 * _READ_SAMPLES):
                yield np.frombuffer(data, np.float32) * gain


@contextmanager
def peak_limited(
    pieces: Iterable[Samples],
    *,
    sample_rate: int,
    ceiling: float = CEILING_DBTP,
    folder: Path | None = None,
) -> Iterator[LimitedSound]:
    """Measures a whole sound, then gives it again under the ceiling: one gain for all of it.

    Memory stays constant: the sound waits in a temporary float32 file in `folder` (the system's
    temporary folder when None), which is removed at the end of the block whatever happens.

    Raises:
        OutputError: there is no room for the temporary file.
    """
    with tempfile.TemporaryDirectory(prefix="sagafoley-", dir=folder, ignore_cleanup_errors=True) as scratch:
        path = Path(scratch) / "sound.f32"
        meter, samples = LoudnessMeter(sample_rate), 0
        with path.open("wb") as file:
            for piece in pieces:
                meter.add(piece)
                samples += len(piece)
                _store(file, piece, path)
            _flush(file, path)
        loudness = meter.finish()
        gain = peak_gain(loudness.true_peak, ceiling=ceiling)
        yield LimitedSound(samples, gain, loudness.scaled(gain), path)


def _store(file: Any, piece: Samples, path: Path) -> None:
    try:
        file.write(np.ascontiguousarray(piece, np.float32).tobytes())
    except OSError as error:
        raise output_error(path, error) from error


def _flush(file: Any, path: Path) -> None:
    try:
        file.flush()
    except OSError as error:
        raise output_error(path, error) from error
