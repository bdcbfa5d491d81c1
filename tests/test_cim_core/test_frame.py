"""Places: against the published point, and against properties that must hold anywhere."""

import json

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.frame import Frame, geographic_to_ecef, linearised, projection, siblings, zone_system
from tests.conftest import SHARED

places = st.tuples(st.floats(-179, 179), st.floats(-85, 85), st.floats(-100, 5000))
offsets = st.tuples(*[st.floats(-5000, 5000)] * 3)


@pytest.mark.parametrize("system", ["EPSG:4547", "EPSG:4526"])
def test_the_known_point_lands_within_a_centimetre(data, system: str) -> None:
    known = json.loads((SHARED / "domain/oracles.json").read_text())["crs"]
    east_north = known[system.lower().replace(":", "") + "_EN"]
    place = projection(system).to_geographic(np.array([[*east_north, 20.0]]))
    assert np.abs(geographic_to_ecef(place)[0] - known["ecef4978_h20"]).max() < 0.01
    assert place[0, :2] == pytest.approx(known["lonlat"], abs=1e-9)


@given(places, offsets)
def test_to_geographic_and_back(place: tuple, offset: tuple) -> None:
    frame = Frame(*place)
    there = frame.to_geographic(np.array([offset]))
    assert np.allclose(frame.from_geographic(there), [offset], atol=1e-6)


@given(places)
def test_axes_are_east_north_and_up(place: tuple) -> None:
    matrix = Frame(*place).ecef_matrix()
    axes = matrix[:3, :3]
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    north = Frame(*place).to_geographic(np.array([[0.0, 10.0, 0.0]]))[0]
    assert north[1] > place[1]
    assert north[0] == pytest.approx(place[0], abs=1e-6)


def test_a_linearised_projection_stays_within_a_millimetre_over_a_hundred_metres() -> None:
    frame, system = Frame(113.459, 23.106, 0.0), projection("EPSG:4547")

    def to_frame(points: np.ndarray) -> np.ndarray:
        return frame.from_geographic(system.to_geographic(points))

    at = np.array([[444578.0, 2556379.0, 20.0], [447000.0, 2551000.0, 55.0]])
    around = np.array([[100.0, 0, 0], [0, 100.0, 0], [-70, 70, 0], [0, 0, 100.0]])
    for matrix, point in zip(linearised(to_frame, at), at, strict=True):
        exact = to_frame(point + around)
        approximate = (point + around) @ matrix[:3, :3].T + matrix[:3, 3]
        assert np.abs(exact - approximate).max() < 1e-3


def test_feet_are_axis_units_and_heights_stay_metres() -> None:
    system = projection("EPSG:3547")
    assert system.unit == pytest.approx(1200 / 3937)
    lon, lat, height = system.to_geographic(np.array([[5_300_000.0, 3_900_000.0, 100.0]]))[0]
    theirs = pyproj.Transformer.from_crs("EPSG:3547", "EPSG:4326", always_xy=True)
    assert (lon, lat) == pytest.approx(theirs.transform(5_300_000.0, 3_900_000.0))
    assert height == 100.0


def test_the_geoid_separation_is_added() -> None:
    low, high = (
        projection("EPSG:4547", geoid_separation=value).to_geographic(
            np.array([[444578.0, 2556379.0, 5.0]])
        )
        for value in (0.0, -4.5)
    )
    assert (high - low)[0, 2] == pytest.approx(-4.5)


@pytest.mark.parametrize("name", ["EPSG:999999", "nonsense", "EPSG:5737", ""])
def test_what_is_not_a_map_system_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="EPSG:4547"):
        projection(name)


def test_zones_with_and_without_a_prefix_belong_together() -> None:
    assert siblings("EPSG:4526") == ["EPSG:4526", "EPSG:4547"]
    assert siblings("EPSG:32649") == ["EPSG:32649"]
    assert zone_system(444578.0) is None
    assert zone_system(39_500_000.0) == "EPSG:4527"


@pytest.mark.parametrize("anchor", [(200.0, 0.0, 0.0), (0.0, 91.0, 0.0), (float("nan"), 0.0, 0.0)])
def test_an_anchor_off_the_earth_is_refused(anchor: tuple) -> None:
    with pytest.raises(InvalidInput, match="anchor"):
        Frame(*anchor)
