"""Which media frames an item plays, under every reading of its source frames."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve_bridge.played_media import Played, played_by

R25 = Fraction(25)


def item(first: int | None, last: int | None, duration: int = 48, **more: Any) -> dict[str, Any]:
    return {"source_start": first, "source_end": last, "duration": duration, "left_offset": first, **more}


@pytest.mark.parametrize("last", [57, 58, 59])
def test_as_shot(last: int) -> None:
    assert played_by(item(10, last), media_rate=R25, rate=R25) == Played(Fraction(10))


def test_the_left_offset_is_right_where_source_frames_are_one_off() -> None:
    assert played_by(item(9, 57, left_offset=10), media_rate=R25, rate=R25).start == 10
    assert played_by(item(9, 57, left_offset=30), media_rate=R25, rate=R25).start == 9
    assert played_by(item(10, 106, left_offset=5), media_rate=R25, rate=R25).start == 10


@given(
    st.sampled_from([Fraction(2), Fraction(1, 2), Fraction(3, 4), Fraction(5, 4), Fraction(4)]),
    st.integers(24, 500),
    st.integers(0, 500),
    st.booleans(),
    st.booleans(),
    st.sampled_from([R25, Fraction(24), Fraction(24000, 1001), Fraction(50)]),
)
def test_a_constant_speed_is_near_the_truth(  # noqa: PLR0917 (hypothesis gives them in order)
    speed: Fraction, frames: int, start: int, inclusive: bool, backwards: bool, media_rate: Fraction
) -> None:
    """Whatever was rounded: over the whole item the speed found is at most three frames of media off."""
    span = int(frames * speed * media_rate / R25)
    ends = (start, start + span - inclusive)
    first, last = reversed(ends) if backwards else ends
    found = played_by(item(first, last, frames, left_offset=0), media_rate=media_rate, rate=R25)
    assert (found.speed < 0) == backwards
    assert found.start == start
    assert abs(abs(found.speed) - speed) * frames * media_rate / R25 <= 3


@pytest.mark.parametrize(("told", "speed"), [(37.0, "37/100"), (0.37, "37/100"), (200.0, "2")])
def test_a_speed_that_is_told_is_taken_where_it_fits(told: float, speed: str) -> None:
    wanted = Fraction(speed)
    span = int(100 * wanted)
    assert played_by(item(0, span, 100, speed=told), media_rate=R25, rate=R25).speed == wanted


def test_a_speed_that_does_not_fit_is_not_believed() -> None:
    assert played_by(item(0, 96, speed=700.0), media_rate=R25, rate=R25).speed == 2


def test_stills_and_what_is_not_known() -> None:
    assert played_by(item(20, 20), media_rate=R25, rate=R25) == Played(Fraction(20), Fraction(0))
    assert played_by(item(20, 21), media_rate=R25, rate=R25).speed == 0
    assert played_by(item(0, 0), media_rate=R25, rate=R25) == Played(Fraction(0), unsure=True)
    assert played_by(item(0, 0, speed=0.0), media_rate=R25, rate=R25).speed == 0
    assert played_by(item(0, 0, 1), media_rate=R25, rate=R25) == Played(Fraction(0))
    assert played_by(item(None, None, left_offset=7), media_rate=R25, rate=R25) == Played(Fraction(7))
    other = played_by(item(None, None, left_offset=7), media_rate=Fraction(50), rate=R25)
    assert other == Played(Fraction(14))
