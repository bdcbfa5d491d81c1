"""Alarms of a real server: raised by what is posted, answered by people, seen by those who may."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import shapely
from typer.testing import CliRunner

from cim_core.city import City
from server.access.policy import public_policy
from server.cli import app
from tests.conftest import import_file
from tests.support.alarming import add_thing, rule_text
from tests.support.serving import Server

LON, LAT = 113.46, 23.10
STREET = 1e-3
RULES = [
    rule_text("wet", kind="threshold", property="depth", above=15, clear=12, level=3),
    rule_text("deep", kind="threshold", property="depth", above=40, level=4, alarm="wet"),
    rule_text("shut", kind="threshold", property="torque", above=9, layer=["valves"]),
    rule_text("both", kind="threshold", property="torque", above=9, layer=["valves", "road*"]),
    rule_text("later", kind="threshold", property="torque", above=9, layer=["not there yet"]),
    rule_text("one", kind="threshold", property="torque", above=9, key=["cellar/*"]),
]


def layer(city: City, folder: Path, name: str, sensitivity: str, *features: tuple) -> None:
    """A layer of features given by id, class, shape and attributes."""
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": key, "geometry": shapely.geometry.mapping(shape),
             "properties": {"class": kind, "name": key, **more}}
            for key, kind, shape, more in features
        ],
    }))  # fmt: skip
    import_file(city, path, kind="vector", options={"sensitivity": sensitivity})


def square(metres: float, lon: float = LON) -> shapely.Geometry:
    half = metres / 2 / 111_000
    return shapely.box(lon - half, LAT - half, lon + half, LAT + half)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("alarms")
    city = City.open_or_create(folder / "city")
    layer(city, folder, "communities", "public",
          ("c1", "AdminArea", square(2000), {"population": 4000, "households": 1500}),
          ("c2", "AdminArea", square(100, LON + 0.05), {"population": 900}))  # fmt: skip
    layer(
        city, folder, "towns", "public", ("t1", "AdminArea", square(9000), {"population": 80_000})
    )
    street = shapely.LineString([(LON - 0.01, LAT + STREET), (LON + 0.01, LAT + STREET)])
    layer(city, folder, "roads", "public",
          ("s-far", "School", shapely.Point(LON + 2 * STREET, LAT), {}),
          ("s-near", "School", shapely.Point(LON + STREET, LAT), {}),
          ("s-away", "School", shapely.Point(LON + 20 * STREET, LAT), {}),
          ("r1", "LocalStreet", street, {}))  # fmt: skip
    layer(
        city, folder, "valves", "sensitive", ("v1", "Valve", shapely.Point(LON, LAT + STREET), {})
    )
    add_thing(city.live, "pond", ("depth",), layer="roads", at=(LON, LAT))
    add_thing(city.live, "cellar", ("depth",), layer="valves", at=(LON, LAT + STREET))
    add_thing(city.live, "gone", ("depth",), layer="roads", at=(LON, LAT + 3 * STREET))
    (city.folder / "alarms.toml").write_text("\n\n".join(RULES), encoding="utf-8")
    city.office.policies.put(public_policy().document(), 0, "test")
    server = Server(city.folder, folder / "server.log", CIM_RATE_ADDRESS="100000", CIM_RATE_PERSON="100000")  # fmt: skip
    yield server
    if server.process.poll() is None:  # else a test has killed it
        server.stop()
    assert server.odd_lines() == []


def now() -> int:
    return time.time_ns() // 1_000_000


def post(server: Server, thing: str, *rows: tuple[int, float]) -> dict:
    what = [{"datastream": f"{thing}/depth", "time": at, "value": value} for at, value in rows]
    answer = server.client.post("/ingest", json={"observations": what})
    assert answer.status_code == 200, answer.text
    return answer.json()


def open_of(client: httpx.Client, thing: str) -> list[dict]:
    alarms = client.get("/alarms").json()["alarms"]
    return [alarm for alarm in alarms if alarm["thing"]["name"] == thing]


def person(server: Server, role: str) -> httpx.Client:
    return httpx.Client(
        base_url=server.url, timeout=30, headers={"authorization": f"Bearer {server.key(role)}"}
    )


def test_a_hundred_posts_at_once_are_one_alarm_and_two_people_answer_it_one_after_the_other(served):
    begin = now() - 60_000
    with ThreadPoolExecutor(100) as pool:
        sent = list(
            pool.map(lambda n: post(served, "pond", (begin + n, 16.0 + n / 50)), range(100))
        )
    assert sum(one["accepted"] for one in sent) == 100
    [alarm] = open_of(served.client, "pond")
    assert (alarm["level"], alarm["state"], alarm["version"]) == (3, "raised", 1)
    where, version = f"/alarms/{alarm['id']}", {"version": alarm["version"]}
    editor, viewer = person(served, "editor"), person(served, "viewer")
    first = editor.post(f"{where}/acknowledgement", json={**version, "note": "coming"})
    assert (first.status_code, first.json()["handler"]) == (200, "editor")
    second = served.client.post(f"{where}/acknowledgement", json=version)
    assert second.status_code == 409
    assert "处置中" in second.json()["detail_zh"]
    assert viewer.get(where).json()["handler"] == "editor"
    assert viewer.post(f"{where}/closing", json={"version": 2, "reason": "x"}).status_code == 403
    stranger = httpx.Client(base_url=served.url)
    told = stranger.get(where).json()
    assert (told["handler"], told["events"][1]["who"], told["events"][1]["what"]) == (
        None,
        None,
        "acknowledged",
    )
    assert stranger.post(f"{where}/closing", json={"version": 2, "reason": "x"}).status_code == 401
    later = {"version": 2, "until": now() + 3_600_000, "reason": "pump runs"}
    assert editor.post(f"{where}/shelving", json=later).json()["shelved_until"] == later["until"]
    post(served, "pond", (now(), 50.0))
    [worse] = open_of(served.client, "pond")
    assert (worse["level"], worse["state"], worse["shelved_until"], worse["version"]) == (
        4,
        "raised",
        None,
        4,
    )
    done = editor.post(f"{where}/closing", json={"version": 4, "reason": "closed the road"})
    assert done.json()["state"] == "done"
    post(served, "pond", (now() + 1000, 1.0))
    assert served.client.get(where).json()["state"] == "cleared"
    for client in (editor, viewer, stranger):
        client.close()


def test_an_alarm_knows_what_is_near_of_what_somebody_sees(served):
    post(served, "pond", (now() + 2000, 20.0))
    [alarm] = open_of(served.client, "pond")
    near = served.client.get(f"/alarms/{alarm['id']}").json()["near"]
    assert near["radius"] == 300
    # of the community, which is finer than the town: the circle's share of its square
    share = 3.14159 * 300**2 / (2000**2 * 0.92)  # a degree of longitude is that much shorter here
    assert near["people"]["population"] == pytest.approx(4000 * share, rel=0.02)
    assert near["people"]["households"] == pytest.approx(1500 * share, rel=0.02)
    assert [one["id"] for one in near["facilities"]] == ["s-near", "s-far"]
    assert near["facilities"][0]["distance"] == pytest.approx(102.4, abs=0.5)
    assert [one["id"] for one in near["roads"]] == ["r1"]
    assert [one["id"] for one in near["valves"]] == ["v1"]
    assert [one["name"] for one in near["things"]] == ["cellar"]
    with httpx.Client(base_url=served.url) as stranger:
        near = stranger.get(f"/alarms/{alarm['id']}").json()["near"]
    assert near["valves"] == near["things"] == []
    assert [one["id"] for one in near["roads"]] == ["r1"]


def test_an_alarm_of_a_layer_that_is_not_seen_is_not_there(served):
    post(served, "cellar", (now(), 20.0))
    [alarm] = open_of(served.client, "cellar")
    with httpx.Client(base_url=served.url) as stranger:
        listed = stranger.get("/alarms", params={"state": "all"}).json()
        assert "cellar" not in {one["thing"]["name"] for one in listed["alarms"]}
        assert stranger.get(f"/alarms/{alarm['id']}").status_code == 404
    answer = served.client.get("/alarms", params={"layer": "valves", "level": 3}).json()
    assert [one["id"] for one in answer["alarms"]] == [alarm["id"]]
    assert answer["counts"]["by_level"]["3"] >= 1


def test_the_rules_are_told_and_a_wrong_file_is_told_to_those_who_look_after_it(served):
    rules = {rule["id"]: rule for rule in served.client.get("/alarm-rules").json()["rules"]}
    assert (rules["wet"]["above"], rules["wet"]["clear"], rules["wet"]["origin"]) == (
        15,
        12,
        "city",
    )
    assert rules["silent"]["intervals"] == 6
    assert rules["both"]["layer"] == ["valves", "road*"]
    assert rules["one"]["key"] == ["cellar/*"]
    folder = served.office.path.parent
    run = CliRunner()
    checked = run.invoke(app, ["alarms", "check", "--city", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert "6 of them from the city" in checked.output
    listed = run.invoke(app, ["alarms", "rules", "--city", str(folder), "--json"])
    assert {rule["id"] for rule in json.loads(listed.output)["rules"]} == rules.keys()
    listed = run.invoke(app, ["alarms", "list", "--city", str(folder), "--state", "all", "--json"])
    assert json.loads(listed.output)["alarms"]


def test_rules_name_neither_layers_that_are_not_seen_nor_devices_to_strangers(served):
    with httpx.Client(base_url=served.url) as stranger:
        told = stranger.get("/alarm-rules")
    rules = {rule["id"]: rule for rule in told.json()["rules"]}
    assert {"wet", "both", "one", "silent"} <= rules.keys()
    assert not {"shut", "later"} & rules.keys()
    assert rules["both"]["layer"] == ["road*"]
    assert not any("key" in rule for rule in rules.values())
    assert "valves" not in json.dumps([rule["layer"] for rule in rules.values()])
    assert "cellar" not in told.text


def test_after_a_kill_no_alarm_is_lost_and_none_is_raised_again(served):
    post(served, "gone", (now() - 5000, 20.0))
    before = served.client.get("/alarms", params={"state": "all"}).json()["alarms"]
    assert open_of(served.client, "gone")
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    folder, log = served.office.path.parent, served.log
    again = Server(folder, log.with_name("again.log"))
    try:
        post(again, "gone", (now() - 5000, 20.0), (now() - 4000, 21.0), (now() - 3000, 22.0))
        after = again.client.get("/alarms", params={"state": "all"}).json()["alarms"]
        assert [(a["id"], a["state"], a["version"]) for a in after] == [
            (a["id"], a["state"], a["version"]) for a in before
        ]
        post(again, "gone", (now(), 1.0))
        [ended] = open_of(again.client, "gone")
        assert (ended["active"], ended["state"]) == (False, "raised")
    finally:
        again.stop()
