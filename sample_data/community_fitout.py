"""Furniture and the sprinkler main of the community centre."""

from __future__ import annotations

from itertools import pairwise

from sample_data.author import At, Author, Storey
from sample_data.furniture import bed, chair, shelf, sofa, table
from sample_data.palette import RED, STEEL, STEEL_MATERIAL
from sample_data.services import Network
from sample_data.solids import Point, Rod

PIPE_LEVEL = 3.38
MAIN_Y = 7.7
RISER = (15.1, 9.5)


def furnish(author: Author) -> None:
    """Furnish the public rooms, and some of the flats as the seed decides."""
    first = author.storeys[0]
    kinds = {
        "shelf": shelf(author),
        "table": table(author),
        "chair": chair(author),
        "sofa": sofa(author),
        "bed": bed(author),
    }

    def put(kind: str, name: str, storey: Storey, at: At) -> None:
        author.element("IfcFurniture", name, storey, at, kind=kinds[kind])

    for i in range(3):
        put("shelf", f"101 书架 Bookshelf {i + 1}", first, At(0.5 + 1.25 * i, 6.35))
    put("table", "101 阅览桌 Reading table", first, At(1.6, 3.9))
    put("table", "107 会议桌 Meeting table", first, At(7.9, 10.2))
    for i in range(3):
        for name, x, y in (("101", 1.75, 3.9), ("107", 8.05, 10.2)):
            seat = f"{name} 椅子 Chair {i + 1}"
            put("chair", f"{seat}a", first, At(x + 0.5 + 0.85 * i, y - 0.15, 0.0, 180.0))
            put("chair", f"{seat}b", first, At(x + 0.85 * i, y + 1.35))
    for i in range(2):
        put("sofa", f"103 沙发 Sofa {i + 1}", first, At(12.7 + 3.2 * i, 5.4))
    for i, storey in enumerate(author.storeys[1:4]):
        for bay in sorted(author.random.sample(range(5), 3)):
            flat = f"{i + 2}{bay + 1:02d}"
            put("bed", f"{flat} 床 Bed", storey, At(6.0 * bay + 0.5, 4.4))


def sprinklers(author: Author) -> None:
    """Build the riser in the staircase and the main with sprinklers in the F1 corridor."""
    network = Network(author, "自动喷水灭火系统 Sprinkler system", "FIREPROTECTION", "PIPE")
    pipe = author.type(
        "IfcPipeSegmentType",
        "PS 镀锌钢管 Steel pipe",
        (),
        STEEL_MATERIAL,
        PredefinedType="RIGIDSEGMENT",
    )
    author.properties.add(
        pipe, "Pset_PipeSegmentTypeCommon", {"NominalDiameter": author.shapes.length(0.08)}
    )
    hub = Rod((0.0, 0.0, -0.07), (0.0, 0.0, 0.07), 0.065, RED)
    tee = author.type(
        "IfcPipeFittingType", "TEE 三通 Tee", [hub], STEEL_MATERIAL, PredefinedType="JUNCTION"
    )
    drop = [
        Rod((0.0, 0.0, -0.3), (0.0, 0.0, -0.06), 0.02, RED),
        Rod((0.0, 0.0, -0.31), (0.0, 0.0, -0.3), 0.05, STEEL),
    ]
    head = author.type(
        "IfcFireSuppressionTerminalType",
        "ZST-15 喷头 Sprinkler",
        drop,
        STEEL_MATERIAL,
        PredefinedType="SPRINKLER",
    )
    gate = author.type(
        "IfcValveType",
        "ZF-80 信号阀 Signal valve",
        [
            Rod((0.0, -0.1, 0.0), (0.0, 0.1, 0.0), 0.09, RED),
            Rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.22), 0.02, STEEL),
        ],
        STEEL_MATERIAL,
        PredefinedType="ISOLATING",
    )

    first = author.storeys[0]
    x, y = RISER
    foot: Point = (x, y, 0.05)
    knee: Point = (x, y, PIPE_LEVEL)
    low = network.pipe("IfcPipeSegment", "ZP 立管 Riser F1", first, foot, knee, 0.1, pipe, RED)
    junction = network.add("IfcPipeFitting", "ZP 三通 Tee riser", first, At(*knee), tee)
    network.join(low, junction, knee, first)
    last, level = junction, PIPE_LEVEL
    for below, storey in pairwise(author.storeys[:4]):
        base, level = level - below.height, 2.5
        label = f"ZP 立管 Riser {storey.name[:2]}"
        a, b = (x, y, base), (x, y, level)
        up = network.pipe("IfcPipeSegment", label, storey, a, b, 0.1, pipe, RED)
        network.join(last, up, a, storey)
        last = up

    middle: Point = (x, MAIN_Y, PIPE_LEVEL)
    branch = network.pipe("IfcPipeSegment", "ZP 支管 Branch", first, knee, middle, 0.08, pipe, RED)
    network.join(junction, branch, knee, first)
    valve = network.add("IfcValve", "ZP 信号阀 Signal valve", first, At(x, 8.9, PIPE_LEVEL), gate)
    network.join(branch, valve, (x, 8.9, PIPE_LEVEL), first)
    start = network.add("IfcPipeFitting", "ZP 三通 Tee main", first, At(*middle), tee)
    network.join(valve, start, middle, first)
    for side, step in (("W", -3.4), ("E", 3.4)):
        last = start
        for i in range(4):
            a = (x + step * i, MAIN_Y, PIPE_LEVEL)
            b = (x + step * (i + 1), MAIN_Y, PIPE_LEVEL)
            label = f"{side}{i + 1}"
            run = network.pipe(
                "IfcPipeSegment", f"ZP 干管 Main {label}", first, a, b, 0.08, pipe, RED
            )
            network.join(last, run, a, first)
            last = network.add("IfcPipeFitting", f"ZP 三通 Tee {label}", first, At(*b), tee)
            network.join(run, last, b, first)
            name = f"ZP 喷头 Sprinkler {label}"
            sprinkler = network.add("IfcFireSuppressionTerminal", name, first, At(*b), head)
            network.join(last, sprinkler, (b[0], b[1], b[2] - 0.06), first)
    network.close()
