"""Traffic in the viewer: vehicles and signals live, congestion, replay; one visit for all of it."""

import base64
import colorsys
import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, WebSocket

from cim_core.city import City
from tests.support.serving import Server
from tests.support.traffic import along, at_places, city_with_roads, lon_lat, shown
from tests.test_viewer.test_screenshots import fits

BARE = "#l=none"
SIZE: ViewportSize = {"width": 800, "height": 480}
SLOW, FREE = 1.0, 10.0
"""Metres per second: of roads where one may drive 10, the one is severely congested, the other free."""

CUT = """() => [...document.querySelectorAll(
    ".traffic-card .legend-title, .traffic-card button, .traffic-bar button, .traffic-bar span, .traffic-bar output")]
    .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
    .map((e) => e.textContent)"""
"""Words that their place is too narrow for."""


def record_congestion(city: City, now: float) -> None:
    """Three minutes of one who crawls in from the east side and of many who drive from the south."""
    for second in range(180):
        at = round((now - 420 + second) * 1000)
        places = np.vstack(
            [along(270.0, -190 + SLOW * second), along(0.0, -190 + FREE * (second % 18))]
        )
        who = ["slow", f"fast {second // 18}"]
        speeds, headings = [SLOW, FREE], [270.0, 0.0]
        city.traffic.append("roads", at_places([at, at], who, places, speeds=speeds, headings=headings))  # fmt: skip


def hue(page: Page, x: float, y: float) -> float:
    """The hue, 0 to 1, of the scene around a place of the canvas."""
    data = page.evaluate("() => window.cim.pixels()").split(",")[1]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), float)
    part = picture[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean((0, 1)) / 255
    return colorsys.rgb_to_hsv(*part)[0]


def hue_of(css: str) -> float:
    return colorsys.rgb_to_hsv(*(int(css[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0]


def above(page: Page, metres: object, height: float) -> None:
    """Look straight down on a place."""
    lon, lat = lon_lat(metres)[0].tolist()
    view = {"lon": lon, "lat": lat, "height": height, "heading": 0, "pitch": -90, "roll": 0}
    page.evaluate("(view) => window.cim.flyTo(view)", view)


def send(city: City, metres: float, heading: float, light: int, remaining: float = 20.0) -> None:
    """One vehicle that drives as it does, and what the signals of the crossing show."""
    now = round(time.time() * 1000)
    one = at_places([now], ["bus 1"], along(heading, metres), speeds=9.0, headings=heading, kinds=5)
    city.traffic.append("roads", one)
    city.traffic.append("roads", shown([now, now], ["ns", "ew"], [3, light], remaining))


def seen(page: Page, what: str) -> dict:
    """The first vehicle, once something holds of it."""
    page.wait_for_function(f"() => {{ const v = window.cim.traffic()?.vehicles[0]; return v && {what}; }}")  # fmt: skip
    return page.evaluate("() => window.cim.traffic().vehicles[0]")


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, Server]]:
    folder = tmp_path_factory.mktemp("traffic")
    city = city_with_roads(folder / "city")
    record_congestion(city, time.time())
    server = Server(folder / "city", folder / "server.log")
    yield city, server
    server.stop()
    assert server.odd_lines() == []


def middle(page: Page) -> list[float]:
    """The middle of the canvas."""
    return page.evaluate(
        "() => [window.cim.viewer.canvas.clientWidth / 2, window.cim.viewer.canvas.clientHeight / 2]"
    )


def is_live(page: Page, city: City) -> None:
    """A vehicle is drawn where it was sent and turns; a light turns green; silence is told."""
    send(city, 40.0, 90.0, 3)
    there = seen(page, "Math.abs(v.heading - 90) < 1")
    wanted = lon_lat(along(90.0, 40.0))[0]
    assert [there["lon"], there["lat"]] == pytest.approx(wanted, abs=3e-6)
    assert there["kind"] == 5
    # The middle of a bus of 12 m is some metres behind its front.
    above(page, along(90.0, 35.0), 60)
    page.evaluate("() => window.cim.settled()")
    send(city, 40.0, 90.0, 3)
    bus = seen(page, "Math.abs(v.heading - 90) < 1")
    assert hue(page, *middle(page)) == pytest.approx(hue_of(bus["colour"]), abs=0.04)
    send(city, 40.0, 180.0, 6, 12.0)
    turned = seen(page, "Math.abs(v.heading - 180) < 1")
    wanted = lon_lat(along(180.0, 40.0))[0]
    assert [turned["lon"], turned["lat"]] == pytest.approx(wanted, abs=3e-6)
    page.wait_for_function("() => window.cim.traffic().lights['J1/ew'].light === 'protected-green'")
    lights = page.evaluate("() => window.cim.traffic().lights")
    assert lights["J1/ns"]["light"] == "red"
    assert 0 < lights["J1/ew"]["remaining"] <= 12
    signs = {sign["id"] for sign in page.evaluate("() => window.cim.traffic().signs")}
    assert {"J1/ns", "J1/ew"} & signs
    page.wait_for_selector(".traffic-badge[data-mark='stale']")


def is_congested(page: Page) -> None:
    """Roads have the colours of their states, and all words have room in both languages."""
    page.evaluate("() => window.cim.tool('traffic', 'roads;congestion;speed;link')")
    # Beside the middle of the road, on the right of who drives there.
    above(page, along(270.0, -120.0, 5.0), 200)
    page.evaluate("() => window.cim.settled()")
    states = page.evaluate("() => window.cim.traffic().states")
    assert states["roads/west-in"]["state"] == "severe"
    assert states["roads/north-in"]["state"] == "free"
    assert hue(page, *middle(page)) == pytest.approx(hue_of("#8b0a3d"), abs=0.05)
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for language, word in (("中文", "严重拥堵"), ("English", "Severely congested")):
            page.locator(".language button", has_text=language).click()
            page.wait_for_selector(f".traffic-card >> text={word}")
            fits(page)
            assert page.evaluate(CUT) == []
    page.set_viewport_size(SIZE)


def is_replayed(page: Page) -> None:
    """Who was recorded is where they were at the time; a link keeps the time."""
    page.locator(".traffic-bar [data-value='replay']").click()
    page.wait_for_function("() => window.cim.traffic().vehicles.some((v) => v.speed === 1)")
    then = page.evaluate("() => window.cim.traffic()")
    assert then["at"] is not None
    assert then["state"] == "none"
    assert "Z" in page.evaluate("() => window.cim.tools().traffic")
    page.locator(".traffic-bar [data-value='live']").click()
    page.wait_for_function("() => window.cim.traffic().state === 'live'")
    assert "Z" not in page.evaluate("() => window.cim.tools().traffic")


def test_traffic_is_seen_as_it_is_sent(roads: tuple[City, Server], visit) -> None:
    city, server = roads
    page = visit(server.url, BARE, **SIZE)
    assert page.evaluate("() => window.cim.traffic()") is None
    opened: list[WebSocket] = []

    def listen(socket: WebSocket) -> None:
        opened.append(socket)

    page.on("websocket", listen)
    page.keyboard.press("t")
    page.wait_for_function("() => window.cim.traffic()?.state === 'live'")
    is_live(page, city)
    is_congested(page)
    is_replayed(page)
    # Switched off, nothing is listened to and nothing drawn.
    page.evaluate("() => window.cim.tool('traffic', null)")
    assert page.evaluate("() => window.cim.traffic()") is None
    assert page.locator(".traffic-stage").is_hidden()
    assert opened
    assert all(one.is_closed() for one in opened)
