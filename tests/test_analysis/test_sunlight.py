"""Hours of sun: the sun as pvlib has it, shadows of boxes worked out by their slabs."""

from datetime import date

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.analysis import asked
from analysis.rays.daylight import minutes_of_sun, sun_of
from analysis.rays.sun import sun_directions, term_day
from analysis.sunlight import Sunlight
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from tests.support.blocks import (
    AT,
    Block,
    geojson,
    place,
    point,
    publish_blocks,
    rectangle,
    through_box,
)

SLAB = Block(-30, -30, 60, 12, 40)
TOWER = Block(45, -60, 15, 15, 90)
LATER = Block(-75, -40, 20, 10, 60)


def sun(day: date, lon: float, lat: float) -> tuple[np.ndarray, np.ndarray]:
    """The true solar time, hours, and the way to the sun of each half minute of a day, by pvlib."""
    times = pd.date_range(f"{day} 00:00:15", periods=2880, freq="30s", tz="Asia/Shanghai")
    found = pvlib.solarposition.get_solarposition(times, lat, lon, method="nrel_numpy")
    hours = pvlib.solarposition.hour_angle(times, lon, found["equation_of_time"]) / 15 + 12
    azimuth, zenith = np.radians(found["azimuth"]), np.radians(found["zenith"])
    east, north = np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth)
    return hours, np.column_stack([east, north, np.cos(zenith)])


def expected(at: np.ndarray, blocks: list[Block], begin: float, end: float, day: date) -> float:
    """Minutes of sun of spans of five minutes or more, from boxes alone."""
    hours, ways = sun(day, *AT)
    when = (hours >= begin) & (hours < end) & (ways[:, 2] > 0)
    shone = when & ~np.any([through_box(at, ways, block) for block in blocks], axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shone.astype(int), [0]])))
    spans = (edges[1::2] - edges[::2]) / 2
    return float(spans[spans >= 5].sum())


def rows(city: City, **values: object) -> list[dict[str, object]]:
    table = asked(Sunlight, values)(city, Progress()).outputs["points"]
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


@pytest.fixture
def boxes(city: City) -> City:
    publish_blocks(city, "houses", {"slab": SLAB, "tower": TOWER})
    publish_blocks(city, "plan", {"later": LATER}, "planned")
    return city


def test_the_sun_stands_where_pvlib_has_it() -> None:
    times = pd.date_range("1991-02-03", "2049-11-05", periods=600, tz="UTC")
    for lon, lat in ((*AT,), (126.6, 45.8), (-70.0, -33.4)):
        found = pvlib.solarposition.get_solarposition(times, lat, lon, method="nrel_numpy")
        azimuth, zenith = np.radians(found["azimuth"]), np.radians(found["zenith"])
        theirs = np.column_stack(
            [np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), np.cos(zenith)]
        )
        ours = sun_directions(lon, lat, times.to_julian_date().to_numpy() - 2451545.0)
        assert np.degrees(np.linalg.norm(ours - theirs, axis=1)).max() < 0.02


def test_days_of_reference_are_those_of_the_calendar() -> None:
    # As printed calendars have them.
    assert [term_day(year, 300.0).day for year in (2023, 2024, 2025, 2026)] == [20, 20, 20, 20]
    assert [term_day(year, 270.0).day for year in (2022, 2023, 2024, 2025)] == [22, 22, 21, 21]


@pytest.mark.parametrize(
    ("day", "begin", "end"), [("great-cold", 8, 16), ("winter-solstice", 9, 15)]
)
def test_minutes_of_sun_are_those_of_the_shadows_of_boxes(
    boxes: City, day: str, begin: float, end: float
) -> None:
    when = sun_of(day, 2026, AT, 1.0).day
    for x, y in ((0, 12), (-28, 30), (60, -20), (90, 40), (-70, -5), (20, 200)):
        [row] = rows(boxes, place=point(x, y), day=day, planned="plan", height=1.0)
        at = np.array([x, y, 1.0])
        assert row["minutes"] == pytest.approx(expected(at, [SLAB, TOWER], begin, end, when), abs=2)
        later = expected(at, [SLAB, TOWER, LATER], begin, end, when)
        assert row["minutes_after"] == pytest.approx(later, abs=2)
    # What the last point loses is nothing, the one behind what is planned loses hours.
    assert row["lost"] == 0
    [behind] = rows(boxes, place=point(-65, -20), day=day, planned="plan")
    assert behind["lost"] > 120


def test_a_date_has_sun_from_its_rise_to_its_set(city: City) -> None:
    [row] = rows(city, place=point(0, 0), day="2026-06-21")
    _, ways = sun(date(2026, 6, 21), *AT)
    assert row["minutes"] == pytest.approx((ways[:, 2] > 0).sum() / 2, abs=2)
    start, end = row["spans"].split("–")
    assert (start[:2], end[:2]) == ("05", "19")


def test_windows_are_those_of_dwellings_that_no_other_house_stands_against(city: City) -> None:
    home = {"use": "residential"}
    publish_blocks(
        city, "houses",
        {
            "home": Block(0, 0, 12, 8, 18, attributes=home), "shop": Block(12, 0, 12, 8, 9, attributes={"use": "retail"}),
        },
    )  # fmt: skip
    area = geojson(rectangle(-5, -5, 40, 20))
    found = rows(city, place=area, of="windows", spacing=4.0)
    # Three south, three north, two west; those of the east stand against the shop.
    assert [row["id"] for row in found] == ["home"] * 8
    assert {row["storey"] for row in found} == {1}
    assert all(row["height"] == pytest.approx(0.9, abs=0.01) for row in found)
    facing = {round(row["minutes"] / 60) for row in found}
    assert facing == {0, 4, 8}, "north, west and south"
    storeys = rows(city, place=area, of="facades", spacing=4.0)
    assert len(storeys) == 6 * 8
    assert {row["storey"] for row in storeys} == {1, 2, 3, 4, 5, 6}


def test_shadow_hours_of_the_ground_are_squares_where_nothing_stands(boxes: City) -> None:
    answer = asked(
        Sunlight, {"place": geojson(rectangle(-40, -40, 80, 60)), "spacing": 5.0, "planned": "plan"}
    )(boxes, Progress())
    sketch = answer.outputs["sketch"].as_dict()
    squares = sketch["features"]
    # 16 × 12 squares, of which the slab of 60 × 12 m takes the middles of 12 × 2.
    assert len(squares) == 16 * 12 - 12 * 2
    assert {feature["properties"]["class"] for feature in squares} == {"square"}
    values = [feature["properties"]["value"] for feature in squares]
    assert min(values) < 1
    assert max(values) > 7
    rows_ = answer.outputs["points"].rows
    by_row = [row[11] for row in rows_]
    assert [value * 60 for value in values] == pytest.approx(by_row, abs=0.01)
    [day] = answer.outputs["day"].rows
    assert (day[0], day[6]) == ("2026-01-20", 180.0)
    assert {version.layer for version in answer.versions} == {"houses", "plan"}


@given(st.lists(st.booleans(), min_size=1, max_size=60))
@settings(deadline=None, max_examples=60)
def test_sun_counts_in_spans_of_five_minutes(shone: list[bool]) -> None:
    total, longest = minutes_of_sun(np.array([shone]), 1.0)
    spans = [len(part) for part in "".join("s" if one else " " for one in shone).split()]
    enough = [span for span in spans if span >= 5]
    assert (total[0], longest[0]) == (sum(enough), max(enough, default=0))


def test_what_cannot_be_asked_is_said(boxes: City) -> None:
    polar = {"type": "Point", "coordinates": [15.0, 80.0]}
    for values, sentence in (
        ({"place": point(0, 0), "day": "winter"}, "is no day"),
        ({"place": point(0, 500), "of": "windows"}, "no such point"),
        ({"place": geojson(rectangle(0, 0, 900, 900)), "spacing": 1.0}, "wider spacing"),
        (
            {"place": geojson(rectangle(0, 0, 9000, 9000)), "of": "windows"},
            "more than 10 km across",
        ),
        ({"place": {"type": "Point", "coordinates": [1]}}, "not a GeoJSON Point"),
        ({"place": point(3000, 0), "planned": "plan"}, "nothing planned within"),
        ({"place": polar, "day": "2026-12-21"}, "does not rise at this place on 2026-12-21"),
        ({"place": polar}, "does not rise at this place on 2026-01-20"),
        ({"place": {"type": "Point", "coordinates": [15.0, 90.0]}}, "beyond 89 degrees"),
        ({"place": point(0, 0), "day": "0001-01-01"}, "not of the years 1950 to 2050"),
        ({"place": point(0, 0), "day": "9999-12-31"}, "not of the years 1950 to 2050"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            rows(boxes, **values)
    assert place(0, 0)[:2] == pytest.approx(AT)
