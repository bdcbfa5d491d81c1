"""Vector tiles, read by another decoder: what is in the city is in the tile, where it is."""

import math

import mapbox_vector_tile
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import NotFound
from tiles.mercator import MapTile
from tiles.mvt import EXTENT, encode_tile

TILE = MapTile(14, 13357, 7104)
WEST, SOUTH, EAST, NORTH = TILE.box()
TO_MAP = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
WORLD = 2 * math.pi * 6378137.0


def within(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in shares of the tile, (0, 0) its lower left, in longitude and latitude."""
    return shapely.transform(
        shape, lambda p: p * [EAST - WEST, NORTH - SOUTH] + np.array([WEST, SOUTH])
    )


def by_pyproj(shape: shapely.Geometry, tile: MapTile = TILE) -> shapely.Geometry:
    """A shape in a tile's grid, y down, by PROJ's own Mercator."""

    def moved(points: np.ndarray) -> np.ndarray:
        x, y = (values[: len(points)] for values in TO_MAP.transform(*np.vstack([points] * 2).T))
        share = np.column_stack([x / WORLD + 0.5, 0.5 - y / WORLD]) * 2**tile.z
        return (share - [tile.x, tile.y]) * EXTENT

    return shapely.transform(shape, moved)


def decoded(shapes: list, attributes: list | None = None, tile: MapTile = TILE) -> list[dict]:
    attributes = attributes or [{"n": n} for n in range(len(shapes))]
    data = encode_tile(tile, "l", np.array(shapes, object), range(len(shapes)), attributes)
    if not data:
        return []
    layer = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})["l"]
    assert layer["extent"] == EXTENT
    assert layer["version"] == 2
    return layer["features"]


SHAPES = [
    shapely.Point(0.5, 0.5),
    shapely.MultiPoint([(0.1, 0.1), (0.2, 0.7)]),
    shapely.LineString([(0, 0), (0.5, 0.9), (0.99, 0.5)]),
    shapely.MultiLineString([[(0, 0), (0.5, 0.9)], [(0.3, 0.3), (0.6, 0.6), (0.7, 0.1)]]),
    shapely.Polygon(
        [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], [[(0.3, 0.3), (0.4, 0.3), (0.4, 0.4)]]
    ),
    shapely.MultiPolygon([shapely.box(0.1, 0.2, 0.2, 0.3), shapely.box(0.6, 0.6, 0.7, 0.7)]),
]


@pytest.mark.parametrize("turn", [False, True], ids=["one way", "the other"])
def test_each_kind_of_shape_comes_back(turn: bool) -> None:
    shapes = [within(shapely.reverse(shape) if turn else shape) for shape in SHAPES]
    found = decoded(shapes)
    assert [feature["id"] for feature in found] == list(range(len(shapes)))
    for feature, shape in zip(found, shapes, strict=True):
        back = shapely.geometry.shape(feature["geometry"])
        there = by_pyproj(shape)
        assert back.geom_type == there.geom_type
        assert back.hausdorff_distance(there) <= 1.0  # a step of the grid
        assert back.is_valid


def test_outlines_turn_as_the_specification_wants_it() -> None:
    """Section 4.3.3.3: positive by the surveyor's formula, in a grid whose y goes down."""
    (feature,) = decoded([within(SHAPES[4])])
    outline, hole = (np.array(ring, float) for ring in feature["geometry"]["coordinates"])

    def surveyed(ring: np.ndarray) -> float:
        x, y = ring.T
        return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)

    assert surveyed(outline) > 0
    assert surveyed(hole) < 0


def test_attributes_come_back_with_their_types() -> None:
    said = {"text": "香雪", "whole": 7, "negative": -3, "part": 1.5, "yes": True, "large": 2**70}
    (feature,) = decoded([within(SHAPES[0])], [said])
    assert feature["properties"] == {**said, "large": float(2**70)}
    assert feature["properties"]["yes"] is True
    # One and yes are equal in Python; here they are two values.
    first, second = decoded([within(SHAPES[0])] * 2, [{"a": 1}, {"a": True}])
    assert (first["properties"]["a"], second["properties"]["a"]) == (1, True)
    assert isinstance(second["properties"]["a"], bool)


def test_what_reaches_over_the_edge_is_cut_a_little_beyond_it() -> None:
    long = shapely.LineString([(-3, 0.5), (3, 0.5)])
    wide = shapely.box(-2, -2, 0.5, 0.5)
    for feature in decoded([within(long), within(wide)]):
        west, south, east, north = shapely.geometry.shape(feature["geometry"]).bounds
        assert west == -64
        assert east <= EXTENT + 64
        assert -64 <= south <= north <= EXTENT + 64


def test_what_lies_outside_is_left_out_and_a_tile_of_nothing_is_empty() -> None:
    assert [f["id"] for f in decoded([within(shapely.Point(5, 5)), within(SHAPES[0])])] == [1]
    assert decoded([within(shapely.Point(5, 5))]) == []
    assert decoded([]) == []


def test_a_collection_comes_as_its_parts_by_dimension() -> None:
    mixed = shapely.GeometryCollection([SHAPES[0], SHAPES[5], SHAPES[2]])
    found = decoded([within(mixed)])
    assert {feature["geometry"]["type"] for feature in found} == {
        "Point", "LineString", "MultiPolygon",
    }  # fmt: skip
    assert {feature["id"] for feature in found} == {0}


def test_a_shape_has_fewer_corners_from_afar() -> None:
    angles = np.linspace(0, 2 * np.pi, 2000)
    circle = within(shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * 0.01 + 0.5))
    near = decoded([circle], tile=MapTile(19, 13357 * 32 + 16, 7104 * 32 + 16))
    far = decoded([circle])
    quarter = len(near[0]["geometry"]["coordinates"][0])
    assert len(far[0]["geometry"]["coordinates"][0]) < 2 * quarter


share = st.floats(-0.2, 1.2)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(share, share, st.floats(0.003, 0.3)), min_size=1, max_size=12))
def test_areas_are_those_of_the_ground_within_the_grid_s_step(squares: list) -> None:
    shapes = [within(shapely.box(x, y, x + s, y + s)) for x, y, s in squares]
    window = shapely.box(-64, -64, EXTENT + 64, EXTENT + 64)
    found = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in decoded(shapes)}
    for number, shape in enumerate(shapes):
        there = by_pyproj(shape).intersection(window)
        back = found.get(number, shapely.Polygon())
        assert back.is_valid
        assert abs(back.area - there.area) <= 1.5 * there.length + 4


@settings(deadline=None)
@given(st.integers(0, 20), st.data())
def test_the_box_of_a_tile_is_that_of_the_scheme(z: int, data: st.DataObject) -> None:
    x, y = (data.draw(st.integers(0, 2**z - 1)) for _ in range(2))
    west, south, east, north = MapTile(z, x, y).box()
    left, bottom = TO_MAP.transform(west, south)
    right, top = TO_MAP.transform(east, north)
    size = WORLD / 2**z
    assert (left, right) == pytest.approx(
        (x * size - WORLD / 2, (x + 1) * size - WORLD / 2), abs=0.01
    )
    assert (top, bottom) == pytest.approx(
        (WORLD / 2 - y * size, WORLD / 2 - (y + 1) * size), abs=0.01
    )


@pytest.mark.parametrize("place", [(0, 1, 0), (3, 0, 8), (25, 0, 0), (-1, 0, 0), (2, -1, 0)])
def test_a_tile_that_is_not_there_is_not_found(place: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound):
        MapTile(*place)
