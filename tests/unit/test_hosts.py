from fractions import Fraction
from pathlib import Path

from plugin.hosts import (
    Conflict,
    Flavour,
    Host,
    HostInfo,
    MattePiece,
    PlacedMatte,
    PlacedPiece,
    Removal,
    Scope,
    StemPiece,
)
from plugin.timebase import TimeSpan


def piece(*, start: Fraction, end: Fraction) -> StemPiece:
    return StemPiece("001", "violin", Path("/stems/v.wav"), TimeSpan(start, end))


def test_piece_counts_samples_from_absolute_positions() -> None:
    frame = Fraction(1001, 24000)
    one = piece(start=3600 + frame, end=3600 + 2 * frame)
    two = piece(start=3600 + 2 * frame, end=3600 + 3 * frame)
    assert one.samples + two.samples == round((3600 + 3 * frame) * 48000) - round((3600 + frame) * 48000)


def test_track_is_named_after_the_label() -> None:
    assert piece(start=Fraction(0), end=Fraction(1)).track_name == "FOLEY violin"


def test_placed_piece_measures_its_error_in_samples() -> None:
    asked = piece(start=Fraction(3600), end=Fraction(3601))
    assert PlacedPiece(asked, "FOLEY violin", Fraction(3600)).error_samples == 0
    assert PlacedPiece(asked, "FOLEY violin", Fraction(3600) + Fraction(1, 24)).error_samples == 2000


def test_a_matte_has_handles_and_goes_to_a_mask_track() -> None:
    span = TimeSpan(Fraction(3600), Fraction(3601))
    matte = MattePiece("dog | not cat", Path("/nowhere"), Fraction(25), 60, 110, 122, span)
    assert (matte.head, matte.track_name, matte.is_sequence) == (12, "MASK dog | not cat", False)


def test_a_class_with_the_same_methods_is_a_host() -> None:
    class Nowhere:
        notes = ()

        def info(self) -> HostInfo:
            return HostInfo("file", "x.otio", "", "x", moves_playhead=False)

        def snapshot(self, folder: Path) -> Path:
            return folder

        def scope(self) -> Scope:
            return Scope()

        def place(self, pieces: object, *, conflict: Conflict = Conflict.REPLACE) -> tuple[PlacedPiece, ...]:
            return ()

        def place_matte(
            self, piece: MattePiece, *, conflict: Conflict = Conflict.REPLACE
        ) -> PlacedMatte | None:
            return None

        def remove(self) -> Removal:
            return Removal()

        def show(self, time: Fraction) -> None: ...

    assert isinstance(Nowhere(), Host)
    assert not isinstance(object(), Host)


def test_flavours_are_plain_words() -> None:
    assert [str(flavour) for flavour in Flavour] == ["generic", "resolve"]
