"""Small tilesets somebody else might have made, whole or spoilt."""

import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cim_core.frame import Frame

HERE = Frame(113.46, 23.10, 16.0)


def glb(**document: Any) -> bytes:
    """A binary glTF without a body."""
    text = json.dumps({"asset": {"version": "2.0"}, **document}).encode()
    text += b" " * (-len(text) % 8 + 4)
    chunk = struct.pack("<I4s", len(text), b"JSON") + text
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk


def b3dm(model: bytes) -> bytes:
    """A batched model without tables."""
    return struct.pack("<4s6I", b"b3dm", 1, 28 + len(model), 0, 0, 0, 0) + model


def i3dm(uri: str) -> bytes:
    """An instanced model that names its glTF."""
    name = uri.encode()
    return struct.pack("<4s7I", b"i3dm", 1, 32 + len(name), 0, 0, 0, 0, 0) + name


def pnts() -> bytes:
    """A point cloud of one point."""
    table = b'{"POINTS_LENGTH":1,"POSITION":{"byteOffset":0}} '
    body = table + struct.pack("<3f", 0, 0, 0) + bytes(4)
    return struct.pack("<4s6I", b"pnts", 1, 28 + len(body), len(table), 16, 0, 0) + body


def cmpt(*contents: bytes) -> bytes:
    """Several contents in one."""
    body = b"".join(contents)
    return struct.pack("<4s3I", b"cmpt", 1, 16 + len(body), len(contents)) + body


def tile(uri: str | None = None, error: float = 0.0, **more: Any) -> dict[str, Any]:
    """A tile of 20 by 20 by 10 m."""
    content = {} if uri is None else {"content": {"uri": uri}}
    box = [0, 0, 5, 10, 0, 0, 0, 10, 0, 0, 0, 5]
    return {"boundingVolume": {"box": box}, "geometricError": error, **content, **more}


def document(root: dict[str, Any], version: str = "1.0") -> bytes:
    """A tileset.json."""
    return json.dumps(
        {"asset": {"version": version}, "geometricError": 100.0, "root": root}
    ).encode()


def placed(*children: dict[str, Any]) -> bytes:
    """A tileset.json whose root stands on the earth."""
    transform = HERE.ecef_matrix().T.ravel().tolist()
    return document(tile(error=50.0, refine="ADD", transform=transform, children=list(children)))


def whole() -> dict[str, bytes]:
    """A tileset with a content of each kind, an outer one and a picture."""
    return {
        "tileset.json": placed(
            tile("a.b3dm"), tile("b/c.i3dm"), tile("all.cmpt?v=1"), tile("inner/tileset.json"),
            tile("%E6%A5%BC%201.glb"),
        ),
        "a.b3dm": b3dm(glb(images=[{"uri": "roof%201.png"}])),
        "roof 1.png": b"\x89PNG",
        "b/c.i3dm": i3dm("../tree.glb"),
        "tree.glb": glb(buffers=[{"uri": "data:application/octet-stream;base64,AAAA"}]),
        "all.cmpt": cmpt(pnts(), b3dm(glb())),
        "inner/tileset.json": document(tile("../p.pnts")),
        "p.pnts": pnts(),
        "楼 1.glb": glb(),
    }  # fmt: skip


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by name; returns the folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Pack files by name; returns the archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
