"""Mapped items as instances: one mesh for all products that place the same representation.

The kernel bakes a mapped item's own transformation into the mesh. Taken out again, the meshes of one
source are equal but for rounding, and are kept once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import ifcopenshell
import ifcopenshell.util.placement
import ifcopenshell.util.unit
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_geometry import Shape
from cim_core.mesh import Floats, Mesh, transformed

_ROUNDING = 1e-6
"""Metres by which two meshes of one source may differ after their transformations are undone."""


def shared(model: ifcopenshell.file, shapes: Mapping[int, Shape]) -> dict[int, Shape]:
    """The shapes by STEP id, those that are one mapped item each sharing their source's meshes.

    Products with openings, or of several mapped items, keep the mesh the kernel made.
    """
    unit = ifcopenshell.util.unit.calculate_unit_scale(model)
    sources: dict[tuple[object, ...], list[Shape]] = {}
    result: dict[int, Shape] = {}
    for step in sorted(shapes):
        shape = shapes[step]
        placed = _mapped_item(model.by_id(step), unit)
        if placed is not None:
            shape = _shared(shape, *placed, sources)
        result[step] = shape
    return result


def _shared(
    shape: Shape, source: int, target: Floats, sources: dict[tuple[object, ...], list[Shape]]
) -> Shape:
    undo = np.asarray(np.linalg.inv(target), np.float64)
    meshes = tuple(replace(m, positions=transformed(m.positions, undo)) for m in shape.meshes)
    kind = (source, *((mesh.material, len(mesh.triangles)) for mesh in meshes))
    known = sources.setdefault(kind, [])
    matrix = shape.matrix @ target
    for candidate in known:
        if _alike(candidate.meshes, meshes):
            return Shape(candidate.geometry, matrix, candidate.meshes)
    known.append(Shape(f"mapped {source} {len(sources)} {len(known)}", matrix, meshes))
    return known[-1]


def _alike(ours: tuple[Mesh, ...], theirs: tuple[Mesh, ...]) -> bool:
    """The same vertices and the same area, whatever the order.

    The kernel may begin elsewhere, or cut a flat face along another diagonal.
    """
    return all(
        a.positions.shape == b.positions.shape
        and float(np.abs(_sorted(a) - _sorted(b)).max(initial=0.0)) <= _ROUNDING
        and math.isclose(a.area(), b.area(), rel_tol=_ROUNDING)
        for a, b in zip(ours, theirs, strict=True)
    )


def _sorted(mesh: Mesh) -> Floats:
    order = np.lexsort(np.round(mesh.positions, 4).T)
    return np.asarray(mesh.positions[order], np.float64)


def _mapped_item(product: entity_instance, unit: float) -> tuple[int, Floats] | None:
    """The source of a product that is one mapped item, and its transformation in metres."""
    for representation in product.Representation.Representations or ():
        items: Sequence[entity_instance] = representation.Items or ()
        if representation.RepresentationType != "MappedRepresentation" or len(items) != 1:
            continue
        if not items[0].MappingTarget.is_a("IfcCartesianTransformationOperator3D"):
            continue
        matrix = ifcopenshell.util.placement.get_mappeditem_transformation(items[0])
        target = np.array(matrix, np.float64)
        target[:3, 3] *= unit
        if abs(np.linalg.det(target)) > 1e-9:
            return int(items[0].MappingSource.id()), target
    return None
