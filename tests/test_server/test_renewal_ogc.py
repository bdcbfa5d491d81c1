"""Renewal for GIS clients: OGC API – Features part 1, by the numbers of its requirements."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
import shapely
import shapely.geometry
from starlette.testclient import TestClient

from cim_core.renewal.events import Change
from cim_core.store.office_audit import AuditQuery
from server.description import schemas
from tests.support.inside import STRANGER, Inside
from tests.support.renewal import DOER, END, renewal_of, towns_of
from tests.support.renewal_office import RenewalOffice
from tests.support.renewal_twin import box, geojson, publish_shapes

ROOT = "/renewal/ogc"
PROJECTS, PARCELS = f"{ROOT}/collections/projects/items", f"{ROOT}/collections/parcels/items"
AS_OF = {"datetime": END.isoformat()}


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with Inside(tmp_path_factory.mktemp("ogc") / "city") as made:
        towns_of(made.city)
        houses = [
            (f"b{n}", "Building", shapely.box(113.4 + n * 1e-4, 23.1, 113.40005 + n * 1e-4, 23.1001),
             {"floors": 3})
            for n in range(1, 5)
        ]  # fmt: skip
        publish_shapes(made.city, "stock", houses)
        renewal_of(made.city, layer="stock")
        yield made


@pytest.fixture(scope="module")
def web(inside: Inside) -> TestClient:
    return inside.client("supervisor")


def items(web: TestClient, url: str = PROJECTS, **query: Any) -> dict[str, Any]:
    answer = web.get(url, params={**AS_OF, **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    found: dict[str, Any] = answer.json()
    components = {"components": {"schemas": schemas()}}
    jsonschema.validate(found, {"$ref": "#/components/schemas/RenewalFeatures", **components})
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [feature["id"] for feature in found["features"]]


class TestCore:
    """http://www.opengis.net/spec/ogcapi-features-1/1.0/req/core."""

    def test_req_2_the_landing_page_leads_on(self, web: TestClient) -> None:
        links = {link["rel"]: link["href"] for link in web.get(ROOT).json()["links"]}
        assert {"self", "service-desc", "service-doc", "conformance", "data"} <= set(links)
        assert all(web.get(href).status_code == 200 for href in links.values())

    def test_req_6_conformance_names_core_and_geojson(self, web: TestClient) -> None:
        named = web.get(f"{ROOT}/conformance").json()["conformsTo"]
        spec = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
        assert {f"{spec}/core", f"{spec}/geojson"} <= set(named)

    def test_req_13_to_18_collections_have_extents_and_links_to_items(
        self, web: TestClient
    ) -> None:
        listed = web.get(f"{ROOT}/collections").json()
        assert [one["id"] for one in listed["collections"]] == ["projects", "parcels"]
        for collection in listed["collections"]:
            alone = web.get(f"{ROOT}/collections/{collection['id']}").json()
            assert alone == collection
            [bbox] = collection["extent"]["spatial"]["bbox"]
            assert 113.39 < bbox[0] < bbox[2] < 113.51
            [[begin, end]] = collection["extent"]["temporal"]["interval"]
            assert (begin, end) == ("2025-01-06T00:00:00Z", None)
            rels = {link["rel"]: link for link in collection["links"]}
            assert rels["items"]["type"] == "application/geo+json"
            assert web.get(rels["items"]["href"]).status_code == 200

    def test_req_19_to_21_limit_and_its_least(self, web: TestClient) -> None:
        assert items(web, limit=2)["numberReturned"] == 2
        assert items(web, limit=10**6)["numberReturned"] == 3
        assert web.get(PROJECTS, params={"limit": 0}).status_code == 422
        assert web.get(PROJECTS, params={"offset": -1}).status_code == 422

    def test_req_23_a_box_finds_what_it_touches(self, web: TestClient) -> None:
        assert ids(items(web, bbox="113.49,23.09,113.52,23.12")) == ["w1"]
        assert ids(items(web, bbox="113.402,23.1,-10,113.404,23.101,10")) == ["e1", "e2"]
        assert ids(items(web, bbox="113.4021,23.1,113.4039,23.101")) == []
        assert ids(items(web, bbox="113.5,-90,113.41,90")) == ["e1", "e2", "w1"], "around the earth"
        for wrong in ("1,2,3", "a,b,c,d", "nan,0,1,1"):
            assert web.get(PROJECTS, params={"bbox": wrong}).status_code == 422

    def test_req_25_datetime_is_the_day_or_the_end_of_an_interval(self, web: TestClient) -> None:
        def signed(text: str) -> Any:
            found = web.get(PROJECTS, params={"datetime": text}).json()["features"]
            return found[0]["properties"]["households_signed"] if found else None

        # A household of e1 signs every Monday from the 13th of January on.
        assert [signed(f"2025-01-{day}") for day in ("05", "12", "13", "19", "20")] == [
            None, 0, 1, 1, 2,
        ]  # fmt: skip
        assert signed("2025-01-12T15:59:59Z") == 0
        assert signed("2025-01-12T16:00:00Z") == 1, "days begin in China"
        assert signed("2024-01-01/2025-01-20") == signed("../2025-01-20") == 2
        assert signed("2025-01-20/..") == signed("2025-01-20/") == 8
        for wrong in (
            "yesterday",
            "2025-02-30",
            "2025-02-01/2025-01-01",
            "1/2/3",
            "2025-01-01T00:00:00",
        ):
            assert web.get(PROJECTS, params={"datetime": wrong}).status_code == 422, wrong

    def test_req_27_to_31_pages_are_counted_stamped_and_linked(self, web: TestClient) -> None:
        seen, url = [], f"{PROJECTS}?limit=1&datetime={END}&town=here"
        backwards = []
        while url:
            page = web.get(url).json()
            assert (page["numberMatched"], page["numberReturned"]) == (2, 1)
            assert page["timeStamp"].endswith("Z")
            links = {link["rel"]: link["href"] for link in page["links"]}
            assert ids(web.get(links["self"]).json()) == ids(page)
            seen += ids(page)
            backwards.append(links.get("prev"))
            url = links.get("next", "")
        assert seen == ["e1", "e2"]
        assert ids(web.get(backwards[1]).json()) == ["e1"]
        assert items(web, offset=99)["features"] == []

    def test_req_32_to_34_one_feature_with_its_links(self, web: TestClient) -> None:
        for url, item in ((PROJECTS, "e1"), (PARCELS, "e1:p1")):
            answer = web.get(f"{url}/{item}", params=AS_OF)
            assert answer.headers["content-type"] == "application/geo+json"
            feature = answer.json()
            links = {link["rel"]: link["href"] for link in feature.pop("links")}
            assert feature in items(web, url)["features"]
            assert (
                web.get(links["self"]).status_code
                == web.get(links["collection"]).status_code
                == 200
            )
        before = {"datetime": "2025-01-05"}
        assert web.get(f"{PROJECTS}/e1", params=before).status_code == 404
        assert web.get(f"{PROJECTS}/none").status_code == 404
        assert web.get(f"{ROOT}/collections/none/items").status_code == 404

    def test_properties_are_asked_for_by_name_and_others_refused(self, web: TestClient) -> None:
        assert ids(items(web, town="there")) == ["w1"]
        assert ids(items(web, land_area="8000", type="old-factory")) == ["e2"]
        assert ids(items(web, light="red", land_area="1")) == []
        assert ids(items(web, PARCELS, use="financing")) == ["e1:p2"]
        refused = web.get(PROJECTS, params={"color": "red"})
        assert refused.status_code == 422
        assert "color is neither a parameter nor a property of projects" in refused.json()["detail"]
        assert "既不是参数" in refused.json()["detail_zh"]


def test_what_is_told_is_what_other_routes_tell(web: TestClient) -> None:
    listed = {
        one["id"]: one
        for one in web.get("/renewal/projects", params={"at": END}).json()["projects"]
    }
    for feature in items(web)["features"]:
        other, told = listed[feature["id"]], feature["properties"]
        for name in ("stage", "light", "land_area", "town", "version"):
            assert told[name] == other[name], name
        assert told["signing_rate"] == other["signing"]["rate"]
        assert told["orders_open"] == other["orders"]["open"]
        assert shapely.geometry.shape(feature["geometry"]).equals(
            shapely.geometry.shape(other["boundary"])
        )
        if feature["id"] == "e1":
            assert told["floor_area_demolished_twin"] == pytest.approx(
                other["demolished"]["twin"], rel=1e-4
            )
            assert told["buildings_demolished"] == other["buildings"]["demolished"] == 2


def test_everybody_gets_the_projects_of_the_towns_they_see(inside: Inside) -> None:
    here = inside.client("reporter", "reporter here", towns=("here",))
    assert ids(items(here)) == ids(items(inside.client("supervisor"))) or ids(items(here)) == [
        "e1",
        "e2",
    ]
    stranger = inside.client(STRANGER)
    assert items(stranger)["features"] == []
    assert stranger.get(f"{PROJECTS}/e1").status_code == 404
    assert stranger.get(f"{ROOT}/collections/projects").json()["extent"]["spatial"]["bbox"] == []
    assert stranger.get("/renewal/checks").json()["findings"] == []
    assert stranger.get("/renewal/buildings").json()["layers"] == []
    assert stranger.get("/renewal/projects/e1/comparison").status_code == 404


def test_a_file_is_for_who_may_export_and_stands_in_the_log(inside: Inside) -> None:
    answer = inside.client("data-manager").get(
        PARCELS, params={**AS_OF, "f": "geojson", "limit": 1}
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="parcels.geojson"'
    taken = answer.json()
    assert ids(taken) == ["e1:p1", "e1:p2"], "a file has all of them"
    entries, _, _ = inside.office.audit.find(AuditQuery(verb="export"), 5)
    assert taken["export"] in [entry.detail.get("export") for entry in entries]
    assert inside.client("viewer").get(PROJECTS, params={"f": "geojson"}).status_code == 403
    assert inside.client(STRANGER).get(PROJECTS, params={"f": "geojson"}).status_code == 401


def test_outlines_count_as_taken_out(inside: Inside) -> None:
    account = inside.account("viewer", "counted")
    client = inside.client("viewer", "counted")
    assert len(inside.office.exported.cells(account)) == 0
    items(client, PARCELS)
    some = len(inside.office.exported.cells(account))
    items(client)
    assert 0 < some < len(inside.office.exported.cells(account))


def test_a_map_is_coloured_by_states_of_what_is_seen(inside: Inside) -> None:
    web = inside.client("supervisor")
    page = web.get("/renewal/buildings", params={"at": END}).json()
    [layer] = page["layers"]
    assert (layer["layer"], page["projects"]) == ("stock", ["e1"])
    states = dict(zip(layer["features"], layer["states"], strict=True))
    assert states == {"b1": 3, "b2": 3, "b3": 1, "b4": 0}
    early = web.get("/renewal/buildings", params={"at": "2025-01-20"}).json()["layers"][0]
    assert early["states"] == [1, 1, 1, 0]
    assert web.get("/renewal/buildings", params={"project": "w1"}).json()["layers"] == []
    assert web.get("/renewal/buildings", params={"project": "none"}).status_code == 404
    elsewhere = inside.client("reporter", "reporter there", towns=("there",))
    assert elsewhere.get("/renewal/buildings", params={"at": END}).json()["layers"] == []


def test_the_report_and_the_comparison_are_told(inside: Inside) -> None:
    web = inside.client("supervisor")
    report = web.get("/renewal/checks", params={"at": END}).json()
    rules = [finding["rule"] for finding in report["findings"]]
    assert "demolished-unsigned" in rules and report["rules"]["demolished-unsigned"] == 1
    assert sum(report["counts"].values()) == sum(report["rules"].values()) == len(rules)
    compared = web.get("/renewal/projects/e1/comparison", params={"at": END}).json()
    first = compared["parcels"][0]
    assert (first["id"], first["existing"]["buildings"], first["planned"]) == ("p1", 4, None)
    assert first["approved"]["far"] == 3.6
    assert web.get("/renewal/projects/e1/comparison?at=2020-01-01").status_code == 404
    assert json.dumps(compared, allow_nan=False)


def test_parcels_with_ids_of_any_letters_are_found_again(inside: Inside) -> None:
    parcels = [{"id": "东/1 号", "use": "kept", "geometry": geojson(box(0, 0, 50, 50))}]
    [made] = inside.city.renewal.apply(
        [Change("project", "e3", {
            "name": "东三", "type": "old-town", "mode": "micro", "town": "here",
            "template": "micro-renewal", "parcels": parcels,
        }, END + timedelta(days=30))],
        DOER,
    )  # fmt: skip
    web, later = inside.client("supervisor"), (END + timedelta(days=31)).isoformat()
    feature = web.get(PARCELS, params={"project": made.id, "datetime": later}).json()["features"][0]
    assert feature["id"] == "e3:东/1 号"
    alone = web.get(f"{PARCELS}/e3:东%2F1 号", params={"datetime": later})
    assert alone.status_code == 200
    self = next(link["href"] for link in alone.json()["links"] if link["rel"] == "self")
    assert web.get(self).json()["id"] == feature["id"]
    inside.city.renewal.apply([Change("project", "e3", None, date.today(), made.version)], DOER)


GIS = """
import json, os, sys
import pyogrio, pyogrio.raw
pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": sys.argv[2]})
source = "OAPIF:" + sys.argv[1]
found = {"layers": pyogrio.list_layers(source)[:, 0].tolist()}
for name, asked in (
    ("projects", {}), ("parcels", {"PAGE_SIZE": 1}), ("boxed", {"bbox": (113.49, 23.09, 113.52, 23.12)}),
):
    about, _, shapes, fields = pyogrio.raw.read(
        source, layer=name if name != "boxed" else "projects", **asked
    )
    rows = dict(zip(about["fields"].tolist(), (field.tolist() for field in fields), strict=True))
    found[name] = {"crs": about["crs"], "ids": rows["id"], "light": rows["light"],
                   "shapes": [shape is not None for shape in shapes]}
print(json.dumps(found))
"""


def test_a_gis_connects_and_reads_what_is_told(office: RenewalOffice) -> None:
    """GDAL's client of OGC API – Features, which is that of QGIS, in a process of its own."""
    web = office["supervisor"]
    free = {k: v for k, v in os.environ.items() if not k.startswith(("GDAL", "OGR", "CPL"))}
    read = subprocess.run(
        [sys.executable, "-c", GIS, f"{office.server.url}{ROOT}",
         web.headers["authorization"].removeprefix("Bearer ")],
        capture_output=True, text=True, check=False, env=free, timeout=60,
    )  # fmt: skip
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)
    assert found["layers"] == ["projects", "parcels"]
    for name, url, query in (
        ("projects", PROJECTS, {}), ("parcels", PARCELS, {}),
        ("boxed", PROJECTS, {"bbox": "113.49,23.09,113.52,23.12"}),
    ):  # fmt: skip
        told = web.get(url, params=query).json()["features"]
        assert found[name]["ids"] == [feature["id"] for feature in told]
        assert found[name]["light"] == [feature["properties"]["light"] for feature in told]
        assert found[name]["shapes"] == [feature["geometry"] is not None for feature in told]
        assert found[name]["crs"] == "EPSG:4326"


DAYS = ("1900-01-01", "2199-12-31")


@pytest.mark.parametrize("day", DAYS)
def test_the_first_and_the_last_day_that_can_be_asked_of_are_answered(
    web: TestClient, day: str
) -> None:
    for url in (
        f"{PROJECTS}?datetime={day}", f"{PARCELS}?datetime={day}T23:59:59.999-23:59",
        f"/renewal/projects?at={day}&known={day}", f"/renewal/projects/e1?known={day}",
        f"/renewal/towns?at={day}", f"/renewal/replay?from={day}&to={day}&step=month",
        f"/renewal/replay?to={day}&step=month", f"/renewal/buildings?at={day}", f"/renewal/checks?at={day}",
        f"/renewal/orders?at={day}", f"/renewal/progress-sheet?end={day}&period=month",
        f"/renewal/reports/demolition?end={day}&period=month",
        f"/renewal/reports/supervision?end={day}&known={day}", f"/renewal/projects/e1?at={day}",
        f"/renewal/projects/e1/comparison?at={day}",
        f"/renewal/projects/e1/progress?from={day}&to={day}",
    ):  # fmt: skip
        answer = web.get(url)
        assert answer.status_code in (200, 404, 422), (url, answer.text)
        assert answer.status_code == 200 or answer.json()["detail_zh"], url


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59Z", "9999-12-31", "0001-01-01T00:00:00+08:00", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59/..", "../9999-12-31T23:59:59-23:59",
    ],
)  # fmt: skip
def test_a_time_beyond_all_is_refused_in_one_sentence(web: TestClient, text: str) -> None:
    asked = [(PROJECTS, {"datetime": text})]
    if "/" not in text:
        asked.append(("/renewal/projects", {"known": text}))
        asked.append(("/renewal/reports/demolition", {"known": text}))
    for url, query in asked:
        answer = web.get(url, params=query)
        assert answer.status_code == 422, (url, answer.text)
        assert answer.json()["detail_zh"] and "1900" in answer.json()["detail"]
