"""GCJ-02 and BD-09, against what others computed."""

import json
from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.shifted import SHIFTS, Shift, from_wgs84, to_wgs84

ORACLES = [
    ((113.459, 23.106), (113.46443876, 23.10342622), (113.47100271, 23.10909427), 625.8, 117.1),
    ((113.533, 23.365), (113.53821145, 23.36230092), None, 611.0, None),
    ((113.752, 23.020), (113.75719287, 23.01727711), None, 611.8, None),
    ((115.011, 25.861), (115.01595699, 25.85799369), None, 598.2, None),
]
"""WGS 84, GCJ-02, BD-09, and how far GCJ-02 is away: metres and azimuth."""

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.mark.parametrize(("wgs", "gcj", "baidu", "metres", "azimuth"), ORACLES)
def test_the_shifts_are_those_that_others_computed(
    wgs: tuple[float, float], gcj: tuple[float, float], baidu: tuple[float, float] | None,
    metres: float, azimuth: float | None,
) -> None:  # fmt: skip
    [found] = from_wgs84(np.array([wgs]), "GCJ02")
    assert found == pytest.approx(gcj, abs=1e-8)
    forward, _, distance = GEOD.inv(*wgs, *found)
    assert distance == pytest.approx(metres, abs=0.1)
    assert azimuth is None or forward == pytest.approx(azimuth, abs=0.1)
    assert to_wgs84(np.array([gcj]), "GCJ02")[0] == pytest.approx(wgs, abs=2e-8)
    if baidu is not None:
        assert from_wgs84(np.array([wgs]), "BD09")[0] == pytest.approx(baidu, abs=1e-8)
        assert to_wgs84(np.array([baidu]), "BD09")[0] == pytest.approx(wgs, abs=2e-8)


def test_the_oracles_of_the_domain_hold(data: Path) -> None:
    path = data.parent / "domain" / "oracles.json"
    for one in json.loads(path.read_text())["gcj02"]:
        [found] = from_wgs84(np.array([one["wgs"]]), "GCJ02")
        assert found == pytest.approx(one["gcj"], abs=1e-8)


@pytest.mark.parametrize("shift", SHIFTS)
def test_there_and_back_is_less_than_a_millimetre(shift: Shift) -> None:
    rng = np.random.default_rng(20261122)
    places = np.column_stack([rng.uniform(74, 134, 5000), rng.uniform(4, 53, 5000)])
    back = to_wgs84(from_wgs84(places, shift), shift)
    _, _, away = GEOD.inv(*places.T, *back.T)
    assert np.max(away) < 0.001


def test_one_place_without_numbers_leaves_the_others_as_they_are() -> None:
    places = np.array([[113.46443876, 23.10342622], [np.nan, 23.0], [2.35, 48.85]])
    found = to_wgs84(places, "GCJ02")
    assert found[0] == pytest.approx((113.459, 23.106), abs=2e-8)
    assert np.isnan(found[1]).any()
    assert found[2].tolist() == [2.35, 48.85]  # nothing is shifted outside China
    assert len(to_wgs84(np.empty((0, 2)), "BD09")) == 0
