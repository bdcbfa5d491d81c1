"""H3 cells: covers that are small and miss nothing, parents by arithmetic."""

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.cells import (
    MAX_CELLS,
    cell_named,
    cell_names,
    cell_polygon,
    cells_of,
    cover,
    covers,
    parents,
    resolutions,
)
from cim_core.errors import InvalidInput

places = st.tuples(st.floats(-170, 170), st.floats(-80, 80))
sizes = st.floats(-7, -0.3).map(lambda power: 10**power)


@st.composite
def shapes(draw: st.DrawFn) -> shapely.Geometry:
    """A shape of any kind and size somewhere on the earth, small beside the earth."""
    lon, lat = draw(places)
    size = draw(sizes)
    steps = draw(
        st.lists(
            st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=4, max_size=60, unique=True
        )
    )
    points = np.array(steps) * size + (lon, lat)
    kind = draw(st.sampled_from(["point", "points", "line", "lines", "polygon", "hole"]))
    match kind:
        case "point":
            return shapely.Point(points[0])
        case "points":
            return shapely.MultiPoint(points)
        case "line":
            return shapely.LineString(points)
        case "lines":
            return shapely.MultiLineString([points[:2], points[2:]])
        case "polygon":
            return shapely.convex_hull(shapely.MultiPoint(points))
        case _:
            whole = shapely.box(lon, lat, lon + size, lat + size)
            return whole.difference(shapely.affinity.scale(whole, 0.6, 0.6))


def points_of(shape: shapely.Geometry) -> np.ndarray:
    """Points on a shape, (n, 2): its corners, points along its lines, points inside."""
    found = [shapely.get_coordinates(shape), shapely.get_coordinates(shape.representative_point())]
    for part in shapely.get_parts(shape):
        edge = part.boundary if part.geom_type == "Polygon" else part
        if edge.geom_type != "Point":
            along = np.linspace(0, edge.length, 40)
            found.append(shapely.get_coordinates(shapely.line_interpolate_point(edge, along)))
    if shape.area > 0:
        west, south, east, north = shape.bounds
        grid = np.stack(
            np.meshgrid(np.linspace(west, east, 12), np.linspace(south, north, 12)), axis=-1
        ).reshape(-1, 2)
        found.append(grid[shapely.contains_xy(shape, grid)])
    return np.concatenate(found)


@given(shapes())
@settings(max_examples=80, deadline=None)
def test_every_point_of_a_shape_lies_in_some_cell_of_its_cover(shape: shapely.Geometry) -> None:
    cells = cover(shape)
    assert 0 < len(cells) <= MAX_CELLS
    assert cells.dtype == np.uint64
    names = set(cell_names(cells))
    coarse = {h3.get_resolution(name) for name in names}
    for lon, lat in points_of(shape):
        above = {
            h3.cell_to_parent(h3.latlng_to_cell(lat, lon, fine), level)
            for level in coarse
            for fine in range(level, 14)
        }
        assert above & names


@given(shapes())
@settings(max_examples=60, deadline=None)
def test_a_cover_is_compact_and_near(shape: shapely.Geometry) -> None:
    cells = cover(shape)
    names = set(cell_names(cells))
    # h3 compacts cells of one resolution only, so all are taken down to the finest of them first.
    finest = max(map(h3.get_resolution, names))
    assert set(h3.compact_cells(h3.uncompact_cells(names, finest))) == names
    east_west = np.cos(np.radians(max(map(abs, shape.bounds[1::2]))))
    for cell, name in zip(cells.tolist(), cell_names(cells), strict=True):
        edge = h3.average_hexagon_edge_length(h3.get_resolution(name), unit="km")
        assert shape.distance(cell_polygon(cell)) * 111 * east_west < 3 * edge


def test_a_line_is_covered_along_itself_and_not_by_its_envelope() -> None:
    line = shapely.LineString([(113.40, 23.05), (113.45, 23.10), (113.50, 23.15)])
    covered = sum(h3.cell_area(name, unit="km^2") for name in cell_names(cover(line)))
    envelope = 0.1 * 111.3 * 0.1 * 111.3 * np.cos(np.radians(23.1))
    assert covered < envelope / 2


def test_a_crooked_line_of_many_points_is_covered() -> None:
    steps = np.random.default_rng(4).normal(0, 1e-3, (500, 2))
    steps[0] = 113.4, 23.1
    line = shapely.LineString(np.cumsum(steps, axis=0))
    names = set(cell_names(cover(line)))
    assert 0 < len(names) <= MAX_CELLS
    finest = max(h3.get_resolution(name) for name in names)
    inside = cells_of(shapely.get_coordinates(line), finest)
    assert set(cell_names(inside)) <= set(h3.uncompact_cells(names, finest))


def test_many_covers_at_once_are_those_of_each() -> None:
    some = [
        shapely.Point(113.4, 23.1), shapely.Polygon(), shapely.box(113.4, 23.1, 113.41, 23.11),
        shapely.LineString([(113.4, 23.1, 5.0), (113.5, 23.1, 9.0)]),
    ]  # fmt: skip
    for together, alone in zip(covers(some), map(cover, some), strict=True):
        assert together.tolist() == alone.tolist()
    assert covers([]) == []


def test_the_reference_point_has_its_known_cells() -> None:
    cell = h3.int_to_str(int(cover(shapely.Point(113.459, 23.106))[0]))
    assert h3.cell_to_parent(cell, 12) == "8c411d4902d97ff"
    assert h3.cell_to_parent(cell, 9) == "89411d4902fffff"


def test_nothing_has_no_cells_and_a_line_has_some() -> None:
    assert len(cover(shapely.Polygon())) == 0
    assert len(cover(shapely.LineString([(113.0, 23.0), (113.001, 23.0)]))) > 0


@given(places, st.integers(0, 15), st.data())
@settings(max_examples=80, deadline=None)
def test_parents_by_arithmetic_are_those_of_h3(
    place: tuple[float, float], fine: int, data: st.DataObject
) -> None:
    cells = cells_of(np.array([place]), fine)
    assert resolutions(cells).tolist() == [fine]
    coarse = data.draw(st.integers(0, fine))
    [name] = cell_names(cells)
    assert cell_names(parents(cells, coarse)) == [h3.cell_to_parent(name, coarse)]


def test_a_cell_has_its_name_and_outline() -> None:
    cell = cell_named("8a411d4902dffff")
    assert cell_names(np.array([cell], np.uint64)) == ["8a411d4902dffff"]
    lat, lon = h3.cell_to_latlng("8a411d4902dffff")
    assert cell_polygon(cell).contains(shapely.Point(lon, lat))


@pytest.mark.parametrize("name", ["", "x", "8a411d4902d7ffe", "-1", "f" * 40])
def test_what_is_no_cell_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not an H3 cell"):
        cell_named(name)
