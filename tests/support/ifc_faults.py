"""A file without findings, and changes that give it exactly one fault."""

import math
from collections.abc import Callable, Sequence

import ifcopenshell
import ifcopenshell.api.root
import ifcopenshell.api.unit
import ifcopenshell.guid
from ifcopenshell import entity_instance

from tests.support.ifc_factory import Recipe

Change = Callable[[ifcopenshell.file], object]

PLACED = {
    "conversion": {"Eastings": 444578.138, "Northings": 2556379.206, "OrthogonalHeight": 5.0},
    "crs": {"Name": "EPSG:4547", "MapUnit": True},
}
CLEAN = Recipe(boxes=4, psets={"Pset_Own": {"Number": 1}}, **PLACED)

CUBE = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
FACES = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]


def elevated(model: ifcopenshell.file) -> None:
    """Give the storey its elevation: with this `CLEAN` has no findings."""
    model.by_type("IfcBuildingStorey")[0].Elevation = 0.0


def box(model: ifcopenshell.file, number: int = 0) -> entity_instance:
    """One of the file's boxes."""
    return model.by_type("IfcBuildingElementProxy")[number]


def reshaped(
    model: ifcopenshell.file, element: entity_instance, kind: str, items: Sequence[entity_instance]
) -> None:
    """Draw an element of other items."""
    context = element.Representation.Representations[0].ContextOfItems
    shape = model.createIfcShapeRepresentation(context, "Body", kind, items)
    element.Representation = model.createIfcProductDefinitionShape(None, None, [shape])


def shell(model: ifcopenshell.file, kind: str, faces: Sequence[tuple[int, ...]]) -> entity_instance:
    """A shell of a metre's cube made of some of its faces."""
    points = [model.createIfcCartesianPoint([float(x) for x in corner]) for corner in CUBE]
    return model.create_entity(
        kind,
        [
            model.createIfcFace(
                [model.createIfcFaceOuterBound(model.createIfcPolyLoop([points[i] for i in f]), True)]
            )
            for f in faces
        ],
    )  # fmt: skip


def brep_without(*missing: int) -> Change:
    """Make a box a solid whose shell lacks some faces."""

    def change(model: ifcopenshell.file) -> None:
        faces = [face for number, face in enumerate(FACES) if number not in missing]
        solid = model.createIfcFacetedBrep(shell(model, "IfcClosedShell", faces))
        reshaped(model, box(model), "Brep", [solid])

    return change


def sheet(model: ifcopenshell.file) -> None:
    """Make a box a surface, which nobody means to be closed."""
    surface = model.createIfcShellBasedSurfaceModel([shell(model, "IfcOpenShell", FACES[:5])])
    reshaped(model, box(model), "SurfaceModel", [surface])


def face_set_without(missing: int, closed: bool) -> Change:
    """Make a box a face set that says whether it is closed."""

    def change(model: ifcopenshell.file) -> None:
        points = model.createIfcCartesianPointList3D([[float(x) for x in c] for c in CUBE])
        faces = [
            model.createIfcIndexedPolygonalFace([i + 1 for i in face])
            for number, face in enumerate(FACES)
            if number != missing
        ]
        solid = model.createIfcPolygonalFaceSet(points, closed, faces)
        reshaped(model, box(model), "Tessellation", [solid])

    return change


def curve_only(model: ifcopenshell.file) -> None:
    """Make a box a line."""
    points = [model.createIfcCartesianPoint((0.0, 0.0, z)) for z in (0.0, 1.0)]
    reshaped(model, box(model), "Curve3D", [model.createIfcPolyline(points)])


def resized(metres: float, *numbers: int) -> Change:
    """Make boxes so large."""

    def change(model: ifcopenshell.file) -> None:
        for number in numbers:
            solid = box(model, number).Representation.Representations[0].Items[0]
            solid.Depth = solid.SweptArea.XDim = solid.SweptArea.YDim = metres

    return change


def moved(x: float, number: int) -> Change:
    """Put a box elsewhere."""

    def change(model: ifcopenshell.file) -> None:
        place = box(model, number).ObjectPlacement.RelativePlacement.Location
        place.Coordinates = (x, 0.0, 0.0)

    return change


def site_of(metres: float) -> Change:
    """Draw the site as a square sheet that begins at the first box."""

    def change(model: ifcopenshell.file) -> None:
        site = model.by_type("IfcSite")[0]
        corners = [(0.0, 0.0), (metres, 0.0), (metres, metres), (0.0, metres)]
        loop = model.createIfcPolyLoop([model.createIfcCartesianPoint((*c, 0.0)) for c in corners])
        face = model.createIfcFace([model.createIfcFaceOuterBound(loop, True)])
        site.Representation = box(model).Representation
        surface = model.createIfcShellBasedSurfaceModel([model.createIfcOpenShell([face])])
        reshaped(model, site, "SurfaceModel", [surface])

    return change


def taken_from_storey(holder: str | None) -> Change:
    """Put a box directly into a building or a site, or nowhere."""

    def change(model: ifcopenshell.file) -> None:
        relation = model.by_type("IfcRelContainedInSpatialStructure")[0]
        relation.RelatedElements = [e for e in relation.RelatedElements if e != box(model)]
        if holder is not None:
            model.createIfcRelContainedInSpatialStructure(
                ifcopenshell.guid.new(), None, None, None, [box(model)], model.by_type(holder)[0]
            )

    return change


def without_storeys(model: ifcopenshell.file) -> None:
    """Put everything into the building and forget the storey."""
    relation = model.by_type("IfcRelContainedInSpatialStructure")[0]
    relation.RelatingStructure = model.by_type("IfcBuilding")[0]
    storey = model.by_type("IfcBuildingStorey")[0]
    for aggregation in model.by_type("IfcRelAggregates"):
        if storey in aggregation.RelatedObjects:
            model.remove(aggregation)
    model.remove(storey)


def second_storey(elevation: float | None) -> Change:
    """Add a storey."""

    def change(model: ifcopenshell.file) -> None:
        first = model.by_type("IfcBuildingStorey")[0]
        second = ifcopenshell.api.root.create_entity(
            model, ifc_class="IfcBuildingStorey", name="2F"
        )
        second.Elevation = elevation
        relation = next(r for r in model.by_type("IfcRelAggregates") if first in r.RelatedObjects)
        relation.RelatedObjects = [*relation.RelatedObjects, second]

    return change


def element_without_shape(model: ifcopenshell.file) -> None:
    """Add a wall that is only a name."""
    wall = ifcopenshell.api.root.create_entity(model, ifc_class="IfcWall", name="W")
    relation = model.by_type("IfcRelContainedInSpatialStructure")[0]
    relation.RelatedElements = [*relation.RelatedElements, wall]


def without_units(model: ifcopenshell.file) -> None:
    """Forget the units."""
    model.by_type("IfcProject")[0].UnitsInContext = None


def degree(model: ifcopenshell.file, factor: float = math.pi / 180) -> entity_instance:
    """A degree that may be wrong."""
    radian = model.createIfcSIUnit(None, "PLANEANGLEUNIT", None, "RADIAN")
    measure = model.createIfcMeasureWithUnit(model.createIfcPlaneAngleMeasure(factor), radian)
    dimensions = model.createIfcDimensionalExponents(0, 0, 0, 0, 0, 0, 0)
    return model.createIfcConversionBasedUnit(dimensions, "PLANEANGLEUNIT", "DEGREE", measure)


def with_units(*units: Callable[[ifcopenshell.file], entity_instance]) -> Change:
    """Add units to the project's."""

    def change(model: ifcopenshell.file) -> None:
        assignment = model.by_type("IfcUnitAssignment")[0]
        assignment.Units = [*assignment.Units, *(unit(model) for unit in units)]

    return change


def radian(model: ifcopenshell.file) -> entity_instance:
    """The radian."""
    return model.createIfcSIUnit(None, "PLANEANGLEUNIT", None, "RADIAN")


def revolved(angle: float) -> Change:
    """Make a box a ring, or a part of one; the angle is in the file's unit."""

    def change(model: ifcopenshell.file) -> None:
        place = model.createIfcAxis2Placement3D(model.createIfcCartesianPoint((0.0, 0.0, 0.0)))
        middle = model.createIfcAxis2Placement2D(model.createIfcCartesianPoint((1.0, 0.0)))
        profile = model.createIfcRectangleProfileDef("AREA", None, middle, 0.5, 0.5)
        axis = model.createIfcAxis1Placement(
            model.createIfcCartesianPoint((0.0, 0.0, 0.0)), model.createIfcDirection((0.0, 1.0, 0.0))
        )  # fmt: skip
        ring = model.createIfcRevolvedAreaSolid(profile, place, axis, angle)
        reshaped(model, box(model), "SweptSolid", [ring])

    return change


def second_project(model: ifcopenshell.file) -> None:
    """Add a project."""
    ifcopenshell.api.root.create_entity(model, ifc_class="IfcProject", name="Other")


def named(attribute: str, value: str | None, number: int = 0) -> Change:
    """Set an attribute of a box."""
    return lambda model: setattr(box(model, number), attribute, value)


def same_globalid(model: ifcopenshell.file) -> None:
    """Give two boxes one GlobalId."""
    box(model, 1).GlobalId = box(model, 0).GlobalId


def without_property_sets(model: ifcopenshell.file) -> None:
    """Forget what is said of one box."""
    relation = next(
        r for r in model.by_type("IfcRelDefinesByProperties") if box(model) in r.RelatedObjects
    )
    model.remove(relation)
