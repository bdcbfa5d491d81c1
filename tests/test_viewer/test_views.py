"""Light and views in the viewer: a plan is checked, its proof is drawn in 3D, and a row shows its own."""

import json
from collections.abc import Iterator

import pyproj
import pytest
import shapely
from playwright.sync_api import Page

from cim_core.city import City
from tests.conftest import import_file
from tests.support.serving import Server
from tests.support.vectors import moved, write_table


def block(west: float, south: float, wide: float, deep: float) -> shapely.Geometry:
    return moved(shapely.box(west, south, west + wide, south + deep))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("views")
    city = City.open_or_create(folder / "city", "Views")
    homes = {
        "id": ["home"],
        "name": ["Home"],
        "use": ["residential"],
        "height": [18.0],
        "floors": [6],
    }
    slab = {"id": ["slab"], "name": ["Slab"], "height": [60.0], "floors": [20]}
    parcel = {"id": ["p1"], "name": ["Parcel one"], "far_limit": [4.0], "height_limit": [40.0], "setback": [10.0]}  # fmt: skip
    import_file(city, write_table(folder / "homes.gpkg", [block(30, 84, 30, 10)], homes), kind="buildings")  # fmt: skip
    import_file(city, write_table(folder / "plan.gpkg", [block(5, 52, 90, 20)], slab), kind="buildings")  # fmt: skip
    import_file(city, write_table(folder / "parcels.gpkg", [block(0, 0, 100, 80)], parcel), kind="vector")  # fmt: skip
    city.describe("plan", {"lifecycle": "planned"})
    running = Server(city.folder, folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


def test_a_plan_is_checked_and_each_verdict_shows_its_proof(server: Server, visit) -> None:
    """One visit for all, since a page takes long to come."""
    page = visit(server.url, width=960, height=540)
    page.keyboard.press("o")
    page.click("[data-analysis=planning-check]")
    page.wait_for_selector("#input-planned")
    assert page.locator("#input-planned option").all_inner_texts()[1:] == ["plan"]
    page.select_option("#input-planned", "plan")
    place = moved(shapely.Point(50, 20))
    [lon, lat] = server_place(place)
    answer = page.evaluate("([lon, lat]) => window.cim.ask([[lon, lat, 5]])", [lon, lat])
    names = [column["name"] for column in answer["figures"]["columns"]]
    rows = {
        row[names.index("code")]: dict(zip(names, row, strict=True))
        for row in answer["figures"]["rows"]
    }
    # 90 × 20 m of 20 storeys on 8,000 m², 60 m high, 5 m from the west boundary.
    assert rows["far"]["value"] == pytest.approx(1800 * 20 / 8000, rel=1e-3)
    assert rows["height"]["value"] == pytest.approx(60, abs=0.01)
    assert rows["setback"]["value"] == pytest.approx(5, abs=0.01)
    verdicts = {code: row["verdict"] for code, row in rows.items()}
    assert verdicts == {
        "far": "failed", "density": "unknown", "height": "failed", "setback": "failed",
        "green": "unknown", "sunlight": "failed",
    }  # fmt: skip
    drawn = page.evaluate("() => window.cim.sketch()")
    shapes = answer["sketch"]["features"]
    assert drawn["count"] == len(shapes)
    assert drawn["classes"]["window"] == rows["sunlight"]["value"]
    assert {"parcel", "building", "line", "beyond", "too-high"} <= set(drawn["classes"])
    table = page.locator(".answer-part table").first
    assert table.locator("tbody tr").count() == 6
    assert "not met" in table.inner_text()
    a_row_shows_its_proof(page, len(rows["height"]["proof"]), len(shapes))
    the_same_in_chinese(page)
    hours_of_sun_on_the_ground(page, server)


def a_row_shows_its_proof(page: Page, proofs: int, shapes: int) -> None:
    table = page.locator(".answer-part table").first
    # The row of the height flies to what is too high, and leaves all else as shadows.
    before = page.evaluate("() => window.cim.link()")
    row = table.locator("tbody tr", has_text="Building height")
    row.locator("button").first.click()
    page.wait_for_function("before => window.cim.link() !== before", arg=before)
    page.evaluate("() => window.cim.settled()")
    assert page.evaluate("() => window.cim.sketch().count") == proofs == 1
    row = page.locator(".answer-part table").first.locator("tbody tr[aria-selected=true]")
    assert "Building height" in row.inner_text()
    row.locator("button").first.click()
    assert page.evaluate("() => window.cim.sketch().count") == shapes


def the_same_in_chinese(page: Page) -> None:
    # In Chinese the same table, with Chinese verdicts, and one column for each name.
    page.click(".language [lang=zh-CN]")
    page.wait_for_function("() => document.documentElement.lang.startsWith('zh')")
    text = page.locator(".answer-part table").first.inner_text()
    assert "不符合" in text
    assert "容积率" in text
    assert "Floor area ratio" not in text


def hours_of_sun_on_the_ground(page: Page, server: Server) -> None:
    # The shadow hours of the ground, as squares; the sketch goes with its answer.
    page.evaluate("() => window.cim.tool('here', null)")
    assert page.evaluate("() => window.cim.sketch()") is None
    area = [
        server_place(moved(shapely.Point(*p))) for p in ((20, 74), (70, 74), (70, 120), (20, 120))
    ]
    ring = [[*area, area[0]]]
    body = {
        "inputs": {
            "place": {"type": "Polygon", "coordinates": ring},
            "spacing": 5,
            "planned": "plan",
        }
    }
    sun = server.client.post("/processes/sunlight/execution", json={**body, "response": "document"})
    expected = len(sun.json()["sketch"]["features"])
    asked = json.dumps(body["inputs"])
    page.evaluate("asked => window.cim.tool('here', 'sunlight;' + asked)", asked)
    page.wait_for_function("() => window.cim.sketch()")
    assert page.evaluate("() => window.cim.sketch().classes") == {"square": expected}
    assert page.locator(".sketch-legend [aria-label=日照] .legend-row").count() == 8


def server_place(point: shapely.Geometry) -> list[float]:
    """A place of EPSG:4547 in degrees."""
    to_degrees = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4490", always_xy=True)
    return list(to_degrees.transform(point.x, point.y))
