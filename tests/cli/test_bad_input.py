"""Whatever is wrong is named with a remedy, exits with 1 or 2, and leaves nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import onnx
import opentimelineio as otio
import pytest

from models_onnx.bundle import describe_files
from tests.cli.conftest import GOLDEN
from tests.cli.made_timelines import FRAMES, clip, make_timeline, nothing, span, track
from tests.media_factory import make_audio_only, make_movie, make_truncated

QUICK = ("--bundle", GOLDEN, "--provider", "cpu", "--threads", "1", "--steps", "2")


@pytest.fixture
def film(tmp_path: Path):
    return make_timeline(tmp_path / "edit", labels=["MASK violin"])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def results(folder: Path) -> list[str]:
    """Files of a result folder, its working folder's journal and locks left out."""
    if not folder.is_dir():
        return []
    kept = {"journal.jsonl"}
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in kept and path.suffix != ".lock"
    )


def test_no_such_file(sagafoley, out: Path) -> None:
    ran = sagafoley("render", "/no/such/film.otio", "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("There is no timeline file /no/such/film.otio")
    assert not out.exists()


def test_a_folder_is_no_timeline(sagafoley, tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "film.otio"
    folder.mkdir()
    ran = sagafoley("render", folder, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("film.otio")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.otio", b""),
        ("film.otio", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        ("film.otio", b'{"OTIO_SCHEMA": "Timeline.1", "tracks"'),
        ("film.otio", b'{"name": "not otio"}'),
        ("film.otio", b'{"OTIO_SCHEMA": "Clip.99", "name": 3}'),
        ("film.otio", b"[" * 5000),
        ("film.otioz", b"PK\x03\x04 but no zip"),
        ("film.xml", b"<html></html>"),
        ("film.edl", b"TITLE: nothing\n"),
        ("film.mp4", b"\0\0\0\x18ftyp"),
    ],
)
def test_not_a_timeline(sagafoley, tmp_path: Path, out: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ran = sagafoley("render", path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told(name)
    assert not out.exists()


def test_a_newer_schema(sagafoley, film, out: Path) -> None:
    film.path.write_text(film.path.read_text("utf-8").replace("Timeline.1", "Timeline.9"), "utf-8")
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("film.otio", "newer", "Update Sagafoley")


def test_missing_media(sagafoley, film, out: Path) -> None:
    film.picture.unlink()
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("picture.mp4")
    assert results(out) == []


def test_missing_matte(sagafoley, film, out: Path) -> None:
    film.matte.unlink()
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("matte.mp4")
    assert results(out) == []


def test_media_without_a_name(sagafoley, film, out: Path) -> None:
    def forget(timeline: otio.schema.Timeline) -> None:
        timeline.tracks[0][0].media_reference = otio.schema.MissingReference()

    film.rewrite(forget)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("shot")


def test_a_truncated_movie(sagafoley, film, out: Path) -> None:
    make_truncated(film.picture, keep=0.05)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code in {1, 2}
    assert ran.told("picture.mp4")
    assert results(out) == []


def test_a_movie_cut_short_inside_the_cue_is_told_and_held(sagafoley, film, out: Path) -> None:
    make_truncated(film.picture, keep=0.12)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.told("picture.mp4", "damaged or cut short")


def test_an_audio_only_file(sagafoley, film, out: Path) -> None:
    make_audio_only(film.picture)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("picture.mp4")
    assert results(out) == []


def test_a_matte_without_white(sagafoley, tmp_path: Path, out: Path) -> None:
    film = make_timeline(tmp_path / "edit", labels=["MASK violin"], draw=nothing)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("matte.mp4", "no white")
    assert results(out) == []


def test_a_matte_that_asks_for_a_channel_it_has_not(sagafoley, tmp_path: Path, out: Path) -> None:
    film = make_timeline(tmp_path / "edit", labels=["MASK violin | alpha"])
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("matte.mp4", "alpha")


def test_a_matte_without_a_picture(sagafoley, film, out: Path) -> None:
    def empty(timeline: otio.schema.Timeline) -> None:
        timeline.tracks[0][:] = [otio.schema.Gap(source_range=span(0, FRAMES))]

    film.rewrite(empty)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("matte")
    assert results(out) == []


def test_a_zero_length_clip(sagafoley, film, out: Path) -> None:
    def add(timeline: otio.schema.Timeline) -> None:
        timeline.tracks.insert(2, track("MASK nothing", clip("empty matte", film.matte, 0, 0)))

    film.rewrite(add)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.told("empty matte")
    assert "Traceback" not in ran.err


def test_one_bad_cue_does_not_stop_the_other(sagafoley, film, out: Path) -> None:
    def add(timeline: otio.schema.Timeline) -> None:
        bad = clip("bad matte", film.matte.with_name("gone.mp4"), 6, 24)
        timeline.tracks.insert(2, track("MASK trumpet", otio.schema.Gap(source_range=span(0, 6)), bad))

    film.rewrite(add)
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--json")
    assert ran.code == 1
    assert ran.document["blocked"] == ["002"]
    assert [stem["label"] for stem in ran.document["stems"]] == ["violin"]
    assert "gone.mp4" in ran.err


def test_nothing_asks_for_sound(sagafoley, tmp_path: Path, out: Path) -> None:
    film = make_timeline(tmp_path / "edit", labels=[])
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("film", "MASK violin")


def test_an_unknown_cue(sagafoley, film, out: Path) -> None:
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--only", "cello")
    assert ran.code == 2
    assert ran.told("There is no cue 'cello'", "001 violin")


def test_an_unknown_preset(sagafoley, film, out: Path) -> None:
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--preset", "standrad")
    assert ran.code == 2
    assert ran.told("standrad", "standard")


@pytest.mark.parametrize(
    "broken", ["not [ toml", "[[cue]]\nid = 3\n", 'schema = 1\n[[cue]]\nid = "001"\nsteps = 0\n']
)
def test_a_broken_cue_sheet(sagafoley, film, tmp_path: Path, out: Path, broken: str) -> None:
    sheet = tmp_path / "cues.toml"
    sheet.write_text(broken)
    ran = sagafoley("render", film.path, "--cues", sheet, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("cues.toml", "line")
    assert not out.exists()


def test_a_cue_sheet_is_never_written_over_edits_or_over_the_timeline(
    sagafoley, film, tmp_path: Path
) -> None:
    sheet = tmp_path / "cues.toml"
    assert sagafoley("spots", film.path, "--write", sheet).code == 0
    edited = sheet.read_text("utf-8") + "# mine\n"
    sheet.write_text(edited, "utf-8")
    ran = sagafoley("spots", film.path, "--write", sheet)
    assert ran.code == 2
    assert ran.told("cues.toml", "--cues")
    assert sheet.read_text("utf-8") == edited
    before = film.path.read_bytes()
    assert sagafoley("spots", film.path, "--write", film.path).code == 2
    assert film.path.read_bytes() == before


def test_a_file_in_place_of_the_output_folder(sagafoley, film, out: Path) -> None:
    out.write_text("a file")
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told(str(out))
    assert out.read_text() == "a file"


def test_an_output_folder_below_a_file(sagafoley, film, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = sagafoley("render", film.path, "-o", tmp_path / "file" / "deep" / "er", *QUICK)
    assert ran.code == 2
    assert ran.told("file")


def test_an_output_folder_that_nobody_may_write_to(sagafoley, film, tmp_path: Path) -> None:
    closed = Path("/proc")  # refuses root too
    if not closed.is_dir():
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
    ran = sagafoley("render", film.path, "-o", closed / "stems", *QUICK)
    assert ran.code == 2
    assert ran.told(str(closed))


def test_no_bundle_of_that_name(sagafoley, film, out: Path) -> None:
    ran = sagafoley("render", film.path, "-o", out, "--bundle", "huge")
    assert ran.code == 2
    assert ran.told("huge", "sagafoley models list")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "bundle"))


def test_a_corrupt_bundle(sagafoley, film, bundle: Path, out: Path) -> None:
    flow = bundle / "flow.onnx"
    data = bytearray(flow.read_bytes())
    data[len(data) // 2] ^= 0xFF
    flow.write_bytes(data)
    ran = sagafoley("render", film.path, "-o", out, "--bundle", bundle, *QUICK[2:])
    assert ran.code in {1, 2}
    assert ran.told("flow.onnx", "damaged")
    assert results(out) == []
    verified = sagafoley("models", "verify", bundle)
    assert verified.code == 1
    assert verified.told("flow.onnx")


@pytest.mark.parametrize(
    ("change", "words"), [({"opset": 99}, "opset 99"), ({"onnxruntime_min": "99.0"}, "ONNX Runtime 99.0")]
)
def test_models_verify_refuses_a_bundle_that_is_too_new(
    sagafoley, film, bundle: Path, change: dict[str, object], words: str
) -> None:
    _edit_manifest(bundle, change)
    rendered = sagafoley("render", film.path, "-o", bundle.parent / "out", "--bundle", bundle)
    verified = sagafoley("models", "verify", bundle)
    assert (rendered.code, verified.code) == (2, 1)
    assert rendered.told(words, "Update Sagafoley")
    assert verified.told(words, "Update Sagafoley")
    assert "too new" in verified.out


def test_weights_outside_the_manifest_are_never_used(sagafoley, film, bundle: Path, out: Path) -> None:
    """Whatever the file is called, beside the graph or outside the bundle."""
    model = onnx.load(str(bundle / "flow.onnx"))
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    for folder, name in ((bundle, "evil.bin"), (bundle, "flow.onnx.data"), (bundle.parent, "../evil.bin")):
        (folder / Path(name).name).write_bytes(weights.raw_data)
        changed = onnx.ModelProto.FromString(model.SerializeToString())
        tensor = next(one for one in changed.graph.initializer if one.name == weights.name)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=name)
        (bundle / "flow.onnx").write_bytes(changed.SerializeToString())
        files = json.loads((bundle / "manifest.json").read_text("utf-8"))["files"]
        files["flow.onnx"] = asdict(describe_files(bundle)["flow.onnx"])
        _edit_manifest(bundle, {"files": files})
        ran = sagafoley("render", film.path, "-o", out, "--bundle", bundle, *QUICK[2:])
        assert ran.code in {1, 2}
        assert ran.told("flow.onnx takes weights from", name)
        assert results(out) == []
        assert sagafoley("models", "verify", bundle).told("flow.onnx takes weights from", name)


def _edit_manifest(bundle: Path, change: dict[str, object]) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")


@pytest.mark.parametrize("lose", ["decoder.onnx", "manifest.json", "tokenizer.json"])
def test_a_bundle_with_a_file_missing(sagafoley, film, bundle: Path, out: Path, lose: str) -> None:
    (bundle / lose).unlink()
    ran = sagafoley("render", film.path, "-o", out, "--bundle", bundle)
    assert ran.code == 2
    assert ran.told("bundle")
    assert not out.exists()


def test_a_bundle_of_a_newer_schema(sagafoley, film, bundle: Path, out: Path) -> None:
    manifest = bundle / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**content, "schema": 99}), "utf-8")
    ran = sagafoley("render", film.path, "-o", out, "--bundle", bundle)
    assert ran.code == 2
    assert ran.told("99", "Update Sagafoley")


@pytest.mark.parametrize(
    "address", ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://x/y.mp4"]
)
def test_hostile_media_paths_write_nothing_outside(
    sagafoley, film, tmp_path: Path, out: Path, address: str
) -> None:
    def point(timeline: otio.schema.Timeline) -> None:
        timeline.tracks[0][0].media_reference.target_url = address

    film.rewrite(point)
    before = {path for path in tmp_path.rglob("*") if "home" not in path.parts}
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--otioz")
    assert ran.code in {1, 2}
    assert ran.told()
    after = {path for path in tmp_path.rglob("*") if "home" not in path.parts}
    assert all(out in path.parents or path == out for path in after - before)


@pytest.mark.parametrize("name", ["../../escape", "a/b\\c", "con", "\x1b[31mred", "..", "x" * 900])
def test_hostile_labels_and_timeline_names_stay_in_the_folder(
    sagafoley, film, tmp_path: Path, out: Path, name: str
) -> None:
    def rename(timeline: otio.schema.Timeline) -> None:
        timeline.name = name
        timeline.tracks[1].name = f"MASK {name}"

    film.rewrite(rename)
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--json")
    assert ran.code == 0, ran.err
    for stem in ran.document["stems"]:
        assert Path(stem["path"]).parent == out
        assert Path(stem["path"]).is_file()
    assert "\x1b" not in ran.err
    assert not (tmp_path / "escape").exists()


def test_a_prompt_of_5000_characters_is_refused(sagafoley, film, out: Path) -> None:
    def shout(timeline: otio.schema.Timeline) -> None:
        timeline.tracks[1].name = "MASK " + "very loud " * 500

    film.rewrite(shout)
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--json")
    assert ran.told("characters", "few words")
    assert ran.code == 2
    assert not list(out.glob("*.wav"))


def test_a_prompt_of_100_words_is_heard_in_part(sagafoley, film, out: Path) -> None:
    film.rewrite(lambda timeline: setattr(timeline.tracks[1], "name", "MASK " + "very loud " * 50))
    ran = sagafoley("render", film.path, "-o", out, *QUICK, "--json")
    assert ran.told("characters", "few words")
    assert ran.code == 0
    (stem,) = ran.document["stems"]
    assert len(os.fsencode(Path(stem["path"]).name)) < 256


def test_a_failure_in_json_is_json_too(sagafoley, out: Path) -> None:
    ran = sagafoley("render", "/no/film.otio", "-o", out, *QUICK, "--json")
    assert ran.code == 2
    assert ran.document["error"]["kind"] == "UnreadableTimeline"
    assert ran.document["error"]["remedy"]


def test_verbose_shows_where_it_happened(sagafoley, out: Path) -> None:
    ran = sagafoley("render", "/no/film.otio", "-o", out, *QUICK, "--verbose")
    assert "Traceback" in ran.err


def test_an_unforeseen_failure_is_one_sentence(
    sagafoley, film, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of an inner part")

    monkeypatch.setattr("plugin.cli.render.plan_render", burst)
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 1
    assert ran.told("something unforeseen: ZeroDivisionError: of an inner part", "--verbose")


def test_a_settings_file_with_a_mistake(sagafoley, film, tmp_path: Path, out: Path) -> None:
    config = tmp_path / "home" / ".config" / "sagafoley"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("takes = 1000\n")
    ran = sagafoley("render", film.path, "-o", out, *QUICK)
    assert ran.code == 2
    assert ran.told("settings.toml", "takes")


def test_the_output_never_lands_on_the_input(sagafoley, tmp_path: Path) -> None:
    film = make_timeline(tmp_path, name="film_foley", labels=["MASK violin"])
    before = film.path.read_bytes()
    ran = sagafoley("render", film.path, "-o", tmp_path, *QUICK)
    assert ran.code == 0
    assert ran.lines[-1] == str(tmp_path / "film_foley_foley.otio")
    assert film.path.read_bytes() == before


def test_a_clip_of_other_size_and_rate_is_fine(sagafoley, film, out: Path) -> None:
    make_movie(film.matte, rate=25, frames=40)
    assert sagafoley("render", film.path, "-o", out, *QUICK).code == 0
