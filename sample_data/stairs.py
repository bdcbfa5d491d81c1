"""Half-turn stairs with landing and railings, and straight glass or bar railings."""

from __future__ import annotations

import ifcopenshell

from sample_data.author import At, Author, Storey
from sample_data.palette import CONCRETE, DARK, GLASS, RC, STEEL, STEEL_MATERIAL
from sample_data.psets import Value
from sample_data.solids import Box, Point2, Prism, Rod, Solid

Entity = ifcopenshell.entity_instance

WAIST = 0.18
GOING = 0.27


def stair(
    author: Author, storey: Storey, name: str, x: float, y: float, width: float, gap: float = 0.2
) -> Entity:
    """Build a half-turn stair over the height of a storey.

    It starts at (x, y) on the floor, runs towards +y on the +x side and returns on the -x side;
    `width` is the width of a flight. Returns the IfcStair, whose parts carry the geometry.
    """
    steps = _steps(storey.height)
    rise = storey.height / (2 * steps)
    run = (steps - 1) * GOING
    whole = author.element("IfcStair", name, storey, At(x, y))
    setattr(whole, "ShapeType" if author.old else "PredefinedType", "HALF_TURN_STAIR")
    half = storey.height / 2
    flights = []
    for i, at in enumerate((At(width + gap), At(width, run, half, 180.0))):
        flight = author.element(
            "IfcStairFlight",
            f"{name} 梯段 Flight {i + 1}",
            whole,
            at,
            [_flight(steps, rise, width)],
            material=RC,
            RiserHeight=author.shapes.length(rise),
            TreadLength=author.shapes.length(GOING),
            NumberOfTreads=steps - 1,
        )
        setattr(flight, "NumberOfRiser" if author.old else "NumberOfRisers", steps)
        if not author.old:
            flight.PredefinedType = "STRAIGHT"
        flights.append(flight)
    both = 2 * width + gap
    landing = author.element(
        "IfcSlab",
        f"{name} 休息平台 Landing",
        whole,
        At(),
        [Box(0.0, run, half - WAIST, both, width, WAIST, CONCRETE)],
        material=RC,
        PredefinedType="LANDING",
    )
    # The upper handrail is the lower one turned back, so one railing carries both.
    handrail = author.element(
        "IfcRailing",
        f"{name} 扶手 Handrail",
        whole,
        At(),
        _handrail(steps, rise, width, gap, half),
        material=STEEL_MATERIAL,
        PredefinedType="HANDRAIL",
    )
    author.parts(whole, [*flights, landing, handrail])
    values: dict[str, Value] = {
        "Reference": "LT-1",
        "NumberOfRiser": 2 * steps,
        "NumberOfTreads": 2 * (steps - 1),
        "RiserHeight": author.shapes.length(rise),
        "TreadLength": author.shapes.length(GOING),
        "FireExit": True,
    }
    author.properties.add(whole, "Pset_StairCommon", values)
    return whole


def stair_size(height: float, width: float, gap: float = 0.2) -> tuple[float, float]:
    """Return the plan size (dx, dy) in metres of a stair over a storey height."""
    return 2 * width + gap, (_steps(height) - 1) * GOING + width


def railing(
    author: Author,
    storey: Storey,
    name: str,
    at: At,
    sides: list[tuple[float, float, float, float]],
    kind: Entity | None = None,
) -> Entity:
    """Place a railing of glass panes along the given lines, or an occurrence of a type."""
    body = [] if kind is not None else glass_railing(sides)
    entity = author.element(
        "IfcRailing", name, storey, at, body, kind, "" if kind else STEEL_MATERIAL
    )
    if kind is None:
        entity.PredefinedType = "BALUSTRADE"
    height = author.shapes.length(1.1)
    author.properties.add(
        entity, "Pset_RailingCommon", {"Reference": "LG-1", "Height": height, "IsExternal": True}
    )
    return entity


def glass_railing(sides: list[tuple[float, float, float, float]]) -> list[Solid]:
    """Return the solids of a 1.1 m glass railing along axis-parallel lines (x0, y0, x1, y1)."""
    body: list[Solid] = []
    for x0, y0, x1, y1 in sides:
        dx, dy = abs(x1 - x0), abs(y1 - y0)
        x, y = min(x0, x1), min(y0, y1)
        along = dx > dy
        body.append(
            Box(x, y - 0.006, 0.08, dx, 0.012, 0.95, GLASS)
            if along
            else Box(x - 0.006, y, 0.08, 0.012, dy, 0.95, GLASS)
        )
        body.append(
            Box(x, y - 0.025, 1.05, dx, 0.05, 0.05, DARK)
            if along
            else Box(x - 0.025, y, 1.05, 0.05, dy, 0.05, DARK)
        )
        posts = max(1, round(max(dx, dy) / 1.2))
        for i in range(posts + 1):
            px, py = x + dx * i / posts, y + dy * i / posts
            body.append(Box(px - 0.02, py - 0.02, 0.0, 0.04, 0.04, 1.05, DARK))
    return body


def _steps(height: float) -> int:
    """Return the risers of each flight, none higher than 165 mm."""
    return -(-round(height * 1000) // 330)


def _flight(steps: int, rise: float, width: float) -> Prism:
    outline: list[Point2] = [(0.0, 0.0)]
    outline.append((WAIST * GOING / rise, 0.0))
    outline.append(((steps - 1) * GOING, (steps - 1) * rise - WAIST))
    for i in range(steps - 1, 0, -1):
        outline += [(i * GOING, i * rise), ((i - 1) * GOING, i * rise)]
    return Prism(tuple(outline), "x", 0.0, width, CONCRETE)


def _handrail(steps: int, rise: float, width: float, gap: float, half: float) -> list[Solid]:
    """Return the bars on the inner side of both flights, in the frame of the stair."""
    run, top = (steps - 1) * GOING, (steps - 1) * rise
    body: list[Solid] = []
    for x, foot, slope in ((width + gap + 0.03, 0.0, 1.0), (width - 0.03, half + top, -1.0)):
        ends = [(x, y, foot + slope * z) for y, z in ((0.1, 0.1), (run, top))]
        body.append(Rod((x, 0.1, ends[0][2] + 0.9), (x, run, ends[1][2] + 0.9), 0.025, STEEL))
        for i in range(0, steps - 1, 2):
            y = (i + 0.5) * GOING
            z = foot + slope * (i + (1 if slope > 0 else 0)) * rise
            body.append(Rod((x, y, z), (x, y, z + 0.85), 0.012, STEEL))
    return body
