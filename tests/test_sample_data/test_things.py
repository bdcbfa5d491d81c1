"""The things of the sample district and what they observed; asked of their files alone."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio.raw
import pyproj
import pytest
import shapely

from sample_data.district.signals import (
    DARK,
    DAYS,
    END,
    EVENTS,
    FINE_DAYS,
    LEAKING,
    SILENT,
    STUCK,
    write_observations,
)
from sample_data.district.things import Thing, things_table

DAY = 86_400_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def document(district: Path) -> dict[str, Any]:
    """The things as the district's file has them."""
    found: dict[str, Any] = json.loads((district / "things.json").read_text("utf-8"))
    return found


def few() -> list[Thing]:
    """Some of the things, with all that have something to tell."""
    wanted = {LEAKING, *SILENT, *DARK, *(key.partition("/")[0] for key in STUCK), "RQ-0040", "SW-0001", "SW-0002", "DT-0003", "DT-0004", "LD-0001"}  # fmt: skip
    kinds = {table["code"]: kind for kind, table in things_table()["class"].items()}
    return [
        Thing(code, kinds[code[:2]], code, code, 0.0, 0.0, 0.0, "sensors", code)
        for code in sorted(wanted)
    ]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What those observed, by datastream and time."""
    path = tmp_path_factory.mktemp("observed") / "observations.parquet"
    write_observations(path, few(), 2026)
    frame = pd.read_parquet(path)
    frame["datastream"] = frame["datastream"].astype(str)
    return frame


def series(observed: pd.DataFrame, key: str) -> pd.Series:
    """One datastream by hours from the beginning of the last day."""
    own = observed[observed.datastream == key]
    return own.set_index((own.time - (END - DAY)) / HOUR).value


def test_there_are_six_hundred_things_of_ten_classes(document: dict[str, Any]) -> None:
    kinds = Counter(thing["properties"]["class"] for thing in document["Things"])
    assert len(kinds) == 10
    assert kinds == {kind: table["count"] for kind, table in things_table()["class"].items()}
    assert kinds.total() == 600
    streams = [stream for thing in document["Things"] for stream in thing["Datastreams"]]
    assert len({stream["properties"]["key"] for stream in streams}) == len(streams) > 1_000
    codes = {one["properties"]["code"] for one in document["ObservedProperties"]}
    assert {stream["ObservedProperty"] for stream in streams} <= codes


def test_lifts_stand_in_their_buildings_and_the_rest_is_a_layer(
    document: dict[str, Any], district: Path
) -> None:
    _, _, wkb, columns = pyogrio.raw.read(district / "buildings.gpkg", columns=["id"])
    outlines = dict(zip(columns[0], shapely.from_wkb(wkb), strict=True))
    _, _, points, own = pyogrio.raw.read(district / "sensors.gpkg", columns=["id"])
    places = dict(zip(own[0], shapely.from_wkb(points), strict=True))
    lifts = [t for t in document["Things"] if t["properties"]["class"] == "elevator"]
    there = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4547", always_xy=True)
    for thing in document["Things"]:
        lon, lat, _ = thing["Locations"][0]["location"]["coordinates"]
        place = shapely.Point(there.transform(lon, lat))
        said = thing["properties"]
        if thing in lifts:
            assert said["layer"] == "buildings"
            assert outlines[said["feature"]].distance(place) < 0.05
        else:
            assert said["layer"] == "sensors"
            assert places[said["feature"]].distance(place) < 0.05


def test_a_month_ends_at_midnight_with_two_days_by_the_minute(observed: pd.DataFrame) -> None:
    assert observed.time.min() == END - DAYS * DAY
    assert observed.time.max() == END - 60_000
    steps = series(observed, "RQ-0040/ch4").index.to_series().diff().dropna() * 60
    assert round(steps[steps.index < (1 - FINE_DAYS) * 24].median()) == 10
    assert round(steps[steps.index > (1 - FINE_DAYS) * 24 + 1].median()) == 1


def test_gas_leaks_once_in_the_morning_and_once_in_the_evening(observed: pd.DataFrame) -> None:
    leak, other = series(observed, f"{LEAKING}/ch4"), series(observed, "RQ-0040/ch4")
    high = leak[leak > 5].index
    inside = [(begin, begin + hours) for begin, hours in (EVENTS["leak"], EVENTS["leak again"])]
    assert all(any(begin <= hour <= end for begin, end in inside) for hour in high)
    assert leak.max() > 50
    assert other.max() < 5


def test_rain_falls_in_the_storm_and_water_rises_after_it(observed: pd.DataFrame) -> None:
    begin, hours = EVENTS["rain"]
    rain, level = series(observed, "SW-0001/rain"), series(observed, "SW-0002/water-level")
    today = rain[rain.index > 0]
    assert today[(today.index < begin) | (today.index > begin + hours)].max() == 0
    assert 10 < today.max() < 30
    before = level[(level.index > begin - 6) & (level.index < begin)].mean()
    after = level[(level.index > begin + hours) & (level.index < begin + hours + 1)].mean()
    assert after > before + 0.5


def test_faults_are_where_they_are_named(observed: pd.DataFrame) -> None:
    for key in STUCK:
        stuck = series(observed, key)
        assert stuck[stuck.index > -4 * 24].nunique() == 1
    for code in SILENT:
        last = observed[observed.datastream.str.startswith(f"{code}/")].time.max()
        assert 29 * HOUR < END - last < 32 * HOUR
    for code in DARK:
        dark = series(observed, f"{code}/power")
        assert dark[dark.index > -5 * 24].max() < 5
    assert series(observed, "LD-0001/power").max() > 100
    assert series(observed, "DT-0003/trapped").sum() > 0
    assert series(observed, "DT-0004/trapped").sum() == 0


def test_equal_seeds_give_equal_files(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        write_observations(tmp_path / name, few()[:2], 7)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    write_observations(tmp_path / "three", few()[:2], 8)
    assert (tmp_path / "three").read_bytes() != contents[0]
    assert np.isfinite(pd.read_parquet(tmp_path / "one").value).all()
