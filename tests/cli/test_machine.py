"""doctor and models: what this machine has, in words and in JSON."""

import shutil
from pathlib import Path

import pytest

from plugin import doctor
from tests.cli.conftest import GOLDEN


def test_doctor_is_content_with_a_whole_installation(sagafoley, golden: Path) -> None:
    ran = sagafoley("doctor", "--json")
    found = {each["subject"]: each for each in ran.document["findings"]}
    assert ran.document["ready"] is (ran.code == 0)
    assert found["provider cpu"]["state"] == "ok"
    assert found["bundle golden"]["found"].startswith("verified")
    assert {"program", "packages", "onnxruntime", "video", "timelines", "fonts"} <= set(found)
    assert {"output folder", "cache folder", "config folder"} <= set(found)


def test_doctor_names_a_damaged_bundle(sagafoley, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Path(shutil.copytree(GOLDEN, tmp_path / "bundles" / "mine"))
    data = bytearray((bundle / "flow.onnx").read_bytes())
    data[-1] ^= 1
    (bundle / "flow.onnx").write_bytes(data)
    monkeypatch.setenv("SAGAFOLEY_BUNDLES", str(bundle.parent))
    ran = sagafoley("doctor")
    assert ran.code == 1
    (line,) = [line for line in ran.lines if "bundle golden" in line]
    assert line.startswith("BAD")
    assert "Not ready" in ran.lines[-1]


def test_doctor_tells_a_folder_that_cannot_be_written(
    sagafoley, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = {each["subject"]: each for each in sagafoley("doctor", "--json").document["findings"]}
    assert found["cache folder"]["state"] == "bad"
    assert found["cache folder"]["remedy"]


def test_doctor_tells_two_runtimes_that_overwrite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: "1.0" if package.startswith("onnx") else "2.0")
    (runtime,) = [finding for finding in doctor._packages() if finding.subject == "onnxruntime"]
    assert runtime.state is doctor.State.NOTE
    assert runtime.found == "onnxruntime 1.0, onnxruntime-gpu 1.0"


def test_doctor_tells_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: "" if package == "soxr" else "1.0")
    packages = next(iter(doctor._packages()))
    assert packages.state is doctor.State.BAD
    assert "soxr" in packages.remedy


@pytest.mark.parametrize(
    ("memory", "state", "found"),
    [
        (16 * 10**9, doctor.State.GOOD, "16.0 GB"),
        (4 * 10**9, doctor.State.NOTE, "4.0 GB"),
        (None, doctor.State.GOOD, "size unknown"),
    ],
)
def test_doctor_tells_little_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int | None, state: doctor.State, found: str
) -> None:
    monkeypatch.setattr(doctor, "physical_memory", lambda: memory)
    finding = doctor._memory()
    assert (finding.state, finding.found) == (state, found)
    assert bool(finding.remedy) is (state is doctor.State.NOTE)


def test_models_list_verify_path(sagafoley, golden: Path) -> None:
    listed = sagafoley("models", "list", "--json")
    names = {each["name"]: each for each in listed.document["bundles"]}
    assert names["golden"]["state"] == "found"
    assert names["golden"]["licence"]
    verified = sagafoley("models", "verify", "golden", "--json")
    assert [each["state"] for each in verified.document["bundles"]] == ["verified"]
    assert sagafoley("models", "path", "golden").lines == [str(golden.resolve())]
    assert sagafoley("models", "path", golden).lines == [str(golden.resolve())]


def test_models_of_an_unknown_name(sagafoley, golden: Path) -> None:
    ran = sagafoley("models", "path", "nowhere")
    assert ran.code == 2
    assert ran.told("nowhere")


def test_the_table_of_models_shows_size_and_licence(sagafoley, golden: Path) -> None:
    ran = sagafoley("models", "list")
    assert ran.lines[0].split() == ["BUNDLE", "STATE", "SIZE", "LICENCE", "FOLDER"]
    (row,) = [line for line in ran.lines if line.startswith("golden")]
    assert str(golden) in row
    assert " MB  " in row
