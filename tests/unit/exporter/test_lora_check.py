"""Fine-tuned weights with and without their LoRA delta, held against the base, layer by layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from exporter.checkpoints import WrongCheckpoint
from exporter.models.lora import merge_lora
from exporter.networks import CheckpointFolder, RandomWeights
from exporter.places import parts_of
from exporter.sizes import GOLDEN, MEDIUM, SMALL

Tensors = dict[str, Tensor]
WIDTH, RANK = GOLDEN.flow.hidden, 2
BASE: Tensors = dict(RandomWeights().network("flow", GOLDEN).state_dict())
LAYERS = tuple(
    key.removesuffix(".weight")
    for key in BASE
    if key.endswith("attn.qkv.weight") and ("latent_block" in key or "fused" in key)
)
FIRST = LAYERS[0]


def _factors(size: float = 0.1) -> Tensors:
    noise = torch.Generator().manual_seed(1)
    drawn: Tensors = {}
    for layer in LAYERS:
        drawn[f"{layer}.lora_A"] = torch.randn(2 * RANK, WIDTH, generator=noise)
        drawn[f"{layer}.lora_B"] = torch.randn(2 * WIDTH, RANK, generator=noise) * size
    return drawn


FACTORS = _factors()
MERGED = {key: value for key, value in merge_lora(BASE | FACTORS).items() if key not in FACTORS}


class Desk:
    """One file, read with its base."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[str]()

    def load(self, network: Tensors, *, lora: Tensors | None = None, base: Tensors | None = BASE) -> Tensors:
        torch.save({"network": network, "lora": lora or {}}, self.folder / "saganet.pth")
        files = {"flow": (self.folder / "saganet.pth", "network")}
        if base is not None:
            torch.save(base, self.folder / "mmaudio_small_44k.pth")
            files["flow_base"] = (self.folder / "mmaudio_small_44k.pth", "")
        return CheckpointFolder(files, self.said.append).network("flow", GOLDEN).state_dict()

    def refused(self, network: Tensors, **more: Tensors | None) -> WrongCheckpoint:
        with pytest.raises(WrongCheckpoint, match=r"flow in saganet\.pth") as caught:
            self.load(network, **more)  # type: ignore[arg-type]
        return caught.value


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def is_merged(found: Tensors, *, rtol: float = 1e-5) -> bool:
    weights = [f"{layer}.weight" for layer in LAYERS]
    return all(torch.allclose(found[key], MERGED[key], rtol=rtol, atol=rtol) for key in weights)


def test_there_are_several_layers() -> None:
    assert len(LAYERS) >= 3


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [0.1, 1e-3])
def test_what_is_as_it_should_be_is_said(desk: Desk, size: float, kind: torch.dtype) -> None:
    """Even where rounding moves a weight by more than its delta does."""
    merged = merge_lora(BASE | _factors(size))
    stored = {key: value.to(kind) for key, value in merged.items()}
    found = desk.load(stored)
    for layer in LAYERS:
        assert torch.equal(found[f"{layer}.weight"], stored[f"{layer}.weight"].float())
    (line,) = desk.said
    assert line.endswith(f"by mmaudio_small_44k.pth, LoRA is in {len(LAYERS)} of {len(LAYERS)} layers")


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_a_delta_that_was_left_out_is_added(
    desk: Desk, kind: torch.dtype, caplog: pytest.LogCaptureFixture
) -> None:
    found = desk.load({key: value.to(kind) for key, value in (BASE | FACTORS).items()})
    assert is_merged(found, rtol=1e-5 if kind is torch.float32 else 5e-3)
    assert f"left out of {len(LAYERS)} of {len(LAYERS)} layers" in caplog.text
    assert desk.said == []


def test_factors_beside_the_network_count_too(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert is_merged(desk.load(BASE, lora=FACTORS))
    assert "LoRA delta is added" in caplog.text
    caplog.clear()
    assert is_merged(desk.load(MERGED, lora=FACTORS))
    assert is_merged(desk.load(MERGED | FACTORS, lora=FACTORS))
    assert caplog.text == ""


def test_only_layers_that_lack_it_get_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    mixed = BASE | FACTORS | {f"{FIRST}.weight": MERGED[f"{FIRST}.weight"]}
    assert is_merged(desk.load(mixed))
    assert f"left out of {len(LAYERS) - 1} of {len(LAYERS)} layers" in caplog.text


def test_a_layer_that_was_never_trained_says_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Its factor is zero: the base's weight is right, and the others are decided without it."""
    zero = FACTORS | {f"{FIRST}.lora_B": torch.zeros(2 * WIDTH, RANK)}
    found = desk.load(BASE | zero)
    assert torch.equal(found[f"{FIRST}.weight"], BASE[f"{FIRST}.weight"])
    assert all(torch.allclose(found[f"{x}.weight"], MERGED[f"{x}.weight"], atol=1e-5) for x in LAYERS[1:])
    assert "of 1 nothing can be told" in caplog.text
    desk.load(BASE | {key: value * 0 for key, value in FACTORS.items()})
    assert "LoRA is in 0 of" in desk.said[-1]


def test_a_delta_that_was_added_twice_is_refused(desk: Desk) -> None:
    twice = merge_lora(MERGED | FACTORS)
    told = desk.refused(twice)
    assert [row.key for row in told.mismatches] == [f"{layer}.weight" for layer in LAYERS]
    assert "base + 2.00 delta" in told.table
    assert "take mmaudio_small_44k.pth out of the folder" in told.remedy
    one = desk.refused(MERGED | FACTORS | {f"{FIRST}.weight": twice[f"{FIRST}.weight"]})
    assert [row.problem for row in one.mismatches] == ["neither"]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.7, 1.3, 1.5, -1.0])
def test_a_part_of_a_delta_is_refused(desk: Desk, share: float) -> None:
    """Half of one is what a merge with another scale leaves: right neither as it is nor with a delta more."""
    partly = BASE | {key: BASE[key] + share * (MERGED[key] - BASE[key]) for key in BASE if key in MERGED}
    told = desk.refused(partly | FACTORS)
    assert {row.problem for row in told.mismatches} == {"neither"}
    assert f"base + {share:.2f} delta" in told.table


@pytest.mark.parametrize("fault", ["missing", "shape", "not finite", "type"])
def test_a_base_that_is_none_is_blamed_itself(desk: Desk, fault: str) -> None:
    key = f"{FIRST}.weight"
    base = dict(BASE)
    if fault == "missing":
        del base[key]
    else:
        base[key] = {
            "shape": base[key][:-1],
            "not finite": base[key] * torch.nan,
            "type": base[key].int(),
        }[fault]
    told = desk.refused(MERGED | FACTORS, base=base)
    assert "mmaudio_small_44k.pth, the base of" in str(told)
    assert [(row.key, row.problem) for row in told.mismatches] == [(key, fault)]


def test_a_training_that_was_resumed_is_taken_as_it_is(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """What was merged before stays in the weight, and the factors were trained on from there."""
    steps = torch.Generator().manual_seed(3)
    later = {
        key: value + 0.8 * value.std() * torch.randn(value.shape, generator=steps)
        for key, value in FACTORS.items()
    }
    stored = merge_lora(MERGED | later)
    found = desk.load(stored)
    assert all(torch.equal(found[f"{x}.weight"], stored[f"{x}.weight"]) for x in LAYERS)
    assert f"{len(LAYERS)} of {len(LAYERS)} layers have more in them" in caplog.text
    assert desk.said[-1].endswith(f"LoRA is in {len(LAYERS)} of {len(LAYERS)} layers")
    elsewhere = stored[f"{FIRST}.weight"].clone()
    elsewhere[WIDTH : 2 * WIDTH] += 0.3
    told = desk.refused(stored | {f"{FIRST}.weight": elsewhere})
    assert [row.key for row in told.mismatches] == [f"{FIRST}.weight"]


def test_another_base_is_refused(desk: Desk) -> None:
    noise = torch.Generator().manual_seed(2)
    other = {key: torch.randn(value.shape, generator=noise) for key, value in BASE.items()}
    assert len(desk.refused(MERGED | FACTORS, base=other).mismatches) == len(LAYERS)


def test_without_a_base_nothing_is_decided(desk: Desk) -> None:
    assert is_merged(desk.load(MERGED | FACTORS, base=None))
    found = desk.load(BASE | FACTORS, base=None)
    assert torch.equal(found[f"{FIRST}.weight"], BASE[f"{FIRST}.weight"])
    assert desk.said == []


@pytest.mark.parametrize("base", [BASE, None])
@pytest.mark.parametrize(
    ("part", "shape"),
    [
        ("lora_A", (2 * RANK, WIDTH + 1)),
        ("lora_A", (2 * RANK - 1, WIDTH)),
        ("lora_A", ()),
        ("lora_B", (2 * WIDTH + 2, RANK)),
        ("lora_B", (2 * WIDTH,)),
    ],
)
def test_factors_of_other_shapes_are_refused(
    desk: Desk, part: str, shape: tuple[int, ...], base: Tensors | None
) -> None:
    told = desk.refused(BASE | FACTORS | {f"{FIRST}.{part}": torch.ones(shape)}, base=base)
    assert {row.problem for row in told.mismatches} == {"shape"}
    assert f"{FIRST}.{part}" in told.table


def test_half_a_pair_and_factors_of_no_layer_are_refused(desk: Desk) -> None:
    half = {key: value for key, value in (BASE | FACTORS).items() if key != f"{FIRST}.lora_B"}
    assert [(row.key, row.problem) for row in desk.refused(half).mismatches] == [
        (f"{FIRST}.lora_B", "missing")
    ]
    told = desk.refused(BASE | FACTORS | {"nowhere.lora_A": torch.ones(2, 2)})
    assert [(row.key, row.problem) for row in told.mismatches] == [("nowhere.lora_A", "unexpected")]
    gone = {key: value for key, value in (BASE | FACTORS).items() if key != f"{FIRST}.weight"}
    assert [(row.key, row.problem) for row in desk.refused(gone).mismatches] == [
        (f"{FIRST}.weight", "missing")
    ]


def test_the_base_is_that_of_the_size() -> None:
    assert parts_of(SMALL)["flow_base"] == (("mmaudio_small_44k", ""),)
    assert parts_of(MEDIUM)["flow_base"] == (("mmaudio_medium_44k", ""),)
    assert parts_of(SMALL, only="saganet")["flow_base"] == (("mmaudio_small_44k", ""),)
