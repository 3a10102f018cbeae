"""External data is found wherever an ONNX file can hide it, and what is no ONNX file is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from google.protobuf.message import DecodeError, Message

from models_onnx import graph_file
from models_onnx.graph_file import GraphFile, read_graph_file
from models_onnx.manifest import InvalidBundle
from models_onnx.store import PACKAGED
from tests.unit.models_onnx.graph_bytes import field, tiny_graph


def _read(tmp_path: Path, content: bytes) -> GraphFile:
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)
    return read_graph_file(path)


def _refusal(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(InvalidBundle) as caught:
        _read(tmp_path, content)
    assert caught.value.reason == "corrupt"
    return str(caught.value)


def _hide(tensor: onnx.TensorProto, location: str) -> None:
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("offset", "0"), ("location", location), ("length", "4")):
        tensor.external_data.add(key=key, value=value)


_PLACES = {
    "initializer": lambda m: m.graph.initializer.add(),
    "sparse values": lambda m: m.graph.sparse_initializer.add().values,
    "sparse indices": lambda m: m.graph.sparse_initializer.add().indices,
    "tensor of a node": lambda m: m.graph.node.add().attribute.add().t,
    "tensors of a node": lambda m: m.graph.node.add().attribute.add().tensors.add(),
    "sparse tensor of a node": lambda m: m.graph.node.add().attribute.add().sparse_tensor.values,
    "sparse tensors of a node": lambda m: m.graph.node.add().attribute.add().sparse_tensors.add().indices,
    "graph of a node": lambda m: m.graph.node.add().attribute.add().g.initializer.add(),
    "graphs of a node": lambda m: m.graph.node.add().attribute.add().graphs.add().initializer.add(),
    "node in a graph in a graph": lambda m: (
        (m.graph.node.add().attribute.add().g.node.add().attribute.add().graphs.add().node.add())
        .attribute.add()
        .t
    ),
    "function": lambda m: m.functions.add().node.add().attribute.add().t,
    "function's default": lambda m: m.functions.add().attribute_proto.add().t,
    "training": lambda m: m.training_info.add().algorithm.initializer.add(),
    "start of training": lambda m: m.training_info.add().initialization.node.add().attribute.add().t,
}


@pytest.mark.parametrize("place", _PLACES)
def test_external_data_is_found_in_every_place(tmp_path: Path, place: str) -> None:
    model = onnx.ModelProto(ir_version=10)
    model.graph.name = "main"
    model.graph.initializer.add(name="inside", raw_data=b"location" * 10)
    _hide(_PLACES[place](model), "elsewhere/weights.bin")
    assert _read(tmp_path, model.SerializeToString()).locations == ("elsewhere/weights.bin",)


def test_every_message_that_can_lead_to_external_data_is_entered() -> None:
    """Of the onnx package that is installed: a field that a later one adds fails here."""
    kinds = {
        onnx.ModelProto: "model",
        onnx.TrainingInfoProto: "training",
        onnx.GraphProto: "graph",
        onnx.FunctionProto: "function",
        onnx.NodeProto: "node",
        onnx.AttributeProto: "attribute",
        onnx.SparseTensorProto: "sparse",
        onnx.TensorProto: "tensor",
    }
    names = {kind.DESCRIPTOR.full_name: name for kind, name in kinds.items()}
    for kind, name in kinds.items():
        leading = {
            each.number: names[each.message_type.full_name]
            for each in kind.DESCRIPTOR.fields
            if each.message_type is not None and each.message_type.full_name in names
        }
        known = {n: k for n, k in graph_file._ENTERED[name].items() if k not in {"opset", "entry"}}
        assert leading == known, name
    assert onnx.TensorProto.DESCRIPTOR.fields_by_name["external_data"].number == 13


def test_parts_of_a_graph_that_come_twice_count_both(tmp_path: Path) -> None:
    twice = b"".join(tiny_graph("main", location=name) for name in ("a", "b", "a"))
    assert set(_read(tmp_path, twice).locations) == {"a", "b"}


def test_a_key_that_comes_twice_counts_with_every_value(tmp_path: Path) -> None:
    entry = field(1, b"location") + field(1, b"offset") + field(2, b"a") + field(2, b"b")
    assert set(_read(tmp_path, field(7, field(5, field(13, entry)))).locations) == {"a", "b"}
    no_value = field(7, field(5, field(13, field(1, b"location"))))
    assert _read(tmp_path, no_value).locations == ("",)


@pytest.mark.parametrize(
    ("imports", "opset"),
    [
        ([("", 18)], 18),
        ([("ai.onnx", 21), ("com.microsoft", 99)], 21),
        ([("", 17), ("", 22)], 22),
        ([], 0),
    ],
)
def test_the_opset_is_that_of_the_default_domain(
    tmp_path: Path, imports: list[tuple[str, int]], opset: int
) -> None:
    model = onnx.ModelProto()
    model.graph.name = "main"
    for domain, version in imports:
        model.opset_import.add(domain=domain, version=version)
    assert _read(tmp_path, model.SerializeToString()).opset == opset
    model.functions.add().opset_import.add(domain="", version=40)
    assert _read(tmp_path, model.SerializeToString()).opset == 40


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\x08\x0a", "it holds none"),
        (b"not a graph", "unknown kind"),
        (b"\x3a\x7f" + b"x", "longer than what holds it"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "does not end"),
        (b"\x3a\x80", "does not end"),
        (b"\x02\x00", "no number"),
        (b"\xba\x80\x80\x80\x80\x01\x00", "no number"),
        (b"\x3b\x3c", "unknown kind"),
        (b"\x3e", "unknown kind"),
        (field(7, field(5, field(13, field(1, b"location") + field(2, b"\xff")))), "no text"),
    ],
)
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    told = _refusal(tmp_path, content)
    assert "graph.onnx is no ONNX graph" in told
    assert words in told


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="cannot be read"):
        read_graph_file(tmp_path / "none.onnx")


def test_the_walk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nested = b""
    for _ in range(60):
        nested = b"\x0a" + _size(b"\x2a" + _size(b"\x32" + _size(nested)))
    assert "nested too deeply" in _refusal(tmp_path, b"\x3a" + _size(nested))
    monkeypatch.setattr(graph_file, "MOST_FIELDS", 100)
    assert "more than 100 parts" in _refusal(tmp_path, b"\x3a" + _size(b"\x12\x00" * 100))


def _size(content: bytes) -> bytes:
    """The content after its length."""
    length, written = len(content), []
    while length > 127:
        written.append(length & 127 | 128)
        length >>= 7
    return bytes([*written, length]) + content


def test_damaged_bytes_are_refused_or_read_as_protobuf_reads_them(tmp_path: Path) -> None:
    """Whatever protobuf takes, all the files are found that it finds."""
    model = onnx.ModelProto(ir_version=10)
    model.opset_import.add(domain="", version=18)
    for number, place in enumerate(_PLACES.values()):
        _hide(place(model), f"w{number}")
    whole, drawn = model.SerializeToString(), random.Random(4)  # noqa: S311
    assert len(_read(tmp_path, whole).locations) == len(_PLACES)
    read = 0
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(drawn.choice((1, 1, 2, 5))):
            content[drawn.randrange(len(content))] = drawn.randrange(256)
        try:
            parsed = onnx.ModelProto.FromString(bytes(content))
        except DecodeError:
            continue
        try:
            found = set(_read(tmp_path, bytes(content)).locations)
        except InvalidBundle:
            continue
        read += 1
        assert set(_locations(parsed)) <= found
    assert read > 300


def _locations(message: Message) -> Iterator[str]:
    for kind, value in message.ListFields():
        if kind.message_type is None:
            continue
        parts: Any = value if isinstance(value, Message) is False else [value]
        for part in parts:
            if kind.name == "external_data":
                yield from [part.value] if part.key == "location" else []
            else:
                yield from _locations(part)


def test_the_graphs_that_ship_say_what_the_manifest_says() -> None:
    for path in sorted((PACKAGED / "embedded").glob("*.onnx")):
        assert read_graph_file(path) == GraphFile(opset=18, locations=())
