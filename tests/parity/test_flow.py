"""Flow network and sampler at full size against the golden vectors."""

from typing import NamedTuple

import pytest
import torch

from exporter import fill
from exporter.models import flow
from exporter.models.flow import MEDIUM_44K_SA, SMALL_44K_SA, Conditions, FlowDims, FlowNetwork
from tests.parity.golden_files import GoldenFile

pytestmark = pytest.mark.parity

LATENTS, CLIP_FRAMES, SYNC_FRAMES, TOKENS = 216, 40, 112, 77
CASES = {"small": (SMALL_44K_SA, "flow"), "medium": (MEDIUM_44K_SA, "flow_medium")}


class Stage(NamedTuple):
    name: str
    network: FlowNetwork
    golden: GoldenFile


def _filled(dims: FlowDims) -> FlowNetwork:
    with torch.device("meta"):
        network = FlowNetwork(dims)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    network.load_state_dict(fill.weights(shapes), assign=True)
    return network.eval()


@pytest.fixture(scope="module", params=CASES)
def stage(request):
    dims, golden = CASES[request.param]
    return Stage(request.param, _filled(dims), GoldenFile.load(golden))


@pytest.fixture(scope="module")
def small():
    return _filled(SMALL_44K_SA)


def _conditions(network: FlowNetwork) -> Conditions:
    return network.conditions(
        fill.network_input("clip_f", (1, CLIP_FRAMES, 1024), kind="unit"),
        fill.network_input("sync_f", (1, SYNC_FRAMES, 768), kind="half"),
        fill.network_input("text_f", (1, TOKENS, 1024), kind="unit"),
        flow.upsample_index(SYNC_FRAMES, LATENTS),
    )


def _null_conditions(network: FlowNetwork, text: torch.Tensor | None = None) -> Conditions:
    null = network.null_conditions()
    return network.conditions(
        null.clip.expand(1, CLIP_FRAMES, -1),
        null.sync.expand(1, SYNC_FRAMES, -1),
        null.text.unsqueeze(0) if text is None else text,
        flow.upsample_index(SYNC_FRAMES, LATENTS),
    )


def _negative_text() -> torch.Tensor:
    return fill.network_input("neg_text_f", (1, TOKENS, 1024), kind="unit")


def test_conditions(stage, parity):
    check = parity(f"conditions {stage.name}")
    for prefix, conditions in (
        ("cond", _conditions(stage.network)),
        ("empty", _null_conditions(stage.network)),
    ):
        check(stage.golden, f"{prefix}_clip_f", conditions.clip_condition)
        check(stage.golden, f"{prefix}_sync_f", conditions.sync_condition)
        check(stage.golden, f"{prefix}_text_f", conditions.text_condition)
        network = stage.network
        check(stage.golden, f"{prefix}_clip_f_c", network.clip_cond_proj(conditions.clip_condition.mean(1)))
        check(stage.golden, f"{prefix}_text_f_c", network.text_cond_proj(conditions.text_condition.mean(1)))


def test_velocity(stage, parity):
    check = parity(f"flow {stage.name}")
    network, golden = stage.network, stage.golden
    x = fill.network_input("latent", (1, LATENTS, 40), kind="normal")
    conditions = _conditions(network)
    check(golden, "flow_cond", network.velocity(x, torch.tensor([0.3]), conditions))
    check(golden, "flow_cond_t0.0", network.velocity(x, torch.tensor([0.0]), conditions))
    check(golden, "flow_cond_t0.96", network.velocity(x, torch.tensor([0.96]), conditions))
    check(golden, "flow_empty", network.velocity(x, torch.tensor([0.3]), _null_conditions(network)))
    negative = _null_conditions(network, _negative_text())
    check(golden, "flow_neg", network.velocity(x, torch.tensor([0.3]), negative))


def test_branches_in_one_call(small, parity):
    """The two branches as rows of one batch give what each gives alone."""
    golden = GoldenFile.load("flow")
    x = fill.network_input("latent", (1, LATENTS, 40), kind="normal")
    both = flow.both_branches(_conditions(small), _null_conditions(small, _negative_text()))
    wanted, unwanted = small.velocity(torch.cat([x, x]), torch.tensor([0.3]), both).chunk(2)
    parity("flow small")(golden, "flow_cond", wanted)
    parity("flow small")(golden, "flow_neg", unwanted)


def test_euler(small, parity):
    golden = GoldenFile.load("euler")
    check = parity("euler")
    steps = flow.euler_steps(
        small,
        fill.network_input("x0", (1, LATENTS, 40), kind="normal"),
        _conditions(small),
        unconditional=_null_conditions(small, _negative_text()),
        steps=int(golden.whole("num_steps")),
        guidance=float(golden.whole("cfg_strength")),
    )
    for count, x in enumerate(steps, 1):
        if count in {1, 2, 5, 13}:
            check(golden, f"x_after_{count}_steps", x)
    check(golden, "x1_normalized", x)
    check(golden, "x1", small.denormalise(x))
