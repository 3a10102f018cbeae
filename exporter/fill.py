"""Deterministic weights and inputs: the same numbers for the same names, on every machine.

Every value is drawn from a generator seeded with the name alone, so that a network of any size can
be filled without a file and compared with stored outputs (the golden vectors), and so that a bundle
of random weights is reproducible. Which formula a tensor gets depends on its name and shape.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

InputKind = Literal["image01", "image11", "mask", "unit", "half", "normal", "logmel", "wave"]
Float64 = NDArray[np.float64]

ARCHITECTURE_CONSTANTS = frozenset(
    {"data_mean", "data_std", "filter", "logit_scale", "logit_bias", "attn_mask"}
)
"""Last parts of the keys that keep the value their network gives them."""

INPUT_PREFIX = "input:"

_BOOSTED_PROJECTIONS = frozenset({"clip_input_proj.0.weight", "text_input_proj.0.weight"})


@dataclass(frozen=True, slots=True)
class _Affine:
    """`value = offset + scale * n`."""

    offset: float
    scale: float


_BY_LAST_PART: Mapping[str, _Affine] = {
    "attn_factor": _Affine(0.5, 0.1),
    "mlp_factor": _Affine(0.5, 0.1),
    "learnable_gain": _Affine(0.0, 0.1),
    "alpha": _Affine(0.0, 0.1),
    "beta": _Affine(0.0, 0.1),
    "cls_token": _Affine(0.0, 0.2),
    "pos_embed": _Affine(0.0, 0.2),
    "temp_embed": _Affine(0.0, 0.2),
    "sync_pos_emb": _Affine(0.0, 0.2),
    "empty_string_feat": _Affine(0.0, 1 / 32),
    "empty_clip_feat": _Affine(0.0, 1 / 32),
    "empty_sync_feat": _Affine(0.0, 0.5),
    "latent_mean": _Affine(0.0, 0.1),
    "latent_std": _Affine(1.0, 0.1),
}

_INPUTS: Mapping[str, Callable[[Float64], Float64]] = {
    "image01": lambda n: np.clip(0.5 + 0.25 * n, 0, 1),
    "image11": lambda n: np.clip(0.5 * n, -1, 1),
    "mask": lambda n: (n > 0.5).astype(np.float64),
    "unit": lambda n: n / np.linalg.norm(n, axis=-1, keepdims=True),
    "half": lambda n: 0.5 * n,
    "normal": lambda n: n,
    "logmel": lambda n: -4 + 2 * n,
    "wave": lambda n: np.clip(0.2 * n, -1, 1),
}


def is_architecture_constant(name: str) -> bool:
    """True for a key whose value belongs to the architecture and is never filled."""
    return _last_part(name) in ARCHITECTURE_CONSTANTS


def draw(name: str, shape: Sequence[int], *, salt: str = "") -> Float64:
    """Standard normal values [*shape], float64, seeded by the SHA-256 of `salt + name` alone."""
    digest = hashlib.sha256((salt + name).encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))
    return np.asarray(generator.standard_normal(tuple(shape)))


def weight(name: str, shape: Sequence[int], *, salt: str = "") -> torch.Tensor:
    """The tensor [*shape], float32, that belongs to a state-dict key.

    Raises:
        ValueError: the key is an architecture constant; it has no formula.
    """
    if is_architecture_constant(name):
        raise ValueError(f"{name} is a constant of the architecture and is not filled")
    formula = _formula(name, tuple(shape))
    n = draw(name, shape, salt=salt)
    n *= formula.scale
    n += formula.offset
    return torch.from_numpy(n.astype(np.float32))


def weights(shapes: Mapping[str, Sequence[int]], *, salt: str = "") -> dict[str, torch.Tensor]:
    """A state dict for the given keys and shapes; architecture constants are left out."""
    return {
        name: weight(name, shape, salt=salt)
        for name, shape in shapes.items()
        if not is_architecture_constant(name)
    }


@torch.no_grad()
def fill_module(module: nn.Module, *, prefix: str = "", salt: str = "", keep: Collection[str] = ()) -> None:
    """Overwrite a module's parameters and persistent buffers in place, one tensor at a time.

    Args:
        module: any network, already on a real device.
        prefix: what the checkpoint puts before this module's own keys ("visual.").
        salt: prepended to every name before hashing.
        keep: further full keys (prefix included) that keep their value.
    """
    for key, tensor in module.state_dict(keep_vars=True).items():
        name = prefix + key
        if name not in keep and not is_architecture_constant(name):
            tensor.copy_(weight(name, tuple(tensor.shape), salt=salt))


def network_input(name: str, shape: Sequence[int], *, kind: InputKind, salt: str = "") -> torch.Tensor:
    """The input [*shape], float32, drawn for `input:<name>` with the distribution of its kind.

    Kinds: image01 0..1, image11 -1..1, mask 0 or 1, unit (length 1 over the last axis), half
    (standard deviation 0.5), normal, logmel (-4 +- 2), wave -1..1.

    Raises:
        ValueError: the kind is not known.
    """
    if kind not in get_args(InputKind):
        raise ValueError(f"unknown kind of input: {kind}")
    n = draw(INPUT_PREFIX + name, shape, salt=salt)
    return torch.from_numpy(np.asarray(_INPUTS[kind](n)).astype(np.float32))


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]


def _formula(name: str, shape: tuple[int, ...]) -> _Affine:
    """The first rule that fits, in the order of the golden vectors' table."""
    last = _last_part(name)
    if last in _BY_LAST_PART:
        return _BY_LAST_PART[last]
    if last in {"original0", "weight_g"}:
        magnitude = _weight_norm_magnitude(name)
        return _Affine(magnitude, 0.1 * magnitude)
    if len(shape) > 1:
        return _Affine(0.0, _matrix_gain(name) / math.sqrt(math.prod(shape[1:])))
    if len(shape) == 1 and last == "weight":
        return _Affine(1.0, 0.02)
    return _Affine(0.0, 0.02)


def _weight_norm_magnitude(name: str) -> float:
    if "resblocks." in name:
        return 0.3
    return 0.1 if "conv_post." in name else 1.0


def _matrix_gain(name: str) -> float:
    if name in _BOOSTED_PROJECTIONS:
        return 32.0
    return 2.0 if "adaLN_modulation" in name else 1.0
