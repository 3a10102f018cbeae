"""Which take of each cue goes onto the timeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plugin.cues import Cue
from plugin.delivery import choose_pieces
from plugin.render.takes import Take, format_sidecar
from plugin.timebase import TimeSpan
from tests.made_cues import HOUR, cue, sheet, take


def put(folder: Path, name: str, *, of: Cue, day: int = 1, timeline: str = "Film") -> Take:
    """A take as an earlier run left it."""
    made = replace(take(name, of=of), created=f"2026-01-{day:02}T00:00:00+00:00", timeline_name=timeline)
    (folder / made.wav_name).write_bytes(b"sound")
    (folder / made.sidecar_name).write_bytes(format_sidecar(made))
    return made


def chosen(folder: Path, *cues: Cue, made: dict[str, tuple[Take, Path]] | None = None) -> list[str]:
    return [piece.path.name for piece in choose_pieces(sheet(*cues), made or {}, folder=folder)]


def test_the_newest_take_is_chosen_whatever_its_number(tmp_path: Path) -> None:
    put(tmp_path, "Film_001_violin_t02", of=cue(1), day=3)
    put(tmp_path, "Film_001_violin_t03", of=cue(1), day=2)
    put(tmp_path, "Film_001_violin_t01", of=cue(1), day=3)
    assert chosen(tmp_path, cue(1)) == ["Film_001_violin_t02.wav"]


def test_the_take_of_this_run_is_chosen_over_a_newer_one(tmp_path: Path) -> None:
    mine = put(tmp_path, "Film_001_violin_t01", of=cue(1), day=1)
    put(tmp_path, "Film_001_violin_t02", of=cue(1), day=2)
    made = {"001": (mine, tmp_path / mine.wav_name)}
    assert chosen(tmp_path, cue(1), made=made) == ["Film_001_violin_t01.wav"]


@pytest.mark.parametrize(
    "other",
    [
        cue(1, "cello"),
        replace(cue(1), spot=replace(cue(1).spot, record=TimeSpan(HOUR, HOUR + 1))),
    ],
)
def test_a_take_of_another_place_or_label_is_not_chosen(tmp_path: Path, other: Cue) -> None:
    put(tmp_path, "Film_001_violin_t01", of=other)
    assert chosen(tmp_path, cue(1)) == []


def test_a_take_of_another_timeline_is_not_chosen(tmp_path: Path) -> None:
    put(tmp_path, "Film_001_violin_t01", of=cue(1), timeline="Other")
    assert chosen(tmp_path, cue(1)) == []


def test_a_take_without_its_sound_is_not_chosen(tmp_path: Path) -> None:
    made = put(tmp_path, "Film_001_violin_t01", of=cue(1))
    (tmp_path / made.wav_name).unlink()
    assert chosen(tmp_path, cue(1)) == []


def test_a_piece_carries_what_made_it(tmp_path: Path) -> None:
    made = put(tmp_path, "Film_001_violin_t01", of=cue(1))
    (piece,) = choose_pieces(sheet(cue(1)), {}, folder=tmp_path)
    assert (piece.cue_id, piece.label, piece.record) == ("001", "violin", cue(1).spot.record)
    facts = dict(piece.facts)
    assert (facts["prompt"], facts["seed"], facts["licence"]) == ("violin", str(made.cue.seed), "MIT")
