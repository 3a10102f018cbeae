"""Torch on the same machine: single networks, and whole takes in the reference's way.

The reference keeps every network in memory in bfloat16, runs the encoders at every call, and the flow
network twice a step. bfloat16 here is weights and inputs in bfloat16 under autocast, which is what its
authors' demonstration amounts to.
"""

from __future__ import annotations

from benchmarks.gpu_ledger import Ledger, alternate, gpu_memory, parse

# isort: split
import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.published import as_published
from exporter.graphs import example_inputs, graphs_of
from exporter.networks import RandomWeights
from exporter.sizes import SIZES, Sizes
from plugin.engine.providers import Provider

Way = Callable[[], Any]


def torch_ways(
    module: nn.Module, inputs: tuple[Tensor, ...], provider: Provider, *, compiled: bool
) -> dict[str, Way]:
    """The ways torch runs a network with these inputs, by name; each gives its outputs.

    Args:
        module: on the CPU in float32; not changed.
        inputs: on the CPU.
        provider: where it runs.
        compiled: torch.compile alone; otherwise the eager ways.
    """
    module = as_published(copy.deepcopy(module))
    if provider is Provider.CPU:
        return {"fp32 compiled" if compiled else "fp32": _way(module, inputs, device="cpu", half=False)}
    low = copy.deepcopy(module).to("cuda", torch.bfloat16)
    moved = tuple(_low(tensor.to("cuda")) for tensor in inputs)
    if compiled:
        return {"bf16 compiled": _way(torch.compile(low), moved, device="cuda", half=True)}
    whole = copy.deepcopy(module).to("cuda")
    there = tuple(tensor.to("cuda") for tensor in inputs)
    return {
        "fp32": _way(whole, there, device="cuda", half=False),
        "bf16": _way(low, moved, device="cuda", half=True),
    }


def _low(tensor: Tensor) -> Tensor:
    return tensor.bfloat16() if tensor.is_floating_point() else tensor


def _way(module: Any, inputs: tuple[Tensor, ...], *, device: str, half: bool) -> Way:
    def run() -> Any:
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=half):
            outputs = module(*inputs)
        if device == "cuda":
            torch.cuda.synchronize()
        return outputs

    return run


class Reference:
    """All networks, resident, and takes of 5 s made with them."""

    def __init__(
        self, modules: Mapping[str, Any], inputs: Mapping[str, tuple[Tensor, ...]], *, device: str, half: bool
    ) -> None:
        self.modules, self.inputs, self.device, self.half = modules, inputs, device, half

    @classmethod
    def open(cls, sizes: Sizes, *, device: str, half: bool, compiled: bool) -> Reference:
        """Drawn weights; half is bfloat16."""
        modules, inputs = {}, {}
        lengths = sizes.lengths(sizes.train_frames, batch=1)
        networks: dict[str, nn.Module] = {}
        for graph in graphs_of(sizes):
            if graph.network not in networks:
                network = as_published(RandomWeights().network(graph.network, sizes))
                networks[graph.network] = network.to(device, torch.bfloat16) if half else network.to(device)
            module = graph.wrap(networks[graph.network]).eval()
            modules[graph.role] = torch.compile(module) if compiled else module
            one = lengths | ({"batch": lengths["clip_frames"]} if graph.role == "image_encoder" else {})
            drawn = (tensor.to(device) for tensor in example_inputs(graph, sizes, one))
            inputs[graph.role] = tuple(_low(tensor) if half else tensor for tensor in drawn)
        return cls(modules, inputs, device=device, half=half)

    @torch.no_grad()
    def take(self, steps: int, guidance: float) -> Tensor:
        """The waveform of one take, from pictures that are on the device already."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            clip = self._run("image_encoder")[None]
            sync = self._run("sync_encoder").flatten(0, 1)[None]
            wanted, other = (self._conditions(clip, sync) for _ in range(2))
            x = torch.randn_like(self.inputs["flow"][0])
            times = torch.linspace(0, 1, steps + 1, device=self.device, dtype=x.dtype)
            for index in range(steps):
                time = times[index : index + 1]
                velocities = [self.modules["flow"](x, time, *branch) for branch in (wanted, other)]
                guided = guidance * velocities[0] + (1 - guidance) * velocities[1]
                x = x + (times[index + 1] - times[index]) * guided
            audio: Tensor = self.modules["vocoder"](self.modules["decoder"](x))
        return audio.float().cpu()

    def _run(self, role: str) -> Tensor:
        found = self.modules[role](*self.inputs[role])
        return found[0] if isinstance(found, tuple) else found

    def _conditions(self, clip: Tensor, sync: Tensor) -> tuple[Tensor, ...]:
        _, _, _, index = self.inputs["conditions"]
        outputs: tuple[Tensor, ...] = self.modules["conditions"](clip, sync, self._run("text_encoder"), index)
        return outputs


def measure(ledger: Ledger, what: str) -> None:
    """Median of a take, and the memory it needs."""
    sizes, cuda = SIZES[ledger.size], ledger.provider == "cuda"
    device, half = ("cuda", True) if cuda else ("cpu", False)
    compiled = what == "compiled" and cuda
    reference = Reference.open(sizes, device=device, half=half, compiled=compiled)
    label = f"torch {'bf16' if half else 'fp32'} {what}"

    def take() -> None:
        reference.take(sizes.steps, sizes.guidance)

    for name, milliseconds in alternate({"take": take}, runs=min(ledger.runs, 5)).items():
        ledger.add("take", engine=label, asked=name, ms=round(milliseconds, 2))
    ledger.add("memory", what=label, mib=gpu_memory(), torch_mib=_peak() if cuda else None)


def _peak() -> float:
    return round(torch.cuda.max_memory_allocated() / 2**20, 1)


def main() -> int:
    """Whole takes."""
    what, ledger = parse(__doc__, ("eager", "compiled"))
    ledger.attempt(f"torch {what}", lambda: measure(ledger, what))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
