"""Renewal tells others: programs of orders, listeners of changes, and the command line of everything."""

import asyncio
import hashlib
import hmac
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.renewal.events import Change
from cim_core.store.office_audit import AuditQuery
from cim_core.store.renewal_hooks import Hooks
from server.cli import app
from server.renewal.webhooks import Webhooks, checked_address
from server.settings import Settings
from tests.support.inside import STRANGER, Inside
from tests.support.renewal import DOER, renewal_of, towns_of

ISSUED = date(2025, 3, 3)
DEADLINE = date(2025, 3, 10)
MINUTE = 60


@dataclass
class Receiver:
    """A program that is told of orders: what it was sent, and what it answers next."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(told["event"], told["order"]) for told in map(json.loads, self.bodies)]

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, body in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Told:
    """A city whose clock a test turns, and what tells of its orders."""

    city: City
    receiver: Receiver
    hooks: Hooks
    settings: Settings
    webhooks: Webhooks
    now: float

    def turn(self, seconds: float = 0) -> None:
        self.now += seconds
        asyncio.run(self.webhooks.turn())

    def on(self, day: date) -> None:
        self.now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC).timestamp()
        self.turn()

    def order(self, key: str, change: dict[str, Any], version: int | None = None) -> None:
        day = datetime.fromtimestamp(self.now, UTC).date()
        self.city.renewal.apply([Change("order", key, change, day, version)], DOER)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    city = City.open_or_create(tmp_path / "city")
    clock = [datetime(2025, 3, 3, 1, tzinfo=UTC).timestamp()]
    city.renewal.file.clock = lambda: clock[0]
    towns_of(city)
    renewal_of(city)
    with receiving() as receiver:
        settings = Settings(city=tmp_path, webhook_hosts=f"http://127.0.0.1:{receiver.port}")
        hooks = Hooks(city.renewal.file)
        made = Told(city, receiver, hooks, settings, Webhooks(city, settings), 0.0)
        city.renewal.file.clock = lambda: made.now
        made.now = clock[0] + MINUTE
        yield made


def hook(told: Told, *events: str, towns: frozenset[str] | None = None) -> str:
    url = f"http://127.0.0.1:{told.receiver.port}/orders?token=hidden"
    return told.hooks.add(url, events, towns).id


def test_an_order_is_told_of_when_it_is_due_soon_and_when_it_is_overdue_once_each(
    told: Told,
) -> None:
    hook(told, "due-soon", "overdue")
    told.on(ISSUED)
    assert told.receiver.told == [], "five working days are left"
    told.on(date(2025, 3, 5))
    told.turn(MINUTE)
    assert told.receiver.told == [("due-soon", "e1-o1")]
    told.on(date(2025, 3, 8))
    told.on(DEADLINE)
    assert len(told.receiver.got) == 1
    told.on(DEADLINE + timedelta(days=2))
    told.on(DEADLINE + timedelta(days=3))
    assert told.receiver.told[1:] == [("overdue", "e1-o1")]
    body = json.loads(told.receiver.bodies[1])
    assert (body["overdue_days"], body["deadline"], body["project"]) == (2, "2025-03-10", "e1")
    assert "issue" not in body, "what people wrote about it stays here"
    told.order("e1-o1", {"deadline": "2025-03-13"}, 1)
    told.on(DEADLINE + timedelta(days=3))
    assert told.receiver.told[2:] == [("due-soon", "e1-o1")], "another deadline, another notice"


def test_what_is_done_with_an_order_is_told_to_those_who_asked(told: Told) -> None:
    told.turn()
    here = hook(told, "issued", "answered", "returned", "closed", towns=frozenset({"here"}))
    there = hook(told, "issued", towns=frozenset({"there"}))
    document = {"project": "e1", "title": "Roads", "issue": "Say.", "unit": "here"}
    told.now += MINUTE
    told.order("o2", document)
    told.order("o2", {"state": "issued", "deadline": "2025-03-20"}, 1)
    told.turn(MINUTE)
    for version, state in enumerate(("received", "answered", "returned", "answered", "closed"), 2):
        told.order("o2", {"state": state}, version)
    told.turn(MINUTE)
    told.turn(MINUTE)
    events = ["issued", "answered", "returned", "answered", "closed"]
    assert [event for event, _ in told.receiver.told] == events
    assert {one.state for one in told.hooks.deliveries(here, 10)} == {"delivered"}
    assert told.hooks.deliveries(there, 10) == []
    again = Webhooks(told.city, Settings(city=told.city.folder))
    asyncio.run(again.turn())
    assert len(told.receiver.got) == len(events), "another process tells nothing twice"


def test_what_is_sent_is_signed(told: Told) -> None:
    key = hook(told, "overdue")
    told.on(DEADLINE + timedelta(days=1))
    [(headers, body)] = told.receiver.got
    stamp = headers["x-cim-timestamp"]
    secret = told.hooks.get(key).secret
    wanted = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-cim-signature"] == f"sha256={wanted}"
    assert int(stamp) == int(told.now)
    assert headers["content-type"] == "application/json"


def test_what_is_not_taken_is_tried_again_ever_more_rarely_and_given_up_after_a_day(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    key = hook(told, "overdue")
    told.receiver.answers = [500, 302]
    told.on(DEADLINE + timedelta(days=1))
    [one] = told.hooks.deliveries(key, 10)
    assert (one.status, one.error, one.next) == (500, "it answered 500", one.made + 60_000)
    told.turn(MINUTE - 1)
    assert len(told.receiver.got) == 1, "not yet"
    told.turn(1)
    [one] = told.hooks.deliveries(key, 10)
    assert (one.status, one.attempts) == (302, 2), "a redirect is not followed"
    assert one.next == int(told.now * 1000) + 120_000
    told.turn(2 * MINUTE)
    assert [one.state for one in told.hooks.deliveries(key, 10)] == ["delivered"]
    assert len({headers["x-cim-delivery"] for headers, _ in told.receiver.got}) == 1
    told.receiver.answers = [503] * 100
    told.order("e1-o1", {"deadline": "2025-03-11"}, 1)
    told.on(date(2025, 3, 13))
    with caplog.at_level(logging.WARNING, "server.renewal.webhooks"):
        for _ in range(3):
            told.turn(12 * 60 * MINUTE)
    last = told.hooks.deliveries(key, 1)[0]
    assert (last.state, last.next) == ("given-up", None)
    assert "is given up" in caplog.text and "hidden" not in caplog.text


def test_a_host_that_is_named_no_more_is_told_nothing(told: Told) -> None:
    key = hook(told, "overdue")
    told.webhooks = Webhooks(told.city, Settings(city=told.city.folder))
    told.on(DEADLINE + timedelta(days=1))
    assert told.receiver.got == []
    assert told.hooks.deliveries(key, 1)[0].error == "its host is not among CIM_WEBHOOK_HOSTS"


def test_what_could_not_be_promised_is_looked_at_again_also_after_a_new_start(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = hook(told, "issued", "answered", "overdue")
    told.order("o2", {"project": "e1", "title": "Roads", "issue": "Say.", "unit": "here"})
    told.now += MINUTE
    told.order("o2", {"state": "issued", "deadline": "2025-03-20"}, 1)
    promise = Hooks.promise

    def locked(*_: Any) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(Hooks, "promise", locked)
    with pytest.raises(sqlite3.OperationalError):
        told.turn()
    monkeypatch.setattr(Hooks, "promise", promise)
    told.turn()
    assert told.receiver.told == [("issued", "o2")]
    told.order("o2", {"state": "received"}, 2)
    told.order("o2", {"state": "answered"}, 3)
    told.webhooks = Webhooks(told.city, told.settings)
    told.turn(MINUTE)
    told.turn(MINUTE)
    assert told.receiver.told == [("issued", "o2"), ("answered", "o2")]
    assert told.hooks.looked() == told.city.renewal.revision
    assert [one.state for one in told.hooks.deliveries(key, 10)] == ["delivered"] * 2


def test_a_bad_renewal_toml_keeps_back_deadlines_alone_until_it_is_mended(told: Told) -> None:
    hook(told, "issued", "overdue")
    rules = told.city.folder / "renewal.toml"
    rules.write_text("[broken", "utf-8")
    told.order("o2", {"project": "e1", "title": "Roads", "issue": "Say.", "unit": "here"})
    told.now += MINUTE
    told.order("o2", {"state": "issued", "deadline": "2025-04-20"}, 1)
    with pytest.raises(InvalidInput, match=r"renewal\.toml"):
        told.on(DEADLINE + timedelta(days=1))
    assert told.receiver.told == [("issued", "o2")]
    rules.unlink()
    told.turn(MINUTE)
    assert told.receiver.told == [("issued", "o2"), ("overdue", "e1-o1")]


def test_what_was_told_long_ago_is_forgotten_but_nothing_is_told_again(told: Told) -> None:
    key = hook(told, "issued", "overdue")
    told.order("o2", {"project": "e1", "title": "Roads", "issue": "Say.", "unit": "here"})
    told.now += MINUTE
    told.order("o2", {"state": "issued", "deadline": "2099-04-20"}, 1)
    told.on(DEADLINE + timedelta(days=1))
    assert len(told.hooks.deliveries(key, 10)) == 2
    told.on(DEADLINE + timedelta(days=90))
    assert len(told.hooks.deliveries(key, 10)) == 2
    told.on(DEADLINE + timedelta(days=92))
    told.turn(MINUTE)
    assert [json.loads(one.body)["event"] for one in told.hooks.deliveries(key, 10)] == ["overdue"]
    assert len(told.receiver.got) == 2, "it is overdue still, and was told so"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/a", "https://example.org/", "https://hooks.example.org:444/",
        "https://hooks.example.org@127.0.0.1/", "https://127.0.0.1/", "http://127.0.0.1:9999/",
        "file:///etc/passwd", "https://hooks.example.org./x", "https://[::1/", "//hooks.example.org/",
        "https://hooks.example.org/#a", "https://hooks.example.org\\@127.0.0.1/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_named_are_refused(url: str, tmp_path: Path) -> None:
    hosts = "hooks.example.org,http://127.0.0.1:8080"
    settings = Settings(city=tmp_path, webhook_hosts=hosts)
    for good in (
        "https://hooks.example.org/a?b=c",
        "http://127.0.0.1:8080/",
        "https://HOOKS.example.org:443/",
    ):
        assert checked_address(good, settings) == good
    with pytest.raises(InvalidInput):
        checked_address(url, settings)


# ---------------------------------------------------------------- over HTTP


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    monkeypatch.setenv("CIM_WEBHOOK_HOSTS", "chat.example.org")
    with Inside(tmp_path / "city") as made:
        towns_of(made.city)
        renewal_of(made.city)
        yield made


def test_hooks_are_looked_after_by_the_security_administrator_and_their_secret_is_told_once(
    inside: Inside,
) -> None:
    security = inside.client("security-administrator")
    given = {"url": "https://chat.example.org/bots/abc?key=hidden", "events": ["overdue", "issued"]}
    made = security.post("/renewal/hooks", json={**given, "towns": ["here"]})
    assert made.status_code == 201, made.text
    secret, key = made.json()["secret"], made.json()["id"]
    listed = security.get("/renewal/hooks").text
    assert json.loads(listed)["hooks"] == [
        {
            "id": key, "url": "https://chat.example.org/bots/…", "events": ["issued", "overdue"],
            "towns": ["here"], "active": True, "created": made.json()["created"],
        }
    ]  # fmt: skip
    assert secret not in listed and "hidden" not in listed
    assert security.get(f"/renewal/hooks/{key}/deliveries").json() == {"deliveries": []}
    for change, words in (
        ({"url": "https://example.org/"}, "CIM_WEBHOOK_HOSTS"),
        ({"events": ["everything"]}, "is told of one or more"),
        ({"events": []}, "is told of one or more"),
        ({"towns": ["nowhere"]}, "there is no town 'nowhere'"),
    ):
        answer = security.post("/renewal/hooks", json={**given, **change})
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    for who in ("data-manager", "supervisor", "auditor"):
        assert inside.client(who).get("/renewal/hooks").status_code == 403, who
    assert inside.client(STRANGER).get("/renewal/hooks").status_code == 401
    assert security.delete(f"/renewal/hooks/{key}").status_code == 204
    assert security.delete(f"/renewal/hooks/{key}").status_code == 404
    rows, _, _ = inside.office.audit.find(AuditQuery(), 100)
    assert [row.detail.get("hook") for row in rows if row.what == "POST /renewal/hooks"][-1] == key
    assert not any(secret in str(row) or "hidden" in str(row) for row in rows)


def test_changes_of_renewal_are_told_to_those_who_may_look_at_it(inside: Inside) -> None:
    from server.routes import events

    async def heard(role: str, **more: Any) -> list[tuple[str, Any]]:
        """What somebody hears of a change by another process, and of one after it."""
        state = inside.app.state.cim
        person = inside.app.state.cim.gate.by_key(key_of(inside, role, **more), "127.0.0.1")
        request: Any = type("Asked", (), {"state": type("S", (), {"person": person})})
        news = events._seen(several(state.hub), request, state)
        return [one async for one in news]

    async def several(hub: Any) -> Any:
        yield "renewal", {"revision": 7}

    told = [("renewal", {"revision": 7})]
    assert asyncio.run(heard("viewer")) == told
    assert asyncio.run(heard("reporter", towns=("here",))) == told
    assert asyncio.run(heard("security-administrator")) == []


def key_of(inside: Inside, role: str, **more: Any) -> str:
    account = inside.account(role, **more)
    return inside.office.keys.add(account, "test", ["read"], 1)[1]


def test_a_change_by_any_process_is_news(tmp_path: Path) -> None:
    from server.hub import Hub

    city = City.open_or_create(tmp_path / "city")
    towns_of(city)

    async def listen() -> list[Any]:
        hub = Hub(city)
        running = asyncio.create_task(hub.run())
        heard = []
        with hub.listening() as news:
            await asyncio.sleep(0.3)
            await asyncio.to_thread(renewal_of, City.open(city.folder))
            async with asyncio.timeout(20):
                async for kind, body in news:
                    heard.append((kind, body))
                    if kind == "renewal":
                        break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return heard

    assert asyncio.run(listen())[-1] == ("renewal", {"revision": city.renewal.revision})


# ---------------------------------------------------------------- the command line


def cim(city: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["renewal", *words, "--city", str(city)])


def test_the_command_line_brings_in_reports_and_says_how_everything_stands(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    sheet = tmp_path / "s.xlsx"
    made = cim(city.folder, "sheet", str(sheet), "--end", "2025-04-06", "--town", "here")
    assert made.exit_code == 0, made.output
    book = openpyxl.load_workbook(sheet)
    page = book.worksheets[1]
    page["I6"], page["I7"] = 0.44, "much"
    book.save(sheet)
    done = cim(city.folder, "progress", str(sheet), "--partial", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["changes"], told["applied"]) == (11, 1, True)
    assert told["findings"][0]["row"] == 7
    ahead = cim(city.folder, "import", str(sheet), "--effective", "2190-01-01")
    assert "does not lie between" in str(ahead.exception)
    refused = cim(city.folder, "import", str(sheet), "--dry-run")
    assert isinstance(refused.exception, InvalidInput)
    status = json.loads(cim(city.folder, "status", "--at", "2025-04-06", "--json").stdout)
    assert [town["town"] for town in status["towns"]] == ["here", "there"]
    assert status["totals"]["projects"] == 3
    found = json.loads(cim(city.folder, "check", "--at", "2025-04-06", "--json").stdout)
    assert {one["project"] for one in found["findings"]} <= {"e1", "e2", "w1"}
    rows, _, _ = city.office.audit.find(AuditQuery(), 10)
    assert [(row.what, row.detail["changes"]) for row in rows] == [("cim renewal progress", 1)]
