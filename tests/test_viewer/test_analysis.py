"""Questions asked in the viewer, layers coloured by an attribute, and the table of features."""

import statistics

from cim_core.city import City
from tests.support.serving import Server


def test_what_is_here_answers_what_the_registry_has_at_that_point(
    sample_server: Server, sample_city: City, visit
) -> None:
    page = visit(sample_server.url)
    item = sample_server.client.get("/collections/office/items?class=IfcColumn&limit=1").json()[
        "features"
    ][0]
    west, south, _, east, north, _ = item["bbox"]
    lon, lat = (west + east) / 2, (south + north) / 2
    page.keyboard.press("w")
    page.wait_for_function("() => document.querySelector('#panel-analysis .process-form')")
    result = page.evaluate("([lon, lat]) => window.cim.ask([[lon, lat, 20]])", [lon, lat])
    columns = [column["name"] for column in result["features"]["columns"]]
    found = {row[columns.index("id")] for row in result["features"]["rows"]}
    assert item["id"] in found
    by_layer = {row[0]: row[-1] for row in result["layers"]["rows"]}
    assert sum(by_layer.values()) == sum(result["cells"]["values"])
    page.wait_for_selector("#panel-analysis .data-table tbody tr")
    assert page.locator("#panel-analysis .cell-legend li").count() >= 1
    link = page.evaluate("() => window.cim.link()")
    again = visit(sample_server.url, f"#{link}")
    again.wait_for_selector("#panel-analysis .data-table tbody tr", state="attached")
    assert again.evaluate("() => window.cim.tools()") == page.evaluate("() => window.cim.tools()")


def test_a_layer_is_coloured_and_filtered_by_an_attribute(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, width=480, height=300)
    page.evaluate("() => window.cim.flyTo('office')")
    theme = ["zmax", "quantiles", "", "", ""]
    page.evaluate(
        "([theme]) => window.cim.setView('office', {colourBy: 'attribute', theme})", [theme]
    )
    page.wait_for_function("() => window.cim.classes('office')")
    classes = page.evaluate("() => window.cim.classes('office')")
    items = sample_server.client.get("/collections/office/items?limit=10000").json()["features"]
    heights = {item["id"]: item["properties"]["zmax"] for item in items}
    assert sum(classes["counts"]) == len(heights)
    limits = [entry["from"] for entry in classes["bins"]][1:]
    expected = statistics.quantiles(heights.values(), n=6, method="inclusive")
    assert all(abs(a - b) < 1e-6 for a, b in zip(limits, expected, strict=True))
    page.evaluate(
        "([theme]) => window.cim.setView('office', {theme})",
        [["zmax", "quantiles", "", "", str(limits[2])]],
    )
    page.evaluate("() => window.cim.settled()")
    counts = page.evaluate("() => window.cim.classes('office').counts")
    assert sum(counts) == sum(height <= limits[2] for height in heights.values())
    shown = page.evaluate(
        """() => { const c = window.cim.viewer.canvas; const ids = [];
        for (let x = 90; x < c.clientWidth - 60; x += 30) for (let y = 40; y < c.clientHeight - 30; y += 30)
            { const hit = window.cim.pickAt(x, y); if (hit?.layer === "office") ids.push(hit.id); }
        return ids; }"""
    )
    assert shown
    assert all(heights[feature] <= limits[2] for feature in shown)


def test_the_table_shows_pages_and_offers_files(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, "#table=office", width=1280, height=720)
    page.wait_for_selector(".table-panel tbody tr")
    assert page.evaluate("() => window.cim.table()") == {"layer": "office", "ids": None, "rows": 50}
    page.click(".table-panel .table-scroll > .link")
    page.wait_for_function("() => window.cim.table().rows === 100")
    for format_ in ("csv", "geojson", "parquet"):
        href = page.locator(f".table-files a[href*='f={format_}']").get_attribute("href")
        assert sample_server.client.get(href).status_code == 200
    first = page.locator(".table-panel tbody tr").first
    identity = first.get_attribute("data-id")
    first.locator("button").click()
    page.wait_for_function("() => window.cim.selection()")
    assert page.evaluate("() => window.cim.selection()") == {"layer": "office", "id": identity}
    assert first.get_attribute("aria-selected") == "true"
