"""Whether fine-tuned qkv weights have their LoRA delta in them: told for each layer from the base's weights.

The trainer saves weights that have it, and inference never adds it (spec section 4.1). A file that was
written otherwise would sound like the base model without a word, or twice as far from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from exporter.checkpoints import Mismatch, WrongCheckpoint, differences, refuse_differences
from exporter.models.lora import lora_delta, merge_lora

FACTORS = ("lora_A", "lora_B")

ROUNDING = 5e-3
"""What rounding to bfloat16 moves a weight by at most, of its norm, with some room."""

FAR = 0.25
"""How far off the line from the base along its delta a layer may be, of the delta's norm."""

HALFWAY = 0.2
"""How far from no delta, one or two a layer may lie: half of one is a merge with another scale, not ours."""

RESUMED = (0.5, 4.0)
"""Deltas along which a layer may lie that a resumed training left: the earlier delta stays in the weight, and
the one that is stored was trained on from there (spec section 4.1)."""


@dataclass(frozen=True, slots=True)
class LoraState:
    """What the base tells of the layers that carry factors.

    Attributes:
        merged: layers that have their delta.
        pending: layers that are the base's, and lack it.
        silent: layers of which nothing can be told: their delta is zero.
        resumed: layers that moved where LoRA moves them alone, but not by this delta: an earlier one of a
            training that was resumed is in them too.
        neither: layers that are neither, one row each.
    """

    merged: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    neither: tuple[Mismatch, ...] = ()


def factors_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The LoRA factors alone."""
    return {key: value for key, value in tensors.items() if key.rpartition(".")[2] in FACTORS}


def refuse_odd_factors(
    factors: Mapping[str, Tensor], weights: Mapping[str, tuple[int, ...]], *, name: str
) -> None:
    """Go on where every layer has both factors, of shapes that give a delta of its weight.

    Args:
        factors: the keys end with `lora_A` and `lora_B`.
        weights: keys and shapes of the network.
        name: of the network and its file.

    Raises:
        WrongCheckpoint: with the table.
    """
    wanted: dict[str, tuple[int, ...]] = {}
    for layer in _layers(factors):
        shape = weights.get(f"{layer}.weight", ())
        if len(shape) == 2 and shape[0] == 3 * shape[1]:
            width, rank = shape[1], _rank(layer, factors)
            wanted |= {f"{layer}.lora_A": (2 * rank, width), f"{layer}.lora_B": (2 * width, rank)}
    refuse_differences(differences(wanted, factors), name=name)


def refuse_odd_base(
    factors: Mapping[str, Tensor], tensors: Mapping[str, Tensor], base: Mapping[str, Tensor], *, name: str
) -> None:
    """Go on where the base has each weight that carries factors, finite and of its shape.

    Raises:
        WrongCheckpoint: with the table.
    """
    wanted = {f"{layer}.weight": tuple(tensors[f"{layer}.weight"].shape) for layer in _layers(factors)}
    refuse_differences(differences(wanted, {key: base[key] for key in wanted if key in base}), name=name)


def lora_state(
    tensors: Mapping[str, Tensor], factors: Mapping[str, Tensor], base: Mapping[str, Tensor]
) -> LoraState:
    """What the base tells of each layer; factors, weights and the base's fit each other."""
    found: dict[str, list[str]] = {"merged": [], "pending": [], "silent": [], "resumed": []}
    neither: list[Mismatch] = []
    for layer in _layers(factors):
        weight = f"{layer}.weight"
        kind, seen = _kind(layer, tensors[weight].float(), base[weight].float(), factors)
        if kind == "neither":
            neither.append(Mismatch(weight, kind, "base, or base + delta", seen))
        else:
            found[kind].append(layer)
    return LoraState(**{kind: tuple(layers) for kind, layers in found.items()}, neither=tuple(neither))


def with_delta(
    tensors: Mapping[str, Tensor], factors: Mapping[str, Tensor], layers: tuple[str, ...]
) -> dict[str, Tensor]:
    """The weights, to those of `layers` their delta added once, in float32."""
    keys = [f"{layer}.{part}" for layer in layers for part in ("weight", *FACTORS)]
    merged = merge_lora({key: (tensors | factors)[key].float() for key in keys})  # type: ignore[operator]
    return dict(tensors) | {f"{layer}.weight": merged[f"{layer}.weight"] for layer in layers}


def refuse_neither(state: LoraState, *, name: str, base: str) -> None:
    """Go on where every layer is the base's or has its delta.

    Raises:
        WrongCheckpoint: with the table of the others.
    """
    if state.neither:
        raise WrongCheckpoint(
            f"{name}: {len(state.neither)} qkv weights are neither those of {base} nor those and a delta.",
            mismatches=state.neither,
            remedy=f"Name the checkpoint that was trained from {base}, or take {base} out of the folder"
            " to use the weights as they are.",
        )


def _kind(layer: str, weight: Tensor, base: Tensor, factors: Mapping[str, Tensor]) -> tuple[str, str]:
    """One of the fields of `LoraState`, and in words how many deltas from the base the weight is."""
    delta = lora_delta(*(factors[f"{layer}.{part}"].float() for part in FACTORS))
    moved, length = weight - base, float(torch.linalg.vector_norm(delta))
    size = float(torch.linalg.vector_norm(base))
    if length <= torch.finfo(torch.float32).eps * size or not length:
        return "silent", ""
    times = float((moved * delta).sum()) / length**2
    off = float(torch.linalg.vector_norm(moved - times * delta))
    seen = f"base + {times:.2f} delta, {off / length:.2g} delta aside"
    nearest = min((0.0, 1.0, 2.0), key=lambda number: abs(times - number))
    doubt = HALFWAY + 4 * off / length / math.sqrt(delta.numel())  # what lies aside is not all aside
    near = off <= max(FAR * length, ROUNDING * size)  # not so where anything is NaN
    close = near and abs(times - nearest) <= doubt
    if not near and RESUMED[0] < times < RESUMED[1] and _moved_by_lora(moved, base):
        return "resumed", seen
    if not close or nearest == 2.0:
        return "neither", seen
    return ("merged" if nearest else "pending"), seen


def _moved_by_lora(moved: Tensor, base: Tensor) -> bool:
    """Whether the rows that no delta reaches, the second third, are the base's."""
    still, of_base = (tensor.chunk(3)[1] for tensor in (moved, base))
    return bool(torch.linalg.vector_norm(still) <= ROUNDING * torch.linalg.vector_norm(of_base))


def _layers(factors: Mapping[str, Tensor]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key.rpartition(".")[0] for key in factors))


def _rank(layer: str, factors: Mapping[str, Tensor]) -> int:
    """By the second factor, or the first where there is none of two dimensions."""
    second, first = factors.get(f"{layer}.lora_B"), factors.get(f"{layer}.lora_A")
    if second is not None and second.ndim == 2:
        return int(second.shape[1])
    return int(first.shape[0]) // 2 if first is not None and first.ndim == 2 else 0
