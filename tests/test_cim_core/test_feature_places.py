"""Features by where they are, against a look at every one of them."""

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.store import features as store
from cim_core.store.features import Query
from cim_core.vicinity import box_around
from tests.support.layers import publish

GEODESIC = pyproj.Geod(ellps="WGS84")


def outlined(shapes: dict[str, shapely.Geometry], layer_id: str = "things") -> Layer:
    """A layer of outlines, lines and points."""
    features = tuple(
        Feature(name, shape.geom_type, f"名称 {name}", attributes={"n": number}, shape=shape)
        for number, (name, shape) in enumerate(shapes.items())
    )
    return Layer(
        layer_id, layer_id, Frame(113.46, 23.1, 0.0), Features(features, {}),
        Georeference("crs", "EPSG:4326", {"en": "", "zh": ""}),
    )  # fmt: skip


def scattered(count: int) -> dict[str, shapely.Geometry]:
    random = np.random.default_rng(7)
    places = random.normal((113.46, 23.1), 0.01, (count, 2))
    sizes = random.uniform(1e-5, 3e-4, (count, 2))
    return {
        f"T{number:05d}": shapely.box(*place, *(place + size))
        for number, (place, size) in enumerate(zip(places, sizes, strict=True))
    }


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("places") / "city")
    publish(city, outlined(scattered(1500)))
    publish(city, outlined(scattered(300), "others"))
    return city


SHAPES = scattered(1500)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.integers(1, 30))
def test_the_nearest_are_the_nearest(places: City, x: float, y: float, limit: int) -> None:
    lon, lat = 113.46 + x, 23.1 + y
    found = places.feature_places.nearest("things", 1, lon, lat, limit)
    plane = pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +ellps=WGS84", always_xy=True
    )
    flat = shapely.transform(list(SHAPES.values()), plane.transform, interleaved=False)
    expected = np.sort(shapely.distance(flat, shapely.Point(0, 0)))[:limit]
    assert [metres for _, metres in found] == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert len({row.feature.id for row, _ in found}) == limit


def test_what_is_farther_than_a_hundred_kilometres_is_not_near(places: City) -> None:
    assert places.feature_places.nearest("things", 1, 100.0, 23.1, 5) == []
    far = places.feature_places.nearest("things", 1, 114.0, 23.1, 10_000)
    assert 0 < len(far) <= 1500
    assert places.feature_places.nearest("things", 1, 113.46, 23.1, 5_000)[-1][1] < 100_000
    assert len(places.feature_places.nearest("things", 1, 113.46, 23.1, 5_000)) == 1500


@given(st.floats(-180, 180), st.floats(-85, 85), st.floats(1, 100_000), st.floats(0, 360))
@settings(max_examples=200, deadline=None)
def test_a_box_around_a_place_holds_all_that_is_so_near(
    lon: float, lat: float, metres: float, towards: float
) -> None:
    west, south, east, north = box_around(lon, lat, metres)
    there = GEODESIC.fwd(lon, lat, towards, metres)
    assert south <= there[1] <= north
    assert west <= lon + (there[0] - lon + 180) % 360 - 180 <= east


@pytest.mark.parametrize("few", [0, 10, 1_000_000])
@pytest.mark.parametrize(
    "box",
    [(113.45, 23.09, 113.47, 23.11), (113.0, 23.0, 114.0, 24.0), (113.46, 23.1, 113.46, 23.1),
     (113.45, 23.1, 113.47, 23.1), (0.0, 0.0, 1.0, 1.0)],
)  # fmt: skip
def test_a_box_finds_the_same_whichever_way_it_is_looked_up(
    places: City, monkeypatch: pytest.MonkeyPatch, few: int, box: tuple[float, float, float, float]
) -> None:
    monkeypatch.setattr(store, "_FEW", few)
    west, south, east, north = box
    area = shapely.MultiPoint([(west, south), (west, north), (east, south), (east, north)]).envelope
    expected = [name for name, shape in SHAPES.items() if shape.intersects(area)]
    query = Query(bbox=box)
    pages: list[str] = []
    while page := places.features.find(
        "things", 1, query, after=pages[-1] if pages else None, limit=400
    ):
        pages += [row.feature.id for row in page]
    assert pages == expected
    assert places.features.count("things", 1, query) == len(expected)


def test_pages_are_found_by_key_however_deep(places: City) -> None:
    plan = places.database.connection.execute(
        "EXPLAIN QUERY PLAN SELECT f.id FROM features f INDEXED BY features_in_order"
        " WHERE f.layer = 'things' AND f.version = 1 AND f.body = 1 AND f.id > 'T01000'"
        " ORDER BY f.id LIMIT 10"
    ).fetchall()
    assert ["id>?" in row["detail"] for row in plan] == [True]


EXACT = {
    "point": shapely.Point(113.46, 23.1, 7.25),
    "line": shapely.LineString([(113.46, 23.1, 1.0), (113.47, 23.1, 2.0)]),
    "flat": shapely.LineString([(113.46, 23.1), (113.47, 23.11)]),
    "area": shapely.box(113.45, 23.09, 113.46, 23.1).difference(
        shapely.box(113.453, 23.093, 113.456, 23.096)
    ),
    "parts": shapely.MultiPolygon(
        [shapely.box(113.4, 23, 113.41, 23.01), shapely.box(113.42, 23, 113.43, 23.01)]
    ),
}


def test_shapes_come_back_as_they_were_given(city: City) -> None:
    publish(city, outlined(EXACT))
    loaded = city.load("things")
    assert loaded.kind == "vector"
    for feature in loaded.features:
        assert shapely.to_wkb(feature.shape) == shapely.to_wkb(EXACT[feature.id])
    [version] = city.layers.current()
    for row in city.features.find("things", 1, Query(), after=None, limit=10):
        assert not row.footprint.has_z
        assert shapely.to_wkb(row.feature.shape) == shapely.to_wkb(EXACT[row.feature.id])
    for feature in city.select(version, Query()).features:
        assert shapely.to_wkb(feature.shape) == shapely.to_wkb(EXACT[feature.id])
    frame = pyogrio.raw.read(city.folder / "city.gpkg", layer="layer_things", columns=["id"])
    assert len(frame[2]) == len(EXACT)
    again = {shapely.to_wkb(shape, output_dimension=2) for shape in shapely.from_wkb(frame[2])}
    assert again == {shapely.to_wkb(s, output_dimension=2) for s in EXACT.values()}
