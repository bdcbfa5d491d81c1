"""Supervision orders over HTTP, from the draft to the end, each step by whom it is for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from cim_core.renewal.events import Change
from cim_core.renewal.working_days import NATIONAL
from cim_core.sight import Doer
from cim_core.store.office_audit import AuditQuery
from tests.support.renewal_office import RenewalOffice, changed

TODAY = datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).date()
PHOTO = {
    "name": "photo.jpg", "media_type": "image/jpeg", "size": 9, "sha256": "0" * 64,
}  # fmt: skip


class Ordered:
    """An order, and its version as the last answer told it."""

    def __init__(self, office: RenewalOffice, **more: Any) -> None:
        document = {
            "project": "e1", "title": "Clear the eastern lane", "issue": "Say what is in the way.",
            "unit": "here", **more,
        }  # fmt: skip
        answer = office["supervisor"].post("/renewal/orders", json={"document": document})
        assert answer.status_code == 201, answer.text
        self.url, self.version = f"/renewal/orders/{answer.json()['id']}", 1

    def ask(self, client: httpx.Client, step: str, **words: Any) -> httpx.Response:
        match = {"if-match": f'"{self.version}"'}
        return client.post(f"{self.url}/{step}", json=words, headers=match)

    def go(self, client: httpx.Client, step: str, **words: Any) -> dict:
        answer = self.ask(client, step, **words)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["version"] == self.version + 1
        assert answer.headers["etag"] == f'"{told["version"]}"'
        self.version = told["version"]
        return told["document"]

    def as_seen(self, client: httpx.Client) -> dict:
        return client.get(self.url).json()


@pytest.fixture
def photo(office: RenewalOffice) -> str:
    document = {"project": "e1", **PHOTO}
    return office.city.renewal.apply([Change("evidence", None, document, TODAY)], None)[0].id


def test_an_order_is_issued_answered_returned_extended_answered_again_and_closed(
    office: RenewalOffice, photo: str
) -> None:
    boss, unit = office["supervisor"], office["reporter here"]
    order = Ordered(office, days=4)
    assert order.as_seen(boss)["may"] == ["issue", "withdraw"]
    assert order.as_seen(unit)["may"] == []
    rewritten = changed(boss, order.url, 1, {"days": 5}).json()
    order.version = rewritten["version"]
    issued = order.go(boss, "issue")
    deadline = NATIONAL.deadline(TODAY, 5)
    assert (issued["issued"], issued["deadline"]) == (TODAY.isoformat(), deadline.isoformat())
    assert issued["number"].startswith(f"督办〔{TODAY.year}〕")
    assert issued["issued_by"] == "supervisor"
    seen = order.as_seen(unit)
    assert seen["may"] == ["receive", "ask-extension"]
    assert (seen["urgency"], seen["overdue_days"], seen["town"]) == ("yellow", 0, "here")
    unknown = NATIONAL.unknown(TODAY, deadline)
    assert seen["weekends_only"] == list(unknown)
    assert changed(boss, order.url, order.version, {"days": 9}).status_code == 409

    order.go(unit, "receive")
    order.go(unit, "handle")
    order.go(unit, "answer", text="The lane is clear.")
    order.go(boss, "return", text="A photo is missing.")
    later = deadline + timedelta(days=10)
    order.go(unit, "ask-extension", text="It rains.", until=later.isoformat())
    granted = order.go(boss, "grant-extension", text="Until it is dry.")
    assert granted["deadline"] == later.isoformat()
    order.go(unit, "answer", text="With a photo.", evidence=[photo])
    closed = order.go(boss, "close", text="Seen on site.")
    assert (closed["state"], closed["closed_by"], closed["conclusion"]) == (
        "closed", "supervisor", "Seen on site.",
    )  # fmt: skip
    assert [one["by"] for one in closed["feedback"]] == ["reporter here"] * 2
    seen = order.as_seen(unit)
    assert (seen["may"], seen["urgency"]) == ([], None)
    states = [event["change"]["state"] for event in seen["events"] if "state" in event["change"]]
    assert states == [
        "issued",
        "received",
        "handling",
        "answered",
        "returned",
        "answered",
        "closed",
    ]
    assert {event["name"] for event in seen["events"]} == {"supervisor", "reporter here"}

    entries, _, _ = office.city.office.audit.find(AuditQuery(), 1000)
    key = order.url.rpartition("/")[2]
    steps = [
        (row["person"]["name"], row["verb"], row["detail"]["step"])
        for row in (entry.as_dict() for entry in reversed(entries))
        if row["detail"].get("order") == key and "step" in row["detail"]
    ]
    assert steps == [
        ("supervisor", "order", "issue"), ("reporter here", "report", "receive"),
        ("reporter here", "report", "handle"), ("reporter here", "report", "answer"),
        ("supervisor", "order", "return"), ("reporter here", "report", "ask-extension"),
        ("supervisor", "order", "grant-extension"), ("reporter here", "report", "answer"),
        ("supervisor", "order", "close"),
    ]  # fmt: skip


def test_steps_are_for_whom_they_are_for(office: RenewalOffice, photo: str) -> None:
    boss, unit, roads = (office[name] for name in ("supervisor", "reporter here", "roads here"))
    order = Ordered(office, unit="roads")
    assert order.ask(unit, "issue").status_code == 403
    order.go(boss, "issue")
    refused = order.ask(unit, "receive")
    assert refused.status_code == 403
    assert "for the unit 'roads', and you are not of it" in refused.json()["detail"]
    assert order.ask(office["reporter there"], "receive").status_code == 404
    assert order.ask(office["viewer"], "receive").status_code == 403
    order.go(roads, "receive")
    assert order.ask(roads, "close").status_code == 403
    too_early = order.ask(boss, "close")
    assert too_early.status_code == 409
    assert (
        too_early.json()["detail_zh"] == "督办单处于“已签收”状态，不能办结；请重新查看可执行的步骤"
    )
    wordless = order.ask(roads, "answer")
    assert wordless.status_code == 422
    assert wordless.json()["detail_zh"] == "反馈需要文字说明；请在 text 中给出"
    elsewhere = {"project": "w1", **PHOTO}
    other = office.city.renewal.apply([Change("evidence", None, elsewhere, TODAY)], Doer("x", "x"))[
        0
    ].id
    foreign = order.ask(roads, "answer", text="Done.", evidence=[other])
    assert foreign.status_code == 422
    assert f"no evidence '{other}' in the project 'e1'" in foreign.json()["detail"]
    order.go(roads, "answer", text="Done.", evidence=[photo])
    order.version -= 1
    assert order.ask(boss, "close").status_code == 412
    assert boss.post(f"{order.url}/close", json={}).status_code == 422
    assert boss.post(f"{order.url}/burn", json={}, headers={"if-match": "1"}).status_code == 422
    order.version += 1
    assert order.go(boss, "withdraw", text="It was a mistake.")["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unit": "nobody"}, "'nobody' is no town and no department"),
        ({"unit": "there"}, "'there' could not answer it"),
        ({"unit": ""}, "'' could not answer it"),
        ({"cooperating": ["water", "fire"]}, "'fire' is no town and no department"),
        ({"task": "w1-t1"}, "there is no task 'w1-t1' in the project 'e1'"),
        ({"state": "closed"}, "state is not given this way"),
        ({"deadline": "2030-01-01"}, "deadline is not given this way"),
        ({"days": 0}, "order: Expected `int` >= 1"),
    ],
)
def test_an_order_that_is_not_right_is_not_drafted(
    office: RenewalOffice, more: dict, said: str
) -> None:
    document = {"project": "e1", "title": "T", "issue": "I", "unit": "here", **more}
    answer = office["supervisor"].post("/renewal/orders", json={"document": document})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_orders_are_listed_by_what_is_due_first_as_they_are_and_as_they_were(
    office: RenewalOffice,
) -> None:
    boss = office["supervisor"]
    soon, late = (Ordered(office, title=title, unit="water") for title in ("soon", "late"))
    late.go(boss, "issue", deadline=(TODAY + timedelta(days=60)).isoformat())
    soon.go(boss, "issue", deadline=(TODAY + timedelta(days=1)).isoformat())
    Ordered(office, unit="water", title="draft")
    listed = boss.get("/renewal/orders?unit=water").json()
    assert [one["title"] for one in listed["orders"]] == ["soon", "late", "draft"]
    assert [one["urgency"] for one in listed["orders"]] == ["blue", "yellow", None]
    assert listed["counts"] == {"open": 2, "overdue": 0, "by_state": {"issued": 2, "draft": 1}}
    blue = boss.get("/renewal/orders?unit=water&urgency=blue").json()
    assert ([one["title"] for one in blue["orders"]], blue["counts"]["open"]) == (["soon"], 2)
    known = {one["number"] for one in boss.get("/renewal/orders").json()["orders"] if one["number"]}
    issued = boss.get("/renewal/orders?state=issued").json()["orders"]
    assert len(known) == len({one["number"] for one in issued} | known)

    # e1-o1 was issued on 3 March 2025 and due on 10 March.
    for at, urgency, days in (
        (date(2025, 3, 4), "yellow", 0), (date(2025, 3, 5), "blue", 0),
        (date(2025, 3, 10), "blue", 0), (date(2025, 3, 13), "red", 3),
    ):  # fmt: skip
        then = boss.get(f"/renewal/orders?at={at}").json()
        assert then["counts"]["open"] == 1
        [one] = then["orders"]
        assert (one["id"], one["urgency"], one["overdue_days"]) == ("e1-o1", urgency, days)
        assert one["may"] == []
    assert boss.get("/renewal/orders?at=2025-03-02").json()["orders"] == []
    assert boss.get("/renewal/orders?town=there").json()["orders"] == []
    assert boss.get("/renewal/orders?state=lost").status_code == 422


def test_numbers_are_given_once_however_many_are_issued_at_once(office: RenewalOffice) -> None:
    orders = [Ordered(office, unit="roads", title=f"No. {n}") for n in range(8)]

    def issue(order: Ordered) -> str:
        with office.client("supervisor") as client:
            return order.go(client, "issue")["number"]

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(issue, orders))
    assert len(set(numbers)) == 8
    counts = sorted(int(number.partition("〕")[2].removesuffix("号")) for number in numbers)
    assert counts == list(range(counts[0], counts[0] + 8)), "and none is left out"
