"""Small IFC files with known places, for tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import ifcopenshell
import ifcopenshell.api.aggregate
import ifcopenshell.api.context
import ifcopenshell.api.geometry
import ifcopenshell.api.owner
import ifcopenshell.api.project
import ifcopenshell.api.pset
import ifcopenshell.api.root
import ifcopenshell.api.spatial
import ifcopenshell.api.unit
import numpy as np

UNITS = {"METRE": 1.0, "MILLIMETRE": 0.001, "FOOT": 0.3048}


@dataclass
class Recipe:
    """A file with one box of `size` metres whose lower corner is at `at` (model metres)."""

    schema: str = "IFC4"
    unit: str = "METRE"
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: tuple[float, float, float] = (1.0, 1.0, 1.0)
    conversion: dict | None = None
    crs: dict | None = None
    latlon: tuple | None = None
    elevation: float | None = None
    true_north: tuple[float, float] | None = None
    boxes: int = 1
    step: float = 3.0
    psets: dict = field(default_factory=dict)


def write_ifc(
    path: Path, recipe: Recipe, *changes: Callable[[ifcopenshell.file], object]
) -> ifcopenshell.file:
    """Write the file, after the changes in their order, and return the model."""
    model = ifcopenshell.api.project.create_file(version=recipe.schema)
    scale = UNITS[recipe.unit]
    if recipe.schema == "IFC2X3":  # where every rooted entity needs an owner
        person = ifcopenshell.api.owner.add_person(model, identification="T")
        organisation = ifcopenshell.api.owner.add_organisation(model, identification="T", name="T")
        ifcopenshell.api.owner.add_person_and_organisation(
            model, person=person, organisation=organisation
        )
        ifcopenshell.api.owner.add_application(model, application_developer=organisation)
    project = ifcopenshell.api.root.create_entity(model, ifc_class="IfcProject", name="P")
    if recipe.unit == "FOOT":
        length = ifcopenshell.api.unit.add_conversion_based_unit(model, name="foot")
    else:
        prefix = "MILLI" if recipe.unit == "MILLIMETRE" else None
        length = ifcopenshell.api.unit.add_si_unit(model, unit_type="LENGTHUNIT", prefix=prefix)
    ifcopenshell.api.unit.assign_unit(model, units=[length])
    context = ifcopenshell.api.context.add_context(model, context_type="Model")
    if recipe.true_north:
        context.TrueNorth = model.createIfcDirection(recipe.true_north)
    body = ifcopenshell.api.context.add_context(
        model,
        context_type="Model",
        context_identifier="Body",
        target_view="MODEL_VIEW",
        parent=context,
    )
    site = ifcopenshell.api.root.create_entity(model, ifc_class="IfcSite", name="S")
    building = ifcopenshell.api.root.create_entity(model, ifc_class="IfcBuilding", name="B")
    storey = ifcopenshell.api.root.create_entity(model, ifc_class="IfcBuildingStorey", name="1F")
    ifcopenshell.api.aggregate.assign_object(model, products=[site], relating_object=project)
    ifcopenshell.api.aggregate.assign_object(model, products=[building], relating_object=site)
    ifcopenshell.api.aggregate.assign_object(model, products=[storey], relating_object=building)
    if recipe.latlon:
        site.RefLatitude, site.RefLongitude = recipe.latlon
        site.RefElevation = None if recipe.elevation is None else recipe.elevation / scale
    _georeference(model, project, site, context, recipe, scale)
    for number in range(recipe.boxes):
        element = ifcopenshell.api.root.create_entity(
            model, ifc_class="IfcBuildingElementProxy", name=f"Box {number}"
        )
        dx, dy, dz = (value / scale for value in recipe.size)
        profile = model.create_entity(
            "IfcRectangleProfileDef", "AREA", None,
            model.createIfcAxis2Placement2D(model.createIfcCartesianPoint((dx / 2, dy / 2))), dx, dy,
        )  # fmt: skip
        placement = model.createIfcAxis2Placement3D(
            model.createIfcCartesianPoint((0.0, 0.0, 0.0)), None, None
        )
        solid = model.createIfcExtrudedAreaSolid(
            profile, placement, model.createIfcDirection((0.0, 0.0, 1.0)), dz
        )
        shape = model.createIfcShapeRepresentation(body, "Body", "SweptSolid", [solid])
        ifcopenshell.api.geometry.assign_representation(
            model, product=element, representation=shape
        )
        matrix = np.eye(4)
        matrix[:3, 3] = recipe.at
        matrix[0, 3] += number * recipe.step
        ifcopenshell.api.geometry.edit_object_placement(model, product=element, matrix=matrix)
        ifcopenshell.api.spatial.assign_container(
            model, products=[element], relating_structure=storey
        )
        for name, values in recipe.psets.items():
            pset = ifcopenshell.api.pset.add_pset(model, product=element, name=name)
            ifcopenshell.api.pset.edit_pset(model, pset=pset, properties=values)
    for change in changes:
        change(model)
    model.write(str(path))
    return model


def _georeference(model, project, site, context, recipe: Recipe, scale: float) -> None:
    if recipe.conversion is None:
        return
    if recipe.schema == "IFC2X3":
        for name, values in (
            ("ePSet_MapConversion", recipe.conversion),
            ("ePSet_ProjectedCRS", recipe.crs or {}),
        ):
            pset = ifcopenshell.api.pset.add_pset(model, product=site, name=name)
            ifcopenshell.api.pset.edit_pset(model, pset=pset, properties=values)
        return
    crs = dict(recipe.crs or {})
    if crs.pop("MapUnit", None):
        crs["MapUnit"] = model.createIfcSIUnit(None, "LENGTHUNIT", None, "METRE")
    target = model.create_entity("IfcProjectedCRS", **crs)
    model.create_entity(
        "IfcMapConversion", SourceCRS=context, TargetCRS=target, **recipe.conversion
    )


def dms(value: float) -> tuple[int, int, int, int]:
    """Degrees as an IfcCompoundPlaneAngleMeasure."""
    sign = -1 if value < 0 else 1
    millionths = round(abs(value) * 3600e6)
    seconds, micro = divmod(millionths, 1_000_000)
    minutes, second = divmod(seconds, 60)
    degree, minute = divmod(minutes, 60)
    return sign * degree, sign * minute, sign * second, sign * micro
