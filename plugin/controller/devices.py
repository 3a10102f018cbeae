"""The sound device: samples in, and how many of them were heard."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from plugin.errors import SoundUnavailable
from plugin.timebase import STEM_RATE

LATENCY = 0.12
"""Seconds of sound that a device is given ahead: what a busy window may take."""

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
        """Play these samples after those before.

        Raises:
            SoundUnavailable: the device went away.
        """
        ...

    def heard(self) -> int:
        """How many of the samples written since `start` were heard by now, as well as can be known."""
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
        return _PortAudioSpeaker(library, _open_stream(library))
    except library.PortAudioError:
        # PortAudio lists the devices once: what was plugged in since is found by beginning anew
        library._terminate()  # noqa: SLF001
        library._initialize()  # noqa: SLF001
    try:
        return _PortAudioSpeaker(library, _open_stream(library))
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


def _open_stream(library: Any) -> Any:
    return library.RawOutputStream(samplerate=STEM_RATE, channels=2, dtype="int16", latency=LATENCY)


def _refused(error: Exception, message: str) -> SoundUnavailable:
    return SoundUnavailable(
        message, remedy="Connect one, then play again.", detail=str(error)
    )


class _PortAudioSpeaker:
    """The default device through PortAudio, written to without waiting."""

    def __init__(self, library: Any, stream: Any) -> None:
        self._library = library
        self._stream = stream
        self._written = 0
        self._space = 0

    def start(self) -> None:
        self._written = 0
        try:
            self._stream.start()
            self._space = int(self._stream.write_available)
        except self._library.PortAudioError as error:
            raise _refused(error, "The sound device does not play.") from error

    def room(self) -> int:
        return self._free()

    def write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except self._library.PortAudioError as error:
            raise _refused(error, "The sound device went away.") from error
        self._written += len(data) // _BYTES

    def heard(self) -> int:
        try:
            waiting = self._space - self._free()
        except SoundUnavailable:
            return self._written
        return max(0, self._written - max(0, waiting))

    def stop(self) -> None:
        self._stream.abort(ignore_errors=True)

    def close(self) -> None:
        self._stream.close(ignore_errors=True)

    def _free(self) -> int:
        try:
            free = int(self._stream.write_available)
        except self._library.PortAudioError as error:
            raise _refused(error, "The sound device went away.") from error
        self._space = max(self._space, free)
        return free
