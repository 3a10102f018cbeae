"""`manifest.json` to values and back, strictly: what is unknown, missing, or of another type is refused."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from models_onnx.manifest import ROLES, SCHEMA, FileSpec, GraphSpec, InvalidBundle, Manifest, TensorSpec

_Kind = TypeVar("_Kind")

_LARGEST = 4 << 20
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){1,3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DEVICE_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_DTYPES = ("float32", "float16", "int64")
_MOST = {"sample_rate": 384_000, "picture.clip_rate": 240, "picture.sync_rate": 240}
_MOST_OTHERWISE = 1 << 14
"""No length, size or number of steps of a model comes near; beyond it arithmetic and memory give way."""
_MOST_TOKENS = 1 << 31
_MOST_GUIDANCE = 1000
_FARTHEST_LATENT = 1e6


class _Bad(Exception):
    """What is wrong with the manifest, without its path."""


def parse_manifest(content: bytes, *, path: Path) -> Manifest:
    """The manifest in `content`, every field checked.

    Args:
        content: the bytes of `manifest.json`.
        path: where they came from, for the message.

    Raises:
        InvalidBundle: "newer" for a schema above `SCHEMA`, "corrupt" for anything else.
    """
    return read_manifest(Manifest, content, path=path, newest=SCHEMA, problems=_problems)


def read_manifest(
    kind: type[_Kind],
    content: bytes,
    *,
    path: Path,
    newest: int,
    problems: Callable[[_Kind], Iterable[str]],
) -> _Kind:
    """The manifest of any kind of bundle.

    Args:
        kind: its dataclass. One with a field `kind` is never taken for one without, nor the other way.
        content: the bytes of `manifest.json`.
        path: where they came from, for the message.
        newest: the newest schema that is known.
        problems: what is wrong with a manifest all of whose fields have the right types.

    Raises:
        InvalidBundle: "other" for a bundle of another kind, "newer" for a schema above `newest`, "corrupt"
            for anything else.
    """
    try:
        document = _document(content)
        schema = _schema_of(document)
    except _Bad as error:
        raise InvalidBundle(f"{path}: {error}", reason="corrupt", path=path) from None
    other = _other_kind(kind, document)
    if other:
        raise InvalidBundle(f"{path} {other}", reason="other", path=path)
    if schema > newest:
        message = f"{path} has schema {schema}; this version knows schemas up to {newest}"
        raise InvalidBundle(message, reason="newer", path=path)
    try:
        manifest: _Kind = _value(kind, document, "manifest")
        for problem in problems(manifest):
            _bad(problem)
    except _Bad as error:
        raise InvalidBundle(f"{path}: {error}", reason="corrupt", path=path) from None
    return manifest


def kind_of(content: bytes) -> str:
    """What a bundle is for, "sound" where its manifest does not say; "" when it is no manifest."""
    try:
        return str(_document(content).get("kind", "sound"))
    except _Bad:
        return ""


def format_manifest(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`: UTF-8, one line per value, the same for equal manifests.

    Raises:
        ValueError: the manifest would not be accepted on reading.
    """
    document = dataclasses.asdict(manifest)
    for optional in ("gpu_graphs", "eight_bit"):
        if not document[optional]:
            del document[optional]
    return format_document(document, parse=parse_manifest)


def format_document(document: Mapping[str, object], *, parse: Callable[..., object]) -> bytes:
    """The bytes of a manifest of any kind.

    Args:
        document: what it says.
        parse: its reader, which must accept it.

    Raises:
        ValueError: it does not.
    """
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    content = (text + "\n").encode("utf-8")
    try:
        parse(content, path=Path("manifest"))
    except InvalidBundle as error:
        raise ValueError(str(error)) from None
    return content


def is_plain_path(name: str) -> bool:
    """Whether `name` is a relative posix path that stays inside its folder on every system."""
    parts = name.split("/")
    return len(name) <= 200 and all(_is_plain_part(part) for part in parts)


def is_bundle_id(name: str) -> bool:
    """Whether `name` can be a bundle's id: at most 64 lower-case letters, digits, `._-`."""
    return _ID.fullmatch(name) is not None


def _is_plain_part(part: str) -> bool:
    if _PART.fullmatch(part) is None or part.endswith("."):
        return False
    return part.split(".", maxsplit=1)[0].lower() not in _DEVICE_NAMES


def _bad(message: str) -> NoReturn:
    raise _Bad(message)


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > _LARGEST:
        _bad(f"is {len(content)} bytes long; a manifest has at most {_LARGEST}")
    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        _bad(f"is not JSON ({error})")
    if not isinstance(document, dict):
        _bad("is not a JSON object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        _bad("names a key twice")
    return result


def _constant(name: str) -> NoReturn:
    _bad(f"holds {name}, which is not a number")


def _other_kind(kind: type, document: dict[str, Any]) -> str:
    """What a bundle is for where it is not for what it should be; "" where it is."""
    says, should = "kind" in document, "kind" in typing.get_type_hints(kind)
    if says == should:
        return ""
    return "describes a bundle that makes masks, not sound" if says else "describes one for sound, not masks"


def _schema_of(document: dict[str, Any]) -> int:
    schema = document.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        _bad(f"schema is {schema!r}, not a positive number")
    return schema


# -- JSON to values, by type -------------------------------------------------------------------


def _value(kind: Any, value: Any, where: str) -> Any:
    """`value` as the declared type `kind`; `where` names it in messages."""
    if dataclasses.is_dataclass(kind):
        return _fields(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict:
        return {
            key: _value(arguments[1], item, f"{where}.{key}") for key, item in _of(dict, value, where).items()
        }
    if origin is tuple:
        items = _of(list, value, where)
        return tuple(_value(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if origin is types.UnionType:
        return _of(arguments, value, where)
    read = {float: _real, str: _text}.get(kind)
    return _of(kind, value, where) if read is None else read(value, where)


def _fields(kind: Any, value: Any, where: str) -> Any:
    entries = _of(dict, value, where)
    hints = typing.get_type_hints(kind)
    optional = {field.name for field in dataclasses.fields(kind) if callable(field.default_factory)}
    missing, unknown = hints.keys() - entries.keys() - optional, entries.keys() - hints.keys()
    if missing or unknown:
        what = "lacks" if missing else "has the unknown"
        _bad(f"{where} {what} {', '.join(sorted(missing or unknown))}")
    return kind(
        **{
            name: _value(hint, entries[name], f"{where}.{name}")
            for name, hint in hints.items()
            if name in entries
        }
    )


def _of(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        _bad(f"{where} is {_short(value)}, which has the wrong type")
    return value


def _text(value: Any, where: str) -> str:
    """A string that can be printed and written: no control characters, no lone surrogates."""
    text: str = _of(str, value, where)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        _bad(f"{where} is {_short(text)}, which holds control characters")
    return text


def _real(value: Any, where: str) -> float:
    try:
        number = float(_of((int, float), value, where))
    except OverflowError:
        _bad(f"{where} is too large")
    if not math.isfinite(number):
        _bad(f"{where} is {number}")
    return number


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# -- what the values must be ---------------------------------------------------------------------


def _problems(manifest: Manifest) -> Iterator[str]:
    if not is_bundle_id(manifest.id):
        yield f"id {_short(manifest.id)} is not a short lower-case name"
    if _VERSION.fullmatch(manifest.onnxruntime_min) is None:
        yield f"onnxruntime_min {_short(manifest.onnxruntime_min)} is not a version such as 1.20"
    if manifest.precision not in {"fp32", "fp16"}:
        yield f"precision {_short(manifest.precision)} is neither fp32 nor fp16"
    yield from _graph_problems(manifest)
    yield from _file_problems(manifest)
    yield from _number_problems(manifest)


def _graph_problems(manifest: Manifest) -> Iterator[str]:
    if set(manifest.graphs) != set(ROLES):
        yield f"graphs are {', '.join(sorted(manifest.graphs))}; they must be {', '.join(sorted(ROLES))}"
    if not manifest.gpu_graphs.keys() <= set(ROLES):
        yield f"gpu_graphs are {', '.join(sorted(manifest.gpu_graphs))}; known are {', '.join(sorted(ROLES))}"
    if not manifest.eight_bit.keys() <= set(ROLES):
        yield f"eight_bit are {', '.join(sorted(manifest.eight_bit))}; known are {', '.join(sorted(ROLES))}"
    yield from interface_problems(manifest.graphs)


def interface_problems(graphs: Mapping[str, GraphSpec]) -> Iterator[str]:
    """What is wrong with the inputs and outputs of graphs."""
    for role, graph in graphs.items():
        for tensor in (*graph.inputs, *graph.outputs):
            yield from _tensor_problems(tensor, role)
        names = [tensor.name for tensor in (*graph.inputs, *graph.outputs)]
        if not graph.inputs or not graph.outputs or len(set(names)) != len(names):
            yield f"graph {role} needs inputs and outputs of different names"


def _tensor_problems(tensor: TensorSpec, role: str) -> Iterator[str]:
    if not tensor.name or tensor.dtype not in _DTYPES:
        yield f"graph {role}: tensor {_short(tensor.name)} of dtype {_short(tensor.dtype)}"
    if any(size == "" if isinstance(size, str) else size < 1 for size in tensor.shape):
        yield f"graph {role}: {tensor.name} has the shape {tensor.shape}"


def _file_problems(manifest: Manifest) -> Iterator[str]:
    used = [manifest.text.tokenizer, manifest.null_conditions, *(g.file for g in manifest.graphs.values())]
    used += manifest.gpu_graphs.values()
    yield from file_problems(manifest.files, used)


def file_problems(files: Mapping[str, FileSpec], used: Iterable[str]) -> Iterator[str]:
    """What is wrong with the list of files, or with names that are used and not in it."""
    folded = [name.lower() for name in files]
    if len(set(folded)) != len(folded):
        yield "two files differ only in upper and lower case"
    for name, file in files.items():
        if not is_plain_path(name) or name == "manifest.json":
            yield f"file {_short(name)} is not a plain path inside the bundle"
        if file.bytes < 0 or _SHA256.fullmatch(file.sha256) is None:
            yield f"file {_short(name)} has no proper size and sha256"
    for name in used:
        if name not in files:
            yield f"file {_short(name)} is used but not listed under files"


def _number_problems(manifest: Manifest) -> Iterator[str]:
    for name, number in _counts(manifest).items():
        if not 1 <= number <= _MOST.get(name, _MOST_OTHERWISE):
            yield f"{name} is too {'small' if number < 1 else 'large'}"
    picture, text, latent, window = manifest.picture, manifest.text, manifest.latent, manifest.window
    if picture.resize not in {"squash", "center_crop"}:
        yield f"picture.resize {_short(picture.resize)} is neither squash nor center_crop"
    if not 0 <= picture.box_threshold < 1 or picture.crop_min > picture.sync_size:
        yield "picture.box_threshold must be in 0..1 and crop_min at most sync_size"
    if text.length < 2 or not all(
        0 <= id_ < _MOST_TOKENS for id_ in (text.start_id, text.end_id, text.pad_id)
    ):
        yield f"text.length must be at least 2 and token ids in 0..{_MOST_TOKENS - 1}"
    if not len(latent.mean) == len(latent.std) == latent.channels or min(latent.std, default=0) <= 0:
        yield "latent.mean and latent.std need one value per channel, std above 0"
    if max(map(abs, (*latent.mean, *latent.std)), default=0) > _FARTHEST_LATENT:
        yield f"latent.mean and latent.std must be within {_FARTHEST_LATENT:g}"
    if not picture.segment_frames <= window.min_frames <= window.train_frames:
        yield "window: segment_frames <= min_frames <= train_frames does not hold"
    if not 0 <= manifest.vocoder.halo <= _MOST_OTHERWISE:
        yield f"vocoder.halo must be in 0..{_MOST_OTHERWISE}"
    if not 0 <= manifest.sampling.guidance <= _MOST_GUIDANCE:
        yield f"sampling.guidance must be in 0..{_MOST_GUIDANCE}"


def _counts(manifest: Manifest) -> dict[str, int]:
    """Every whole number that must be at least 1, by its name."""
    rows = (
        ("", manifest, ("opset", "sample_rate")),
        ("latent.", manifest.latent, ("channels", "hop")),
        ("vocoder.", manifest.vocoder, ("mel_bands", "mel_hop")),
        ("text.", manifest.text, ("length",)),
        ("window.", manifest.window, ("min_frames", "train_frames", "multiple_frames")),
        ("sampling.", manifest.sampling, ("steps",)),
    )
    counts = {f"{prefix}{name}": getattr(part, name) for prefix, part, names in rows for name in names}
    whole = (part for part in dataclasses.fields(manifest.picture) if part.type in {"int", int})
    return counts | {f"picture.{part.name}": getattr(manifest.picture, part.name) for part in whole}
