"""Placed meshes one by one: what is written to files and cut by planes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cim_core.feature import Feature
from cim_core.layer import Features
from cim_core.mesh import Floats, Indices, Material, transformed


@dataclass(frozen=True, slots=True)
class Body:
    """A mesh where one feature places it.

    positions
        (n, 3) float64, metres in the layer's frame.
    triangles
        (m, 3) uint32, indices into `positions`, counter-clockwise seen from outside.
    """

    feature: Feature
    material: Material
    positions: Floats
    triangles: Indices


def bodies(content: Features) -> Iterator[Body]:
    """Every placement of every feature that has triangles, in their order."""
    for feature in content.features:
        for instance in feature.instances:
            mesh = content.meshes[instance.mesh_key]
            if len(mesh.triangles) == 0:
                continue
            positions = transformed(mesh.positions, instance.transform)
            mirrored = np.linalg.det(instance.transform[:3, :3]) < 0
            triangles = mesh.triangles[:, ::-1] if mirrored else mesh.triangles
            yield Body(feature, mesh.material, positions, triangles)
