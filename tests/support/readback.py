"""Reading tiles by code that shares nothing with the tiler: plain JSON and trimesh."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import trimesh


def leaves(tileset: Path) -> Iterator[tuple[np.ndarray, Path]]:
    """(matrix to ECEF, path of the content) of every tile with a content."""
    root = json.loads(tileset.read_text())["root"]

    def walk(tile: dict, matrix: np.ndarray) -> Iterator[tuple[np.ndarray, Path]]:
        if "transform" in tile:
            matrix = matrix @ np.array(tile["transform"]).reshape(4, 4).T
        if "content" in tile:
            yield matrix, (tileset.parent / tile["content"]["uri"]).resolve()
        for child in tile.get("children", []):
            yield from walk(child, matrix)

    yield from walk(root, np.eye(4))


def ecef_vertices(tileset: Path) -> np.ndarray:
    """All vertices of a tileset as (n, 3) EPSG:4978 metres."""
    up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # glTF's y-up to the tile's z-up
    found = []
    for matrix, path in leaves(tileset):
        scene = trimesh.load_scene(path)
        for name in scene.graph.nodes_geometry:
            transform, geometry = scene.graph[name]
            vertices = trimesh.transform_points(scene.geometry[geometry].vertices, transform)
            found.append(trimesh.transform_points(vertices @ up.T, matrix))
    return np.vstack(found)
