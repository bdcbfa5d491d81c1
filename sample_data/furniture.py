"""A few pieces of furniture, trees and plant, each a type placed several times."""

from __future__ import annotations

import ifcopenshell

from sample_data.author import Author
from sample_data.palette import (
    BARK,
    CLOTH,
    DARK,
    EDGE,
    EQUIPMENT,
    FABRIC_BLUE,
    FABRIC_ORANGE,
    GALVANISED,
    LEAF,
    PLANT,
    SHEET,
    SILICON,
    SOLAR,
    STEEL,
    TIMBER_MATERIAL,
    WHITE,
    WOOD,
)
from sample_data.solids import Box, Prism, Rod, Solid, blob, column_mesh

Entity = ifcopenshell.entity_instance


def desk(author: Author) -> Entity:
    """Create the type of a 1.6 by 0.8 m desk with a screen, from its front left foot."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.72, 1.6, 0.8, 0.03, WOOD),
        Box(0.05, 0.1, 0.0, 0.04, 0.6, 0.72, DARK),
        Box(1.51, 0.1, 0.0, 0.04, 0.6, 0.72, DARK),
        Box(0.5, 0.6, 0.85, 0.6, 0.03, 0.36, DARK),
        Box(0.76, 0.6, 0.75, 0.08, 0.08, 0.12, DARK),
    ]
    return _piece(author, "FUR-DSK 办公桌 Desk", body, TIMBER_MATERIAL, "DESK")


def chair(author: Author) -> Entity:
    """Create the type of a chair 0.5 m square, its back at +y."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.42, 0.5, 0.5, 0.06, FABRIC_BLUE),
        Box(0.03, 0.44, 0.48, 0.44, 0.06, 0.45, FABRIC_BLUE),
        Rod((0.25, 0.25, 0.03), (0.25, 0.25, 0.42), 0.03, STEEL),
        Box(0.05, 0.23, 0.0, 0.4, 0.04, 0.03, DARK),
        Box(0.23, 0.05, 0.0, 0.04, 0.4, 0.03, DARK),
    ]
    return _piece(author, "FUR-CHR 椅子 Chair", body, CLOTH, "CHAIR")


def table(author: Author, length: float = 2.8) -> Entity:
    """Create the type of a meeting table 1.2 m wide."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.71, length, 1.2, 0.04, WOOD),
        Box(0.5, 0.4, 0.0, 0.1, 0.4, 0.71, DARK),
        Box(length - 0.6, 0.4, 0.0, 0.1, 0.4, 0.71, DARK),
    ]
    return _piece(author, "FUR-TBL 会议桌 Meeting table", body, TIMBER_MATERIAL, "TABLE")


def sofa(author: Author) -> Entity:
    """Create the type of a two-seat sofa 1.8 by 0.85 m, its back at +y."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.1, 1.8, 0.85, 0.32, FABRIC_ORANGE),
        Box(0.0, 0.65, 0.42, 1.8, 0.2, 0.4, FABRIC_ORANGE),
        Box(0.0, 0.0, 0.42, 0.15, 0.65, 0.18, FABRIC_ORANGE),
        Box(1.65, 0.0, 0.42, 0.15, 0.65, 0.18, FABRIC_ORANGE),
    ]
    return _piece(author, "FUR-SOF 沙发 Sofa", body, CLOTH, "SOFA")


def bed(author: Author) -> Entity:
    """Create the type of a bed 1.5 by 2.0 m, its head at +y."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.08, 1.5, 2.0, 0.22, WOOD),
        Box(0.03, 0.03, 0.3, 1.44, 1.9, 0.2, WHITE),
        Box(0.0, 1.95, 0.0, 1.5, 0.08, 0.95, WOOD),
        Box(0.03, 0.03, 0.5, 1.44, 0.9, 0.04, FABRIC_BLUE),
    ]
    return _piece(author, "FUR-BED 床 Bed", body, TIMBER_MATERIAL, "BED")


def shelf(author: Author) -> Entity:
    """Create the type of a bookshelf 1.2 by 0.35 by 2.0 m with five boards."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.0, 0.03, 0.35, 2.0, WOOD),
        Box(1.17, 0.0, 0.0, 0.03, 0.35, 2.0, WOOD),
        Box(0.03, 0.32, 0.0, 1.14, 0.03, 2.0, WOOD),
    ]
    body += [Box(0.03, 0.0, 0.05 + 0.46 * i, 1.14, 0.32, 0.03, WOOD) for i in range(5)]
    return _piece(author, "FUR-SHF 书架 Bookshelf", body, TIMBER_MATERIAL, "SHELF")


def tree(author: Author, name: str, height: float, spread: float) -> Entity:
    """Create a tree type as a small mesh, `spread` being the radius of the crown (m)."""
    trunk = height * 0.4
    body: list[Solid] = [
        column_mesh(0.14, trunk + 0.3, BARK),
        blob(spread, height - trunk, trunk, LEAF),
    ]
    if author.old:
        return author.type(
            "IfcBuildingElementProxyType", name, body, PLANT, PredefinedType="NOTDEFINED"
        )
    return author.type(
        "IfcGeographicElementType",
        name,
        body,
        PLANT,
        PredefinedType="USERDEFINED",
        ElementType="TREE",
    )


def solar_panel(author: Author) -> Entity:
    """Create the type of a solar panel, 2.0 by 1.7 m, tilted by ten degrees towards -y."""
    body: list[Solid] = [
        Prism(((0.0, 0.25), (1.7, 0.55), (1.7, 0.59), (0.0, 0.29)), "x", 0.0, 2.0, SOLAR),
        Rod((0.2, 0.2, 0.0), (0.2, 0.2, 0.27), 0.03, GALVANISED),
        Rod((1.8, 0.2, 0.0), (1.8, 0.2, 0.27), 0.03, GALVANISED),
        Rod((0.2, 1.5, 0.0), (0.2, 1.5, 0.5), 0.03, GALVANISED),
        Rod((1.8, 1.5, 0.0), (1.8, 1.5, 0.5), 0.03, GALVANISED),
    ]
    return author.type(
        "IfcSolarDeviceType",
        "PV-410 光伏组件 Solar panel",
        body,
        SILICON,
        PredefinedType="SOLARPANEL",
    )


def outdoor_unit(author: Author) -> Entity:
    """Create an air conditioner's outdoor unit on its ledge behind louvres.

    It is 1.1 by 0.5 m in plan and hangs on a wall at y = 0, on the -y side.
    """
    body: list[Solid] = [
        Box(0.0, -0.5, -0.08, 1.1, 0.5, 0.08, EDGE),
        Box(0.12, -0.38, 0.0, 0.85, 0.3, 0.6, EQUIPMENT),
    ]
    body += [Box(0.0, -0.5, 0.05 + 0.12 * i, 1.1, 0.03, 0.06, GALVANISED) for i in range(6)]
    return author.type(
        "IfcUnitaryEquipmentType",
        "AC-26 空调室外机 Outdoor unit",
        body,
        SHEET,
        PredefinedType="AIRCONDITIONINGUNIT",
    )


def rooftop_unit(author: Author) -> Entity:
    """Create the type of an air handling unit for the roof, 4.2 by 2.1 by 1.9 m."""
    body: list[Solid] = [
        Box(0.0, 0.0, 0.0, 4.2, 2.1, 0.2, DARK),
        Box(0.0, 0.0, 0.2, 4.2, 2.1, 1.6, EQUIPMENT),
        Box(-0.05, 0.3, 0.5, 0.05, 1.5, 1.0, DARK),
        Rod((1.1, 1.05, 1.8), (1.1, 1.05, 1.95), 0.6, GALVANISED),
        Rod((2.9, 1.05, 1.8), (2.9, 1.05, 1.95), 0.6, GALVANISED),
    ]
    return author.type(
        "IfcUnitaryEquipmentType",
        "AHU-1 屋顶空调机组 Rooftop unit",
        body,
        SHEET,
        PredefinedType="ROOFTOPUNIT",
    )


def _piece(author: Author, name: str, body: list[Solid], material: str, kind: str) -> Entity:
    entity = author.type("IfcFurnitureType", name, body, material, AssemblyPlace="FACTORY")
    if not author.old:
        entity.PredefinedType = kind
    return entity
