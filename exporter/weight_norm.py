"""Convolutions whose weight is stored as a magnitude and a direction: their keys and shapes in a file.

Two spellings of the pair are known, and a weight that is folded already is taken too (spec section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from exporter.models.bigvgan import WEIGHT_NORM_SPELLINGS

Shapes = dict[str, tuple[int, ...]]
_PLAIN = ("weight",)


def weight_norm_shapes(module: nn.Module) -> Shapes:
    """Keys and shapes of the vocoder as stored: each convolution's weight as magnitude and direction."""
    return _shapes(module, spelled=lambda _layer: WEIGHT_NORM_SPELLINGS[0])


def stored_shapes(module: nn.Module, tensors: Mapping[str, Tensor]) -> Shapes:
    """Keys and shapes of the vocoder in the spelling that `tensors` have of each layer.

    Of a layer that is there in two spellings the one that is whole is wanted, so that the other is left over.
    """
    return _shapes(module, spelled=lambda layer: _spelling(layer, tensors))


def _shapes(module: nn.Module, *, spelled: Callable[[str], tuple[str, ...]]) -> Shapes:
    shapes: Shapes = {}
    for key, tensor in module.state_dict().items():
        layer, _, last = key.rpartition(".")
        names = spelled(layer) if last == "weight" else (last,)
        if len(names) > 1:
            shapes[f"{layer}.{names[0]}"] = (tensor.shape[0],) + (1,) * (tensor.ndim - 1)
        shapes[f"{layer}.{names[-1]}" if layer else names[-1]] = tuple(tensor.shape)
    return shapes


def _spelling(layer: str, tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of which the layer has most; those of a plain weight where it has none."""

    def share(names: tuple[str, ...]) -> float:
        return sum(f"{layer}.{name}" in tensors for name in names) / len(names)

    most = max((*WEIGHT_NORM_SPELLINGS, _PLAIN), key=share)
    return most if share(most) else _PLAIN
