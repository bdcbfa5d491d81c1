"""Renewal as people change it over HTTP: nothing is lost, and everybody changes their own."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from cim_core.store.office_audit import AuditQuery
from tests.support.renewal_office import RenewalOffice, changed

WEEK = {"metric": "land-cleared", "period": "week", "start": "2025-04-07", "end": "2025-04-13"}
LIU = {
    "name": "Liu village", "type": "old-village", "mode": "comprehensive", "town": "here",
    "template": "old-village",
}  # fmt: skip
DEEP: list = []
for _ in range(600):
    DEEP = [DEEP]


def edit_at_once(office: RenewalOffice, editors: int, edits: int, buildings: int) -> int:
    """Many editors add words to the notes of the same buildings; how often one of them was too late."""
    manager, url = office["data manager"], "/renewal/projects/e2/buildings"
    made = [
        manager.post(url, json={"document": {"name": f"No. {number}"}}).json()["id"]
        for number in range(buildings)
    ]

    def edit(editor: int) -> int:
        late, luck = 0, random.Random(editor)
        with office.client("editor") as client:
            notes = dict.fromkeys(made, (1, ""))
            for number in range(edits):
                key = luck.choice(made)
                while True:
                    version, note = notes[key]
                    word = f"{editor}.{number}"
                    answer = changed(
                        client, f"/renewal/buildings/{key}", version, {"note": f"{note} {word}"}
                    )
                    if answer.status_code == 200:
                        told = answer.json()
                        assert answer.headers["etag"] == f'"{told["version"]}"'
                    else:
                        assert answer.status_code == 412, answer.text
                        late += 1
                        told = next(
                            b for b in client.get(url).json()["buildings"] if b["id"] == key
                        )
                    notes[key] = told["version"], told["document"].get("note", "")
                    if answer.status_code == 200:
                        break
        return late

    with ThreadPoolExecutor(editors) as pool:
        late = sum(pool.map(edit, range(editors)))
    found = {one["id"]: one for one in manager.get(url).json()["buildings"] if one["id"] in made}
    words = [word for one in found.values() for word in one["document"]["note"].split()]
    assert sorted(words) == sorted(f"{e}.{n}" for e in range(editors) for n in range(edits))
    for key, one in found.items():
        where = f"/renewal/projects/e2/history?kind=building&id={key}&limit=5000"
        versions = [event["version"] for event in manager.get(where).json()["events"]]
        assert versions == list(range(one["version"], 0, -1))
    return late


def test_eight_editors_at_once_lose_nothing(office: RenewalOffice) -> None:
    assert edit_at_once(office, 8, 40, 6) > 0, "nobody was too late: they did not meet"


@pytest.mark.soak
def test_eight_editors_with_320_edits_each_lose_nothing(tmp_path: Path) -> None:
    office = RenewalOffice(tmp_path)
    assert edit_at_once(office, 8, 320, 16) > 0
    office.stop()


def test_a_project_is_begun_changed_and_removed(office: RenewalOffice) -> None:
    manager, editor = office["data manager"], office["editor"]
    made = manager.post("/renewal/projects", json={"id": "liu", "document": LIU})
    assert (made.status_code, made.headers["etag"], made.json()["by"]) == (
        201,
        '"1"',
        "data manager",
    )
    url = "/renewal/projects/liu"
    after = changed(editor, url, 1, {"stages": {"signing": {"started": "2025-02-01"}}, "far": 3.2})
    assert (after.status_code, after.json()["document"]["far"]) == (200, 3.2)
    late = changed(editor, url, 1, {"far": 9.0})
    assert late.status_code == 412
    assert "已被 editor 修改" in late.json()["detail_zh"]
    task = {"title": "Survey", "unit": "roads", "stage": "survey", "due": "2025-03-01"}
    made = editor.post(f"{url}/tasks", json={"document": task, "effective": "2025-01-02"}).json()
    assert manager.delete(url, headers={"if-match": '"2"'}).status_code == 409
    where = f"/renewal/tasks/{made['id']}"
    done = changed(editor, where, 1, {"done": "2025-02-20"}, effective="2025-02-20").json()
    assert done["document"] == {**task, "project": "liu", "done": "2025-02-20"}
    assert editor.delete(where, headers={"if-match": '"2"'}).status_code == 204
    assert manager.delete(url, headers={"if-match": '"2"'}).status_code == 204
    assert editor.get(f"{url}/history").status_code == 404
    again = manager.post("/renewal/projects", json={"id": "liu", "document": LIU})
    assert again.status_code == 409, "an id is not given again"


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        ({"far": "three"}, {}, "project: Expected `float | null`, got `str` - at `$.far`"),
        ({"farr": 3.0}, {}, "unknown field `farr`"),
        ({"town": "nowhere"}, {}, "there is no town 'nowhere'"),
        ({"template": "none"}, {}, "there are no stages 'none'"),
        ({"stages": {"none": {}}}, {}, "old-factory-self has no stage 'none'"),
        ({"targets": [{"metric": "none"}]}, {}, "there is no metric 'none'"),
        ({"boundary": {"note": {"a": 1}}}, {}, "boundary is no polygon"),
        ({"boundary": {"coordinates": DEEP}}, {}, "boundary is no polygon"),
        ({"note": "a\0b"}, {}, "a text has the control character U+0000"),
        ({"name": None}, {}, "missing required field `name`"),
        (
            {},
            {"effective": "1989-12-31"},
            "effective=1989-12-31 does not lie between 1990-01-01 and",
        ),
        ({}, {"effective": "2190-01-01"}, "effective=2190-01-01 does not lie between"),
        ({}, {"effective": "soon"}, "effective=soon is no day"),
    ],
)
def test_what_is_wrong_is_said_and_not_recorded(
    office: RenewalOffice, change: dict, more: dict, said: str
) -> None:
    editor = office["editor"]
    version = editor.get("/renewal/projects/e2/history?kind=project").json()["events"][0]["version"]
    answer = changed(editor, "/renewal/projects/e2", version, change, **more)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    events = editor.get("/renewal/projects/e2/history?kind=project").json()["events"]
    assert events[0]["version"] == version


def test_without_if_match_nothing_is_changed_and_one_sentence_says_why(
    office: RenewalOffice,
) -> None:
    for headers in ({}, {"if-match": "*"}, {"if-match": '"one"'}):
        body = {"change": {"far": 2.0}}
        answer = office["editor"].patch("/renewal/projects/e2", json=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("If-Match does not say which version")
        assert answer.json()["detail_zh"].startswith("If-Match 未说明")


def test_progress_is_reported_once_and_verified_by_somebody_else(office: RenewalOffice) -> None:
    reporter, supervisor = office["reporter here"], office["supervisor"]
    url = "/renewal/projects/e1/progress"
    later = {**WEEK, "start": "2025-04-14", "end": "2025-04-20", "actual": 700.0}
    body = {"records": [{**WEEK, "actual": 500.0, "plan": 900.0}, later]}
    made = reporter.post(url, json=body)
    assert made.status_code == 201
    first, second = made.json()["records"]
    assert (first["document"]["reporter"], first["project"]) == ("reporter here", "e1")
    again = reporter.post(url, json={"records": [{**WEEK, "start": "2025-04-11", "actual": 1.0}]})
    assert again.status_code == 409
    assert f"2025-04-07 to 2025-04-13 is reported already ({first['id']})" in again.json()["detail"]
    twice = {
        **WEEK,
        "metric": "investment",
        "start": "2025-05-05",
        "end": "2025-05-11",
        "actual": 1.0,
    }
    assert reporter.post(url, json={"records": [twice, twice]}).status_code == 409
    listed = reporter.get(f"{url}?metric=land-cleared&from=2025-04-08").json()["records"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    wrong = {**WEEK, "start": "2025-06-02", "end": "2025-06-08", "actual": 1.0, "reporter": "x"}
    assert reporter.post(url, json={"records": [wrong]}).status_code == 422
    ahead = date.today() + timedelta(days=30)
    wrong = {**WEEK, "start": f"{ahead}", "end": f"{ahead}", "actual": 1.0}
    assert "the period begins on" in reporter.post(url, json={"records": [wrong]}).json()["detail"]
    unknown = {
        **WEEK,
        "start": "2025-06-02",
        "end": "2025-06-08",
        "actual": 1.0,
        "evidence": ["f9"],
    }
    assert "no evidence 'f9'" in reporter.post(url, json={"records": [unknown]}).json()["detail"]

    where = f"/renewal/progress/{first['id']}"
    assert reporter.post(f"{where}/verification").status_code == 403
    told = changed(supervisor, where, 1, {"actual": 450.0}).json()
    own = supervisor.post(f"{where}/verification", headers={"if-match": "2"})
    assert (own.status_code, own.json()["title"]) == (403, "Forbidden")
    other = (
        office["second supervisor"].post(f"{where}/verification", headers={"if-match": "2"}).json()
    )
    assert other["document"]["verified_by"] == "second supervisor"
    assert changed(reporter, where, 3, {"actual": 600.0}).status_code == 403
    told = changed(supervisor, where, 3, {"actual": 480.0}).json()
    assert "verified_by" not in told["document"]
    assert changed(reporter, where, 4, {"actual": 470.0}).status_code == 200
    assert (
        changed(reporter, where, 5, {"start": "2025-04-10", "end": "2025-04-15"}).status_code == 409
    )
    assert reporter.delete(where, headers={"if-match": "5"}).status_code == 403
    assert supervisor.delete(where, headers={"if-match": "5"}).status_code == 204


def test_a_reporter_writes_for_the_own_town_and_does_not_see_another(office: RenewalOffice) -> None:
    here, there = office["reporter here"], office["reporter there"]
    record = {"records": [{**WEEK, "actual": 1.0, "metric": "resettlement-started"}]}
    reads = [
        f"/renewal/projects/e1/{what}"
        for what in ("history", "progress", "buildings", "households")
    ] + ["/renewal/orders/e1-o1", "/renewal/households/e1-h1"]
    for url in reads:
        assert (there.get(url).status_code, here.get(url).status_code) == (404, 200), url
    assert there.get("/renewal/orders").json()["orders"] == []
    assert [one["id"] for one in here.get("/renewal/orders").json()["orders"]] == ["e1-o1"]
    assert there.post("/renewal/projects/e1/progress", json=record).status_code == 404
    assert changed(there, "/renewal/buildings/e1-b4", 1, {"state": "signed"}).status_code == 404
    assert changed(there, "/renewal/households/e1-h9", 1, {"state": "signed"}).status_code == 404
    taken = there.post("/renewal/orders/e1-o1/receive", json={}, headers={"if-match": "1"})
    assert taken.status_code == 404
    assert here.post("/renewal/projects/e1/progress", json=record).status_code == 201

    signed = changed(
        here, "/renewal/buildings/e1-b4", 1, {"state": "signed"}, effective="2025-03-05"
    )
    assert (signed.status_code, signed.json()["document"]["state"]) == (200, "signed")
    survey = changed(here, "/renewal/buildings/e1-b4", 2, {"state": "signed", "floor_area": 9.0})
    assert survey.status_code == 422
    assert "floor_area is not given this way" in survey.json()["detail"]
    assert (
        changed(office["viewer"], "/renewal/buildings/e1-b4", 2, {"state": "signed"}).status_code
        == 403
    )
    assert (
        changed(office["editor"], "/renewal/buildings/e1-b4", 2, {"floor_area": 9.0}).status_code
        == 200
    )
    for name in ("viewer", "reporter here", "supervisor"):
        assert changed(office[name], "/renewal/projects/e2", 1, {"far": 1.0}).status_code == 403
        assert office[name].post("/renewal/projects", json={"document": LIU}).status_code == 403
    assert office.stranger.get("/renewal/projects/e1/history").status_code in (401, 404)
    assert office.stranger.post("/renewal/projects", json={"document": LIU}).status_code == 401


def test_the_log_names_what_was_changed_by_ids(office: RenewalOffice) -> None:
    entries, _, _ = office.city.office.audit.find(AuditQuery(verb="report"), 1000)
    rows = [entry.as_dict() for entry in entries]
    done = [row for row in rows if row["what"] == "PATCH /renewal/buildings/e1-b4"]
    granted = next(row for row in done if row["status"] == 200)
    assert json.loads(json.dumps(granted["detail"])) == {
        "project": "e1", "building": "e1-b4", "version": 2,
    }  # fmt: skip
    assert {row["result"] for row in rows} >= {"ok", "denied"}


def test_one_time_is_not_reported_by_weeks_and_by_months_as_well(office: RenewalOffice) -> None:
    reporter, url = office["reporter here"], "/renewal/projects/e1/progress"
    week = {**WEEK, "metric": "resettlement-started", "start": "2025-05-05", "end": "2025-05-11"}
    month = {**week, "period": "month", "start": "2025-05-01", "end": "2025-05-31", "actual": 9.0}
    made = reporter.post(url, json={"records": [{**week, "actual": 3.0}]})
    assert made.status_code == 201, made.text
    again = reporter.post(url, json={"records": [month]})
    assert again.status_code == 409
    assert "2025-05-05 to 2025-05-11 is reported already" in again.json()["detail"]
    june = {**month, "start": "2025-06-01", "end": "2025-06-30"}
    later = reporter.post(url, json={"records": [june]}).json()["records"][0]
    where = f"/renewal/progress/{later['id']}"
    may = {"start": "2025-05-11", "end": "2025-05-31"}
    assert changed(reporter, where, 1, may).status_code == 409


def test_two_records_are_not_corrected_to_the_same_days_at_once(office: RenewalOffice) -> None:
    reporter, url = office["reporter here"], "/renewal/projects/e1/progress"
    aside = {**WEEK, "metric": "buildings-handed-over", "actual": 1.0}
    days = [{"start": f"2025-06-{day:02}", "end": f"2025-06-{day:02}"} for day in (1, 2)]
    made = reporter.post(url, json={"records": [{**aside, **day} for day in days]}).json()
    places = [f"/renewal/progress/{one['id']}" for one in made["records"]]
    versions = [1, 1]
    for day in range(3, 11):
        free = {"start": f"2025-06-{day:02}", "end": f"2025-06-{day:02}"}
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(
                    lambda place, at, to=free: changed(reporter, place, at, to), places, versions
                )
            )
        assert sorted(one.status_code for one in answers) == [200, 409], free
        won = next(at for at, one in enumerate(answers) if one.status_code == 200)
        versions[won] += 1


@pytest.mark.parametrize(
    ("url", "change"),
    [
        ("/renewal/households/e1-h9", {"project": None, "building": "e1-b1"}),
        ("/renewal/tasks/e1-t1", {"project": None, "stage": "survey"}),
        ("/renewal/tasks/e1-t1", {"project": ["a"], "stage": "survey"}),
        ("/renewal/tasks/e1-t1", {"project": "w1"}),
        ("/renewal/buildings/e1-b4", {"project": {}}),
    ],
)
def test_what_belongs_to_a_project_stays_there(
    office: RenewalOffice, url: str, change: dict
) -> None:
    who = "reporter here" if "household" in url else "data manager"
    answer = changed(office[who], url, 1, change)
    assert answer.status_code == 422, answer.text
    assert "belongs to 'e1' and stays there" in answer.json()["detail"]


def test_a_record_is_of_seven_days_or_of_one_month(office: RenewalOffice) -> None:
    reporter, url = office["reporter here"], "/renewal/projects/e1/progress"
    record = {**WEEK, "metric": "households-resettled", "actual": 1.0}
    for more in (
        {"start": "2025-06-02", "end": "2025-06-09"},
        {"start": "2025-06-02", "end": "2199-12-30"},
        {"period": "month", "start": "2025-06-30", "end": "2025-07-01"},
        {"period": "month", "start": "2024-06-01", "end": "2025-06-30"},
    ):
        answer = reporter.post(url, json={"records": [{**record, **more}]})
        assert answer.status_code == 422, more
        assert "too many for one record" in answer.json()["detail"]
