"""Binary glTF: writing the contents of tiles, byte for byte the same from the same input."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices, Material
from tiles.metadata import CLASS, Columns, encode_strings, schema

_FLOAT, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5123, 5125
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_JSON, _BIN, _MAGIC = 0x4E4F534A, 0x004E4942, 0x46546C67

# glTF is y-up: (x, y, z) of the frame is (x, z, -y) there. Viewers of 3D Tiles turn it back.
_ROTATION = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True, slots=True)
class Primitive:
    """Triangles of one material with the row of the property table each vertex belongs to.

    positions
        (n, 3) float64, metres from `center` of the tile.
    normals
        (n, 3) float64 unit vectors.
    rows
        (n,) integers below 65,536.
    triangles
        (m, 3) uint32.
    """

    material: Material
    positions: Floats
    normals: Floats
    rows: NDArray[np.int64]
    triangles: Indices


@dataclass(slots=True)
class _Writer:
    chunks: list[bytes] = field(default_factory=list)
    length: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, data: bytes, **more: int) -> int:
        """Add a buffer view; all begin at multiples of eight, as property tables need."""
        # A view must hold at least a byte; a column of empty strings has none.
        data = data or b"\0"
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data), **more})
        padded = data + b"\0" * (-len(data) % 8)
        self.chunks.append(padded)
        self.length += len(padded)
        return len(self.views) - 1

    def accessor(self, view: int, component: int, count: int, kind: str, **more: Any) -> int:
        self.accessors.append(
            {"bufferView": view, "componentType": component, "count": count, "type": kind, **more}
        )
        return len(self.accessors) - 1


def write_glb(center: Floats, primitives: Sequence[Primitive], table: Columns) -> bytes:
    """A tile's content: one mesh at `center` (3,), with one property table for its features."""
    writer = _Writer()
    materials = list(dict.fromkeys(primitive.material for primitive in primitives))
    count = len(table["id"])
    parts = [_primitive(writer, p, materials.index(p.material), count) for p in primitives]
    matrix = _ROTATION.copy()
    matrix[:3, 3] = _ROTATION[:3, :3] @ center
    properties = {}
    for name, values in table.items():
        text, offsets = encode_strings(values)
        properties[name] = {
            "values": writer.view(text),
            "stringOffsets": writer.view(offsets),
            "stringOffsetType": "UINT32",
        }
    document = {
        "asset": {"version": "2.0", "generator": "cim-twin"},
        "extensionsUsed": ["EXT_mesh_features", "EXT_structural_metadata"],
        "extensions": {
            "EXT_structural_metadata": {
                "schema": schema(table),
                "propertyTables": [{"class": CLASS, "count": count, "properties": properties}],
            }
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "matrix": matrix.T.ravel().tolist()}],
        "meshes": [{"primitives": parts}],
        "materials": [_material(material) for material in materials],
        "accessors": writer.accessors,
        "bufferViews": writer.views,
        "buffers": [{"byteLength": writer.length}],
    }
    return _pack(document, b"".join(writer.chunks))


def _primitive(writer: _Writer, part: Primitive, material: int, count: int) -> dict[str, Any]:
    positions = part.positions.astype("<f4")
    vertices = len(positions)
    # A feature id is an integer without padding to four bytes only as two components; one uint16
    # with a stride of four is what vertex attributes ask for.
    rows = np.zeros((vertices, 2), "<u2")
    rows[:, 0] = part.rows
    wide = vertices > 65_534
    indices = part.triangles.ravel().astype("<u4" if wide else "<u2")
    return {
        "attributes": {
            "POSITION": writer.accessor(
                writer.view(positions.tobytes(), target=_ARRAY_BUFFER, byteStride=12),
                _FLOAT, vertices, "VEC3",
                min=positions.min(axis=0).tolist(), max=positions.max(axis=0).tolist(),
            ),
            "NORMAL": writer.accessor(
                writer.view(
                    _unit(part.normals).tobytes(), target=_ARRAY_BUFFER, byteStride=12
                ),
                _FLOAT, vertices, "VEC3",
            ),
            "_FEATURE_ID_0": writer.accessor(
                writer.view(rows.tobytes(), target=_ARRAY_BUFFER, byteStride=4),
                _UNSIGNED_SHORT, vertices, "SCALAR",
            ),
        },
        "indices": writer.accessor(
            writer.view(indices.tobytes(), target=_ELEMENT_ARRAY_BUFFER),
            _UNSIGNED_INT if wide else _UNSIGNED_SHORT, len(indices), "SCALAR",
        ),
        "material": material,
        "mode": 4,
        "extensions": {
            "EXT_mesh_features": {
                "featureIds": [{"featureCount": count, "attribute": 0, "propertyTable": 0}]
            }
        },
    }  # fmt: skip


def _unit(normals: Floats) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(
        "<f4"
    )
    return unit


def _material(material: Material) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": material.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": list(material.color),
            "metallicFactor": 0.0,
            "roughnessFactor": 0.85,
        },
        "doubleSided": True,  # surfaces of models are often open, or turned inside out
    }
    if material.color[3] < 1.0:
        described["alphaMode"] = "BLEND"
    return described


def _pack(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    binary += b"\0" * (-len(binary) % 8)
    total = 12 + 8 + len(text) + 8 + len(binary)
    return b"".join(
        [
            struct.pack("<III", _MAGIC, 2, total),
            struct.pack("<II", len(text), _JSON), text,
            struct.pack("<II", len(binary), _BIN), binary,
        ]
    )  # fmt: skip


def read_glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON document and the binary chunk of a GLB; raises `ValueError` if it is not one."""
    magic, version, total = struct.unpack_from("<III", data)
    if magic != _MAGIC or version != 2 or total != len(data):
        raise ValueError("not a binary glTF 2.0 file of the length it claims")
    size, kind = struct.unpack_from("<II", data, 12)
    if kind != _JSON:
        raise ValueError("the first chunk is not JSON")
    document: dict[str, Any] = json.loads(data[20 : 20 + size])
    binary_size, kind = struct.unpack_from("<II", data, 20 + size)
    if kind != _BIN:
        raise ValueError("the second chunk is not binary")
    start = 28 + size
    return document, data[start : start + binary_size]
