"""Contents of 3D Tiles: whether they are whole, and what they refer to.

Sources: 3D Tiles 1.1 (OGC 22-025r4), chapters "Batched 3D Model", "Instanced 3D Model", "Point
Cloud" and "Composite"; glTF 2.0, chapter 4.4, "Binary glTF".
"""

import struct
from collections.abc import Iterator
from typing import Any

from cim_core.hostile import parsed_json

_U4 = struct.Struct("<I")
_GLTF_MAGIC = b"glTF"
_JSON_CHUNK = b"JSON"
_DEEPEST = 8
"""Composites in composites in composites: what is deeper is no content anybody made to be shown."""

_HEADERS = {b"b3dm": 28, b"i3dm": 32, b"pnts": 28, b"cmpt": 16}
ENDINGS = {
    ".b3dm": b"b3dm", ".i3dm": b"i3dm", ".pnts": b"pnts", ".cmpt": b"cmpt", ".glb": _GLTF_MAGIC,
}  # fmt: skip
"""Binary contents by the ending of their name, and how each begins."""


def references(data: bytes, magic: bytes) -> Iterator[str]:
    """The URIs a binary content names; raises `ValueError` when it is not whole.

    `magic` is what its name promises.
    """
    refuse_packed(data)
    if data[:4] != magic:
        raise ValueError(f"it is no {magic.decode()}")
    yield from _references(data, 0)


def refuse_packed(data: bytes) -> None:
    """Raise `ValueError` for a file that only a server which says so could send."""
    if data.startswith(b"\x1f\x8b"):
        raise ValueError("it is packed with gzip, which `3d-tiles-tools ungzip` undoes")


def gltf_references(document: Any) -> Iterator[str]:
    """The URIs of buffers and images of a glTF; raises `ValueError` when it is none."""
    if not isinstance(document, dict) or "asset" not in document:
        raise ValueError("it is no glTF")
    for part in ("buffers", "images"):
        entries = document.get(part, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("it is no glTF")
        yield from (str(entry["uri"]) for entry in entries if "uri" in entry)


def _references(data: bytes, depth: int) -> Iterator[str]:
    magic = data[:4]
    if magic == _GLTF_MAGIC:
        yield from _glb(data)
        return
    size = _HEADERS.get(magic)
    if size is None:
        raise ValueError("it holds what is no content of 3D Tiles")
    if len(data) < size:
        raise ValueError("it is shorter than its header")
    version, length = _u4(data, 4), _u4(data, 8)
    if version != 1 or length != len(data):
        raise ValueError(
            f"its header announces version {version} and {length} bytes, but it has {len(data)} bytes"
        )
    if magic == b"cmpt":
        yield from _inner(data, depth)
        return
    start = size + sum(_u4(data, at) for at in (12, 16, 20, 24))
    if start > len(data):
        raise ValueError("the lengths in its header are more than it has")
    if magic == b"b3dm" or (magic == b"i3dm" and _u4(data, 28) == 1):
        yield from _glb(data[start:])
    elif magic == b"i3dm":
        yield data[start:].rstrip(b"\0 ").decode()


def _inner(data: bytes, depth: int) -> Iterator[str]:
    """What the contents of a composite refer to."""
    if depth == _DEEPEST:
        raise ValueError("it holds contents in contents, deeper than anything to be shown")
    at = _HEADERS[b"cmpt"]
    for _ in range(_u4(data, 12)):
        if at + 12 > len(data):
            raise ValueError("it announces more contents than it has")
        length = _u4(data, at + 8)
        if length < 12:
            raise ValueError("a content in it has no length")
        yield from _references(data[at : at + length], depth + 1)
        at += length


def _glb(data: bytes) -> Iterator[str]:
    if len(data) < 20 or data[:4] != _GLTF_MAGIC:
        raise ValueError("it holds no binary glTF where it should")
    length, chunk = _u4(data, 8), _u4(data, 12)
    # Tiles are padded to eight bytes, and some writers do not count that as part of the glTF.
    if not 20 + chunk <= length <= len(data) or len(data) - length >= 8:
        raise ValueError(f"its glTF announces {length} bytes, but there are {len(data)}")
    if _u4(data, 4) != 2:
        return  # of glTF 1.0 what it refers to is within itself
    if data[16:20] != _JSON_CHUNK:
        raise ValueError("its glTF does not begin with JSON")
    yield from gltf_references(parsed_json(data[20 : 20 + chunk]))


def _u4(data: bytes, at: int) -> int:
    return int(_U4.unpack_from(data, at)[0])
