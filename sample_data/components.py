"""Doors and windows as types whose geometry all occurrences share.

The frame of a component is its opening: x along the wall, y from the outer face inwards, z up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import ifcopenshell
import ifcopenshell.api.material

from sample_data.author import Author
from sample_data.palette import (
    ALUMINIUM,
    DARK,
    DOOR_FIRE,
    DOOR_WOOD,
    EDGE,
    GLASS,
    GLAZING,
    STEEL,
    STEEL_MATERIAL,
    TIMBER_MATERIAL,
)
from sample_data.psets import Value
from sample_data.solids import Box, Solid, frame

Entity = ifcopenshell.entity_instance


@dataclass(frozen=True)
class Fitting:
    """A door or window type: clear size in metres, u-value in W/(m2 K)."""

    entity: Entity
    ifc_class: str
    reference: str
    width: float
    height: float
    u_value: float
    extra: dict[str, Value] = field(default_factory=dict)

    @property
    def area(self) -> float:
        """The area of the opening in square metres."""
        return self.width * self.height


def window(
    author: Author,
    reference: str,
    width: float,
    height: float,
    sashes: int,
    transom: float = 0.0,
    glass: str = GLASS,
    sill: bool = True,
) -> Fitting:
    """Create a window type with equal sashes and, if wanted, a fixed light `transom` high."""
    bar, y, deep = 0.06, 0.07, 0.07
    body: list[Solid] = frame(0.0, y, 0.0, width, deep, height, bar, DARK)
    top = height - bar - (transom + bar if transom else 0.0)
    clear = (width - 2 * bar - (sashes - 1) * bar) / sashes
    for i in range(sashes):
        x = bar + i * (clear + bar)
        body.append(Box(x, y + 0.025, bar, clear, 0.02, top - bar, glass))
        if i:
            body.append(Box(x - bar, y, bar, bar, deep, top - bar, DARK))
    if transom:
        body.append(Box(bar, y, top, width - 2 * bar, deep, bar, DARK))
        body.append(Box(bar, y + 0.025, top + bar, width - 2 * bar, 0.02, transom, glass))
    if sill:
        body.append(Box(-0.08, -0.06, -0.05, width + 0.16, 0.13, 0.05, EDGE))
    partition = {1: "SINGLE_PANEL", 2: "DOUBLE_PANEL_VERTICAL", 3: "TRIPLE_PANEL_VERTICAL"}[sashes]
    name = f"{reference} 铝合金窗 Aluminium window {width * 1000:.0f}x{height * 1000:.0f}"
    if author.old:
        entity = author.type(
            "IfcWindowStyle", name, body, ConstructionType="ALUMINIUM", OperationType=partition
        )
    else:
        entity = author.type(
            "IfcWindowType", name, body, PredefinedType="WINDOW", PartitioningType=partition
        )
    compose(author, entity, {"Framing": ALUMINIUM, "Glazing": GLAZING})
    return Fitting(entity, "IfcWindow", reference, width, height, 2.4)


def glazed_door(author: Author, reference: str, width: float, height: float) -> Fitting:
    """Create a two-leaf glass door type, for balconies and entrances."""
    bar, y, deep = 0.07, 0.07, 0.07
    body: list[Solid] = frame(0.0, y, 0.0, width, deep, height, bar, DARK)
    leaf = (width - 2 * bar) / 2
    for i in range(2):
        x = bar + i * leaf
        body += frame(x, y + 0.01, bar, leaf, 0.05, height - 2 * bar, 0.05, DARK)
        body.append(
            Box(x + 0.05, y + 0.03, bar + 0.05, leaf - 0.1, 0.012, height - 2 * bar - 0.1, GLASS)
        )
        handle = width / 2 + (0.09 if i else -0.11)
        body.append(Box(handle, y - 0.05, 0.85, 0.02, 0.05, 0.5, STEEL))
    name = f"{reference} 双扇玻璃门 Double glass door {width * 1000:.0f}x{height * 1000:.0f}"
    entity = _door_type(author, name, body, "DOUBLE_DOOR_SINGLE_SWING", "ALUMINIUM")
    compose(author, entity, {"Framing": ALUMINIUM, "Glazing": GLAZING})
    return Fitting(entity, "IfcDoor", reference, width, height, 2.6, {"HandicapAccessible": True})


def leaf_door(
    author: Author,
    reference: str,
    width: float,
    height: float,
    fire: float = 0.0,
    lift: bool = False,
) -> Fitting:
    """Create a door type: timber, red steel with a fire rating in hours, or a lift's steel leaf."""
    colour = STEEL if lift else DOOR_FIRE if fire else DOOR_WOOD
    bar = 0.05
    body: list[Solid] = [
        Box(0.0, 0.0, 0.0, bar, 0.14, height, colour),
        Box(width - bar, 0.0, 0.0, bar, 0.14, height, colour),
        Box(bar, 0.0, height - bar, width - 2 * bar, 0.14, bar, colour),
        Box(bar, 0.05, 0.01, width - 2 * bar, 0.045, height - bar - 0.01, colour),
        Box(width - 0.17, 0.0, 1.0, 0.1, 0.05, 0.025, STEEL),
        Box(width - 0.17, 0.095, 1.0, 0.1, 0.05, 0.025, STEEL),
    ]
    if fire:
        body.append(Box(width / 2 - 0.08, 0.04, 1.35, 0.16, 0.065, 0.5, GLASS))
    title = "防火门 Fire door" if fire else "电梯门 Lift door" if lift else "木门 Timber door"
    name = f"{reference} {title} {width * 1000:.0f}x{height * 1000:.0f}"
    make, material = ("STEEL", STEEL_MATERIAL) if fire or lift else ("WOOD", TIMBER_MATERIAL)
    swing = "SLIDING_TO_LEFT" if lift else "SINGLE_SWING_LEFT"
    entity = _door_type(author, name, body, swing, make)
    compose(author, entity, {"Lining": material, "Framing": material})
    extra: dict[str, Value] = {"SelfClosing": bool(fire), "FireExit": False}
    if fire:
        extra |= {"FireRating": f"{fire:.2f}h", "FireExit": True}
    return Fitting(entity, "IfcDoor", reference, width, height, 1.8, extra)


def compose(author: Author, entity: Entity, parts: dict[str, str]) -> None:
    """Give an object several materials, by role where the schema has a word for it."""
    api = ifcopenshell.api.material
    if author.old:
        materials = api.add_material_set(author.file, set_type="IfcMaterialList")
        for name in dict.fromkeys(parts.values()):
            api.add_list_item(author.file, material_list=materials, material=author.material(name))
    else:
        materials = api.add_material_set(
            author.file, name=entity.Name, set_type="IfcMaterialConstituentSet"
        )
        for role, name in parts.items():
            api.add_constituent(
                author.file,
                constituent_set=materials,
                material=author.material(name),
                name=role,
            )
    api.assign_material(author.file, products=[entity], material=materials)


def _door_type(author: Author, name: str, body: list[Solid], swing: str, make: str) -> Entity:
    if author.old:
        return author.type("IfcDoorStyle", name, body, OperationType=swing, ConstructionType=make)
    return author.type("IfcDoorType", name, body, PredefinedType="DOOR", OperationType=swing)
