"""Intersections over HTTP: what each is made of, its plan in force, and who is told of it."""

import logging
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cim_core.traffic.road_file import decoded
from cim_core.traffic.roads import Hours, Plan
from server.traffic.intersections import plan_in_force
from tests.support.inside import Inside
from tests.support.traffic import city_with_roads, crossing, publish_roads


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city with a public road map, and a sensitive one of two crossings."""
    folder = tmp_path_factory.mktemp("intersections") / "city"
    city = city_with_roads(folder, open="public", secret="sensitive")
    publish_roads(city, "other", crossing("J2"), "public")
    with Inside(folder) as made:
        yield made


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_they_are_listed_as_somebody_sees_them(inside: Inside) -> None:
    def listed(who: str, **asked: str) -> list[tuple[str, str]]:
        answer = inside.client(who).get("/intersections", params=asked)
        assert answer.status_code == 200, answer.text
        return [(one["layer"], one["id"]) for one in answer.json()["intersections"]]

    assert listed("stranger") == [("open", "J1"), ("other", "J2")]
    assert listed("data-manager") == [("open", "J1"), ("other", "J2"), ("secret", "J1")]
    assert listed("stranger", layer="other") == [("other", "J2")]
    assert listed("viewer") == [("open", "J1"), ("other", "J2")]  # sees the secret one in part
    told = inside.client("stranger").get("/intersections").json()["intersections"][0]
    assert (told["approaches"], told["lanes"], told["has_state"]) == (4, 4, False)


def test_one_is_told_with_all_its_parts(inside: Inside) -> None:
    told = inside.client("stranger").get("/intersections/J2").json()
    roads = crossing("J2")
    assert {one["id"] for one in told["lanes"]} == {lane.id for lane in roads.lanes}
    assert [one["line"] for one in told["connections"]] == [
        [list(place) for place in one.line] for one in roads.connections
    ]
    assert {(one["id"], one["turn"], one["group"]) for one in told["connections"]} == {
        (one.id, one.turn, one.group) for one in roads.connections
    }
    assert [arm["lanes"] for arm in told["approaches"]] == [
        [f"{arm.link}-1"] for arm in roads.intersections[0].approaches
    ]
    assert (told["plan"], told["plans"][0]["cycle"]) == ("day", 60.0)
    assert told["state"] is None and told["recorded"] == {"positions": None, "signals": None}


def test_one_id_in_two_layers_is_asked_with_its_layer(inside: Inside) -> None:
    client = inside.client("data-manager")
    refused = client.get("/intersections/J1")
    assert refused.status_code == 409 and "?layer=" in refused.json()["detail"]
    assert "图层" in refused.json()["detail_zh"]
    assert client.get("/intersections/J1?layer=secret").json()["layer"] == "secret"
    # Whoever sees only one of them is not told that there is another.
    assert inside.client("viewer").get("/intersections/J1").json()["layer"] == "open"


@pytest.mark.parametrize("path", ["/intersections/J1?layer=secret", "/intersections?layer=secret"])
def test_who_does_not_see_a_road_map_whole_is_told_as_if_it_were_not_there(
    inside: Inside, path: str
) -> None:
    for who in ("stranger", "viewer"):
        refused = inside.client(who).get(path)
        absent = inside.client(who).get(path.replace("secret", "absent"))
        assert refused.status_code == absent.status_code == 404
        assert refused.json()["detail"] == absent.json()["detail"].replace("absent", "secret")


def test_a_map_is_taken_out_in_three_formats(inside: Inside) -> None:
    def taken(form: str) -> object:
        answer = inside.client("stranger").get(f"/intersections/J2/map?format={form}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-export-id"]
        return answer

    roads = decoded(taken("roads").content, "it")
    assert roads.connections == crossing("J2").connections
    assert roads.plans == crossing("J2").plans
    told = taken("geojson").json()
    assert {one["geometry"]["type"] for one in told["features"]} >= {"LineString", "Polygon"}
    [node] = taken("map-json").json()["mapFrame"]["nodes"]
    assert len(node["inLinks"]) == 4


def test_a_map_is_for_those_who_may_take_it_out(inside: Inside) -> None:
    def status(who: str) -> int:
        return inside.client(who).get("/intersections/J1/map?layer=secret").status_code

    assert [status(who) for who in ("stranger", "supervisor", "data-manager")] == [404, 403, 200]


def test_an_intersection_that_is_not_there_is_said(inside: Inside) -> None:
    answer = inside.client("stranger").get("/intersections/J9")
    assert answer.status_code == 404 and "J9" in answer.json()["detail_zh"]


def test_the_plan_in_force_is_the_first_whose_hours_hold_in_the_citys_time() -> None:
    rush = Hours(days=(1, 2, 3, 4, 5), start="07:00", end="09:30")
    plans = [
        Plan(id="rush", intersection="J1", phases=(), schedule=(rush,)),
        Plan(id="day", intersection="J1", phases=(), schedule=(Hours(start="06:00", end="22:00"),)),
        Plan(id="night", intersection="J1", phases=(), schedule=(Hours(start="23:00", end="05:00"),)),
    ]  # fmt: skip
    zone = ZoneInfo("Asia/Shanghai")

    def at(*when: int) -> str | None:
        return plan_in_force(plans, round(1000 * datetime(*when, tzinfo=zone).timestamp()))

    assert at(2026, 11, 23, 7, 0) == "rush"  # a Monday
    assert at(2026, 11, 23, 9, 30) == "day"
    assert at(2026, 11, 22, 8, 0) == "day"
    assert at(2026, 11, 23, 22, 30) is None
    assert at(2026, 11, 23, 23, 0) == at(2026, 11, 23, 4, 59) == "night"
