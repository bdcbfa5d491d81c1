"""Mapped items as instances: one mesh for all products that place the same representation.

The kernel bakes a mapped item's own transformation into the mesh. Taken out again, the meshes of one
source are equal, however their products turn, scale or mirror it.
"""

from collections.abc import Sequence
from dataclasses import replace

import ifcopenshell
import ifcopenshell.util.placement
import numpy as np
from ifcopenshell import entity_instance

from cim_core.mesh import Floats, Mesh, transformed

_LARGEST = 4.0
"""Times; what is enlarged more keeps its own mesh, since rounding would be enlarged with it."""


def unbaked(
    product: entity_instance, unit: float, meshes: tuple[Mesh, ...]
) -> tuple[Floats, tuple[Mesh, ...]]:
    """The transformation of a product that is one mapped item, and its meshes without it.

    `unit` is the file's length unit in metres. The meshes of all other products stay as they are,
    under the identity.
    """
    target = _mapping_target(product, unit)
    if target is None:
        return np.eye(4), meshes
    undo = np.asarray(np.linalg.inv(target), np.float64)
    bodies = [replace(mesh, positions=transformed(mesh.positions, undo)) for mesh in meshes]
    # Of two kernels, one turns the triangles of what is mirrored and the other does not.
    if np.linalg.det(target) < 0 and _volume(bodies) < 0:
        bodies = [replace(body, triangles=body.triangles[:, ::-1]) for body in bodies]
    return target, tuple(bodies)


def _volume(bodies: Sequence[Mesh]) -> float:
    """Cubic metres inside a body; negative when its triangles face inwards."""
    corners = np.concatenate([body.positions[body.triangles] for body in bodies])
    a, b, c = np.swapaxes(corners - corners.reshape(-1, 3).mean(axis=0), 0, 1)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _mapping_target(product: entity_instance, unit: float) -> Floats | None:
    for representation in product.Representation.Representations or ():
        items: Sequence[entity_instance] = representation.Items or ()
        if representation.RepresentationType != "MappedRepresentation" or len(items) != 1:
            continue
        if not items[0].MappingTarget.is_a("IfcCartesianTransformationOperator3D"):
            continue
        matrix = ifcopenshell.util.placement.get_mappeditem_transformation(items[0])
        target = np.array(matrix, np.float64)
        target[:3, 3] *= unit
        sizes = np.linalg.norm(target[:3, :3], axis=0)
        if abs(np.linalg.det(target)) > 1e-9 and sizes.max() <= _LARGEST:
            return target
    return None
