"""The ground, the trees and the roof of the community centre."""

from __future__ import annotations

from sample_data.author import At, Author, Storey
from sample_data.components import Fitting
from sample_data.furniture import Entity, solar_panel, tree
from sample_data.palette import (
    ASPHALT,
    DARK,
    EDGE,
    GRANITE,
    LAWN,
    PAVING,
    PLANT,
    RC,
    SPACE,
    STEEL,
    STEEL_MATERIAL,
    TERRA,
    TIMBER,
    TIMBER_MATERIAL,
    WHITE,
)
from sample_data.solids import Box, Rod, Solid
from sample_data.structure import rectangle, slab
from sample_data.walls import Hole, WallKind, wall

LENGTH, DEPTH = 30.5, 13.2
SITE = (-8.0, -13.0, 46.5, 33.0)
GROUND = -0.15


def ground() -> list[Solid]:
    """Return the site: lawn, forecourt, steps and the kerb-side street."""
    x, y, dx, dy = SITE
    return [
        Box(x, y + 5.0, -0.6, dx, dy - 5.0, 0.4, LAWN),
        Box(x, y, -0.6, dx, 5.0, 0.35, ASPHALT),
        Box(-1.5, -7.0, -0.2, LENGTH + 3.0, 7.0, 0.05, PAVING),
        Box(11.5, -8.0, -0.2, 7.5, 1.0, 0.05, PAVING),
        Box(-1.5, DEPTH, -0.2, LENGTH + 3.0, 1.5, 0.05, PAVING),
        Box(11.0, -0.6, -0.15, 8.5, 0.6, 0.08, GRANITE),
    ]


def plant_trees(author: Author) -> None:
    """Place two kinds of trees along the street and behind the house, moved by the seed."""
    storey = author.storeys[0]
    kinds = [
        tree(author, "TR-1 细叶榕 Banyan", 6.5, 2.2),
        tree(author, "TR-2 宫粉紫荆 Bauhinia", 4.8, 1.6),
    ]
    spots = [(-5.0, -5.5), (2.0, -5.0), (8.5, -5.6), (22.0, -5.4), (28.5, -5.0), (35.5, -5.6)]
    spots += [(6.0, 17.0), (27.5, 17.0)]
    for i, (x, y) in enumerate(spots):
        shift = author.random.uniform(-0.5, 0.5)
        turn = round(author.random.uniform(0.0, 360.0), 1)
        author.element(
            "IfcGeographicElement",
            f"乔木 Tree {i + 1}",
            storey,
            At(round(x + shift, 2), y, -0.2, turn),
            kind=kinds[1 if i < 6 and i % 2 else 0],
        )


def roof_level(
    author: Author, storey: Storey, kind: WallKind, door: Fitting, floor: Entity
) -> None:
    """Build the roof slab, parapets, stair head, solar field, roof garden and entrance canopy."""
    roof = author.element("IfcRoof", "RF 平屋面 Flat roof", storey, At())
    roof.PredefinedType = "FLAT_ROOF"
    author.properties.add(roof, "Pset_RoofCommon", {"Reference": "WM-1", "IsExternal": True})
    plate = slab(
        author,
        storey,
        "RF 屋面板 Roof slab",
        rectangle(0.0, 0.0, LENGTH, DEPTH),
        0.0,
        0.12,
        floor,
        EDGE,
        part="ROOF",
    )
    storey.elements.remove(plate)
    author.parts(roof, [plate])
    author.cut(plate, Box(12.38, 8.45, -0.5, 2.82, 4.35, 1.0, ""), "RF 楼梯洞口 Stair void")
    for side, x, y, turn, length in (
        ("南 S", 0.0, 0.0, 0.0, LENGTH),
        ("东 E", LENGTH, 0.25, 90.0, DEPTH - 0.5),
        ("北 N", LENGTH, DEPTH, 180.0, LENGTH),
        ("西 W", 0.0, DEPTH - 0.25, -90.0, DEPTH - 0.5),
    ):
        coping = Box(0.0, -0.05, 1.1, length, 0.35, 0.06, DARK)
        parapet = wall(
            author,
            storey,
            kind,
            f"RF 女儿墙 Parapet {side}",
            At(x, y, 0.0, turn),
            length,
            1.1,
            trim=[coping],
        )
        parapet.PredefinedType = "PARAPET"
    _stair_head(author, storey, kind, door, floor)
    _roof_garden(author, storey)
    _canopy(author)


def _stair_head(
    author: Author, storey: Storey, kind: WallKind, door: Fitting, floor: Entity
) -> None:
    x0, y0, x1, y1 = 12.1, 7.0, 18.4, 12.95
    exit_door = Hole(door, 2.6, 0.0, "RF 屋面门 Roof door")
    name = "RF 梯屋墙 Stair head wall"
    wall(author, storey, kind, f"{name} S", At(x0, y0), x1 - x0, 2.7, [exit_door])
    wall(author, storey, kind, f"{name} E", At(x1, y0 + 0.25, 0, 90.0), y1 - y0 - 0.5, 2.7)
    wall(author, storey, kind, f"{name} N", At(x1, y1, 0, 180.0), x1 - x0, 2.7)
    wall(author, storey, kind, f"{name} W", At(x0, y1 - 0.25, 0, -90.0), y1 - y0 - 0.5, 2.7)
    outline = rectangle(x0 - 0.3, y0 - 0.9, x1 - x0 + 0.6, y1 - y0 + 1.15)
    slab(author, storey, "RF 梯屋顶板 Stair head slab", outline, 2.85, 0.15, floor, TERRA)
    inside = Box(x0 + 0.25, y0 + 0.25, 0.0, x1 - x0 - 0.5, y1 - y0 - 0.5, 2.7, SPACE)
    author.space(storey, "RF1", "楼梯间 Staircase", inside, "交通")


def _roof_garden(author: Author, storey: Storey) -> None:
    panel = solar_panel(author)
    for row in range(2):
        for col in range(5):
            at = At(1.0 + 2.1 * col, 2.0 + 2.8 * row)
            name = f"RF 光伏组件 Solar panel {row + 1}-{col + 1}"
            author.element("IfcSolarDevice", name, storey, at, kind=panel)
    bed = [Box(0.0, 0.0, 0.0, 9.0, 3.2, 0.3, GRANITE), Box(0.1, 0.1, 0.3, 8.8, 3.0, 0.06, LAWN)]
    author.element(
        "IfcCovering", "RF 屋顶花园 Roof garden", storey, At(20.0, 8.6), bed, material=PLANT
    ).PredefinedType = "ROOFING"
    frame: list[Solid] = [
        Box(0.0, 0.0, 0.0, 0.14, 0.14, 2.5, TIMBER),
        Box(0.0, 3.6, 0.0, 0.14, 0.14, 2.5, TIMBER),
        Box(-0.02, -0.4, 2.5, 0.18, 4.54, 0.2, TIMBER),
    ]
    pergola = author.type(
        "IfcMemberType", "HJ-1 花架 Pergola frame", frame, TIMBER_MATERIAL, PredefinedType="MEMBER"
    )
    for i in range(7):
        name = f"RF 花架 Pergola {i + 1}"
        author.element("IfcMember", name, storey, At(20.3 + 1.4 * i, 2.4), kind=pergola)


def _canopy(author: Author) -> None:
    """Hang the entrance canopy, with two posts and a sign board, on the ground floor."""
    storey = author.storeys[0]
    body: list[Solid] = [
        Box(11.6, -2.4, 3.2, 7.3, 2.4, 0.16, WHITE),
        Box(11.6, -2.48, 3.12, 7.3, 0.08, 0.34, TERRA),
        Box(11.52, -2.48, 3.12, 0.08, 2.48, 0.34, TERRA),
        Box(18.9, -2.48, 3.12, 0.08, 2.48, 0.34, TERRA),
    ]
    canopy = author.element(
        "IfcSlab", "F1 入口雨篷 Entrance canopy", storey, At(), body, material=RC
    )
    canopy.PredefinedType = "USERDEFINED"
    canopy.ObjectType = "CANOPY"
    author.properties.add(canopy, "Pset_SlabCommon", {"Reference": "YP-1", "IsExternal": True})
    post = author.type(
        "IfcColumnType",
        "GZ-1 雨篷钢柱 Canopy post",
        [Rod((0.0, 0.0, GROUND), (0.0, 0.0, 3.2), 0.07, STEEL)],
        STEEL_MATERIAL,
        PredefinedType="COLUMN",
    )
    for i, x in enumerate((12.1, 18.4)):
        name = f"F1 雨篷柱 Canopy post {i + 1}"
        author.element("IfcColumn", name, storey, At(x, -2.1), kind=post)
    sign: list[Solid] = [
        Box(0.0, 0.0, 0.0, 5.0, 0.08, 0.75, TERRA),
        Box(0.2, -0.03, 0.2, 4.6, 0.03, 0.35, WHITE),
    ]
    author.element(
        "IfcBuildingElementProxy",
        "F1 社区中心标牌 Community centre sign",
        storey,
        At(12.75, -2.35, 3.36),
        sign,
        material=STEEL_MATERIAL,
    )
