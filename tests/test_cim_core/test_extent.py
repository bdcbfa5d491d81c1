"""Where features lie, against shapely and the frame used one feature at a time."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.cells import cover
from cim_core.extent import extents
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.mesh import Mesh, transformed
from cim_core.progress import Progress

FRAME = Frame(113.46, 23.1, 12.0)
CUBE = Mesh(
    np.array([[x, y, z] for x in (0.0, 1) for y in (0.0, 1) for z in (0.0, 1)]),
    np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],
         [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]], np.uint32,
    ),
)  # fmt: skip
MESHES = {"cube": CUBE}


def feature(name: str, *places: tuple[float, float, float, float]) -> Feature:
    """Cubes of a size, each at (x, y, z)."""
    instances = []
    for x, y, z, size in places:
        matrix = np.diag([size, size, size, 1.0])
        matrix[:3, 3] = x, y, z
        instances.append(Instance("cube", matrix))
    return Feature(name, "IfcWall", name, instances=tuple(instances))


places = st.tuples(
    st.floats(-3000, 3000), st.floats(-3000, 3000), st.floats(-50, 300), st.floats(0.01, 120)
)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(places, min_size=0, max_size=3), min_size=1, max_size=6))
def test_extents_are_those_of_each_feature_alone(groups: list) -> None:
    features = tuple(feature(str(n), *group) for n, group in enumerate(groups))
    found = list(extents(features, MESHES, FRAME, 3.5, Progress()))
    assert [item for item, _ in found] == list(features)
    for item, extent in found:
        if not item.instances:
            assert (extent.footprint, extent.bbox, len(extent.cells)) == (None, None, 0)
            continue
        corners = np.vstack([transformed(CUBE.positions, i.transform) for i in item.instances])
        middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
        squares = [
            shapely.box(*np.hstack([p[:, :2].min(axis=0), p[:, :2].max(axis=0)]))
            for p in (transformed(CUBE.positions, i.transform) for i in item.instances)
        ]
        flat = shapely.union_all(squares)
        xy = shapely.get_coordinates(flat)
        around = FRAME.to_geographic(np.column_stack([xy, np.full(len(xy), middle[2])]))
        outline = shapely.set_coordinates(flat, around[:, :2])
        area = outline.area
        assert extent.footprint.symmetric_difference(outline).area < 1e-3 * area + 1e-14
        assert extent.cells.tolist() == cover(extent.footprint).tolist()
        ends = np.array([[*middle[:2], corners[:, 2].min()], [*middle[:2], corners[:, 2].max()]])
        heights = FRAME.to_geographic(ends)[:, 2] - 3.5
        assert (extent.bbox[2], extent.bbox[5]) == pytest.approx(tuple(heights))
        assert extent.bbox[:2] + extent.bbox[3:5] == extent.footprint.bounds


def test_a_known_outline_is_taken_and_heights_are_found_anew() -> None:
    known = shapely.box(1, 2, 3, 4), np.array([7], np.uint64)
    features = (feature("a", (0, 0, 0, 1)), feature("b", (5, 5, 5, 1)))
    found = {
        item.id: extent
        for item, extent in extents(
            features, MESHES, FRAME, 0.0, Progress(), lambda f: known if f.id == "a" else None
        )
    }
    assert found["a"].footprint == known[0]
    assert found["a"].cells.tolist() == [7]
    assert found["a"].bbox == (1, 2, pytest.approx(12.0), 3, 4, pytest.approx(13.0))
    assert found["b"].footprint.bounds[0] == pytest.approx(113.46, abs=1e-3)
