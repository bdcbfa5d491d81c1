"""Towns around the district: their outlines, and blocks of small houses, old streets and works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.affinity

from sample_data.district.outlines import largest
from sample_data.district.plan import Floats, Shape, random


@dataclass(frozen=True, slots=True)
class Spot:
    """A block of a neighbour town that is renewed."""

    zh: str
    en: str
    form: str
    land: Shape


@dataclass(frozen=True, slots=True)
class NeighbourTown:
    """A town beside the district, plan metres."""

    code: str
    zh: str
    en: str
    land: Shape
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """What stands on a block: (n,) of each."""

    shapes: list[Shape]
    floors: list[int]
    uses: list[str]
    years: list[int]
    storey: float


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How a block is built over, metres.

    lot
        The width and the depth of a lot.
    every, lane
        After so many lots across and deep comes a lane of so many metres.
    gap
        Between neighbours.
    """

    area: tuple[float, float]
    lot: tuple[float, float]
    every: tuple[int, int]
    lane: tuple[float, float]
    gap: float
    empty: float
    floors: tuple[float, float, int, int]
    storey: float
    use: str
    year: int


_VILLAGE = _Pattern((25_000, 40_000), (9.2, 11.4), (6, 2), (3.2, 4.4), 0.9, 0.07, (3.6, 1.2, 1, 7), 3.1, "residential", 1996)  # fmt: skip
_STREET = _Pattern((9_000, 15_000), (6.0, 14.0), (9, 2), (3.5, 5.5), 0.3, 0.06, (2.6, 0.8, 1, 5), 3.3, "residential", 1968)  # fmt: skip
_WORKS = _Pattern((26_000, 42_000), (44.0, 24.0), (2, 1), (14.0, 11.0), 4.0, 0.15, (1.8, 0.9, 1, 4), 5.4, "industrial", 1986)  # fmt: skip
_PATTERNS = {
    "village": _VILLAGE, "town": _STREET, "micro": _STREET, "purchase": _WORKS, "self": _WORKS,
}  # fmt: skip


def neighbour_towns(tables: Sequence[Mapping[str, Any]], seed: int) -> list[NeighbourTown]:
    """The towns with their blocks, which keep apart from each other."""
    found = []
    for table in tables:
        rng = random(seed, f"town {table['id']}")
        west, south, east, north = table["box"]
        named = [(form, *entry.split(",")) for form in _PATTERNS for entry in table[form]]
        places = [
            (west + (i + 0.5) * (east - west) / 4, south + (j + 0.5) * (north - south) / 4)
            for j in range(4)
            for i in range(4)
        ]
        order = rng.permutation(len(places))[: len(named)]
        spots = [
            Spot(zh, en, form, _block(_PATTERNS[form], places[at], rng))
            for (form, zh, en), at in zip(named, order.tolist(), strict=True)
        ]
        found.append(
            NeighbourTown(
                table["id"], table["zh"], table["en"], _outline(table["box"], rng), tuple(spots)
            )
        )
    return found


def footprints(spot: Spot, seed: int) -> Built:
    """What stands on a block: lots in rows along lanes, some empty, no two alike."""
    pattern = _PATTERNS[spot.form]
    rng = random(seed, f"houses {spot.zh}")
    turn = _turn(spot.land)
    origin = spot.land.centroid
    level = shapely.affinity.rotate(spot.land, -turn, origin=origin).buffer(-1.5)
    west, south, east, north = level.bounds
    x = _starts(west, east, pattern.lot[0], pattern.every[0], pattern.lane[0])
    y = _starts(south, north, pattern.lot[1], pattern.every[1], pattern.lane[1])
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    count = len(corners)
    inset = rng.uniform(0.0, pattern.gap, (count, 4)) + pattern.gap * 0.15
    boxes = shapely.box(
        corners[:, 0] + inset[:, 0], corners[:, 1] + inset[:, 1],
        corners[:, 0] + pattern.lot[0] - inset[:, 2], corners[:, 1] + pattern.lot[1] - inset[:, 3],
    )  # fmt: skip
    shapely.prepare(level)
    there = shapely.contains(level, boxes) & (rng.random(count) >= pattern.empty)
    mean, spread, least, most = pattern.floors
    floors = np.clip(np.rint(rng.normal(mean, spread, count)), least, most).astype(int)
    years = np.clip(np.rint(rng.normal(pattern.year, 9, count)), 1930, 2018).astype(int)
    shapes = [shapely.affinity.rotate(box, turn, origin=origin) for box in boxes[there]]
    shapes = list(shapely.set_precision(np.array(shapes), 0.001))
    size = len(shapes)
    shops = rng.random(size) < 0.06
    uses = [
        "commercial" if shop and pattern.use == "residential" else pattern.use for shop in shops
    ]
    return Built(shapes, floors[there].tolist(), uses, years[there].tolist(), pattern.storey)


def _starts(low: float, high: float, lot: float, every: int, lane: float) -> Floats:
    """Where lots begin, with a lane after every few."""
    count = int((high - low) / (lot + lane / every)) + 1
    numbers = np.arange(count)
    starts: Floats = low + numbers * lot + (numbers // every) * lane
    return starts


def _block(pattern: _Pattern, at: tuple[float, float], rng: np.random.Generator) -> Shape:
    """An outline of four to seven corners around a place."""
    area = float(rng.uniform(*pattern.area))
    long = float(rng.uniform(1.0, 1.5))
    width, depth = np.sqrt(area * long), np.sqrt(area / long)
    ring = [(-0.5, -0.5), (0.0, -0.56), (0.5, -0.5), (0.55, 0.0), (0.5, 0.5), (0.0, 0.54), (-0.5, 0.5)]  # fmt: skip
    kept = [corner for n, corner in enumerate(ring) if n in (0, 2, 4, 6) or rng.random() < 0.6]
    corners = np.array(kept) * (width, depth) + rng.normal(0.0, 0.04 * depth, (len(kept), 2))
    shape = largest(shapely.Polygon(corners).buffer(0.0))
    turned = shapely.affinity.rotate(shape, float(rng.uniform(-35.0, 35.0)), origin=(0.0, 0.0))
    away = rng.uniform(-60.0, 60.0, 2)
    return shapely.set_precision(
        shapely.affinity.translate(turned, at[0] + away[0], at[1] + away[1]), 0.001
    )


def _outline(box: Sequence[float], rng: np.random.Generator) -> Shape:
    """A town's border: straight where it meets the district, else as hills and brooks run."""
    west, south, east, north = box
    sides = []
    for start, end in (((west, south), (east, south)), ((east, south), (east, north)), ((east, north), (west, north)), ((west, north), (west, south))):  # fmt: skip
        steps = np.linspace(start, end, 12, endpoint=False)
        middle = (np.asarray(start) + np.asarray(end)) / 2
        outer = not (-500 <= middle[0] <= 2500 and -500 <= middle[1] <= 2500)
        across = np.array([end[1] - start[1], start[0] - end[0]]) / np.hypot(
            *np.subtract(end, start)
        )
        bend = rng.uniform(-90.0, 0.0, len(steps)) * outer
        bend[0] = 0.0
        sides.append(steps + bend[:, None] * across)
    return shapely.set_precision(shapely.Polygon(np.vstack(sides)), 0.001)


def _turn(land: Shape) -> float:
    """How far a block is turned, degrees."""
    ring = shapely.get_coordinates(shapely.minimum_rotated_rectangle(land))
    edge = ring[1] - ring[0]
    return float(np.degrees(np.arctan2(edge[1], edge[0])))
