"""The HTTP interface on the sample city, as its reference page describes it."""

import gzip

import httpx
import pytest
import shapely

from cim_core.city import City
from cim_core.store.features import Query
from tests.support.readback import leaves
from tests.support.serving import Server


@pytest.fixture(scope="module")
def web(sample_server: Server) -> httpx.Client:
    return sample_server.client


def test_the_landing_page_leads_everywhere(web: httpx.Client) -> None:
    landing = web.get("/?f=json").json()
    for link in landing["links"]:
        assert web.get(link["href"]).status_code == 200, link
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
        in (web.get("/conformance").json()["conformsTo"])
    )


def test_browsers_get_the_viewer(web: httpx.Client) -> None:
    page = web.get("/", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "/viewer/" in page.text


def test_the_city_says_where_it_is(web: httpx.Client) -> None:
    city = web.get("/city").json()
    assert city["name"] == "Sample"
    assert city["crs"] == "EPSG:4547"
    assert city["anchor"]["lon"] == pytest.approx(113.46, abs=0.01)
    assert {".ifc", ".las", ".tif", ".zip"} <= set(city["extensions"])


def test_collections_describe_the_layers(web: httpx.Client, sample_city: City) -> None:
    listed = web.get("/collections").json()["collections"]
    assert [c["id"] for c in listed] == ["community_centre", "office"]
    for collection in listed:
        assert collection == web.get(f"/collections/{collection['id']}").json()
        assert sum(c["count"] for c in collection["classes"]) == collection["numberOfFeatures"]
        assert sum(s["count"] for s in collection["storeys"]) == collection["numberOfFeatures"]
        assert all(c["title"]["zh"] for c in collection["classes"])
        [bbox] = collection["extent"]["spatial"]["bbox"]
        assert 113.45 < bbox[0] < bbox[3] < 113.47
        for link in collection["links"]:
            assert web.get(link["href"]).status_code == 200, link
        assert web.get(collection["tileset"]["href"]).json()["asset"]["version"] == "1.1"


def test_paging_through_items_meets_each_once(web: httpx.Client, sample_city: City) -> None:
    url = "/collections/office/items?limit=100"
    seen: list[str] = []
    while url:
        page = web.get(url).json()
        assert page["numberReturned"] == len(page["features"]) <= 100
        seen += [feature["id"] for feature in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert len(seen) == len(set(seen)) == page["numberMatched"]
    assert seen == [
        row.feature.id
        for row in sample_city.features.find("office", 1, Query(), after=None, limit=10_000)
    ]


def test_items_by_box_are_those_whose_footprint_touches_it(web: httpx.Client) -> None:
    everything = web.get("/collections/office/items?limit=10000").json()["features"]
    [bbox] = web.get("/collections/office").json()["extent"]["spatial"]["bbox"]
    west, south = bbox[0], bbox[1]
    east, north = (bbox[0] + bbox[3]) / 2, (bbox[1] + bbox[4]) / 2
    box = shapely.box(west, south, east, north)
    expected = {
        f["id"] for f in everything if shapely.geometry.shape(f["geometry"]).intersects(box)
    }
    found = web.get(
        "/collections/office/items",
        params={"bbox": f"{west},{south},{east},{north}", "limit": 10000},
    ).json()
    assert {f["id"] for f in found["features"]} == expected
    assert 0 < len(expected) < len(everything)
    high = web.get(
        "/collections/office/items", params={"bbox": f"{west},{south},500,{east},{north},600"}
    ).json()
    assert high["numberMatched"] == 0


def test_items_filter_by_class_and_property(web: httpx.Client) -> None:
    walls = web.get("/collections/community_centre/items?class=IfcWall&limit=10000").json()
    outside = web.get(
        "/collections/community_centre/items?Pset_WallCommon.IsExternal=true&limit=10000"
    ).json()
    assert 0 < outside["numberMatched"] < walls["numberMatched"]
    for feature in outside["features"][:5]:
        detail = web.get(f"/collections/community_centre/items/{feature['id']}").json()
        values = {
            item["name"]: item["value"]
            for pset in detail["property_sets"]
            if pset["name"] == "Pset_WallCommon"
            for item in pset["properties"]
        }
        assert values["IsExternal"] is True


def test_an_item_tells_everything_with_units(web: httpx.Client) -> None:
    [wall] = web.get("/collections/community_centre/items?class=IfcWall&limit=1").json()["features"]
    item = web.get(f"/collections/community_centre/items/{wall['id']}").json()
    assert item["properties"]["storey"]["name"]
    assert item["properties"]["parent"]["class"] == "IfcBuildingStorey"
    kinds = {pset["kind"] for pset in item["property_sets"]}
    assert kinds == {"property", "quantity"}
    units = {p["unit"] for pset in item["property_sets"] for p in pset["properties"]}
    assert {"m", "m²", "m³"} <= units
    receipt = web.get(f"/receipts/{item['receipt']}").json()
    assert receipt["inputs"][0]["name"] == "community_centre.ifc"
    assert len(receipt["inputs"][0]["sha256"]) == 64
    assert receipt["outputs"]["layer"] == "community_centre"
    assert receipt["software"].startswith("cim-twin ")


def test_search_finds_ids_first_then_names(web: httpx.Client) -> None:
    [wall] = web.get("/collections/office/items?class=IfcColumn&limit=1").json()["features"]
    hits = web.get("/search", params={"q": wall["id"]}).json()["hits"]
    assert hits[0]["id"] == wall["id"]
    assert hits[0]["layer"] == "office"
    assert len(hits[0]["bbox"]) == 6
    assert web.get("/search", params={"q": "办公室"}).json()["hits"]
    assert web.get("/search", params={"q": "no such thing"}).json()["hits"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/nope", 404),
        ("/collections/nope/items", 404),
        ("/collections/office/items/nope", 404),
        ("/collections/office/items?bbox=1,2,3", 422),
        ("/collections/office/items?bbox=a,b,c,d", 422),
        ("/collections/office/items?bbox=nan,0,1,1", 422),
        ("/collections/office/items?limit=0", 422),
        ("/receipts/nope", 404),
        ("/jobs/nope", 404),
        ("/jobs/nope/events", 404),
        ("/nowhere", 404),
        ("/t/office/1/secret.json", 404),
        ("/t/office/99/tileset.json", 404),
        ("/t/../city.toml", 404),
        ("/t/office/content/..%2f..%2f..%2fcity.toml", 404),
        ("/viewer/..%2f..%2fsettings.py", 404),
        ("/viewer/", 404),
    ],
)
def test_errors_are_problem_documents(web: httpx.Client, path: str, status: int) -> None:
    answer = web.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]


def test_tiles_are_immutable_compressed_and_exact(web: httpx.Client, sample_city: City) -> None:
    tileset = sample_city.layers_folder / "office" / "1" / "tileset.json"
    plain = {"accept-encoding": "identity"}
    for _matrix, path in leaves(tileset):
        url = f"/t/office/content/{path.name}"
        whole = web.get(url, headers=plain)
        assert whole.content == path.read_bytes()
        assert whole.headers["content-type"] == "model/gltf-binary"
        assert "immutable" in whole.headers["cache-control"]
        with web.stream("GET", url, headers={"accept-encoding": "gzip"}) as packed:
            raw = b"".join(packed.iter_raw())
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.headers["etag"] != whole.headers["etag"]
        assert gzip.decompress(raw) == whole.content
        assert len(raw) < len(whole.content)
        part = web.get(url, headers={**plain, "range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
        tail = web.get(url, headers={**plain, "range": "bytes=-5"})
        assert tail.content == whole.content[-5:]
        beyond = web.get(url, headers={**plain, "range": f"bytes={len(whole.content)}-"})
        assert beyond.status_code == 416
        again = web.get(url, headers={**plain, "if-none-match": whole.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        head = web.head(url, headers=plain)
        assert (int(head.headers["content-length"]), head.content) == (len(whole.content), b"")
        assert web.post(url).status_code == 405


def test_it_is_healthy_and_ready(web: httpx.Client) -> None:
    assert web.get("/healthz").json() == {"status": "ok"}
    assert web.get("/readyz").json() == {"status": "ready"}


def test_pages_of_other_origins_may_not_change_anything(
    web: httpx.Client, sample_server: Server
) -> None:
    evil = {"origin": "http://evil.example"}
    own = {"origin": sample_server.url}
    cookies = {"cim_session": sample_server.session()}
    with httpx.Client(base_url=sample_server.url, cookies=cookies) as page:
        upload = "/imports?filename=a.ifc"
        assert page.post(upload, content=b"x", headers=evil).status_code == 403
        assert page.delete("/collections/office", headers=evil).status_code == 403
        assert page.get("/city", headers={"host": "evil.example"}).status_code == 403
        upload = "/imports?filename=a.dwg"
        assert page.post(upload, content=b"x", headers=own).status_code == 415


def test_the_description_of_the_api_is_complete(web: httpx.Client) -> None:
    described = web.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("description"), (method, path)


def test_what_no_client_should_send_is_answered_calmly(
    web: httpx.Client, sample_server: Server, sample_city: City
) -> None:
    cookies = {"cim_session": sample_server.session()}
    with httpx.Client(base_url=sample_server.url, cookies=cookies) as page:
        for headers in ({"host": "["}, {"origin": "http://["}):
            answer = page.post("/imports?filename=a.ifc", content=b"x", headers=headers)
            assert answer.status_code == 403
    path = next((sample_city.layers_folder / "office" / "content").glob("*.glb"))
    url = f"/t/office/content/{path.name}"
    whole = path.read_bytes()
    plain = {"accept-encoding": "identity"}
    for strange in (f"bytes={'9' * 5000}-", "bytes=0-1,5-6", "items=0-5", "bytes=abc"):
        answer = web.get(url, headers={**plain, "range": strange})
        assert (answer.status_code, answer.content) == (200, whole), strange[:20]
    head = web.head(url, headers={**plain, "range": "bytes=0-9"})
    assert head.status_code == 200
    refused = web.get(url, headers={"accept-encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in refused.headers
    for name in ("%00", "a" * 300):
        assert web.get(f"/viewer/{name}").status_code == 404
