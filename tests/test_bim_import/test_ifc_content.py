"""Contents by the text of a file, against a walk through its parsed attributes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.util.element
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bim_import.ifc_content import Contents
from bim_import.ifc_text import StepText
from tests.support.step_files import renumbered


class Walk:
    """The content of products, entity by entity, attribute by attribute, by value."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self.model = model
        self.seen: dict[int, str] = {}
        self.general = [
            self.value(project.UnitsInContext) for project in model.by_type("IfcProject")
        ] + sorted(self.value(c) for c in model.by_type("IfcGeometricRepresentationContext"))

    def value(self, value: Any) -> str:
        if isinstance(value, tuple):
            return f"({','.join(self.value(item) for item in value)})"
        if not isinstance(value, ifcopenshell.entity_instance):
            return repr(value)
        if value.id() == 0:
            return f"{value.is_a()}({self.value(value.wrappedValue)})"
        if value.id() not in self.seen:
            # The first of a style is the item it colours, which leads here.
            given = list(value)[1 if value.is_a("IfcStyledItem") else 0 :]
            said = [value.is_a(), *(self.value(item) for item in given)]
            said += sorted(self.value(s) for s in getattr(value, "StyledByItem", None) or ())
            if value.is_a("IfcMaterial"):
                for defined in value.HasRepresentation:
                    said += [self.value(item) for item in defined.Representations]
            self.seen[value.id()] = hashlib.sha256("|".join(said).encode()).hexdigest()
        return self.seen[value.id()]

    def product(self, product: Any) -> str:
        said = [*self.general, product.is_a(), self.value(product.Representation)]
        said += sorted(self.openings(product))
        element_type = ifcopenshell.util.element.get_type(product)
        said += sorted(f"own {m}" for m in self.materials(product))
        if element_type is not None:
            said += sorted(f"type's {m}" for m in self.materials(element_type))
        return hashlib.sha256("|".join(said).encode()).hexdigest()

    def materials(self, item: Any) -> Iterator[str]:
        for relation in item.HasAssociations:
            if relation.is_a("IfcRelAssociatesMaterial"):
                yield self.value(relation.RelatingMaterial)

    def openings(self, product: Any) -> Iterator[str]:
        element = product
        while element is not None:
            for relation in getattr(element, "HasOpenings", ()):
                opening = relation.RelatedOpeningElement
                above = self.chain(opening.ObjectPlacement)
                beside = self.chain(product.ObjectPlacement)
                while above and beside and above[-1] == beside[-1]:
                    above.pop(), beside.pop()
                places = [[self.value(p.RelativePlacement) for p in c] for c in (above, beside)]
                yield f"{opening.is_a()} {self.value(opening.Representation)} {places}"
            element = next((r.RelatingObject for r in getattr(element, "Decomposes", ())), None)

    def chain(self, placement: Any) -> list[Any]:
        found = []
        while placement is not None:
            found.append(placement)
            placement = placement.PlacementRelTo
        return found

    def contents(self) -> dict[str, str]:
        return {p.GlobalId: self.product(p) for p in products(self.model)}


def products(model: ifcopenshell.file) -> list[Any]:
    return [p for p in model.by_type("IfcProduct") if p.Representation is not None]


def fast(data: bytes, schema: str) -> dict[str, str]:
    """Contents by GlobalId, as the importer finds them."""
    model = ifcopenshell.file.from_string(data.decode("latin-1"))
    contents = Contents(StepText(data), schema).of
    return {p.GlobalId: contents[p.id()] for p in products(model)}


def classes(contents: dict[str, str]) -> set[frozenset[str]]:
    """Which products have the same content."""
    groups: dict[str, set[str]] = defaultdict(set)
    for product, content in contents.items():
        groups[content].add(product)
    return {frozenset(group) for group in groups.values()}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {product for product in before if before[product] != after[product]}


@pytest.mark.parametrize("name", ["duplex_a_georef", "fzk_haus", "schep_staal"])
def test_what_is_equal_by_its_text_is_equal_by_its_values(name: str, data: Path) -> None:
    path = data / "ifc" / f"{name}.ifc"
    model = ifcopenshell.open(path)
    assert classes(fast(path.read_bytes(), model.schema)) == classes(Walk(model).contents())


@pytest.mark.parametrize("name", ["office_a", "fzk_haus"])
def test_no_renumbering_changes_a_content(name: str, data: Path) -> None:
    text = (data / "ifc" / f"{name}.ifc").read_bytes()
    schema = "IFC4" if name == "fzk_haus" else "IFC2X3"
    assert fast(renumbered(text, 1), schema) == fast(text, schema)


MUTABLE = {
    "IfcCartesianPoint": "Coordinates",
    "IfcDirection": "DirectionRatios",
    "IfcExtrudedAreaSolid": "Depth",
    "IfcRectangleProfileDef": "XDim",
    "IfcCircleProfileDef": "Radius",
    "IfcColourRgb": "Red",
    "IfcSurfaceStyleShading": "Transparency",
    "IfcMappedItem": "MappingSource",
    "IfcLocalPlacement": "PlacementRelTo",
    "IfcGeometricRepresentationContext": "Precision",
    "IfcPropertySingleValue": "Name",
    "IfcWall": "Name",
    "IfcMaterial": "Name",
}


@pytest.fixture(scope="module")
def building(sample: Path) -> ifcopenshell.file:
    """A sample building with walls, openings, mapped windows, layered materials and colours."""
    model = ifcopenshell.open(sample / "community_centre.ifc")
    assert isinstance(model, ifcopenshell.file)
    return model


@pytest.fixture(scope="module")
def contents(building: ifcopenshell.file) -> tuple[dict[str, str], dict[str, str]]:
    """The contents of that building by its text, and by its values."""
    return fast(building.to_string().encode(), building.schema), Walk(building).contents()


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(MUTABLE)), st.data())
def test_a_change_shows_in_the_contents_of_those_it_concerns_and_no_others(
    building: ifcopenshell.file, contents: tuple[dict[str, str], dict[str, str]], entity: str,
    draw: st.DataObject,
) -> None:  # fmt: skip
    before, slow_before = contents
    candidates = building.by_type(entity, include_subtypes=False)
    assume(candidates)
    item = draw.draw(st.sampled_from(candidates))
    attribute = MUTABLE[entity]
    old = getattr(item, attribute)
    others = [e for e in building.by_type(entity) if e != item]
    if entity == "IfcLocalPlacement":  # any other might hang on this one: a circle
        assume(old is not None)
        new = old.PlacementRelTo
    else:
        new = _another(old, [getattr(e, attribute) for e in others])
    setattr(item, attribute, new)
    try:
        after = fast(renumbered(building.to_string().encode(), 3), building.schema)
        slow_after = Walk(building).contents()
    finally:
        setattr(item, attribute, old)
    assert changed(before, after) == changed(slow_before, slow_after)


def _another(value: Any, others: list[Any]) -> Any:
    match value:
        case tuple() as numbers if numbers and isinstance(numbers[0], float):
            return (numbers[0] + 0.125, *numbers[1:])
        case tuple() as points:
            return (_another(points[0], []), *points[1:])
        case float():
            return value + 0.125
        case str() | None:
            return "another" if not others or isinstance(others[0], str) else others[0]
        case _:
            return next((o for o in others if o is not None and o != value), value)


def test_moving_an_element_with_its_openings_changes_no_content(sample: Path) -> None:
    building = ifcopenshell.open(sample / "community_centre.ifc")
    before = fast(building.to_string().encode(), building.schema)
    relation = building.by_type("IfcRelVoidsElement")[0]
    wall, hole = relation.RelatingBuildingElement, relation.RelatedOpeningElement
    _move(building, wall)
    assert fast(building.to_string().encode(), building.schema) == before
    _move(building, hole)
    assert changed(before, fast(building.to_string().encode(), building.schema)) == {wall.GlobalId}


def _move(building: ifcopenshell.file, product: Any) -> None:
    """Shift a product, and all that is placed relative to it."""
    axes = product.ObjectPlacement.RelativePlacement
    x, *others = axes.Location.Coordinates
    point = building.createIfcCartesianPoint((x + 0.25, *others))
    product.ObjectPlacement.RelativePlacement = building.createIfcAxis2Placement3D(
        point, axes.Axis, axes.RefDirection
    )


@pytest.mark.parametrize(
    "entity", ["IfcExtrudedAreaSolid", "IfcColourRgb", "IfcMappedItem", "IfcRectangleProfileDef"]
)
def test_what_is_changed_is_seen(building: ifcopenshell.file, entity: str) -> None:
    item, *others = building.by_type(entity)
    attribute = MUTABLE[entity]
    old = getattr(item, attribute)
    before = fast(building.to_string().encode(), building.schema)
    setattr(item, attribute, _another(old, [getattr(e, attribute) for e in others]))
    after = fast(building.to_string().encode(), building.schema)
    setattr(item, attribute, old)
    assert 0 < len(changed(before, after)) < len(before)
