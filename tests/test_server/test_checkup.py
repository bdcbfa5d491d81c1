"""The city check-up over HTTP: examined as a job, told value by value, and only to who may see it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import shapely.geometry
from starlette.testclient import TestClient

from cim_core.city import City
from cim_core.errors import Cancelled
from cim_core.progress import Progress
from cim_core.store.jobs import succeed_job
from cim_core.store.office_audit import AuditQuery
from server.access.policy import public_policy
from server.checkup.examining import examine_job
from server.checkup.order import CHECKUP, Order
from server.checkup.reading import compared
from server.description import schemas
from server.routes import vital_signs
from tests.support.checkups import (
    SENSITIVITIES,
    SET,
    checkup_city,
    estates,
    examine_city,
    feature,
    import_layer,
    mini_set,
    put_set,
    square,
    two_years,
)
from tests.support.inside import STRANGER, Inside

CODES = ["07", "16", "27p", "28", "33"]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city that was examined in 2025, and in 2026 with one estate better off."""
    city = two_years(tmp_path_factory.mktemp("checkup"))
    with Inside(city.folder) as served:
        served.office.people.add_town("here", {"en": "Here"}, square(0, 0, 0, 1))
        yield served


@pytest.fixture(scope="module")
def people(inside: Inside) -> dict[str, TestClient]:
    roles = ("viewer", "supervisor", "editor", "data-manager", "security-administrator", STRANGER)
    found = {role: inside.client(role) for role in roles}
    return {**found, "reporter": inside.client("reporter", towns=("here",))}


def told(client: TestClient, url: str, schema: str, **query: str) -> Any:
    """What somebody is told, which is as it is described."""
    answer = client.get(url, params=query)
    assert answer.status_code == 200, answer.text
    document = {"components": {"schemas": schemas()}, "$ref": f"#/components/schemas/{schema}"}
    jsonschema.validate(answer.json(), document)
    assert "private" in answer.headers["cache-control"]
    return answer.json()


def codes(run: Any) -> list[str]:
    return sorted(one["code"] for one in run["indicators"])


def test_examining_is_a_job_whose_end_names_the_run(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    order = {"set": SET, "year": 2024, "title": "trial"}
    for who in ("viewer", "editor", "supervisor", "reporter"):
        assert people[who].post("/checkup/runs", json=order).status_code == 403, who
    manager = people["data-manager"]
    assert manager.post("/checkup/runs", json={**order, "set": "none"}).status_code == 404
    assert manager.post("/checkup/runs", json={**order, "year": 25}).status_code == 422
    answer = manager.post("/checkup/runs", json=order)
    assert (answer.status_code, answer.json()["type"]) == (202, CHECKUP)
    deadline = time.monotonic() + 60
    while not (job := manager.get(answer.headers["location"]).json())["finished"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert job["status"] == "successful", job["problem"]
    [link] = [one["href"] for one in job["links"] if one["rel"] == "result"]
    run = told(manager, link, "CheckupRunDetail")
    assert (run["id"], run["title"], run["who"]) == ("2024-1", "trial", "data-manager")
    receipt = manager.get(f"/receipts/{run['receipt']}").json()
    assert (receipt["kind"], receipt["who"]) == ("checkup", "data-manager")
    assert "estates version 2" in {one["name"] for one in receipt["inputs"]}
    [noted] = [one for one in _log(inside) if one.detail.get("job") == job["jobID"]]
    assert (noted.verb, noted.detail["set"], noted.name) == ("manage", SET, "data-manager")
    assert manager.delete("/checkup/runs/2024-1").status_code == 204
    assert manager.get("/checkup/runs/2024-1").status_code == 404


def _log(inside: Inside) -> list[Any]:
    entries, _, _ = inside.office.audit.find(AuditQuery(verb="manage"), 100)
    return list(entries)


def test_the_list_has_sets_runs_words_and_rights(people: dict[str, TestClient]) -> None:
    page = told(people["supervisor"], "/checkup?f=json", "Checkup")
    assert [run["id"] for run in page["runs"]] == ["2026-1", "2025-1"]
    newest = page["runs"][0]
    assert newest["counts"] == {"ready": 4, "partial": 0, "unavailable": 1, "met": 0, "failed": 3}
    assert newest["problems"] == {"open": 5, "handled": 0}
    states = {one["id"]: one["state"] for one in page["sets"]}
    assert (states[SET], states["mohurd-2025"], states["mnr-2025"]) == (
        "draft",
        "shipped",
        "shipped",
    )
    assert page["words"]["statuses"]["ready"]["zh"]
    assert page["rights"]["handle"] and not page["rights"]["examine"]
    assert told(people["editor"], "/checkup?f=json", "Checkup")["rights"]["edit"]


def test_a_value_stands_with_what_it_was_divided_by(people: dict[str, TestClient]) -> None:
    run = told(people["supervisor"], "/checkup/runs/2025-1", "CheckupRunDetail")
    by_code = {one["code"]: one for one in run["indicators"]}
    school = by_code["16"]
    value = school["value"]
    assert value["value"] == pytest.approx(100 * value["numerator"] / value["denominator"])
    assert (value["met"], value["status"], value["surveyed"]) == (False, "ready", 1.0)
    assert school["target"]["confidence"] == "recalled"
    assert school["method"] == "euclidean"
    assert "300 m" in school["formula_text"]["zh"]
    assert by_code["27p"]["proxy"]
    assert by_code["27p"]["value"]["met"] is None, "what only stands for something meets nothing"
    missing = by_code["07"]["value"]
    assert (missing["value"], missing["status"], missing["reason"]) == (
        None,
        "unavailable",
        "no-layer",
    )
    assert missing["reason_text"]["zh"]
    versions = {one["layer"]: one["version"] for one in run["inputs"]}
    assert (versions["estates"], versions["greenways"]) == (1, None)


def test_units_maps_and_evidence_agree(people: dict[str, TestClient]) -> None:
    who, base = people["supervisor"], "/checkup/runs/2025-1/indicators/16"
    units = told(who, f"{base}/units", "CheckupUnits", by="community")["units"]
    whole = told(who, f"{base}/units", "CheckupUnits", by="district")["units"]
    assert [one["id"] for one in units] == ["c1", "c2", "c3", "c4"]
    for part in ("numerator", "denominator"):
        assert sum(one[part] for one in units) == pytest.approx(whole[0][part])
    assert [one["met"] for one in units] == [True, False, False, False]
    collection = told(who, f"{base}/map", "CheckupMap", by="community")
    assert [one["properties"]["value"] for one in collection["features"]] == [
        one["value"] for one in units
    ]
    first = shapely.geometry.shape(collection["features"][0]["geometry"])
    assert first.equals_exact(square(0, 0, 0, 1), 2e-5) or first.normalize().equals_exact(
        square(0, 0, 0, 1).normalize(), 2e-5
    )
    assert told(who, f"{base}/units", "CheckupUnits")["by"] == "town"
    cells = told(who, f"{base}/map", "CheckupMap", by="cell")
    assert len(cells["features"]) > 4
    found = told(who, f"{base}/evidence", "CheckupEvidence", by="community", unit="c3")
    assert [one["id"] for one in found["features"]] == ["p2"]
    unserved = shapely.geometry.shape(found["unserved"])
    assert unserved.intersection(square(2, 0.1, 0.1, 0.8)).area == pytest.approx(
        unserved.area, rel=1e-3
    )
    assert {one["layer"] for one in found["inputs"]} >= {"parcels", "schools"}
    estate = told(who, "/checkup/runs/2025-1/indicators/28/evidence", "CheckupEvidence")
    assert [(one["id"], one["name"], one["value"]) for one in estate["features"]] == [
        ("e1", "East estate", 30.0)
    ]
    for url in (
        f"{base}/units?by=estate", f"{base}/units?by=nothing", f"{base}/evidence?by=community&unit=x",
        "/checkup/runs/2025-1/indicators/99/units", "/checkup/runs/x/indicators/16/units",
    ):  # fmt: skip
        assert who.get(url).status_code == 404, url
    assert who.get(f"{base}/evidence?unit=c3").status_code == 422


def test_long_answers_are_told_in_parts(people: dict[str, TestClient]) -> None:
    who, base = people["supervisor"], "/checkup/runs/2025-1/indicators/16"
    part = told(who, f"{base}/units", "CheckupUnits", by="community", limit="2", offset="1")
    assert ([one["id"] for one in part["units"]], part["total"]) == (["c2", "c3"], 4)
    box = ",".join(map(str, square(2, 0.3, 0.3, 0.1).bounds))
    shown = told(who, f"{base}/map", "CheckupMap", by="community", bbox=box)
    assert ([one["id"] for one in shown["features"]], shown["total"]) == (["c3"], 1)
    assert who.get(f"{base}/map?bbox=1").status_code == 422
    assert who.get(f"{base}/units?limit=0").status_code == 422
    url = "/checkup/runs/2025-1/problems"
    every = told(who, url, "CheckupProblems")
    rest = told(who, url, "CheckupProblems", limit="1", offset="1")
    assert (rest["problems"], rest["total"]) == (every["problems"][1:2], len(every["problems"]))


def test_the_receipt_of_a_check_up_is_as_internal_as_that(people: dict[str, TestClient]) -> None:
    run = told(people["supervisor"], "/checkup/runs/2025-1", "CheckupRunDetail")
    assert people["supervisor"].get(f"/receipts/{run['receipt']}").status_code == 200
    assert people[STRANGER].get(f"/receipts/{run['receipt']}").status_code in (401, 404)


def test_buildings_that_evidence_names_count_as_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City.open_or_create(tmp_path / "city")
    checkup_city(city, tmp_path / "files")
    monkeypatch.setitem(SENSITIVITIES, "buildings", "sensitive")
    houses = [feature(f"b{k}", square(2, 0.2 + k / 10, 0.2, 0.05), name=f"B{k}") for k in range(5)]
    import_layer(city, tmp_path / "files", "buildings", houses)
    [school, *_] = mini_set()["indicators"]
    given = {**mini_set(), "indicators": [{**school, "by": ["town", "building"]}]}
    city.checkups.sets.put(SET, given, None, None)
    run = examine_city(city)
    city.database.close()
    city.checkups.close()
    with Inside(city.folder) as served:
        url = f"/checkup/runs/{run}/indicators/16/evidence?by=town&unit=t2"
        client = served.client("data-manager")
        features = client.get(url).json()["features"]
        boxes = [one["bbox"] for one in features if one["layer"] == "buildings"]
        assert len(boxes) == 5
        assert all(round(side, 6) == side for box in boxes for side in box)
        policy = public_policy()
        limits = policy.limits.model_copy(update={"export_km2": 0.0001})
        served.decide(policy.model_copy(update={"limits": limits}))
        refused = served.client("data-manager", "taker").get(url)
        assert (refused.status_code, "km²" in refused.json()["detail"]) == (403, True)


def test_an_estate_that_changed_changes_its_indicator_alone(people: dict[str, TestClient]) -> None:
    found = told(
        people["supervisor"],
        "/checkup/compare",
        "CheckupComparison",
        **{"from": "2025-1", "to": "2026-1"},
    )
    changes = {one["code"]: one for one in found["changes"]}
    assert (changes["28"]["change"], changes["28"]["better"]) == (-25.0, True)
    assert {code for code, one in changes.items() if one["change"]} == {"28"}
    runs = [
        told(people["supervisor"], f"/checkup/runs/{run}", "CheckupRunDetail")
        for run in ("2025-1", "2026-1")
    ]
    digests = [{one["code"]: one["digest"] for one in run["indicators"]} for run in runs]
    assert {code for code in CODES if digests[0][code] != digests[1][code]} == {"28"}


SEEN = {
    "supervisor": CODES,
    "data-manager": CODES,
    # A viewer does not see what is deep or pressed of sensitive layers, so those not as a whole.
    "viewer": ["07", "16", "27p", "28"],
    # The school is in the reporter's town, one of the estates is not.
    "reporter": ["07", "16", "27p"],
    "security-administrator": None,
    STRANGER: None,
}


@pytest.mark.parametrize("who", SEEN)
def test_everybody_is_told_what_they_may_see_all_of(
    who: str, people: dict[str, TestClient]
) -> None:
    client, expected = people[who], SEEN[who]
    base = "/checkup/runs/2025-1"
    if expected is None:
        assert told(client, "/checkup?f=json", "Checkup")["runs"] == []
        for url in (
            base, f"{base}/problems", f"{base}/indicators/07/units", f"{base}/indicators/07/map",
            f"{base}/indicators/07/evidence", "/checkup/compare?from=2025-1&to=2026-1",
        ):  # fmt: skip
            assert client.get(url).status_code in (401, 404), url
        return
    run = told(client, base, "CheckupRunDetail")
    assert codes(run) == expected
    assert run["hidden"] == len(CODES) - len(expected)
    assert sum(run["counts"][word] for word in ("ready", "partial", "unavailable")) == len(expected)
    problems = told(client, f"{base}/problems", "CheckupProblems")["problems"]
    assert {one["code"] for one in problems} == {"16", "28", "33"} & set(expected)
    assert run["problems"]["open"] == len(problems)
    compared = told(
        client, "/checkup/compare", "CheckupComparison", **{"from": "2025-1", "to": "2026-1"}
    )
    assert sorted(one["code"] for one in compared["changes"]) == expected
    layers = {one["layer"] for one in run["inputs"]}
    assert ("ponding" in layers) == ("33" in expected)
    for code in CODES:
        for what in ("units", "map", "evidence"):
            status = client.get(f"{base}/indicators/{code}/{what}").status_code
            assert status == (200 if code in expected else 404), (code, what)


def test_vital_signs_are_of_what_is_seen_now(people: dict[str, TestClient]) -> None:
    for who in ("supervisor", STRANGER):
        found = told(people[who], "/vital-signs", "VitalSigns")
        assert found["at"] % 60_000 == 0
        assert len(found["signs"]) > 3
        for sign in found["signs"]:
            assert (sign["value"] is None) == (sign["status"] == "unavailable"), sign["code"]
            assert (sign["state"] == "unknown") == (sign["value"] is None), sign["code"]
    earlier = told(people["supervisor"], "/vital-signs", "VitalSigns", at=str(found["at"] - 1))
    assert earlier["at"] == found["at"] - 60_000
    hours_ago = told(
        people["supervisor"], "/vital-signs", "VitalSigns", at=str(found["at"] - 7_300_000)
    )
    assert hours_ago["at"] == (found["at"] - 7_300_000) // 3_600_000 * 3_600_000
    year_ago, hour_on = found["at"] - 367 * 86_400_000, found["at"] + 3_600_000
    for at in ("-1", "soon", "9e99", str(10**30), "0", str(year_ago), str(hour_on)):
        assert people["supervisor"].get(f"/vital-signs?at={at}").status_code == 422, at
    with vital_signs._turn:
        busy = people["supervisor"].get(f"/vital-signs?at={found['at'] - 1}")
        assert people["supervisor"].get("/vital-signs").status_code == 200
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")


def test_the_layers_that_signs_were_made_of_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SENSITIVITIES, "mains", "sensitive")
    city = City.open_or_create(tmp_path / "city")
    main = {"type": "LineString", "coordinates": [[113.5, 23.1], [113.51, 23.1]]}
    import_layer(city, tmp_path, "mains", [{"type": "Feature", "id": "m", "geometry": main, "properties": {"monitored": "yes"}}])  # fmt: skip
    with Inside(city.folder) as served:
        assert served.client("data-manager").get("/vital-signs").status_code == 200
        rows, _, _ = served.office.audit.find(AuditQuery(verb="read"), 10)
    assert [row.layers for row in rows] == [("mains",)]


def test_a_worker_that_is_lost_leaves_one_run_or_none(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    checkup_city(city, tmp_path / "files")
    put_set(city)
    job = city.jobs.add(CHECKUP, None, None, Order(SET, 2025).as_parameters())

    def lost(*_: object) -> None:
        raise RuntimeError("the power failed")

    with pytest.raises(RuntimeError):
        examine_job(city, job, Progress(), lost)
    ended: list[Any] = []
    examine_job(city, job, Progress(), lambda _, report: ended.append(report))
    assert ([run.id for run in city.checkups.runs()], ended[0]["run"]) == (["2025-1"], "2025-1")

    other = city.jobs.add(CHECKUP, None, None, Order(SET, 2026).as_parameters(), owner="me:1:a")
    city.jobs.cancel(other.id)
    with pytest.raises(Cancelled):
        examine_job(
            city, other, Progress(), lambda at, told: succeed_job(at, other.id, "me:1:a", told)
        )
    dead = city.jobs.add(CHECKUP, None, None, Order(SET, 2026).as_parameters(), owner="me:1:b")
    with pytest.raises(RuntimeError):
        examine_job(city, dead, Progress(), lost)
    assert len(city.checkups.runs()) == 2, "the worker that takes it over will find it"
    city.sweep()
    assert len(city.checkups.runs()) == 2
    city.jobs.dismissed(dead.id, "me:1:b")
    city.sweep()
    stop = Progress(cancelled=lambda: True)
    third = city.jobs.add(CHECKUP, None, None, Order(SET, 2027).as_parameters())
    with pytest.raises(Cancelled):
        examine_job(city, third, stop, lost)
    assert [run.id for run in city.checkups.runs()] == ["2025-1"]


def test_what_was_computed_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City.open_or_create(tmp_path / "city")
    checkup_city(city, tmp_path / "files")
    put_set(city)
    examine_city(city)
    import_layer(city, tmp_path / "files", "estates", estates(missing=1))
    done: list[str] = []
    from analysis.checkup import examine as module

    measure = module.measure
    monkeypatch.setattr(
        module, "measure", lambda scene, one: done.append(one.code) or measure(scene, one)
    )
    examine_city(city, 2026)
    assert done == ["28"]
    assert mini_set()["indicators"][2]["code"] == "28"


def test_a_role_that_another_layer_plays_is_told_in_a_comparison(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    checkup_city(city, tmp_path / "files")
    put_set(city)
    examine_city(city)
    (city.folder / "checkup.toml").write_text('[inputs.estates]\nlayer = "estates-2"\n', "utf-8")
    few = [one for one in estates(missing=5) if one["id"] == "e1"]
    import_layer(city, tmp_path / "files", "estates-2", few, "internal")
    examine_city(city, 2026)
    changes = {one["code"]: one for one in compared(city, "2025-1", "2026-1")["changes"]}
    gap = changes["28"]
    assert (gap["change"], gap["better"], gap["method_changed"]) == (-25.0, None, True)
    assert "layers" in gap["what"]["en"] and "图层" in gap["what"]["zh"]
    assert not changes["16"]["method_changed"]
