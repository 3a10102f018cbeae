"""Hearing what plays: a playhead and a sound device kept together. Without a device the picture plays alone.

An `Audition` belongs to the window's thread; only the opening of a device, which may take long, does not.
"""

from __future__ import annotations

import queue
from collections.abc import Callable

from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.devices import Speaker, open_speaker
from plugin.controller.playback import Playback
from plugin.errors import SagafoleyError, SoundUnavailable

_MOST = 9600
"""Samples pulled at once."""


class Audition:
    """Feeds a device from a playhead; end it with `close`."""

    def __init__(self, playback: Playback, *, opener: Callable[[], Speaker] = open_speaker) -> None:
        """No device is touched before something plays.

        Args:
            playback: what plays.
            opener: gives the device, in a thread of its own; raises `SoundUnavailable` when there is none.
        """
        self._playback = playback
        self._opener = opener
        self._thread = Background("sound device")
        self._opened: queue.SimpleQueue[Speaker | SagafoleyError] = queue.SimpleQueue()
        self._speaker: Speaker | None = None
        self._opening = self._retry = False
        self._feeding: int | None = None
        self._error: SagafoleyError | None = None

    @property
    def reason(self) -> str:
        """Why nothing is heard, with what to do about it; "" while there is no reason, or none known."""
        return str(self._error) if self._error else ""

    @property
    def heard(self) -> bool:
        """Whether a device is playing now."""
        return self._feeding is not None

    def beat(self) -> None:
        """Give the device what it has room for; call it often while something plays."""
        self._take_opened()
        playback = self._playback
        if not playback.playing:
            self._silence()
            return
        if self._speaker is None:
            self._open()
            return
        try:
            self._feed(self._speaker)
        except SoundUnavailable as error:
            self._lose(error)

    def try_again(self) -> None:
        """Look for a device when something is played next, even where none was found before."""
        self._retry = True

    def close(self) -> None:
        """Let go of the device."""
        self._silence()
        self._thread.close()
        self._take_opened()
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None

    def _feed(self, speaker: Speaker) -> None:
        playback = self._playback
        if self._feeding != playback.generation:
            self._begin(speaker)
        room = min(speaker.room(), _MOST)
        if room > 0:
            speaker.write(playback.pull(room))
        playback.heard(speaker.heard())
        playback.frame()  # past the end of the range the playhead stops by itself

    def _begin(self, speaker: Speaker) -> None:
        """Start the device where the playhead is now."""
        self._silence()
        speaker.start()
        self._playback.seek(self._playback.frame())
        self._playback.heard(0)
        self._feeding = self._playback.generation

    def _silence(self) -> None:
        if self._feeding is not None and self._speaker is not None:
            self._speaker.stop()
        self._feeding = None

    def _lose(self, error: SoundUnavailable) -> None:
        self._error, self._feeding = error, None
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None
        self._playback.heard(None)

    def _open(self) -> None:
        if self._opening or (self._error is not None and not self._retry):
            return
        self._opening, self._retry = True, False
        self._thread.put("open", self._try_to_open)

    def _try_to_open(self) -> None:
        try:
            self._opened.put(self._opener())
        except SagafoleyError as error:
            self._opened.put(error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            self._opened.put(unforeseen("opening the sound device", error))

    def _take_opened(self) -> None:
        while not self._opened.empty():
            self._opening = False
            came = self._opened.get()
            if isinstance(came, SagafoleyError):
                self._error = came
            else:
                self._speaker, self._error = came, None
