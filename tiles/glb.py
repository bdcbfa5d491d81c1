"""Binary glTF: writing the contents of tiles, byte for byte the same from the same input.

All parts of a tile share one buffer view for each kind of data, so that a tile of many shapes has
little JSON, and each view is one stream for the compressor.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from tiles import meshopt
from tiles.metadata import CLASS, Columns, encode_enum, encode_strings, property_id, schema
from tiles.packing import Packed
from tiles.turns import turned

_BYTE, _SHORT, _UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5120, 5122, 5123, 5125, 5126
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_JSON, _BIN, _MAGIC = 0x4E4F534A, 0x004E4942, 0x46546C67
_MESHOPT = "EXT_meshopt_compression"

# glTF is y-up: (x, y, z) of the frame is (x, z, -y) there. Viewers of 3D Tiles turn it back.
_ROTATION = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True, slots=True)
class Batch:
    """Triangles of many features, each drawn once.

    rows
        (n,) the feature of each vertex.
    heading
        Radians about the vertical by which the lattice is turned against the frame.
    """

    packed: Packed
    rows: NDArray[np.int64]
    heading: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """A shape drawn k times.

    rows
        (k,) the feature of each.
    translations, rotations
        (k, 3) metres from the tile's centre, (k, 4) unit quaternions x, y, z, w.
    scale
        One factor for all: map projections have one that is nearly, not quite, 1.
    """

    packed: Packed
    rows: NDArray[np.int64]
    translations: Floats
    rotations: Floats
    scale: float


@dataclass(slots=True)
class _Stream:
    """A buffer view to be: rows of one kind, part after part."""

    component: int
    kind: str
    normalized: bool = False
    filter: str | None = None
    chunks: list[NDArray[Any]] = field(default_factory=list)
    rows: int = 0

    def add(self, data: NDArray[Any]) -> int:
        """Append rows (n, width) and return the number of the first."""
        self.chunks.append(data)
        self.rows += len(data)
        return self.rows - len(data)


class _Writer:
    """Collects streams, then lays them out."""

    def __init__(self) -> None:
        self.streams: dict[str, _Stream] = {
            "position": _Stream(_SHORT, "VEC3"),
            "float position": _Stream(_FLOAT, "VEC3"),
            "wide position": _Stream(
                _FLOAT, "VEC3", filter="EXPONENTIAL" if meshopt.AVAILABLE else None
            ),
            "normal": _Stream(
                _BYTE, "VEC3", True, filter="OCTAHEDRAL" if meshopt.AVAILABLE else None
            ),
            "color": _Stream(_UNSIGNED_SHORT, "VEC4", True),
            "row": _Stream(_UNSIGNED_SHORT, "SCALAR"),
            "translation": _Stream(_FLOAT, "VEC3"),
            "rotation": _Stream(_SHORT, "VEC4", True),
            "index": _Stream(_UNSIGNED_SHORT, "SCALAR"),
            "long index": _Stream(_UNSIGNED_INT, "SCALAR"),
        }
        self.accessors: list[dict[str, Any]] = []
        self._pending: list[tuple[str, int]] = []
        self.views: list[dict[str, Any]] = []
        self.chunks: list[bytes] = []
        self.length = self.fallback = 0

    def accessor(self, name: str, data: NDArray[Any], **more: Any) -> int:
        """Add an accessor of rows (n, width) to a stream."""
        stream = self.streams[name]
        first = stream.add(data)
        self._pending.append((name, first * data.shape[1] * data.itemsize))
        self.accessors.append(
            {"componentType": stream.component, "count": len(data), "type": stream.kind,
             **({"normalized": True} if stream.normalized else {}), **more}
        )  # fmt: skip
        return len(self.accessors) - 1

    def bytes_view(self, data: bytes) -> int:
        """Add a buffer view of plain bytes; all begin at multiples of eight, as tables need."""
        # A view must hold at least a byte; a column of empty strings has none.
        data = data or b"\0"
        self.views.append({"buffer": 0, "byteOffset": self._append(data), "byteLength": len(data)})
        return len(self.views) - 1

    def _append(self, data: bytes) -> int:
        offset = self.length
        self.chunks.append(data + b"\0" * (-len(data) % 8))
        self.length += len(data) + -len(data) % 8
        return offset

    def lay_out(self) -> None:
        """Turn the streams into buffer views and tell the accessors where they are."""
        numbers: dict[str, int] = {}
        for name, stream in self.streams.items():
            if stream.rows:
                numbers[name] = len(self.views)
                self.views.append(self._view(stream, np.vstack(stream.chunks), "index" in name))
        for accessor, (name, offset) in zip(self.accessors, self._pending, strict=True):
            accessor["bufferView"] = numbers[name]
            if offset:
                accessor["byteOffset"] = offset

    def _view(self, stream: _Stream, data: NDArray[Any], indices: bool) -> dict[str, Any]:
        stride = data.shape[1] * data.itemsize
        view: dict[str, Any] = {"buffer": 0, "byteOffset": 0, "byteLength": data.nbytes}
        view |= {"target": _ELEMENT_ARRAY_BUFFER} if indices else {"target": _ARRAY_BUFFER, "byteStride": stride}  # fmt: skip
        if not meshopt.AVAILABLE:
            view["byteOffset"] = self._append(data.tobytes())
            return view
        packed = (
            meshopt.encode_triangles(data[:, 0].astype(np.uint32)) if indices
            else meshopt.encode_vertices(data)
        )  # fmt: skip
        view |= {"buffer": 1, "byteOffset": self.fallback}
        self.fallback += data.nbytes + -data.nbytes % 8
        view["extensions"] = {
            _MESHOPT: {
                "buffer": 0, "byteOffset": self._append(packed), "byteLength": len(packed),
                "byteStride": stride, "count": len(data),
                "mode": "TRIANGLES" if indices else "ATTRIBUTES",
                **({"filter": stream.filter} if stream.filter else {}),
            }
        }  # fmt: skip
        return view


class _Materials:
    """The materials of a tile by look; None is "coloured by its vertices"."""

    def __init__(self) -> None:
        self.described: list[dict[str, Any]] = []
        self._known: dict[tuple[tuple[float, ...] | None, bool], int] = {}

    def number(self, color: tuple[float, ...] | None, *, opaque: bool) -> int:
        key = (color, opaque)
        if key not in self._known:
            self._known[key] = len(self.described)
            self.described.append(
                {
                    "pbrMetallicRoughness": {
                        **({} if color is None else {"baseColorFactor": [round(c, 5) for c in color]}),
                        "metallicFactor": 0.0,
                        "roughnessFactor": 0.85,
                    },
                    "doubleSided": True,  # surfaces of models are often open, or turned inside out
                    **({} if opaque else {"alphaMode": "BLEND"}),
                }
            )  # fmt: skip
        return self._known[key]


def write_glb(
    center: Floats, batches: Sequence[Batch], repeats: Sequence[Repeats], table: Columns
) -> bytes:
    """A tile's content around `center` (3,), with one property table for its features."""
    writer, materials = _Writer(), _Materials()
    count = len(table["id"])
    meshes: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for batch in batches:
        ids = writer.accessor("row", _rows(batch.rows))
        feature_ids = {"featureIds": [{"featureCount": count, "attribute": 0, "propertyTable": 0}]}
        extra = {"attributes": {"_FEATURE_ID_0": ids}, "extensions": {"EXT_mesh_features": feature_ids}}  # fmt: skip
        nodes.append({**_placed(batch, center), "mesh": len(meshes)})
        meshes.append({"primitives": _primitives(writer, materials, batch.packed, extra)})
    for repeat in repeats:
        nodes.append({**_instances(writer, repeat, count), "mesh": len(meshes)})
        meshes.append({"primitives": _primitives(writer, materials, repeat.packed, {})})
    tables = _tables(writer, table)
    writer.lay_out()
    matrix = _ROTATION.copy()
    matrix[:3, 3] = _ROTATION[:3, :3] @ center
    used = ["EXT_structural_metadata", "KHR_mesh_quantization"]
    required = ["KHR_mesh_quantization"]
    used += ["EXT_mesh_features"] if batches else []
    if repeats:
        used += ["EXT_instance_features", "EXT_mesh_gpu_instancing"]
        required += ["EXT_mesh_gpu_instancing"]
    buffers: list[dict[str, Any]] = [{"byteLength": writer.length}]
    if writer.fallback:
        used.append(_MESHOPT)
        required.append(_MESHOPT)
        # The buffer that a reader without the extension would need, and that is not there.
        buffers.append(
            {
                "byteLength": writer.fallback,
                "extensions": {_MESHOPT: {"fallback": True}},
            }
        )
    document = {
        "asset": {"version": "2.0", "generator": "cim-twin"},
        "extensionsUsed": sorted(used),
        "extensionsRequired": sorted(required),
        "extensions": {"EXT_structural_metadata": tables},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {
                "matrix": matrix.T.ravel().tolist(),
                "children": list(range(1, len(nodes) + 1)),
            },
            *nodes,
        ],
        "meshes": meshes,
        "materials": materials.described,
        "accessors": writer.accessors,
        "bufferViews": writer.views,
        "buffers": buffers,
    }
    return _pack(document, b"".join(writer.chunks))


def _tables(writer: _Writer, table: Columns) -> dict[str, Any]:
    described = schema(table)
    enums = described.get("enums", {})
    properties: dict[str, Any] = {}
    for name, values in table.items():
        key = property_id(name)
        if key in enums:
            properties[key] = {"values": writer.bytes_view(encode_enum(values, enums[key]))}
            continue
        text, offsets = encode_strings(values)
        properties[key] = {
            "values": writer.bytes_view(text),
            "stringOffsets": writer.bytes_view(offsets),
            "stringOffsetType": "UINT32",
        }
    return {
        "schema": described,
        "propertyTables": [{"class": CLASS, "count": len(table["id"]), "properties": properties}],
    }


def _placed(batch: Batch, center: Floats) -> dict[str, Any]:
    half = np.array([0.0, 0.0, np.sin(batch.heading / 2), np.cos(batch.heading / 2)])
    origin = turned(half[None, :], batch.packed.origin)[0] - center
    placed = {"translation": origin.tolist(), "scale": [batch.packed.step] * 3}
    return placed if batch.heading == 0 else {**placed, "rotation": half.tolist()}


def _instances(writer: _Writer, repeat: Repeats, count: int) -> dict[str, Any]:
    """A node that draws its mesh many times.

    Instances have no scale of their own, as readers' boxes would miss it: what the lattice took
    away, the node gives back.
    """
    packed = repeat.packed
    scale = packed.step * repeat.scale
    # The mesh is centred on its own origin: where that comes to stand is the translation.
    moved = turned(repeat.rotations, packed.origin * repeat.scale)
    # Eighths of a step are more than the lattice has, and short in JSON.
    translations = (np.rint((repeat.translations + moved) / scale * 8) / 8).astype(np.float32)
    rotations = np.rint(repeat.rotations * 32_767).astype(np.int16)
    return {
        "scale": [scale] * 3,
        "extensions": {
            "EXT_mesh_gpu_instancing": {
                "attributes": {
                    "TRANSLATION": writer.accessor("translation", translations, **_limits(translations)),
                    "ROTATION": writer.accessor("rotation", rotations),
                    "_FEATURE_ID_0": writer.accessor("row", _rows(repeat.rows)),
                }
            },
            "EXT_instance_features": {
                "featureIds": [{"featureCount": count, "attribute": 0, "propertyTable": 0}]
            },
        },
    }  # fmt: skip


def _primitives(
    writer: _Writer, materials: _Materials, packed: Packed, extra: dict[str, Any]
) -> list[dict[str, Any]]:
    """One primitive for what is opaque and one for what is not, over the same vertices."""
    stream = {"int16": "position", "int32": "wide position", "float32": "float position"}
    attributes = {
        "POSITION": writer.accessor(
            stream[packed.positions.dtype.name],
            _written(packed.positions),
            **_limits(packed.positions[:, :3]),
        ),
        "NORMAL": writer.accessor("normal", packed.normals),
    }
    if packed.colors is not None:
        attributes["COLOR_0"] = writer.accessor("color", packed.colors)
    attributes |= extra.get("attributes", {})
    parts = []
    for triangles, opaque in (
        (packed.triangles[: packed.opaque], True),
        (packed.triangles[packed.opaque :], False),
    ):
        if not len(triangles):
            continue
        long = len(packed.positions) > 65_534
        indices = triangles.reshape(-1, 1).astype("<u4" if long else "<u2")
        color = packed.color if packed.colors is None else None
        parts.append(
            {
                "attributes": attributes,
                "indices": writer.accessor("long index" if long else "index", indices),
                "material": materials.number(color, opaque=opaque),
                **({"extensions": extra["extensions"]} if extra else {}),
            }
        )
    return parts


def _written(positions: NDArray[Any]) -> NDArray[Any]:
    """Positions as their stream holds them: whole numbers of 24 bits with the exponent 0."""
    if positions.dtype != np.int32:
        return positions
    return positions & 0xFFFFFF if meshopt.AVAILABLE else positions.astype(np.float32)


def _limits(values: NDArray[Any]) -> dict[str, Any]:
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def _rows(rows: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Feature ids (n,) as vertex attributes want them: four bytes apart."""
    wide = np.zeros((len(rows), 2), "<u2")
    wide[:, 0] = rows
    return wide


def _pack(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
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
