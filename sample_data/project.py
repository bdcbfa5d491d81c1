"""Opening a new model: units, contexts, owner, and the fixed header of the written file."""

from __future__ import annotations

from typing import Literal, NamedTuple

import ifcopenshell
import ifcopenshell.api.aggregate
import ifcopenshell.api.context
import ifcopenshell.api.owner
import ifcopenshell.api.project
import ifcopenshell.api.root
import ifcopenshell.api.unit

Entity = ifcopenshell.entity_instance

OWNER = "CIM Twin sample data"
# 2026-01-01 00:00 in Guangzhou; a wall clock would make every run a different file.
CREATED = 1767196800
TIME_STAMP = "2026-01-01T00:00:00+08:00"

# Attributes that the api fills from Python sets, whose order differs from run to run.
_SETS = {
    "IfcRelAggregates": "RelatedObjects",
    "IfcRelNests": "RelatedObjects",
    "IfcRelAssigns": "RelatedObjects",
    "IfcRelAssociates": "RelatedObjects",
    "IfcRelDefines": "RelatedObjects",
    "IfcRelContainedInSpatialStructure": "RelatedElements",
    "IfcUnitAssignment": "Units",
}


class Opened(NamedTuple):
    """A new model: its file, project, body and axis contexts and named units."""

    file: ifcopenshell.file
    project: Entity
    model: Entity
    body: Entity
    axis: Entity
    units: dict[str, Entity]


def open_model(schema: Literal["IFC2X3", "IFC4"], name: str, millimetres: bool) -> Opened:
    """Return a new model with SI units, in metres or millimetres."""
    file = ifcopenshell.api.project.create_file(version=schema)
    _add_owner(file)
    project = ifcopenshell.api.root.create_entity(file, ifc_class="IfcProject", name=name)
    units = _add_units(file, millimetres)
    model = ifcopenshell.api.context.add_context(file, context_type="Model")
    model.Precision = 0.01 if millimetres else 0.00001
    body = ifcopenshell.api.context.add_context(
        file, "Model", context_identifier="Body", target_view="MODEL_VIEW", parent=model
    )
    axis = ifcopenshell.api.context.add_context(
        file, "Model", context_identifier="Axis", target_view="GRAPH_VIEW", parent=model
    )
    return Opened(file, project, model, body, axis, units)


def settle(file: ifcopenshell.file, file_name: str) -> None:
    """Take everything out of a finished model that would differ between two runs.

    One owner history replaces those the api made by the clock, relations list their objects in
    the order of creation, and the header names neither machine, user nor time of day.
    """
    clocked = [history.id() for history in file.by_type("IfcOwnerHistory")]
    user = file.by_type("IfcPersonAndOrganization")[0]
    application = file.by_type("IfcApplication")[0]
    history = file.create_entity(
        "IfcOwnerHistory",
        OwningUser=user,
        OwningApplication=application,
        State="READWRITE",
        ChangeAction="ADDED",
        LastModifiedDate=CREATED,
        LastModifyingUser=user,
        LastModifyingApplication=application,
        CreationDate=CREATED,
    )
    for root in file.by_type("IfcRoot"):
        root.OwnerHistory = history
    for number in clocked:
        file.remove(file.by_id(number))
    for ifc_class, attribute in _SETS.items():
        for relation in file.by_type(ifc_class):
            members = sorted(getattr(relation, attribute), key=lambda e: int(e.id()))
            setattr(relation, attribute, members)

    header = file.header.file_name
    header.name = file_name
    header.time_stamp = TIME_STAMP
    header.author = (OWNER,)
    header.organization = (OWNER,)
    header.preprocessor_version = "IfcOpenShell"
    header.originating_system = OWNER
    header.authorization = ""
    view = "CoordinationView_V2.0" if file.schema == "IFC2X3" else "DesignTransferView_V1.0"
    file.header.file_description.description = (f"ViewDefinition [{view}]",)


def _add_owner(file: ifcopenshell.file) -> None:
    organisation = ifcopenshell.api.owner.add_organisation(
        file, identification="CIM-TWIN", name=OWNER
    )
    # IFC wants a person beside the organisation; a role account stands in for one.
    person = file.create_entity("IfcPerson")
    person[0] = "sample-data"
    person.FamilyName = OWNER
    ifcopenshell.api.owner.add_person_and_organisation(
        file, person=person, organisation=organisation
    )
    ifcopenshell.api.owner.add_application(
        file,
        application_developer=organisation,
        version="1",
        application_full_name=OWNER,
        application_identifier="cim-twin-sample-data",
    )


def _add_units(file: ifcopenshell.file, millimetres: bool) -> dict[str, Entity]:
    """Assign the project units and return those that quantities and the map need by name."""
    si = ifcopenshell.api.unit.add_si_unit
    metre = si(file, unit_type="LENGTHUNIT")
    length = si(file, unit_type="LENGTHUNIT", prefix="MILLI") if millimetres else metre
    area = si(file, unit_type="AREAUNIT")
    volume = si(file, unit_type="VOLUMEUNIT")
    second = si(file, unit_type="TIMEUNIT")
    kelvin = si(file, unit_type="THERMODYNAMICTEMPERATUREUNIT")
    watt = si(file, unit_type="POWERUNIT")
    angle = si(file, unit_type="PLANEANGLEUNIT")
    transmittance = _derived(file, "THERMALTRANSMITTANCEUNIT", {watt: 1, metre: -2, kelvin: -1})
    flow = _derived(file, "VOLUMETRICFLOWRATEUNIT", {metre: 3, second: -1})
    named = [length, area, volume, second, kelvin, watt, angle, transmittance, flow]
    ifcopenshell.api.unit.assign_unit(file, units=named)
    return {"metre": metre, "length": length, "area": area, "volume": volume}


def _derived(file: ifcopenshell.file, unit_type: str, parts: dict[Entity, int]) -> Entity:
    elements = [
        file.create_entity("IfcDerivedUnitElement", Unit=unit, Exponent=exponent)
        for unit, exponent in parts.items()
    ]
    return file.create_entity("IfcDerivedUnit", Elements=elements, UnitType=unit_type)
