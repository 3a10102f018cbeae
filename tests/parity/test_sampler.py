"""The runtime's numpy solver against torch's, on the same network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch

from exporter import fill
from exporter.models import flow as networks
from exporter.models.flow import SMALL_44K_SA, Conditions, FlowNetwork
from exporter.networks import RandomWeights
from exporter.sizes import GOLDEN
from plugin.engine.flow import euler, guide, time_steps
from tests.parity.golden_files import GoldenFile

LATENTS = 64


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose by being split over threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _velocity(network: FlowNetwork, conditions: Conditions):
    @torch.no_grad()
    def velocity(x: np.ndarray, t: np.float32) -> np.ndarray:
        return network.velocity(torch.from_numpy(x), torch.tensor([float(t)]), conditions).numpy()

    return velocity


def _guided(network: FlowNetwork, wanted: Conditions, other: Conditions, guidance: float):
    one, two = _velocity(network, wanted), _velocity(network, other)
    return lambda x, t: guide(one(x, t), two(x, t), guidance=guidance)


class Small(NamedTuple):
    network: FlowNetwork
    wanted: Conditions
    other: Conditions
    x0: torch.Tensor


@pytest.fixture(scope="module")
def small() -> Small:
    network = RandomWeights().network("flow", GOLDEN)
    dims = GOLDEN.flow

    @torch.no_grad()
    def conditions(name: str) -> Conditions:
        return network.conditions(
            fill.network_input(f"clip_{name}", (1, 20, dims.clip_width), kind="unit"),
            fill.network_input(f"sync_{name}", (1, 56, dims.sync_width), kind="half"),
            fill.network_input(f"text_{name}", (1, dims.text_length, dims.text_width), kind="unit"),
            networks.upsample_index(56, LATENTS),
        )

    x0 = fill.network_input("x0", (1, LATENTS, dims.latent_channels), kind="normal")
    return Small(network, conditions("a"), conditions("b"), x0)


@pytest.mark.parametrize("steps", [1, 4, 25])
@pytest.mark.parametrize("guidance", [1.0, 4.5, 7.0])
def test_the_solvers_agree(small: Small, steps: int, guidance: float) -> None:
    *_, x = networks.euler_steps(
        small.network, small.x0, small.wanted, unconditional=small.other, steps=steps, guidance=guidance
    )
    torchs = x.numpy()
    velocity = _guided(small.network, small.wanted, small.other, guidance)
    ours = euler(velocity, small.x0.numpy(), steps=steps)
    assert np.linalg.norm(ours - torchs) <= 1e-5 * np.linalg.norm(torchs)


def test_times_are_those_of_the_golden_run() -> None:
    assert np.allclose(time_steps(25)[:-1], GoldenFile.load("euler").whole("t_values"), atol=1e-7)


class _Enough(Exception):
    """The golden states we compare were all passed."""


@pytest.mark.parity
def test_the_first_golden_states(parity) -> None:
    """Five of the 25 steps at full size; torch's own solver is compared over all of them."""
    torch.set_num_threads(os.cpu_count() or 1)
    golden, check = GoldenFile.load("euler"), parity("euler")
    with torch.device("meta"):
        network = FlowNetwork(SMALL_44K_SA)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    network.load_state_dict(fill.weights(shapes), assign=True)
    network.eval()
    clip = fill.network_input("clip_f", (1, 40, 1024), kind="unit")
    sync = fill.network_input("sync_f", (1, 112, 768), kind="half")
    index = networks.upsample_index(112, 216)
    null = network.null_conditions()
    with torch.no_grad():
        wanted = network.conditions(
            clip, sync, fill.network_input("text_f", (1, 77, 1024), kind="unit"), index
        )
        other = network.conditions(
            null.clip.expand(1, 40, -1),
            null.sync.expand(1, 112, -1),
            fill.network_input("neg_text_f", (1, 77, 1024), kind="unit"),
            index,
        )

    def steer(step: int, x: np.ndarray) -> np.ndarray:
        if step in {1, 2, 5}:
            check(golden, f"x_after_{step}_steps", x)
        if step == 5:
            raise _Enough
        return x

    x0 = fill.network_input("x0", (1, 216, 40), kind="normal").numpy()
    with pytest.raises(_Enough):
        euler(_guided(network, wanted, other, 7.0), x0, steps=25, steer=steer)
