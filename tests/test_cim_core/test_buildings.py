"""Footprints with heights: blocks whose area and volume shapely finds too, on the ground."""

from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.importers.buildings import BuildingImporter
from cim_core.importers.extrusion import extruded, grounds
from cim_core.layer import Layer
from cim_core.mesh import PLAIN, Floats, transformed
from cim_core.progress import Progress
from tests.support.vectors import CORNER, GK114, imported, moved, write_table

COURT = shapely.Polygon(
    [(0, 0), (30, 0), (30, 20), (0, 20)], [[(10, 5), (20, 5), (20, 15), (10, 15)]]
)
ANGLE = shapely.Polygon([(0, 0), (18, 0), (18, 6), (7, 6), (7, 15), (0, 15)])
TWO = shapely.MultiPolygon([shapely.box(0, 0, 8, 8), shapely.box(20, 0, 24, 30)])


def read(path: Path, **more: object) -> Layer:
    return imported(BuildingImporter(), path, **more)


def corners(layer: Layer, feature: Feature) -> np.ndarray:
    """All triangles of a feature in the frame, (m, 3, 3)."""
    return np.vstack(
        [
            transformed(layer.meshes[i.mesh_key].positions, i.transform)[
                layer.meshes[i.mesh_key].triangles
            ]
            for i in feature.instances
        ]
    )


def cross(triangles: np.ndarray) -> np.ndarray:
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]) / 2


@pytest.mark.parametrize("shape", [COURT, ANGLE, TWO], ids=["court", "angle", "two"])
def test_a_block_has_the_area_and_the_volume_of_its_footprint(
    shape: shapely.Geometry, tmp_path: Path
) -> None:
    """By shapely in the map's plane, whose scale here is 1.000038 (EPSG:4547, 0.54° from 114°)."""
    height = 12.0
    path = write_table(tmp_path / "a.gpkg", [moved(shape)], {"height": [height]})
    layer = read(path)
    (feature,) = layer.features
    triangles = corners(layer, feature)
    walls = shape.length * height
    assert np.linalg.norm(cross(triangles), axis=1).sum() == pytest.approx(
        shape.area + walls, rel=2e-4
    )
    # By the divergence theorem, from a point on the ground plane, where the floor adds nothing.
    from_ground = triangles - [
        *triangles.reshape(-1, 3)[:, :2].mean(axis=0),
        triangles[:, :, 2].min(),
    ]
    volume = np.einsum("ij,ij->i", from_ground[:, 0], cross(from_ground)).sum() / 3 * 1.0
    assert volume == pytest.approx(shape.area * height, rel=2e-4)
    assert feature.attributes["height"] == height
    assert feature.feature_class == "Building"


star = st.lists(st.floats(4.0, 20.0), min_size=3, max_size=12)


@settings(deadline=None, max_examples=60)
@given(star, st.floats(0.5, 200.0), st.booleans())
def test_any_footprint_gives_walls_all_around_and_a_roof(
    radii: list[float], height: float, clockwise: bool
) -> None:
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(radii)[:, None]
    shape = shapely.Polygon(ring[::-1] if clockwise else ring)
    (block,) = extruded(
        np.array([shape], object), np.array([3.0]), np.array([3.0 + height]),
        lambda points: points, PLAIN, PLAIN, Progress(),
    )  # fmt: skip
    walls, roof = block.meshes
    assert walls.area() == pytest.approx(shape.length * height, rel=1e-9)
    assert roof.area() == pytest.approx(shape.area, rel=1e-9)
    # All walls look outwards: closed by floor and roof, they enclose the volume.
    sides, top = walls.positions[walls.triangles], roof.positions[roof.triangles]
    volume = sum(np.linalg.det(t).sum() / 6 for t in (sides, top))
    assert volume == pytest.approx(shape.area * height, rel=1e-6)
    assert (cross(top)[:, 2] > 0).all()


def slope(points: Floats) -> Floats:
    """Ground that rises to the east, and is not known north of a line."""
    heights = (points[:, 0] - 113.44) * 10_000.0
    return np.where(points[:, 1] > 23.1035, np.nan, heights)


def test_a_building_stands_on_the_lowest_ground_of_its_outline(tmp_path: Path) -> None:
    shape = moved(shapely.box(0, 0, 20, 10))
    separation = -4.2
    path = write_table(tmp_path / "a.gpkg", [shape], {"height": [10.0]})
    layer = read(path, ground=slope, separation=separation)
    (feature,) = layer.features
    points = layer.frame.to_geographic(corners(layer, feature).reshape(-1, 3))
    to_earth = pyproj.Transformer.from_crs(GK114, 4326, always_xy=True)
    lon, lat = to_earth.transform(*shapely.get_coordinates(shape).T)
    expected = slope(np.column_stack([lon, lat])).min() + separation
    assert points[:, 2].min() == pytest.approx(expected, abs=1e-3)
    assert points[:, 2].max() == pytest.approx(expected + 10.0, abs=1e-3)
    assert points[:, :2].min(axis=0) == pytest.approx([lon.min(), lat.min()], abs=1e-8)


def test_beside_the_terrain_it_stands_on_zero_and_the_report_says_so(tmp_path: Path) -> None:
    north = moved(shapely.box(0, 2000, 9, 2009))
    path = write_table(tmp_path / "a.gpkg", [north], {"height": [10.0]})
    layer = read(path, ground=slope)
    assert any("do not stand on the city's terrain" in warning for warning in layer.warnings)
    assert grounds(np.array([shapely.box(0, 0, 1, 1)], object), None)[0].tolist() == [0.0]


@pytest.mark.parametrize(
    ("column", "values", "height"),
    [
        ("height", [12.5], 12.5),
        ("Height", ["12,5 m"], 12.5),
        ("建筑高度", ["40 ft"], 12.192),
        ("层数", [6], 18.0),
        ("building:levels", ["4"], 12.0),
    ],
)
def test_the_usual_columns_are_known(
    column: str, values: list, height: float, tmp_path: Path
) -> None:
    path = write_table(tmp_path / "a.gpkg", [moved(ANGLE)], {column: values})
    assert BuildingImporter().recognises(path)
    (feature,) = read(path).features
    assert feature.attributes["height"] == pytest.approx(height, abs=1e-3)


def test_storeys_serve_where_there_is_no_height_and_the_rest_stays_flat(tmp_path: Path) -> None:
    shapes = [moved(ANGLE, (CORNER[0] + 50 * n, CORNER[1])) for n in range(4)]
    columns = {"height": [9.0, None, None, 99999.0], "floors": [1.0, 5.0, None, None]}
    columns = {k: [float("nan") if v is None else v for v in vs] for k, vs in columns.items()}
    path = write_table(tmp_path / "a.gpkg", shapes, columns)
    layer = read(path, floor_height="3.2")
    assert [f.attributes.get("height") for f in layer.features] == [9.0, 16.0, None, 99999.0]
    assert [len(f.instances) for f in layer.features] == [2, 2, 0, 0]
    assert all(f.shape is not None for f in layer.features)
    assert any("2 of 4 footprints of a have no usable height" in w for w in layer.warnings)


def test_the_person_names_the_column_and_the_unit(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.gpkg", [moved(ANGLE)], {"elev_roof": [100.0]})
    assert not BuildingImporter().recognises(path)
    layer = read(path, table="a", height="elev_roof", vertical_unit="foot")
    assert layer.features[0].attributes["height"] == pytest.approx(30.48)
    with pytest.raises(InvalidInput, match="has no column 'h0', which the option height names"):
        read(path, table="a", height="h0")
    with pytest.raises(InvalidInput, match="floor_height=low is not a number"):
        read(path, table="a", height="elev_roof", floor_height="low")


def test_without_any_height_the_remedy_is_named(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.gpkg", [moved(ANGLE)], {"height": ["unknown"]})
    with pytest.raises(InvalidInput, match=r"no footprint with a usable height.*--as vector"):
        read(path)
