"""Supervision in a real browser: an order from its issue to its end, and who finds what."""

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from cim_core.city import City
from cim_core.renewal.events import Change
from server.access.policy import default_policy
from tests.support.people import CHEAP, Office, begin_account
from tests.support.renewal import DOER, renewal_of, towns_of
from tests.support.serving import Server
from tests.test_viewer.conftest import Watched

PICTURES = os.environ.get("CIM_SCREENSHOTS")
TODAY = (datetime.now(UTC) + timedelta(hours=8)).date()
HOLDER = "户主甲"
PEOPLE = {
    "supervisor": ("supervisor",), "reporter": ("reporter",), "viewer": ("viewer",),
    "auditor": ("auditor",),
}  # fmt: skip
TITLE, ASKED = "Demolition stands still", "Say by when the two houses are down."
ANSWER, CONCLUSION = "Both houses are down since Friday.", "Seen on the spot."


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Two towns with three projects, which are known until today, and the people of the campaign."""
    folder = tmp_path_factory.mktemp("orders")
    city = City.open_or_create(folder / "city", "示范区 Sample district")
    towns_of(city)
    renewal_of(city)
    task = {"project": "w1", "title": "Tell the neighbours", "unit": "there"}
    city.office.policies.put(default_policy().document(), 0, "test")
    city.renewal.apply([Change("task", "w1-t1", task, TODAY)], DOER)
    passwords = {
        name: begin_account(city, name, *roles, towns=("here",) if name == "reporter" else ())
        for name, roles in PEOPLE.items()
    }
    opened = Office(Server(city.folder, folder / "server.log", **CHEAP), city, passwords)
    yield opened
    opened.stop()


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator:
    """Open the view as somebody, in a browser of their own; through the form if told so."""
    opened: list[Watched] = []
    refusals: list[str] = []  # what a test brings about on purpose

    def go(name: str, *, form: bool = False, locale: str = "en-US") -> Page:
        url = office.server.url
        context = browser.new_context(viewport={"width": 1280, "height": 720}, locale=locale)
        if not form:
            token = office.known(name).cookies["cim_session"]
            context.add_cookies([{"name": "cim_session", "value": token, "url": url}])
        watched = Watched(context.new_page(), url)
        watched.listen()
        opened.append(watched)
        page = watched.page
        # The table needs no drawing in three dimensions, which is another test's.
        page.goto(f"{url}/renewal#view=table")
        if form:
            page.locator(".overlay button").click()
            page.locator("#sign-in-name").fill(name)
            page.locator("#sign-in-password").fill(office.passwords[name])
            page.locator("dialog.sign-in button[type=submit]").click()
        stands(page)
        return page

    go.refusals = refusals
    yield go
    for watched in opened:
        watched.page.context.close()
        assert [odd for odd in watched.odd if not any(one in odd for one in refusals)] == []


def stands(page: Page) -> None:
    page.wait_for_function("() => window.renewal")
    page.evaluate("() => window.renewal.settled()")


def choose(page: Page, project: str) -> Locator:
    page.evaluate("id => window.renewal.store.choose(id)", project)
    stands(page)
    return page.locator("aside.chosen")


def orders_of(page: Page, project: str) -> Locator:
    side = choose(page, project)
    side.locator("[data-page=orders]").click()
    side.locator(".orders").wait_for()
    return side


def take(page: Page, step: str, **typed: str) -> Locator:
    """Open the dialog of a step and type into it."""
    page.locator(f"aside.chosen [data-step={step}]").click()
    dialog = page.locator("dialog[open]")
    for field, text in typed.items():
        dialog.locator(f"#step-{field}").fill(text)
    return dialog


def sent(dialog: Locator) -> None:
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0)


def now(page: Page) -> Locator:
    return page.locator("aside.chosen .course [aria-current=step]")


def whole(page: Page) -> None:
    """Nothing of the right side is cut off at its edge."""
    cut = page.evaluate(
        "() => [...document.querySelectorAll('aside.chosen :is(button, select, h2, h3)')]"
        ".filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.textContent)"
    )
    assert cut == []


def photograph(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, "JPEG")
    return out.getvalue()


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"renewal-{name}.png")


def filter_red(office: Office, page: Page) -> None:
    page.locator(".filters select[name=light]").select_option("red")
    stands(page)
    red = {row.get_attribute("data-project") for row in page.locator("tr[data-project]").all()}
    told = office.server.client.get("/renewal/projects", params={"light": "red"}).json()
    assert red == {project["id"] for project in told["projects"]}
    assert "e1" in red
    assert "w1" not in red


def test_an_order_goes_from_its_issue_to_its_end_and_the_log_has_all_of_it(
    office: Office, enter
) -> None:
    supervisor = enter("supervisor", form=True)
    filter_red(office, supervisor)
    side = choose(supervisor, "e1")
    expect(side.locator(".reasons li").first).to_have_class("red")
    orders_of(supervisor, "e1").get_by_role("button", name="Issue an order").click()
    form = supervisor.locator("dialog[open]")
    form.locator("#order-title").fill(TITLE)
    # What was typed is there again after the form was left by mistake.
    supervisor.keyboard.press("Escape")
    side.get_by_role("button", name="Issue an order").click()
    assert form.locator("#order-title").input_value() == TITLE
    form.locator("#order-issue").fill(ASKED)
    assert form.locator("#order-unit").input_value() == "here"
    sent(form)
    expect(now(supervisor)).to_have_text("Issued")
    order = next(
        one
        for one in office.server.client.get("/renewal/orders").json()["orders"]
        if one["title"] == TITLE
    )
    whole(supervisor)

    reporter = enter("reporter")
    mine = orders_of(reporter, "e1")
    mine.locator(f"[data-order='{order['id']}']").click()
    # Whoever answers does not issue, return or close.
    expect(mine.locator("[data-step]")).to_have_text(["Sign for it", "Ask for more time"])
    sent(take(reporter, "receive"))
    expect(now(reporter)).to_have_text("Signed for")
    answer = take(reporter, "answer", text=ANSWER)
    files = [
        {"name": f"{c}.jpg", "mimeType": "image/jpeg", "buffer": photograph(c)}
        for c in ("red", "tan")
    ]
    answer.locator("#step-photos").set_input_files(files)
    sent(answer)
    expect(now(reporter)).to_have_text("Answered")
    expect(mine.locator(".order-talk img")).to_have_count(2)
    assert reporter.evaluate(
        "() => Promise.all([...document.querySelectorAll('.order-talk img')]"
        ".map(img => img.decode().then(() => img.naturalWidth)))"
    ) == [320, 320]

    # The other's view follows by itself.
    expect(now(supervisor)).to_have_text("Answered")
    expect(supervisor.locator(".order-talk")).to_contain_text(ANSWER)
    sent(take(supervisor, "close", text=CONCLUSION))
    expect(side.locator(".order-state")).to_have_text("Closed")
    picture(supervisor, "order-closed")
    side.locator("[data-page=history]").click()
    side.get_by_label("Of what").select_option("order")
    history = side.locator(".events li", has_text=order["id"])
    expect(history).to_have_count(5)
    said = [entry.inner_text().split("\n")[0] for entry in history.all()]
    assert said == ["supervisor", "reporter", "reporter", "supervisor", "supervisor"]
    side.get_by_label("Of what").select_option("evidence")
    expect(side.locator(".events")).to_contain_text("tan.jpg")

    log = office.known("auditor").get("/audit", params={"q": order["id"]}).json()["entries"]
    steps = [
        (entry["person"]["name"], entry["verb"], entry["detail"].get("step"))
        for entry in reversed(log)
        if entry["what"].startswith("POST")
    ]
    assert steps == [
        ("supervisor", "order", None), ("supervisor", "order", "issue"),
        ("reporter", "report", "receive"), ("reporter", "report", "answer"),
        ("supervisor", "order", "close"),
    ]  # fmt: skip


def test_somebody_was_faster_and_nothing_that_was_typed_is_lost(office: Office, enter) -> None:
    enter.refusals += ["412"]
    page = enter("reporter")
    side = orders_of(page, "e1")
    side.locator("[data-order=e1-o1]").click()
    sent(take(page, "receive"))
    dialog = take(page, "answer", text=ANSWER)
    colleague = office.known("reporter")
    order = colleague.get("/renewal/orders/e1-o1").json()
    version = {"if-match": f'"{order["version"]}"'}
    assert colleague.post("/renewal/orders/e1-o1/handle", json={}, headers=version).is_success

    dialog.locator("button[type=submit]").click()
    told = dialog.locator("[role=alert]")
    expect(told).to_contain_text("Somebody else changed this meanwhile.")
    expect(told).to_contain_text("It is In hand now, by reporter.")
    assert dialog.locator("#step-text").input_value() == ANSWER
    sent(dialog)
    expect(now(page)).to_have_text("Answered")
    kept = colleague.get("/renewal/orders/e1-o1").json()
    assert [one["text"] for one in kept["feedback"]] == [ANSWER]
    assert kept["version"] == order["version"] + 2


def test_who_may_not_see_households_finds_none_anywhere(office: Office, enter) -> None:
    supervisor = enter("supervisor")
    choose(supervisor, "e1").get_by_role("tab", name="Households").click()
    expect(supervisor.locator("[data-household]")).to_have_count(10)
    expect(supervisor.locator("aside.chosen")).to_contain_text(HOLDER)

    page = enter("viewer")
    answers: list[str] = []
    page.on("response", lambda answer: "/renewal" in answer.url and answers.append(answer.text()))
    side = choose(page, "e1")
    names = [tab.get_attribute("data-page") for tab in side.get_by_role("tab").all()]
    assert names == ["overview", "stages", "land", "orders", "evidence", "history"]
    for name in names:
        side.locator(f"[data-page={name}]").click()
        stands(page)
        page.wait_for_load_state("networkidle")
        assert HOLDER not in page.content()
        assert side.get_by_role("button", name="CSV").count() == 0
    kinds = page.get_by_label("Of what").locator("option").all_inner_texts()
    assert "Household" not in kinds
    events = [json.loads(text)["events"] for text in answers if text.startswith('{"events"')]
    assert events
    assert {event["kind"] for event in events[-1]}.isdisjoint({"household"})
    assert not [text for text in answers if HOLDER in text or "holder" in text]
    # Neither is anything offered that they may not do.
    assert page.locator("aside.chosen .part-actions").count() == 0
    refused = viewer_asks(office)
    assert {answer.status_code for answer in refused} == {403}


def viewer_asks(office: Office) -> list[httpx.Response]:
    viewer = office.known("viewer")
    path = "/renewal/projects/e1/households"
    return [
        viewer.get(path),
        viewer.get(path, params={"f": "csv"}),
        viewer.get("/renewal/households/e1-h1"),
    ]


def test_a_reporter_says_what_was_done_and_what_became_of_buildings(office: Office, enter) -> None:
    page = enter("reporter", locale="zh-CN")
    side = choose(page, "e1")
    side.locator("[data-page=stages]").click()
    side.get_by_role("button", name="填报进度").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("#progress-end").fill("2025-04-09")
    expect(dialog.locator("form")).to_contain_text("2025-04-07 至 2025-04-13")
    # In ten thousand m², as everybody says it.
    dialog.locator("#progress-floor-area-demolished-actual").fill("0.35")
    sent(dialog)
    side.locator("[data-page=land]").click()
    side.get_by_role("button", name="更新房屋状态").click()
    dialog.get_by_label("b3").check()
    dialog.locator("#building-to").select_option("handed-over")
    sent(dialog)
    client = office.server.client
    asked = {"metric": "floor-area-demolished", "from": "2025-04-07"}
    records = client.get("/renewal/projects/e1/progress", params=asked).json()["records"]
    assert [one["document"]["actual"] for one in records] == [3500.0]
    assert records[0]["document"]["reporter"] == "reporter"
    told = client.get("/renewal/projects/e1/buildings").json()["buildings"]
    states = {one["id"]: one["document"].get("state", "unsigned") for one in told}
    assert states["e1-b3"] == "handed-over"
    assert states["e1-b4"] == "unsigned"
    stands(page)
    # Of another town they see nothing at all.
    assert {
        row.get_attribute("data-project") for row in page.locator("tr[data-project]").all()
    } == {"e1", "e2"}
    picture(page, "reporter-zh")
