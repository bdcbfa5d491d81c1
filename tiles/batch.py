"""From features to the primitives of one tile: meshes placed, merged by material."""

from collections.abc import Mapping, Sequence

import numpy as np

from cim_core.feature import Feature
from cim_core.mesh import Floats, Material, Mesh
from tiles.glb import Primitive
from tiles.shading import Shaded, shade


class Shader:
    """Shades each mesh once, however often it is placed."""

    def __init__(self, meshes: Mapping[str, Mesh]) -> None:
        self._meshes = meshes
        self._shaded: dict[str, Shaded] = {}

    def material(self, key: str) -> Material:
        """The material of a mesh."""
        return self._meshes[key].material

    def __getitem__(self, key: str) -> Shaded:
        if key not in self._shaded:
            self._shaded[key] = shade(self._meshes[key])
        return self._shaded[key]


def primitives(features: Sequence[Feature], shader: Shader, center: Floats) -> list[Primitive]:
    """One primitive per material; rows number the features in the order given."""
    by_material: dict[Material, list[tuple[int, Shaded, Floats]]] = {}
    for row, feature in enumerate(features):
        for instance in feature.instances:
            shaded = shader[instance.mesh_key]
            if len(shaded.triangles):
                by_material.setdefault(shader.material(instance.mesh_key), []).append(
                    (row, shaded, instance.transform)
                )
    ordered = sorted(by_material.items(), key=lambda item: (item[0].color, item[0].name))
    return [_merged(material, placed, center) for material, placed in ordered]


def _merged(
    material: Material, placed: list[tuple[int, Shaded, Floats]], center: Floats
) -> Primitive:
    positions, normals, rows, triangles = [], [], [], []
    base = 0
    for row, shaded, transform in placed:
        linear = transform[:3, :3]
        positions.append(shaded.positions @ linear.T + (transform[:3, 3] - center))
        normals.append(shaded.normals @ np.linalg.inv(linear))
        rows.append(np.full(len(shaded.positions), row))
        turned = shaded.triangles[:, ::-1] if np.linalg.det(linear) < 0 else shaded.triangles
        triangles.append(turned + np.uint32(base))
        base += len(shaded.positions)
    return Primitive(
        material,
        np.vstack(positions),
        np.vstack(normals),
        np.concatenate(rows),
        np.vstack(triangles).astype(np.uint32),
    )
