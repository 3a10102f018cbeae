"""Weights on disk: reading a file safely, and telling exactly where it does not fit a network.

Published files nest and name their tensors in different ways (spec section 9); `networks` knows
which file and which part belongs where. Here a file becomes a flat mapping, and a mapping is held
against the shapes a network wants: nothing missing, nothing left over, nothing of another shape.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from exporter.errors import ExportError

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
"""Endings a checkpoint may have; `.pth` may be published as `.safetensors` and so on."""

WRAPPERS = ("module.", "_orig_mod.")
"""What training wrappers and compiling put before every key, in any order."""

FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
"""Kinds of floats that are read; those of 8 bits have a scale somewhere that is not known here."""

TRAINER_PARTS = ("weights", "state_dict", "model")
"""Where a trainer's checkpoint keeps the network, beside its optimiser, its schedule and its averages."""

_FORBIDDEN = re.compile(r"GLOBAL [\w.]+|[Uu]nsupported class [\w.]+")
"""What torch says of a pickle that names something beside tensors."""
_ROWS = 30
_LONGEST = 120
"""Characters of a name in a table."""
_NAME_ANOTHER = "Name the checkpoint that belongs to this size."


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One tensor that does not fit.

    Attributes:
        key: its name in the network.
        problem: "missing", "unexpected", "type", "shape", "not finite" or what else is wrong with it.
        wanted, found: shapes or types; empty text where there is none.
    """

    key: str
    problem: str
    wanted: str
    found: str


class WrongCheckpoint(ExportError):
    """A checkpoint's tensors are not the network's. `table` shows which."""

    def __init__(self, message: str, *, mismatches: tuple[Mismatch, ...], remedy: str = "") -> None:
        table = mismatch_table(mismatches)
        super().__init__(message, remedy=remedy or _NAME_ANOTHER, detail=table)
        self.mismatches = mismatches
        self.table = table


def find_checkpoint(folder: Path, stem: str) -> Path | None:
    """The file `stem` in `folder` with any of the known endings."""
    candidates = (folder / f"{stem}{suffix}" for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def read_checkpoint(path: Path, *, part: str = "") -> dict[str, Tensor]:
    """The tensors of a file under their own names.

    Args:
        path: `.safetensors`, or what `torch.save` wrote. Only plain tensors are read, never code.
        part: of a file that holds several networks, the one wanted: a nested mapping of that name, or
            the keys that start with it and a dot. A file without any such part is taken as a whole;
            of a trainer's checkpoint, the network (`TRAINER_PARTS`).

    Raises:
        ExportError: the file cannot be read or holds something else, or tensors that are no plain arrays.
    """
    content = _unwrapped(_network_of(_read(path)))
    nested = content.get(part)
    if isinstance(nested, Mapping):
        content = dict(nested)
    elif part and any(key.startswith(f"{part}.") for key in content):
        content = _below(content, f"{part}.")
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        found = ", ".join(sorted(str(key) for key in content)[:8]) or "nothing"
        raise ExportError(
            f"{path} holds no tensors{f' under {part!r}' if part else ''}; at its top it has {found}.",
            remedy="Name a checkpoint of this network.",
        )
    _refuse_odd(path, tensors)
    return _unwrapped(tensors)


def read_part(path: Path, part: str) -> dict[str, Tensor]:
    """The tensors of a part that a file may have; none where it has no such part.

    Raises:
        ExportError: the file cannot be read.
    """
    content = _network_of(_read(path))
    nested = content.get(part, _below(content, f"{part}."))
    if not isinstance(nested, Mapping):
        raise ExportError(
            f"{path} has no tensors by name under {part!r}, but a {type(nested).__name__}.",
            remedy="Name the published file, or save this part again as a state_dict.",
        )
    tensors = {str(key): value for key, value in nested.items() if isinstance(value, Tensor)}
    _refuse_odd(path, tensors)
    return _unwrapped(tensors)


def mismatches(module: nn.Module, tensors: Mapping[str, Tensor]) -> tuple[Mismatch, ...]:
    """Where `tensors` are not exactly the module's state, in the order of the module."""
    shapes = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    return differences(shapes, tensors)


def differences(wanted: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor]) -> tuple[Mismatch, ...]:
    """Where `tensors` are not finite floats of exactly these keys and shapes, in the order of `wanted`.

    Of tensors without values (on the device "meta") it is not asked whether they are finite.
    """
    rows = (_difference(key, shape, tensors.get(key)) for key, shape in wanted.items())
    unexpected = (
        Mismatch(key, "unexpected", "", _shown(found)) for key, found in tensors.items() if key not in wanted
    )
    return (*(row for row in rows if row is not None), *unexpected)


def _difference(key: str, shape: tuple[int, ...], found: Tensor | None) -> Mismatch | None:
    wanted = str(list(shape))
    if found is None:
        return Mismatch(key, "missing", wanted, "")
    if tuple(found.shape) != shape:
        return Mismatch(key, "shape", wanted, _shown(found))
    if not found.is_floating_point():
        return Mismatch(key, "type", "float", str(found.dtype).removeprefix("torch."))
    if not (found.is_meta or _is_finite(found)):
        return Mismatch(key, "not finite", wanted, wanted)
    return None


def _is_finite(tensor: Tensor) -> bool:
    """Also as float32, which it is going to be."""
    return bool(torch.isfinite(tensor.float() if tensor.dtype is torch.float64 else tensor).all())


def refuse_differences(problems: tuple[Mismatch, ...], *, name: str) -> None:
    """Go on where there are none.

    Raises:
        WrongCheckpoint: with the table of them.
    """
    if problems:
        raise WrongCheckpoint(f"{name}: {len(problems)} tensors do not fit.", mismatches=problems)


@torch.no_grad()
def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], *, name: str) -> None:
    """Copy `tensors` into the module, as float32, if they are exactly its state.

    Args:
        module: on the CPU.
        tensors: under the module's own keys.
        name: of the network and its files, for the message.

    Raises:
        WrongCheckpoint: with the table of all differences; the module is untouched.
    """
    refuse_differences(mismatches(module, tensors), name=name)
    for key, target in module.state_dict(keep_vars=True).items():
        target.copy_(tensors[key])


def mismatch_table(rows: Iterable[Mismatch]) -> str:
    """A table for a terminal, the first rows whole and a count of the rest."""
    everything = tuple(rows)
    cells = [("key", "problem", "wanted", "found")]
    cells += [(_plain(row.key), row.problem, row.wanted, row.found) for row in everything[:_ROWS]]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    if len(everything) > _ROWS:
        lines.append(f"... and {len(everything) - _ROWS} more")
    return "\n".join(lines)


def _plain(key: str) -> str:
    """A name from a file, harmless on a terminal and of sane length."""
    shown = key if key.isprintable() else ascii(key)[1:-1]
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _shown(tensor: Tensor) -> str:
    return str(list(tensor.shape))


def _network_of(content: dict[Any, Any]) -> dict[Any, Any]:
    """The network's own mapping where the file is a trainer's, else the content as it is."""
    if any(isinstance(value, Tensor) and value.numel() > 1 for value in content.values()):
        return content  # a count of steps may be a tensor too
    inner = (content[part] for part in TRAINER_PARTS if isinstance(content.get(part), Mapping))
    return dict(next(inner, content))


def _unwrapped(tensors: dict[str, Any]) -> dict[str, Any]:
    """Under the network's own keys."""
    for wrapper in WRAPPERS:
        if tensors and all(key.startswith(wrapper) for key in tensors):
            return _unwrapped(_below(tensors, wrapper))
    return tensors


def _refuse_odd(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Go on where all are plain arrays in memory or on disk."""
    odd = next((f"{key} ({kind})" for key, tensor in tensors.items() if (kind := _oddity(tensor))), "")
    if odd:
        raise ExportError(
            f"{path} holds tensors of a kind that is not read: {odd}.",
            remedy="Save it again with plain tensors of float32, float16 or bfloat16.",
        )


def _oddity(tensor: Tensor) -> str:
    """What sets a tensor apart from an array, in a word; "" where nothing does."""
    if tensor.is_meta:
        return "no values"
    if tensor.layout is not torch.strided or tensor.is_nested:
        return "sparse"
    if tensor.is_quantized or (tensor.is_floating_point() and tensor.dtype not in FLOATS):
        return str(tensor.dtype).removeprefix("torch.")
    return ""


def _below(tensors: Mapping[Any, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _read(path: Path) -> dict[Any, Any]:
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _torch_load(path)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    if not isinstance(content, Mapping):
        raise _unreadable(path, TypeError(f"it holds a {type(content).__name__}, not a mapping"))
    nameless = next((key for key in content if not isinstance(key, str)), None)
    if nameless is not None:
        raise _unreadable(path, TypeError(f"its first key that is no name is {nameless!r:.80}"))
    return dict(content)


def _torch_load(path: Path) -> Any:
    """Tensors stay on disk until they are copied, where the file's format allows it."""
    with path.open("rb") as stream:
        zipped = stream.read(4) == b"PK\x03\x04"
    try:
        if zipped:
            _refuse_packed(path)
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except ExportError:
        raise
    except pickle.UnpicklingError as error:
        found = _FORBIDDEN.search(str(error))
        raise (_more_than_tensors(path, found[0]) if found else _unreadable(path, error)) from None
    except Exception as error:  # noqa: BLE001  torch raises anything at a damaged file, bare Exception included
        raise _unreadable(path, error) from None


def _refuse_packed(path: Path) -> None:
    """Go on where nothing in the zip is packed: it is mapped, and what is packed would be read as numbers."""
    with ZipFile(path) as archive:
        packed = next((each for each in archive.infolist() if each.compress_type != ZIP_STORED), None)
    if packed is not None:
        raise ExportError(
            f"{path} is a packed archive ({_plain(packed.filename)}); torch.save never packs.",
            remedy="Save it again with torch.save, or unpack it.",
        )


def _more_than_tensors(path: Path, found: str) -> ExportError:
    return ExportError(
        f"{path} holds more than tensors: code or objects of a program, which are never loaded.",
        remedy="Save the network's state_dict alone, or name the published file.",
        detail=_plain(found),
    )


def _unreadable(path: Path, error: Exception) -> ExportError:
    said = str(error).rpartition("WeightsUnpickler error:")[2]  # before it stands how to read unsafely
    return ExportError(
        f"{path} cannot be read as a checkpoint.",
        remedy="Download it again, or check that it is the right file.",
        detail=f"{type(error).__name__}: {said.strip()[:500]}",
    )
