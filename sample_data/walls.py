"""Walls with their doors and windows, and the properties both carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ifcopenshell
import ifcopenshell.util.element

from sample_data.author import At, Author, Storey
from sample_data.components import Fitting
from sample_data.psets import Value
from sample_data.solids import Box, Solid

Entity = ifcopenshell.entity_instance

# Openings reach past the faces and the foot of the wall, so that no two faces coincide.
REACH = 0.05


@dataclass(frozen=True)
class WallKind:
    """A wall construction: thickness in metres, u-value in W/(m2 K), fire rating in hours.

    The wall's reference line is its outer face; the thickness extends to the left of it.
    """

    entity: Entity
    reference: str
    thickness: float
    style: str
    usage: Entity
    external: bool
    fire: float
    u_value: float
    bearing: bool


@dataclass(frozen=True)
class Hole:
    """A door or window in a wall: x along the wall and sill height z (m)."""

    fitting: Fitting
    x: float
    z: float
    name: str


def wall_kind(
    author: Author,
    reference: str,
    name: str,
    layers: list[tuple[str, float]],
    style: str,
    external: bool = False,
    fire: float = 1.0,
    u_value: float = 2.0,
    bearing: bool = False,
) -> WallKind:
    """Create a wall type with its layer set and the layer set usage its walls share."""
    entity = author.layered("IfcWallType", f"{reference} {name}", layers)
    layer_set = ifcopenshell.util.element.get_material(entity)
    usage = author.file.create_entity(
        "IfcMaterialLayerSetUsage",
        ForLayerSet=layer_set,
        LayerSetDirection="AXIS2",
        DirectionSense="POSITIVE",
        OffsetFromReferenceLine=0.0,
    )
    thickness = round(sum(size for _, size in layers), 4)
    return WallKind(entity, reference, thickness, style, usage, external, fire, u_value, bearing)


def wall(
    author: Author,
    storey: Storey,
    kind: WallKind,
    name: str,
    at: At,
    length: float,
    height: float,
    holes: Sequence[Hole] = (),
    trim: Sequence[Solid] = (),
) -> Entity:
    """Build a wall from `at` along its own x axis and hang its doors and windows.

    `trim` adds solids in the wall's frame, such as a coping, and makes it a plain wall.
    """
    body = [Box(0.0, 0.0, 0.0, length, kind.thickness, height, kind.style), *trim]
    ifc_class = "IfcWallStandardCase" if author.old and not trim else "IfcWall"
    entity = author.element(ifc_class, name, storey, at, body, kind.entity)
    entity.Tag = kind.reference
    _add_axis(author, entity, length)
    author.note_usage(entity, kind.usage)
    for hole in holes:
        _hang(author, storey, kind, entity, hole)
    _describe(author, entity, kind, length, height, sum(h.fitting.area for h in holes))
    return entity


def _hang(author: Author, storey: Storey, kind: WallKind, host: Entity, hole: Hole) -> None:
    fitting = hole.fitting
    foot = REACH if hole.z < REACH else 0.0
    box = Box(
        hole.x,
        -REACH,
        hole.z - foot,
        fitting.width,
        kind.thickness + 2 * REACH,
        fitting.height + foot,
        "",
    )
    opening = author.cut(host, box, f"{hole.name} 洞口 Opening")
    filling = author.element(
        fitting.ifc_class,
        hole.name,
        opening,
        At(y=REACH, z=foot),
        kind=fitting.entity,
        OverallWidth=author.shapes.length(fitting.width),
        OverallHeight=author.shapes.length(fitting.height),
    )
    filling.Tag = fitting.reference
    storey.elements.append(filling)
    author.fill(opening, filling)
    values: dict[str, Value] = {"Reference": fitting.reference, "IsExternal": kind.external}
    values |= {"ThermalTransmittance": fitting.u_value, **fitting.extra}
    pset = "Pset_DoorCommon" if fitting.ifc_class == "IfcDoor" else "Pset_WindowCommon"
    author.properties.add(filling, pset, values)
    author.properties.quantities(
        filling,
        "Qto_DoorBaseQuantities" if fitting.ifc_class == "IfcDoor" else "Qto_WindowBaseQuantities",
        {
            "Width": author.shapes.length(fitting.width),
            "Height": author.shapes.length(fitting.height),
            "Area": fitting.area,
        },
    )


def _describe(
    author: Author, entity: Entity, kind: WallKind, length: float, height: float, holes: float
) -> None:
    author.properties.add(
        entity,
        "Pset_WallCommon",
        {
            "Reference": kind.reference,
            "LoadBearing": kind.bearing,
            "IsExternal": kind.external,
            "FireRating": f"{kind.fire:.2f}h",
            "ThermalTransmittance": kind.u_value,
            "Combustible": False,
        },
    )
    side = length * height
    author.properties.quantities(
        entity,
        "Qto_WallBaseQuantities",
        {
            "Length": author.shapes.length(length),
            "Width": author.shapes.length(kind.thickness),
            "Height": author.shapes.length(height),
            "GrossFootprintArea": length * kind.thickness,
            "GrossSideArea": side,
            "NetSideArea": side - holes,
            "GrossVolume": side * kind.thickness,
            "NetVolume": (side - holes) * kind.thickness,
        },
    )


def _add_axis(author: Author, entity: Entity, length: float) -> None:
    """Add the reference line, which IfcWallStandardCase asks for and every wall may have."""
    points = [author.shapes.point(0.0, 0.0), author.shapes.point(length, 0.0)]
    line = author.file.create_entity("IfcPolyline", Points=points)
    shape = author.shapes.representation("Axis", "Curve2D", [line], author.axis)
    definition = entity.Representation
    definition.Representations = [shape, *definition.Representations]
