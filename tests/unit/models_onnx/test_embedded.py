"""The bundle that ships with the code: whole, small, and free to use."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnxruntime

from benchmarks.embedded import SceneFootage
from exporter.evaluation.cases import Material
from exporter.synth.generating import generate
from exporter.synth.settings import SceneSettings
from models_onnx.bundle import Bundle
from models_onnx.store import EMBEDDED, PACKAGED, Store
from plugin.engine.engine import Engine


def test_embedded_bundle_is_found_whole_and_small() -> None:
    bundle = Store.default(environment={}).find(EMBEDDED)
    assert bundle.folder.parent == PACKAGED.resolve()
    bundle.verify()
    assert sum(file.bytes for file in bundle.manifest.files.values()) < 25_000_000


def test_embedded_bundle_may_be_used_in_paid_work_and_says_what_it_is() -> None:
    bundle = Store.default(environment={}).find(EMBEDDED)
    manifest = bundle.manifest
    assert manifest.licence.commercial_use
    assert "Griffin-Lim" in manifest.title
    card = bundle.path_of("MODEL_CARD.md").read_text("utf-8")
    for part in ("What it knows", "What it does not", "Data", "Measured", "Licence", "Make it again"):
        assert f"**{part}" in card


def test_embedded_bundle_has_the_windows_of_our_own_model() -> None:
    manifest = Store.default(environment={}).find(EMBEDDED).manifest
    assert (manifest.window.train_frames, manifest.window.multiple_frames) == (128, 16)
    assert (manifest.picture.segment_frames, manifest.picture.segment_step) == (16, 16)
    assert (manifest.picture.sync_size, manifest.picture.crop_min, manifest.picture.clip_rate) == (128, 32, 4)
    assert manifest.text.length == 16
    assert manifest.hears_negative_words


def test_embedded_decoder_and_vocoder_make_sound() -> None:
    bundle = Store.default(environment={}).find(EMBEDDED)
    latent_spec = bundle.manifest.latent
    x = np.random.default_rng(1).standard_normal((1, 32, latent_spec.channels))
    latent = (x * latent_spec.std + latent_spec.mean).astype(np.float32)
    (mel,) = _run(bundle, "decoder", {"latent": latent})
    (audio,) = _run(bundle, "vocoder", {"mel": mel})
    assert audio.shape == (1, 1, 32 * latent_spec.hop)
    assert np.abs(audio).max() > 1e-3
    assert np.abs(audio).max() <= 1


def test_embedded_bundle_leaves_out_what_negative_words_name() -> None:
    """Of the picture of a drum: its latent at every time, with words and with words against them."""
    wanted = SceneSettings(objects=(1, 1), classes=("drum",), silent_object=0, idle=0, midway=0)
    scene = generate(6, wanted)
    bundle = Store.default(environment={}).find(EMBEDDED)
    engine = Engine.open(bundle, provider="cpu", threads=1)
    shown = SceneFootage(Material(scene.frames, scene.mask(0)))
    seen = engine.features(shown, start=Fraction(0), frames=128)

    def expected(prompt: str, negative: str | None) -> np.ndarray:
        made = engine.conditions(seen, frames=128, prompt=prompt, negative_prompt=negative, guidance=1.0)
        return made.conditional["sync_condition"]

    drum = expected("a drum", None)
    assert np.array_equal(expected("a drum", ""), drum)
    assert not np.allclose(expected("a drum", "a drum"), drum, atol=0.1)
    assert np.allclose(expected("a drum", "an engine"), drum, atol=1e-3)


def _run(bundle: Bundle, role: str, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    path = str(bundle.checked_path(role))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return list(session.run(None, inputs))
