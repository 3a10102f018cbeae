"""The solver with its state on the device: the same bits as the plain way, here on the CPU provider."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from plugin.engine import solving
from plugin.engine.conditions import Batching, both_branches
from plugin.engine.cuda import CudaTuning
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_rows
from plugin.engine.lengths import window_lengths
from plugin.engine.loading import Form
from plugin.engine.providers import Provider
from plugin.engine.solving import DeviceSolver
from plugin.engine.step_graphs import GUIDED, PLAIN

FULL_BUFFER = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node. "
    "Name:'/conv' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* "
    "onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*, bool, "
    "onnxruntime::WaitNotificationFn) Failed to allocate memory for requested buffer of size 1073741824"
)


def _step_graph(*, guided: bool) -> bytes:
    """One step, from the lines in `step_graphs`."""
    floats, state, many = TensorProto.FLOAT, ["one", "n", "c"], ["rows", "n", "c"]
    inputs = {"x": state, "velocity": many, "dt": [1]} | ({"g": [1], "rest": [1]} if guided else {})
    nodes = [
        helper.make_node("Split", ["velocity"], ["wanted", "other"], axis=0, num_outputs=2),
        helper.make_node("Mul", ["g", "wanted"], ["a"]),
        helper.make_node("Mul", ["rest", "other"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["v"]),
    ] * guided
    nodes += [
        helper.make_node("Mul", ["dt", "v" if guided else "velocity"], ["d"]),
        helper.make_node("Add", ["x", "d"], ["next"]),
        helper.make_node("Concat", ["next"] * (2 if guided else 1), ["fed"], axis=0),
    ]
    graph = helper.make_graph(
        nodes,
        "step",
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(*each) for each in (("next", floats, state), ("fed", floats, many))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize(("stored", "guided"), [(GUIDED, True), (PLAIN, False)])
def test_the_stored_steps_are_the_described_ones(stored: bytes, guided: bool) -> None:
    found = onnx.load_from_string(stored)
    onnx.checker.check_model(found)
    assert found.graph == _step_graph(guided=guided).graph


FRAMES = 50


def _problem(engine: Engine, toy, *, guidance: float, frames: int = FRAMES):
    features = engine.features(toy.ToyFootage(fingerprint=""), start=Fraction(0), frames=frames)
    conditions = engine.conditions(
        features, frames=frames, prompt="violin", negative_prompt="trumpet", guidance=guidance
    )
    return conditions, noise_rows(1, channels=4)(window_lengths(frames, engine.manifest).latents)[None]


def _both_ways(engine, conditions, x0, **how) -> list[np.ndarray]:
    results = []
    for there in (False, True):
        engine.keeps_state = there
        results.append(engine.sample(conditions, x0, **how))
    return results


@pytest.fixture
def batched(bundle):
    """An engine that gives both branches to the flow graph in one call, as on a GPU."""
    engine = Engine.open(bundle, provider="cpu", threads=1)
    engine.batching = Batching(images=8, segments=8, guidance=True)
    return engine


@pytest.mark.parametrize("guidance", [3.0, 1.0])
@pytest.mark.parametrize("steps", [1, 4, 5])
def test_the_state_kept_there_gives_the_same_bits(batched, toy, guidance: float, steps: int) -> None:
    conditions, x0 = _problem(batched, toy, guidance=guidance)
    before = batched.calls["flow"]
    here, there = _both_ways(batched, conditions, x0, steps=steps, guidance=guidance)
    assert np.array_equal(here, there)
    assert not np.array_equal(here, x0)
    assert batched.calls["flow"] - before == 2 * steps


def test_so_it_does_for_the_golden_network(toy) -> None:
    """Transformers, convolutions, rope: whatever is in a real flow graph."""
    from pathlib import Path

    from models_onnx.bundle import Bundle

    folder = Path(__file__).parents[2] / "golden" / "bundle"
    engine = Engine.open(Bundle.open(folder), provider="cpu", threads=1)
    engine.batching = Batching(images=8, segments=8, guidance=True)
    conditions, x0 = _problem(engine, toy, guidance=3.0)
    here, there = _both_ways(engine, conditions, x0, steps=3, guidance=3.0)
    assert np.array_equal(here, there)


def test_a_steered_state_is_steered_there_too(batched, toy) -> None:
    conditions, x0 = _problem(batched, toy, guidance=3.0)
    ways: list[list[np.ndarray]] = []

    def steer(index: int, x: np.ndarray) -> np.ndarray:
        ways[-1].append(x.copy())
        return np.concatenate([np.full_like(x[:, :2], index), x[:, 2:]], axis=1)

    results = []
    for there in (False, True):
        ways.append([])
        batched.keeps_state = there
        results.append(batched.sample(conditions, x0, steps=4, guidance=3.0, steer=steer))
    assert np.array_equal(*results)
    assert [len(way) for way in ways] == [5, 5]
    assert all(np.array_equal(*states) for states in zip(*ways, strict=True))


def test_windows_of_one_shape_share_buffers_and_others_do_not(batched, toy, monkeypatch) -> None:
    made: list[object] = []
    real = solving._buffers
    monkeypatch.setattr(solving, "_buffers", lambda *a, **k: made.append(1) or real(*a, **k))
    batched.keeps_state = True
    for frames, guidance in [(50, 3.0), (50, 3.0), (32, 3.0), (32, 1.0), (32, 1.0)]:
        conditions, x0 = _problem(batched, toy, guidance=guidance, frames=frames)
        batched.sample(conditions, x0, steps=2, guidance=guidance)
    assert len(made) == 3
    batched.drop("flow")
    assert batched.sessions.loaded.isdisjoint({"flow"})
    conditions, x0 = _problem(batched, toy, guidance=3.0)
    here, there = _both_ways(batched, conditions, x0, steps=2, guidance=3.0)
    assert np.array_equal(here, there)
    assert len(made) == 4


def test_other_conditions_of_the_same_shape_are_taken(batched, toy) -> None:
    batched.keeps_state = True
    conditions, x0 = _problem(batched, toy, guidance=3.0)
    first = batched.sample(conditions, x0, steps=2, guidance=3.0)
    shifted = {name: value + np.float32(0.5) for name, value in conditions.conditional.items()}
    other = batched.sample(replace(conditions, conditional=shifted), x0, steps=2, guidance=3.0)
    stronger = batched.sample(conditions, x0, steps=2, guidance=5.0)
    again = batched.sample(conditions, x0, steps=2, guidance=3.0)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, stronger)


# -- where it cannot go on ------------------------------------------------------------------------


class _Failing:
    """The flow's session that fails at one run, or gives no numbers."""

    def __init__(self, real, *, at: int, numbers: str = "") -> None:
        self.real, self.at, self.numbers, self.runs = real, at, numbers, 0

    def __getattr__(self, name: str):
        return getattr(self.real, name)

    def run_with_iobinding(self, binding, options) -> None:
        self.runs += 1
        if self.runs == self.at and not self.numbers:
            raise RuntimeError(FULL_BUFFER)
        self.real.run_with_iobinding(binding, options)
        if self.runs == self.at:
            (velocity,) = binding.get_outputs()
            velocity.update_inplace(np.full(velocity.shape(), float(self.numbers), np.float32))


def _fail(engine: Engine, conditions, x0, **how) -> None:
    solver = DeviceSolver.open(engine.sessions, both_branches(conditions), latents=x0.shape[1], guided=True)
    solver._flow = _Failing(solver._flow, **how)


@pytest.mark.parametrize("steered", [False, True])
@pytest.mark.parametrize("numbers", ["", "nan", "inf"])
def test_a_failure_in_the_middle_goes_on_the_plain_way(batched, toy, numbers: str, steered: bool) -> None:
    conditions, x0 = _problem(batched, toy, guidance=3.0)
    batched.keeps_state = False
    wanted = batched.sample(conditions, x0, steps=5, guidance=3.0)
    batched.keeps_state = True
    _fail(batched, conditions, x0, at=3, numbers=numbers)
    seen: list[int] = []
    steer = (lambda index, x: seen.append(index) or x) if steered else None
    found = batched.sample(conditions, x0, steps=5, guidance=3.0, steer=steer)
    assert np.array_equal(found, wanted)
    assert seen == [0, 1, 2, 3, 4, 5] * steered


def test_no_room_for_the_buffers_is_the_plain_way(batched, toy, monkeypatch) -> None:
    conditions, x0 = _problem(batched, toy, guidance=3.0)

    class Runtime:
        class OrtValue:
            @staticmethod
            def ortvalue_from_shape_and_type(*_: object) -> None:
                raise RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc(&p, size)")

    wanted = _both_ways(batched, conditions, x0, steps=2, guidance=3.0)[0]
    batched.drop("flow")
    monkeypatch.setattr(solving, "load_runtime", Runtime)
    batched.keeps_state = True
    assert np.array_equal(batched.sample(conditions, x0, steps=2, guidance=3.0), wanted)


def test_an_input_that_is_wanted_on_the_cpu_is_the_plain_way(batched, toy, monkeypatch) -> None:
    """It would be copied when it is bound; what is written into the buffer later would not be seen."""
    conditions, x0 = _problem(batched, toy, guidance=3.0)
    wanted = _both_ways(batched, conditions, x0, steps=2, guidance=3.0)[0]
    batched.drop("flow")
    monkeypatch.setattr(solving, "_takes_from", lambda session, device: False)
    monkeypatch.setattr(DeviceSolver, "_advance", lambda *_: pytest.fail("a step was made there"))
    batched.keeps_state = True
    assert np.array_equal(batched.sample(conditions, x0, steps=2, guidance=3.0), wanted)


@pytest.mark.parametrize(("places", "there"), [(["Cuda", "Cuda"], True), (["Cuda", "Cpu"], False)])
def test_where_a_session_wants_its_inputs(places: list[str], there: bool) -> None:
    class Session:
        @staticmethod
        def get_input_memory_infos():
            return [type("Info", (), {"name": place})() for place in places]

    assert solving._takes_from(Session, "cuda") is there
    assert solving._takes_from(object(), "cuda")


# -- one length, and recorded graphs --------------------------------------------------------------


def test_a_graph_made_for_one_length_gives_the_same(batched, toy) -> None:
    frames = batched.manifest.window.train_frames
    conditions, x0 = _problem(batched, toy, guidance=3.0, frames=frames)
    here, there = _both_ways(batched, conditions, x0, steps=2, guidance=3.0)
    assert np.array_equal(here, there)
    fixed = [form for form in batched.sessions._held if form.lengths]
    assert [dict(form.lengths) for form in fixed] == [
        {"batch": 2, "clip_frames": 40, "latents": 216},
    ]


def test_only_the_trained_length_is_fixed_and_only_that_is_recorded(batched, toy) -> None:
    sessions = batched.sessions
    sessions.tuning = CudaTuning(graphs=True)
    forms = []
    for frames in (50, 125):
        conditions, x0 = _problem(batched, toy, guidance=3.0, frames=frames)
        forms.append(solving._form(sessions, both_branches(conditions), latents=x0.shape[1]))
    assert forms[0] == Form("flow.onnx", Provider.CPU)
    assert forms[1].recorded
    sessions.tuning = CudaTuning(fixed_shapes=False, graphs=True)
    assert solving._form(sessions, both_branches(conditions), latents=216) == forms[0]


def test_a_recorded_run_names_its_recording_and_the_step_does_not(batched, toy) -> None:
    """A CUDA graph belongs to one set of addresses: each solver has its own."""
    batched.keeps_state = True
    batched.sessions.tuning = CudaTuning(graphs=True)
    frames = batched.manifest.window.train_frames
    asked: list[Counter] = []
    ids = []
    for guidance in (3.0, 1.0):
        conditions, x0 = _problem(batched, toy, guidance=guidance, frames=frames)
        real = batched.sessions.stopper.options
        batched.sessions.stopper.options = lambda entries, real=real: asked.append(entries) or real(entries)
        batched.sample(conditions, x0, steps=2, guidance=guidance)
        batched.sessions.stopper.options = real
        ids.append({entries["gpu_graph_id"] for entries in asked if entries})
        assert sum(not entries for entries in asked) == 2
        asked.clear()
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]
