from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from models_onnx.bundle import MANIFEST_NAME, ROLES, Bundle, FileSpec, describe_files, write_manifest
from plugin.engine.bundle_errors import bundle_errors
from plugin.engine.loading import Form, Placement
from plugin.engine.providers import Provider
from plugin.engine.sessions import (
    BESIDE_THE_LARGEST,
    LEAVING,
    Held,
    Sessions,
    check_finite,
    usual_memory,
)
from plugin.errors import (
    BundleCorrupt,
    BundleMissing,
    BundleTooNew,
    Cancelled,
    EngineError,
    OutOfMemory,
    ProviderUnavailable,
    UnexpectedOutput,
)


@pytest.fixture
def sessions(bundle):
    return Sessions.open(bundle, provider="cpu", threads=1)


def _tokens() -> dict[str, np.ndarray]:
    return {"tokens": np.zeros((1, 6), np.int64)}


def test_a_graph_is_loaded_at_its_first_use_only(sessions) -> None:
    assert sessions.loaded == frozenset()
    sessions.run("text_encoder", _tokens())
    sessions.run("text_encoder", _tokens())
    assert sessions.loaded == {"text_encoder"}
    assert (sessions.loads["text_encoder"], sessions.calls["text_encoder"]) == (1, 2)


def _wait_for(done) -> None:
    ends = time.monotonic() + 10
    while not done() and time.monotonic() < ends:
        time.sleep(0.01)


def test_what_is_loaded_ahead_is_all_or_nothing(bundle) -> None:
    tight = Sessions.open(bundle, provider="cpu", threads=1, memory=_size(bundle, "flow", "decoder"))
    with tight.loading_ahead():
        pass
    assert tight.loaded == frozenset()
    roomy = Sessions.open(bundle, provider="cpu", threads=1)
    roomy.run("text_encoder", _tokens())
    with roomy.loading_ahead():
        _wait_for(lambda: roomy.loaded == set(bundle.manifest.graphs))
    assert roomy.loaded == set(bundle.manifest.graphs)
    assert set(roomy.loads.values()) == {1}


def test_a_graph_that_cannot_be_loaded_ahead_says_so_when_it_is_needed(
    sessions, bundle, monkeypatch, tmp_path
) -> None:
    rubbish = tmp_path / "text_encoder.onnx"
    rubbish.write_bytes(b"rubbish")
    real = type(bundle).checked_path
    monkeypatch.setattr(
        type(bundle), "checked_path", lambda b, n: rubbish if n == "text_encoder.onnx" else real(b, n)
    )
    with sessions.loading_ahead():
        _wait_for(lambda: sessions.loaded == set(bundle.manifest.graphs) - {"text_encoder"})
    assert sessions.loaded == set(bundle.manifest.graphs) - {"text_encoder"}
    with pytest.raises(EngineError, match="text_encoder"):
        sessions.run("text_encoder", _tokens())


def test_who_stops_waits_for_one_graph_at_most(sessions, monkeypatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real = sessions.hold

    def hold(role, form):
        begun.set()
        go_on.wait(10)
        return real(role, form)

    monkeypatch.setattr(sessions, "hold", hold)

    def stop() -> None:
        assert begun.wait(10)
        threading.Timer(0.2, go_on.set).start()
        raise Cancelled

    with pytest.raises(Cancelled), sessions.loading_ahead():
        stop()
    assert len(sessions.loaded) == 1


def test_a_dropped_graph_is_loaded_again_when_needed(sessions) -> None:
    sessions.run("text_encoder", _tokens())
    sessions.drop("text_encoder", "flow")
    assert sessions.loaded == frozenset()
    sessions.run("text_encoder", _tokens())
    sessions.drop()
    assert sessions.loaded == frozenset()
    assert sessions.loads["text_encoder"] == 2


def _holding(session) -> Held:
    return Held(session, Placement({}), "", {})


def _size(bundle, *roles: str) -> int:
    return sum(bundle.path_of(role).stat().st_size for role in roles)


def _images() -> dict[str, np.ndarray]:
    return {"images": np.zeros((1, 3, 8, 8), np.float32)}


def _latent() -> dict[str, np.ndarray]:
    return {"latent": np.zeros((1, 3, 4), np.float32)}


def test_encoders_leave_first_whenever_they_were_used(bundle) -> None:
    room = _size(bundle, "text_encoder", "image_encoder", "decoder") - 1
    sessions = Sessions.open(bundle, provider="cpu", threads=1, memory=room)
    sessions.run("text_encoder", _tokens())
    sessions.run("decoder", _latent())
    sessions.run("image_encoder", _images())
    assert sessions.loaded == {"decoder", "image_encoder"}
    sessions.run("text_encoder", _tokens())
    assert sessions.loaded == {"decoder", "text_encoder"}
    assert sessions.loads["decoder"] == 1


@pytest.mark.parametrize(("spare", "kept"), [(0, {"image_encoder", "text_encoder"}), (-1, {"text_encoder"})])
def test_an_encoder_stays_beside_others_only_where_every_graph_has_room(
    bundle, spare: int, kept: set[str]
) -> None:
    sessions = Sessions.open(bundle, provider="cpu", threads=1, memory=_size(bundle, *ROLES) + spare)
    sessions.run("image_encoder", _images())
    sessions.run("text_encoder", _tokens())
    assert sessions.loaded == kept


@pytest.mark.parametrize(("spare", "kept"), [(0, {"vocoder"}), (-1, set())])
def test_the_sync_encoder_needs_room_to_run(toy, tmp_path, spare: int, kept: set[str]) -> None:
    """Beside a loaded flow graph and vocoder its run would take half as much again as the limit."""
    bundle = toy.make_toy_bundle(tmp_path / "toy")
    sizes = {"flow": 10**6, "vocoder": 10**6, "sync_encoder": 10**6, "image_encoder": 10**7}
    heavy = {f"{role}.onnx.data": FileSpec(bytes=size, sha256="0" * 64) for role, size in sizes.items()}
    files = {**bundle.manifest.files, **heavy}
    own = {role: size + bundle.path_of(role).stat().st_size for role, size in sizes.items()}
    bundle = replace(bundle, manifest=replace(bundle.manifest, files=files))
    room = 3 * own["sync_encoder"] + own["vocoder"] + spare
    sessions = Sessions.open(bundle, provider="cpu", threads=1, memory=room)
    for role in ("vocoder", "flow"):
        sessions._held[Form(f"{role}.onnx", Provider.CPU)] = _holding(object())
    sessions._make_room("sync_encoder", "sync_encoder.onnx")
    assert sessions.loaded == kept


def test_every_role_has_its_turn_to_leave() -> None:
    assert sorted(LEAVING) == sorted(ROLES)


@pytest.mark.parametrize("spare", [0, 1000])
def test_graphs_that_fit_stay(bundle, spare: int) -> None:
    room = _size(bundle, "decoder", "image_encoder") + spare
    sessions = Sessions.open(bundle, provider="cpu", threads=1, memory=room)
    sessions.run("decoder", _latent())
    sessions.run("image_encoder", _images())
    assert sessions.loaded == {"decoder", "image_encoder"}


def test_a_graph_larger_than_the_limit_is_alone(bundle) -> None:
    sessions = Sessions.open(bundle, provider="cpu", threads=1, memory=1)
    sessions.run("text_encoder", _tokens())
    sessions.run("decoder", _latent())
    assert sessions.loaded == {"decoder"}


def test_weights_beside_a_graph_count(toy, tmp_path) -> None:
    bundle = toy.make_toy_bundle(tmp_path / "toy")
    files = {**bundle.manifest.files, "decoder.onnx.data": FileSpec(bytes=10**9, sha256="0" * 64)}
    heavy = replace(bundle, manifest=replace(bundle.manifest, files=files))
    sessions = Sessions.open(heavy, provider="cpu", threads=1, memory=10**9)
    sessions._held[Form("decoder.onnx", Provider.CPU)] = _holding(object())
    sessions.run("text_encoder", _tokens())
    assert sessions.loaded == {"text_encoder"}


def test_the_usual_limit_holds_the_largest_graph_on_the_cpu_and_there_is_none_on_a_gpu(
    bundle, monkeypatch
) -> None:
    graphs = [graph.file for graph in bundle.manifest.graphs.values()]
    largest = max(bundle.manifest.files[file].bytes for file in graphs)
    monkeypatch.setattr("plugin.engine.sessions.physical_memory", lambda: 16 * 2**30)
    assert usual_memory(Provider.CPU, bundle) == largest + BESIDE_THE_LARGEST
    assert usual_memory(Provider.CUDA, bundle) is None
    monkeypatch.setattr("plugin.engine.sessions.physical_memory", lambda: None)
    assert usual_memory(Provider.CPU, bundle) == largest + BESIDE_THE_LARGEST


def test_the_usual_limit_is_at_most_half_the_machine(bundle, monkeypatch) -> None:
    monkeypatch.setattr("plugin.engine.sessions.physical_memory", lambda: 2**20)
    assert usual_memory(Provider.CPU, bundle) == 2**19


class _Full:
    """A session that has no memory left while others are loaded."""

    def __init__(self, real, sessions: Sessions) -> None:
        self.real, self.sessions = real, sessions

    def run(self, *arguments):
        if len(self.sessions.loaded) > 1:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")
        return self.real.run(*arguments)


def test_when_memory_runs_out_the_others_make_room_once(sessions) -> None:
    sessions.run("text_encoder", _tokens())
    sessions.run("image_encoder", _images())
    form = Form("image_encoder.onnx", Provider.CPU)
    full = _Full(sessions._held[form].session, sessions)
    sessions._held[form] = _holding(full)
    sessions.run("image_encoder", _images())
    assert sessions.loaded == {"image_encoder"}
    full.real = None
    with pytest.raises(EngineError):
        sessions.run("image_encoder", _images())


def test_memory_that_cannot_be_had_is_told(sessions, monkeypatch) -> None:
    class Never:
        def run(self, *_):
            raise RuntimeError("CUDA error 2: out of memory")

    sessions.run("text_encoder", _tokens())
    sessions._held[Form("decoder.onnx", Provider.CPU)] = _holding(Never())
    with pytest.raises(OutOfMemory, match="run the decoder graph"):
        sessions.run("decoder", _latent())
    assert sessions.loaded == {"decoder"}


def test_dropped_memory_goes_back_to_the_system(sessions, monkeypatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("plugin.engine.sessions.give_back_freed", lambda: asked.append(True))
    sessions.run("text_encoder", _tokens())
    sessions.drop()
    assert asked == [True]


def test_a_changed_graph_is_not_loaded(sessions, bundle) -> None:
    path = bundle.path_of("text_encoder")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BundleCorrupt, match="text_encoder"):
        sessions.run("text_encoder", _tokens())
    assert sessions.loads["text_encoder"] == 0


def test_wrong_input_is_an_engine_error_that_names_the_graph(sessions) -> None:
    with pytest.raises(EngineError, match="run the text_encoder graph"):
        sessions.run("text_encoder", {"tokens": np.zeros((1, 7), np.int64)})


def test_a_file_that_is_no_graph_is_an_engine_error(sessions, monkeypatch, tmp_path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"not a graph")
    monkeypatch.setattr(type(sessions.bundle), "checked_path", lambda *_: rubbish)
    with pytest.raises(EngineError, match="load the flow graph"):
        sessions.run("flow", {})


def test_not_a_number_names_the_stage(sessions) -> None:
    images = np.full((1, 3, 8, 8), np.nan, np.float32)
    with pytest.raises(UnexpectedOutput, match="image_encoder"):
        sessions.run("image_encoder", {"images": images})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_every_kind_of_no_number_counts(bad: float) -> None:
    with pytest.raises(UnexpectedOutput, match="flow graph gave 2 values"):
        check_finite(np.array([0.0, bad, bad]), role="flow", name="velocity")


def test_a_session_that_fell_back_is_refused(bundle, monkeypatch) -> None:
    """ONNX Runtime only logs that it runs on the CPU instead."""

    class Runtime:
        class InferenceSession:
            def __init__(self, *_: object, providers: list[object], **__: object) -> None:
                asked.append(providers)

            def get_providers(self) -> list[str]:
                return ["CPUExecutionProvider"]

    asked: list[list[object]] = []
    monkeypatch.setattr("plugin.engine.loading.load_runtime", Runtime)
    sessions = Sessions(bundle, provider=Provider.CUDA, threads=1, memory=None)
    with pytest.raises(ProviderUnavailable, match="refused to run the text_encoder graph with cuda"):
        sessions.run("text_encoder", _tokens())
    assert asked[0][0][0] == "CUDAExecutionProvider"
    assert asked[0][1:] == ["CPUExecutionProvider"]
    assert sessions.loaded == frozenset()


def test_a_bundle_for_a_newer_runtime_is_told(toy, tmp_path) -> None:
    bundle = toy.make_toy_bundle(tmp_path / "new", onnxruntime_min="99.0")
    with pytest.raises(BundleTooNew, match=r"99\.0"):
        Sessions.open(bundle, provider="cpu")


def test_bundle_faults_are_told_in_our_words(bundle, tmp_path) -> None:
    with pytest.raises(BundleMissing), bundle_errors():
        Bundle.open(tmp_path / "nowhere")
    (bundle.folder / "flow.onnx").unlink()
    with pytest.raises(BundleCorrupt, match=r"flow\.onnx"), bundle_errors():
        Bundle.open(bundle.folder)


def test_a_newer_schema_is_told(bundle) -> None:
    manifest = bundle.folder / MANIFEST_NAME
    manifest.write_text(manifest.read_text("utf-8").replace('"schema": 1', '"schema": 99'), "utf-8")
    with pytest.raises(BundleTooNew), bundle_errors():
        Bundle.open(bundle.folder)


# -- graphs in half precision, for CUDA -------------------------------------------------------------


@pytest.fixture
def gpu_bundle(toy, tmp_path):
    """A bundle whose text graph for CUDA overflows, and whose image graph for CUDA does not."""
    folder = toy.make_toy_bundle(tmp_path / "gpu").folder
    for role, factor in (("text_encoder", np.inf), ("image_encoder", 1.0)):
        (folder / f"{role}.gpu.onnx").write_bytes(toy.scaled(role, factor).SerializeToString())
    manifest = Bundle.open(folder).manifest
    gpu = {role: f"{role}.gpu.onnx" for role in ("text_encoder", "image_encoder")}
    (folder / MANIFEST_NAME).unlink()
    write_manifest(folder, replace(manifest, gpu_graphs=gpu, files=describe_files(folder)))
    return Bundle.open(folder)


@pytest.fixture
def on_gpu(gpu_bundle, monkeypatch):
    """Sessions that take the graphs for CUDA, and run them here."""
    sessions = Sessions.open(gpu_bundle, provider="cpu", threads=1)

    def form(self, role: str, *, whole: bool = False) -> Form:
        plain = f"{role}.onnx"
        return Form(plain if whole else self.bundle.manifest.gpu_graphs.get(role, plain), Provider.CPU)

    monkeypatch.setattr(Sessions, "form", form)
    return sessions


def test_only_cuda_takes_the_graphs_made_for_it(gpu_bundle) -> None:
    cpu, cuda = (
        Sessions(gpu_bundle, provider=provider, threads=1, memory=None)
        for provider in (Provider.CPU, Provider.CUDA)
    )
    assert (cpu.form("text_encoder").file, cuda.form("text_encoder").file) == (
        "text_encoder.onnx",
        "text_encoder.gpu.onnx",
    )
    assert cuda.form("text_encoder", whole=True).file == "text_encoder.onnx"
    assert cuda.form("flow") == Form("flow.onnx", Provider.CUDA)


def test_what_overflows_in_half_precision_is_done_again_in_float32(on_gpu, sessions) -> None:
    wanted = sessions.run("text_encoder", _tokens())
    for turn in (1, 2):
        found = on_gpu.run("text_encoder", _tokens())
        assert np.array_equal(found["text_features"], wanted["text_features"])
        assert on_gpu.fallen_back == {"text_encoder": turn}
    assert on_gpu.loads["text_encoder"] == 2
    assert on_gpu.loaded == {"text_encoder"}
    on_gpu.run("image_encoder", _images())
    assert on_gpu.fallen_back.total() == 2
    on_gpu.drop("text_encoder")
    assert on_gpu.loaded == {"image_encoder"}
