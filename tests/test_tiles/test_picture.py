"""Pictures to drape: the right colour at the right place, and nothing elsewhere."""

import io

import numpy as np
import pytest
import shapely
from PIL import Image

from tiles.mercator import MapTile
from tiles.picture import draw_tile, width_of

TILE = MapTile(16, 53430, 28417)
WEST, SOUTH, EAST, NORTH = TILE.box()
COLORS = {"Road": "#ff0000", "Park": "#00ff00", "Pond": "#0000ff", "Stop": "#ff00ff"}


def within(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in shares of the tile, (0, 0) its lower left."""
    return shapely.transform(
        shape, lambda p: p * [EAST - WEST, NORTH - SOUTH] + np.array([WEST, SOUTH])
    )


def drawn(things: list[tuple[str, shapely.Geometry]], widths: list | None = None) -> np.ndarray:
    """The picture as (256, 256, 4), its first row the northernmost."""
    shapes = np.array([within(shape) for _, shape in things], object)
    data = draw_tile(TILE, shapes, [k for k, _ in things], widths or [None] * len(things), COLORS)
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (256, 256))
    return np.asarray(picture)


def at(picture: np.ndarray, x: float, y: float) -> list[int]:
    return picture[int((1 - y) * 256), int(x * 256)].tolist()


def test_an_area_is_filled_but_for_its_holes() -> None:
    park = shapely.Polygon(
        [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)],
        [[(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]],
    )
    picture = drawn([("Park", park)])
    assert at(picture, 0.2, 0.2) == [0, 255, 0, 150]
    assert at(picture, 0.5, 0.5)[3] == 0
    assert at(picture, 0.05, 0.5)[3] == 0
    share = (picture[:, :, 3] > 0).mean()
    assert share == pytest.approx(0.64 - 0.04, abs=0.01)


def test_small_areas_lie_on_large_ones_lines_on_areas_and_points_on_top() -> None:
    picture = drawn(
        [
            ("Stop", shapely.Point(0.5, 0.5)),
            ("Road", shapely.LineString([(0, 0.5), (1, 0.5)])),
            ("Pond", shapely.box(0.4, 0.4, 0.6, 0.6)),
            ("Park", shapely.box(0, 0, 1, 1)),
        ]
    )
    assert at(picture, 0.5, 0.5)[:3] == [255, 0, 255]
    assert at(picture, 0.45, 0.5)[:3] == [255, 0, 0]
    assert at(picture, 0.45, 0.45)[:3] == [0, 0, 255]
    assert at(picture, 0.2, 0.2)[:3] == [0, 255, 0]


def test_a_line_is_as_wide_as_on_the_ground() -> None:
    """A tile of level 16 is 562 m wide here, so a pixel is 2.2 m."""
    road = shapely.LineString([(0.5, 0), (0.5, 1)])
    metres = TILE.metres() / 256
    for width in (None, 40.0):
        rows = drawn([("Road", road)], [width])[128, :, 3] / 255
        expected = (width or width_of("Road")) / metres
        assert rows.sum() == pytest.approx(expected, abs=0.8)


def test_what_lies_on_the_edge_goes_on_in_the_next_tile() -> None:
    edge = drawn([("Stop", shapely.Point(0, 0.5))])
    assert at(edge, 0.001, 0.5)[3] > 0
    beyond = drawn([("Stop", shapely.Point(-0.005, 0.5))])
    assert at(beyond, 0.001, 0.5)[3] > 0


def test_nothing_gives_an_empty_picture() -> None:
    assert drawn([])[:, :, 3].max() == 0
    assert drawn([("Stop", shapely.Point(5, 5))])[:, :, 3].max() == 0


def test_a_collection_of_collections_is_drawn() -> None:
    inner = shapely.GeometryCollection([shapely.box(0.1, 0.1, 0.2, 0.2)])
    picture = drawn([("Park", shapely.GeometryCollection([inner, shapely.Point(0.8, 0.8)]))])
    assert at(picture, 0.15, 0.15)[3] > 0
    assert at(picture, 0.8, 0.8)[3] > 0
