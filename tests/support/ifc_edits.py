"""A second version of a sample building, made by editing the first with ifcopenshell."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.api.geometry
import ifcopenshell.api.pset
import ifcopenshell.api.root
import ifcopenshell.guid
import ifcopenshell.util.element
import ifcopenshell.util.placement
import ifcopenshell.util.unit
import numpy as np

NEW_ID = ifcopenshell.guid.compress("c0ffee00c0ffee00c0ffee00c0ffee00")
SHIFT = (0.0, 4.0, 1.5)
"""Metres, by which one element is moved along the model's axes."""


@dataclass(frozen=True)
class Edits:
    """What was done, by GlobalId; each element was edited in one way only."""

    added: str
    removed: str
    moved: str
    turned: str
    reshaped: str
    repropertied: str
    renamed: str


def second_version(source: Path, target: Path) -> Edits:
    """Write an edited `community_centre.ifc` with all its STEP ids renumbered."""
    model = ifcopenshell.open(str(source))
    assert isinstance(model, ifcopenshell.file)
    panels = sorted(model.by_type("IfcSolarDevice"), key=lambda e: e.GlobalId)
    units = sorted(model.by_type("IfcUnitaryEquipment"), key=lambda e: e.GlobalId)
    doors = sorted(model.by_type("IfcDoor"), key=lambda e: e.GlobalId)
    moved, turned, removed, template = units[0], units[1], panels[0], panels[1]
    reshaped = next(e for e in model.by_type("IfcWall") if len(_extrusions(e)) == 1)
    edits = Edits(
        NEW_ID, removed.GlobalId, moved.GlobalId, turned.GlobalId, reshaped.GlobalId,
        doors[0].GlobalId, doors[1].GlobalId,
    )  # fmt: skip
    copy = ifcopenshell.api.root.copy_class(model, product=template)
    copy.GlobalId, copy.Name = NEW_ID, "New panel"
    ifcopenshell.api.geometry.assign_representation(
        model, product=copy, representation=template.Representation.Representations[0]
    )
    place(model, copy, matrix_of(template) @ shifted(0.0, 0.0, 2.5))
    place(model, moved, shifted(*SHIFT) @ matrix_of(moved))
    quarter = np.eye(4)
    quarter[:2, :2] = [[0, -1], [1, 0]]
    place(model, turned, matrix_of(turned) @ quarter)
    _extrusions(reshaped)[0].Depth *= 1.3
    psets: dict[str, Any] = ifcopenshell.util.element.get_psets(doors[0])
    shared = model.by_id(psets["Pset_DoorCommon"]["id"])
    (own,) = ifcopenshell.api.pset.unshare_pset(model, products=[doors[0]], pset=shared)
    ifcopenshell.api.pset.edit_pset(model, pset=own, properties={"FireRating": "EI 90"})
    doors[1].Name = "Renamed door"
    ifcopenshell.api.root.remove_product(model, product=removed)
    model.write(str(target))
    renumber(target)
    return edits


def _extrusions(element: Any) -> list[Any]:
    return [
        item
        for representation in element.Representation.Representations
        if representation.RepresentationIdentifier == "Body"
        for item in representation.Items
        if item.is_a("IfcExtrudedAreaSolid")
    ]


def matrix_of(element: Any) -> np.ndarray:
    """Where an element stands in its model, (4, 4), metres."""
    scale = ifcopenshell.util.unit.calculate_unit_scale(element.file)
    matrix = np.array(ifcopenshell.util.placement.get_local_placement(element.ObjectPlacement))
    matrix[:3, 3] *= scale
    return matrix


def shifted(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def place(model: ifcopenshell.file, element: Any, matrix: np.ndarray) -> None:
    """Put one element elsewhere, leaving what hangs on it where it is."""
    ifcopenshell.api.geometry.edit_object_placement(
        model, product=element, matrix=matrix, is_si=True, should_transform_children=False
    )


def renumber(path: Path) -> None:
    """Give every line of a STEP file another number, and turn their order round."""
    head, body, tail = re.split(r"(?<=DATA;\n)|(?=ENDSEC;\nEND-ISO)", path.read_text())
    lines = body.strip().split("\n")
    numbers = {
        line.partition("=")[0]: f"#{3 * (len(lines) - at) + 7}" for at, line in enumerate(lines)
    }
    pieces = re.compile(r"('(?:[^']|'')*')|(#\d+)")
    renumbered = [
        pieces.sub(lambda found: found[1] or numbers[found[2]], line) for line in reversed(lines)
    ]
    path.write_text(head + "\n".join(renumbered) + "\n" + tail)
