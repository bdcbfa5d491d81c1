"""The tools of the toolbar: what they measure and cut is computed once more here."""

import json
import math

import pytest
from pyproj import Geod, Transformer

from tests.support.serving import Server

GEOD = Geod(ellps="WGS84")
TO_ECEF = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
POINTS = [(113.4601, 23.1001, 12.5), (113.4662, 23.1013, 40.0), (113.4639, 23.1060, 15.25)]


def state(points: list[tuple[float, float, float]]) -> str:
    return ";".join(",".join(str(number) for number in point) for point in points)


def tool(page, name: str, text: str | None) -> None:
    page.evaluate("([name, text]) => window.cim.tool(name, text)", [name, text])


def test_lengths_and_areas_are_those_of_the_ellipsoid(sample_server: Server, visit) -> None:
    page = visit(sample_server.url)
    tool(page, "distance", state(POINTS))
    measured = page.evaluate("() => window.cim.measured('distance')")
    for leg, a, b in zip(measured["legs"], POINTS, POINTS[1:], strict=False):
        assert leg["horizontal"] == pytest.approx(GEOD.inv(*a[:2], *b[:2])[2], abs=1e-3)
        assert leg["vertical"] == pytest.approx(b[2] - a[2], abs=1e-3)
        ends = [TO_ECEF.transform(*point) for point in (a, b)]
        assert leg["direct"] == pytest.approx(math.dist(*ends), abs=1e-3)
    assert measured["total"]["vertical"] == pytest.approx(2.75, abs=1e-3)
    tool(page, "area", state(POINTS))
    surface = page.evaluate("() => window.cim.measured('area').surface")
    area, around = GEOD.polygon_area_perimeter(*zip(*[p[:2] for p in POINTS], strict=True))
    assert surface["area"] == pytest.approx(abs(area), rel=1e-6)
    assert surface["around"] == pytest.approx(around, abs=1e-3)
    assert "ha" in page.locator(".sketch-labels").text_content()


def test_a_click_measures_where_the_model_is(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, width=1280, height=720)
    page.evaluate("() => window.cim.flyTo('office')")
    page.keyboard.press("v")
    assert page.evaluate("() => window.cim.active()") == "height"
    box = page.locator(".cesium-widget canvas").bounding_box()
    middle = page.evaluate(
        """() => { const c = window.cim.viewer.canvas; const hits = [];
        for (let y = c.clientHeight - 60; y > 120; y -= 10) {
            const hit = window.cim.pickAt(700, y); if (hit) hits.push([700, y, hit.id]); }
        return [hits[1], hits.at(-2)]; }"""
    )
    for x, y, _ in middle:
        page.mouse.click(box["x"] + x, box["y"] + y)
    page.wait_for_function("() => window.cim.measured('height').points.length === 2")
    points = page.evaluate("() => window.cim.measured('height').points")
    geoid = 0.0
    for (_, _, feature), (lon, lat, height) in zip(middle, points, strict=True):
        west, south, bottom, east, north, top = sample_server.client.get(
            f"/collections/office/items/{feature}"
        ).json()["bbox"]
        assert west - 1e-6 <= lon <= east + 1e-6
        assert south - 1e-6 <= lat <= north + 1e-6
        assert bottom - 0.3 <= height - geoid <= top + 0.3
    assert page.evaluate("() => window.cim.selection()") is None
    page.keyboard.press("Escape")
    assert page.evaluate("() => [window.cim.active(), window.cim.tools()]") == [None, {}]


def drawn(page) -> set[str]:
    """Ids of the features that are in front on a grid over the canvas."""
    return set(
        page.evaluate(
            """() => { const c = window.cim.viewer.canvas; const ids = [];
            for (let x = 90; x < c.clientWidth - 60; x += 30) for (let y = 40; y < c.clientHeight - 30; y += 30)
                { const hit = window.cim.pickAt(x, y); if (hit) ids.push(hit.id); }
            return ids; }"""
        )
    )


def test_a_section_and_a_box_leave_what_is_on_their_inner_side(
    sample_server: Server, visit
) -> None:
    page = visit(sample_server.url, width=480, height=300)
    page.evaluate("() => window.cim.setView('community_centre', {visible: false})")
    page.evaluate("() => window.cim.flyTo('office')")
    before = drawn(page)
    items = sample_server.client.get("/collections/office/items?limit=10000").json()["features"]
    boxes = {item["id"]: item["bbox"] for item in items}
    west = min(box[0] for box in boxes.values())
    east = max(box[3] for box in boxes.values())
    south = min(box[1] for box in boxes.values())
    middle = ((west + east) / 2, south, 20.0)
    # Looks east: what lies west of the middle is cut away.
    tool(page, "section", f"{middle[0]},{middle[1]},{middle[2]},0,90,0,0,100")
    after = drawn(page)
    gone = {feature for feature in before if boxes[feature][3] < middle[0]}
    assert gone
    assert not gone & after
    kept = {feature for feature in before if boxes[feature][0] > middle[0]}
    assert kept <= after
    tool(page, "section", None)
    assert drawn(page) == before
    # A box over everything but what is higher than 20 m above the ellipsoid of the anchor.
    tool(page, "clip", f"{middle[0]},{middle[1]},20,400,400,-100,0,0,100")
    below = drawn(page)
    low = {feature for feature in below if boxes[feature][2] > 20.1}
    assert below
    assert not low
    tool(page, "clip", None)
    assert drawn(page) == before


def sun_by_noaa(lon: float, lat: float, hours_utc: float, day_of_year: int) -> tuple[float, float]:
    """Azimuth and elevation in degrees, after NOAA's general solar position calculations."""
    gamma = 2 * math.pi / 365 * (day_of_year - 1 + (hours_utc - 12) / 24)
    equation = 229.18 * (
        0.000075 + 0.001868 * math.cos(gamma) - 0.032077 * math.sin(gamma)
        - 0.014615 * math.cos(2 * gamma) - 0.040849 * math.sin(2 * gamma)
    )  # fmt: skip
    declination = (
        0.006918 - 0.399912 * math.cos(gamma) + 0.070257 * math.sin(gamma)
        - 0.006758 * math.cos(2 * gamma) + 0.000907 * math.sin(2 * gamma)
        - 0.002697 * math.cos(3 * gamma) + 0.00148 * math.sin(3 * gamma)
    )  # fmt: skip
    hour_angle = math.radians((hours_utc * 60 + equation + 4 * lon) / 4 - 180)
    phi = math.radians(lat)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(
        hour_angle
    )
    elevation = math.asin(sine)
    east = -math.cos(declination) * math.sin(hour_angle)
    north = math.sin(declination) * math.cos(phi) - math.cos(declination) * math.sin(
        phi
    ) * math.cos(hour_angle)
    return math.degrees(math.atan2(east, north)) % 360, math.degrees(elevation)


def test_the_sun_stands_where_astronomy_puts_it(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, width=320, height=200)
    for instant, hours, day in [
        ("2026-06-21T01:00Z", 1, 172), ("2026-12-22T06:30Z", 6.5, 356), ("2026-03-20T08:00Z", 8, 79)
    ]:  # fmt: skip
        tool(page, "sun", instant)
        found = page.evaluate("() => window.cim.sun()")
        azimuth, elevation = sun_by_noaa(113.4607, 23.1001, hours, day)
        assert found["elevation"] == pytest.approx(elevation, abs=0.5)
        # Near the zenith a degree of azimuth is next to nothing.
        off = abs((found["azimuth"] - azimuth + 180) % 360 - 180)
        assert off * math.cos(math.radians(elevation)) < 0.5


def test_every_tool_has_a_key_and_a_place_in_the_link(sample_server: Server, visit) -> None:
    page = visit(sample_server.url)
    for key, name in {
        "x": "section",
        "b": "clip",
        "u": "underground",
        "l": "sun",
        "2": "flat",
    }.items():
        page.keyboard.press(key)
        assert page.evaluate("() => window.cim.active()") == name
    tool(page, "distance", state(POINTS[:2]))
    page.evaluate("() => window.cim.settled()")
    link = page.evaluate("() => window.cim.link()")
    tools = page.evaluate("() => window.cim.tools()")
    assert set(tools) == {"section", "clip", "underground", "sun", "flat", "distance"}
    again = visit(sample_server.url, f"#{link}")
    assert again.evaluate("() => window.cim.tools()") == tools
    assert again.evaluate("() => window.cim.link()") == link
    page.keyboard.press("Escape")
    assert "flat" not in page.evaluate("() => window.cim.tools()")


def test_the_flat_map_looks_straight_down_with_north_up(sample_server: Server, visit) -> None:
    page = visit(sample_server.url)
    page.keyboard.press("2")
    page.evaluate("() => window.cim.settled()")
    heading, pitch, width = page.evaluate(
        "() => { const c = window.cim.viewer.camera; return [c.heading, c.pitch, c.frustum.width]; }"
    )
    assert math.degrees(pitch) == pytest.approx(-90, abs=0.01)
    assert min(heading, 2 * math.pi - heading) < 1e-3
    assert width > 0
    page.keyboard.press("2")
    page.evaluate("() => window.cim.settled()")
    pitch = page.evaluate("() => window.cim.viewer.camera.pitch")
    assert math.degrees(pitch) == pytest.approx(-32, abs=0.5)


def test_the_buttons_of_the_toolbar_say_what_they_do(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, width=1280, height=720, locale="zh-CN")
    labels = page.locator(".toolbar-buttons button").evaluate_all(
        "buttons => buttons.map(b => b.getAttribute('aria-label'))"
    )
    assert len(labels) == len(set(labels)) == 16
    assert "剖切面 (X)" in labels
    page.click("[data-tool=section]")
    assert page.locator(".tool-card").is_visible()
    assert page.locator(".tool-card").get_by_text("竖直").is_visible()
    assert json.loads(page.evaluate("() => JSON.stringify(window.cim.tools().section.length > 0)"))
