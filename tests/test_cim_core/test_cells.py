"""H3 covers: small, and they miss nothing."""

import h3
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.cells import MAX_CELLS, cover

boxes = st.tuples(
    st.floats(-170, 170), st.floats(-80, 80), st.floats(1e-7, 0.5), st.floats(1e-7, 0.5)
).map(lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(boxes)
@settings(max_examples=60, deadline=None)
def test_every_corner_and_the_middle_lie_in_a_covering_cell(box: shapely.Polygon) -> None:
    cells = cover(box)
    assert 0 < len(cells) <= MAX_CELLS
    assert cells.dtype == np.uint64
    names = {h3.int_to_str(int(cell)) for cell in cells}
    resolutions = {h3.get_resolution(name) for name in names}
    for lon, lat in [*box.exterior.coords, box.centroid.coords[0]]:
        # A coarser cell of a compacted cover holds all its children's area but for their overhang,
        # so a corner may lie in a neighbour of the parent.
        assert any(
            h3.grid_distance(h3.latlng_to_cell(lat, lon, r), name) <= 1
            for r in resolutions
            for name in names
            if h3.get_resolution(name) == r and _close(lat, lon, name)
        )


def _close(lat: float, lon: float, name: str) -> bool:
    there = h3.cell_to_latlng(name)
    edge = h3.average_hexagon_edge_length(h3.get_resolution(name), unit="km")
    return h3.great_circle_distance((lat, lon), there, unit="km") < 4 * edge


def test_the_reference_point_has_its_known_cells() -> None:
    cell = h3.int_to_str(int(cover(shapely.Point(113.459, 23.106))[0]))
    assert h3.cell_to_parent(cell, 12) == "8c411d4902d97ff"
    assert h3.cell_to_parent(cell, 9) == "89411d4902fffff"


def test_nothing_has_no_cells_and_a_line_has_some() -> None:
    assert len(cover(shapely.Polygon())) == 0
    assert len(cover(shapely.LineString([(113.0, 23.0), (113.001, 23.0)]))) > 0
