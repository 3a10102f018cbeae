from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from plugin.controller.mixing import BLEND, Layer
from plugin.controller.playback import Playback, Ruler
from plugin.controller.sounds import Sound
from plugin.media.shaping import Shape
from plugin.timebase import TimeSpan, sample_position

NTSC = Fraction(30000, 1001)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def loaded(clock: Clock, *, frames: int = 30, rate: Fraction = Fraction(25), start: int = 90_000) -> Playback:
    playback = Playback(clock=clock)
    playback.load(TimeSpan(start / rate, (start + frames) / rate), Ruler(rate))
    return playback


def samples(data: bytes) -> np.ndarray:
    stereo = np.frombuffer(data, np.int16).reshape(-1, 2)
    assert (stereo[:, 0] == stereo[:, 1]).all()
    return stereo[:, 0].astype(np.float64) / 32767


def ramp(count: int) -> Sound:
    """A sound whose sample n is n / 100,000."""
    return Sound.of(np.arange(count, dtype=np.float32) / np.float32(100_000))


def test_nothing_is_loaded_at_first(clock: Clock) -> None:
    playback = Playback(clock=clock)

    playback.toggle()
    playback.step(1)

    assert not playback.loaded
    assert not playback.playing
    assert playback.view().timecode == ""
    assert playback.pull(10) == bytes(40)


@pytest.mark.parametrize(
    ("ruler", "start", "expected"),
    [
        (Ruler(NTSC, drop_frame=True), 107_892, "01:00:00;00"),
        (Ruler(NTSC), 107_892, "00:59:56:12"),
        (Ruler(Fraction(24000, 1001)), 86_400, "01:00:00:00"),
        (Ruler(Fraction(60000, 1001), drop_frame=True), 215_784, "01:00:00;00"),
        (Ruler(Fraction(15)), 15, "1.000s"),
    ],
)
def test_timecode_is_in_the_timelines_notation(clock: Clock, ruler: Ruler, start: int, expected: str) -> None:
    playback = Playback(clock=clock)
    playback.load(TimeSpan(start / ruler.rate, (start + 10) / ruler.rate), ruler)

    assert playback.view().timecode == expected
    assert playback.view().frames == 10


def test_a_spot_off_the_frame_grid_shows_every_frame_it_touches(clock: Clock) -> None:
    playback = Playback(clock=clock)
    playback.load(TimeSpan(Fraction(1, 50), Fraction(7, 50)), Ruler(Fraction(25)))

    assert playback.view().frames == 4


def test_stepping_stays_within_the_spot(clock: Clock) -> None:
    playback = loaded(clock)

    playback.step(3)
    assert playback.time() == Fraction(90_003, 25)
    playback.step(-10)
    assert playback.frame() == 0
    playback.step(1000)
    assert playback.frame() == 29


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(60000, 1001)])
def test_the_clock_moves_the_playhead_frame_by_frame(clock: Clock, rate: Fraction) -> None:
    playback = loaded(clock, rate=rate, frames=100)
    playback.toggle()
    seen = []
    for _ in range(50):
        clock.now += float(1 / rate)
        seen.append(playback.frame())

    # a clock of floats is a sample late or early at worst: never a frame
    assert all(abs(frame - expected) <= 1 for frame, expected in zip(seen, range(1, 51), strict=True))
    assert seen == sorted(seen)


def test_the_device_is_the_clock_where_there_is_one(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    playback.heard(0)
    clock.now += 5

    assert playback.frame() == 0
    playback.heard(1919)
    assert playback.frame() == 0
    playback.heard(1920)
    assert playback.frame() == 1


def test_a_device_that_goes_away_leaves_the_clock_to_the_machine(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    playback.heard(19_200)
    before = playback.generation

    playback.heard(None)
    clock.now += 0.1

    assert playback.playing
    assert playback.frame() == 12
    assert playback.generation > before


def test_shuttle_doubles_up_to_eight_and_turns_around(clock: Clock) -> None:
    playback = loaded(clock, frames=1000)
    playback.seek(500)
    speeds = []
    for direction in (1, 1, 1, 1, 1, -1, -1):
        playback.shuttle(direction)
        speeds.append(playback.speed)

    assert speeds == [1, 2, 4, 8, 8, -1, -2]
    assert playback.view().speed == "-2x"
    playback.stop()
    assert not playback.playing


def test_backwards_shows_the_frames_before(clock: Clock) -> None:
    playback = loaded(clock)
    playback.seek(10)
    playback.shuttle(-1)

    assert playback.frame() == 10
    clock.now += 0.04
    assert playback.frame() == 9
    clock.now += 0.12
    assert playback.frame() == 6


def test_a_loop_begins_again(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    clock.now += 30 / 25 + 3.5 / 25

    assert playback.frame() == 3
    assert playback.playing


def test_without_a_loop_it_stops_at_the_end_and_plays_again_from_the_start(clock: Clock) -> None:
    playback = loaded(clock)
    playback.set_loop(False)
    playback.toggle()
    clock.now += 10

    assert playback.frame() == 29
    assert not playback.playing
    playback.toggle()
    assert playback.frame() == 0
    assert playback.playing


def test_marks_bound_what_is_played(clock: Clock) -> None:
    playback = loaded(clock)
    playback.seek(10)
    playback.mark_in()
    playback.seek(14)
    playback.mark_out()
    playback.seek(0)
    playback.toggle()

    assert playback.frame() == 10
    clock.now += 5.5 / 25
    assert playback.frame() == 10
    clock.now += 1 / 25
    assert playback.frame() == 11
    assert playback.marked() == ("01:00:00:10", "01:00:00:15")
    assert playback.view().length == "5 frames"


def test_a_mark_past_the_other_takes_it_away(clock: Clock) -> None:
    playback = loaded(clock)
    playback.seek(10)
    playback.mark_out()
    playback.seek(20)
    playback.mark_in()

    assert (playback.view().mark_in, playback.view().mark_out) == (20, None)
    playback.clear_marks()
    assert playback.marked() is None


def test_seeking_while_it_plays_goes_on_from_there(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    before = playback.generation
    playback.seek(20)

    assert playback.generation > before
    assert playback.playing
    assert playback.frame() == 20


def test_seeking_to_the_last_frame_while_it_plays_does_not_jump(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    playback.seek(29)

    assert playback.frame() == 29


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC])
def test_sound_is_sample_exact_against_the_picture(clock: Clock, rate: Fraction) -> None:
    playback = loaded(clock, rate=rate, frames=20)
    first = sample_position(Fraction(90_000) / rate)
    playback.hear((Layer(ramp(40_000), first, Shape()),))
    playback.seek(5)
    playback.toggle()

    pulled = samples(playback.pull(100) + playback.pull(50))

    offset = sample_position((90_000 + 5) / rate) - first
    assert pulled == pytest.approx((offset + np.arange(150)) / 100_000, abs=2e-5)


def test_the_loop_has_no_gap(clock: Clock) -> None:
    playback = loaded(clock, frames=2)
    first = sample_position(Fraction(3600))
    playback.hear((Layer(ramp(10_000), first, Shape()),))
    playback.toggle()

    pulled = samples(playback.pull(3840 * 2 + 10))

    assert pulled[3839] == pytest.approx(0.03839, abs=2e-5)
    assert pulled[3840] == pytest.approx(0.0, abs=2e-5)
    assert pulled[:3840] == pytest.approx(pulled[3840:7680])


def test_after_the_end_it_is_silent(clock: Clock) -> None:
    playback = loaded(clock, frames=1)
    playback.set_loop(False)
    playback.hear((Layer(Sound.of(np.ones(5000, np.float32)), sample_position(Fraction(3600)), Shape()),))
    playback.toggle()

    pulled = samples(playback.pull(3000))

    assert (pulled[:1920] == 1).all()
    assert (pulled[1920:] == 0).all()


def test_faster_and_backwards_are_heard_so(clock: Clock) -> None:
    playback = loaded(clock)
    first = sample_position(Fraction(3600))
    playback.hear((Layer(ramp(60_000), first, Shape()),))
    playback.shuttle(1)
    playback.shuttle(1)
    double = samples(playback.pull(100))
    playback.seek(10)
    playback.shuttle(-1)
    back = samples(playback.pull(100))

    assert np.diff(double) == pytest.approx(np.full(99, 2e-5), abs=4e-5)
    assert double[-1] > double[0]
    assert back[0] == pytest.approx((11 * 1920) / 100_000, abs=1e-3)
    assert back[-1] < back[0]


def test_another_mix_goes_over_without_a_gap(clock: Clock) -> None:
    playback = loaded(clock)
    first = sample_position(Fraction(3600))
    one = Layer(Sound.of(np.full(48_000, 0.5, np.float32)), first, Shape())
    other = Layer(Sound.of(np.full(48_000, -0.5, np.float32)), first, Shape())
    playback.hear((one,))
    playback.toggle()
    playback.pull(1000)
    generation = playback.generation

    playback.hear((other,))
    pulled = samples(playback.pull(BLEND // 3) + playback.pull(BLEND))

    assert playback.generation == generation
    assert np.abs(np.diff(pulled)).max() < 0.01
    assert pulled[0] == pytest.approx(0.5, abs=1e-3)
    assert pulled[BLEND] == pytest.approx(-0.5, abs=1e-3)


def test_gain_fades_volume_and_mute(clock: Clock) -> None:
    playback = loaded(clock)
    first = sample_position(Fraction(3600))
    sound = Sound.of(np.full(57_600, 0.5, np.float32))
    playback.hear((Layer(sound, first, Shape(-6.0206, fade_in=100)),))
    playback.toggle()
    pulled = samples(playback.pull(200))
    playback.volume = 0.5
    quieter = samples(playback.pull(10))
    playback.muted = True
    silent = samples(playback.pull(10))

    assert pulled[0] == 0
    assert pulled[150] == pytest.approx(0.25, abs=1e-3)
    assert quieter == pytest.approx(np.full(10, 0.125), abs=1e-3)
    assert (silent == 0).all()


def test_too_loud_is_limited_and_nothing_wraps_around(clock: Clock) -> None:
    playback = loaded(clock)
    playback.hear(
        (Layer(Sound.of(np.full(1000, 0.9, np.float32)), sample_position(Fraction(3600)), Shape(12)),)
    )
    playback.toggle()

    assert (samples(playback.pull(100)) == 1).all()


def test_switching_the_loop_keeps_the_place(clock: Clock) -> None:
    playback = loaded(clock)
    playback.toggle()
    clock.now += 0.4
    playback.set_loop(False)

    assert playback.frame() == 10
    assert playback.playing


def test_another_spot_stops_what_plays(clock: Clock) -> None:
    playback = loaded(clock)
    playback.mark_in()
    playback.toggle()
    playback.load(TimeSpan(Fraction(0), Fraction(1)), Ruler(Fraction(24)))

    assert not playback.playing
    assert playback.marked() is None
    assert playback.view().frames == 24
