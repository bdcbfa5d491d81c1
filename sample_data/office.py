"""The office: a curtain wall between two stone gables, five floors, IFC2X3, millimetres.

Plan, in metres: five bays of 7.2 along x and two of 9.0 along y, a concrete core with stair,
lifts and washrooms in the middle bay. The south front is at y = 0.
"""

from __future__ import annotations

from itertools import pairwise

import ifcopenshell

from sample_data.author import At, Author, Storey
from sample_data.components import leaf_door, window
from sample_data.facade import CurtainWall, portal
from sample_data.georeference import Position
from sample_data.office_fitout import furnish, supply_air
from sample_data.office_outside import ground, plant_trees, roof_level
from sample_data.palette import (
    AAC,
    BLUE_GLASS,
    CLADDING,
    CONCRETE,
    EDGE,
    GRANITE,
    GYPSUM,
    INTERIOR,
    RC,
    SPACE,
    WOOL,
)
from sample_data.solids import Box
from sample_data.stairs import stair
from sample_data.structure import Frame, rectangle, slab
from sample_data.walls import Hole, wall, wall_kind

POSITION = Position(444798.18, 2555730.84, 9.1, 7.5, 23.1001531, 113.4611712)

LENGTH, DEPTH = 36.0, 18.0
COLUMN, BEAM_WIDTH, BEAM, SLAB = 0.7, 0.35, 0.7, 0.14
COLUMNS = (0.05, 6.85, 14.05, 21.25, 28.45, 35.25)
ROWS = (0.6, 8.65, 16.7)
HEIGHTS = (4.8, 3.9, 3.9, 3.9, 3.9)
CORE = (14.75, 9.6, 21.25, 16.6)
MIDDLE = 17.85


def build(seed: int) -> ifcopenshell.file:
    """Build the office and return the finished model."""
    author = Author("IFC2X3", "科学城示例办公楼 Sample office", POSITION, seed, millimetres=True)
    author.site("示例地块B Sample site B", "创新办公楼 Innovation office", ground())
    author.properties.add(
        author.building,
        "Pset_BuildingCommon",
        {
            "BuildingID": "SAMPLE-B-01",
            "IsPermanentID": False,
            "SprinklerProtection": True,
            "OccupancyType": "办公 Office",
            "GrossPlannedArea": LENGTH * DEPTH * len(HEIGHTS),
            "NumberOfStoreys": len(HEIGHTS),
            "YearOfConstruction": "2024",
        },
    )
    Office(author).build()
    return author.finish("office.ifc", "office")


class Office:
    """The types of the building and the floors made from them."""

    def __init__(self, author: Author) -> None:
        self.author = author
        self.frame = Frame(author, COLUMN, BEAM_WIDTH, BEAM, CONCRETE)
        self.stone = wall_kind(
            author,
            "WQ-S",
            "干挂石材外墙 Stone-clad wall",
            [(CLADDING, 0.03), (WOOL, 0.07), (AAC, 0.2)],
            GRANITE,
            external=True,
            fire=2.0,
            u_value=0.55,
        )
        self.core = wall_kind(
            author, "HXT", "核心筒剪力墙 Core wall", [(RC, 0.25)], CONCRETE, fire=3.0, bearing=True
        )
        self.stud = wall_kind(
            author, "GQ-1", "轻钢龙骨隔墙 Stud partition", [(GYPSUM, 0.15)], INTERIOR, fire=0.75
        )
        self.floor = author.type("IfcSlabType", "LB-140 楼板 Floor slab", PredefinedType="FLOOR")
        self.tall = window(author, "C-11", 1.1, 2.4, 1, transom=0.6, glass=BLUE_GLASS)
        self.wood = leaf_door(author, "M-2", 1.0, 2.2)
        self.fire = leaf_door(author, "FM-2", 1.0, 2.2, fire=1.5)
        self.lift = leaf_door(author, "DT-1", 1.0, 2.2, lift=True)
        self.curtain = CurtainWall(author, LENGTH)

    def build(self) -> None:
        """Build all storeys from the ground upwards, then the outside."""
        level = 0.0
        for i, height in enumerate(HEIGHTS):
            storey = self.author.storey(f"F{i + 1} {i + 1}层", level, height)
            self._structure(storey, i)
            self._facades(storey, i)
            self._core(storey, i)
            self._rooms(storey, i)
            level += height
        roof = self.author.storey("RF 屋面 Roof", level, 3.2)
        roof_level(self.author, roof, self.stone, self.fire, self.floor)
        furnish(self.author)
        supply_air(self.author)
        plant_trees(self.author)

    def _structure(self, storey: Storey, i: int) -> None:
        name, height = storey.name[:2], storey.height
        soffit = height - SLAB - BEAM
        side = (COLUMN - BEAM_WIDTH) / 2
        for row, y in enumerate(ROWS):
            for col, x in enumerate(COLUMNS):
                axis = f"{col + 1}/{'ABC'[row]}"
                self.frame.column(storey, x, y, height - SLAB, f"{name} 柱 Column {axis}")
        for row, y in enumerate(ROWS):
            for col, (x0, x1) in enumerate(pairwise(COLUMNS)):
                at = At(x0 + COLUMN, y + side, soffit)
                label = f"{name} 梁 Beam {'ABC'[row]}{col + 1}"
                self.frame.beam(storey, at, round(x1 - x0 - COLUMN, 4), label)
        for col, x in enumerate(COLUMNS):
            for y0, y1 in pairwise(ROWS):
                at = At(x + side + BEAM_WIDTH, y0 + COLUMN, soffit, 90.0)
                label = f"{name} 梁 Beam {col + 1}"
                self.frame.beam(storey, at, round(y1 - y0 - COLUMN, 4), label)
        plate = slab(
            self.author,
            storey,
            f"{name} 楼板 Slab",
            rectangle(0.0, 0.1, LENGTH, DEPTH - 0.2),
            0.0,
            SLAB if i else 0.35,
            self.floor,
            EDGE,
        )
        if i:
            stair_void = Box(18.12, 11.25, -0.6, 2.86, 5.08, 1.2, "")
            self.author.cut(plate, stair_void, f"{name} 楼梯洞口 Stair void")
            lift_void = Box(15.0, 9.85, -0.6, 2.85, 2.75, 1.2, "")
            self.author.cut(plate, lift_void, f"{name} 电梯井洞口 Lift void")
        stair(self.author, storey, f"{name} 楼梯 Stair", 18.15, 11.25, 1.3)

    def _facades(self, storey: Storey, i: int) -> None:
        author, name = self.author, storey.name[:2]
        self.curtain.build(storey, "南 S", At(0.0, 0.0), i, gap=(4, 6) if i == 0 else (0, 0))
        self.curtain.build(storey, "北 N", At(LENGTH, DEPTH, 0.0, 180.0), i)
        if i == 0:
            portal(author, storey, At(14.4, -0.45), 7.2)
        for side, at in (
            ("东 E", At(LENGTH + 0.3, -0.3, 0.0, 90.0)),
            ("西 W", At(-0.3, DEPTH + 0.3, 0.0, -90.0)),
        ):
            label = f"{name} 山墙 Gable wall {side}"
            holes = [
                Hole(self.tall, x, 0.6, f"{name} 山墙窗 Gable window {side} {n + 1}")
                for n, x in enumerate((2.9, 6.6, 10.9, 14.6))
            ]
            wall(author, storey, self.stone, label, at, DEPTH + 0.6, storey.height, holes)

    def _core(self, storey: Storey, i: int) -> None:
        author, name, clear = self.author, storey.name[:2], storey.height - SLAB
        x0, y0, x1, y1 = CORE
        thick = self.core.thickness
        front = [
            Hole(self.lift, 0.45, 0.0, f"{name} 电梯门 Lift door 1"),
            Hole(self.lift, 1.85, 0.0, f"{name} 电梯门 Lift door 2"),
            Hole(self.fire, 4.3, 0.0, f"{name} 楼梯间防火门 Stair fire door"),
        ]
        washroom = Hole(self.wood, 2.0 - thick, 0.0, f"{name} 卫生间门 Washroom door")
        inner = y1 - y0 - 2 * thick
        label = f"{name} 核心筒墙 Core wall"
        wall(author, storey, self.core, f"{label} S", At(x0, y0), x1 - x0, clear, front)
        wall(author, storey, self.core, f"{label} N", At(x1, y1, 0, 180.0), x1 - x0, clear)
        wall(author, storey, self.core, f"{label} E", At(x1, y0 + thick, 0, 90.0), inner, clear)
        wall(
            author,
            storey,
            self.core,
            f"{label} W",
            At(x0, y1 - thick, 0, -90.0),
            inner,
            clear,
            [washroom],
        )
        middle = At(MIDDLE + thick, y0 + thick, 0.0, 90.0)
        wall(author, storey, self.core, f"{label} M", middle, inner, clear)
        back = At(x0 + thick, 12.6)
        wall(author, storey, self.core, f"{label} L", back, MIDDLE - x0 - thick, clear)
        for number, title, box in (
            ("91", "电梯井 Lift shaft", Box(15.0, 9.85, 0.0, 2.85, 2.75, clear, SPACE)),
            ("92", "楼梯间 Staircase", Box(18.1, 9.85, 0.0, 2.9, 6.5, clear, SPACE)),
            ("93", "卫生间 Washroom", Box(15.0, 12.85, 0.0, 2.85, 3.5, clear, SPACE)),
        ):
            author.space(storey, f"{i + 1}{number}", title, box, "核心筒")

    def _rooms(self, storey: Storey, i: int) -> None:
        """Divide both wings: an open office in front, a closed room at the back."""
        author, name, clear = self.author, storey.name[:2], storey.height - SLAB
        top = clear - BEAM
        back = DEPTH - 0.1 - 11.0
        for side, x, cross in (("W", 0.75, 6.95), ("E", 29.1, 28.95)):
            door = Hole(self.wood, 0.9 if side == "W" else 4.2, 0.0, f"{name} 门 Door {side}")
            label = f"{name} 隔墙 Partition {side}"
            length = 6.2 if side == "W" else 6.15
            wall(author, storey, self.stud, f"{label}1", At(x, 11.0), length, top, [door])
            at = At(cross + 0.15, 11.15, 0.0, 90.0)
            wall(author, storey, self.stud, f"{label}2", at, 16.7 - 11.15, top)
        front = "大堂 Lobby" if i == 0 else "办公室 Office"
        west = "展厅 Showroom" if i == 0 else "办公室 Office"
        east = "咖啡厅 Cafe" if i == 0 else "办公室 Office"
        for number, title, box in (
            ("01", west, Box(0.05, 0.1, 0.0, 14.0, 10.9, clear, SPACE)),
            ("02", front, Box(14.05, 0.1, 0.0, 7.9, 9.5, clear, SPACE)),
            ("03", east, Box(21.95, 0.1, 0.0, 14.0, 10.9, clear, SPACE)),
            ("04", "会议室 Meeting room", Box(0.05, 11.15, 0.0, 6.9, back - 0.15, clear, SPACE)),
            ("05", "经理室 Manager", Box(29.1, 11.15, 0.0, 6.85, back - 0.15, clear, SPACE)),
            ("06", "研发区 Laboratory", Box(7.1, 11.15, 0.0, 7.6, back - 0.15, clear, SPACE)),
            ("07", "研发区 Laboratory", Box(21.3, 11.15, 0.0, 7.6, back - 0.15, clear, SPACE)),
        ):
            author.space(storey, f"{i + 1}{number}", title, box, "办公")
