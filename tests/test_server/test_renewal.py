"""Renewal as it stands, over HTTP: any day, by whom it is seen, the same again without a body."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cim_core.renewal.events import Change
from cim_core.renewal.ledger import Ledger
from cim_core.store.renewal import Renewal
from server.description import schemas
from tests.support.inside import Inside
from tests.support.renewal import BEGIN, DOER, renewal_of, towns_of
from tests.support.renewal_office import RenewalOffice

DAY = {"at": "2025-03-15"}


def told(office: RenewalOffice, who: str, url: str, schema: str, **query: str) -> Any:
    """What somebody is told, which is as it is described, and nothing more when it is asked again."""
    answer = office[who].get(url, params=query)
    assert answer.status_code == 200, answer.text
    document = {"components": {"schemas": schemas()}, "$ref": f"#/components/schemas/{schema}"}
    jsonschema.validate(answer.json(), document)
    again = office[who].get(url, params=query, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in answer.headers["cache-control"]
    return answer.json()


def test_everything_that_is_asked_of_a_day_is_told(office: RenewalOffice) -> None:
    page = told(office, "viewer", "/renewal/projects", "RenewalProjects", **DAY)
    assert [one["id"] for one in page["projects"]] == ["e1", "e2", "w1"]
    village = page["projects"][0]
    assert (village["light"], village["stage"]) == ("yellow", "signing")
    assert village["signing"] == {"due": 10, "signed": 8, "rate": 0.8, "gate": 0.8, "met": True}
    area = village["metrics"]["floor-area-demolished"]
    assert (area["actual"], area["period_actual"], area["period_plan"]) == (36_000, 8000, 10_000)
    assert area["points"] == pytest.approx(100 * (36_000 / 130_000 - 69 / 182))
    assert [one["rule"] for one in village["reasons"]] == [
        "schedule-behind", "start-missed", "schedule-slightly-behind",
    ]  # fmt: skip
    assert "10.2 points behind the plan" in village["reasons"][0]["text"]["en"]
    assert "默认" in village["reasons"][2]["text"]["zh"]
    assert village["demolished"] == {
        "twin": None, "reported": 36_000, "difference": None, "whole": False,
    }  # fmt: skip
    assert village["orders"] == {"open": 1, "overdue": 1}
    assert page["totals"]["lights"] == {"green": 1, "yellow": 2, "red": 0}


def test_a_project_has_its_stages_tasks_parcels_and_series(office: RenewalOffice) -> None:
    found = told(office, "viewer", "/renewal/projects/e1", "RenewalProjectDetail", **DAY)
    states = {stage["id"]: stage["state"] for stage in found["stages"]}
    assert (states["approval"], states["signing"], states["demolition"]) == (
        "done",
        "running",
        "late",
    )
    assert [(task["id"], task["version"]) for task in found["tasks"]] == [("e1-t1", 1)]
    assert [parcel["properties"]["use"] for parcel in found["parcels"]] == [
        "resettlement",
        "financing",
    ]
    series = found["series"]["floor-area-demolished"]
    assert (series["ends"][-1], series["actual"][-1]) == ("2025-03-15", 36_000)
    before = told(office, "viewer", "/renewal/projects/e1", "RenewalProjectDetail", at="2025-01-19")
    assert (before["households"]["signed"], before["signing"]["met"]) == (1, False)
    assert office["viewer"].get("/renewal/projects/e1?at=2024-01-01").status_code == 404
    assert office["viewer"].get("/renewal/projects/e1?known=2025-01-01").status_code == 404


def test_towns_are_ranked_and_replayed(office: RenewalOffice) -> None:
    page = told(office, "viewer", "/renewal/towns", "RenewalTowns", **DAY)
    assert [(one["id"], one["rank"]) for one in page["towns"]] == [("here", 1), ("there", None)]
    assert page["towns"][0]["boundary"]["type"] == "Polygon"
    days = {"from": "2025-01-06", "to": "2025-04-06", "step": "month"}
    tracks = told(office, "viewer", "/renewal/replay", "RenewalReplay", **days)
    assert tracks["days"] == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-06"]
    assert tracks["projects"]["e1"]["lights"] == ["green", "green", "yellow", "yellow"]
    assert tracks["towns"]["here"]["red"] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"town": "there"}, ["w1"]),
        ({"type": "old-factory"}, ["e2"]),
        ({"mode": "micro"}, ["w1"]),
        ({"stage": "signing"}, ["e1"]),
        ({"light": "green"}, ["w1"]),
        ({"unit": "here"}, ["e1", "e2"]),
        ({"unit": "nobody"}, []),
        ({"q": "东"}, ["e1", "e2"]),
        ({"q": "PARTNER"}, ["e1"]),
    ],
    ids=str,
)
def test_projects_are_filtered_and_the_totals_are_theirs(
    office: RenewalOffice, wanted: dict[str, str], ids: list[str]
) -> None:
    page = office["viewer"].get("/renewal/projects", params={**DAY, **wanted}).json()
    assert [one["id"] for one in page["projects"]] == ids
    assert page["totals"]["projects"] == len(ids)


def test_a_reporter_sees_the_own_town_and_the_rights_say_so(office: RenewalOffice) -> None:
    about = told(office, "reporter there", "/renewal", "Renewal")
    assert [one["id"] for one in about["towns"]] == ["there"]
    assert about["rights"] == {
        "report": ["there"], "order": [], "edit": [], "manage": [], "households": ["there"],
        "export": [],
    }  # fmt: skip
    page = told(office, "reporter there", "/renewal/projects", "RenewalProjects", **DAY)
    assert [one["id"] for one in page["projects"]] == ["w1"]
    towns = told(office, "reporter there", "/renewal/towns", "RenewalTowns", **DAY)
    assert [one["id"] for one in towns["towns"]] == ["there"]
    assert office["reporter there"].get("/renewal/projects/e1", params=DAY).status_code == 404
    assert told(office, "supervisor", "/renewal", "Renewal")["rights"]["order"] == "all"
    strangers = office.stranger.get("/renewal/projects", params=DAY).json()
    assert strangers["projects"] == []


def test_a_table_is_taken_out_by_who_may_take_files_out(office: RenewalOffice) -> None:
    answer = office["supervisor"].get("/renewal/projects", params={**DAY, "f": "csv", "lang": "en"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Id,Project,Town,Type,Mode,Stage,Light")
    assert lines[1].startswith("e1,东村全面改造,Here,Old village,Comprehensive")
    assert len(lines) == 4
    for who in ("viewer", "reporter here"):
        refused = office[who].get("/renewal/projects?f=csv")
        assert refused.status_code == 403
        assert "file" in refused.json()["detail"]
    assert office.stranger.get("/renewal/projects?f=csv").status_code == 401


def test_browsers_get_the_page_and_programs_the_words(office: RenewalOffice) -> None:
    page = office.stranger.get("/renewal", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) in (
        (200, "text/html; charset=utf-8"), (503, "application/problem+json"),
    )  # fmt: skip
    about = told(office, "viewer", "/renewal", "Renewal")
    assert about["span"]["from"] == "2025-01-06"
    kinds = {unit["id"]: unit["kind"] for unit in about["units"]}
    assert (kinds["here"], kinds["roads"]) == ("town", "department")


@pytest.mark.parametrize(
    "query",
    ["at=20250315", "at=2025-02-30", "at=0001-01-01", "known=yesterday", "known=2025-03-15T12:00"],
)
def test_what_is_no_day_is_refused(office: RenewalOffice, query: str) -> None:
    answer = office["viewer"].get(f"/renewal/projects?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail_zh"]


def test_what_is_recorded_is_there_at_once_and_not_before_it_was_known(
    office: RenewalOffice,
) -> None:
    renewal, day = office.city.renewal, date(2025, 3, 1)

    def told_of(**more: str) -> dict[str, int]:
        page = told(office, "viewer", "/renewal/projects", "RenewalProjects", **DAY, **more)
        counts: dict[str, int] = page["projects"][-1]["buildings"]
        return {state: count for state, count in counts.items() if count}

    def record(change: dict[str, str] | None, version: int | None) -> str:
        time.sleep(0.002)  # what is recorded in the same millisecond counts as known
        renewal.apply([Change("building", "w1-b9", change, day, version)], None)
        return datetime.fromtimestamp(renewal.file.now() / 1000, UTC).isoformat()

    before = office["viewer"].get("/renewal/projects", params=DAY)
    headers = {"if-none-match": before.headers["etag"]}
    then = record({"project": "w1"}, None)
    after = office["viewer"].get("/renewal/projects", params=DAY, headers=headers)
    assert after.status_code == 200
    assert after.json()["revision"] == before.json()["revision"] + 1
    record({"state": "demolished"}, 1)
    assert told_of() == {"unsigned": 1, "signed": 1, "demolished": 1}
    assert told_of(known=then) == {"unsigned": 2, "signed": 1}
    record(None, 2)
    assert told_of() == {"unsigned": 1, "signed": 1}
    assert told_of(known=then) == {"unsigned": 2, "signed": 1}


def test_what_changes_while_an_answer_is_made_is_not_taken_for_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = ("", "/projects", "/projects/e1", "/towns", "/replay?step=month")
    with Inside(tmp_path / "city") as inside:
        towns_of(inside.city)
        renewal_of(inside.city)
        viewer, ledger, late = inside.client("viewer"), Renewal.ledger, []

        def overtaken(renewal: Renewal) -> Ledger:
            found = ledger(renewal)
            if late:
                renewal.apply([late.pop()], DOER)
            return found

        monkeypatch.setattr(Renewal, "ledger", overtaken)
        for version, url in enumerate(urls, start=1):
            name = {"name": f"renamed for {url}"}
            late.append(Change("project", "e1", name, date(2025, 1, 7), version))
            first = viewer.get(f"/renewal{url}")
            assert (first.status_code, late, name["name"] in first.text) == (200, [], False), url
            heard = {"if-none-match": first.headers["etag"]}
            again = viewer.get(f"/renewal{url}", headers=heard)
            assert again.status_code == 200, f"the name is another now, {url}"
            heard = {"if-none-match": again.headers["etag"]}
            assert viewer.get(f"/renewal{url}", headers=heard).status_code == 304, url


def test_a_day_that_is_a_slip_of_the_pen_keeps_nobody_from_the_replay(tmp_path: Path) -> None:
    with Inside(tmp_path / "city") as inside:
        towns_of(inside.city)
        renewal_of(inside.city)
        viewer = inside.client("viewer")
        slip = {"project": "e2", "name": "shed"}
        inside.city.renewal.apply([Change("building", None, slip, date(1990, 1, 1))], DOER)
        span = viewer.get("/renewal?f=json").json()["span"]
        begun = {**inside.city.renewal.get("project", "e2").document, "name": "begun long ago"}
        inside.city.renewal.apply([Change("project", "e9", begun, date(1990, 1, 1))], DOER)
        days = viewer.get("/renewal/replay?to=2025-04-06&step=month").json()["days"]
        assert span["from"] == BEGIN.isoformat()
        assert (days[0], days[-1]) == ("2002-04-30", "2025-04-06"), "1,200 weeks"
