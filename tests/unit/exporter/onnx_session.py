"""A torch module as an onnxruntime session, for tests that compare the two."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray


class Graph:
    """An exported module; call it with tensors, get tensors."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session

    @classmethod
    def export(
        cls,
        module: torch.nn.Module,
        arguments: tuple[torch.Tensor, ...],
        dynamic: tuple[Any, ...],
        folder: Path,
    ) -> Graph:
        """Export with opset 18 and the given free dimensions, and open it on the CPU."""
        path = folder / "graph.onnx"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="# The axis name", category=UserWarning)
            warnings.filterwarnings("ignore", module="copyreg|torch", category=FutureWarning)
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            torch.onnx.export(
                module.eval(),
                arguments,
                path,
                dynamo=True,
                opset_version=18,
                dynamic_shapes=dynamic,
                verbose=False,
            )
        return cls(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))

    def __call__(self, *arguments: torch.Tensor) -> list[torch.Tensor]:
        names = [entry.name for entry in self.session.get_inputs()]
        feeds = {name: value.numpy() for name, value in zip(names, arguments, strict=True)}
        outputs: list[NDArray[np.float32]] = self.session.run(None, feeds)
        return [torch.from_numpy(output) for output in outputs]


def relative(result: torch.Tensor, expected: torch.Tensor) -> float:
    """Relative L2 difference. AssertionError when the shapes differ."""
    assert result.shape == expected.shape
    return float((result - expected).norm() / expected.norm())
