"""The community centre: an arcade with public rooms, three floors of flats above, IFC4, metres.

Plan, in metres: five bays of 6.0 along x (south front at y = 0), columns 0.5 square, a corridor
between y = 6.75 and 8.6. Every outer wall walks counter-clockwise, so its y points inwards.
"""

from __future__ import annotations

import ifcopenshell

from sample_data.author import At, Author, Storey
from sample_data.community_fitout import furnish, sprinklers
from sample_data.community_outside import ground, plant_trees, roof_level
from sample_data.components import glazed_door, leaf_door, window
from sample_data.furniture import outdoor_unit
from sample_data.georeference import Position
from sample_data.palette import (
    AAC,
    BRICK,
    EDGE,
    INTERIOR,
    RC,
    RENDER,
    SPACE,
    STEEL_MATERIAL,
    TERRA,
    TIMBER,
    TIMBER_MATERIAL,
    WHITE,
    WOOL,
)
from sample_data.solids import Box, Solid
from sample_data.stairs import glass_railing, railing, stair
from sample_data.structure import Frame, rectangle, slab
from sample_data.walls import Hole, WallKind, wall, wall_kind

POSITION = Position(444680.0, 2555710.0, 8.6, 12.0, 23.0999609, 113.4600184)

BAY, BAYS, COLUMN = 6.0, 5, 0.5
LENGTH, DEPTH = BAY * BAYS + COLUMN, 13.2
ROWS = (0.0, 6.6, 12.7)
SLAB, BEAM, BEAM_WIDTH = 0.12, 0.5, 0.2
INSET = 0.08
ARCADE = 2.4
HEIGHTS = (4.2, 3.3, 3.3, 3.3)
PUBLIC_FRONT = (
    "阅览室 Reading room",
    "便民服务厅 Service hall",
    "入口大堂 Lobby",
    "健康驿站 Health station",
    "长者饭堂 Seniors' canteen",
)
PUBLIC_BACK = (
    "长者活动室 Seniors' room",
    "会议室 Meeting room",
    "",
    "消防设备间 Fire plant room",
    "儿童之家 Children's room",
)


def build(seed: int) -> ifcopenshell.file:
    """Build the community centre and return the finished model."""
    author = Author("IFC4", "科学城示例社区中心 Sample community centre", POSITION, seed)
    author.site("示例地块A Sample site A", "社区中心及人才公寓 Community centre", ground())
    author.properties.add(
        author.building,
        "Pset_BuildingCommon",
        {
            "BuildingID": "SAMPLE-A-01",
            "IsPermanentID": False,
            "SprinklerProtection": True,
            "OccupancyType": "社区服务与公寓 Community and flats",
            "GrossPlannedArea": LENGTH * DEPTH * len(HEIGHTS),
            "NumberOfStoreys": len(HEIGHTS),
            "YearOfConstruction": "2025",
        },
    )
    Community(author).build()
    return author.finish("community_centre.ifc", "community_centre")


class Community:
    """The types of the building and the floors made from them."""

    def __init__(self, author: Author) -> None:
        self.author = author
        self.frame = Frame(author, COLUMN, BEAM_WIDTH, BEAM, WHITE)
        layers = [(RENDER, 0.02), (WOOL, 0.03), (AAC, 0.2)]
        self.white = _outer(author, "WQ-1", "白色外墙 White facade wall", layers, WHITE)
        self.terra = _outer(author, "WQ-2", "陶色外墙 Terracotta facade wall", layers, TERRA)
        self.brick = _outer(author, "WQ-3", "青砖外墙 Grey brick wall", layers, BRICK)
        self.inner = wall_kind(
            author, "NQ-1", "加气块内墙 AAC partition", [(AAC, 0.2)], INTERIOR, fire=2.0
        )
        self.floor = author.type("IfcSlabType", "LB-120 楼板 Floor slab", PredefinedType="FLOOR")
        self.wide = window(author, "C-1", 1.6, 1.6, 2)
        self.back = window(author, "C-2", 1.5, 1.5, 2)
        self.narrow = window(author, "C-3", 0.9, 1.6, 1)
        self.shop = window(author, "C-4", 4.4, 3.0, 3, transom=0.6, sill=False)
        self.flat_door = leaf_door(author, "M-1", 1.0, 2.1)
        self.fire_door = leaf_door(author, "FM-1", 1.0, 2.1, fire=1.0)
        self.balcony_door = glazed_door(author, "LM-1", 2.4, 2.4)
        self.entrance = glazed_door(author, "LM-2", 3.0, 2.8)
        self.balcony = author.type(
            "IfcSlabType", "YT-1 阳台板 Balcony slab", _balcony(), RC, PredefinedType="FLOOR"
        )
        self.rail = author.type(
            "IfcRailingType",
            "LG-1 玻璃栏板 Glass balustrade",
            glass_railing([(0, 0, 3.0, 0), (0, 0, 0, 1.4), (3.0, 0, 3.0, 1.4)]),
            STEEL_MATERIAL,
            PredefinedType="BALUSTRADE",
        )
        self.screen = author.type(
            "IfcShadingDeviceType",
            "GS-1 木色格栅 Timber screen",
            _screen(),
            TIMBER_MATERIAL,
            PredefinedType="SHUTTER",
        )
        self.unit = outdoor_unit(author)

    def build(self) -> None:
        """Build all storeys from the ground upwards, then the outside."""
        level = 0.0
        for i, height in enumerate(HEIGHTS):
            storey = self.author.storey(f"F{i + 1} {i + 1}层", level, height)
            self._structure(storey, i)
            self._shell(storey, i)
            self._rooms(storey, i)
            level += height
        roof = self.author.storey("RF 屋面 Roof", level, 2.8)
        roof_level(self.author, roof, self.white, self.fire_door, self.floor)
        furnish(self.author)
        sprinklers(self.author)
        plant_trees(self.author)

    def _structure(self, storey: Storey, i: int) -> None:
        name, height = storey.name[:2], storey.height
        for row, y in enumerate(ROWS):
            for col in range(BAYS + 1):
                axis = f"{col + 1}/{'ABC'[row]}"
                self.frame.column(storey, col * BAY, y, height - SLAB, f"{name} 柱 Column {axis}")
        soffit = height - SLAB - BEAM
        for row, y in ((0, INSET), (2, DEPTH - INSET - BEAM_WIDTH)):
            for col in range(BAYS):
                at = At(col * BAY + COLUMN, y, soffit)
                self.frame.beam(storey, at, BAY - COLUMN, f"{name} 梁 Beam {'ABC'[row]}{col + 1}")
        for col in range(BAYS + 1):
            x = col * BAY + {0: INSET, BAYS: COLUMN - INSET - BEAM_WIDTH}.get(col, 0.15)
            for y, length in ((COLUMN, 6.1), (7.1, 5.6)):
                at = At(x + BEAM_WIDTH, y, soffit, 90.0)
                self.frame.beam(storey, at, length, f"{name} 梁 Beam {col + 1}")
        plate = slab(
            self.author,
            storey,
            f"{name} 楼板 Slab",
            rectangle(0.0, 0.0, LENGTH, DEPTH),
            0.0,
            SLAB if i else 0.3,
            self.floor,
            EDGE,
        )
        if i:
            void = Box(12.38, 8.45, -0.5, 2.82, 4.35, 1.0, "")
            self.author.cut(plate, void, f"{name} 楼梯洞口 Stair void")
        stair(self.author, storey, f"{name} 楼梯 Stair", 12.4, 8.45, 1.2)

    def _shell(self, storey: Storey, i: int) -> None:
        """Build the facades of a storey, bay by bay."""
        name, top = storey.name[:2], storey.height - SLAB - BEAM
        for bay in range(BAYS):
            if i == 0:
                self._shop_front(storey, bay)
            else:
                self._balcony_bay(storey, i, bay, top)
            self._back_bay(storey, i, bay, top)
        south = ARCADE if i == 0 else COLUMN
        plain = self.brick if i == 0 else self.white
        for side, x, turn in (("东 East", LENGTH - INSET, 90.0), ("西 West", INSET, -90.0)):
            for y0, y1, part in ((south, 6.6, "南 S"), (7.1, 12.7, "北 N")):
                label = f"{name} 外墙 Wall {side} {part}"
                length = y1 - y0
                at = At(x, y0 if turn > 0 else y1, 0.0, turn)
                middle = 0.8 if y0 > 7 else length / 2
                middle = middle if turn > 0 else length - middle
                hole = Hole(self.narrow, middle - 0.45, 0.9, f"{label} 窗 Window")
                wall(self.author, storey, plain, label, at, length, top, [hole])

    def _shop_front(self, storey: Storey, bay: int) -> None:
        at = At(bay * BAY + 0.35, ARCADE)
        label = f"F1 骑楼墙 Arcade wall {bay + 1}"
        if bay == 2:
            hole = Hole(self.entrance, 1.4, 0.0, "F1 主入口 Main entrance")
        else:
            hole = Hole(self.shop, 0.7, 0.4, f"F1 橱窗 Shop window {bay + 1}")
        wall(self.author, storey, self.brick, label, at, 5.8, storey.height - SLAB, [hole])

    def _balcony_bay(self, storey: Storey, i: int, bay: int, top: float) -> None:
        author, name = self.author, storey.name[:2]
        left = bay % 2 == 0
        kind = self.terra if (bay + i) % 2 else self.white
        flat = f"{i + 1}{bay + 1:02d}"
        x = bay * BAY + COLUMN
        holes = [
            Hole(self.balcony_door, 0.5 if left else 2.6, 0.0, f"{flat} 阳台门 Balcony door"),
            Hole(self.wide, 3.4 if left else 0.5, 0.9, f"{flat} 南窗 South window"),
        ]
        wall(
            author,
            storey,
            kind,
            f"{name} 南墙 South wall {bay + 1}",
            At(x, INSET),
            BAY - COLUMN,
            top,
            holes,
        )
        start = x + (0.2 if left else 2.3)
        deck = author.element(
            "IfcSlab", f"{flat} 阳台 Balcony", storey, At(start, -1.5), kind=self.balcony
        )
        author.properties.add(
            deck, "Pset_SlabCommon", {"Reference": "YT-1", "IsExternal": True, "LoadBearing": True}
        )
        railing(author, storey, f"{flat} 栏板 Balustrade", At(start, -1.45), [], self.rail)
        author.element(
            "IfcShadingDevice",
            f"{flat} 格栅 Screen",
            storey,
            At(x + (3.2 if left else 2.14), -0.9),
            kind=self.screen,
        )

    def _back_bay(self, storey: Storey, i: int, bay: int, top: float) -> None:
        author, name = self.author, storey.name[:2]
        label = f"{name} 北墙 North wall {bay + 1}"
        kind = self.brick if i == 0 else self.white
        at = At((bay + 1) * BAY, DEPTH - INSET, 0.0, 180.0)
        holes = [
            Hole(self.back, x, 0.9, f"{name} 北窗 North window {bay + 1}{side}")
            for x, side in (((0.7, "a"), (3.3, "b")) if bay != 2 else ((3.2, "a"),))
        ]
        wall(author, storey, kind, label, at, BAY - COLUMN, top, holes)
        if i and bay != 2:
            at = At(bay * BAY + 3.6, DEPTH - INSET, 0.35, 180.0)
            author.element(
                "IfcUnitaryEquipment",
                f"{name} 空调室外机 Outdoor unit {bay + 1}",
                storey,
                at,
                kind=self.unit,
            )

    def _rooms(self, storey: Storey, i: int) -> None:
        author, name = self.author, storey.name[:2]
        top, clear = storey.height - SLAB - BEAM, storey.height - SLAB
        south = ARCADE if i == 0 else INSET
        for bay in range(BAYS):
            x = bay * BAY
            door = Hole(self.flat_door, 2.2, 0.0, f"{name} 门 Door S{bay + 1}")
            if not (i == 0 and bay == 2):  # the lobby is open to the corridor
                label = f"{name} 走廊南墙 Corridor wall S{bay + 1}"
                wall(author, storey, self.inner, label, At(x + 0.5, 6.75), 5.5, top, [door])
            number = f"{i + 1}{bay + 1:02d}"
            title = PUBLIC_FRONT[bay] if i == 0 else "公寓 Apartment"
            box = Box(x + 0.35, south + 0.25, 0.0, 5.8, 6.5 - south, clear, SPACE)
            author.space(storey, number, title, box, "公共服务" if i == 0 else "居住")
            if bay == 2:
                continue
            label = f"{name} 走廊北墙 Corridor wall N{bay + 1}"
            plant = i == 0 and bay == 3
            kind = self.fire_door if plant else self.flat_door
            door = Hole(kind, 2.4, 0.0, f"{name} 门 Door N{bay + 1}")
            wall(author, storey, self.inner, label, At(x + 0.35, 8.4), 5.8, clear, [door])
            title = PUBLIC_BACK[bay] if i == 0 else "公寓 Apartment"
            box = Box(x + 0.35, 8.6, 0.0, 5.8, 4.27, clear, SPACE)
            number = f"{i + 1}{bay + 6:02d}"
            author.space(storey, number, title, box, "公共服务" if i == 0 else "居住")
        corridor = Box(0.33, 6.95, 0.0, LENGTH - 0.66, 1.45, clear, SPACE)
        author.space(storey, f"{i + 1}90", "走廊 Corridor", corridor, "交通")
        shaft = Box(12.35, 8.45, 0.0, 2.85, 4.42, clear, SPACE)
        author.space(storey, f"{i + 1}91", "楼梯间 Staircase", shaft, "交通")
        store = Box(15.4, 8.6, 0.0, 2.75, 4.27, clear, SPACE)
        author.space(storey, f"{i + 1}92", "储藏间 Storage", store, "辅助")
        self._cross_walls(storey, i, top, clear)

    def _cross_walls(self, storey: Storey, i: int, top: float, clear: float) -> None:
        author, name = self.author, storey.name[:2]
        south = ARCADE if i == 0 else COLUMN
        for col in range(1, BAYS):
            # Walls stand left of their own axis, so one running north starts at its east face.
            x = col * BAY + 0.35
            label = f"{name} 分户墙 Party wall {col + 1}"
            wall(author, storey, self.inner, f"{label}S", At(x, south, 0.0, 90.0), 6.6 - south, top)
            wall(author, storey, self.inner, f"{label}N", At(x, 8.4, 0.0, 90.0), 4.3, top)
        label = f"{name} 储藏间墙 Storage wall"
        door = Hole(self.fire_door, 0.9, 0.0, f"{name} 储藏间门 Storage door")
        wall(author, storey, self.inner, f"{label} S", At(15.4, 8.4), 2.75, clear, [door])
        wall(author, storey, self.inner, f"{label} W", At(15.4, 8.4, 0.0, 90.0), 4.47, clear)


def _outer(
    author: Author, reference: str, name: str, layers: list[tuple[str, float]], style: str
) -> WallKind:
    return wall_kind(author, reference, name, layers, style, external=True, fire=2.0, u_value=0.75)


def _balcony() -> list[Solid]:
    """Return a deck 3.0 by 1.58 m with an upstand, from its outer left corner at floor level."""
    return [
        Box(0.0, 0.0, -0.15, 3.0, 1.58, 0.12, EDGE),
        Box(0.0, 0.0, -0.03, 3.0, 0.1, 0.11, WHITE),
        Box(0.0, 0.1, -0.03, 0.1, 1.48, 0.11, WHITE),
        Box(2.9, 0.1, -0.03, 0.1, 1.48, 0.11, WHITE),
    ]


def _screen() -> list[Solid]:
    """Return a storey-high screen of slats beside the balcony, 0.16 by 0.9 m in plan."""
    return [Box(0.0, 0.14 * i, -0.1, 0.12, 0.05, 3.2, TIMBER) for i in range(7)]
