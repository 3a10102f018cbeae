"""Which onnxruntime a machine gets, and that nobody gets a big download unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import InstallError
from gpu import Gpu, find_gpu
from programs import Ran
from runtimes import CPU, CUDA_12, CUDA_13, fitting

from tests.installer.fake_machine import SMI, Desk, FakePrograms


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path)


def extras_of(desk: Desk) -> str:
    asked = [call[-1] for call in desk.programs.calls if "install" in call]
    return asked[-1].partition(" ")[0]


@pytest.mark.parametrize(
    ("driver", "capability", "system", "pack"),
    [
        ((595, 10), (8, 9), "Linux", CUDA_13),
        ((580, 65, 6), (7, 5), "Linux", CUDA_13),
        ((579, 99), (9, 0), "Linux", CUDA_12),
        ((525, 60, 13), (8, 6), "Linux", CUDA_12),
        ((526, 0), (8, 6), "Windows", None),
        ((527, 41), None, "Windows", CUDA_12),
        ((580, 88), (12, 0), "Windows", CUDA_13),
        ((470, 256), (7, 5), "Linux", None),
        ((595, 10), (6, 1), "Linux", None),
    ],
)
def test_the_pack_for_a_driver(
    tmp_path: Path, driver: tuple[int, ...], capability: tuple[int, ...] | None, system: str, pack: object
) -> None:
    machine = Desk.make(tmp_path, system=system).machine
    assert fitting(machine, Gpu("A GPU", driver, capability)).pack is pack


def test_reasons_name_what_was_found(desk: Desk) -> None:
    assert "470.256" in fitting(desk.machine, Gpu("Tesla", (470, 256))).reason
    assert "580" in fitting(desk.machine, Gpu("Tesla", (470, 256))).reason
    assert "6.1" in fitting(desk.machine, Gpu("GTX", (595, 1), (6, 1))).reason
    desk.on(processor="arm64")
    assert "x86_64 only" in fitting(desk.machine, Gpu("GB10", (595, 1), (12, 1))).reason
    desk.on(system="Darwin")
    assert fitting(desk.machine, None).pack is None


def test_the_best_of_several_gpus_is_taken(desk: Desk) -> None:
    programs = FakePrograms(smi="Quadro P400, 580.1, 6.1, 2048\nRTX A6000, 580.1, 8.6, 49140\n")
    assert find_gpu(desk.machine, programs) == Gpu("RTX A6000", (580, 1), (8, 6), 49140)


def test_a_driver_that_does_not_answer_is_no_gpu(desk: Desk) -> None:
    programs = FakePrograms(smi="NVIDIA-SMI has failed because it couldn't communicate with the driver.\n")
    assert find_gpu(desk.machine, programs) is None


def test_an_old_program_is_asked_less(desk: Desk) -> None:
    class Old(FakePrograms):
        def run(self, words: object, **rest: object) -> Ran:  # type: ignore[override]
            asked = " ".join(words)  # type: ignore[arg-type]
            return (
                Ran(2, "Field compute_cap is not a valid field") if "cap" in asked else Ran(0, "T4, 470.1\n")
            )

    assert find_gpu(desk.machine, Old()) == Gpu("T4", (470, 1))


def test_the_drivers_files_tell_where_the_program_is_missing(desk: Desk, tmp_path: Path) -> None:
    desk.on(system_root=tmp_path)
    folder = tmp_path / "proc/driver/nvidia"
    (folder / "gpus/0000:01:00.0").mkdir(parents=True)
    text = (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 06:54:38 2025\nGCC version:\n"
    )
    (folder / "version").write_text(text)
    (folder / "gpus/0000:01:00.0/information").write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n")
    found = find_gpu(desk.machine, FakePrograms())
    assert found == Gpu("NVIDIA H200", (580, 65, 6))
    (folder / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.51.03  Release\n"
    )
    found = find_gpu(desk.machine, FakePrograms())
    assert found is not None
    assert found.driver == (575, 51, 3)


def test_the_pack_is_offered_with_its_size_and_taken_on_yes(desk: Desk) -> None:
    desk.programs.smi = SMI.format(driver="580.65.06")
    desk.typed = "y\n"
    said = desk.run()
    assert "RTX 4090" in said
    assert "Fetch the GPU pack (1.6 GB)? [y/N]" in said
    assert extras_of(desk) == "sagafoley[cuda,panel]"
    desk.typed = None
    desk.new_version()
    desk.run()
    assert extras_of(desk) == "sagafoley[cuda,panel]", "an update keeps the pack and does not ask"


@pytest.mark.parametrize("typed", ["\n", "n\n", "what\n", "", None])
def test_without_a_yes_there_is_no_pack(desk: Desk, typed: str | None) -> None:
    desk.programs.smi = SMI.format(driver="580.65.06")
    desk.typed = typed
    said = desk.run()
    assert "1.6 GB" in said
    assert "`--gpu yes` adds the pack at any time" in said
    assert extras_of(desk) == "sagafoley[cpu,panel]"


def test_a_dry_run_shows_the_size_and_asks_nothing(desk: Desk) -> None:
    desk.programs.smi = SMI.format(driver="550.54")
    desk.typed = "y\n"
    said = desk.run("--dry-run")
    assert "CUDA 12: a download of about 2.0 GB" in said
    assert "[y/N]" not in said


def test_gpu_by_option(desk: Desk) -> None:
    with pytest.raises(InstallError, match="No GPU pack fits"):
        desk.run("--gpu", "yes")
    desk.run("--gpu", "cuda12")
    assert extras_of(desk) == "sagafoley[cuda12,panel]"
    desk.programs.smi = SMI.format(driver="580.65.06")
    desk.run("--gpu", "yes")
    assert extras_of(desk) == "sagafoley[cuda,panel]"
    assert len(desk.environments()) == 1, "the environment of the other runtime is gone"
    desk.run("--gpu", "no")
    assert extras_of(desk) == "sagafoley[cpu,panel]"


def test_two_runtimes_in_one_environment_are_refused(desk: Desk) -> None:
    class Both(FakePrograms):
        def _install(self, words: list[str], folder: Path | None) -> Ran:
            ran = super()._install(words, folder)
            site = Path(words[0]).parents[1] / "lib/python3.12/site-packages"
            (site / "onnxruntime_gpu-1.31.1.dist-info").mkdir()
            return ran

    desk.programs = Both()
    with pytest.raises(InstallError, match="onnxruntime and onnxruntime_gpu"):
        desk.run()


def test_extras_of_every_runtime_exist() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for runtime in (CPU, CUDA_12, CUDA_13):
        (package,) = (name for name in extras[runtime.extra] if name.startswith("onnxruntime"))
        assert package.startswith("onnxruntime-gpu[cuda,cudnn]") == (runtime is not CPU)
    assert "panel" in extras
