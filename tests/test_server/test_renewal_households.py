"""Households reach nobody but those entitled: every route is asked, and the answers are searched."""

import csv
import io
import json
import threading
import zipfile
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cim_core.renewal.events import Change
from cim_core.store.office_audit import AuditQuery
from tests.support.renewal import BEGIN
from tests.support.renewal_office import PEOPLE, RenewalOffice, changed

HOLDERS = {"e1": "户主东一", "w1": "户主西一"}
"""Of one household more of each project; those of `renewal_of` are 户主甲."""
ENTITLED = {
    "supervisor": {"e1", "w1"}, "second supervisor": {"e1", "w1"}, "data manager": {"e1", "w1"},
    "reporter here": {"e1"}, "roads here": {"e1"}, "reporter there": {"w1"},
}  # fmt: skip
PERSONAL = {
    "/renewal/projects/{project}/households", "/renewal/households/{household}",
    "/renewal/projects/{project}/history",
}  # fmt: skip
"""The only routes that tell of holders."""
PLACES = {
    "town": "here", "task": "{project}-t1", "record": "{project}-investment-1", "building": "{project}-b1",
    "household": "{project}-holder", "order": "e1-o1", "step": "week", "period": "week",
    "collection": "projects", "item": "{project}", "id": "{project}", "feature": "{project}",
    "end": "2025-04-06", "from": "2025-01-06", "to": "2025-04-06", "report": "demolition",
    "evidence": "none", "hook": "none", "q": "户主", "layer": "none", "metric": "investment",
}  # fmt: skip
"""What stands for a parameter of an address."""


@pytest.fixture(scope="module")
def campaign(office: RenewalOffice) -> RenewalOffice:
    office.city.renewal.apply(
        [
            Change("household", f"{project}-holder", {
                "project": project, "number": "=1+1", "holder": holder, "persons": 4, "area_legal": 99.5,
            }, BEGIN)
            for project, holder in HOLDERS.items()
        ],
        None,
    )  # fmt: skip
    return office


def addresses(office: RenewalOffice, project: str) -> dict[str, str]:
    """The address of everything that can be asked about a project, by the path of its route."""
    description = office["auditor"].get("/openapi.json").json()
    found = {}
    for path, operations in description["paths"].items():
        of_renewal = path.startswith("/renewal")
        if "get" not in operations or not (of_renewal or path in ("/search", "/city", "/jobs")):
            continue
        operation, address, query = operations["get"], path, {}
        for one in operation.get("parameters", ()):
            name = one["name"]
            if one["in"] == "header" or not (one["in"] == "path" or one.get("required")):
                continue
            wanted = project if name == "project" else PLACES[name].replace("{project}", project)
            if one["in"] == "path":
                address = address.replace(f"{{{name}}}", wanted)
            else:
                query[name] = wanted
        found[path] = f"{address}?{httpx.QueryParams(query)}" if query else address
    return found


def told(answer: httpx.Response) -> str:
    """All that an answer tells, out of archives too, as it would be read."""
    body = answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist())
    return body.decode("utf-8", "replace") + str(answer.headers)


def names_in(text: str) -> set[str]:
    """The projects whose holders a text names, in whatever way it writes letters."""
    return {
        project
        for project, holder in HOLDERS.items()
        if any(way in text for way in (holder, json.dumps(holder)[1:-1], quote(holder)))
    }


@pytest.mark.parametrize("project", ["e1", "w1"])
def test_holders_reach_nobody_but_those_entitled(campaign: RenewalOffice, project: str) -> None:
    where = addresses(campaign, project)
    assert set(where) > PERSONAL
    elsewhere = ("reporter here", "reporter there", "supervisor", "viewer")
    for who in (*PEOPLE, "stranger") if project == "e1" else elsewhere:
        client = campaign.stranger if who == "stranger" else campaign[who]
        entitled = ENTITLED.get(who, set())
        for path, address in where.items():
            answer = client.get(address)
            assert answer.status_code < 500, (who, address, answer.text)
            expected = {project} & entitled if path in PERSONAL else set()
            assert names_in(told(answer)) == expected, (who, address)
            if path in PERSONAL and path != "/renewal/projects/{project}/history":
                assert (answer.status_code == 200) == bool(expected), (who, address)


def test_files_tell_of_holders_only_who_may_take_them_out(campaign: RenewalOffice) -> None:
    url = "/renewal/projects/e1/households?f=csv"
    for who in (*PEOPLE, "stranger"):
        client = campaign.stranger if who == "stranger" else campaign[who]
        answer = client.get(url)
        allowed = who in ("supervisor", "second supervisor", "data manager")
        assert (answer.status_code == 200) == allowed, who
        assert names_in(told(answer)) == ({"e1"} if allowed else set())
    answer = campaign["supervisor"].get(url)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    mine = next(row for row in rows if row["id"] == "e1-holder")
    assert (mine["holder"], mine["number"], mine["state"]) == ("户主东一", "'=1+1", "unsigned")
    assert len(rows) == 11
    assert answer.headers["cache-control"] == "no-store"
    entries, _, _ = campaign.city.office.audit.find(AuditQuery(verb="export"), 100)
    detail = entries[0].as_dict()["detail"]
    assert (detail["households"], detail["export"]) == (11, answer.headers["x-export-id"])

    for report, form in (("demolition", "xlsx"), ("supervision", "docx")):
        query = f"period=week&end=2025-04-06&f={form}"
        for who in ("editor", "supervisor"):
            answer = campaign[who].get(f"/renewal/reports/{report}?{query}")
            assert answer.status_code == 200, answer.text
            assert names_in(told(answer)) == set()


def test_what_is_written_of_households_is_told_to_nobody_else(campaign: RenewalOffice) -> None:
    news: list[str] = []
    listening = threading.Event()

    def listen() -> None:
        with (
            campaign.client("viewer") as client,
            client.stream("GET", "/events", timeout=5) as stream,
        ):
            listening.set()
            try:
                for line in stream.iter_lines():
                    news.append(line)
                    if "enough" in line or "event: renewal" in line:
                        return
            except httpx.ReadTimeout:
                return

    listener = threading.Thread(target=listen)
    listener.start()
    assert listening.wait(5)
    reporter, viewer = campaign["reporter here"], campaign["viewer"]
    url, holder = "/renewal/households/e1-holder", HOLDERS["e1"]
    assert changed(reporter, url, 1, {"state": "signed"}, effective="2025-02-03").status_code == 200
    wrong = changed(reporter, url, 2, {"holder": [holder], holder: 1})
    assert (wrong.status_code, names_in(wrong.json()["detail"].replace(f"`{holder}`", ""))) == (
        422,
        set(),
    )
    late = changed(reporter, url, 1, {"holder": holder})
    assert (late.status_code, names_in(late.text)) == (412, set())
    assert changed(viewer, url, 2, {"note": holder}).status_code == 403
    document = {"number": "7", "holder": holder}
    for who, status in (("viewer", 403), ("data manager", 403), ("reporter there", 404)):
        made = campaign[who].post("/renewal/projects/e1/households", json={"document": document})
        assert (made.status_code, names_in(made.text)) == (status, set()), who
    made = reporter.post("/renewal/projects/e1/households", json={"document": document})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    gone = f"/renewal/households/{made.json()['id']}"
    assert reporter.delete(gone, headers={"if-match": "1"}).status_code == 204
    listener.join(10)
    assert names_in("\n".join(news)) == set()

    entries, _, _ = campaign.city.office.audit.find(AuditQuery(verb="households"), 1000)
    rows: list[dict[str, Any]] = [entry.as_dict() for entry in entries]
    assert [row for row in rows if row["what"] == f"GET {url}" and row["result"] == "ok"]
    auditor = campaign["auditor"]
    for log in ("/audit?limit=1000", "/audit/export?f=csv", "/audit/export?f=jsonl"):
        answer = auditor.get(log)
        assert answer.status_code == 200
        assert "e1-holder" in answer.text
        assert names_in(told(answer)) == set()
    kept = b"".join(path.read_bytes() for path in campaign.city.folder.glob("office.db*"))
    kept += campaign.server.log.read_bytes()
    assert holder.encode() not in kept
    assert json.dumps(holder)[1:-1].encode() not in kept


def test_households_are_paged_and_chosen(campaign: RenewalOffice) -> None:
    url, found, after = "/renewal/projects/e1/households", [], ""
    while after is not None:
        page = campaign["reporter here"].get(f"{url}?limit=4&after={after}").json()
        found += [one["id"] for one in page["households"]]
        after = page["next"]
    assert found == sorted(found)
    assert len(found) == len(set(found)) == 11
    unsigned = (
        campaign["supervisor"].get(f"{url}?state=unsigned&building=e1-b1").json()["households"]
    )
    assert [one["id"] for one in unsigned] == ["e1-h10", "e1-h9"]
