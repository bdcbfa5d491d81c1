"""The ground, the trees and the roof of the office."""

from __future__ import annotations

from sample_data.author import At, Author, Storey
from sample_data.components import Fitting
from sample_data.furniture import Entity, rooftop_unit, tree
from sample_data.palette import (
    ALUMINIUM,
    ASPHALT,
    CHAMPAGNE,
    DARK,
    EDGE,
    GRANITE,
    LAWN,
    PAVING,
    SILVER,
    SPACE,
)
from sample_data.solids import Box, Solid
from sample_data.structure import rectangle, slab
from sample_data.walls import Hole, WallKind, wall

LENGTH, DEPTH = 36.0, 18.0
SITE = (-9.0, -16.0, 54.0, 40.0)


def ground() -> list[Solid]:
    """Return the site: lawn, plaza with planted beds, and the street."""
    x, y, dx, dy = SITE
    return [
        Box(x, y + 5.0, -0.6, dx, dy - 5.0, 0.4, LAWN),
        Box(x, y, -0.6, dx, 5.0, 0.35, ASPHALT),
        Box(-2.0, -10.0, -0.2, LENGTH + 4.0, 10.0, 0.05, PAVING),
        Box(12.0, -11.0, -0.2, 12.0, 1.0, 0.05, PAVING),
        Box(-2.0, DEPTH, -0.2, LENGTH + 4.0, 2.5, 0.05, PAVING),
        Box(13.4, -4.4, -0.15, 9.2, 4.4, 0.1, GRANITE),
        Box(1.0, -7.5, -0.15, 9.5, 2.2, 0.4, GRANITE),
        Box(1.15, -7.35, 0.25, 9.2, 1.9, 0.05, LAWN),
        Box(25.5, -7.5, -0.15, 9.5, 2.2, 0.4, GRANITE),
        Box(25.65, -7.35, 0.25, 9.2, 1.9, 0.05, LAWN),
    ]


def plant_trees(author: Author) -> None:
    """Place trees in the beds and along the site, moved by the seed."""
    storey = author.storeys[0]
    kinds = [
        tree(author, "TR-1 细叶榕 Banyan", 7.0, 2.3),
        tree(author, "TR-3 凤凰木 Flame tree", 5.0, 1.5),
    ]
    spots = [(3.2, -6.4, 0.3), (8.0, -6.4, 0.3), (28.0, -6.4, 0.3), (32.8, -6.4, 0.3)]
    spots += [(-5.8, 3.0, -0.2), (-5.8, 14.0, -0.2), (41.5, 3.0, -0.2), (41.5, 14.0, -0.2)]
    for i, (x, y, z) in enumerate(spots):
        at = At(
            round(x + author.random.uniform(-0.4, 0.4), 2),
            y,
            z,
            round(author.random.uniform(0.0, 360.0), 1),
        )
        ifc_class = "IfcBuildingElementProxy" if author.old else "IfcGeographicElement"
        author.element(ifc_class, f"乔木 Tree {i + 1}", storey, at, kind=kinds[int(i < 4)])


def roof_level(
    author: Author, storey: Storey, kind: WallKind, door: Fitting, floor: Entity
) -> None:
    """Build the roof slab, parapets, stair head, plant and its screen."""
    roof = author.element("IfcRoof", "RF 平屋面 Flat roof", storey, At(), ShapeType="FLAT_ROOF")
    author.properties.add(roof, "Pset_RoofCommon", {"Reference": "WM-2", "IsExternal": True})
    plate = slab(
        author,
        storey,
        "RF 屋面板 Roof slab",
        rectangle(0.0, 0.1, LENGTH, DEPTH - 0.2),
        0.0,
        0.14,
        floor,
        EDGE,
        part="ROOF",
    )
    storey.elements.remove(plate)
    author.parts(roof, [plate])
    author.cut(plate, Box(18.12, 11.25, -0.6, 2.86, 5.08, 1.2, ""), "RF 楼梯洞口 Stair void")
    _parapets(author, storey, kind)
    _stair_head(author, storey, kind, door, floor)
    unit = rooftop_unit(author)
    for i, x in enumerate((4.0, 27.0)):
        name = f"RF 屋顶空调机组 Rooftop unit {i + 1}"
        author.element("IfcEnergyConversionDevice", name, storey, At(x, 8.5), kind=unit)
        _screen(author, storey, x - 1.2, 7.2, i + 1)


def _parapets(author: Author, storey: Storey, kind: WallKind) -> None:
    for side, x, y, turn, length in (
        ("东 E", LENGTH + 0.3, -0.3, 90.0, DEPTH + 0.6),
        ("西 W", -0.3, DEPTH + 0.3, -90.0, DEPTH + 0.6),
        ("南 S", 0.0, -0.2, 0.0, LENGTH),
        ("北 N", LENGTH, DEPTH + 0.2, 180.0, LENGTH),
    ):
        gable = side[0] in "东西"
        # The fronts carry an aluminium crown that starts where the last panels end.
        trim: list[Solid] = [Box(0.0, -0.04, 1.3, length, 0.4, 0.08, DARK)]
        if not gable:
            trim.append(Box(0.0, -0.06, -0.8, length, 0.26, 2.1, SILVER))
            trim += [Box(1.8 * i, -0.24, -0.8, 0.08, 0.18, 2.1, CHAMPAGNE) for i in range(20)]
        name = f"RF 女儿墙 Parapet {side}"
        wall(author, storey, kind, name, At(x, y, 0.0, turn), length, 1.3, trim=trim)


def _stair_head(
    author: Author, storey: Storey, kind: WallKind, door: Fitting, floor: Entity
) -> None:
    x0, y0, x1, y1 = 14.6, 9.3, 21.4, 16.8
    exit_door = Hole(door, 4.3, 0.0, "RF 屋面门 Roof door")
    name = "RF 梯屋墙 Stair head wall"
    depth = y1 - y0 - 2 * kind.thickness
    wall(author, storey, kind, f"{name} S", At(x0, y0), x1 - x0, 3.0, [exit_door])
    wall(author, storey, kind, f"{name} N", At(x1, y1, 0, 180.0), x1 - x0, 3.0)
    wall(author, storey, kind, f"{name} E", At(x1, y0 + kind.thickness, 0, 90.0), depth, 3.0)
    wall(author, storey, kind, f"{name} W", At(x0, y1 - kind.thickness, 0, -90.0), depth, 3.0)
    outline = rectangle(x0 - 0.2, y0 - 0.2, x1 - x0 + 0.4, y1 - y0 + 0.4)
    slab(author, storey, "RF 梯屋顶板 Stair head slab", outline, 3.14, 0.14, floor, DARK)
    inside = Box(
        x0 + kind.thickness,
        y0 + kind.thickness,
        0.0,
        x1 - x0 - 2 * kind.thickness,
        depth,
        3.0,
        SPACE,
    )
    author.space(storey, "RF1", "楼梯及电梯机房 Stair head", inside, "核心筒")


def _screen(author: Author, storey: Storey, x: float, y: float, number: int) -> None:
    """Stand a louvred screen, 6.6 by 4.7 m in plan, around a plant on the roof."""
    dx, dy, body = 6.6, 4.7, list[Solid]()
    for px in (0.0, dx - 0.1):
        for py in (0.0, dy - 0.1):
            body.append(Box(px, py, 0.0, 0.1, 0.1, 2.3, DARK))
    for i in range(10):
        z = 0.2 + 0.21 * i
        body += [
            Box(0.1, 0.02, z, dx - 0.2, 0.03, 0.12, SILVER),
            Box(0.1, dy - 0.05, z, dx - 0.2, 0.03, 0.12, SILVER),
            Box(0.02, 0.1, z, 0.03, dy - 0.2, 0.12, SILVER),
            Box(dx - 0.05, 0.1, z, 0.03, dy - 0.2, 0.12, SILVER),
        ]
    author.element(
        "IfcRailing",
        f"RF 设备百叶围挡 Plant screen {number}",
        storey,
        At(x, y),
        body,
        material=ALUMINIUM,
        PredefinedType="NOTDEFINED",
    )
