"""Six ways for a model to find its place, in millimetres, feet and metres."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from cim_core.city import City
from cim_core.frame import Frame
from tests.conftest import SHARED, import_file
from tests.support.ifc_factory import UNITS, Recipe, dms, write_ifc
from tests.support.readback import ecef_vertices

# The published point of the field's reference: the same place in four systems.
_KNOWN = json.loads((SHARED / "domain/oracles.json").read_text())["crs"] if SHARED.is_dir() else {
    "lonlat": [113.459, 23.106],
    "epsg4547_EN": [444578.13797103375, 2556379.2055951487],
    "ecef4978_h20": [-2336617.331650694, 5384385.265549107, 2487528.684243074],
}  # fmt: skip
LON, LAT = _KNOWN["lonlat"]
EAST, NORTH = _KNOWN["epsg4547_EN"]
ECEF = np.array(_KNOWN["ecef4978_h20"])
HEIGHT = 20.0

units = pytest.mark.parametrize("unit", UNITS)


def nearest(city: City, report: dict) -> float:
    """How far the nearest vertex is from the known point, metres."""
    path = city.folder / "layers" / report["layer"] / str(report["version"]) / "tileset.json"
    return float(np.linalg.norm(ecef_vertices(path) - ECEF, axis=1).min())


def local_point(angle: float, scale: float = 1.0) -> tuple[tuple, dict]:
    """A model point and the conversion (in metres) that puts it on the known point."""
    origin = np.array([EAST - 40.0, NORTH - 25.0, HEIGHT - 3.0])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    xy = np.linalg.inv(turn) @ (np.array([EAST, NORTH]) - origin[:2]) / scale
    conversion = {
        "Eastings": origin[0], "Northings": origin[1], "OrthogonalHeight": origin[2],
        "XAxisAbscissa": math.cos(angle), "XAxisOrdinate": math.sin(angle),
    }  # fmt: skip
    return (xy[0], xy[1], 3.0 / scale), conversion


@units
def test_crs_given_by_the_user(unit: str, city: City, tmp_path: Path) -> None:
    write_ifc(tmp_path / "m.ifc", Recipe(unit=unit, at=(EAST, NORTH, HEIGHT)))
    report = import_file(city, tmp_path / "m.ifc", crs="EPSG:4547")
    assert report["georeference"]["method"] == "user"
    assert nearest(city, report) < 0.01


@units
def test_anchor_given_by_the_user(unit: str, city: City, tmp_path: Path) -> None:
    write_ifc(tmp_path / "m.ifc", Recipe(unit=unit, latlon=(dms(49.1), dms(8.4)), elevation=110))
    report = import_file(city, tmp_path / "m.ifc", anchor=(LON, LAT, HEIGHT))
    assert report["georeference"]["method"] == "user"
    assert nearest(city, report) < 0.01


@units
@pytest.mark.parametrize("schema", ["IFC4", "IFC4X3"])
@pytest.mark.parametrize("scale_holds_units", [True, False])
def test_map_conversion(
    unit: str, schema: str, scale_holds_units: bool, city: City, tmp_path: Path
) -> None:
    at, conversion = local_point(math.radians(30))
    if scale_holds_units:
        conversion["Scale"] = UNITS[unit]
    crs = {"Name": "EPSG:4547", "MapUnit": True}
    write_ifc(tmp_path / "m.ifc", Recipe(schema, unit, at, conversion=conversion, crs=crs))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "map-conversion"
    assert report["georeference"]["crs"] == "EPSG:4547"
    assert nearest(city, report) < 0.01


def test_map_conversion_with_a_grid_factor(city: City, tmp_path: Path) -> None:
    factor = 1.00003793
    at, conversion = local_point(math.radians(-12), factor)
    crs = {"Name": "EPSG:4547", "MapUnit": True}
    recipe = Recipe(unit="MILLIMETRE", at=at, conversion={**conversion, "Scale": factor}, crs=crs)
    write_ifc(tmp_path / "m.ifc", recipe)
    assert nearest(city, import_file(city, tmp_path / "m.ifc")) < 0.01


def test_map_conversion_in_the_models_own_unit(city: City, tmp_path: Path) -> None:
    """No MapUnit, and eastings in millimetres: what the standard says and few programs do."""
    at, conversion = local_point(0.0)
    for key in ("Eastings", "Northings", "OrthogonalHeight"):
        conversion[key] *= 1000
    recipe = Recipe(unit="MILLIMETRE", at=at, conversion=conversion, crs={"Name": "EPSG:4547"})
    write_ifc(tmp_path / "m.ifc", recipe)
    report = import_file(city, tmp_path / "m.ifc")
    assert nearest(city, report) < 0.01
    assert any("MapUnit" in warning for warning in report["warnings"])


@units
def test_property_sets_of_ifc2x3(unit: str, city: City, tmp_path: Path) -> None:
    at, conversion = local_point(math.radians(75))
    crs = {"Name": "EPSG:4547", "MapUnit": "METRE"}
    recipe = Recipe("IFC2X3", unit, at, conversion={**conversion, "Scale": 1.0}, crs=crs)
    write_ifc(tmp_path / "m.ifc", recipe)
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "property-set"
    assert nearest(city, report) < 0.01


@units
def test_coordinates_that_are_projected_already(unit: str, city: City, tmp_path: Path) -> None:
    city.settle(Frame(113.46, 23.10, 0.0), "EPSG:4547")
    write_ifc(tmp_path / "m.ifc", Recipe(unit=unit, at=(EAST, NORTH, HEIGHT)))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "projected-coordinates"
    assert nearest(city, report) < 0.01


@units
def test_eastings_with_their_zone_in_front(unit: str, city: City, tmp_path: Path) -> None:
    """38 444 578 m names its own zone, so even a city without a place understands it."""
    write_ifc(tmp_path / "m.ifc", Recipe(unit=unit, at=(38e6 + EAST, NORTH, HEIGHT)))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["crs"] == "EPSG:4526"
    assert nearest(city, report) < 0.01
    assert city.settings.frame is not None
    assert city.settings.frame.lon == pytest.approx(LON, abs=1e-4)


@units
def test_latitude_and_longitude_of_the_site(unit: str, city: City, tmp_path: Path) -> None:
    recipe = Recipe(unit=unit, latlon=(dms(LAT), dms(LON)), elevation=HEIGHT)
    write_ifc(tmp_path / "m.ifc", recipe)
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "site"
    assert nearest(city, report) < 0.01


def test_true_north_turns_a_model_placed_by_its_site(city: City, tmp_path: Path) -> None:
    """True north 30° east of the model's y: a point 100 m along it lies 100 m north."""
    north = (math.sin(math.radians(30)), math.cos(math.radians(30)))
    start = Frame(LON, LAT, HEIGHT).to_geographic(np.array([[0.0, -100.0, 0.0]]))[0]
    recipe = Recipe(
        at=(100 * north[0], 100 * north[1], 0.0), true_north=north,
        latlon=(dms(start[1]), dms(start[0])), elevation=start[2],
    )  # fmt: skip
    write_ifc(tmp_path / "m.ifc", recipe)
    assert nearest(city, import_file(city, tmp_path / "m.ifc")) < 0.02


@units
def test_otherwise_the_citys_anchor(unit: str, city: City, tmp_path: Path) -> None:
    city.settle(Frame(LON, LAT, HEIGHT), "EPSG:4547")
    write_ifc(tmp_path / "m.ifc", Recipe(unit=unit))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "none"
    assert "not georeferenced" in report["georeference"]["note"]["en"]
    assert nearest(city, report) < 0.01


def test_an_unknown_system_in_the_file_falls_through_with_a_warning(
    city: City, tmp_path: Path
) -> None:
    at, conversion = local_point(0.0)
    recipe = Recipe(
        at=at, conversion=conversion, crs={"Name": "Guangzhou 2000"},
        latlon=(dms(LAT), dms(LON)), elevation=0,
    )  # fmt: skip
    write_ifc(tmp_path / "m.ifc", recipe)
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "site"
    assert any("Guangzhou 2000" in warning for warning in report["warnings"])


def test_four_thousand_kilometres_from_its_origin_it_does_not_jitter(
    city: City, tmp_path: Path
) -> None:
    """Positions in tiles are relative to the tile: float32 keeps them to a tenth of a millimetre."""
    recipe = Recipe(
        unit="MILLIMETRE", at=(4_000_000.0, 0.0, 0.0), latlon=(dms(LAT), dms(LON)), elevation=HEIGHT
    )
    write_ifc(tmp_path / "m.ifc", recipe)
    report = import_file(city, tmp_path / "m.ifc")
    assert any("4000 km" in warning for warning in report["warnings"])
    path = city.folder / "layers" / report["layer"] / "1" / "tileset.json"
    vertices = ecef_vertices(path)
    assert np.linalg.norm(vertices - ECEF, axis=1).max() < 2.0
    edges = np.linalg.norm(np.unique(vertices.round(4), axis=0)[:, None] - vertices[None], axis=2)
    assert np.isclose(edges[edges > 0.5].min(), 1.0, atol=2e-4)


def test_a_citys_own_pipeline_is_used_and_never_told(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = city.folder / "local.proj"
    secret.write_text(
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=113.2833 +x_0=39755.5 +y_0=-2328766.25 "
        "+ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    secret.chmod(0o600)
    (city.folder / "city.toml").write_text(
        'name = "Local"\n[place]\nanchor = [113.46, 23.10, 0.0]\ncrs = "GZ-local"\n'
        'crs_pipeline = "local.proj"\n'
    )
    import pyproj

    x, y = pyproj.Transformer.from_pipeline(secret.read_text()).transform(
        LON, LAT, direction="INVERSE"
    )
    write_ifc(tmp_path / "m.ifc", Recipe(at=(x, y, HEIGHT)))
    report = import_file(city, tmp_path / "m.ifc", crs="GZ-local")
    assert nearest(city, report) < 0.01
    told = json.dumps(report, ensure_ascii=False) + caplog.text
    told += json.dumps(city.receipts.get(report["receipt"]), ensure_ascii=False)
    assert "39755" not in told
    assert "tmerc" not in told


def test_a_pipeline_others_can_read_is_refused(city: City, tmp_path: Path) -> None:
    from cim_core.errors import Forbidden

    secret = city.folder / "local.proj"
    secret.write_text("+proj=noop")
    secret.chmod(0o644)
    (city.folder / "city.toml").write_text(
        'name = "Local"\n[place]\ncrs = "GZ-local"\ncrs_pipeline = "local.proj"\n'
    )
    write_ifc(tmp_path / "m.ifc", Recipe())
    with pytest.raises(Forbidden, match="chmod 600"):
        import_file(city, tmp_path / "m.ifc")


def test_a_crs_the_model_does_not_lie_in_is_refused(city: City, tmp_path: Path) -> None:
    from cim_core.errors import InvalidInput

    write_ifc(tmp_path / "m.ifc", Recipe())
    with pytest.raises(InvalidInput, match="--anchor"):
        import_file(city, tmp_path / "m.ifc", crs="EPSG:4547")
    assert city.layers.current() == []


@pytest.mark.parametrize("name", ["duplex_a_georef"])
def test_a_real_file_stands_where_its_publisher_put_it(name: str, real_city: City) -> None:
    """The duplex is georeferenced to a plot in Luxembourg by property sets on its site."""
    bbox = real_city.layers.get(name).summary["bbox"]
    import pyproj

    to_wgs = pyproj.Transformer.from_crs("EPSG:2169", "EPSG:4326", always_xy=True)
    lon, lat = to_wgs.transform(76670.0, 77179.0)
    assert bbox[0] - 1e-4 < lon < bbox[3] + 1e-4
    assert bbox[1] - 1e-4 < lat < bbox[4] + 1e-4


def test_a_system_in_degrees_is_not_taken_for_a_map(city: City, tmp_path: Path) -> None:
    from cim_core.errors import InvalidInput

    write_ifc(tmp_path / "m.ifc", Recipe())
    with pytest.raises(InvalidInput, match="not a map projection"):
        import_file(city, tmp_path / "m.ifc", crs="EPSG:4326")


def test_a_code_inside_a_longer_name_is_understood(city: City, tmp_path: Path) -> None:
    at, conversion = local_point(0.2)
    crs = {"Name": "EPSG:4547 - CGCS2000 / 3-degree GK CM 114E", "MapUnit": True}
    write_ifc(tmp_path / "m.ifc", Recipe(at=at, conversion=conversion, crs=crs))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["georeference"]["method"] == "map-conversion"
    assert nearest(city, report) < 0.01
