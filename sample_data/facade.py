"""The curtain wall of the office, in storey-high panels, and the stone portal at its entrance."""

from __future__ import annotations

from itertools import pairwise

import ifcopenshell

from sample_data.author import At, Author, Storey
from sample_data.components import compose, glazed_door
from sample_data.palette import (
    ALUMINIUM,
    BLUE_GLASS,
    CHAMPAGNE,
    CLADDING,
    DARK,
    DARK_STONE,
    GLASS,
    GLAZING,
    RC,
    SILVER,
    STEEL,
    STEEL_MATERIAL,
)
from sample_data.solids import Box, Rod, Solid
from sample_data.walls import Hole, wall, wall_kind

Entity = ifcopenshell.entity_instance

PANEL = 3.6
# Panels hang this far below their floor, so that the joint hides the beam and not the view.
DROP = 0.8


class CurtainWall:
    """Storey-high panels of 3.6 m: glass above an aluminium spandrel, with one deep fin.

    Panels A and B carry the fin at different places and alternate from floor to floor.
    """

    def __init__(self, author: Author, length: float) -> None:
        self.author, self.length = author, length
        self._types: dict[tuple[str, float], Entity] = {}
        cap = Box(0.0, -0.22, 0.0, length, 0.12, 0.12, SILVER)
        self.cap = author.type(
            "IfcMemberType", "MQ-H 幕墙横梁 Transom", [cap], ALUMINIUM, PredefinedType="MULLION"
        )

    def build(
        self, storey: Storey, side: str, at: At, floor: int, gap: tuple[int, int] = (0, 0)
    ) -> Entity:
        """Hang one storey of a facade; panels with an index inside `gap` are left out."""
        author, name = self.author, storey.name[:2]
        label = f"{name} 玻璃幕墙 Curtain wall {side}"
        whole = author.element("IfcCurtainWall", label, storey, at)
        parts = []
        for i in range(round(self.length / PANEL)):
            if gap[0] <= i < gap[1]:
                continue
            kind = self._panel("G" if floor == 0 else "AB"[(i + floor) % 2], storey.height)
            panel = f"{name} 幕墙单元 Panel {side} {i + 1}"
            plate = author.element("IfcPlate", panel, whole, At(PANEL * i), kind=kind)
            author.properties.add(
                plate,
                "Pset_PlateCommon",
                {"Reference": "MQ-1", "IsExternal": True, "ThermalTransmittance": 1.9},
            )
            parts.append(plate)
        if not gap[1]:
            parts.append(
                author.element(
                    "IfcMember",
                    f"{name} 横梁 Transom {side}",
                    whole,
                    At(z=storey.height - DROP - 0.06),
                    kind=self.cap,
                )
            )
        author.parts(whole, parts)
        author.properties.add(
            whole,
            "Pset_CurtainWallCommon",
            {"Reference": "MQ-1", "IsExternal": True, "ThermalTransmittance": 2.0},
        )
        return whole

    def _panel(self, letter: str, height: float) -> Entity:
        key = (letter, height)
        if key not in self._types:
            body = _ground_panel(height) if letter == "G" else _panel(letter, height)
            name = f"MQ-{letter} 单元板块 Unitised panel H{height * 1000:.0f}"
            entity = self.author.type("IfcPlateType", name, body, PredefinedType="CURTAIN_PANEL")
            compose(self.author, entity, {"Framing": ALUMINIUM, "Glazing": GLAZING})
            self._types[key] = entity
        return self._types[key]


def portal(author: Author, storey: Storey, at: At, width: float) -> None:
    """Build the stone portal with two glass doors and the glass canopy on steel rods."""
    kind = wall_kind(
        author,
        "WQ-P",
        "门斗石墙 Portal wall",
        [(CLADDING, 0.05), (RC, 0.3)],
        DARK_STONE,
        external=True,
        fire=1.0,
        u_value=1.2,
    )
    door = glazed_door(author, "LM-3", 2.0, 2.9)
    holes = [
        Hole(door, 1.4, 0.0, "F1 主入口 Main entrance W"),
        Hole(door, 3.8, 0.0, "F1 主入口 Main entrance E"),
    ]
    wall(author, storey, kind, "F1 入口门斗 Entrance portal", at, width, 4.4, holes)
    canopy: list[Solid] = [
        Box(0.3, -3.2, 3.45, width - 0.6, 3.2, 0.03, GLASS),
        Box(0.3, -3.2, 3.28, width - 0.6, 0.12, 0.2, CHAMPAGNE),
    ]
    for i in range(4):
        x = 0.3 + (width - 0.72) * i / 3
        canopy.append(Box(x, -3.08, 3.28, 0.12, 3.08, 0.17, CHAMPAGNE))
        canopy.append(Rod((x + 0.06, -2.7, 3.45), (x + 0.06, 0.0, 4.3), 0.02, STEEL))
    author.element(
        "IfcBuildingElementProxy",
        "F1 入口雨篷 Entrance canopy",
        storey,
        at,
        canopy,
        material=STEEL_MATERIAL,
    )


def _panel(letter: str, height: float) -> list[Solid]:
    w, low, sill, top = PANEL, -DROP, 0.25, height - DROP
    split = 0.5 if letter == "A" else 1 / 3
    body: list[Solid] = [
        Box(0.0, -0.12, low, w, 0.2, sill - low - 0.03, SILVER),
        Box(0.0, -0.1, sill - 0.03, w, 0.15, 0.06, DARK),
        Box(0.0, -0.1, top - 0.06, w, 0.15, 0.06, DARK),
    ]
    edges = [0.0, w * split, w]
    clear = top - sill - 0.09
    mullions = (0.0, w * split - 0.03, w - 0.06)
    body += [Box(x, -0.1, sill + 0.03, 0.06, 0.15, clear, DARK) for x in mullions]
    for left, right in pairwise(edges):
        a = left + (0.06 if left == 0.0 else 0.03)
        b = right - (0.06 if right == w else 0.03)
        body.append(Box(a, -0.03, sill + 0.03, b - a, 0.03, clear, BLUE_GLASS))
    fin = 0.0 if letter == "A" else w * split - 0.03
    body.append(Box(fin, -0.42, low, 0.08, 0.3, height, CHAMPAGNE))
    return body


def _ground_panel(height: float) -> list[Solid]:
    w, top = PANEL, height - DROP
    body: list[Solid] = [
        Box(0.0, -0.12, -0.3, w, 0.2, 0.42, DARK_STONE),
        Box(0.0, -0.1, top - 0.08, w, 0.15, 0.08, DARK),
        Box(0.0, -0.42, 0.12, 0.08, 0.3, top - 0.12, CHAMPAGNE),
    ]
    mullions = (0.0, w / 2 - 0.03, w - 0.06)
    body += [Box(x, -0.1, 0.12, 0.06, 0.15, top - 0.2, DARK) for x in mullions]
    panes = (0.06, w / 2 + 0.03)
    body += [Box(x, -0.03, 0.12, w / 2 - 0.09, 0.03, top - 0.2, GLASS) for x in panes]
    return body
