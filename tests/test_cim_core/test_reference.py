"""Reference systems of any kind, against PROJ asked directly, and the guard against wrong ones."""

import numpy as np
import pyproj
import pytest

from cim_core.errors import InvalidInput
from cim_core.reference import reference

FOOT, US_FOOT = 0.3048, 1200 / 3937

PLACES = {
    "EPSG:4547": (444_578.138, 2_556_379.206),
    "EPSG:4526": (38_444_578.138, 2_556_379.206),
    "EPSG:4490": (113.459, 23.106),
    "EPSG:3857": (1_602_000.0, 6_464_000.0),
    "EPSG:28992": (85_000.0, 446_000.0),
    "EPSG:7415": (85_000.0, 446_000.0),
    "EPSG:2056": (2_683_000.0, 1_247_000.0),
    "EPSG:3547": (4_960_000.0, 3_900_000.0),
    "EPSG:6880": (2_445_180.0, 604_300.0),
    "EPSG:2994": (636_400.0, 849_000.0),
    "EPSG:32633": (500_000.0, 5_500_000.0),
}


@pytest.mark.parametrize("crs", PLACES)
def test_a_place_is_where_proj_has_it(crs: str) -> None:
    flat = pyproj.CRS(crs).sub_crs_list[0] if crs == "EPSG:7415" else pyproj.CRS(crs)
    theirs = pyproj.Transformer.from_crs(flat, "EPSG:4326", always_xy=True)
    system = reference(crs, geoid_separation=0.0)
    found = system.to_geographic(np.array([PLACES[crs]]))
    assert np.allclose(found[0, :2], theirs.transform(*PLACES[crs]), atol=1e-9)
    assert np.allclose(system.from_geographic(found)[0, :2], PLACES[crs], atol=1e-3)
    system.check(np.array([PLACES[crs]]), "a.tif")


def test_geocentric_coordinates_are_places() -> None:
    system = reference("EPSG:4978", geoid_separation=-5.0)
    point = np.array([[-2336617.3317, 5384385.2655, 2487528.6842]])
    assert np.allclose(system.to_geographic(point), [[113.459, 23.106, 20.0]], atol=1e-4)
    assert np.allclose(system.to_city(point)[0, 2], 25.0, atol=1e-4)
    system.check(point, "a.las")


@pytest.mark.parametrize(
    ("crs", "said", "metres", "stated"),
    [
        ("EPSG:4547", {}, 1.0, False),
        ("EPSG:7415", {}, 1.0, True),
        ("EPSG:6880+6360", {}, US_FOOT, True),
        ("EPSG:6880", {}, 1.0, False),
        ("EPSG:6880", {"vertical_unit": "us-foot"}, US_FOOT, True),
        ("EPSG:6880+6360", {"vertical_unit": "metre"}, 1.0, True),
        ("EPSG:3547", {"vertical_crs": "EPSG:8228"}, FOOT, True),
        ("EPSG:4547", {"vertical_crs": "EPSG:5336"}, -1.0, True),  # a depth
    ],
)
def test_heights_have_the_unit_somebody_says(crs, said, metres, stated) -> None:
    system = reference(crs, geoid_separation=3.0, **said)
    assert system.vertical_unit == pytest.approx(metres)
    assert system.vertical_stated == stated
    point = np.array([[*PLACES[crs.split("+")[0]], 100.0]])
    assert system.to_geographic(point)[0, 2] == pytest.approx(100 * metres + 3.0)
    assert system.to_city(point)[0, 2] == pytest.approx(100 * metres)
    assert system.from_geographic(system.to_geographic(point))[0, 2] == pytest.approx(100.0)


def test_ellipsoidal_heights_are_not_raised_by_the_geoid() -> None:
    for system in (
        reference("EPSG:4979", geoid_separation=-5.0),
        reference("EPSG:4326", geoid_separation=-5.0, vertical_crs="EPSG:4979"),
    ):
        assert system.ellipsoidal
        assert system.to_city(np.array([[113.0, 23.0, 10.0]]))[0, 2] == 15.0


@pytest.mark.parametrize(
    ("crs", "point", "words"),
    [
        ("EPSG:4547", (2_556_379.0, 444_578.0), "easting and northing exchanged"),
        ("EPSG:4547", (38_444_578.0, 2_556_379.0), "--crs EPSG:4526"),
        ("EPSG:4547", (444_578 / FOOT, 2_556_379 / FOOT), "would as feet"),
        ("EPSG:2994", (636_400 * FOOT * FOOT, 849_000 * FOOT * 40), "--crs"),
        ("EPSG:4547", (113.46, 23.1), "look like degrees"),
        ("EPSG:4326", (23.1, 113.4), "exchanged"),
        ("EPSG:4326", (444_578.0, 2_556_379.0), "which system they are in"),
        ("EPSG:4978", (515_368.0, 4_918_340.0), "not on the earth"),
        ("EPSG:28992", (90_000_000.0, 446_000.0), "which system they are in"),
    ],
)
def test_coordinates_that_cannot_be_are_refused(crs, point, words) -> None:
    system = reference(crs, geoid_separation=0.0)
    with pytest.raises(InvalidInput, match=r"a\.tif: the coordinates") as refused:
        system.check(np.array([[*point, 10.0]]), "a.tif")
    assert words in refused.value.sentence


def test_feet_across_do_not_say_what_heights_are_in() -> None:
    with pytest.raises(InvalidInput, match="vertical_unit=metre, foot or us-foot"):
        reference("EPSG:3547", geoid_separation=0.0).check_heights("dem.tif")
    reference("EPSG:3547", geoid_separation=0.0, vertical_unit="metre").check_heights("dem.tif")
    reference("EPSG:4547", geoid_separation=0.0).check_heights("dem.tif")


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'nonsense' is not known"):
        reference("nonsense", geoid_separation=0.0)
    with pytest.raises(InvalidInput, match="vertical_unit=yard is not known"):
        reference("EPSG:4547", geoid_separation=0.0, vertical_unit="yard")


def test_a_systems_wkt_is_called_by_its_code() -> None:
    wkt = pyproj.CRS("EPSG:3547").to_wkt("WKT1_GDAL")
    system = reference(wkt, geoid_separation=0.0)
    assert system.name == "EPSG:3547"
    assert system.covers(-85.0, 38.0)
    assert not system.covers(113.0, 23.0)


def test_a_citys_own_pipeline_is_used() -> None:
    system = reference("local", geoid_separation=2.0, pipeline="+proj=pipeline +step +inv +proj=tmerc +lon_0=114 +x_0=500000 +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg")  # fmt: skip
    assert np.allclose(
        system.to_geographic(np.array([[444_578.138, 2_556_379.206, 1.0]])),
        [[113.459, 23.106, 3.0]],
        atol=1e-7,
    )
    assert "tmerc" not in repr(system)
