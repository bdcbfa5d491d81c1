"""Tables with shapes: every row, its exact shape, where pyproj puts it, in every format."""

from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from cim_core.errors import InvalidInput
from cim_core.importers.tables import TableImporter
from tests.support.vectors import (
    CORNER,
    GK114,
    imported,
    moved,
    write_geoparquet,
    write_table,
    zipped,
)

SQUARE = moved(shapely.box(0, 0, 20, 10))
ROAD = moved(shapely.LineString([(0, 0), (50, 20), (90, 20)]))


def read(path: Path, **more: object):
    return imported(TableImporter(), path, **more)


def expected(path: Path, table: str | None, crs: object) -> np.ndarray:
    """The coordinates of a table as pyproj places them, (n, 2)."""
    wkb = pyogrio.raw.read(str(path), layer=table)[2]
    points = shapely.get_coordinates(shapely.from_wkb(wkb))
    return np.column_stack(
        pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(*points.T)
    )


@pytest.mark.parametrize(
    ("file", "table", "crs", "count"),
    [
        ("land/bubenec.gpkg", "buildings", 3857, 144),
        ("land/bubenec.gpkg", "streets", 3857, 35),
        ("land/bubenec.gpkg", "tessellation", 3857, 144),
        ("land/bubenec.gpkg", "plots", 3857, 407),
        ("water/ky4_pipes.geojson", "ky4_pipes", 3547, 1156),
        ("water/ky4_junctions.geojson", "ky4_junctions", 3547, 959),
        ("water/ky4_disconnected_pipes.geojson", "ky4_disconnected_pipes", 3547, 1156),
    ],
)
def test_every_row_of_a_real_file_is_there_where_pyproj_puts_it(
    file: str, table: str, crs: int, count: int, data: Path
) -> None:
    layer = read(data / file, table=table)
    assert len(layer.features) == count
    assert layer.kind == "vector"
    found = shapely.get_coordinates([f.shape for f in layer.features])
    there = expected(data / file, table, crs)
    assert len(found) == len(there)
    order = np.lexsort(found.T), np.lexsort(there.T)
    assert np.abs(found[order[0]] - there[order[1]]).max() < 1e-9


def test_areas_in_web_mercator_come_out_as_they_are_on_the_ground(data: Path) -> None:
    """EPSG:3857 shows Prague 2.43 times too large; the geodesic areas are the true ones."""
    layer = read(data / "land" / "bubenec.gpkg", table="buildings")
    wkb = pyogrio.raw.read(str(data / "land" / "bubenec.gpkg"), layer="buildings")[2]
    shown = shapely.area(shapely.from_wkb(wkb)).sum()
    geod = pyproj.Geod(ellps="WGS84")
    turned = [shapely.orient_polygons(f.shape) for f in layer.features]
    real = sum(abs(geod.geometry_area_perimeter(shape)[0]) for shape in turned)
    assert shown / real == pytest.approx(2.43, abs=0.01)


def test_several_tables_of_a_file_are_one_layer_with_a_class_each(data: Path) -> None:
    layer = read(data / "land" / "bubenec.gpkg")
    assert Counter(f.feature_class for f in layer.features) == {
        "buildings": 144, "streets": 35, "tessellation": 144, "plots": 407,
    }  # fmt: skip
    assert len({f.id for f in layer.features}) == 730
    with pytest.raises(InvalidInput, match=r"has no table 'roads'.*streets"):
        read(data / "land" / "bubenec.gpkg", table="roads")


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".fgb", ".shp", ".zip", ".parquet"])
def test_each_format_gives_the_same_shapes_and_attributes(ending: str, tmp_path: Path) -> None:
    columns = {"name": ["街心公园", "Park"], "area_m2": [200.0, 200.0], "n": [1, 2]}
    shapes = [SQUARE, moved(SQUARE, (100, 0))]
    folder = tmp_path / "parts"
    folder.mkdir()
    if ending == ".parquet":
        crs = pyproj.CRS(GK114).to_json_dict()
        path = write_geoparquet(tmp_path / "parks.parquet", shapes, columns, crs)
    elif ending in (".shp", ".zip"):
        path = write_table(folder / "parks.shp", shapes, columns, encoding="UTF-8")
        path = zipped(folder, tmp_path / "parks.zip") if ending == ".zip" else path
    else:
        path = write_table(tmp_path / f"parks{ending}", shapes, columns)
    assert TableImporter().recognises(path)
    layer = read(path)
    features = sorted(layer.features, key=lambda f: f.attributes["n"])  # FlatGeobuf sorts by place
    assert [(f.name, f.attributes["area_m2"], f.attributes["n"]) for f in features] == [
        ("街心公园", 200.0, 1), ("Park", 200.0, 2),
    ]  # fmt: skip
    to_earth = pyproj.Transformer.from_crs(GK114, 4326, always_xy=True)
    for feature, shape in zip(features, shapes, strict=True):
        there = shapely.transform(
            shape, lambda p: np.column_stack(to_earth.transform(*p.T))
        )  # fmt: skip
        assert feature.shape.hausdorff_distance(there) < 1e-9


def test_geoparquet_without_a_system_is_longitude_and_latitude(tmp_path: Path) -> None:
    path = write_geoparquet(tmp_path / "a.parquet", [shapely.Point(113.46, 23.1)], {"n": [1]})
    assert read(path).features[0].shape.equals(shapely.Point(113.46, 23.1))
    path = write_geoparquet(tmp_path / "b.parquet", [shapely.Point(1, 2)], {"n": [1]}, None)
    with pytest.raises(InvalidInput, match="does not say in which reference system"):
        read(path)


def test_texts_in_gb18030_without_a_word_of_it_are_understood(tmp_path: Path) -> None:
    """As many Chinese Shapefiles come: no .cpg, nothing in the header."""
    folder = tmp_path / "shp"
    folder.mkdir()
    write_table(folder / "fw.shp", [SQUARE], {"名称": ["黄埔区香雪大道"]}, encoding="GB18030")
    (folder / "fw.cpg").unlink()
    dbf = bytearray((folder / "fw.dbf").read_bytes())
    dbf[29] = 0
    (folder / "fw.dbf").write_bytes(dbf)
    for path in (folder / "fw.shp", zipped(folder, tmp_path / "fw.zip")):
        (feature,) = read(path).features
        assert feature.name == "黄埔区香雪大道"


def test_broken_rings_are_repaired_and_empty_shapes_left_out_and_both_reported(
    tmp_path: Path,
) -> None:
    bow = moved(shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]))
    path = write_table(
        tmp_path / "a.gpkg", [SQUARE, bow, None, shapely.Polygon()], {"n": [1, 2, 3, 4]}
    )
    layer = read(path)
    assert [f.attributes["n"] for f in layer.features] == [1, 2]
    assert all(f.shape.is_valid for f in layer.features)
    assert len(layer.dropped) == 2
    assert any("1 areas of a have broken rings" in warning for warning in layer.warnings)


def test_a_file_without_a_system_is_refused_and_the_remedy_works(tmp_path: Path) -> None:
    folder = tmp_path / "shp"
    folder.mkdir()
    path = write_table(folder / "a.shp", [SQUARE], {"n": [1]})
    (folder / "a.prj").unlink()
    with pytest.raises(InvalidInput, match="--crs EPSG:4547"):
        read(path)
    assert read(path, crs=GK114).georeference.method == "user"
    with pytest.raises(InvalidInput, match="cannot be in EPSG:4326"):
        read(path, crs="EPSG:4326")


def test_a_stray_row_is_left_out_and_the_rest_is_kept(tmp_path: Path) -> None:
    """Points at 0, 0 are common in deliveries; they must not cost the file."""
    shapes = [*(moved(shapely.Point(n, n)) for n in range(30)), shapely.Point(0, 0)]
    layer = read(write_table(tmp_path / "poi.gpkg", shapes, {"n": list(range(31))}))
    assert len(layer.features) == 30
    assert [d.reason for d in layer.dropped] == ["it lies outside the area of its reference system"]


def test_heights_are_kept_above_the_city_s_datum(tmp_path: Path) -> None:
    pipe = shapely.LineString([(*CORNER, -1.5), (CORNER[0] + 30, CORNER[1], -2.5)])
    layer = read(write_table(tmp_path / "p.gpkg", [pipe], {"n": [1]}), separation=-4.0)
    heights = shapely.get_coordinates(layer.features[0].shape, include_z=True)[:, 2]
    assert heights.tolist() == [-1.5, -2.5]


def test_the_person_names_the_columns(tmp_path: Path) -> None:
    columns = {"no": ["A7", "A8"], "kind": ["主干路", ""], "title_": ["一路", None]}
    path = write_table(tmp_path / "roads.gpkg", [ROAD, moved(ROAD, (9, 9))], columns)
    layer = read(path, id="no", name="title_", **{"class": "kind"})
    assert [(f.id, f.feature_class, f.name) for f in layer.features] == [
        ("A7", "主干路", "一路"), ("A8", "roads", "A8"),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="has no column 'nr', which the option id names"):
        read(path, id="nr")


def test_a_class_of_the_catalogue_has_its_name_and_colour(tmp_path: Path) -> None:
    path = write_table(tmp_path / "roads.gpkg", [ROAD], {"class": ["PrimaryRoad"]})
    layer = read(path)
    assert layer.class_styles["PrimaryRoad"].title == {"en": "Arterial road", "zh": "主干路"}
    assert layer.features[0].attributes == {}


def test_dates_are_text_and_what_is_no_value_is_left_out(tmp_path: Path) -> None:
    path = write_geoparquet(
        tmp_path / "a.parquet", [shapely.Point(113.46, 23.1)],
        {"since": [date(2019, 5, 1)], "rate": [float("nan")], "note": [None], "parts": [[1, 2]]},
    )  # fmt: skip
    assert read(path).features[0].attributes == {"since": "2019-05-01"}


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.zip", "a.geojson", "a.parquet", "a.fgb"])
def test_what_is_no_table_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"nothing of the kind")
    assert not TableImporter().recognises(path)
    with pytest.raises(InvalidInput, match="cannot be read as a table with shapes"):
        read(path)
