"""A bundle of hand-made graphs, small enough to reason about.

Encoders are averages, the flow is two convolutions over positions, the decoder repeats, the vocoder
is one transposed convolution that reaches two mel frames to either side.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from models_onnx import manifest as m
from models_onnx.bundle import Bundle, describe_files, write_manifest

LATENT, BANDS, WORDS = 4, 4, 6
HALO = 3
TONES = tuple(cycles * 44100 / 512 for cycles in (2, 5, 10, 20))
"""Hz; whole cycles in a mel frame, so an unchanging mel is a steady tone."""


def _graph(nodes, inputs, outputs, constants) -> tuple[onnx.ModelProto, m.GraphSpec]:
    kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}

    def infos(specs):
        return [helper.make_tensor_value_info(n, kinds[d], list(s)) for n, d, s in specs]

    initializers = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "toy", infos(inputs), infos(outputs), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    spec = m.GraphSpec("", tuple(m.TensorSpec(*i) for i in inputs), tuple(m.TensorSpec(*o) for o in outputs))
    return model, spec


def _node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def _ints(*values):
    return np.array(values, np.int64)


def _text():
    return _graph(
        [
            _node("Cast", ["tokens"], "f", to=TensorProto.FLOAT),
            _node("Sin", ["f"], "s"),
            _node("Unsqueeze", ["s", "last"], "text_features"),
        ],
        [("tokens", "int64", ("batch", WORDS))],
        [("text_features", "float32", ("batch", WORDS, 1))],
        {"last": _ints(2)},
    )


def _image():
    return _graph(
        [_node("ReduceMean", ["images", "axes"], "clip_features", keepdims=0)],
        [("images", "float32", ("batch", 3, 8, 8))],
        [("clip_features", "float32", ("batch", 3))],
        {"axes": _ints(2, 3)},
    )


def sync_of_windows():
    """A sync encoder that wants all segments of a window in one call."""
    return _sync(m.WINDOW_SEGMENTS)


def _sync(segments="segments"):
    names = ("frames", "mask", "detail_frames", "detail_mask")
    nodes = []
    for name in names:
        nodes += [
            _node("Reshape", [name, "pairs"], f"{name}_p"),
            _node("ReduceMean", [f"{name}_p", "axes"], f"{name}_m", keepdims=1),
        ]
    nodes.append(_node("Concat", [f"{name}_m" for name in names], "sync_features", axis=2))
    shapes = [(name, "float32", (segments, 16, 1 if "mask" in name else 3, 16, 16)) for name in names]
    return _graph(
        nodes,
        shapes,
        [("sync_features", "float32", (segments, 8, 4))],
        {"pairs": _ints(0, 8, -1), "axes": _ints(2)},
    )


def plain_sync():
    """A sync encoder that sees the whole frame and nothing else, as MMAudio's."""
    return _graph(
        [
            _node("Reshape", ["frames", "pairs"], "pairs_of"),
            _node("ReduceMean", ["pairs_of", "axes"], "mean", keepdims=1),
            _node("Concat", ["mean"] * 4, "sync_features", axis=2),
        ],
        [("frames", "float32", ("segments", 16, 3, 16, 16))],
        [("sync_features", "float32", ("segments", 8, 4))],
        {"pairs": _ints(0, 8, -1), "axes": _ints(2)},
    )


def _conditions():
    return _conditions_of(_node("Identity", ["text_features"], "text_condition"))


def conditions_with_negatives():
    """A conditions graph that takes negative words away from the others."""
    negative = (m.NEGATIVE_WORDS, "float32", ("batch", WORDS, 1))
    return _conditions_of(_node("Sub", ["text_features", m.NEGATIVE_WORDS], "text_condition"), negative)


def _conditions_of(text, *more):
    nodes = [
        _node("Identity", ["clip_features"], "clip_condition"),
        _node("Gather", ["sync_features", "upsample_index"], "sync_condition", axis=1),
        text,
        _node("ReduceMean", ["clip_features", "one"], "global_condition", keepdims=0),
        _node("Cast", ["upsample_index"], "positions", to=TensorProto.FLOAT),
        _node("Reshape", ["positions", "table"], "column"),
        _node("Expand", ["column", "rope"], "latent_rope"),
        _node("Slice", ["latent_rope", "zero", "one"], "clip_rope"),
    ]
    return _graph(
        nodes,
        [
            ("clip_features", "float32", ("batch", "clip_frames", 3)),
            ("sync_features", "float32", ("batch", "sync_frames", 4)),
            ("text_features", "float32", ("batch", WORDS, 1)),
            ("upsample_index", "int64", ("latents",)),
            *more,
        ],
        [
            ("clip_condition", "float32", ("batch", "clip_frames", 3)),
            ("sync_condition", "float32", ("batch", "latents", 4)),
            ("text_condition", "float32", ("batch", WORDS, 1)),
            ("global_condition", "float32", ("batch", 3)),
            ("latent_rope", "float32", ("latents", 1, 2)),
            ("clip_rope", "float32", (1, 1, 2)),
        ],
        {"one": _ints(1), "zero": _ints(0), "table": _ints(-1, 1, 1), "rope": _ints(1, 1, 2)},
    )


def _flow():
    rng = np.random.default_rng(1)
    kernel = (rng.standard_normal((LATENT, LATENT, 9)) / 6).astype(np.float32)
    nodes = [
        _node("Transpose", ["x"], "xt", perm=[0, 2, 1]),
        _node("Conv", ["xt", "kernel"], "conv", pads=[4, 4]),
        _node("Tanh", ["conv"], "bent"),
        _node("Transpose", ["bent"], "back", perm=[0, 2, 1]),
        _node("Add", ["back", "sync_condition"], "a"),
        _node("ReduceMean", ["text_condition", "words"], "word", keepdims=1),
        _node("Add", ["a", "word"], "b"),
        _node("ReduceMean", ["global_condition", "one"], "glob", keepdims=1),
        _node("Unsqueeze", ["glob", "one"], "g"),
        _node("Add", ["b", "g"], "c"),
        _node("Mul", ["c", "t"], "d"),
        _node("Add", ["c", "d"], "velocity"),
    ]
    inputs = [("x", "float32", ("batch", "latents", LATENT)), ("t", "float32", (1,))]
    inputs += [
        ("clip_condition", "float32", ("batch", "clip_frames", 3)),
        ("sync_condition", "float32", ("batch", "latents", 4)),
        ("text_condition", "float32", ("batch", WORDS, 1)),
        ("global_condition", "float32", ("batch", 3)),
        ("latent_rope", "float32", ("latents", 1, 2)),
        ("clip_rope", "float32", (1, 1, 2)),
    ]
    return _graph(
        nodes,
        inputs,
        [("velocity", "float32", ("batch", "latents", LATENT))],
        {"kernel": kernel, "one": _ints(1), "words": _ints(1, 2)},
    )


def _decoder():
    """Every position becomes two mel frames; a channel is a band."""
    return _graph(
        [
            _node("Transpose", ["latent"], "t", perm=[0, 2, 1]),
            _node(
                "Resize",
                ["t", "", "scales"],
                "mel",
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
            ),
        ],
        [("latent", "float32", ("batch", "latents", LATENT))],
        [("mel", "float32", ("batch", BANDS, "mel_frames"))],
        {"scales": np.array([1, 1, 2], np.float32)},
    )


def _vocoder():
    time = np.arange(5 * 512) / 44100
    window = np.hanning(5 * 512) * 0.1
    kernel = np.stack([window * np.sin(2 * np.pi * f * time) for f in TONES])
    return _graph(
        [
            _node("ConvTranspose", ["mel", "kernel"], "raw", strides=[512], pads=[1024, 1024]),
            _node("Clip", ["raw", "low", "high"], "audio"),
        ],
        [("mel", "float32", ("batch", BANDS, "mel_frames"))],
        [("audio", "float32", ("batch", 1, "samples"))],
        {
            "kernel": kernel[:, None].astype(np.float32),
            "low": np.float32(-1),
            "high": np.float32(1),
        },
    )


GRAPHS = {
    "text_encoder": _text,
    "image_encoder": _image,
    "sync_encoder": _sync,
    "conditions": _conditions,
    "flow": _flow,
    "decoder": _decoder,
    "vocoder": _vocoder,
}


def scaled(role: str, factor: float):
    """The graph of a role with its last output multiplied."""
    model, _ = GRAPHS[role]()
    graph = model.graph
    name = graph.output[0].name
    for node in graph.node:
        node.output[:] = [f"{name}_raw" if output == name else output for output in node.output]
    graph.initializer.append(numpy_helper.from_array(np.float32(factor), "factor"))
    graph.node.append(_node("Mul", [f"{name}_raw", "factor"], name))
    return model


def make_toy_bundle(folder: Path, *, builders=None, **changes) -> Bundle:
    """A whole toy bundle; `builders` replace graphs, `changes` fields of its manifest."""
    folder.mkdir(parents=True)
    graphs = {}
    for role, build in (GRAPHS | (builders or {})).items():
        model, spec = build()
        (folder / f"{role}.onnx").write_bytes(model.SerializeToString())
        graphs[role] = m.GraphSpec(f"{role}.onnx", spec.inputs, spec.outputs)
    vocabulary = {"!": 0, "<s>": 1, "<e>": 2, "violin": 3, "trumpet": 4, "[UNK]": 5}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
    nulls = {"clip": np.zeros(3), "sync": np.zeros(4), "text": np.zeros((WORDS, 1))}
    np.savez(folder / "null.npz", **{k: v.astype(np.float32) for k, v in nulls.items()})
    write_manifest(folder, _manifest(folder, graphs, changes))
    return Bundle.open(folder)


def _manifest(folder: Path, graphs, changes) -> m.Manifest:
    values = {
        "schema": m.SCHEMA,
        "id": "toy",
        "title": "Toy",
        "version": "1",
        "architecture": "toy",
        "precision": "fp32",
        "opset": 18,
        "onnxruntime_min": "1.20",
        "licence": m.Licence(name="MIT", commercial_use=True, attribution="nobody", text="Free."),
        "sources": (m.Source(file="none", sha256="0" * 64),),
        "sample_rate": 44100,
        "picture": m.PictureSpec(
            clip_rate=8,
            clip_size=8,
            sync_rate=25,
            sync_size=16,
            segment_frames=16,
            segment_step=8,
            segment_features=8,
            resize="squash",
            crop_min=4,
            box_threshold=0.5,
        ),
        "text": m.TextSpec(tokenizer="tokenizer.json", length=WORDS, start_id=1, end_id=2, pad_id=0),
        "latent": m.LatentSpec(channels=LATENT, hop=1024, mean=(0.1,) * LATENT, std=(1.0,) * LATENT),
        "vocoder": m.VocoderSpec(mel_bands=BANDS, mel_hop=512, halo=HALO),
        "window": m.WindowSpec(min_frames=16, train_frames=125, multiple_frames=1),
        "sampling": m.SamplingSpec(steps=4, guidance=3.0),
        "null_conditions": "null.npz",
        "graphs": graphs,
        "files": describe_files(folder),
        "parity": {},
    }
    return m.Manifest(**{**values, **changes})


class ToyFootage:
    """A bright square that jumps right once a second over a grey ground; counts what is asked.

    Args:
        fingerprint: see Footage.
        masked: False gives no matte.
        empty: the matte is black.
    """

    def __init__(self, *, fingerprint: str = "toy", masked: bool = True, empty: bool = False) -> None:
        self.fingerprint = fingerprint
        self.damaged = False
        self.masked = masked
        self.empty = empty
        self.frame_times: list[float] = []
        self.mask_times: list[float] = []

    @staticmethod
    def place(time: float) -> int:
        return 8 + 4 * (int(np.floor(time)) % 6)

    def frames(self, times, *, late=()):
        for time in times:
            self.frame_times.append(time)
            picture = np.full((36, 48, 3), 90, np.uint8)
            left = self.place(time)
            picture[10:20, left : left + 10] = (250, int(40 * (time % 1) + 100), 30)
            yield picture

    def masks(self, times):
        return self._masks(times) if self.masked else None

    def _masks(self, times):
        for time in times:
            self.mask_times.append(time)
            mask = np.zeros((36, 48), np.uint8)
            left = self.place(time)
            if not self.empty:
                mask[10:20, left : left + 10] = 255
            yield mask
