"""Reading tiles by code that shares nothing with the tiler: another decoder, JSON and trimesh."""

import atexit
import json
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import trimesh

from server.viewer.build import search_path

ROOT = Path(__file__).parents[2]
VIEWER = ROOT / "server" / "viewer"
_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""glTF's y-up to the tile's z-up."""


def node(*arguments: object, text: str | None = None) -> str:
    """Run a script with Node.js and return what it prints."""
    done = subprocess.run(
        ["node", *map(str, arguments)], input=text, capture_output=True, text=True,
        env={"PATH": search_path()}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Tile:
    """A tile of a tileset: its matrix to ECEF, its content, its error, and whether it is a leaf."""

    matrix: np.ndarray
    path: Path
    error: float
    leaf: bool


def tiles(tileset: Path) -> Iterator[Tile]:
    """Every tile with a content."""
    root = json.loads(tileset.read_text())["root"]

    def walk(tile: dict, matrix: np.ndarray) -> Iterator[Tile]:
        if "transform" in tile:
            matrix = matrix @ np.array(tile["transform"]).reshape(4, 4).T
        if "content" in tile:
            path = (tileset.parent / tile["content"]["uri"]).resolve()
            yield Tile(matrix, path, tile["geometricError"], "children" not in tile)
        for child in tile.get("children", []):
            yield from walk(child, matrix)

    yield from walk(root, np.eye(4))


def leaves(tileset: Path) -> Iterator[tuple[np.ndarray, Path]]:
    """(matrix to ECEF, path of the content) of every leaf."""
    return ((tile.matrix, tile.path) for tile in tiles(tileset) if tile.leaf)


@cache
def _decoder() -> subprocess.Popen[str]:
    """It takes longer to start than a tile takes, so it stays until the tests end."""
    script = ROOT / "tests" / "test_tiles" / "decode.mjs"
    started = subprocess.Popen(
        ["node", str(script), str(VIEWER / "package.json")], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": search_path()},
    )  # fmt: skip
    atexit.register(started.communicate)
    return started


@cache
def _copies() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="decoded-")


def decoded(paths: list[Path]) -> list[Path]:
    """Plain copies of compressed GLBs."""
    folder = Path(_copies().name)
    copies = [folder / path.name for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        if not copy.exists():
            decoder = _decoder()
            print(path, copy, sep="\t", file=decoder.stdin, flush=True)
            assert decoder.stdout.readline() == f"{copy}\n"
    return copies


@dataclass(frozen=True)
class Part:
    """Triangles as drawn, in the layer's frame: (m, 3, 3), their features' ids, their normals."""

    corners: np.ndarray
    ids: np.ndarray
    normals: np.ndarray
    instanced: bool


class Plain:
    """A decoded GLB."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        length = struct.unpack_from("<I", data, 12)[0]
        self.document = json.loads(data[20 : 20 + length])
        self.binary = data[28 + length :]

    def view(self, number: int) -> bytes:
        view = self.document["bufferViews"][number]
        return self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    def accessor(self, number: int) -> np.ndarray:
        accessor = self.document["accessors"][number]
        view = self.document["bufferViews"][accessor["bufferView"]]
        kind, width = np.dtype(_KINDS[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        stride = view.get("byteStride", kind.itemsize * width)
        values = np.ndarray(
            (accessor["count"], width), kind, self.view(accessor["bufferView"]),
            accessor.get("byteOffset", 0), (stride, kind.itemsize),
        ).astype(float)  # fmt: skip
        if accessor.get("normalized"):
            values = np.maximum(values / np.iinfo(kind).max, -1)
        return values

    def column(self, name: str) -> list[str]:
        """A column of the property table."""
        metadata = self.document["extensions"]["EXT_structural_metadata"]
        column = metadata["propertyTables"][0]["properties"][name]
        described = metadata["schema"]["classes"]["feature"]["properties"][name]
        values = self.view(column["values"])
        if described["type"] == "ENUM":
            enum = metadata["schema"]["enums"][described["enumType"]]
            kind = {"UINT8": "<u1", "UINT16": "<u2"}[enum["valueType"]]
            names = {item["value"]: item["name"] for item in enum["values"]}
            return [names[v] for v in np.frombuffer(values, kind).tolist()]
        ends = np.frombuffer(self.view(column["stringOffsets"]), "<u4")
        return [values[a:b].decode() for a, b in pairwise(ends)]

    def parts(self) -> Iterator[Part]:
        ids = np.array(self.column("id"))
        root, *nodes = self.document["nodes"]
        base = np.array(root["matrix"]).reshape(4, 4).T
        for item in nodes:
            own = trimesh.transformations.compose_matrix(
                scale=item["scale"], translate=item.get("translation", [0, 0, 0]),
                angles=trimesh.transformations.euler_from_quaternion(
                    np.roll(item.get("rotation", [0, 0, 0, 1]), 1)
                ),
            )  # fmt: skip
            instancing = item.get("extensions", {}).get("EXT_mesh_gpu_instancing")
            places = [(np.eye(4), None)]
            if instancing:
                numbers = instancing["attributes"]
                rotations = self.accessor(numbers["ROTATION"])
                moves = self.accessor(numbers["TRANSLATION"])
                rows = self.accessor(numbers["_FEATURE_ID_0"])[:, 0].astype(int)
                places = []
                for turn, move, row in zip(rotations, moves, rows, strict=True):
                    matrix = trimesh.transformations.quaternion_matrix(np.roll(turn, 1))
                    matrix[:3, 3] = move
                    places.append((matrix, row))
            for primitive in self.document["meshes"][item["mesh"]]["primitives"]:
                local = self.accessor(primitive["attributes"]["POSITION"])
                facing = self.accessor(primitive["attributes"]["NORMAL"])
                faces = self.accessor(primitive["indices"])[:, 0].astype(int).reshape(-1, 3)
                for matrix, row in places:
                    whole = base @ own @ matrix
                    points = trimesh.transform_points(local, whole) @ _UP.T
                    turned = facing @ whole[:3, :3].T @ _UP.T
                    if row is None:
                        owner = self.accessor(primitive["attributes"]["_FEATURE_ID_0"])[:, 0]
                        owner = owner.astype(int)[faces]
                        assert (owner == owner[:, :1]).all(), "a triangle belongs to one feature"
                        owner = owner[:, 0]
                    else:
                        owner = np.full(len(faces), row)
                    yield Part(points[faces], ids[owner], turned[faces], row is not None)


def triangles_by_feature(paths: list[Path]) -> dict[str, np.ndarray]:
    """The triangles (m, 3, 3) of every feature in some tiles, in the layer's frame."""
    found: dict[str, list[np.ndarray]] = {}
    for path in decoded(paths):
        for part in Plain(path).parts():
            for feature in np.unique(part.ids):
                found.setdefault(str(feature), []).append(part.corners[part.ids == feature])
    return {feature: np.vstack(parts) for feature, parts in found.items()}


def ecef_vertices(tileset: Path) -> np.ndarray:
    """All vertices of the leaves of a tileset as (n, 3) EPSG:4978 metres."""
    found = [
        trimesh.transform_points(part.corners.reshape(-1, 3), matrix)
        for matrix, path in leaves(tileset)
        for part in Plain(decoded([path])[0]).parts()
    ]
    return np.vstack(found)
