"""The list of spots: a table for people, JSON for machines, a cue sheet for both."""

import json
from pathlib import Path

import pytest

from tests.cli.made_timelines import make_timeline


@pytest.fixture
def film(tmp_path: Path):
    return make_timeline(tmp_path / "edit")


def test_the_table(sagafoley, film) -> None:
    ran = sagafoley("spots", film.path)
    assert ran.code == 0
    assert [line.split() for line in ran.lines] == [
        ["CUE", "IN", "OUT", "LENGTH", "LABEL", "PROMPT", "PICTURE", "MATTE"],
        ["001", "01:00:00:06", "01:00:01:06", "1.00s", "violin", "violin", "shot", "matte", "(luma)"],
        [
            "002",
            "01:00:00:06",
            "01:00:01:06",
            "1.00s",
            "trumpet",
            "trumpet",
            "|",
            "not",
            "violin",
            "shot",
            "matte",
            "(luma)",
        ],
    ]
    assert not ran.told("has no effect"), "the bundle that ships hears negative words without guidance"


def test_json(sagafoley, film) -> None:
    document = sagafoley("spots", film.path, "--json").document
    assert (document["rate"], document["start"], document["end"]) == ("24", "01:00:00:00", "01:00:01:12")
    (first, second) = document["cues"]
    assert first["record_seconds"] == ["14401/4", "14405/4"]
    assert (second["prompt"], second["negative_prompt"], second["source"]) == (
        "trumpet",
        "violin",
        "MASK: trumpet | not violin",
    )
    assert document["problems"] == []


def test_a_missing_file_is_shown_beside_its_cue(sagafoley, film) -> None:
    film.picture.unlink()
    ran = sagafoley("spots", film.path)
    assert ran.code == 0
    assert all(line.endswith("BLOCKED") for line in ran.lines[1:])
    assert ran.told("picture.mp4")


def test_it_works_without_any_bundle(
    sagafoley, film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models_onnx.store.PACKAGED", tmp_path / "none")
    assert sagafoley("spots", film.path).code == 0


def test_a_cue_sheet_goes_round(sagafoley, film, tmp_path: Path) -> None:
    sheet = tmp_path / "cues.toml"
    before = sagafoley("spots", film.path, "--write", sheet, "--json").document["cues"]
    assert sagafoley("spots", film.path, "--cues", sheet, "--json").document["cues"] == before
    again = sagafoley("spots", film.path, "--cues", sheet, "--write", sheet, "--json").document
    assert (again["cues"], again["cue_sheet"]) == (before, str(sheet))


def test_no_spots_says_how_to_make_one(sagafoley, tmp_path: Path) -> None:
    ran = sagafoley("spots", make_timeline(tmp_path, labels=[]).path)
    assert (ran.code, ran.out) == (0, "")
    assert "MASK violin" in ran.err


def test_the_input_is_only_read(sagafoley, film) -> None:
    before = film.path.read_bytes()
    sagafoley("spots", film.path, "--write", film.path.with_name("cues.toml"))
    assert film.path.read_bytes() == before
    assert json.loads(before)["name"] == "film"
