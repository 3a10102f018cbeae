"""Out of memory: the others leave, then fewer rows, then the CPU; and the take says so."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnxruntime
import pytest

from plugin.engine.conditions import Batching
from plugin.engine.engine import Engine
from plugin.engine.loading import Form, Placement
from plugin.engine.providers import Provider
from plugin.engine.rows import even_size, padded, row_count, run_in_parts
from plugin.engine.sessions import ON_CPU, SMALLER, STRAYED, Sessions
from plugin.errors import OutOfMemory
from plugin.render.rendering import Brief, synthesise

_ARENA = "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc"
MESSAGES = tuple(
    each.replace("ARENA", _ARENA)
    for each in """\
[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node. \
ARENA:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*, bool, \
onnxruntime::WaitNotificationFn) Failed to allocate memory for requested buffer of size 1073741824
CUDA failure 2: out of memory ; GPU=0 ; hostname=box ; line=48 ; expr=cudaMalloc((void**)&p, size);
CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=box ; expr=cublasCreate(&cublas_handle_);
ARENA:349 Available memory of 4096 is smaller than requested bytes of 1048576
CUDNN failure 4002: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0""".splitlines()
)
"""What ONNX Runtime says."""
SAYS_PLACEMENT = (1, 24)
"""The first ONNX Runtime that tells where nodes run; our minimum is one older."""


class Small:
    """A GPU whose memory holds `most` rows of a run; none: nothing but the CPU's runs."""

    def __init__(self, real, *, most: int, message: str, sizes: list[int]) -> None:
        self.real, self.most, self.message, self.sizes = real, most, message, sizes

    def run(self, names, feeds, options):
        rows = len(next(iter(feeds.values())))
        self.sizes.append(rows)
        if rows > self.most:
            raise RuntimeError(self.message)
        return self.real.run(names, feeds)


def _gpu(bundle, monkeypatch, *, most: dict[str, int], message: str = MESSAGES[0]) -> dict[str, list[int]]:
    """Lets sessions for CUDA be of the CPU with little memory; sizes of their runs by role."""
    import plugin.engine.sessions as module

    real, sizes = module.open_session, {role: [] for role in bundle.manifest.graphs}

    def open_session(path, form, *, role, threads, tuning):
        held, _ = real(path, Form(form.file, Provider.CPU), role=role, threads=1, tuning=tuning)
        if form.provider is Provider.CUDA:
            held = Small(held, most=most.get(role, 10**6), message=message, sizes=sizes[role])
        return held, Placement({})

    monkeypatch.setattr(module, "open_session", open_session)
    monkeypatch.setattr(module, "choose_provider", lambda _: Provider.CUDA)
    return sizes


def _images(count: int) -> dict[str, np.ndarray]:
    return {"images": np.random.default_rng(1).random((count, 3, 8, 8), np.float32)}


@pytest.mark.parametrize("message", MESSAGES)
def test_rows_are_halved_until_they_fit_and_that_is_remembered(bundle, monkeypatch, message: str) -> None:
    wanted = Sessions.open(bundle, provider="cpu", threads=1).run("image_encoder", _images(9))
    sizes = _gpu(bundle, monkeypatch, most={"image_encoder": 3}, message=message)
    sessions = Sessions.open(bundle, provider="cuda")
    found = sessions.run("image_encoder", _images(9))
    assert np.array_equal(found["clip_features"], wanted["clip_features"])
    assert sizes["image_encoder"] == [9, 4, 2, 2, 2, 2, 1]
    assert set(sessions.remarks) == {SMALLER}
    sizes["image_encoder"].clear()
    sessions.run("image_encoder", _images(4))
    assert sizes["image_encoder"] == [2, 2]


def test_the_others_leave_before_rows_are_halved(bundle, monkeypatch) -> None:
    sizes = _gpu(bundle, monkeypatch, most={"image_encoder": 8})
    sessions = Sessions.open(bundle, provider="cuda")
    sessions.run("text_encoder", {"tokens": np.zeros((1, 6), np.int64)})
    sessions.run("image_encoder", _images(9))
    assert sessions.loaded == {"image_encoder"}
    assert sizes["image_encoder"] == [9, 9, 4, 4, 1]


def test_what_does_not_fit_at_all_runs_on_the_cpu(bundle, monkeypatch) -> None:
    wanted = Sessions.open(bundle, provider="cpu", threads=1).run("image_encoder", _images(3))
    sizes = _gpu(bundle, monkeypatch, most={"image_encoder": 0})
    sessions = Sessions.open(bundle, provider="cuda")
    for _ in range(2):
        found = sessions.run("image_encoder", _images(3))
        assert np.array_equal(found["clip_features"], wanted["clip_features"])
    assert sizes["image_encoder"] == [3, 1]
    assert ON_CPU.format(role="image encoder") in sessions.remarks
    assert sessions.form("image_encoder").provider is Provider.CPU
    assert sessions.form("flow").provider is Provider.CUDA


def test_a_graph_that_cannot_be_loaded_is_not_tried_with_fewer_rows(bundle, monkeypatch) -> None:
    import plugin.engine.sessions as module

    tried: list[Provider] = []
    real = module.open_session

    def open_session(path, form, **how):
        tried.append(form.provider)
        if form.provider is Provider.CUDA:
            raise OutOfMemory("The machine ran out of memory.", remedy="Close programs.")
        return real(path, form, **how)

    monkeypatch.setattr(module, "open_session", open_session)
    monkeypatch.setattr(module, "choose_provider", lambda _: Provider.CUDA)
    sessions = Sessions.open(bundle, provider="cuda")
    sessions.run("image_encoder", _images(8))
    assert tried == [Provider.CUDA, Provider.CPU]


def test_a_take_is_finished_and_says_what_happened(bundle, toy, monkeypatch) -> None:
    sizes = _gpu(bundle, monkeypatch, most={"image_encoder": 2, "flow": 1, "decoder": 0})
    engine = Engine.open(bundle, provider="cuda")
    engine.keeps_state = False
    features = engine.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=50)
    conditions = engine.conditions(features, frames=50, prompt="violin", negative_prompt="", guidance=3.0)
    x = engine.sample(conditions, np.ones((1, 87, 4), np.float32), steps=3, guidance=3.0)
    mel = engine.decode(x)
    assert mel.shape == (4, 174)
    assert set(sizes["flow"][1:]) == {2, 1}
    assert set(engine.remarks) == {SMALLER, ON_CPU.format(role="decoder")}
    plain = Engine.open(bundle, provider="cuda")
    plain.keeps_state = False
    with pytest.MonkeyPatch.context() as patch:
        _gpu(bundle, patch, most={})
        same = plain.sample(conditions, np.ones((1, 87, 4), np.float32), steps=3, guidance=3.0)
    assert np.linalg.norm(same - x) <= 1e-6 * np.linalg.norm(x)


def test_on_a_gpu_every_call_of_a_window_has_the_same_shape(bundle, toy, monkeypatch) -> None:
    cpu = Engine.open(bundle, provider="cpu", threads=1)
    wanted = cpu.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=125)
    sizes = _gpu(bundle, monkeypatch, most={})
    engine = Engine.open(bundle, provider="cuda")
    assert engine.batching.segments == 8
    found = engine.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=125)
    assert (sizes["image_encoder"], sizes["sync_encoder"]) == ([8] * 5, [7, 7])
    engine.features(toy.ToyFootage(fingerprint="", empty=True), start=Fraction(0), frames=120)
    assert (sizes["image_encoder"][5:], sizes["sync_encoder"][2:]) == ([8] * 5, [7, 7])
    for ours, theirs in ((found.clip, wanted.clip), (found.sync, wanted.sync)):
        assert ours.shape == theirs.shape
        assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_parts_and_padding() -> None:
    assert [even_size(count, most=8) for count in (40, 39, 14, 9, 8, 1, 0)] == [8, 8, 7, 5, 8, 1, 8]
    rows = np.arange(6.0).reshape(3, 2)
    assert padded(rows, 5)[:, 0].tolist() == [0, 2, 4, 4, 4]
    assert padded(rows, 3) is rows


def test_only_rows_are_split(bundle) -> None:
    spec = bundle.manifest.graphs["flow"]
    feeds = {tensor.name: np.zeros((3, 2), np.float32) for tensor in spec.inputs}
    feeds["t"] = np.zeros(1, np.float32)
    feeds["latent_rope"] = np.zeros((7, 1), np.float32)
    assert row_count(spec, feeds) == 3
    seen = []

    def run(part):
        seen.append({name: len(value) for name, value in part.items()})
        return {"velocity": part["x"]}

    assert run_in_parts(run, spec, feeds, most=2)["velocity"].shape == (3, 2)
    assert [part["x"] for part in seen] == [2, 1]
    assert {part["latent_rope"] for part in seen} == {7}
    assert {part["t"] for part in seen} == {1}


# -- placement ------------------------------------------------------------------------------------


def test_where_nodes_run_is_known_and_none_strays_on_the_cpu(bundle) -> None:
    sessions = Sessions.open(bundle, provider="cpu", threads=1)
    sessions.run("image_encoder", _images(1))
    placement = sessions.hold("image_encoder", sessions.form("image_encoder")).placement
    told = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= SAYS_PLACEMENT
    assert placement.nodes == ({("CPUExecutionProvider", "ReduceMean"): 1} if told else {})
    assert placement.strays(Provider.CPU) == ()


def test_a_heavy_node_on_the_cpu_is_told_with_the_take(bundle, monkeypatch) -> None:
    import plugin.engine.sessions as module

    nodes = {
        ("CUDAExecutionProvider", "MatMul"): 9,
        ("CPUExecutionProvider", "ConvTranspose"): 1,
        ("CPUExecutionProvider", "Shape"): 4,
    }
    real = module.open_session

    def open_session(path, form, **how):
        session, _ = real(path, Form(form.file, Provider.CPU), **how)
        return session, Placement(nodes)

    monkeypatch.setattr(module, "open_session", open_session)
    sessions = Sessions(bundle, provider=Provider.CUDA, threads=1, memory=None)
    sessions._load("vocoder", sessions.form("vocoder"))
    held = sessions.hold("vocoder", sessions.form("vocoder"))
    assert held.remark == STRAYED.format(role="vocoder", provider="cuda", kinds="ConvTranspose")
    sessions.note_run("vocoder", sessions.form("vocoder"))
    assert sessions.remarks == {held.remark: 1}


def test_on_a_gpu_arenas_shrink_after_the_last_pictures(bundle, toy, monkeypatch) -> None:
    _gpu(bundle, monkeypatch, most={})
    engine = Engine.open(bundle, provider="cuda")
    asked: list[dict[str, str]] = []
    real = engine.sessions.stopper.options
    monkeypatch.setattr(engine.sessions.stopper, "options", lambda e: asked.append(dict(e)) or real(e))
    engine.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=125)
    shrunk = [entries.get("memory.enable_memory_arena_shrinkage") for entries in asked]
    assert shrunk == [None] * 4 + ["gpu:0", None, "gpu:0"]
    assert {entries["gpu_graph_id"] for entries in asked} == {"-1"}


def test_on_the_cpu_all_arenas_shrink_but_that_of_the_solvers_graph(bundle, toy, monkeypatch) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1)
    asked: dict[str, set[str | None]] = {}
    run = engine.sessions._run

    def note(role, form, feeds, **options):
        monkeypatch.setattr(
            engine.sessions.stopper,
            "options",
            lambda entries: (
                asked.setdefault(role, set()).add(entries.get("memory.enable_memory_arena_shrinkage"))
                or options_of(entries)
            ),
        )
        return run(role, form, feeds, **options)

    options_of = engine.sessions.stopper.options
    monkeypatch.setattr(engine.sessions, "_run", note)
    brief = Brief("violin", "", steps=2, guidance=3.0, seed=1)
    list(synthesise(engine, toy.ToyFootage(fingerprint=""), brief, samples=48_000))
    assert asked.pop("flow") == {None}
    assert set(asked) == set(bundle.manifest.graphs) - {"flow"}
    assert set.union(*asked.values()) == {"cpu:0"}


def test_both_ways_of_batching_give_one_take(bundle, toy) -> None:
    """What a fall-back changes is the last bits: far below 1e-4 of the sound."""
    mels = []
    for batching in (Batching(1, 1, guidance=False), Batching(8, 8, guidance=True)):
        engine = Engine.open(bundle, provider="cpu", threads=1)
        engine.batching = batching
        features = engine.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=50)
        conditions = engine.conditions(features, frames=50, prompt="violin", negative_prompt="", guidance=3.0)
        x = engine.sample(conditions, np.ones((1, 87, 4), np.float32), steps=4, guidance=3.0)
        mels.append(engine.decode(x))
    assert np.linalg.norm(mels[0] - mels[1]) <= 1e-5 * np.linalg.norm(mels[0])
