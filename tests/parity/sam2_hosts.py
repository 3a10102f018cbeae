"""SAM 2.1's host loop on the golden clip: the four modules in torch in the place of the graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from exporter.models.sam2 import Sam2
from exporter.sam2_graphs import IMAGE_MEAN, IMAGE_STD, POINTERS, Sam2Size, graphs_of
from models_onnx.manifest import Licence
from models_onnx.mask_manifest import (
    KIND,
    MASK_SCHEMA,
    RESIZE,
    MaskManifest,
    MaskPictureSpec,
    MemorySpec,
)
from plugin.masks.sam2_graphs import IMAGE, Graphs, Sam2Constants
from plugin.masks.sam2_session import Decoder, Features, ObjectSession, Points

Array = NDArray[Any]
VIDEO = (540, 960)
"""Height and width of the golden clip."""
FRAMES = 4


class TorchGraphs:
    """The graphs' modules, run by torch; the arrays are those of the graphs."""

    def __init__(self, network: Sam2, size: Sam2Size) -> None:
        self._graphs = {graph.role: (graph, graph.wrap(network).eval()) for graph in graphs_of(size.dims)}

    def run(self, role: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        graph, module = self._graphs[role]
        inputs = [torch.from_numpy(np.ascontiguousarray(feeds[tensor.name])) for tensor in graph.spec.inputs]
        with torch.inference_mode():
            outputs = module(*inputs)
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        return {tensor.name: value.numpy() for tensor, value in zip(graph.spec.outputs, listed, strict=True)}


def constants_of(network: Sam2) -> Sam2Constants:
    return Sam2Constants(
        no_mem_embed=network.no_mem_embed.detach().numpy().reshape(-1),
        no_obj_ptr=network.no_obj_ptr.detach().numpy().reshape(-1),
        mask_kernel=network.mask_downsample.weight.detach().numpy()[0, 0],
        mask_bias=float(network.mask_downsample.bias.detach()[0]),
    )


def manifest_of(size: Sam2Size) -> MaskManifest:
    """As an export of this size would have it, files aside."""
    dims = size.dims
    return MaskManifest(
        schema=MASK_SCHEMA,
        kind=KIND,
        id=size.id,
        title=size.id,
        version="0",
        architecture=size.checkpoint,
        precision="fp32",
        opset=18,
        onnxruntime_min="1.20",
        onnxruntime_below="2",
        licence=Licence("Apache-2.0", commercial_use=True, attribution="", text=""),
        licence_file="LICENSE",
        sources=(),
        picture=MaskPictureSpec(dims.image_size, RESIZE, IMAGE_MEAN, IMAGE_STD),
        memory=MemorySpec(
            dims.model_width, dims.memory_width, dims.grid, dims.low_size, dims.memories - 1, POINTERS
        ),
        constants="constants.npz",
        graphs={graph.role: graph.spec for graph in graphs_of(size.dims)},
        files={},
        parity={},
        gpu_graphs={},
    )


def session_of(
    graphs: Graphs,
    constants: Sam2Constants,
    manifest: MaskManifest,
    images: Callable[[int], Array],
    *,
    frames: int = FRAMES,
) -> ObjectSession:
    """A session over pictures that are normalised already; each is encoded once."""
    known: dict[int, Features] = {}

    def features(frame: int) -> Features:
        if frame not in known:
            known[frame] = Features(**graphs.run(IMAGE, {"image": images(frame)}))
        return known[frame]

    return ObjectSession(Decoder(graphs, constants, manifest), manifest, features, frames=frames)


def square_points(places: list[tuple[float, float]], labels: list[int], *, side: int) -> Points:
    """Points of the golden clip's pixels."""
    height, width = VIDEO
    scaled = np.array(places, np.float32) / np.array([width, height], np.float32) * np.float32(side)
    return Points(scaled, np.array(labels))


def run_golden_story(session: ObjectSession, *, side: int) -> dict[str, Any]:
    """Click, forward, reverse: results by `<run>/f<frame>`."""
    session.click(1, square_points([(480, 270)], [1], side=side))
    story = {f"forward/f{frame}": found for frame, found in session.track(range(1, 4), direction=1)}
    for frame, found in session.track(range(1, -1, -1), direction=-1):
        if frame == 0:
            story["reverse/f0"] = found
    return story


def run_golden_correction(session: ObjectSession, *, side: int) -> dict[str, Any]:
    """Click, forward, two clicks in a tracked frame, forward again."""
    session.click(1, square_points([(480, 270)], [1], side=side))
    for _ in session.track(range(1, 4), direction=1):
        pass
    story: dict[str, Any] = {
        "at_click": session.click(3, square_points([(300, 200), (700, 400)], [1, 0], side=side))
    }
    return story | {f"correct/f{frame}": found for frame, found in session.track(range(1, 4), direction=1)}
