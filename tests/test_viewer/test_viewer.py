"""What people do in the viewer, done in a real browser against a real server."""

import base64
import json
from pathlib import Path

import ifcopenshell
import ifcopenshell.util.element
import pytest

from cim_core.city import City
from tests.support.serving import Server
from tests.test_viewer.conftest import Watched

DROP = """([name, text]) => {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name));
    const target = document.querySelector("canvas");
    for (const kind of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


FINEST = """() => {
    const { primitives } = window.cim.viewer.scene;
    for (let i = 0; i < primitives.length; i++)
        if ("maximumScreenSpaceError" in primitives.get(i)) primitives.get(i).maximumScreenSpaceError = 1e-6;
    window.cim.pixels(); // a frame, so that the tilesets know what they lack
}"""
"""Makes all visible tilesets show their leaves wherever the camera is."""


def drop(page, path: Path) -> None:
    page.evaluate(DROP, [path.name, base64.b64encode(path.read_bytes()).decode()])


def test_an_ifc_dropped_on_the_page_stands_in_the_scene_and_tells_its_properties(
    server: Server, sample: Path, visit
) -> None:
    page = visit(server.url, width=1280, height=720)
    path = sample / "community_centre.ifc"
    drop(page, path)
    page.wait_for_function(
        "() => window.cim.layers().some(l => l.id === 'community_centre' && l.version === 1)"
    )
    page.evaluate("() => window.cim.flyTo('community_centre')")
    page.evaluate("() => window.cim.settled()")
    model = ifcopenshell.open(str(path))
    # The middle of the picture shows the building: what is picked there must be one of the file's.
    picked = page.evaluate(
        """() => { const c = window.cim.viewer.canvas;
        for (let r = 0; r < 200; r += 7) for (const [dx, dy] of [[r, 0], [-r, 0], [0, r], [0, -r]]) {
            const hit = window.cim.pickAt(c.clientWidth / 2 + dx, c.clientHeight / 2 + dy);
            if (hit) return [hit, c.getBoundingClientRect().x + c.clientWidth / 2 + dx,
                             c.getBoundingClientRect().y + c.clientHeight / 2 + dy];
        } return null; }"""
    )
    assert picked, "nothing of the building is in the middle of the picture"
    [hit, x, y] = picked
    page.mouse.click(x, y)
    page.wait_for_function("() => window.cim.selection()")
    selected = page.evaluate("() => window.cim.selection()")
    assert selected == hit
    element = model.by_guid(selected["id"])
    page.wait_for_function(
        f"() => document.body.innerText.includes({json.dumps(element.GlobalId)})"
    )
    psets = ifcopenshell.util.element.get_psets(element)
    assert psets
    item = server.client.get(f"/collections/community_centre/items/{element.GlobalId}").json()
    served = {
        s["name"]: {p["name"]: p["value"] for p in s["properties"]} for s in item["property_sets"]
    }
    assert served == {
        name: {k: v for k, v in values.items() if k != "id"} for name, values in psets.items()
    }
    text = page.locator("body").text_content()
    for name in psets:
        assert name in text
    if element.Name:
        assert element.Name in text


def test_a_bad_file_is_refused_in_the_page_in_one_sentence(
    server: Server, sample: Path, tmp_path: Path, visit
) -> None:
    page = visit(server.url, width=1280, height=720)
    cut = tmp_path / "cut.ifc"
    cut.write_bytes((sample / "office.ifc").read_bytes()[:5000])
    drop(page, cut)
    page.wait_for_function("() => document.body.innerText.includes('cut.ifc is cut short')")
    assert page.evaluate("() => window.cim.layers()") == []


def test_the_import_report_tells_what_was_left_out(server: Server, data: Path, visit) -> None:
    page = visit(server.url, width=1280, height=720)
    drop(page, data / "ifc" / "fzk_haus.ifc")
    page.wait_for_function("() => window.cim.layers().some(l => l.id === 'fzk_haus')")
    page.wait_for_function(
        "() => document.body.innerText.includes('IfcAnnotation') || document.body.textContent.includes('IfcAnnotation')"
    )


def test_a_permalink_opens_the_same_scene(sample_server: Server, sample_city: City, visit) -> None:
    first = visit(sample_server.url)
    wall = sample_server.client.get("/collections/office/items?class=IfcColumn&limit=1").json()
    column = wall["features"][0]["id"]
    first.evaluate("() => window.cim.flyTo('office')")
    first.evaluate(
        "() => window.cim.setView('office', {hiddenClasses: ['IfcWall', 'IfcPlate'], opacity: 0.6})"
    )
    first.evaluate("() => window.cim.setView('community_centre', {visible: false})")
    first.evaluate("([id]) => window.cim.select('office', id)", [column])
    link = first.evaluate("() => window.cim.link()")
    second = visit(sample_server.url, f"#{link}")
    assert states(second) == states(first)
    assert second.evaluate("() => window.cim.selection()") == {"layer": "office", "id": column}
    assert second.evaluate("() => window.cim.link()") == link
    assert different_pixels(first, second) < 0.01
    # The same comparison must see a difference where there is one.
    second.evaluate("() => window.cim.setView('office', {visible: false})")
    assert different_pixels(first, second) > 0.05


def states(page) -> list[dict]:
    """The layers' states; which classes are hidden matters, not in which order."""
    layers = page.evaluate("() => window.cim.layers()")
    return [{**layer, "hiddenClasses": sorted(layer["hiddenClasses"])} for layer in layers]


def different_pixels(first, second) -> float:
    """The share of the canvas' pixels that differ visibly between two pages."""
    pictures = [page.evaluate("() => window.cim.pixels()") for page in (first, second)]
    return first.evaluate(
        """async (urls) => {
        const data = await Promise.all(urls.map(async url => {
            const image = await createImageBitmap(await (await fetch(url)).blob());
            const canvas = new OffscreenCanvas(image.width, image.height);
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return context.getImageData(0, 0, image.width, image.height).data;
        }));
        let different = 0;
        for (let i = 0; i < data[0].length; i += 4)
            if ([0, 1, 2].some(c => Math.abs(data[0][i + c] - data[1][i + c]) > 24)) different++;
        return different / (data[0].length / 4); }""",
        pictures,
    )


@pytest.fixture(scope="module")
def real_server(real_city: City, tmp_path_factory: pytest.TempPathFactory):
    running = Server(real_city.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


REAL = ["duplex_a_georef", "fzk_haus", "office_a", "hhs_constr", "schep_staal"]


@pytest.mark.parametrize("layer", REAL)
def test_cesium_reads_the_property_tables_that_the_registry_has(
    layer: str, real_server: Server, real_city: City, visit
) -> None:
    page = visit(real_server.url, f"#l={layer}")  # the others stay hidden
    page.evaluate(f"() => window.cim.flyTo('{layer}')")
    page.evaluate(FINEST)
    page.evaluate("() => window.cim.settled()")
    read = {f["id"]: f for f in page.evaluate(f"() => window.cim.features('{layer}')")}
    version = real_city.layers.get(layer).version
    stored = {
        row.feature.id: row.feature
        for row in real_city.features.all(layer, version)
        if row.footprint is not None
    }
    assert read.keys() == stored.keys()
    for feature_id, feature in stored.items():
        assert read[feature_id]["class"] == feature.feature_class
        assert read[feature_id]["name"] == feature.name
        assert read[feature_id]["storey"] == (feature.attributes.get("storey") or "")


def test_searching_flies_to_what_is_found_and_selects_it(sample_server: Server, visit) -> None:
    page = visit(sample_server.url, width=1280, height=720, motion="no-preference")
    column = sample_server.client.get("/collections/office/items?class=IfcDoor&limit=1").json()
    target = column["features"][0]["id"]
    page.keyboard.press("/")
    page.keyboard.type(target)
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.cim.selection()")
    assert page.evaluate("() => window.cim.selection()") == {"layer": "office", "id": target}
    page.evaluate("() => window.cim.settled()")
    assert page.evaluate("([id]) => window.cim.screenPositionOf('office', id)", [target])
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !window.cim.selection()")


def test_spaces_and_openings_are_drawn_only_when_asked_for(sample_server: Server, visit) -> None:
    page = visit(sample_server.url)
    hidden = {
        layer["id"]: set(layer["hiddenClasses"])
        for layer in page.evaluate("() => window.cim.layers()")
    }
    assert {"IfcSpace", "IfcOpeningElement"} <= hidden["office"]
    assert {"IfcSpace", "IfcOpeningElement"} <= hidden["community_centre"]


def test_chinese_and_english_change_everything_on_the_page(sample_server: Server, visit) -> None:
    chinese = visit(sample_server.url, locale="zh-CN", width=1280, height=720)
    assert chinese.evaluate("() => document.documentElement.lang").startswith("zh")
    assert "图层" in chinese.locator("body").inner_text()
    chinese.get_by_role("button", name="English").click()
    chinese.wait_for_function("() => document.documentElement.lang.startsWith('en')")
    text = chinese.locator("body").inner_text()
    assert "Layers" in text
    assert "图层" not in text


def test_a_version_published_elsewhere_appears_without_reloading(
    server: Server, city: City, sample: Path, visit
) -> None:
    from tests.conftest import import_file

    import_file(city, sample / "office.ifc")
    page = visit(server.url)
    assert [layer["version"] for layer in page.evaluate("() => window.cim.layers()")] == [1]
    import_file(city, sample / "office.ifc")
    page.wait_for_function("() => window.cim.layers().some(l => l.version === 2)")


def test_an_empty_city_invites(server: Server, visit) -> None:
    page = visit(server.url, width=1280, height=720)
    assert "IFC" in page.locator("body").inner_text()


def test_the_description_of_the_api_opens_without_internet(sample_server: Server, browser) -> None:
    watched = Watched(browser.new_page(), sample_server.url)
    watched.listen()
    watched.page.goto(f"{sample_server.url}/docs")
    watched.page.locator("#operations-tag-features").click()
    watched.page.get_by_text("Search all layers").wait_for()
    watched.page.close()
    assert watched.odd == []
