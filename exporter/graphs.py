"""The graphs of a bundle: their interfaces, example inputs for them, and the modules behind them.

Interfaces are derived from the sizes alone, so the manifest, the export and the comparison with
torch all read the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from exporter import fill
from exporter.models.bigvgan import settled
from exporter.models.clip import ImageGraph, ImageTower
from exporter.models.flow import (
    ConditionsGraph,
    FlowNetwork,
    VelocityGraph,
    rope_table,
    upsample_index,
)
from exporter.models.vae import DecoderGraph, Vae
from exporter.sizes import Sizes
from models_onnx.bundle import GraphSpec, TensorSpec
from models_onnx.manifest import NEGATIVE_WORDS, WINDOW_SEGMENTS

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph of a bundle.

    Attributes:
        role: its name in the manifest.
        network: of `networks.BUILD`, whose weights it needs.
        spec: file, inputs and outputs.
        kinds: how an example of each input is drawn (`example_inputs`).
        wrap: the network as a module with this graph's interface.
    """

    role: str
    network: str
    spec: GraphSpec
    kinds: tuple[str, ...]
    wrap: Callable[[nn.Module], nn.Module]


def graphs_of(sizes: Sizes) -> tuple[Graph, ...]:
    """All graphs of a model, those of the same network next to each other."""
    return (*_encoders(sizes), *_flow_graphs(sizes), *_decoders(sizes))


def example_inputs(graph: Graph, sizes: Sizes, lengths: Mapping[str, int]) -> tuple[Tensor, ...]:
    """Inputs with realistic values, the same on every call.

    Args:
        graph: what they are for.
        sizes: of the model.
        lengths: a number for every free dimension (`Sizes.lengths`).
    """
    return tuple(
        _example(tensor, kind, sizes, lengths)
        for tensor, kind in zip(graph.spec.inputs, graph.kinds, strict=True)
    )


def _itself(module: nn.Module) -> nn.Module:
    return module


def _image_graph(sizes: Sizes) -> Callable[[nn.Module], nn.Module]:
    """Of small models the graph is the tower itself."""
    return _itself if sizes.compact else lambda module: ImageGraph(cast("ImageTower", module))


def _encoders(sizes: Sizes) -> tuple[Graph, ...]:
    clip, sync = sizes.clip, sizes.synchformer
    side = sync.image_size
    segments = WINDOW_SEGMENTS if sync.motion else "segments"
    frames: Shape = (segments, sync.segment_frames, 3, side, side)
    mask: Shape = (segments, sync.segment_frames, 1, side, side)
    seen = {
        "frames": ("image11", frames),
        "mask": ("mask", mask),
        "detail_frames": ("image11", frames),
        "detail_mask": ("mask", mask),
    }
    return (
        _graph(
            "text_encoder",
            "clip_text",
            inputs={"tokens": ("tokens", ("batch", clip.text_length))},
            outputs={"text_features": ("batch", clip.text_length, clip.text_width)},
        ),
        _graph(
            "image_encoder",
            "clip_image",
            inputs={"images": ("image01", ("batch", 3, clip.image_size, clip.image_size))},
            outputs={"clip_features": ("batch", clip.embed)},
            wrap=_image_graph(sizes),
        ),
        _graph(
            "sync_encoder",
            "synchformer",
            inputs=seen if sizes.masked else {"frames": seen["frames"]},
            outputs={"sync_features": (segments, sync.steps, sync.features)},
        ),
    )


def _flow_graphs(sizes: Sizes) -> tuple[Graph, ...]:
    flow = sizes.flow
    features: dict[str, tuple[str, Shape]] = {
        "clip_features": ("unit", ("batch", "clip_frames", flow.clip_width)),
        "sync_features": ("half", ("batch", "sync_frames", flow.sync_width)),
        "text_features": ("unit", ("batch", flow.text_length, flow.text_width)),
        "upsample_index": ("upsample_index", ("latents",)),
    }
    if flow.bank:
        features[NEGATIVE_WORDS] = features["text_features"]
    conditions: dict[str, tuple[str, Shape]] = {
        "clip_condition": ("normal", ("batch", "clip_frames", flow.hidden)),
        "sync_condition": ("normal", ("batch", "latents", flow.told_width)),
        "text_condition": ("normal", ("batch", flow.text_length, flow.hidden)),
        "global_condition": ("normal", ("batch", flow.hidden)),
        "latent_rope": ("rope", ("latents", flow.head_width // 2, 2)),
        "clip_rope": ("rope", ("clip_frames", flow.head_width // 2, 2)),
    }
    latent: Shape = ("batch", "latents", flow.latent_channels)
    return (
        _graph(
            "conditions",
            "flow",
            inputs=features,
            outputs={name: shape for name, (_, shape) in conditions.items()},
            wrap=lambda module: ConditionsGraph(cast("FlowNetwork", module)),
        ),
        _graph(
            "flow",
            "flow",
            inputs={"x": ("normal", latent), "t": ("time", (1,)), **conditions},
            outputs={"velocity": latent},
            wrap=lambda module: VelocityGraph(cast("FlowNetwork", module)),
        ),
    )


def _decoders(sizes: Sizes) -> tuple[Graph, ...]:
    latent: Shape = ("batch", "latents", sizes.vae.latent_channels)
    mel: Shape = ("batch", sizes.vae.mel_bands, "mel_frames")
    return (
        _graph(
            "decoder",
            "vae",
            inputs={"latent": ("normal", latent)},
            outputs={"mel": mel},
            wrap=lambda module: DecoderGraph(cast("Vae", module)),
        ),
        _graph(
            "vocoder",
            "vocoder",
            inputs={"mel": ("logmel", mel)},
            outputs={"audio": ("batch", 1, "samples")},
            wrap=_itself if sizes.compact else settled,
        ),
    )


def _graph(
    role: str,
    network: str,
    *,
    inputs: Mapping[str, tuple[str, Shape]],
    outputs: Mapping[str, Shape],
    wrap: Callable[[nn.Module], nn.Module] = _itself,
) -> Graph:
    integers = {"tokens", "upsample_index"}
    spec = GraphSpec(
        file=f"{role}.onnx",
        inputs=tuple(
            TensorSpec(name=name, dtype="int64" if kind in integers else "float32", shape=shape)
            for name, (kind, shape) in inputs.items()
        ),
        outputs=tuple(TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in outputs.items()),
    )
    return Graph(
        role=role, network=network, spec=spec, kinds=tuple(kind for kind, _ in inputs.values()), wrap=wrap
    )


def _example(tensor: TensorSpec, kind: str, sizes: Sizes, lengths: Mapping[str, int]) -> Tensor:
    shape = tuple(lengths[size] if isinstance(size, str) else size for size in tensor.shape)
    if kind == "tokens":
        uniform = fill.network_input(tensor.name, shape, kind="image01")
        return (uniform * (sizes.clip.vocabulary - 1)).long()
    if kind == "upsample_index":
        return upsample_index(lengths["sync_frames"], lengths["latents"])
    if kind == "rope":
        frequencies = torch.tensor([10.0 ** (-2 * index / shape[1]) for index in range(shape[1])])
        return rope_table(torch.arange(shape[0], dtype=torch.float32), frequencies)
    if kind == "time":
        return torch.tensor([0.3])
    return fill.network_input(tensor.name, shape, kind=cast("fill.InputKind", kind))
