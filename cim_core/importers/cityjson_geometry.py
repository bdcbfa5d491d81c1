"""The geometry of CityJSON: which one is taken, and its surfaces as triangles by material."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.importers.styles import linear, surface_material
from cim_core.mesh import Floats, Indices, Material, Mesh
from cim_core.triangulate import NO_AREA, NoArea, NotFilled, triangulated

_DEPTHS = {"MultiSurface": 1, "CompositeSurface": 1, "Solid": 2, "MultiSolid": 3, "CompositeSolid": 3}  # fmt: skip
"""How deep the list of surfaces lies in the boundaries."""

_SOLIDS = ("Solid", "CompositeSolid", "MultiSolid")


class Malformed(ValueError):
    """Geometry that is not laid out as CityJSON has it."""


@dataclass(slots=True)
class Faces:
    """Triangles in the vertices of a block, by material, and the surfaces that had none.

    triangles
        (m, 3) each, indices into the block's vertices.
    flat, crossing
        How many surfaces were left out, since they have no area or cross themselves.
    """

    triangles: dict[Material, list[Indices]] = field(default_factory=dict)
    flat: int = 0
    crossing: int = 0

    def add_triangles(self, material: Material, corners: NDArray[np.int64], vertices: Floats) -> None:  # fmt: skip
        """Surfaces that are triangles already, (m, 3): many at once."""
        solid = Mesh(vertices, corners.astype(np.uint32)).areas() > NO_AREA
        if solid.any():
            self.triangles.setdefault(material, []).append(corners[solid].astype(np.uint32))
        self.flat += int((~solid).sum())

    def meshes(self, positions: Floats) -> list[Mesh]:
        """One mesh a material, of those `positions` (n, 3) that it uses, moved nowhere."""
        found = []
        for material, parts in self.triangles.items():
            used, flat = np.unique(np.vstack(parts), return_inverse=True)
            triangles = flat.reshape(-1, 3).astype(np.uint32)
            found.append(Mesh(positions[used], triangles, material))
        return found


def level_of(geometry: Mapping[str, Any], templates: Sequence[Mapping[str, Any]]) -> str:
    """The level of detail of a geometry, "2" or "2.2"; an instance has that of its template."""
    if geometry.get("type") == "GeometryInstance":
        geometry = templates[_index(geometry.get("template"), len(templates))]
    return str(geometry.get("lod", ""))


def chosen(
    geometries: Sequence[Mapping[str, Any]],
    templates: Sequence[Mapping[str, Any]],
    wanted: str | None,
) -> tuple[str, list[Mapping[str, Any]]]:
    """The level taken and its geometries: the highest, or the highest up to `wanted`.

    Of several that show the same thing at one level, the one with semantic surfaces is taken, then
    a solid one; instances of templates are all taken. Nothing where there is no such level.
    """
    levels = [level_of(geometry, templates) for geometry in geometries]
    allowed = [
        level for level in levels
        if wanted is None or _rank(level) <= _rank(wanted) or level.startswith(f"{wanted}.")
    ]  # fmt: skip
    if not allowed:
        return "", []
    best = max(allowed, key=_rank)
    there = [g for g, level in zip(geometries, levels, strict=True) if level == best]
    instances = [g for g in there if g.get("type") == "GeometryInstance"]
    drawn = [g for g in there if g.get("type") in _DEPTHS]
    drawn.sort(key=lambda g: ("semantics" not in g, g["type"] not in _SOLIDS))
    return best, [*drawn[:1], *instances]


def _rank(level: str) -> tuple[int, ...]:
    parts = level.split(".")
    return tuple(int(part) if part.isdigit() else -1 for part in parts)


def faces(
    geometry: Mapping[str, Any], vertices: Floats, appearance: Mapping[str, Any], plain: Material
) -> Faces:
    """The surfaces of a geometry as triangles; `vertices` (n, 3) in metres, whatever their frame.

    A surface has the colour of its appearance, else that of its semantics, else that of `plain`.
    Raises `Malformed`.
    """
    result = Faces()
    alone: dict[Material, list[Any]] = {}
    try:
        for rings, kind, look in _surfaces(geometry):
            picture = _appearance(appearance, look)
            material = picture or (surface_material(kind) if kind else None) or plain
            if len(rings) == 1 and len(rings[0]) == 3:
                alone.setdefault(material, []).append(rings[0])
                continue
            try:
                corners = [_ring(ring, len(vertices)) for ring in rings if ring]
                triangles = triangulated([vertices[ring] for ring in corners])
            except NoArea:
                result.flat += 1
                continue
            except NotFilled:
                result.crossing += 1
                continue
            result.triangles.setdefault(material, []).append(np.concatenate(corners)[triangles])
        for material, rings in alone.items():
            result.add_triangles(material, _indices(rings, len(vertices)), vertices)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise Malformed(str(error)) from error
    return result


def _indices(rings: Any, count: int) -> NDArray[np.int64]:
    """Indices of vertices, all of which there are; raises `Malformed`."""
    try:
        indices = np.array(rings, np.int64)
    except (TypeError, ValueError) as error:
        raise Malformed(str(error)) from error
    if indices.size == 0 or indices.min() < 0 or indices.max() >= count:
        raise Malformed("a surface names a vertex that does not exist")
    return indices


def _ring(indices: Sequence[int], count: int) -> Indices:
    """The corners of a ring, none twice in a row."""
    ring = _indices(indices, count)
    following = np.roll(ring, -1)
    kept: Indices = ring[ring != following].astype(np.uint32)
    if len(kept) < 3:
        raise NoArea("it has no area")
    return kept


def _surfaces(geometry: Mapping[str, Any]) -> Iterator[tuple[Any, str | None, int | None]]:
    """Each surface: its rings, the type of its semantics, the number of its appearance's material."""
    depth = _DEPTHS[geometry["type"]]
    semantics = geometry.get("semantics") or {}
    kinds = [surface.get("type") for surface in semantics.get("surfaces", ())]
    looks = next(iter((geometry.get("material") or {}).values()), None) or {}
    meanings = semantics.get("values")
    materials = looks["value"] if "value" in looks else looks.get("values")
    for rings, meaning, look in _flat(geometry["boundaries"], meanings, materials, depth):
        yield rings, None if meaning is None else kinds[_index(meaning, len(kinds))], look


def _flat(boundaries: Any, meanings: Any, materials: Any, depth: int) -> Iterator[tuple[Any, Any, Any]]:  # fmt: skip
    """Lists in lists side by side; where one of them ends early, it holds for all below."""
    for number, boundary in enumerate(boundaries):
        meaning = meanings[number] if isinstance(meanings, list) else meanings
        material = materials[number] if isinstance(materials, list) else materials
        if depth == 1:
            yield boundary, meaning, material
        else:
            yield from _flat(boundary, meaning, material, depth - 1)


def _index(value: Any, count: int) -> int:
    if not isinstance(value, int) or not 0 <= value < count:
        raise Malformed("it names something that does not exist")
    return value


def _appearance(appearance: Mapping[str, Any], number: int | None) -> Material | None:
    """A material of the appearance by its number; None without one or without a colour."""
    if number is None:
        return None
    materials = appearance.get("materials") or []
    entry = materials[_index(number, len(materials))]
    color = entry.get("diffuseColor")
    if not color:
        return None
    red, green, blue = (linear(float(channel)) for channel in color)
    opacity = 1.0 - float(entry.get("transparency", 0.0))
    return Material(str(entry.get("name", "")), (red, green, blue, opacity))


def instance_of(
    geometry: Mapping[str, Any], templates: Sequence[Mapping[str, Any]], vertices: Floats
) -> tuple[int, Floats, Floats]:
    """An instance: the number of its template, its matrix (4, 4) and where it stands (3,).

    The matrix turns and scales the template around its own origin, which comes to stand at the
    place. Raises `Malformed`.
    """
    number = _index(geometry.get("template"), len(templates))
    try:
        matrix = np.array(geometry["transformationMatrix"], np.float64).reshape(4, 4)
        place = vertices[_index(geometry["boundaries"][0], len(vertices))]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Malformed(str(error)) from error
    return number, matrix, place
