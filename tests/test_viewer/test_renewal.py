"""The supervision view in a real browser; with CIM_SCREENSHOTS set, pictures of it go to that folder."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cim_core.city import City
from cim_core.renewal.events import Change
from tests.conftest import import_file
from tests.support.renewal import BEGIN, DOER, END, renewal_of, towns_of
from tests.support.serving import Server
from tests.test_viewer.conftest import Watched
from tests.test_viewer.test_screenshots import fits

PICTURES = os.environ.get("CIM_SCREENSHOTS")

DAY = END.isoformat()
NEUTRAL = "#d3d9df"
E1 = [113.40, 23.10, 113.402, 23.102]
NOTHING = [113.44, 23.13, 113.442, 23.132]


def block(name: str, lon: float, lat: float, side: float = 0.0003) -> dict:
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    properties = {"name": name, "height": 9.0}
    return {"type": "Feature", "id": name, "properties": properties, "geometry": geometry}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, Server]]:
    """A campaign in two towns with the twin's own buildings, and one more that is in no project."""
    folder = tmp_path_factory.mktemp("supervision")
    city = City.open_or_create(folder / "city", "示范区 Sample district")
    names = [f"b{n}" for n in range(1, 5)]
    blocks = [block(name, 113.4002 + 0.0004 * i, 23.1003) for i, name in enumerate(names)]
    blocks.append(block("beside", 113.3990, 23.1003))
    path = folder / "buildings.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": blocks}), "utf-8")
    import_file(city, path, kind="buildings")
    towns_of(city)
    renewal_of(city, layer="buildings")
    running = Server(city.folder, folder / "server.log")
    yield city, running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture
def enter(browser: Browser, served: tuple[City, Server]) -> Iterator:
    """Open the view, and wait until it stands."""
    _, server = served
    opened: list[Watched] = []

    def go(fragment: str, before: str | None = None) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-US")
        context.add_cookies([{"name": "cim_session", "value": server.session(), "url": server.url}])
        watched = Watched(context.new_page(), server.url)
        watched.listen()
        opened.append(watched)
        if before:
            watched.page.add_init_script(before)
        watched.page.set_default_timeout(60_000)
        watched.page.goto(f"{server.url}/renewal#{fragment}")
        stands(watched.page)
        return watched.page

    yield go
    for watched in opened:
        watched.page.context.close()
        assert watched.odd == []


def stands(page: Page) -> None:
    page.wait_for_function("() => window.renewal")
    page.evaluate("() => window.renewal.settled()")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"renewal-{name}.png")


def linear(css: str) -> str:
    """A colour of the screen as the engine holds it, which lights it as if it were linear."""
    parts = (int(css[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return "#" + "".join(f"{min(254, round(255 * part**2.2)):02x}" for part in parts)


def asked(page: Page, path: str) -> int:
    """How often the page has asked for something so far."""
    return page.evaluate(
        "path => performance.getEntriesByType('resource').filter(r => new URL(r.name).pathname === path).length",
        path,
    )


def test_one_screen_shows_what_the_server_tells_and_replays_it(
    served: tuple[City, Server], enter
) -> None:
    city, server = served
    page = enter(f"at={DAY}&lang=en")
    signs_are_told_as_well_as_coloured(page, server)
    buildings_have_the_colours_of_their_states(page, server)
    picture(page, "map")
    clicks_choose(page)

    # Filters ask the server, and stand in the address.
    page.get_by_role("combobox", name="Town").select_option("there")
    expect(page.locator(".filters-count")).to_have_text("1 of 3")
    assert page.locator(".total-value").first.inner_text().startswith("1")
    page.wait_for_function("() => location.hash.includes('town=there')")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".filters-count")).to_have_text("3 of 3")

    day = the_campaign_is_replayed(page, server)

    # As known then: nothing was known on a day before all of it was recorded.
    with page.expect_request(lambda r: "/renewal/towns" in r.url) as request:
        page.get_by_role("button", name="As known then").click()
    assert f"known={day}" in request.value.url
    page.evaluate("() => window.renewal.settled()")
    assert "then=1" in page.evaluate("() => location.hash")
    assert page.evaluate("() => window.renewal.store.projects.size") == 0
    page.evaluate("() => (window.renewal.store.then = false)")
    page.evaluate("() => window.renewal.settled()")

    # What another writes comes without reloading.
    city.renewal.apply([Change("project", "e2", {"name": "东厂二期"}, BEGIN, 1)], DOER)
    page.wait_for_function("() => window.renewal.store.projects.get('e2').name === '东厂二期'")

    # A link brings it all back.
    page.evaluate("() => window.renewal.store.choose('w1')")
    page.wait_for_function("() => location.hash.includes('project=w1')")
    page.reload()
    stands(page)
    link = page.evaluate("() => window.renewal.store.link")
    assert (link["at"], link["chosen"], link["then"]) == (day, "w1", False)


def signs_are_told_as_well_as_coloured(page: Page, server: Server) -> None:
    told = server.client.get("/renewal/projects", params={"at": DAY}).json()
    lights = {project["id"]: project["light"] for project in told["projects"]}
    colours = page.evaluate(
        """() => Object.fromEntries(["red", "yellow", "green"].map(light =>
            [light, getComputedStyle(document.documentElement).getPropertyValue(`--light-${light}`)]))"""
    )
    signs = page.evaluate("() => window.renewal.signs()")
    assert {key: sign["light"] for key, sign in signs.items()} == lights
    assert {key: sign["colour"] for key, sign in signs.items()} == {
        key: colours[light] for key, light in lights.items()
    }
    for project in told["projects"]:
        light = project["light"]
        mark = page.get_by_role("button", name=f"{project['name']} – {light.capitalize()}")
        assert mark.locator("i").inner_text() == light[0].upper(), "not by colour alone"
    counts = Counter(lights.values())
    for light in ("red", "yellow", "green"):
        shown = page.locator(f".total-lights .light-count.{light} b").inner_text()
        assert int(shown) == counts[light] == told["totals"]["lights"][light]


def buildings_have_the_colours_of_their_states(page: Page, server: Server) -> None:
    words = server.client.get("/renewal", headers={"accept": "application/json"}).json()["words"]
    states = list(words["building_states"].values())
    page.evaluate("box => window.renewal.lookAt(box)", E1)
    page.evaluate("() => window.renewal.settled()")
    (layer,) = server.client.get("/renewal/buildings", params={"at": DAY}).json()["layers"]
    expected = {
        feature: linear(states[state]["color"])
        for feature, state in zip(layer["features"], layer["states"], strict=True)
    }
    assert set(expected) == {"b1", "b2", "b3", "b4"}
    found = page.evaluate("() => window.renewal.buildingColours('buildings')")
    assert found == {**expected, "beside": linear(NEUTRAL)}


def clicks_choose(page: Page) -> None:
    """The ground of a project chooses it, that beside it none."""
    canvas = page.evaluate("() => window.renewal.canvas()")
    sign = page.evaluate("() => window.renewal.signs().e1")
    page.mouse.click(canvas["x"] + sign["x"], canvas["y"] + sign["y"] + 40)
    page.wait_for_function("() => window.renewal.store.chosen === 'e1'")
    page.evaluate("() => window.renewal.settled()")
    page.evaluate("box => window.renewal.lookAt(box)", NOTHING)
    page.evaluate("() => window.renewal.settled()")
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    page.wait_for_function("() => window.renewal.store.chosen === null")
    page.evaluate("box => window.renewal.lookAt(box)", E1)
    page.evaluate("() => window.renewal.settled()")


def the_campaign_is_replayed(page: Page, server: Server) -> str:
    """Each week comes from one answer; only where it stops, which is the day returned, the server is asked."""
    replay = server.client.get("/renewal/replay", params={"from": BEGIN.isoformat()}).json()
    page.evaluate("() => window.renewal.player.prepare()")
    page.wait_for_function("() => window.renewal.player.replay")
    week = replay["days"].index("2025-03-02")
    before = asked(page, "/renewal/projects")
    page.evaluate("day => window.renewal.player.show(day)", replay["days"][week])
    signs = page.evaluate("() => window.renewal.signs()")
    assert signs
    assert {key: sign["light"] for key, sign in signs.items()} == {
        key: track["lights"][week] for key, track in replay["projects"].items() if key in signs
    }
    assert asked(page, "/renewal/projects") == before
    page.evaluate("day => (window.renewal.store.at = day)", replay["days"][week - 1])
    page.evaluate("() => window.renewal.settled()")
    page.get_by_role("button", name="Replay the campaign").click()
    page.wait_for_function("n => window.renewal.player.index > n", arg=week)
    page.get_by_role("button", name="Pause").click()
    page.evaluate("() => window.renewal.settled()")
    day = page.evaluate("() => window.renewal.store.at")
    assert day in replay["days"] and day > replay["days"][week]
    assert page.evaluate("() => window.renewal.player.step") is None
    return day


def test_the_view_fits_desks_and_walls_in_both_languages(enter) -> None:
    page = enter(f"at={DAY}&lang=zh")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for language in ("English", "中文"):
            page.get_by_role("button", name=language, exact=True).click()
            page.evaluate("() => window.renewal.settled()")
            fits(page)
            assert cut_off(page) == []
    page.locator("[data-mode=wall]").click()
    for width, height in ((1280, 720), (1920, 1080), (3840, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for language in ("en", "zh"):
            page.evaluate("lang => (location.hash = `view=wall&lang=${lang}`)", language)
            page.wait_for_function(
                "lang => document.documentElement.lang.startsWith(lang)", arg=language
            )
            page.evaluate("() => window.renewal.settled()")
            fits(page)
            assert cut_off(page) == []
        picture(page, f"wall-{width}")
    assert page.locator(".filters, .time-play, .map-buttons").filter(visible=True).count() == 0
    size = page.locator(".total-value").first.evaluate("e => e.getBoundingClientRect().height")
    assert size > 30, "figures are read from afar"
    page.keyboard.press("Escape")
    expect(page.locator(".filters")).to_be_visible()


def cut_off(page: Page) -> list[str]:
    """Figures and names at the top and in the bars that have no room."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".total-value, .total dt, .total-lights dd, .town-name, .time-shown, .brand-product")]
        .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""
    )


def test_the_table_needs_no_engine_and_is_the_same_on_paper(
    served: tuple[City, Server], enter, tmp_path: Path
) -> None:
    _, server = served
    without = "HTMLCanvasElement.prototype.getContext = () => null"
    page = enter(f"at={DAY}&lang=en", without)
    page.locator(".map-none button").click()
    table = page.get_by_role("table")
    expect(table.locator("tbody tr")).to_have_count(3)
    told = server.client.get("/renewal/projects", params={"at": DAY}).json()["projects"]
    by_id = {one["id"]: one for one in told}
    table.get_by_role("button", name="Points").focus()
    page.keyboard.press("Enter")
    rows = [row.get_attribute("data-project") for row in table.locator("tbody tr").all()]
    known = sorted(
        (one for one in told if one["points"] is not None), key=lambda one: one["points"]
    )
    assert rows[: len(known)] == [one["id"] for one in known]
    assert table.locator("[aria-sort]").get_attribute("aria-sort") == "ascending"
    for key in rows:
        cells = table.locator(f"[data-project={key}] > *").all_inner_texts()
        project = by_id[key]
        assert cells[0] == project["light"].capitalize()
        assert cells[1] == project["name"]
        done = project["metrics"].get("floor-area-demolished")
        assert cells[6] == (f"{done['actual'] / 10_000:.2f}" if done else "–")
        rate = project["signing"]["rate"]
        assert cells[10] == ("–" if rate is None else f"{rate * 100:.1f}%")
    picture(page, "table")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "projects.csv")
    lines = list(csv.reader(io.StringIO((tmp_path / "projects.csv").read_text("utf-8-sig"))))
    assert len(lines) == 1 + len(told)

    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    sheet = page.locator(".print-sheet")
    expect(sheet).to_be_visible()
    assert page.locator(".topbar").is_hidden()
    towns, projects = sheet.locator("table").all()
    assert (towns.locator("tbody tr").count(), projects.locator("tbody tr").count()) == (2, 3)
    assert f"As of {DAY}" in sheet.inner_text()


def test_who_is_not_signed_in_is_asked_to(browser: Browser, served: tuple[City, Server]) -> None:
    _, server = served
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{server.url}/renewal")
    page.get_by_role("button", name="Sign in").first.click()
    expect(page.locator("dialog.sign-in")).to_be_visible()
    context.close()
