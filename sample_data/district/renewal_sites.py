"""Where renewal happens: the land of each project, its buildings, and towns around the district."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
import shapely.affinity

from sample_data.district.plan import Floats, Shape, plan, random
from sample_data.district.renewal_ground import Built, Spot, footprints, neighbour_towns
from sample_data.district.tables import Row, Table

AREAS = "neighbour-towns"
BUILDINGS = "neighbour-buildings"
"""The layers of the towns around the district and of what stands there."""


@dataclass(frozen=True, slots=True)
class Part:
    """A parcel of a project; `approved` is what was approved for it."""

    code: str
    use: str
    shape: Shape
    approved: Mapping[str, float]
    planned: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """The land of a project and the buildings on it, plan metres.

    features
        (n,) their ids in `layer`.
    shapes, floors, uses
        (n,) of them.
    along
        (n,) in which order they go, from 0 to 1: that of the parcels.
    """

    code: str
    zh: str
    en: str
    town: str
    form: str
    land: Shape
    layer: str
    features: list[str]
    names: list[str]
    shapes: list[Shape]
    floors: list[int]
    uses: list[str]
    along: Floats
    parts: tuple[Part, ...]

    @property
    def areas(self) -> Floats:
        """(n,) floor area, m²: the footprint times the floors."""
        return np.asarray(shapely.area(np.array(self.shapes)) * np.array(self.floors)).round(1)


@cache
def campaign_table() -> dict[str, Any]:
    """What was decided by hand."""
    return tomllib.loads(Path(__file__).with_name("renewal.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Read:
    """A GeoPackage of the district: shapes in plan metres, and columns by name."""

    shapes: Any
    columns: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path) -> Read:
        """Read a file."""
        meta, _, wkb, columns = pyogrio.raw.read(path)
        shapes = shapely.transform(shapely.from_wkb(wkb), lambda xy: xy - np.asarray(plan().origin))
        return cls(shapes, dict(zip(meta["fields"], columns, strict=True)))


def sites(folder: Path, seed: int) -> tuple[list[Site], Table, Table]:
    """The sites of all projects, the towns around the district, and what stands there.

    The district's own are taken from its files.
    """
    towns = neighbour_towns(campaign_table()["neighbour"], seed)
    found = _twin(folder)
    rows: list[Row] = []
    shapes: list[Shape] = []
    for town in towns:
        for spot in town.spots:
            built = footprints(spot, seed)
            first = len(rows)
            rows += [_row(first, number, spot, built) for number in range(len(built.shapes))]
            shapes += built.shapes
            own = rows[first:]
            found.append(
                _site(
                    Site(
                        f"XM-{len(found) + 1:03d}", spot.zh, spot.en, town.code, spot.form, spot.land,
                        BUILDINGS, [str(r["id"]) for r in own], [str(r["name"]) for r in own],
                        shapes[first:], built.floors, built.uses, np.zeros(len(own)), (),
                    ),
                    seed,
                )
            )  # fmt: skip
    areas: list[Row] = [
        {"id": t.code, "name": t.zh, "name_en": t.en, "class": "AdminArea", "kind": "town",
         "area": round(t.land.area, 1)}
        for t in towns
    ]  # fmt: skip
    return (
        found,
        Table("MultiPolygon", [t.land for t in towns], areas),
        Table("Polygon", shapes, rows),
    )


def _row(before: int, number: int, spot: Spot, built: Built) -> Row:
    """A building of a block; so many stand in the blocks before."""
    shape, floors = built.shapes[number], built.floors[number]
    return {
        "id": f"N{before + number + 1:05d}", "name": f"{spot.zh}{number + 1}号",
        "name_en": f"{spot.en} {number + 1}", "use": built.uses[number],
        "height": round(built.storey * floors + 0.9, 1), "floors": floors,
        "floor_area": round(shape.area * floors, 1), "year": built.years[number],
        "structure": "框架 frame" if built.storey > 4 or floors > 5 else "砖混 masonry",
    }  # fmt: skip


def _twin(folder: Path) -> list[Site]:
    parcels = Read.of(folder / "parcels.gpkg")
    layers = {
        "buildings": Read.of(folder / "buildings.gpkg"),
        "buildings-renewal": Read.of(folder / "buildings_renewal.gpkg"),
    }
    places = {code: n for n, code in enumerate(parcels.columns["id"])}
    found = []
    for number, table in enumerate(campaign_table()["twin"]):
        own = [places[code] for code in table["parcels"]]
        land = shapely.union_all(parcels.shapes[own])
        read = layers[table["layer"]]
        inside = np.isin(read.columns["parcel"], table["parcels"])
        if "half" in table:
            land = _half(land, table["half"])
            shapely.prepare(land)
            inside &= shapely.contains(land, shapely.centroid(read.shapes))
        rows = np.flatnonzero(inside)
        site = Site(
            f"XM-{number + 1:03d}", table["zh"], table["en"], table["town"], table["form"], land,
            table["layer"], read.columns["id"][rows].tolist(), read.columns["name"][rows].tolist(),
            read.shapes[rows].tolist(), read.columns["floors"][rows].tolist(),
            read.columns["use"][rows].tolist(), np.zeros(len(rows)), (),
        )  # fmt: skip
        if "planned" in table:
            site = replace(site, parts=_planned(table, parcels, own), along=_sweep(site.shapes))
        else:
            site = _site(site, number)
        found.append(site)
    return found


def _half(land: Shape, half: str) -> Shape:
    south, north = _cut(land, [0.5, 0.5], 0.0)
    return north if half == "north" else south


def _planned(table: Mapping[str, Any], parcels: Read, own: list[int]) -> tuple[Part, ...]:
    """The parcels of the plan, with the limits that it has for them."""
    uses = {"R2": "financing", "B2": "land-bank"}
    parts = []
    for row in own:
        column = {name: values[row] for name, values in parcels.columns.items()}
        area = float(shapely.area(parcels.shapes[row]))
        parts.append(
            Part(
                str(column["id"]), uses.get(str(column["land_use"]), "public-service"),
                parcels.shapes[row],
                {
                    "floor_area": round(area * float(column["far_limit"]), 1),
                    "far": float(column["far_limit"]), "height": float(column["height_limit"]),
                    "green_ratio": 0.05, "density": round(float(column["coverage"]) + 0.05, 2),
                },
                table["planned"],
            )
        )  # fmt: skip
    return tuple(parts)


def _site(site: Site, seed: int) -> Site:
    """With parcels that share out the land, and buildings in the order of the parcels."""
    form = campaign_table()["form"][site.form]
    rng = random(seed, f"parcels {site.code}")
    turn = float(rng.uniform(0.0, 180.0))
    far = float(rng.uniform(*form["far"]))
    shares = list(form["parcels"].values())
    parts = []
    for number, (use, shape) in enumerate(
        zip(form["parcels"], _cut(site.land, shares, turn), strict=True)
    ):
        limit = round(0.8 if use in ("kept", "public-service") else far, 2)
        approved = {
            "floor_area": round(shape.area * limit, 1), "far": limit,
            "height": 24.0 if limit < 1 else 100.0, "green_ratio": 0.3, "density": 0.35,
        }  # fmt: skip
        parts.append(Part(f"{site.code}-{number + 1}", use, shape, approved))
    return replace(site, parts=tuple(parts), along=_sweep(site.shapes, turn, rng))


def _cut(land: Shape, shares: list[float], turn: float) -> list[Shape]:
    """Land in slices of so large shares, by parallel lines; together they are the land."""
    turned = shapely.affinity.rotate(land, -turn, origin=(0.0, 0.0))
    west, south, east, north = turned.bounds
    slices, rest = [], turned
    for share in shares[:-1]:
        low, high = south, north
        for _ in range(40):
            middle = (low + high) / 2
            if rest.intersection(shapely.box(west - 1, south - 1, east + 1, middle)).area < (
                share * turned.area
            ):
                low = middle
            else:
                high = middle
        below = shapely.box(west - 1, south - 1, east + 1, high)
        slices.append(rest.intersection(below))
        rest = rest.difference(below)
    return [shapely.affinity.rotate(piece, turn, origin=(0.0, 0.0)) for piece in (*slices, rest)]


def _sweep(
    shapes: list[Shape], turn: float = 0.0, rng: np.random.Generator | None = None
) -> Floats:
    """In which order buildings go, from 0 to 1: across the slices, and not quite evenly."""
    spots = shapely.get_coordinates(shapely.centroid(np.array(shapes)))
    angle = np.radians(-turn)
    across = np.sin(angle) * spots[:, 0] + np.cos(angle) * spots[:, 1]
    spread = float(np.ptp(across)) or 1.0
    noise = rng.normal(0.0, 0.22, len(shapes)) if rng is not None else np.zeros(len(shapes))
    order = np.argsort(np.argsort((across - across.min()) / spread + noise, kind="stable"))
    return np.asarray((order + 0.5) / len(shapes))
