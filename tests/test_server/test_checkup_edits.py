"""Sets are drafted, tried and frozen, check-ups submitted, and what they found wrong is handled."""

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from cim_core.store.office_audit import AuditQuery
from server.checkup import trying
from server.description import schemas
from tests.support.checkups import SET, examine_city, indicator, mini_set, square, two_years
from tests.support.inside import STRANGER, Inside
from tests.support.renewal import renewal_of

BASE = {**mini_set("over"), "base": SET, "indicators": [], "without": ["07"], "dimensions": {}}


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    city = two_years(tmp_path_factory.mktemp("checkup-edits"))
    with Inside(city.folder) as served:
        served.office.people.add_town("here", {"en": "Here"}, square(0, 0, 0, 1))
        renewal_of(served.city)
        yield served


@pytest.fixture(scope="module")
def people(inside: Inside) -> dict[str, TestClient]:
    roles = ("viewer", "supervisor", "editor", "data-manager", STRANGER)
    return {role: inside.client(role) for role in roles}


def is_described(answer: Any, schema: str) -> Any:
    document = {"components": {"schemas": schemas()}, "$ref": f"#/components/schemas/{schema}"}
    jsonschema.validate(answer.json(), document)
    return answer.json()


def version(number: int) -> dict[str, str]:
    return {"if-match": f'"{number}"'}


def test_a_draft_is_written_over_a_base_and_by_one_at_a_time(people: dict[str, TestClient]) -> None:
    editor, url = people["editor"], "/checkup/sets/over"
    for who in ("viewer", "supervisor", STRANGER):
        assert people[who].put(url, json=BASE).status_code in (401, 403), who
    made = editor.put(url, json=BASE)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    told = is_described(made, "CheckupSet")
    assert [one["code"] for one in told["whole"]] == ["16", "27p", "28", "33"]
    assert (told["document"]["base"], told["indicators"]) == (SET, 4)
    assert editor.put(url, json=BASE).status_code == 409
    own = {**BASE, "indicators": [{**mini_set()["indicators"][1], "decimals": 0}]}
    assert editor.put(url, json=own, headers=version(1)).status_code == 200
    late = editor.put(url, json=BASE, headers=version(1))
    assert (late.status_code, late.headers["content-type"]) == (412, "application/problem+json")
    assert "editor" in late.json()["detail"] and late.json()["detail_zh"]
    read = people["viewer"].get(url)
    assert (read.headers["etag"], read.json()["document"]["indicators"][0]["decimals"]) == (
        '"2"',
        0,
    )
    assert editor.delete(url, headers=version(1)).status_code == 412
    assert editor.delete(url, headers=version(2)).status_code == 204
    assert editor.get(url).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base": "none"}, "no set of indicators"),
        ({"base": "bad"}, "based on it"),
        ({"without": ["99"]}, "99"),
        ({"year": "soon"}, "year"),
        ({"year": 10**30}, "year"),
        ({"strange": 1}, "strange"),
        ({"indicators": [mini_set()["indicators"][0]] * 2, "base": None}, "twice"),
        ({"indicators": [{**mini_set()["indicators"][0], "dimension": "no"}]}, "dimension"),
        (
            {
                "indicators": [
                    {
                        **mini_set()["indicators"][0],
                        "formula": {"operator": "total", "what": {"input": "unicorns"}},
                    }
                ]
            },
            "unicorns",
        ),
    ],
)
def test_a_set_that_is_wrong_is_refused_in_a_sentence(
    people: dict[str, TestClient], change: dict[str, Any], words: str
) -> None:
    answer = people["editor"].put("/checkup/sets/bad", json={**BASE, **change})
    assert answer.status_code in (404, 422), answer.text
    assert words in answer.json()["detail"]
    assert people["editor"].get("/checkup/sets/bad").status_code == 404


def test_what_comes_as_files_cannot_be_overwritten(people: dict[str, TestClient]) -> None:
    editor = people["editor"]
    shipped = is_described(editor.get("/checkup/sets/mohurd-2025"), "CheckupSet")
    assert (shipped["state"], shipped["version"]) == ("shipped", 1)
    assert len(shipped["whole"]) == shipped["indicators"] > 30
    assert editor.put("/checkup/sets/mohurd-2025", json=BASE).status_code == 409
    assert editor.delete("/checkup/sets/mohurd-2025", headers=version(1)).status_code == 404


def test_a_check_up_is_submitted_by_a_set_that_stays(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    manager, editor = people["data-manager"], people["editor"]
    assert editor.put("/checkup/sets/final", json={**BASE, "id": "final"}).status_code == 201
    early = examine_city(inside.city, 2030, "final")
    assert manager.post(f"/checkup/runs/{early}/submit").status_code == 409
    url = "/checkup/sets/final/freeze"
    assert editor.post(url, headers=version(1)).status_code == 403
    assert manager.post(url, headers=version(9)).status_code == 412
    frozen = is_described(manager.post(url, headers=version(1)), "CheckupSet")
    assert (frozen["state"], frozen["version"], "base" in frozen["document"]) == (
        "frozen",
        2,
        False,
    )
    for again in (
        editor.put("/checkup/sets/final", json=BASE, headers=version(2)),
        editor.delete("/checkup/sets/final", headers=version(2)),
        manager.post(url, headers=version(2)),
        manager.post(f"/checkup/runs/{early}/submit"),
    ):
        assert (again.status_code, again.json()["title"]) == (409, "Conflict"), again.text
    run = examine_city(inside.city, 2030, "final")
    assert people["supervisor"].post(f"/checkup/runs/{run}/submit").status_code == 403
    told = is_described(manager.post(f"/checkup/runs/{run}/submit"), "CheckupRunDetail")
    assert told["state"] == "submitted" and told["submitted"] >= told["made"]
    assert manager.post(f"/checkup/runs/{run}/submit").status_code == 409
    assert manager.delete(f"/checkup/runs/{run}").status_code == 409
    assert manager.delete(f"/checkup/runs/{early}").status_code == 204
    entries, _, _ = inside.office.audit.find(AuditQuery(verb="manage"), 100)
    noted = {(entry.what.partition("?")[0], entry.result) for entry in entries}
    assert (f"POST /checkup/runs/{run}/submit", "ok") in noted


def test_a_problem_is_assigned_solved_and_opened_again(people: dict[str, TestClient]) -> None:
    supervisor = people["supervisor"]
    listed = supervisor.get("/checkup/runs/2025-1/problems?code=28").json()["problems"]
    [estate] = listed
    assert (estate["unit"], estate["value"], estate["state"]) == ("e1", 30.0, "open")
    assert (estate["source"], estate["confidence"]) == ("plan", "confirmed")
    assert estate["projects"] == ["e1"], "the renewal project lies where the estate does"
    url = f"/checkup/problems/{estate['id']}"

    def handled(change: dict[str, Any], number: int, who: str = "supervisor") -> Any:
        return people[who].patch(url, json=change, headers=version(number))

    for who in ("viewer", "editor", "data-manager", STRANGER):
        assert handled({"project": "e1"}, 1, who).status_code in (401, 403), who
    for change, words in (
        ({"project": "none"}, "no renewal project"), ({"state": "assigned"}, "assigned to"),
        ({"state": "solved"}, "says how"), ({}, "nothing"), ({"state": "done"}, "state"),
    ):  # fmt: skip
        refused = handled(change, 1)
        assert (refused.status_code, words in refused.json()["detail"]) == (422, True), refused.text
    assert handled({"note": "x"}, 9).status_code == 412
    made = handled({"project": "e1"}, 1)
    assert (made.status_code, made.headers["etag"]) == (200, '"2"')
    assert is_described(made, "CheckupProblem")["state"] == "assigned"
    assert (
        handled({"state": "solved", "note": "30 spaces were built"}, 2).json()["state"] == "solved"
    )
    again = handled({"state": "open", "project": None}, 3).json()
    assert (again["state"], again["project"], again["note"]) == (
        "open",
        None,
        "30 spaces were built",
    )
    assert [one["change"] for one in again["history"]] == [
        {"project": "e1", "state": "assigned"},
        {"state": "solved", "note": "30 spaces were built"},
        {"state": "open", "project": None},
    ]
    assert {one["name"] for one in again["history"]} == {"supervisor"}
    solved = supervisor.get("/checkup/runs/2025-1/problems?state=solved").json()
    assert solved == {"problems": [], "total": 0}
    assert (
        supervisor.get("/checkup/runs/2025-1/problems?unit=c3").json()["problems"][0]["code"]
        == "16"
    )
    assert supervisor.patch("/checkup/problems/x", json={}, headers=version(1)).status_code == 404


def test_renewal_that_is_not_seen_is_not_named_with_a_problem(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    inside.office.people.add_town("there", {"en": "There"}, square(0, 0, 0, 4))
    inside.app.state.cim.gate.forget()
    elsewhere = inside.client("reporter", "reporter there", towns=("there",))
    problem = (
        people["supervisor"].get("/checkup/runs/2026-1/problems?code=28").json()["problems"][0]
    )
    url = f"/checkup/problems/{problem['id']}"
    done = people["supervisor"].patch(url, json={"project": "e1"}, headers=version(1))
    assert done.json()["project"] == "e1"
    found = elsewhere.get("/checkup/runs/2026-1/problems?code=28").json()["problems"][0]
    assert (found["id"], found["state"]) == (problem["id"], "assigned")
    assert (found["project"], found["projects"]) == (None, [])
    assert "e1" not in str(found["history"])


def test_an_indicator_is_tried_and_nothing_is_kept(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    schools = mini_set()["indicators"][0]
    for who in ("viewer", "supervisor", STRANGER):
        refused = people[who].post("/checkup/try", json={"indicator": schools})
        assert refused.status_code in (401, 403), who
    before = (inside.city.checkups.runs(), inside.city.checkups.sets.all())
    answer = people["editor"].post("/checkup/try", json={"indicator": schools, "by": "community"})
    tried = is_described(answer, "CheckupTrial")
    base = "/checkup/runs/2026-1/indicators/16/units?by=community"
    assert tried["units"] == people["editor"].get(base).json()["units"]
    run = people["editor"].get("/checkup/runs/2026-1").json()
    [kept] = [one for one in run["indicators"] if one["code"] == "16"]
    assert tried["entry"] == kept
    assert (inside.city.checkups.runs(), inside.city.checkups.sets.all()) == before
    other = indicator(
        "x", "Estates", "小区", "city", "own", "estates", "none",
        {"operator": "total", "what": {"input": "estates"}}, None, [],
    )  # fmt: skip
    counted = people["editor"].post("/checkup/try", json={"indicator": other}).json()
    assert (counted["entry"]["value"]["value"], counted["by"]) == (2.0, "district")
    for wrong in ({**other, "level": "moon"}, {**other, "formula": {"operator": "magic"}}):
        refused = people["editor"].post("/checkup/try", json={"indicator": wrong})
        assert refused.status_code == 422 and "indicator: " in refused.json()["detail"]


def test_trials_are_bounded(people: dict[str, TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"indicator": mini_set()["indicators"][0], "by": "community"}
    monkeypatch.setattr(trying, "MOST_UNITS", 3)
    told = is_described(people["editor"].post("/checkup/try", json=asked), "CheckupTrial")
    assert ([one["id"] for one in told["units"]], told["total"]) == (["c1", "c2", "c3"], 4)
    monkeypatch.setattr(trying, "_trials", BoundedSemaphore(1))
    with trying._trials:
        busy = people["editor"].post("/checkup/try", json=asked)
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")
    assert busy.json()["detail_zh"]
    assert people["editor"].post("/checkup/try", json=asked).status_code == 200


def test_a_draft_that_others_build_on_stays_as_they_need_it(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    editor, url = people["editor"], "/checkup/sets/lower"
    upper = {**BASE, "base": "lower"}
    assert editor.put(url, json=mini_set("lower")).status_code == 201
    assert editor.put("/checkup/sets/upper", json=upper).status_code == 201
    without = {**mini_set("lower"), "indicators": mini_set()["indicators"][:4]}
    around = {**mini_set("lower"), "base": "upper"}
    for refused, status in (
        (editor.delete(url, headers=version(1)), 409),
        (editor.put(url, json=without, headers=version(1)), 409),  # upper leaves 07 out
        (editor.put(url, json=around, headers=version(1)), 422),
    ):
        assert refused.status_code == status, refused.text
        assert refused.json()["detail_zh"]
        kept = inside.city.checkups.sets.get("lower")
        assert (kept.version, kept.document.get("base")) == (1, None)
    assert editor.delete("/checkup/sets/upper", headers=version(1)).status_code == 204
    assert editor.put(url, json=without, headers=version(1)).status_code == 200


def test_a_set_that_is_broken_is_listed_and_hinders_no_other(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    sets = inside.city.checkups.sets
    sets.put("no-base", {**BASE, "id": "no-base", "base": "gone"}, None, None)
    sets.put("no-year", {**mini_set("no-year"), "year": 10**30}, None, None)
    folder = inside.city.folder / "checkup" / "sets" / "torn"
    folder.mkdir(parents=True)
    (folder / "set.toml").write_text("id = ", "utf-8")
    try:
        told = is_described(people["supervisor"].get("/checkup?f=json"), "Checkup")
        problems = {one["id"]: one["problem"] for one in told["sets"]}
        assert problems[SET] is problems["mohurd-2025"] is None
        assert "gone" in problems["no-base"]["en"] and "gone" in problems["no-base"]["zh"]
        assert "year" in problems["no-year"]["en"] and "TOML" in problems["torn"]["en"]
        assert people["editor"].get("/checkup/sets/torn").status_code == 422
        assert people[STRANGER].get("/checkup/sets/torn").status_code in (401, 404)
        strangers = people[STRANGER].get("/checkup?f=json").json()["sets"]
        assert "torn" not in [one["id"] for one in strangers]
    finally:
        (folder / "set.toml").unlink()
        sets.remove("no-base", 1, None)
        sets.remove("no-year", 1, None)


def test_a_run_by_files_is_submitted_as_long_as_they_are_the_same(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    folder = inside.city.folder / "checkup" / "sets" / "filed"
    folder.mkdir(parents=True)
    head = folder / "set.toml"
    text = 'id = "filed"\nsystem = "own"\nyear = 2031\nname = { en = "Filed", zh = "文件" }\nsource = "x"\n'
    more = 'dimensions = {}\nbase = "mohurd-2025"\nwithout = []\n'
    head.write_text(text + more, "utf-8")
    manager = people["data-manager"]
    try:
        run = examine_city(inside.city, 2031, "filed")
        head.write_text(text + more.replace("[]", '["01"]'), "utf-8")
        refused = manager.post(f"/checkup/runs/{run}/submit")
        assert (refused.status_code, "examine again" in refused.json()["detail"]) == (409, True)
        digests = [one["set_digest"] for one in manager.get("/checkup?f=json").json()["runs"]]
        now = is_described(people["editor"].get("/checkup/sets/filed"), "CheckupSet")
        assert (now["version"], now["digest"] in digests) == (1, False)
        head.write_text(text + more, "utf-8")
        assert manager.post(f"/checkup/runs/{run}/submit").status_code == 200
    finally:
        head.unlink()


def test_an_own_set_is_reached_though_files_take_its_id(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    editor = people["editor"]
    assert editor.put("/checkup/sets/both", json={**BASE, "id": "both"}).status_code == 201
    folder = inside.city.folder / "checkup" / "sets" / "both"
    folder.mkdir(parents=True)
    (folder / "set.toml").write_text('id = "both"', "utf-8")
    try:
        told = is_described(editor.get("/checkup?f=json"), "Checkup")["sets"]
        states = {one["state"]: one["problem"] for one in told if one["id"] == "both"}
        assert states["draft"] is None and "another id" in states["shipped"]["en"]
        assert is_described(editor.get("/checkup/sets/both"), "CheckupSet")["state"] == "draft"
        changed = editor.put("/checkup/sets/both", json={**BASE, "id": "both"}, headers=version(1))
        assert changed.status_code == 200
        assert editor.delete("/checkup/sets/both", headers=version(2)).status_code == 204
    finally:
        (folder / "set.toml").unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"formula": {"operator": "total", "what": {"input": "estates"}, "scale": 1e300}}, "scale"),
        ({"decimals": 99}, "decimals"),
        (
            {"formula": {"operator": "total", "what": {"input": "parks"}, "measure": "longest"}},
            "longest",
        ),
        ({"target": {"value": "inf", "source": "x", "confidence": "recalled"}}, "target"),
        ({"name": {"en": "x" * 3000, "zh": "x"}}, "name"),
        ({"by": ["town", "town"]}, "twice"),
        (
            {
                "formula": {
                    "operator": "equipped",
                    "units": {"input": "estates"},
                    "sites": [{"input": "schools"}] * 51,
                }
            },
            "sites",
        ),
        (
            {
                "formula": {
                    "operator": "total",
                    "what": {"input": "estates", "where": {"parking": 10**30}},
                }
            },
            "where",
        ),
    ],
)
def test_an_indicator_out_of_bounds_is_refused(
    people: dict[str, TestClient], change: dict[str, Any], words: str
) -> None:
    given = {**mini_set()["indicators"][1], **change}
    answer = people["editor"].post("/checkup/try", json={"indicator": given})
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    assert answer.json()["detail_zh"]


def test_the_composer_knows_what_there_is(people: dict[str, TestClient]) -> None:
    told = is_described(people["editor"].get("/checkup/roles"), "CheckupRoles")
    roles = {one["role"]: one for one in told["roles"]}
    assert roles["schools"]["present"] and not roles["greenways"]["present"]
    assert {"name": "parking", "unit": "spaces"} in roles["estates"]["columns"]
    assert roles["schools"]["layer"] == "schools" and roles["greenways"]["layer"]
    strangers = {one["role"]: one for one in people[STRANGER].get("/checkup/roles").json()["roles"]}
    assert (strangers["parcels"]["layer"], strangers["schools"]["layer"]) == ("parcels", None)
    assert strangers["parcels"]["present"] and not strangers["schools"]["present"]
