from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.controller.audition import Audition
from plugin.controller.devices import Speaker, open_speaker
from plugin.controller.mixing import Layer
from plugin.controller.playback import Playback, Ruler
from plugin.controller.sounds import Sound
from plugin.errors import SoundUnavailable
from plugin.media.shaping import Shape
from plugin.timebase import TimeSpan, sample_position


class Fake:
    """A device whose buffer of 4800 samples is played when a test says so."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.data = b""
        self.waiting = 0
        self.fails = False

    def start(self) -> None:
        self.calls.append("start")
        self.data, self.waiting = b"", 0

    def room(self) -> int:
        if self.fails:
            raise SoundUnavailable("The sound device went away.", remedy="Connect one.")
        return 4800 - self.waiting

    def write(self, data: bytes) -> None:
        self.data += data
        self.waiting += len(data) // 4

    def heard(self) -> int:
        return len(self.data) // 4 - self.waiting

    def play(self, samples: int) -> None:
        self.waiting = max(0, self.waiting - samples)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


def playing() -> Playback:
    playback = Playback()
    playback.load(TimeSpan(Fraction(3600), Fraction(3604)), Ruler(Fraction(25)))
    sound = Sound.of((np.arange(200_000) % 30_000 / 32_767).astype(np.float32))
    playback.hear((Layer(sound, sample_position(Fraction(3600)), Shape()),))
    return playback


def until(condition: Callable[[], bool], beat: Callable[[], None]) -> None:
    deadline = time.monotonic() + 30
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        beat()
        pause.wait(0.005)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def audition(fake: Fake) -> Iterator[Audition]:
    made = Audition(playing(), opener=lambda: fake)
    yield made
    made.close()


def playback_of(audition: Audition) -> Playback:
    return audition._playback


def test_no_device_is_touched_before_something_plays(fake: Fake, audition: Audition) -> None:
    audition.beat()

    assert fake.calls == []
    assert not audition.heard


def test_the_picture_follows_what_is_heard(fake: Fake, audition: Audition) -> None:
    playback = playback_of(audition)
    playback.toggle()
    until(lambda: audition.heard, audition.beat)
    begun = playback.frame()
    fake.play(1920 * 2)
    audition.beat()

    assert playback.frame() == begun + 2
    samples = np.frombuffer(fake.data, np.int16)[::2].astype(int)
    steps = np.diff(samples)
    assert ((steps == 1) | (steps < -29_000)).all()
    assert len(samples) == 4800 + 1920 * 2


def test_a_seek_starts_the_device_anew(fake: Fake, audition: Audition) -> None:
    playback = playback_of(audition)
    playback.toggle()
    until(lambda: audition.heard, audition.beat)
    playback.seek(50)
    audition.beat()

    assert fake.calls[-2:] == ["stop", "start"]
    assert np.frombuffer(fake.data, np.int16)[0] == 50 * 1920 % 30_000
    assert playback.frame() == 50


def test_switching_takes_does_not_start_it_anew(fake: Fake, audition: Audition) -> None:
    playback = playback_of(audition)
    playback.toggle()
    until(lambda: audition.heard, audition.beat)
    calls = list(fake.calls)
    playback.hear(())
    fake.play(2000)
    audition.beat()

    assert fake.calls == calls
    assert np.frombuffer(fake.data, np.int16)[-2] == 0


def test_stopping_silences_at_once(fake: Fake, audition: Audition) -> None:
    playback_of(audition).toggle()
    until(lambda: audition.heard, audition.beat)
    playback_of(audition).stop()
    audition.beat()

    assert fake.calls[-1] == "stop"
    assert not audition.heard


def test_a_device_that_goes_away_leaves_the_picture_playing(fake: Fake, audition: Audition) -> None:
    playback = playback_of(audition)
    playback.toggle()
    until(lambda: audition.heard, audition.beat)
    fake.fails = True
    audition.beat()

    assert playback.playing
    assert not audition.heard
    assert audition.reason == "The sound device went away. Connect one."
    assert fake.calls[-1] == "close"
    first = playback.frame()
    until(lambda: playback.frame() != first, audition.beat)


def test_without_a_device_the_picture_plays_and_says_why() -> None:
    opened = []

    def opener() -> Speaker:
        opened.append(1)
        raise SoundUnavailable("This machine has no sound device.", remedy="Connect one.")

    audition = Audition(playing(), opener=opener)
    playback = playback_of(audition)
    playback.toggle()
    until(lambda: audition.reason != "", audition.beat)
    first = playback.frame()
    until(lambda: playback.frame() != first, audition.beat)

    assert audition.reason == "This machine has no sound device. Connect one."
    assert opened == [1]
    audition.try_again()
    until(lambda: opened == [1, 1], audition.beat)
    audition.close()


def test_it_is_heard_when_a_device_comes() -> None:
    fake = Fake()
    devices: list[Any] = [SoundUnavailable("None.", remedy="Connect one."), fake]

    def opener() -> Speaker:
        found = devices.pop(0)
        if isinstance(found, SoundUnavailable):
            raise found
        speaker: Speaker = found
        return speaker

    audition = Audition(playing(), opener=opener)
    playback_of(audition).toggle()
    until(lambda: audition.reason != "", audition.beat)
    audition.try_again()
    until(lambda: audition.heard, audition.beat)

    assert audition.reason == ""
    audition.close()
    assert fake.calls[-1] == "close"


class PortAudioError(Exception):
    pass


def library(*, streams: list[Any]) -> Any:
    """A stand-in for the module `sounddevice`."""

    def open_stream(*, callback: Any, **_: Any) -> Any:
        made = streams.pop(0)
        if isinstance(made, Exception):
            raise made
        made.callback = callback
        return made

    begun: list[str] = []
    return types.SimpleNamespace(
        PortAudioError=PortAudioError,
        RawOutputStream=open_stream,
        _terminate=lambda: begun.append("terminate"),
        _initialize=lambda: begun.append("initialize"),
        begun=begun,
    )


class Stream:
    """A stand-in for PortAudio's stream; a test is the device's thread and clock."""

    def __init__(self) -> None:
        self.time = 50.0
        self.latency = 0.05
        self.active = True
        self.fails = False
        self.calls: list[str] = []
        self.callback: Any = None

    def start(self) -> None:
        if self.fails:
            raise PortAudioError("busy")
        self.calls.append("start")

    def abort(self, ignore_errors: bool = False) -> None:
        self.calls.append("abort")

    def close(self, ignore_errors: bool = False) -> None:
        self.calls.append("close")

    def ask(self, samples: int, *, moment: float) -> bytes:
        out = bytearray(4 * samples)
        self.callback(out, samples, types.SimpleNamespace(outputBufferDacTime=moment), None)
        return bytes(out)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    made = Stream()
    monkeypatch.setitem(sys.modules, "sounddevice", library(streams=[made]))
    return made


def test_portaudio_tells_what_was_heard(stream: Stream) -> None:
    speaker = open_speaker()
    speaker.start()
    assert speaker.heard() == 0
    assert speaker.room() == 4800
    data = np.arange(2 * 4800, dtype=np.int16).tobytes()
    speaker.write(data)
    assert speaker.room() == 0

    assert stream.ask(480, moment=50.1) == data[: 4 * 480]
    assert speaker.room() == 480
    assert speaker.heard() == 0
    stream.time = 50.1 + 100 / 48_000
    assert speaker.heard() == 100
    stream.ask(480, moment=50.11)
    stream.time = 50.2
    assert speaker.heard() == 960
    stream.time = 50.11
    assert speaker.heard() == 960


def test_a_device_that_gets_too_little_plays_silence(stream: Stream) -> None:
    speaker = open_speaker()
    speaker.start()
    speaker.write(b"\1\2\3\4" * 10)

    assert stream.ask(20, moment=50.0) == b"\1\2\3\4" * 10 + bytes(40)
    assert stream.ask(5, moment=50.1) == bytes(20)
    stream.time = 60.0
    assert speaker.heard() == 10


def test_a_device_without_a_clock_is_taken_at_its_word(stream: Stream) -> None:
    speaker = open_speaker()
    speaker.start()
    speaker.write(bytes(4 * 4800))
    stream.ask(4000, moment=0.0)

    assert speaker.heard() == 4000 - 2400


def test_starting_again_forgets_what_waited(stream: Stream) -> None:
    speaker = open_speaker()
    speaker.start()
    speaker.write(b"\1\1\1\1" * 100)
    speaker.stop()
    speaker.start()

    assert stream.ask(10, moment=50.0) == bytes(40)
    assert speaker.heard() == 0
    speaker.close()
    assert stream.calls == ["start", "abort", "start", "close"]


def test_a_device_that_stops_or_stands_still_has_gone_away(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = open_speaker()
    stream.fails = True
    with pytest.raises(SoundUnavailable, match="does not play"):
        speaker.start()
    stream.fails = False
    speaker.start()
    now = time.monotonic()
    monkeypatch.setattr("plugin.controller.devices.time.monotonic", lambda: now + 10)
    with pytest.raises(SoundUnavailable, match="went away"):
        speaker.room()
    monkeypatch.undo()
    stream.active = False
    with pytest.raises(SoundUnavailable, match="went away"):
        speaker.room()


def test_devices_are_listed_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = library(streams=[PortAudioError("none"), Stream()])
    monkeypatch.setitem(sys.modules, "sounddevice", stand_in)

    open_speaker()

    assert stand_in.begun == ["terminate", "initialize"]


def test_why_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = library(streams=[PortAudioError("none"), PortAudioError("none")])
    monkeypatch.setitem(sys.modules, "sounddevice", nothing)
    with pytest.raises(SoundUnavailable, match="No sound device was found"):
        open_speaker()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SoundUnavailable, match="pip install sounddevice"):
        open_speaker()


def test_a_missing_system_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)

    with pytest.raises(SoundUnavailable, match="libportaudio2"):
        open_speaker()
