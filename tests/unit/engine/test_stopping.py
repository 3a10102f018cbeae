"""Cancel ends a run in its middle."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
from onnx import TensorProto, helper

from plugin.engine.engine import Engine
from plugin.engine.providers import load_runtime
from plugin.engine.stopping import Stopper
from plugin.engine.watch import UNWATCHED, Watch
from plugin.errors import Cancelled


class Options:
    def __init__(self) -> None:
        self.terminate = False
        self.entries: dict[str, str] = {}

    def add_run_config_entry(self, name: str, value: str) -> None:
        self.entries[name] = value


def _long_run(options: Options) -> None:
    """What ONNX Runtime does when its flag is set; fails when nobody sets it."""
    ended = threading.Event()
    for _ in range(2000):
        if options.terminate:
            raise RuntimeError("Exiting due to terminate flag being set to true.")
        ended.wait(0.01)
    raise AssertionError("nobody ended the run")


def test_a_long_run_is_ended_when_asked() -> None:
    stopper, asked = Stopper(Options, patience=0.01), threading.Event()

    def cancel() -> bool:
        asked.set()
        return True

    with stopper.watched(cancel), pytest.raises(Cancelled), stopper.running():
        _long_run(stopper.options({}))
    assert asked.is_set()


def test_every_kind_of_run_is_ended_and_those_after_it_are_not() -> None:
    stopper = Stopper(Options, patience=0.01)
    plain, recorded = stopper.options({}), stopper.options({"gpu_graph_id": "3"})
    assert recorded.entries == {"gpu_graph_id": "3"}
    assert stopper.options({"gpu_graph_id": "3"}) is recorded
    with stopper.watched(lambda: True):
        with pytest.raises(Cancelled), stopper.running():
            _long_run(recorded)
        assert plain.terminate
        assert stopper.options({"late": "1"}).terminate
    assert not plain.terminate
    assert not recorded.terminate


def test_what_fails_by_itself_is_not_taken_for_cancel() -> None:
    stopper = Stopper(Options, patience=0.01)
    with stopper.watched(lambda: False), pytest.raises(ZeroDivisionError), stopper.running():
        raise ZeroDivisionError


def test_between_runs_and_without_anybody_to_ask_no_thread_looks() -> None:
    stopper = Stopper(Options, patience=0.0)
    before = threading.active_count()
    with stopper.watched(UNWATCHED.cancel):
        assert threading.active_count() == before
    asked: list[int] = []
    with stopper.watched(lambda: bool(asked.append(1))):
        assert threading.active_count() == before + 1
        threading.Event().wait(0.05)
    assert asked == []
    assert threading.active_count() == before


def _endless() -> bytes:
    """A graph that multiplies a matrix with itself for an hour."""
    floats = TensorProto.FLOAT
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("MatMul", ["held", "held"], ["kept"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", floats, [256, 256]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("kept", floats, [256, 256]),
        ],
    )
    nodes = [helper.make_node("Loop", ["turns", "yes", "x"], ["y"], body=body)]
    graph = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("x", floats, [256, 256])],
        [helper.make_tensor_value_info("y", floats, [256, 256])],
        [
            helper.make_tensor("turns", TensorProto.INT64, [], [10**9]),
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return model.SerializeToString()


def test_onnx_runtime_heeds_the_flag() -> None:
    runtime = load_runtime()
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = 1, 4
    session = runtime.InferenceSession(_endless(), settings, providers=["CPUExecutionProvider"])
    stopper = Stopper(runtime.RunOptions, patience=0.02)
    x = np.zeros((256, 256), np.float32)
    with stopper.watched(lambda: True), pytest.raises(Cancelled), stopper.running():
        session.run(None, {"x": x}, stopper.options({}))
    quick = runtime.InferenceSession(_endless_once(), settings, providers=["CPUExecutionProvider"])
    assert quick.run(None, {"x": x}, stopper.options({}))[0].shape == (256, 256)


def _endless_once() -> bytes:
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "x"], ["y"])],
        "once",
        [helper.make_tensor_value_info("x", floats, [256, 256])],
        [helper.make_tensor_value_info("y", floats, [256, 256])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return model.SerializeToString()


@pytest.mark.parametrize("stage", ["image_encoder", "conditions", "flow", "decoder", "vocoder"])
def test_every_stage_can_be_ended_in_its_middle(bundle, toy, monkeypatch, stage: str) -> None:
    engine = Engine.open(bundle, provider="cpu", threads=1)
    engine.sessions.stopper.patience = 0.01
    real = engine.sessions.hold
    running = threading.Event()

    class Long:
        def run(self, names, feeds, options):
            running.set()
            _long_run(options)

    def hold(role, form):
        held = real(role, form)
        return held if role != stage else type(held)(Long(), held.placement, "", {})

    monkeypatch.setattr(engine.sessions, "hold", hold)
    watch = Watch(running.is_set)
    with pytest.raises(Cancelled):
        _take(engine, toy.ToyFootage(), watch)


def _take(engine: Engine, footage, watch: Watch) -> None:
    features = engine.features(footage, start=Fraction(0), frames=50, watch=watch)
    conditions = engine.conditions(
        features, frames=50, prompt="violin", negative_prompt="", guidance=3.0, watch=watch
    )
    x = engine.sample(conditions, np.zeros((1, 87, 4), np.float32), steps=2, guidance=3.0, watch=watch)
    list(engine.vocode([engine.decode(x, watch=watch)], watch=watch))
