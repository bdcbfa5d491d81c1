"""How far the leaves, decoded by another decoder, are from the meshes that were imported."""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyvista

from benchmarks.outputs import leaves
from cim_core.city import City
from cim_core.mesh import Floats, solid_triangles, transformed
from tests.support.readback import triangles_by_feature

_BETWEEN = np.vstack([np.eye(3), (1 - np.eye(3)) / 2, np.full((1, 3), 1 / 3)])
"""Where a triangle is sampled, in barycentric coordinates: corners, middles of sides, middle."""


def deviations(city: Path, layer_id: str, tileset: Path) -> dict[str, float]:
    """Feature id → metres: the Hausdorff distance of what is drawn and what was imported, sampled.

    The larger of both directions; infinite for a feature of which only one of the two is there.
    """
    layer = City.open(city).load(layer_id)
    meshes = layer.meshes
    solid = solid_triangles(meshes)
    imported: dict[str, Floats] = {}
    for feature in layer.features:
        parts = [
            transformed(meshes[i.mesh_key].positions, i.transform)[
                meshes[i.mesh_key].triangles[solid[i.mesh_key]]
            ]
            for i in feature.instances
        ]
        if parts and len(surface := np.vstack(parts)):
            imported[feature.id] = surface
    drawn: dict[str, Floats] = triangles_by_feature(leaves(tileset))
    return {
        item: max(_farthest(imported[item], drawn[item]), _farthest(drawn[item], imported[item]))
        if item in imported and item in drawn
        else float("inf")
        for item in sorted(set(chain(imported, drawn)))
    }


def _farthest(one: Floats, other: Floats) -> float:
    """The farthest that samples of triangles (m, 3, 3) are from other triangles (k, 3, 3)."""
    points = np.unique(np.einsum("sc,mcx->msx", _BETWEEN, one).reshape(-1, 3), axis=0)
    nearest = _surface(other).find_closest_cell(points, return_closest_point=True)[1]
    return float(np.linalg.norm(nearest - points, axis=1).max())


def _surface(triangles: Floats) -> Any:
    corners = np.arange(3 * len(triangles)).reshape(-1, 3)
    surface: Any = pyvista.PolyData  # its annotations are wider than what it returns
    return surface.from_regular_faces(triangles.reshape(-1, 3), corners)
