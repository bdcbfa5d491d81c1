"""Turning the solids of `solids` into IFC representation items."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import ifcopenshell
import ifcopenshell.api.style

from sample_data.palette import COLOURS
from sample_data.solids import Box, Mesh, Prism, Rod, Solid

Entity = ifcopenshell.entity_instance

# Frames of a sweep along x, y and z: (sweep direction, first axis of the outline).
_SWEEPS = {
    "x": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "y": ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0)),
    "z": ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
}


class ShapeWriter:
    """Writes solids, styles and representations into one file.

    `per_metre` is the number of project length units in a metre (1 or 1000). Points,
    directions and profiles are written once and shared, which keeps the files small.
    """

    def __init__(self, file: ifcopenshell.file, body: Entity, per_metre: float) -> None:
        self.file = file
        self.body = body
        self.per_metre = per_metre
        self.styles: dict[str, Entity] = {}
        self._assignments: dict[str, Entity] = {}
        self._shared: dict[tuple[object, ...], Entity] = {}

    def length(self, metres: float) -> float:
        """Return a length in project units, rounded to a hundredth of a millimetre."""
        return round(metres * self.per_metre, 5 if self.per_metre == 1 else 2)

    def point(self, *metres: float) -> Entity:
        """Return the shared IfcCartesianPoint at these coordinates (m)."""
        at = tuple(self.length(value) + 0.0 for value in metres)
        return self._share(("point", at), "IfcCartesianPoint", Coordinates=at)

    def direction(self, *ratios: float) -> Entity:
        """Return the shared IfcDirection with these ratios."""
        key = tuple(round(value, 12) + 0.0 for value in ratios)
        return self._share(("direction", key), "IfcDirection", DirectionRatios=key)

    def frame(
        self,
        at: tuple[float, float, float],
        axis: tuple[float, float, float] = (0.0, 0.0, 1.0),
        ref: tuple[float, float, float] = (1.0, 0.0, 0.0),
    ) -> Entity:
        """Return the shared IfcAxis2Placement3D with its origin at a point (m)."""
        return self._share(
            ("frame", at, axis, ref),
            "IfcAxis2Placement3D",
            Location=self.point(*at),
            Axis=self.direction(*axis),
            RefDirection=self.direction(*ref),
        )

    def style(self, name: str) -> Entity:
        """Return the surface style of a palette colour, made on first use."""
        if name not in self.styles:
            colour = COLOURS[name]
            style = ifcopenshell.api.style.add_style(self.file, name=name)
            rgb = {"Name": None, "Red": colour.red, "Green": colour.green, "Blue": colour.blue}
            ifcopenshell.api.style.add_surface_style(
                self.file,
                style=style,
                ifc_class="IfcSurfaceStyleRendering",
                attributes={
                    "SurfaceColour": rgb,
                    "Transparency": colour.transparency,
                    "ReflectanceMethod": "NOTDEFINED",
                },
            )
            self.styles[name] = style
        return self.styles[name]

    def shape(self, solids: Sequence[Solid]) -> Entity:
        """Return a new Body IfcShapeRepresentation of some solids, one styled item each."""
        items = []
        for solid in solids:
            item = self._item(solid)
            self.file.create_entity("IfcStyledItem", Item=item, Styles=[self._applied(solid.style)])
            items.append(item)
        if all(isinstance(solid, Mesh) for solid in solids):
            kind = "Brep" if self.file.schema == "IFC2X3" else "Tessellation"
        else:
            kind = "SweptSolid"
        return self.representation("Body", kind, items)

    def representation(
        self, identifier: str, kind: str, items: list[Entity], context: Entity | None = None
    ) -> Entity:
        """Return a new IfcShapeRepresentation."""
        return self.file.create_entity(
            "IfcShapeRepresentation",
            ContextOfItems=context or self.body,
            RepresentationIdentifier=identifier,
            RepresentationType=kind,
            Items=items,
        )

    def box(self, box: Box) -> Entity:
        """Return an extruded rectangle."""
        profile = self._share(
            ("rectangle", box.dx, box.dy),
            "IfcRectangleProfileDef",
            ProfileType="AREA",
            Position=self._flat_frame(),
            XDim=self.length(box.dx),
            YDim=self.length(box.dy),
        )
        at = (box.x + box.dx / 2, box.y + box.dy / 2, box.z)
        return self._extrusion(profile, self.frame(at), box.dz)

    def _item(self, solid: Solid) -> Entity:
        match solid:
            case Box():
                return self.box(solid)
            case Prism():
                return self._prism(solid)
            case Rod():
                return self._rod(solid)
            case Mesh():
                return self._mesh(solid)

    def _prism(self, prism: Prism) -> Entity:
        outline = [self.point(*point) for point in (*prism.outline, prism.outline[0])]
        profile = self.file.create_entity(
            "IfcArbitraryClosedProfileDef",
            ProfileType="AREA",
            OuterCurve=self.file.create_entity("IfcPolyline", Points=outline),
        )
        axis, ref = _SWEEPS[prism.axis]
        # The outline (x, z) is right-handed only when swept towards -y, so start at the far end.
        start = prism.start + prism.depth if prism.axis == "y" else prism.start
        at = {"x": (start, 0.0, 0.0), "y": (0.0, start, 0.0), "z": (0.0, 0.0, start)}[prism.axis]
        return self._extrusion(profile, self.frame(at, axis, ref), prism.depth)

    def _rod(self, rod: Rod) -> Entity:
        dx, dy, dz = (b - a for a, b in zip(rod.start, rod.end, strict=True))
        size = hypot(dx, dy, dz)
        ref = (1.0, 0.0, 0.0) if abs(dx) < 0.9 * size else (0.0, 1.0, 0.0)
        profile = self._share(
            ("circle", rod.radius),
            "IfcCircleProfileDef",
            ProfileType="AREA",
            Position=self._flat_frame(),
            Radius=self.length(rod.radius),
        )
        axis = (dx / size, dy / size, dz / size)
        return self._extrusion(profile, self.frame(rod.start, axis, ref), size)

    def _mesh(self, mesh: Mesh) -> Entity:
        if self.file.schema != "IFC2X3":
            points = [[self.length(value) for value in vertex] for vertex in mesh.vertices]
            return self.file.create_entity(
                "IfcTriangulatedFaceSet",
                Coordinates=self.file.create_entity("IfcCartesianPointList3D", CoordList=points),
                Closed=True,
                CoordIndex=[[i + 1 for i in face] for face in mesh.faces],
            )
        corners = [self.point(*vertex) for vertex in mesh.vertices]
        faces = []
        for face in mesh.faces:
            loop = self.file.create_entity("IfcPolyLoop", Polygon=[corners[i] for i in face])
            bound = self.file.create_entity("IfcFaceOuterBound", Bound=loop, Orientation=True)
            faces.append(self.file.create_entity("IfcFace", Bounds=[bound]))
        shell = self.file.create_entity("IfcClosedShell", CfsFaces=faces)
        return self.file.create_entity("IfcFacetedBrep", Outer=shell)

    def _extrusion(self, profile: Entity, position: Entity, depth: float) -> Entity:
        return self.file.create_entity(
            "IfcExtrudedAreaSolid",
            SweptArea=profile,
            Position=position,
            ExtrudedDirection=self.direction(0.0, 0.0, 1.0),
            Depth=self.length(depth),
        )

    def _applied(self, name: str) -> Entity:
        style = self.style(name)
        if self.file.schema != "IFC2X3":
            return style
        # IFC2X3 wants one more level between the styled item and the style.
        if name not in self._assignments:
            self._assignments[name] = self.file.create_entity(
                "IfcPresentationStyleAssignment", Styles=[style]
            )
        return self._assignments[name]

    def _flat_frame(self) -> Entity:
        return self._share(
            ("flat frame",),
            "IfcAxis2Placement2D",
            Location=self.point(0.0, 0.0),
            RefDirection=self.direction(1.0, 0.0),
        )

    def _share(self, key: tuple[object, ...], ifc_class: str, **attributes: object) -> Entity:
        if key not in self._shared:
            self._shared[key] = self.file.create_entity(ifc_class, **attributes)
        return self._shared[key]
