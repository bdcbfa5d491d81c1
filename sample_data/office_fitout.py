"""Furniture and the supply-air duct of the office."""

from __future__ import annotations

from sample_data.author import At, Author, Storey
from sample_data.furniture import Entity, chair, desk, sofa, table
from sample_data.palette import EQUIPMENT, GALVANISED, SHEET
from sample_data.services import Network
from sample_data.solids import Box, Point

DUCT_LEVEL = 2.62
MAIN = (0.6, 0.3)
BRANCH = (0.3, 0.2)
MAIN_Y = 10.2
STOPS = (11.6, 8.9, 5.5, 2.2)


def furnish(author: Author) -> None:
    """Furnish lobby and meeting rooms, and the open office of F3 as the seed decides."""
    kinds = {
        "desk": desk(author),
        "chair": chair(author),
        "table": table(author),
        "sofa": sofa(author),
    }

    def put(kind: str, name: str, storey: Storey, at: At) -> None:
        ifc_class = "IfcFurnishingElement" if author.old else "IfcFurniture"
        author.element(ifc_class, name, storey, at, kind=kinds[kind])

    lobby, third = author.storeys[0], author.storeys[2]
    for i in range(2):
        put("sofa", f"102 沙发 Sofa {i + 1}", lobby, At(15.2 + 4.0 * i, 6.8))
    for storey in author.storeys[1:4]:
        room = f"{storey.name[1]}04"
        put("table", f"{room} 会议桌 Meeting table", storey, At(2.1, 13.6))
        put("chair", f"{room} 椅子 Chair 1", storey, At(3.3, 15.0))
        put("chair", f"{room} 椅子 Chair 2", storey, At(3.8, 13.4, 0.0, 180.0))
    spots = [(2.0 + 2.6 * col, 2.2 + 2.4 * row) for row in range(2) for col in range(4)]
    for i, (x, y) in enumerate(sorted(author.random.sample(spots, 6))):
        put("desk", f"301 办公桌 Desk {i + 1}", third, At(x, y))
        put("chair", f"301 椅子 Chair {i + 1}", third, At(x + 1.05, y - 0.1, 0.0, 180.0))


def supply_air(author: Author) -> None:
    """Build a fan, a main duct along the west wing of F2, branches and two diffusers on each."""
    storey = author.storeys[1]
    network = Network(author, "送风系统 Supply air SF-2", "送风 Supply air", "DUCT")
    types = _types(author)
    fan_at: Point = (12.6, MAIN_Y - 0.45, DUCT_LEVEL - 0.15)
    last = network.add("IfcFlowMovingDevice", "SF-2 送风机 Fan", storey, At(*fan_at), types["fan"])
    x = 12.6
    for i, stop in enumerate(STOPS):
        start: Point = (x, MAIN_Y, DUCT_LEVEL + 0.15)
        length = x - (stop + 0.2)
        body = [Box(-length, -MAIN[0] / 2, 0.0, length, MAIN[0], MAIN[1], GALVANISED)]
        label = f"SF-2 主风管 Main duct {i + 1}"
        run = network.add(
            "IfcFlowSegment", label, storey, At(x, MAIN_Y, DUCT_LEVEL), types["duct"], body
        )
        _describe(author, run, length)
        network.join(last, run, start, storey)
        tee = network.add(
            "IfcFlowFitting",
            f"SF-2 三通 Tee {i + 1}",
            storey,
            At(stop, MAIN_Y, DUCT_LEVEL),
            types["tee"],
        )
        network.join(run, tee, (stop + 0.2, MAIN_Y, DUCT_LEVEL + 0.15), storey)
        _branch(author, network, storey, types, tee, stop, i + 1)
        last, x = tee, stop - 0.2
    network.close()


def _branch(
    author: Author,
    network: Network,
    storey: Storey,
    types: dict[str, Entity],
    tee: Entity,
    x: float,
    number: int,
) -> None:
    width, depth = BRANCH
    last, y = tee, MAIN_Y - MAIN[0] / 2
    for half, end in (("a", 6.2), ("b", 2.6)):
        length = y - end
        body = [Box(-width / 2, -length, 0.0, width, length, depth, GALVANISED)]
        label = f"SF-2 支管 Branch {number}{half}"
        run = network.add(
            "IfcFlowSegment", label, storey, At(x, y, DUCT_LEVEL + 0.05), types["duct"], body
        )
        _describe(author, run, length)
        network.join(last, run, (x, y, DUCT_LEVEL + 0.15), storey)
        diffuser = network.add(
            "IfcFlowTerminal",
            f"SF-2 散流器 Diffuser {number}{half}",
            storey,
            At(x, end + 0.3, DUCT_LEVEL + 0.05),
            types["diffuser"],
        )
        network.join(run, diffuser, (x, end + 0.3, DUCT_LEVEL + 0.05), storey)
        last, y = run, end


def _types(author: Author) -> dict[str, Entity]:
    neck = [
        Box(-0.12, -0.12, -0.12, 0.24, 0.24, 0.12, GALVANISED),
        Box(-0.25, -0.25, -0.16, 0.5, 0.5, 0.04, EQUIPMENT),
    ]
    return {
        "duct": author.type(
            "IfcDuctSegmentType",
            "FG 矩形风管 Rectangular duct",
            (),
            SHEET,
            PredefinedType="RIGIDSEGMENT",
        ),
        "tee": author.type(
            "IfcDuctFittingType",
            "FG-T 风管三通 Duct tee",
            [Box(-0.2, -0.3, -0.01, 0.4, 0.6, 0.32, GALVANISED)],
            SHEET,
            PredefinedType="JUNCTION",
        ),
        "diffuser": author.type(
            "IfcAirTerminalType",
            "SLQ-500 方形散流器 Square diffuser",
            neck,
            SHEET,
            PredefinedType="DIFFUSER",
        ),
        "fan": author.type(
            "IfcFanType",
            "FJ-2 箱式风机 Box fan",
            [Box(0.0, 0.0, 0.0, 1.1, 0.9, 0.6, EQUIPMENT)],
            SHEET,
            PredefinedType="CENTRIFUGALFORWARDCURVED",
        ),
    }


def _describe(author: Author, duct: Entity, length: float) -> None:
    author.properties.quantities(
        duct, "Qto_DuctSegmentBaseQuantities", {"Length": author.shapes.length(length)}
    )
