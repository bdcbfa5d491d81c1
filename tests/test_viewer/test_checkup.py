"""The check-up page in a real browser; with CIM_SCREENSHOTS set, pictures of it go to that folder."""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cim_core.city import City
from tests.conftest import import_file
from tests.support.checkups import (
    DOER,
    SET,
    checkup_city,
    estates,
    examine_city,
    feature,
    import_layer,
    indicator,
    mini_set,
    square,
)
from tests.support.renewal import renewal_of, towns_of
from tests.support.serving import Server
from tests.test_viewer.conftest import Watched
from tests.test_viewer.test_renewal import linear
from tests.test_viewer.test_screenshots import fits

PICTURES = os.environ.get("CIM_SCREENSHOTS")
EVIDENCE = "#c2185b"
HIGH = {"b0-1", "b0-2", "b1-1"}
"""Buildings of the first community that are too high; the second has one, too."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two years of a small city with houses of its own, and a renewal project in the first community."""
    folder = tmp_path_factory.mktemp("checkup")
    city = City.open_or_create(folder / "city", "示范区 Sample district")
    checkup_city(city, folder / "files")
    houses = [
        feature(
            key := f"b{place}-{row}", square(place // 2, 0.15 + 0.4 * (place % 2) + 0.08 * row, 0.3, 0.05),
            name=f"{place}-{row}栋", height=30.0 if key in HIGH | {"b2-0"} else 9.0,
        )
        for place in range(8) for row in range(3)
    ]  # fmt: skip
    path = folder / "buildings.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": houses}), "utf-8")
    import_file(city, path, kind="buildings")
    towns_of(city)
    renewal_of(city, layer="buildings")
    too_high = indicator(
        "04", "Buildings that are too high", "超高建筑数量", "housing", "safety", "buildings", "lower",
        {"operator": "total", "what": {"input": "buildings", "where": {"height": {"above": 20.0}}}},
        {"value": 0.0, "source": "plan", "confidence": "confirmed"}, ["community", "building"],
    )  # fmt: skip
    document = mini_set()
    document["indicators"].append({**too_high, "unit_zh": "栋", "decimals": 0})
    city.checkups.sets.put(SET, document, None, DOER)
    examine_city(city)
    import_layer(city, folder / "files", "estates", estates(missing=5))
    examine_city(city, 2026)
    running = Server(city.folder, folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture
def page(browser: Browser, served: Server) -> Iterator[Page]:
    """The page as somebody sees it who may examine, compose and handle problems."""
    people = served.office.people
    account = people.add("desk", roles=("data-manager", "supervisor")).id
    token = served.office.sessions.begin(account, "127.0.0.1", 3600, "password")
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, locale="en-US", reduced_motion="reduce"
    )
    context.add_cookies([{"name": "cim_session", "value": token, "url": served.url}])
    watched = Watched(context.new_page(), served.url)
    watched.listen()
    watched.page.set_default_timeout(60_000)
    watched.page.goto(f"{served.url}/checkup")
    watched.page.wait_for_function("() => window.checkup")
    settled(watched.page)
    yield watched.page
    context.close()
    assert watched.odd == []


def settled(page: Page) -> None:
    page.evaluate("() => window.checkup.settled()")


def hook(page: Page, expression: str) -> Any:
    return page.evaluate(f"() => window.checkup.{expression}")


def show(page: Page, view: str) -> None:
    page.locator(f"[data-view={view}]").first.click()
    settled(page)


def fits_in_both_languages(page: Page, name: str) -> None:
    """What is shown now has room, and is Chinese where that is wanted."""
    fits(page)
    picture(page, name)
    page.get_by_role("button", name="中文").click()
    words = page.locator("main").inner_text()
    assert "Community" not in words, name
    for english in ("Target", "Surveyed", "Department", "Loading", "Attention"):
        assert english not in words, (name, english)
    fits(page)
    picture(page, f"{name}-zh")
    page.get_by_role("button", name="English").click()


def resize(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    settled(page)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"checkup-{name}.png")


def told(server: Server, path: str, **query: str) -> Any:
    answer = server.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_from_a_red_indicator_to_the_project_that_answers_it(page: Page, served: Server) -> None:
    the_board_tells_what_the_server_does(page, served)
    a_failing_community_shows_its_buildings(page, served)
    its_problem_is_assigned(page, served)
    what_others_do_is_seen(page, served)
    years_are_compared(page)
    an_indicator_is_composed_and_tried(page, served)
    the_signs_fill_every_screen(page, served)
    a_draft_is_frozen_examined_and_submitted(page, served)
    what_was_found_is_taken_as_files(page)
    a_run_that_nobody_wants_is_removed(page, served)
    # The problem leads to the project that answers it.
    show(page, "problems")
    page.locator("[data-problem] [data-project=e1]").first.click()
    page.wait_for_function("() => window.renewal")
    assert page.evaluate("() => window.renewal.store.chosen") == "e1"


def the_board_tells_what_the_server_does(page: Page, served: Server) -> None:
    run = told(served, "/checkup/runs/2026-1")
    expect(page.locator(".indicator-table tr[data-code]")).to_have_count(len(run["indicators"]))
    for entry in run["indicators"]:
        row = page.locator(f"tr[data-code='{entry['code']}']")
        met, status = entry["value"]["met"], entry["value"]["status"]
        standing = {True: "met", False: "failed", None: "undecided"}[met]
        expected = "unavailable" if status == "unavailable" else standing
        expect(row.locator(f".standing.{expected}")).to_have_count(1)
    parking = page.locator("tr[data-code='28']")
    expect(parking.locator(".indicator-value b")).to_have_text("5.00")
    school = page.locator("tr[data-code='16']")
    expect(school.locator(".recalled")).to_have_text("recalled")
    assert "÷" in school.locator(".surveyed").inner_text()
    expect(page.locator("tr[data-code='27p'] .tag").first).to_have_text("proxy")
    fits_in_both_languages(page, "board")
    resize(page, 1920, 1080)
    fits_in_both_languages(page, "board-1920")
    resize(page, 1280, 720)

    # A sector of the wheel lists its dimension, and the keyboard does the same.
    sector = page.locator("[data-dimension='city safety']")
    sector.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".indicator-table tr[data-code]")).to_have_count(1)
    assert "dimension=safety" in hash_of(page, "dimension")
    page.get_by_role("button", name="Clear filters").click()


def hash_of(page: Page, waited: str) -> str:
    page.wait_for_function("waited => location.hash.includes(waited)", arg=waited)
    return str(page.evaluate("() => location.hash"))


def a_failing_community_shows_its_buildings(page: Page, served: Server) -> None:
    page.get_by_role("button", name="Buildings that are too high").click()
    settled(page)
    expect(page.locator(".value-head.failed b").first).to_have_text("4")
    page.get_by_role("button", name="Show on the map").click()
    settled(page)
    expect(page.locator(".unit-row").first).to_contain_text("Community 1")
    signs = hook(page, "signsOnMap()")
    assert {unit: sign["tone"] for unit, sign in signs.items()} == {
        "c1": "failed", "c2": "failed", "c3": "met", "c4": "met",
    }  # fmt: skip
    assert signs["c1"]["colour"] != signs["c2"]["colour"] != signs["c3"]["colour"]
    page.locator("[data-unit=c1]").click()
    settled(page)
    rows = page.locator("[data-feature]").evaluate_all("rows => rows.map(r => r.dataset.feature)")
    assert set(rows) == {f"buildings/{key}" for key in HIGH}
    colours = hook(page, "buildingColours('buildings')")
    assert {key for key, colour in colours.items() if colour[:7] == linear(EVIDENCE)} == HIGH
    assert "unit=c1" in hash_of(page, "unit")
    fits_in_both_languages(page, "community")

    # Where a radius does not reach is drawn, and told with what it was divided by.
    page.evaluate("() => window.checkup.store.choose('16', 'c2', 'community')")
    settled(page)
    expect(page.locator(".legend-unserved")).to_be_visible()
    found = told(served, "/checkup/runs/2026-1/indicators/16/evidence", by="community", unit="c2")
    assert found["unserved"] is not None
    assert "÷" in page.locator("[data-unit=c2] .unit-ratio").inner_text()


def its_problem_is_assigned(page: Page, served: Server) -> None:
    page.evaluate("() => window.checkup.store.choose('04', 'c1', 'community')")
    settled(page)
    expect(page.locator(".problem-card .problem-state")).to_have_text("Open")
    page.get_by_role("button", name="Handle").click()
    page.locator("#problem-project").select_option("e1")
    assert page.locator("#problem-state").input_value() == "assigned"
    page.locator("#problem-note").fill("Lowered by the project")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".problem-card .problem-state")).to_have_text("Assigned")
    [problem] = told(served, "/checkup/runs/2026-1/problems", code="04", unit="c1")["problems"]
    assert (problem["project"], problem["note"]) == ("e1", "Lowered by the project")
    show(page, "problems")
    expect(page.locator(".problem-table tr[data-problem]")).to_have_count(
        len(told(served, "/checkup/runs/2026-1/problems")["problems"])
    )
    fits_in_both_languages(page, "problems")
    resize(page, 1920, 1080)
    fits_in_both_languages(page, "problems-1920")
    resize(page, 1280, 720)


def what_others_do_is_seen(page: Page, served: Server) -> None:
    show(page, "problems")
    problem = told(served, "/checkup/runs/2026-1/problems", code="04", unit="c2")["problems"][0]
    row = page.locator(f"tr[data-problem='{problem['id']}']")
    expect(row.locator(".problem-state")).to_have_text("Open")
    answer = served.client.patch(
        f"/checkup/problems/{problem['id']}",
        json={"state": "solved", "note": "Lowered by its owner"},
        headers={
            "authorization": f"Bearer {served.key('supervisor')}",
            "if-match": f'"{problem["version"]}"',
        },
    )
    assert answer.status_code == 200, answer.text
    expect(row.locator(".problem-state")).to_have_text("Solved")


def years_are_compared(page: Page) -> None:
    # The map is sent somewhere while it cannot be seen: it is there when it can.
    hook(page, "map().flight.to([113.4, 23.1, 113.404, 23.104])")
    show(page, "compare")
    place = hook(page, "map().scene.widget.camera.positionCartographic")
    assert math.degrees(place["longitude"]) == pytest.approx(113.402, abs=1e-3)
    row = page.locator(".compare-table tr[data-code='28']")
    expect(row.locator(".course.better")).to_contain_text("−25.00")
    row.locator("th button").click()
    settled(page)
    assert hook(page, "signsOnMap()")["e1"]["tone"] == "better"
    fits_in_both_languages(page, "years")


def an_indicator_is_composed_and_tried(page: Page, served: Server) -> None:
    show(page, "compose")
    page.get_by_role("combobox", name="Begin with").select_option("16")
    expect(page.get_by_role("combobox", name="Facilities")).to_have_value("schools")
    # Twice as far.
    page.get_by_role("spinbutton", name="Within reach").fill("600")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".value-head")).to_be_visible()
    settled(page)
    near = next(
        one["value"]["value"]
        for one in told(served, "/checkup/runs/2026-1")["indicators"]
        if one["code"] == "16"
    )
    assert float(page.locator(".value-head b").first.inner_text()) > near + 10
    assert len(hook(page, "signsOnMap()")) == 4
    fits_in_both_languages(page, "composer")
    page.get_by_role("button", name="Keep in a draft").click()
    page.locator("#keep-set").select_option("mini")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The draft has it.")).to_be_visible()
    kept = told(served, "/checkup/sets/mini")["document"]["indicators"]
    [changed] = [one for one in kept if one["code"] == "16"]
    assert changed["formula"]["sites"][0]["radius"] == 600


def the_signs_fill_every_screen(page: Page, served: Server) -> None:
    show(page, "signs")
    signs = told(served, "/vital-signs")["signs"]
    for width, height in ((1280, 720), (3840, 1080), (1920, 1080)):
        resize(page, width, height)
        expect(page.locator("[data-sign]")).to_have_count(len(signs))
        boxes = page.locator("[data-sign]").evaluate_all(
            "tiles => tiles.map(t => t.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])"
        )
        assert all(
            0 <= left < right <= width and 0 < top < bottom <= height
            for left, top, right, bottom in boxes
        )
        assert min(bottom - top for _, top, _, bottom in boxes) > 120
        fits_in_both_languages(page, f"signs-{width}")
    expected = {sign["code"]: sign["state"] for sign in signs}
    for code, state in expected.items():
        expect(page.locator(f"[data-sign='{code}'] .sign-state.{state}")).to_have_count(1)


def choose(page: Page, entry: str) -> None:
    page.get_by_role("button", name="Check-up", exact=True).click()
    page.get_by_role("menuitem", name=entry).click()


def a_draft_is_frozen_examined_and_submitted(page: Page, served: Server) -> None:
    show(page, "board")
    choose(page, "Submit the check-up")
    expect(page.locator("dialog")).to_contain_text("still a draft")
    page.get_by_role("button", name="Freeze the set and examine again").click()
    assert page.locator("#run-set").input_value() == SET
    assert told(served, f"/checkup/sets/{SET}")["state"] == "frozen"
    assert page.locator("#run-year").input_value() == "2026"
    page.locator("#run-title").fill("Final")
    picture(page, "new")
    page.get_by_role("button", name="Examine", exact=True).click()
    expect(page.get_by_text("The check-up is there.")).to_be_visible()
    settled(page)
    assert (hook(page, "store.run.id"), hook(page, "store.run.title")) == ("2026-2", "Final")
    choose(page, "Submit the check-up")
    page.get_by_role("dialog").get_by_role("button", name="Submit the check-up").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    assert told(served, "/checkup/runs/2026-2")["state"] == "submitted"
    expect(page.locator(".run-choice option:checked")).to_have_text("2026-2 Final")


def what_was_found_is_taken_as_files(page: Page) -> None:
    for entry, begins in (
        ("Report (docx)", b"PK"), ("Report (xlsx)", b"PK"), ("Report (pdf)", b"%PDF"),
        ("All values (GeoParquet)", b"PAR1"),
    ):  # fmt: skip
        with page.expect_download() as started:
            choose(page, entry)
        assert Path(started.value.path()).read_bytes().startswith(begins), entry


def a_run_that_nobody_wants_is_removed(page: Page, served: Server) -> None:
    page.locator(".run-choice").select_option("2026-1")
    settled(page)
    choose(page, "Remove this check-up")
    page.get_by_role("dialog").get_by_role("button", name="Remove this check-up").click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    settled(page)
    assert [run["id"] for run in told(served, "/checkup", f="json")["runs"]] == ["2026-2", "2025-1"]
    assert hook(page, "store.run.id") == "2026-2"
    choose(page, "Sets of indicators")
    expect(page.locator(f"[data-set={SET}]")).to_contain_text("frozen")
    page.get_by_role("button", name="Close").last.click()
