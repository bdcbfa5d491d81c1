"""Reading tile contents back, decompressed: for checking what is about to be published."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from tiles import meshopt
from tiles.glb import read_glb
from tiles.metadata import decode_enum, decode_strings
from tiles.turns import matrices

_COMPONENTS = {
    5120: "<i1",
    5121: "<u1",
    5122: "<i2",
    5123: "<u2",
    5125: "<u4",
    5126: "<f4",
}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A primitive where it is drawn: once for each instance.

    positions
        (n, 3) float64, metres in the layer's frame.
    triangles
        (m, 3) into `positions`.
    rows
        (n,) the row of the property table that each vertex belongs to.
    """

    positions: Floats
    triangles: NDArray[np.int64]
    rows: NDArray[np.int64]


class Glb:
    """One tile's content; raises `ValueError` where the file contradicts itself."""

    def __init__(self, data: bytes) -> None:
        self.document, self._binary = read_glb(data)
        self._views: dict[int, bytes] = {}
        for view in self.document["bufferViews"]:
            source = _stored(view)
            if source["byteOffset"] % 8 or source["byteOffset"] + source["byteLength"] > len(self._binary):  # fmt: skip
                raise ValueError("a buffer view is misaligned or too long")

    def table(self) -> dict[str, list[str]]:
        """The property table by column."""
        metadata = self.document["extensions"]["EXT_structural_metadata"]
        [table] = metadata["propertyTables"]
        properties = metadata["schema"]["classes"][table["class"]]["properties"]
        columns: dict[str, list[str]] = {}
        for key, column in table["properties"].items():
            values = self._view(column["values"])
            enum = properties[key].get("enumType")
            name = properties[key].get("name", key)
            columns[name] = (
                decode_strings(values, self._view(column["stringOffsets"])) if enum is None
                else decode_enum(values, metadata["schema"]["enums"][enum])
            )  # fmt: skip
            if len(columns[name]) != table["count"]:
                raise ValueError(f"its column {name} has {len(columns[name])} of {table['count']} rows")  # fmt: skip
        return columns

    def drawn(self) -> Iterator[Drawn]:
        """Every primitive, in the layer's frame."""
        root, *nodes = self.document["nodes"]
        base = np.array(root["matrix"]).reshape(4, 4).T
        for node in nodes:
            instances = self._instances(node)
            for primitive in self.document["meshes"][node["mesh"]]["primitives"]:
                local = self.accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
                self._check_limits(primitive["attributes"]["POSITION"], local)
                indices = self.accessor(primitive["indices"]).astype(np.int64)
                if indices.max() >= len(local):
                    raise ValueError("a triangle refers to a vertex that is not there")
                for matrix, row in instances:
                    x, y, z = (base[:3, :3] @ (matrix[:3, :3] @ local.T + matrix[:3, 3:])) + base[:3, 3:]  # fmt: skip
                    ids = primitive["attributes"].get("_FEATURE_ID_0")
                    rows = np.full(len(local), row) if ids is None else self.accessor(ids)
                    yield Drawn(
                        np.column_stack([x, -z, y]),
                        indices.reshape(-1, 3),
                        rows.astype(np.int64),
                    )

    def _instances(self, node: dict[str, Any]) -> list[tuple[Floats, int]]:
        """The matrices at which a node draws its mesh, each with its feature, if it has one."""
        own = np.eye(4)
        turn = np.array([node.get("rotation", [0.0, 0.0, 0.0, 1.0])])
        own[:3, :3] = matrices(turn)[0] * node["scale"][0]
        own[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
        instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        if instancing is None:
            return [(own, -1)]
        numbers = instancing["attributes"]
        translations = self.accessor(numbers["TRANSLATION"]).astype(np.float64)
        rotations = self.accessor(numbers["ROTATION"]).astype(np.float64) / 32_767
        rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
        each = np.tile(np.eye(4), (len(translations), 1, 1))
        each[:, :3, :3] = matrices(rotations)
        each[:, :3, 3] = translations
        rows = self.accessor(numbers["_FEATURE_ID_0"]).tolist()
        return list(zip(own @ each, rows, strict=True))

    def _check_limits(self, number: int, values: Floats) -> None:
        limits = self.document["accessors"][number]
        low, high = values.min(axis=0), values.max(axis=0)
        if low.tolist() != limits["min"] or high.tolist() != limits["max"]:
            raise ValueError("an accessor's limits are not those of its data")

    def accessor(self, number: int) -> NDArray[Any]:
        """The values of an accessor, (count,) or (count, width)."""
        accessor = self.document["accessors"][number]
        view = self.document["bufferViews"][accessor["bufferView"]]
        kind = np.dtype(_COMPONENTS[accessor["componentType"]])
        width = _WIDTHS[accessor["type"]]
        stride = view.get("byteStride", kind.itemsize * width)
        array: NDArray[Any] = np.ndarray(
            (accessor["count"], width), kind, self._view(accessor["bufferView"]),
            accessor.get("byteOffset", 0), (stride, kind.itemsize),
        )  # fmt: skip
        return array if width > 1 else array[:, 0]

    def _view(self, number: int) -> bytes:
        if number not in self._views:
            self._views[number] = self._decoded(self.document["bufferViews"][number])
        return self._views[number]

    def _decoded(self, view: dict[str, Any]) -> bytes:
        source = _stored(view)
        data = self._binary[source["byteOffset"] : source["byteOffset"] + source["byteLength"]]
        if source is view:
            return data
        if source["mode"] == "TRIANGLES":
            return meshopt.decode_triangles(data, source["count"], source["byteStride"])
        rows = meshopt.decode_vertices(data, source["count"], source["byteStride"])
        match source.get("filter"):
            case "OCTAHEDRAL":
                return meshopt.decode_octahedral(rows)
            case "EXPONENTIAL":
                return _scaled(rows)
            case _:
                return rows


def _scaled(rows: bytes) -> bytes:
    """Floats of what the EXPONENTIAL filter encodes: 24 bits of number, 8 bits of exponent."""
    words = np.frombuffer(rows, "<i4")
    plain: NDArray[np.float32] = np.ldexp((words << 8) >> 8, words >> 24).astype("<f4")
    return plain.tobytes()


def _stored(view: dict[str, Any]) -> dict[str, Any]:
    """Where the bytes of a view really are."""
    stored: dict[str, Any] = view.get("extensions", {}).get("EXT_meshopt_compression", view)
    return stored
