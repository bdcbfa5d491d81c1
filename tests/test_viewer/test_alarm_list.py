"""Alarms in the viewer: they come by themselves, lead to their places, and are answered."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from cim_core.city import City
from tests.support.serving import Server
from tests.test_viewer.test_screenshots import fits
from tests.test_viewer.test_sensing import LAT, LON, Thing, add_thing

SEVERE, EXTREME = 30.0, 60.0
"""% of the lower explosive limit: above the limits of levels 3 (for half a minute) and 4 (at once)."""


@dataclass(frozen=True)
class Gas:
    """A server of a city with three gas detectors."""

    server: Server
    first: Thing
    second: Thing
    third: Thing

    def post(self, thing: Thing, *values: float) -> None:
        """Observations, half a minute and a little apart, of which the last is made now."""
        now = round(time.time() * 1000)
        rows = [
            {"datastream": thing.key, "time": now - 31_000 * n, "value": value}
            for n, value in enumerate(reversed(values))
        ]
        answer = self.server.client.post("/ingest", json={"observations": rows[::-1]})
        assert answer.json()["accepted"] == len(values), answer.text

    def alarms(self, state: str = "open") -> list[dict]:
        return self.server.client.get("/alarms", params={"state": state}).json()["alarms"]


@pytest.fixture(scope="module")
def gas(sample_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gas]:
    folder = tmp_path_factory.mktemp("gas")
    shutil.copytree(sample_city.folder, folder / "city")
    live = City.open(folder / "city").live
    server = Server(folder / "city", folder / "server.log")
    column = server.client.get("/collections/office/items?class=IfcColumn&limit=1").json()[
        "features"
    ][0]
    west, south, _, east, north, _ = column["bbox"]
    first = add_thing(
        live, "Detector 1", "gas", {"ch4": "%LEL"}, (west + east) / 2, (south + north) / 2,
        layer="office", feature=column["id"],
    )  # fmt: skip
    second = add_thing(live, "Detector 2", "gas", {"ch4": "%LEL"}, LON, LAT)
    third = add_thing(live, "Detector 3", "gas", {"ch4": "%LEL"}, LON + 0.001, LAT)
    yield Gas(server, first, second, third)
    server.stop()
    assert server.odd_lines() == []


def open_list(page: Page) -> None:
    page.click(".alarm-badge")
    page.wait_for_selector(".alarms .alarm-list")


def answer(page: Page, button: str, **fields: str) -> None:
    """Press a button of the alarm that is looked at, fill in its dialog, and send it."""
    page.click(f".alarm-actions button:has-text('{button}')")
    for name, text in fields.items():
        page.fill(f".alarm-dialog #alarm-{name}", text)
    page.click(".alarm-dialog button[type=submit]")
    page.wait_for_selector(".alarm-dialog", state="detached")


def test_an_alarm_comes_by_itself_and_is_answered_to_its_end(gas: Gas, visit) -> None:
    page = visit(gas.server.url, width=1280, height=720)
    page.wait_for_function("() => Object.keys(window.cim.things()).length === 3")
    open_list(page)
    page.wait_for_selector(".alarm-list .empty-note:has-text('No alarm is open')")
    began = page.evaluate("() => performance.timeOrigin")
    gas.post(gas.first, SEVERE, SEVERE)
    row = page.locator(".alarm-row")
    row.wait_for()
    (alarm,) = gas.alarms()
    said = row.inner_text()
    for words in ("Severe", alarm["title"]["en"], "Detector 1", "30 %LEL, threshold 25"):
        assert words in said
    assert page.locator(".alarm-count[data-level='3']").inner_text() == "1"

    row.click()
    page.wait_for_selector(".alarm-events li")
    page.wait_for_selector(".thing-card:has-text('Detector 1')")
    served = gas.server.client.get(f"/alarms/{alarm['id']}").json()["near"]
    near = [one["name"] for kind in ("facilities", "roads", "valves") for one in served[kind]]
    shown = page.locator(".alarm-near .link").all_inner_texts()
    assert len(shown) == len(near) + len(served["things"])
    page.wait_for_function(
        "([lon, lat]) => { const c = window.cim.viewer.camera.positionCartographic;"
        " return Math.hypot(c.longitude * 180 / Math.PI - lon, c.latitude * 180 / Math.PI - lat) < 0.005; }",
        arg=[gas.first.lon, gas.first.lat],
    )

    answer(page, "Acknowledge", note="Crew 3 is on its way")
    page.wait_for_selector(".alarm-head .alarm-state.handling")
    assert (gas.alarms()[0]["state"], gas.alarms()[0]["handler"]) == ("handling", "data-manager")
    page.wait_for_selector(".alarm-events:has-text('Crew 3 is on its way')")
    answer(page, "Shelve", reason="The street is open")
    page.wait_for_selector(".alarm-head .tag:has-text('shelved until')")
    gas.post(gas.first, 3.0)
    page.wait_for_selector(".alarm-head .alarm-state.cleared")
    assert page.locator(".alarm-actions").count() == 0
    page.wait_for_function("() => !document.querySelector('.alarm-count')")
    page.click(".alarm-back button")
    page.click(".alarm-filters button[data-value=closed]")
    page.click(".alarm-row")
    page.wait_for_selector(".alarm-events li")
    told = [event["what"] for event in gas.server.client.get(f"/alarms/{alarm['id']}").json()["events"]]  # fmt: skip
    assert told[:3] == ["raised", "acknowledged", "shelved"]
    assert page.locator(".alarm-events li").count() == len(told)
    assert page.evaluate("() => performance.timeOrigin") == began


def test_an_alarm_is_closed_with_a_reason_and_the_faster_one_is_named(gas: Gas, visit) -> None:
    page = visit(gas.server.url, width=1280, height=720)
    page.wait_for_function("() => Object.keys(window.cim.things()).length === 3")
    gas.post(gas.second, EXTREME)
    open_list(page)
    page.locator(".alarm-row", has_text="Detector 2").click()
    page.wait_for_selector(".alarm-events li")
    (alarm,) = gas.alarms()
    page.click(".alarm-actions button:has-text('Acknowledge')")

    # Somebody else is faster; the page gets the server's own refusal without its log turning red.
    path = f"/alarms/{alarm['id']}/acknowledgement"
    said = [gas.server.client.post(path, json={"version": alarm["version"]}) for _ in range(2)]
    assert [one.status_code for one in said] == [200, 409]
    page.evaluate(
        """(body) => { const real = window.fetch; window.fetch = (path, init) => {
            if (!String(path).endsWith("/acknowledgement")) return real(path, init);
            window.fetch = real;
            return Promise.resolve(new Response(body, { status: 409 })); }; }""",
        said[1].text,
    )
    page.click(".alarm-dialog button[type=submit]")
    page.wait_for_selector(".toast:has-text('Somebody was faster: the alarm is being handled now (data-manager)')")  # fmt: skip
    page.wait_for_selector(".alarm-head .alarm-state.handling")
    assert page.locator(".alarm-actions button:has-text('Acknowledge')").count() == 0
    answer(page, "Close", reason="A flange was tightened")
    page.wait_for_selector(".alarm-head .alarm-state.done")
    (closed,) = [one for one in gas.alarms("closed") if one["id"] == alarm["id"]]
    assert (closed["state"], closed["active"]) == ("done", True)
    page.wait_for_selector(".alarm-events:has-text('A flange was tightened')")


def test_who_only_looks_is_offered_no_answer(gas: Gas, visit) -> None:
    gas.post(gas.third, EXTREME)
    page = visit(gas.server.url, width=1280, height=720)
    page.context.add_cookies(
        [{"name": "cim_session", "value": gas.server.session("viewer"), "url": gas.server.url}]
    )
    page.reload()
    page.wait_for_function("() => window.cim")
    page.evaluate("() => window.cim.ready")
    open_list(page)
    page.locator(".alarm-row", has_text="Detector 3").click()
    page.wait_for_selector(".alarm-events li")
    assert page.locator(".alarm-actions").count() == 0
    page.keyboard.press("Escape")
    page.wait_for_selector(".alarm-row")
    page.keyboard.press("Escape")
    page.wait_for_selector(".alarms", state="hidden")
    assert page.evaluate("() => document.activeElement.className") == "alarm-badge"


def test_the_alarms_fit_and_are_found_by_level_and_class(gas: Gas, visit) -> None:
    if not any(one["thing"]["name"] == "Detector 3" for one in gas.alarms()):
        gas.post(gas.third, EXTREME)
    page = visit(gas.server.url, width=1280, height=720, locale="zh-CN")
    page.wait_for_function("() => Object.keys(window.cim.things()).length === 3")
    assert page.locator(".alarm-sound").get_attribute("aria-pressed") == "false"
    open_list(page)
    row = page.locator(".alarm-row", has_text="Detector 3")
    row.wait_for()
    for language, level in (("English", "Extremely severe"), ("中文", "特别重大")):
        page.get_by_role("button", name=language).click()
        expect(row).to_contain_text(level)
    page.click(".alarm-level[data-level='1']")
    page.wait_for_selector(".alarm-row", state="detached")
    page.click(".alarm-level[data-level='1']")
    page.select_option(".alarm-filters select", "gas")
    row.click()
    page.wait_for_selector(".alarm-events li")
    page.click(".alarm-detail section > .button")
    page.wait_for_selector(".series-sheet svg .threshold", state="attached")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => window.cim.settled()")
        for language in ("English", "中文"):
            page.get_by_role("button", name=language).click()
            fits(page)
            assert cut_off(page) == []


def cut_off(page: Page) -> list[str]:
    """Buttons and titles of the panels whose text does not fit into them."""
    return page.evaluate(
        """() => [...document.querySelectorAll(
            ".alarms button, .alarms h2, .alarms dd, .thing-card button, .thing-card dd, .series-panel > header button")]
        .filter(e => e.offsetParent && getComputedStyle(e).visibility === "visible" && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
        .map(e => e.textContent)"""
    )
