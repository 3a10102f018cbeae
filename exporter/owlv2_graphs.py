"""OWLv2's size by name, and its two graphs: interfaces, example inputs, modules.

The network is that of the package `transformers`; here its layers are called one by one, so that a graph
holds what inference needs and nothing else. Attention runs over a few heads at a time: 3,601 positions give
50 MB of scores per head.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from exporter import fill
from models_onnx.bundle import GraphSpec, TensorSpec
from models_onnx.finder_manifest import FINDER_ROLES

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
GREY = 0.5
"""What a picture is padded with, as its makers do it. `transformers` 5 pads with black."""

HEADS_AT_ONCE = 3

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Owlv2Size:
    """One published size.

    Attributes:
        id: what the command line calls it.
        checkpoint: name of its repository and of its file here, without the ending.
        image_size: side of the square picture, pixels.
        text: further fields of the text tower's configuration; what is left out is as published.
        vision: of the picture tower's.
        width: of queries.
    """

    id: str
    checkpoint: str
    image_size: int = 960
    text: Mapping[str, int] = field(default_factory=dict)
    vision: Mapping[str, int] = field(default_factory=dict)
    width: int = 512

    def build(self) -> nn.Module:
        """The network, in evaluation mode, its weights not yet those of anything."""
        with _without_torchvision():
            from transformers import Owlv2Config, Owlv2ForObjectDetection  # noqa: PLC0415  seconds to import
        vision = {**self.vision, "image_size": self.image_size}
        config = Owlv2Config(text_config=dict(self.text), vision_config=vision, projection_dim=self.width)
        built: nn.Module = Owlv2ForObjectDetection(config).eval()
        return built

    @property
    def patch(self) -> int:
        """Side of a patch, pixels."""
        return self.vision.get("patch_size", 16)

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return self.text.get("vocab_size", 49408)

    @property
    def length(self) -> int:
        """Token ids of a sentence."""
        return self.text.get("max_position_embeddings", 16)


@contextmanager
def _without_torchvision() -> Iterator[None]:
    """Let `transformers` load without it: not needed here, and one made for another torch does not load."""
    if "torchvision" in sys.modules:
        yield
        return
    sys.modules["torchvision"] = None  # type: ignore[assignment]  # "not there", for the import system
    try:
        yield
    finally:
        del sys.modules["torchvision"]


_SMALL = {"num_hidden_layers": 2, "num_attention_heads": 4}

OWLV2_SIZES: Mapping[str, Owlv2Size] = {
    size.id: size
    for size in (
        Owlv2Size("owlv2-base", "owlv2-base-patch16-ensemble"),
        Owlv2Size(
            "owlv2-golden",
            "owlv2_golden",
            image_size=96,
            text=_SMALL
            | {
                "vocab_size": 1000,
                "hidden_size": 32,
                "intermediate_size": 64,
                "bos_token_id": 998,
                "eos_token_id": 999,
            },
            vision=_SMALL | {"hidden_size": 48, "intermediate_size": 96},
            width=32,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Owlv2Graph:
    """One graph: its role, interface, and the module behind it."""

    role: str
    spec: GraphSpec
    wrap: Callable[[Any], nn.Module]


def graphs_of(size: Owlv2Size) -> tuple[Owlv2Graph, ...]:
    """Both, in the order of `FINDER_ROLES`."""
    side = size.image_size
    patches = (side // size.patch) ** 2
    queries: dict[str, Shape] = {"queries": ("words", size.width)}
    seen: dict[str, Shape] = {"image": (1, 3, side, side), **queries}
    found: dict[str, Shape] = {
        "logits": (1, patches, "words"),
        "boxes": (1, patches, 4),
        "objectness": (1, patches),
    }
    text = _spec("text", {"tokens": ("words", size.length)}, queries)
    graphs = (
        Owlv2Graph("text", text, TextGraph),
        Owlv2Graph("detector", _spec("detector", seen, found), DetectorGraph),
    )
    return tuple(sorted(graphs, key=lambda graph: FINDER_ROLES.index(graph.role)))


def example_inputs(graph: Owlv2Graph, size: Owlv2Size, words: int) -> tuple[Tensor, ...]:
    """Inputs with realistic values for so many sentences, the same on every call."""
    return tuple(_example(tensor, size, words) for tensor in graph.spec.inputs)


class TextGraph(nn.Module):
    """Token ids [n, length] to queries [n, width] of length 1.

    Args:
        network: an `Owlv2ForObjectDetection`.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.tower = network.owlv2.text_model
        self.projection = network.owlv2.text_projection

    def forward(self, tokens: Tensor) -> Tensor:
        """The state at each sentence's end, which has the highest id, projected."""
        states = self.tower.embeddings(input_ids=tokens)
        for layer in self.tower.encoder.layers:
            states = _layer(layer, states, is_causal=True)
        states = self.tower.final_layer_norm(states)
        end = (tokens == tokens.amax(dim=1, keepdim=True)).to(states.dtype)
        projected: Tensor = self.projection((states * end[:, :, None]).sum(dim=1))
        return projected / torch.linalg.vector_norm(projected, dim=-1, keepdim=True)


class DetectorGraph(nn.Module):
    """A picture [1, 3, S, S] and queries [n, width] to what every patch says.

    Logits [1, patches, n], boxes [1, patches, 4] as centre and size relative to the square, objectness
    [1, patches].

    Args:
        network: an `Owlv2ForObjectDetection`.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, queries: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Every patch's state, times the whole picture's, asked by the three heads."""
        network = self.network
        tower = network.owlv2.vision_model
        states = tower.pre_layernorm(tower.embeddings(image))
        for layer in tower.encoder.layers:
            states = _layer(layer, states, is_causal=False)
        states = tower.post_layernorm(states)
        patches = network.layer_norm(states[:, 1:] * states[:, :1])
        logits, _ = network.class_head(patches, queries[None], None)
        boxes = torch.sigmoid(network.box_head(patches) + network.box_bias)
        return logits, boxes, network.objectness_head(patches)[..., 0]


def _layer(layer: Any, states: Tensor, *, is_causal: bool) -> Tensor:
    states = states + _attention(layer.self_attn, layer.layer_norm1(states), is_causal=is_causal)
    whole: Tensor = states + layer.mlp(layer.layer_norm2(states))
    return whole


def _attention(block: Any, states: Tensor, *, is_causal: bool) -> Tensor:
    def heads(projection: nn.Module) -> Tensor:
        projected: Tensor = projection(states)
        return projected.unflatten(-1, (block.num_heads, block.head_dim)).transpose(1, 2)

    query, key, value = heads(block.q_proj), heads(block.k_proj), heads(block.v_proj)
    parts = [
        functional.scaled_dot_product_attention(
            query[:, at : at + HEADS_AT_ONCE],
            key[:, at : at + HEADS_AT_ONCE],
            value[:, at : at + HEADS_AT_ONCE],
            is_causal=is_causal,
        )
        for at in range(0, block.num_heads, HEADS_AT_ONCE)
    ]
    mixed: Tensor = block.out_proj(torch.cat(parts, dim=1).transpose(1, 2).flatten(2))
    return mixed


def _spec(role: str, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> GraphSpec:
    return GraphSpec(
        file=f"{role}.onnx",
        inputs=tuple(
            TensorSpec(name=name, dtype="int64" if name == "tokens" else "float32", shape=shape)
            for name, shape in inputs.items()
        ),
        outputs=tuple(TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in outputs.items()),
    )


def _example(tensor: TensorSpec, size: Owlv2Size, words: int) -> Tensor:
    shape = tuple(words if isinstance(length, str) else length for length in tensor.shape)
    if tensor.name == "tokens":
        drawn = fill.network_input("tokens", shape, kind="image01") * (size.vocabulary - 3)
        tokens = drawn.long()
        tokens[:, 0] = size.vocabulary - 2
        for row in range(words):
            tokens[row, 3 + row :] = 0
            tokens[row, 3 + row] = size.vocabulary - 1
        return tokens
    return fill.network_input(
        f"owlv2/{tensor.name}", shape, kind="unit" if tensor.name == "queries" else "normal"
    )
