"""The sound device: samples in, and how many of them were heard."""

from __future__ import annotations

import importlib
import threading
import time
from typing import Any, Protocol

from plugin.errors import SoundUnavailable
from plugin.timebase import STEM_RATE

_LATENCY = 0.05
"""Seconds that the device is asked to be late at most."""

_AHEAD = STEM_RATE // 10
"""Samples (0.1 s) that wait here at most: for so long the window may be busy."""

_PATIENCE = 3.0
"""Seconds after which a device that asks for nothing counts as gone."""

_BYTES = 4
"""Of one sample on both channels."""


class Speaker(Protocol):
    """A device for 48 kHz, two channels, 16 bits in native order. It stands still until `start`."""

    def start(self) -> None:
        """Play what is written from now on.

        Raises:
            SoundUnavailable: the device does not.
        """
        ...

    def room(self) -> int:
        """How many samples can be written now without waiting.

        Raises:
            SoundUnavailable: the device went away.
        """
        ...

    def write(self, data: bytes) -> None:
        """Play these samples after those before."""
        ...

    def heard(self) -> int:
        """How many of the samples written since `start` were heard by now; never fewer than before."""
        ...

    def stop(self) -> None:
        """Be silent at once and forget what was written."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


def open_speaker() -> Speaker:
    """The default device of this machine. Takes a while: not for the window's thread.

    Raises:
        SoundUnavailable: there is none, or what is needed to use it is not installed.
    """
    library = _load_library()
    try:
        return _PortAudioSpeaker(library)
    except library.PortAudioError:
        # PortAudio lists the devices once: what was plugged in since is found by beginning anew
        library._terminate()  # noqa: SLF001
        library._initialize()  # noqa: SLF001
    try:
        return _PortAudioSpeaker(library)
    except library.PortAudioError as error:
        raise _refused(error, "No sound device was found.") from error


def _load_library() -> Any:
    try:
        return importlib.import_module("sounddevice")
    except ImportError as error:
        raise SoundUnavailable(
            "The package sounddevice is not installed.",
            remedy="Install it with `pip install sounddevice`.",
            detail=str(error),
        ) from error
    except OSError as error:
        raise SoundUnavailable(
            "The sound library PortAudio is not installed.",
            remedy="Install the system package libportaudio2 (Debian, Ubuntu) or portaudio (Rocky, Fedora).",
            detail=str(error),
        ) from error


def _refused(error: Exception | None, message: str) -> SoundUnavailable:
    return SoundUnavailable(
        message, remedy="Connect one, then play again.", detail="" if error is None else str(error)
    )


class _Waiting:
    """Samples that wait to be played, filled by one thread and emptied by the device's own.

    Attributes:
        taken: how many the device has taken.
        asked: when it last asked for some, `time.monotonic`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data = bytearray()
        self._moment: tuple[int, float] | None = None
        self.taken = 0
        self.asked = time.monotonic()

    def clear(self) -> None:
        with self._lock:
            self._data.clear()
            self._moment, self.taken, self.asked = None, 0, time.monotonic()

    @property
    def room(self) -> int:
        with self._lock:
            return max(0, _AHEAD - len(self._data) // _BYTES)

    def put(self, data: bytes) -> None:
        with self._lock:
            self._data += data

    def take(self, out: Any, moment: float) -> None:
        """Fill a buffer that will be heard at `moment` of the device's clock; silence where nothing waits."""
        with self._lock:
            size = min(len(out), len(self._data))
            out[:size] = bytes(self._data[:size])
            out[size:] = bytes(len(out) - size)
            del self._data[:size]
            if size:
                self._moment = (self.taken, moment)
            self.taken += size // _BYTES
            self.asked = time.monotonic()

    def heard_at(self, now: float, *, latency: float) -> int:
        """How many samples were heard at `now` of the device's clock."""
        with self._lock:
            if self._moment is None:
                return 0
            first, moment = self._moment
            if moment <= 0:  # a device that does not tell when it is heard: what it says of itself must do
                return max(0, self.taken - round(latency * STEM_RATE))
            return min(max(0, first + round((now - moment) * STEM_RATE)), self.taken)


class _PortAudioSpeaker:
    """The default device through PortAudio, which tells when each buffer will be heard."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._waiting = _Waiting()
        self._heard = 0
        self._stream = library.RawOutputStream(
            samplerate=STEM_RATE, channels=2, dtype="int16", latency=_LATENCY, callback=self._fill
        )

    def start(self) -> None:
        self._waiting.clear()
        self._heard = 0
        try:
            self._stream.start()
        except self._library.PortAudioError as error:
            raise _refused(error, "The sound device does not play.") from error

    def room(self) -> int:
        try:
            active = self._stream.active
        except self._library.PortAudioError as error:
            raise _refused(error, "The sound device went away.") from error
        if not active or time.monotonic() - self._waiting.asked > _PATIENCE:
            raise _refused(None, "The sound device went away.")
        return self._waiting.room

    def write(self, data: bytes) -> None:
        self._waiting.put(data)

    def heard(self) -> int:
        latency = float(self._stream.latency)
        self._heard = max(self._heard, self._waiting.heard_at(float(self._stream.time), latency=latency))
        return self._heard

    def stop(self) -> None:
        self._stream.abort(ignore_errors=True)

    def close(self) -> None:
        self._stream.close(ignore_errors=True)

    def _fill(self, out: Any, _frames: int, times: Any, _status: Any) -> None:
        """Called by the device's own thread."""
        self._waiting.take(out, float(times.outputBufferDacTime))
