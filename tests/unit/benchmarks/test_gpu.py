"""The measurements for a GPU machine: their driver, their page, and a try on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import gpu
from benchmarks.gpu_page import page

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"
STUBS = {
    "good": "add('take', engine='ours, usual', asked='second take', ms=80.0)",
    "bad": "add('parity', graph='flow', form='fp16', relative=1e-3); raise SystemExit(3)",
    "stuck": "import threading; threading.Event().wait()",
}
_BEGINNING = """
import json, sys
def add(kind, **row):
    out = sys.argv[sys.argv.index("--out") + 1]
    with open(out + "/rows.jsonl", "a") as stream:
        print(json.dumps({"kind": kind, **row}), file=stream)
print("said by", sys.argv[1])
"""


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parts that work, fail and hang."""
    room = tmp_path / "room" / "benchmarks"
    room.mkdir(parents=True)
    (room / "__init__.py").touch()
    for name, body in STUBS.items():
        (room / f"{name}.py").write_text(f"{_BEGINNING}{body}\n", "utf-8")
    monkeypatch.setattr(gpu, "ROOT", room.parent)
    return tmp_path


def _parts(monkeypatch: pytest.MonkeyPatch, *modules: str, limit: float = 60.0) -> None:
    parts = tuple(gpu.Part(f"part {name}", name, ("x",), limit=limit) for name in modules)
    monkeypatch.setattr(gpu, "CALLS", {"graphs": parts})


def _call(folder: Path, *more: str) -> int:
    return gpu.main(["graphs", "--out", str(folder / "out"), "--work", str(folder / "work"), *more])


def _results(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    return found


def test_a_part_that_fails_leaves_the_others_and_what_it_had(stubs: Path, monkeypatch) -> None:
    _parts(monkeypatch, "bad", "good")
    assert _call(stubs) == 1
    assert [row["kind"] for row in _results(stubs)] == ["parity", "fault", "take"]
    shown = (stubs / "out" / "results.md").read_text("utf-8")
    assert "| second take, at most 100 ms | 80 ms | yes |" in shown
    assert "| part bad | failed (3); see log.txt |" in shown
    assert "said by x" in (stubs / "out" / "log.txt").read_text("utf-8")


def test_a_part_that_hangs_is_ended(stubs: Path, monkeypatch) -> None:
    monkeypatch.setattr(gpu, "LEAST", 0.01)
    _parts(monkeypatch, "stuck", limit=0.5)
    assert _call(stubs) == 1
    assert "ended after 0 s" in str(_results(stubs)[0]["fault"])


def test_without_time_a_part_is_not_begun_and_that_is_told(stubs: Path, monkeypatch) -> None:
    _parts(monkeypatch, "good")
    assert _call(stubs, "--limit", "1") == 1
    assert _results(stubs) == [{"kind": "fault", "part": "part good", "fault": "not begun: no time was left"}]


def test_results_of_both_calls_add_up_and_a_torn_line_is_passed_over(stubs: Path, monkeypatch) -> None:
    _parts(monkeypatch, "good")
    assert _call(stubs) == 0
    with (stubs / "out" / "rows.jsonl").open("a") as stream:
        stream.write('{"kind": "ta\n')
    assert _call(stubs, "--only", "part g") == 0
    assert _call(stubs, "--only", "nothing") == 0
    assert len(_results(stubs)) == 2


def test_a_given_bundle_is_measured_and_none_is_made(stubs: Path, monkeypatch) -> None:
    parts = (gpu.Part("forms", "gpu_bundle"), gpu.Part("takes", "good", ("x",)))
    monkeypatch.setattr(gpu, "CALLS", {"graphs": parts})
    assert _call(stubs, "--bundle", str(GOLDEN)) == 0
    assert [row["kind"] for row in _results(stubs)] == ["take"]


ROWS = [
    {"kind": "take", "engine": "ours, usual", "asked": "first take", "ms": 400.0},
    {"kind": "take", "engine": "torch bf16 eager", "asked": "take", "ms": 1600.0},
    {"kind": "memory", "what": "ours, usual", "mib": 3900.0},
    {"kind": "placement", "graph": "vocoder", "form": "fp16", "nodes": {"CUDAExecutionProvider": 9},
     "away": {"ConvTranspose": 1}, "strays": ["ConvTranspose"], "strict": "no"},
    {"kind": "repeat", "what": "flow", "same": False},
]  # fmt: skip


def test_the_page_says_which_targets_are_met() -> None:
    shown = page(ROWS)
    for line in (
        "| first take, at most 350 ms | 400 ms | **no** |",
        "| at least 3 x torch bf16 | 4.0 x | yes |",
        "| GPU memory, at most 4.0 GiB | 3.81 GiB | yes |",
        "| no heavy node off the provider | vocoder | **no** |",
        "| flow | **no** |",
    ):
        assert line in shown
    assert page([]) == ""


def test_calls_have_the_shapes_of_the_product() -> None:
    from benchmarks.gpu_graphs import lengths_of
    from exporter.graphs import graphs_of
    from exporter.sizes import SMALL
    from plugin.engine.decode import CHUNK_FRAMES
    from plugin.engine.providers import Provider

    found = {g.role: lengths_of(g, "small_44k_sa", Provider.CUDA) for g in graphs_of(SMALL)}
    assert found["image_encoder"]["batch"] == 8
    assert found["sync_encoder"]["segments"] == 7
    assert (found["flow"]["batch"], found["flow"]["latents"]) == (2, 216)
    assert found["vocoder"]["mel_frames"] == min(432, CHUNK_FRAMES + 2 * SMALL.vocoder.halo)


def test_every_part_can_be_asked_for() -> None:
    modules = {part.module for parts in gpu.CALLS.values() for part in parts}
    folder = Path(gpu.__file__).parent
    assert all((folder / f"{module}.py").is_file() for module in modules)
    for parts in gpu.CALLS.values():
        certain = [part.limit for part in parts if part.module == "gpu_machine"]
        assert certain == [60]


@pytest.mark.slow
def test_a_try_on_the_cpu(tmp_path: Path) -> None:
    """Both calls at golden size; every kind of row comes, nothing fails."""
    how = ["--provider", "cpu", "--size", "golden", "--runs", "2", "--patience", "20", "--limit", "9000"]
    where = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    assert gpu.main(["graphs", *how, *where, "--only", "machine", "graph text_encoder"]) == 0
    assert gpu.main(["takes", *how, *where, "--bundle", str(GOLDEN)]) == 0
    rows = list(gpu.read_rows(tmp_path / "out"))
    kinds = {str(row["kind"]) for row in rows}
    assert kinds == {
        *("machine", "placement", "parity", "time", "repeat"),
        *("take", "stages", "memory", "remarks", "cancel"),
    }
    assert all(row["same"] for row in rows if row["kind"] == "repeat")
