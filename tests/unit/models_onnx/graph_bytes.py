"""ONNX files written by hand, field by field, without the onnx package."""

from __future__ import annotations


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of up to 127 bytes."""
    assert number < 16
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def tiny_graph(name: str, *, opset: int = 18, location: str | None = None) -> bytes:
    """A model whose graph has a name, and perhaps a tensor that lies in the file `location`."""
    entry = field(13, field(1, b"location") + field(2, (location or "").encode()))
    tensor = b"" if location is None else field(5, entry)
    imported = field(8, field(1, b"") + bytes([2 << 3, opset]))
    return field(7, field(2, name.encode()) + tensor) + imported
