"""A timeline goes in, stems and the timeline with our tracks come out."""

import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import opentimelineio as otio
import pytest
import soundfile
from wavinfo import WavInfoReader

from tests.cli.conftest import GOLDEN
from tests.cli.made_timelines import box, make_timeline, seconds

QUICK = ("--bundle", GOLDEN, "--provider", "cpu", "--threads", "1", "--steps", "2")


@pytest.fixture
def film(tmp_path: Path):
    return make_timeline(tmp_path / "edit")


def canonical(path: Path, *, without_ours: bool) -> str:
    """The document as sorted JSON, with our tracks left out when asked."""
    tree = json.loads(path.read_text("utf-8"))
    if without_ours:
        children = tree["tracks"]["children"]
        tree["tracks"]["children"] = [
            child for child in children if child["metadata"].get("sagafoley", {}).get("role") != "stem"
        ]
    return json.dumps(tree, sort_keys=True)


class Placed(NamedTuple):
    """A clip of ours as OTIO reads it: name, first frame and frames on its track, address."""

    name: str
    start: float
    frames: float
    url: str


def stem_tracks(path: Path) -> dict[str, list[Placed]]:
    timeline = otio.adapters.read_from_file(str(path))
    found: dict[str, list[Placed]] = {}
    for track in timeline.audio_tracks():
        if track.name.startswith("FOLEY"):
            found[track.name] = [_placed(clip) for clip in track.find_clips()]
    return found


def _placed(clip: otio.schema.Clip) -> Placed:
    place = clip.range_in_parent()
    return Placed(clip.name, place.start_time.value, place.duration.value, clip.media_reference.target_url)


def test_stems_have_exact_length_place_and_name(sagafoley, film, tmp_path: Path) -> None:
    before = film.path.read_bytes()
    ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK)
    assert ran.code == 0, ran.err
    names = ["film_001_violin_t01.wav", "film_002_trumpet_t01.wav", "film_foley.otio"]
    assert ran.lines == [str(tmp_path / "out" / name) for name in names]
    for name in names[:2]:
        wav = tmp_path / "out" / name
        info = soundfile.info(str(wav))
        assert (info.samplerate, info.subtype, info.channels) == (48_000, "PCM_24", 1)
        assert info.frames == 48_000  # 24 frames at 24 fps
        assert WavInfoReader(str(wav)).bext.time_reference == seconds(6) * 48_000
        sidecar = json.loads(wav.with_suffix(".json").read_text("utf-8"))
        assert sidecar["place"]["start_timecode"] == "01:00:00:06"
    assert film.path.read_bytes() == before


def test_the_timeline_gains_our_tracks_and_nothing_else(sagafoley, film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sagafoley("render", film.path, "-o", out, *QUICK).code == 0
    assert canonical(out / "film_foley.otio", without_ours=True) == canonical(film.path, without_ours=False)
    tracks = stem_tracks(out / "film_foley.otio")
    assert list(tracks) == ["FOLEY violin", "FOLEY trumpet"]
    for (placed,) in tracks.values():
        assert (placed.start, placed.frames) == (6, 24)


def test_a_second_run_keeps_takes_and_replaces_only_our_placement(sagafoley, film, tmp_path: Path) -> None:
    line = ("render", film.path, "-o", tmp_path / "out", *QUICK, "--json")
    first, second = sagafoley(*line), sagafoley(*line)
    assert [stem["kept"] for stem in first.document["stems"]] == [False, False]
    assert [stem["kept"] for stem in second.document["stems"]] == [True, True]
    assert first.document["otio"] == second.document["otio"]
    assert {
        name: len(clips) for name, clips in stem_tracks(tmp_path / "out" / "film_foley.otio").items()
    } == {
        "FOLEY violin": 1,
        "FOLEY trumpet": 1,
    }
    assert len(list((tmp_path / "out").glob("*.wav"))) == 2


def test_rendering_our_own_output_again_does_not_pile_up(sagafoley, film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sagafoley("render", film.path, "-o", out, *QUICK).code == 0
    again = sagafoley("render", out / "film_foley.otio", "-o", out, *QUICK)
    assert again.code == 0, again.err
    assert again.lines[-1] == str(out / "film_foley_foley.otio")
    assert list(stem_tracks(Path(again.lines[-1]))) == ["FOLEY violin", "FOLEY trumpet"]


def test_only_renders_what_is_named_and_keeps_the_rest_placed(sagafoley, film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sagafoley("render", film.path, "-o", out, *QUICK).code == 0
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--only", "Trumpet", "--seed", "7", "--json")
    assert [stem["cue"] for stem in ran.document["stems"]] == ["002"]
    tracks = stem_tracks(out / "film_foley.otio")
    assert [clip.name for clips in tracks.values() for clip in clips] == [
        "film_001_violin_t01",
        "film_002_trumpet_t02",
    ]


def test_takes_count_seeds_up_and_the_first_is_placed(sagafoley, film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--only", "1", "--takes", "2", "--json")
    assert [stem["seed"] for stem in ran.document["stems"]] == [1, 2]
    (violin,) = stem_tracks(out / "film_foley.otio").values()
    assert [clip.name for clip in violin] == ["film_001_violin_t01"]


def test_same_seed_same_bytes_other_seed_other_bytes(sagafoley, film, tmp_path: Path) -> None:
    def wav(folder: str, seed: int) -> bytes:
        ran = sagafoley("render", film.path, "-o", tmp_path / folder, *QUICK, "--only", "1", "--seed", seed)
        return Path(ran.lines[0]).read_bytes()

    assert wav("a", 5) == wav("b", 5)
    assert wav("a", 5) != wav("c", 6)


def test_the_cue_sheet_wins(sagafoley, film, tmp_path: Path) -> None:
    sheet = tmp_path / "cues.toml"
    assert sagafoley("spots", film.path, "--write", sheet).lines[-1] == str(sheet)
    text = sheet.read_text("utf-8").replace('\nprompt = "violin"', '\nprompt = "cello"\nseed = 99')
    sheet.write_text(text, "utf-8")
    ran = sagafoley(
        "render", film.path, "--cues", sheet, "-o", tmp_path / "out", *QUICK, "--seed", "3", "--json"
    )
    assert [(stem["prompt"], stem["seed"]) for stem in ran.document["stems"]] == [
        ("cello", 99),
        ("trumpet", 3),
    ]


def test_resolve_flavour_writes_bare_paths(sagafoley, film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sagafoley("render", film.path, "-o", out, *QUICK, "--flavour", "resolve").code == 0
    (violin,), _ = stem_tracks(out / "film_foley.otio").values()
    assert violin.url == str(out / "film_001_violin_t01.wav")


def test_otioz_holds_picture_mattes_and_stems(sagafoley, film, tmp_path: Path) -> None:
    ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK, "--otioz")
    assert ran.lines[-1] == str(tmp_path / "out" / "film_foley.otioz")
    with zipfile.ZipFile(ran.lines[-1]) as package:
        names = {Path(name).name for name in package.namelist()}
    assert {"picture.mp4", "matte.mp4", "film_001_violin_t01.wav", "film_002_trumpet_t01.wav"} <= names


def test_media_named_relative_to_the_timeline_are_packed(sagafoley, film) -> None:
    def shorten(timeline: otio.schema.Timeline) -> None:
        for clip in timeline.find_clips():
            clip.media_reference.target_url = Path(clip.media_reference.target_url).name

    film.rewrite(shorten)
    ran = sagafoley("render", film.path, *QUICK, "--otioz")
    assert "Not in the package" not in ran.err
    package = Path(ran.lines[-1])
    assert package == film.path.with_name("film_foley") / "film_foley.otioz"
    with zipfile.ZipFile(package) as file:
        assert {"media/picture.mp4", "media/matte.mp4"} <= set(file.namelist())
    alone = package.rename(film.path.parent.with_name("alone.otioz"))
    film.picture.unlink()
    film.matte.unlink()
    again = sagafoley("render", alone, *QUICK, "--only", "1")
    assert (again.code, Path(again.lines[0]).name) == (0, "film_001_violin_t01.wav")


def test_a_dry_run_checks_and_writes_nothing(sagafoley, film, tmp_path: Path) -> None:
    ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK, "--dry-run")
    assert ran.code == 0
    assert "01:00:00:06" in ran.out
    assert "2 of 2 cues can be rendered" in ran.err
    assert not (tmp_path / "out").exists()


def test_quiet_where_nobody_watches(sagafoley, film, tmp_path: Path) -> None:
    assert sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK).err == ""


def test_without_a_folder_results_go_beside_the_timeline(sagafoley, film) -> None:
    ran = sagafoley("render", film.path, *QUICK)
    assert ran.lines[-1] == str(film.path.with_name("film_foley") / "film_foley.otio")


def test_settings_decide_what_the_line_leaves_open(sagafoley, film, tmp_path: Path) -> None:
    config = tmp_path / "home" / ".config" / "sagafoley"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text(f'seed = 42\noutput_folder = "{tmp_path / "set"}"\n')
    ran = sagafoley("render", film.path, *QUICK, "--only", "1", "--json")
    assert ran.document["stems"][0]["seed"] == 42
    assert ran.document["folder"] == str(tmp_path / "set")


@pytest.mark.parametrize("name", ["Übung 日本 №1", "a b  c", "-dash", "x" * 120])
def test_names_of_every_kind_come_out_whole(sagafoley, tmp_path: Path, name: str) -> None:
    film = make_timeline(tmp_path / "édit", name=name, labels=["MASK Бубен 🥁"])
    ran = sagafoley("render", film.path, "-o", tmp_path / "aus gabe", *QUICK, "--json")
    assert ran.code == 0, ran.err
    (stem,) = ran.document["stems"]
    assert Path(stem["path"]).is_file()
    assert Path(ran.document["otio"]).name == f"{name}_foley.otio"
    assert list(stem_tracks(Path(ran.document["otio"]))) == ["FOLEY Бубен 🥁"]


def test_two_mask_tracks_of_one_name_give_two_stems(sagafoley, tmp_path: Path) -> None:
    film = make_timeline(tmp_path, labels=["MASK violin", "MASK violin"], draw=box)
    ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK, "--json")
    assert ran.code == 0
    assert len({stem["path"] for stem in ran.document["stems"]}) == 2
    assert "both 'violin' and overlap" in ran.err
    assert list(stem_tracks(Path(ran.document["otio"]))) == ["FOLEY violin", "FOLEY violin 2"]
