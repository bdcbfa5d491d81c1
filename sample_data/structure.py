"""The structural frame: columns and beams as types, and slabs from an outline."""

from __future__ import annotations

from collections.abc import Sequence

import ifcopenshell

from sample_data.author import At, Author, Storey
from sample_data.palette import CONCRETE, RC
from sample_data.psets import Value
from sample_data.solids import Box, Point2, Prism, Solid

Entity = ifcopenshell.entity_instance

FIRE = {"Column": "3.00h", "Beam": "2.00h", "Slab": "1.50h"}


class Frame:
    """Columns and beams of one building; equal sizes share one type and its geometry.

    `column` and `beam` are the widths of both in metres, `depth` the depth of the beams.
    """

    def __init__(
        self, author: Author, column: float, beam: float, depth: float, style: str = CONCRETE
    ) -> None:
        self.author, self.style = author, style
        self.column_width, self.beam_width, self.depth = column, beam, depth
        self._types: dict[str, Entity] = {}

    def column(self, storey: Storey, x: float, y: float, height: float, name: str) -> Entity:
        """Place a column with its lower corner at (x, y) on the storey's floor."""
        size = self.column_width
        label = f"KZ-{size * 1000:.0f} 混凝土柱 RC column H{height * 1000:.0f}"
        kind = self._type("IfcColumnType", label, Box(0, 0, 0, size, size, height, self.style))
        entity = self.author.element("IfcColumn", name, storey, At(x, y), kind=kind)
        self._describe(entity, "Column", height, size * size)
        return entity

    def beam(
        self, storey: Storey, at: At, length: float, name: str, style: str | None = None
    ) -> Entity:
        """Place a beam along its own x axis; `at` is its lower right corner."""
        width, depth, colour = self.beam_width, self.depth, style or self.style
        label = f"KL-{width * 1000:.0f}x{depth * 1000:.0f} 混凝土梁 RC beam L{length * 1000:.0f}"
        if colour != self.style:
            label += " 外墙 Facade"
        kind = self._type("IfcBeamType", label, Box(0, 0, 0, length, width, depth, colour))
        entity = self.author.element("IfcBeam", name, storey, at, kind=kind)
        self._describe(entity, "Beam", length, width * depth)
        return entity

    def _type(self, ifc_class: str, label: str, box: Box) -> Entity:
        if label not in self._types:
            part = ifc_class.removeprefix("Ifc").removesuffix("Type").upper()
            self._types[label] = self.author.type(ifc_class, label, [box], RC, PredefinedType=part)
        return self._types[label]

    def _describe(self, entity: Entity, part: str, length: float, section: float) -> None:
        kind = "KZ" if part == "Column" else "KL"
        values: dict[str, Value] = {
            "Reference": f"{kind}-{self.column_width * 1000:.0f}",
            "LoadBearing": True,
            "IsExternal": False,
            "FireRating": FIRE[part],
        }
        if self.author.old and part == "Column":
            # The IFC2X3 set has no load-bearing flag: a column is one by definition.
            values.pop("LoadBearing")
        self.author.properties.add(entity, f"Pset_{part}Common", values)
        self.author.properties.quantities(
            entity,
            f"Qto_{part}BaseQuantities",
            {
                "Length": self.author.shapes.length(length),
                "CrossSectionArea": section,
                "GrossVolume": section * length,
            },
        )


def slab(
    author: Author,
    storey: Storey,
    name: str,
    outline: Sequence[Point2],
    top: float,
    thickness: float,
    kind: Entity,
    style: str,
    trim: Sequence[Solid] = (),
    part: str = "FLOOR",
) -> Entity:
    """Build a slab whose upper face is at `top` in the storey's frame (m)."""
    body = [Prism(tuple(outline), "z", top - thickness, thickness, style), *trim]
    entity = author.element("IfcSlab", name, storey, At(), body, kind, RC, PredefinedType=part)
    values: dict[str, Value] = {
        "Reference": kind.Name.split()[0],
        "LoadBearing": True,
        "IsExternal": part == "ROOF",
        "FireRating": FIRE["Slab"],
        "ThermalTransmittance": 0.6 if part == "ROOF" else 1.8,
    }
    author.properties.add(entity, "Pset_SlabCommon", values)
    area = polygon_area(outline)
    author.properties.quantities(
        entity,
        "Qto_SlabBaseQuantities",
        {
            "Width": author.shapes.length(thickness),
            "GrossArea": area,
            "GrossVolume": area * thickness,
        },
    )
    return entity


def polygon_area(outline: Sequence[Point2]) -> float:
    """Return the area of a simple polygon (m2), by the shoelace formula."""
    shifted = [*outline[1:], outline[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(outline, shifted, strict=True))) / 2


def rectangle(x: float, y: float, dx: float, dy: float) -> tuple[Point2, ...]:
    """Return the outline of an axis-parallel rectangle, counter-clockwise."""
    return ((x, y), (x + dx, y), (x + dx, y + dy), (x, y + dy))
