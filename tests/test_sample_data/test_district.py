"""The sample district is reproducible, of one piece, and plausible; asked of its files alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pyogrio.raw
import pyproj
import pytest
import rasterio
import shapely

from sample_data.district.generate import MANIFEST
from sample_data.district.plan import plan

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"community_centre.ifc", "office.ifc"}
BROKEN = "survey-with-errors"
"""The surveys that are not to be imported."""
MILLIMETRES = 0.02
"""Areas (m2) that snapping coordinates to millimetres may leave."""


@pytest.fixture(scope="session")
def folders(district: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of the district, written twice: here and by a process with other hashes."""
    second = tmp_path_factory.mktemp("again")
    other = subprocess.run(
        [sys.executable, "-m", "sample_data", "--without-observations", "--without-renewal", "--without-traffic", "--without-checkup", second], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONHASHSEED": "7"}, check=False,
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    assert other.stdout == f"{second / MANIFEST}\n"
    assert "picture" in other.stderr
    return district, second


@pytest.fixture(scope="session")
def folder(folders: tuple[Path, Path]) -> Path:
    """The files of the district."""
    return folders[0]


class Table:
    """A GeoPackage as arrays: shapes (n,) and columns by name."""

    def __init__(self, path: Path) -> None:
        meta, _, wkb, columns = pyogrio.raw.read(path)
        self.crs = meta["crs"]
        self.shapes = shapely.from_wkb(wkb)
        self.columns = dict(zip(meta["fields"], columns, strict=True))

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def where(self, name: str, value: object) -> np.ndarray:
        return self.shapes[self.columns[name] == value]


@pytest.fixture(scope="session")
def tables(folder: Path) -> dict[str, Table]:
    """Every vector layer by the name of its file."""
    return {path.stem: Table(path) for path in sorted(folder.glob("*.gpkg"))}


@pytest.fixture(scope="session")
def present(tables: dict[str, Table]) -> np.ndarray:
    """The outlines of all that stands today."""
    return np.concatenate([tables["buildings"].shapes, tables["buildings_renewal"].shapes])


def overlapping(shapes: np.ndarray) -> list[tuple[int, int, float]]:
    """The pairs that share more area than rounding explains."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    areas = shapely.area(shapely.intersection(shapes[left[once]], shapes[right[once]]))
    pairs = zip(left[once].tolist(), right[once].tolist(), areas.tolist(), strict=True)
    return [pair for pair in pairs if pair[2] > MILLIMETRES]


def shared(shapes: np.ndarray, ground: Any) -> float:
    """The largest area one of the shapes shares with the ground."""
    return float(shapely.area(shapely.intersection(shapes, ground)).max())


def test_equal_seeds_give_equal_bytes(folders: tuple[Path, Path]) -> None:
    names = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    ]
    assert names[1] == names[0] >= MODELS
    for name in sorted(names[0]):
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), name


def test_the_manifest_lists_every_file_and_says_what_is_known(folder: Path) -> None:
    document = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert document["fictional"] is True
    files = [layer["file"] for layer in document["layers"]]
    assert document["observations"] is None  # left out here: they take longest
    known = {*files, document["things"]}
    assert known == {p.name for p in folder.iterdir()} - {MANIFEST, BROKEN}
    ids = {layer["id"] for layer in document["layers"]}
    assert len(ids) == len(files)
    assert set(document["towns"]) < ids
    assert document["renewal"] is None  # see test_renewal.py
    assert document["traffic"] is None  # see test_traffic.py
    assert document["checkup"] == [] and document["checkup_truth"] is None  # see test_checkup.py
    kinds = [layer["kind"] for layer in document["layers"]]
    assert kinds[:2] == ["terrain", "terrain"]
    assert kinds.index("buildings") > 1
    for layer in document["layers"]:
        assert layer["options"]["source"].startswith("generated")
        assert {"licence", "sensitivity", "lifecycle", "place", "department"} <= set(
            layer["options"]
        )
        assert layer["zh"] != layer["en"]
    planned = {
        layer["id"] for layer in document["layers"] if layer["options"]["lifecycle"] == "planned"
    }
    assert planned == {"terrain-planned", "buildings-planned", "roads-planned"}


def test_the_district_lies_where_it_should(folder: Path, tables: dict[str, Table]) -> None:
    to_degrees = pyproj.Transformer.from_crs(4547, 4490, always_xy=True)
    for name, table in tables.items():
        assert table.crs == "EPSG:4547", name
        assert shapely.is_valid(table.shapes).all(), name
    west, south, east, north = shapely.total_bounds(tables["parcels"].shapes)
    lon, lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    assert abs(lon - 113.46) < 0.005
    assert abs(lat - 23.10) < 0.01
    with rasterio.open(folder / "dem_present.tif") as dem:
        assert (dem.crs.to_epsg(), dem.res, dem.shape) == (4547, (2.0, 2.0), (1000, 1000))
        assert dem.bounds.right - dem.bounds.left == 2000.0


def test_there_are_as_many_things_as_a_district_has(
    tables: dict[str, Table], present: np.ndarray
) -> None:
    counts = {name: len(table.shapes) for name, table in tables.items()}
    assert 2700 <= len(present) <= 3300
    assert counts["intersections"] == 8
    assert counts["metro_line"] == 1
    assert counts["metro_stations"] == 5
    assert counts["towns"] == 3
    least = {
        "buildings_renewal": 20, "buildings_planned": 12, "roads": 500, "parcels": 90, "parks": 6,
        "schools": 10, "clinics": 8, "bus_stops": 50, "communities": 15, "lanes": 150,
    }  # fmt: skip
    assert {name: n for name, n in least.items() if counts[name] < n} == {}


def test_no_buildings_overlap(tables: dict[str, Table], present: np.ndarray) -> None:
    assert overlapping(present) == []
    later = np.concatenate([tables["buildings"].shapes, tables["buildings_planned"].shapes])
    assert overlapping(later) == []


def test_no_building_stands_on_a_street_or_in_the_water(
    tables: dict[str, Table], present: np.ndarray
) -> None:
    roads = tables["roads"]
    streets = np.isin(roads["class"], ["PrimaryRoad", "SecondaryRoad", "BranchRoad"])
    wide = shapely.buffer(roads.shapes[streets], roads["reserve"][streets] / 2, cap_style="flat")
    lanes = shapely.buffer(roads.shapes[~streets], roads["width"][~streets] / 2, cap_style="flat")
    everything = np.concatenate([present, tables["buildings_planned"].shapes])
    assert shared(everything, shapely.union_all(wide)) <= MILLIMETRES
    assert shared(present, shapely.union_all(lanes)) <= MILLIMETRES
    assert shared(everything, shapely.union_all(tables["water"].shapes)) <= MILLIMETRES


def test_every_building_stands_on_one_parcel(tables: dict[str, Table]) -> None:
    parcels = tables["parcels"]
    assert overlapping(parcels.shapes) == []
    by_id = dict(zip(parcels["id"], parcels.shapes, strict=True))
    for name in ("buildings", "buildings_planned"):
        table = tables[name]
        for shape, parcel in zip(table.shapes, table["parcel"], strict=True):
            assert shape.difference(by_id[parcel]).area <= MILLIMETRES
    assert "H14" in parcels["land_use"]


def test_far_is_floor_area_by_parcel_area(tables: dict[str, Table]) -> None:
    parcels = tables["parcels"]
    floors: Counter[str] = Counter()
    for name in ("buildings", "buildings_planned"):
        for parcel, area in zip(tables[name]["parcel"], tables[name]["floor_area"], strict=True):
            floors[parcel] += area
    for i, parcel in enumerate(parcels["id"]):
        assert parcels["far"][i] == pytest.approx(floors[parcel] / parcels.shapes[i].area, abs=0.01)
    # What is no park keeps its limit; a tea house in a park is not held to one.
    built = ~np.isin(parcels["class"], ["Greenery"])
    assert (parcels["far"][built] <= parcels["far_limit"][built]).all()


def test_buildings_have_plausible_numbers(tables: dict[str, Table]) -> None:
    for name in ("buildings", "buildings_renewal", "buildings_planned"):
        table = tables[name]
        storey = table["height"] / table["floors"]
        assert (storey >= 2.8).all(), name
        assert (storey[table["use"] == "residential"] < 5.5).all(), name
        assert (table["height"] <= 318.0 + 18.0).all(), name
        assert (shapely.area(table.shapes) > 15).all(), name
        assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in table["name"])
        assert all(text.isascii() for text in table["name_en"])
    assert tables["buildings"]["year"].max() <= 2026 < tables["buildings_planned"]["year"].min()
    assert tables["buildings"]["height"].max() > 300


def test_the_streets_are_one_network(tables: dict[str, Table]) -> None:
    roads = tables["roads"]
    group: dict[str, str] = {}

    def root(node: str) -> str:
        while group.setdefault(node, node) != node:
            node = group[node]
        return node

    places: dict[str, tuple[float, float]] = {}
    for line, a, b in zip(roads.shapes, roads["from_node"], roads["to_node"], strict=True):
        group[root(b)] = root(a)
        for node, at in ((a, line.coords[0]), (b, line.coords[-1])):
            assert np.hypot(*np.subtract(places.setdefault(node, at), at)) < 0.05
    assert len({root(node) for node in group}) == 1
    kinds = Counter(roads["class"])
    assert set(kinds) == {"PrimaryRoad", "SecondaryRoad", "BranchRoad", "LocalStreet", "Path"}
    assert set(roads["oneway"]) == {"yes", "no"}


def test_signalised_intersections_have_their_lanes(tables: dict[str, Table]) -> None:
    lanes, crossings = tables["lanes"], tables["intersections"]
    for i, node in enumerate(crossings["id"]):
        own = lanes["intersection"] == node
        entries = own & (lanes["way"] == "entry")
        assert entries.sum() == crossings["entry_lanes"][i] >= 8
        assert set("+".join(lanes["turns"][entries]).split("+")) == {"left", "straight", "right"}
        middle = crossings.shapes[i].centroid
        for shape, way in zip(lanes.shapes[own], lanes["way"][own], strict=True):
            ends = [shapely.Point(shape.coords[k]).distance(middle) for k in (0, -1)]
            assert (ends[0] > ends[1]) == (way == "entry")  # in to the middle, out of it
    left, right = shapely.STRtree(lanes.shapes).query(lanes.shapes, predicate="crosses")
    assert (left == right).all()


def test_communities_cover_the_district_once_and_towns_are_their_sum(
    tables: dict[str, Table],
) -> None:
    communities, towns = tables["communities"], tables["towns"]
    assert overlapping(communities.shapes) == []
    assert shapely.area(communities.shapes).sum() == pytest.approx(4_000_000, rel=1e-4)
    for zh, population, shape in zip(towns["name"], towns["population"], towns.shapes, strict=True):
        own = communities["part_of"] == zh
        assert population == communities["population"][own].sum()
        assert shapely.area(communities.shapes[own]).sum() == pytest.approx(shape.area, rel=1e-6)
    assert 40_000 < towns["population"].sum() < 110_000
    living = sum(tables[name]["residents"].sum() for name in ("buildings", "buildings_renewal"))
    assert towns["population"].sum() == pytest.approx(living, rel=0.02)


def test_the_building_models_stand_on_the_ground_on_their_own_parcels(
    folder: Path, tables: dict[str, Table], present: np.ndarray
) -> None:
    origin = np.asarray(plan().origin)
    with rasterio.open(folder / "dem_present.tif") as dem:
        for site in plan().sites:
            ground = shapely.transform(site.outline, lambda xy: xy + origin)
            points = [ground.centroid, *map(shapely.Point, ground.exterior.coords)]
            heights = [h[0] for h in dem.sample([(p.x, p.y) for p in points])]
            assert np.abs(np.subtract(heights, site.floor)).max() <= 0.3
            parcel = tables["parcels"].where("name", site.zh)
            assert len(parcel) == 1
            assert parcel[0].covers(ground)
            assert not shapely.intersects(present, ground).any()


def test_the_ground_has_river_hills_pads_and_a_cut(folder: Path) -> None:
    with rasterio.open(folder / "dem_present.tif") as dem:
        present = dem.read(1)
    with rasterio.open(folder / "dem_planned.tif") as dem:
        planned = dem.read(1, masked=True)
    assert present.min() == pytest.approx(1.2)
    assert 90 < present.max() < 180
    change = (planned - present).compressed()
    assert 0.01 < change.size / present.size < 0.1
    assert change.min() < -10
    assert 0.5 < change.max() < 5
    # The rim of what changes joins the present surface.
    rim = np.ma.getmaskarray(planned)
    edge = ~rim & (
        np.roll(rim, 1, 0) | np.roll(rim, -1, 0) | np.roll(rim, 1, 1) | np.roll(rim, -1, 1)
    )
    assert np.abs((planned - present)[edge]).max() < 0.01


def test_the_picture_shows_water_green_and_asphalt(folder: Path, tables: dict[str, Table]) -> None:
    with rasterio.open(folder / "orthophoto.tif") as image:
        assert (image.count, image.dtypes[0], image.res) == (3, "uint8", (0.5, 0.5))
        assert image.block_shapes == [(512, 512)] * 3

        def colour(shape: Any) -> np.ndarray:
            west, south, east, north = shape.bounds
            x, y = np.random.default_rng(1).uniform((west, south), (east, north), (400, 2)).T
            inside = shapely.contains_xy(shape, x, y)
            return np.mean(list(image.sample(np.column_stack([x, y])[inside])), axis=0)

        river = colour(tables["water"].where("kind", "river")[0].buffer(-60))
        forest = colour(max(tables["parks"].where("kind", "forest"), key=lambda p: p.area))
        roads = tables["roads"]
        road = colour(shapely.union_all(roads.where("class", "SecondaryRoad")).buffer(4.0))
    assert river[2] > river[0] + 20
    assert forest[1] > max(forest[0], forest[2]) + 10
    assert np.ptp(road) < 25


def test_the_point_cloud_is_classified_and_lies_on_the_ground(folder: Path) -> None:
    cloud = laspy.read(folder / "points.las")
    assert (str(cloud.header.version), cloud.header.point_format.id) == ("1.4", 7)
    assert 100_000 < len(cloud.points) <= 500_000
    assert cloud.header.parse_crs().sub_crs_list[0].to_epsg() == 4547
    assert set(np.unique(cloud.classification)) == {2, 5, 6, 9}
    ground = np.asarray(cloud.classification) == 2
    xyz = cloud.xyz[ground][::50]
    with rasterio.open(folder / "dem_present.tif") as dem:
        heights = np.array([h[0] for h in dem.sample(xyz[:, :2])])
    assert np.median(np.abs(heights - xyz[:, 2])) < 0.1
    assert np.asarray(cloud.red).max() > 40_000
