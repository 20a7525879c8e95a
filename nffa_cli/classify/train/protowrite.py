"""Just enough of Protocol Buffers to write metadata into an ONNX file; standard library only. Reading is ``protobuf``'s."""

from __future__ import annotations

from collections.abc import Mapping

METADATA = 14
"""ModelProto.metadata_props, of StringStringEntryProto."""


def varint(value: int) -> bytes:
    """Return a whole number from 0 as protobuf writes it."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def field(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes: a message, a text or raw numbers."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(place: int, value: int) -> bytes:
    """Return a field that holds a whole number."""
    return varint(place << 3) + varint(value)


def metadata(texts: Mapping[str, str]) -> bytes:
    """Return what is appended to a model so that it holds these texts; fields may stand in any order."""
    return b"".join(
        field(METADATA, field(1, key.encode()) + field(2, value.encode())) for key, value in sorted(texts.items())
    )
