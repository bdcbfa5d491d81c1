"""How much one person takes out of protected layers, in whatever way, and the ids of what they took."""

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import Geod
from starlette.testclient import TestClient

from cim_core.city import City
from cim_core.store.office_audit import AuditQuery, Entry
from server.access.policy import Policy, public_policy
from tests.conftest import import_file
from tests.support.inside import STRANGER, Inside
from tests.support.surveys import write_survey

LON, LAT = 113.4, 23.1
SIDE = 9
"""Squares in a row of the grid, each about a kilometre wide."""
_EARTH = Geod(ellps="WGS84")


def squares(lon: float) -> dict[str, object]:
    """A grid of squares as GeoJSON, from a longitude on."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature", "id": f"s{x}{y}", "properties": {"name": f"estate {x} {y}", "use": "housing"},
                "geometry": shapely.geometry.mapping(square(x, y, lon)),
            }
            for x in range(SIDE) for y in range(SIDE)
        ],
    }  # fmt: skip


def square(x: int, y: int, lon: float = LON) -> shapely.Polygon:
    west, south = lon + x * 0.01, LAT + y * 0.009
    return shapely.box(west, south, west + 0.01, south + 0.009)


def on_earth(taken: set[str]) -> float:
    """km² on the ellipsoid of the largest piece of the squares of some ids; corners join."""
    squares_taken = [square(int(name[1]), int(name[2])) for name in taken]
    pieces = shapely.union_all([one.buffer(0.0002, join_style="mitre") for one in squares_taken])
    found = 0.0
    for piece in shapely.get_parts(pieces):
        areas = (
            _EARTH.geometry_area_perimeter(shapely.geometry.polygon.orient(one))[0]
            for one in squares_taken
            if piece.contains(one)
        )
        found = max(found, sum(areas) / 1e6)
    return found


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city of squares under three labels, and of sensitive pipes."""
    folder = tmp_path_factory.mktemp("counted")
    city = City.open_or_create(folder / "city")
    for name, lon, said in (
        ("estates", LON, {"sensitivity": "sensitive"}),
        ("parks", LON, {"sensitivity": "public", "cim_level": "2"}),
        ("blocks", LON, {"sensitivity": "public", "cim_level": "4"}),
    ):
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps(squares(lon)))
        import_file(city, path, options=said)
    survey = write_survey(folder / "pipes")
    for _ in range(2):
        import_file(city, survey, crs="EPSG:4547", kind="pipes")
    with Inside(city.folder) as running:
        yield running


@pytest.fixture(autouse=True)
def usual(inside: Inside) -> None:
    inside.decide(public_policy())


def limited(km2: float) -> Policy:
    """The public policy with another limit."""
    policy = public_policy()
    return policy.model_copy(
        update={"limits": policy.limits.model_copy(update={"export_km2": km2})}
    )


def logged(inside: Inside, **query: str) -> list[Entry]:
    """Rows of the log, newest first."""
    return inside.office.audit.find(AuditQuery(**query), 100)[0]


def csv_of(client: TestClient, name: str) -> int:
    return client.get(f"/collections/estates/items?f=csv&ids={name}").status_code


def page_of(client: TestClient, name: str) -> int:
    return client.get(f"/collections/estates/items?limit=1&ids={name}").status_code


def item_of(client: TestClient, name: str) -> int:
    return client.get(f"/collections/estates/items/{name}").status_code


def nearest_of(client: TestClient, name: str) -> int:
    middle = square(int(name[1]), int(name[2])).centroid
    where = f"point={middle.x},{middle.y}&limit=1"
    return client.get(f"/collections/estates/nearest?{where}").status_code


def hit_of(client: TestClient, name: str) -> int:
    return client.get(f"/search?q={name}&limit=1").status_code


def parquet_of(client: TestClient, name: str) -> int:
    return client.get(f"/collections/estates/items?f=parquet&ids={name}").status_code


WAYS = (csv_of, page_of, item_of, nearest_of, parquet_of)


@pytest.mark.parametrize("spiral", [False, True])
def test_one_square_after_another_ends_at_25_square_kilometres(
    inside: Inside, spiral: bool
) -> None:
    client = inside.client("data-manager", f"collector-{spiral}")
    names = [f"s{x}{y}" for y in range(SIDE) for x in range(SIDE)]
    if spiral:
        names.sort(key=lambda name: math.hypot(int(name[1]) - 4, int(name[2]) - 4))
    taken: set[str] = set()
    for number, name in enumerate(names):
        status = WAYS[number % len(WAYS)](client, name)
        assert status in (200, 403)
        if status == 200:
            taken.add(name)
    assert 20.0 < on_earth(taken) <= 25.0
    assert all(way(client, name) == 200 for way in WAYS for name in sorted(taken)[:3])
    # And the whole at once is no way round it.
    answer = client.get("/collections/estates/items?f=geojson")
    assert answer.status_code == 403
    assert "x-export-id" not in answer.headers
    said = re.search(r"taken ([\d.]+) km² .* ([\d.]+) km², where 25 km²", answer.json()["detail"])
    assert said is not None
    whole = {f"s{x}{y}" for x in range(SIDE) for y in range(SIDE)}
    assert on_earth(taken) <= float(said[1]) <= 25.0
    assert on_earth(whole) <= float(said[2]) <= on_earth(whole) * 1.06
    assert "security administrator" in answer.json()["detail"]
    assert answer.json()["detail_zh"]
    [row, *_] = logged(inside, person=f"collector-{spiral}")
    assert (row.result, row.verb, row.status, row.layers) == ("denied", "export", 403, ("estates",))
    assert row.detail["limit_km2"] == 25.0


def test_what_one_took_is_not_counted_against_another_nor_what_lies_far_away(
    inside: Inside,
) -> None:
    first = inside.client("data-manager", "first")
    row = ",".join(f"s{x}0" for x in range(SIDE))
    rows = ",".join(f"s{x}{y}" for x in range(SIDE) for y in (0, 1))
    assert first.get(f"/collections/estates/items?f=csv&ids={rows}").status_code == 200
    assert csv_of(first, "s02") == csv_of(first, "s12") == 200
    assert page_of(first, "s82") == page_of(first, "s72") == 200
    assert first.get(f"/collections/estates/items?f=csv&ids={row}").status_code == 200
    assert item_of(first, "s42") == item_of(first, "s52") == 403
    assert item_of(first, "s48") == 200
    second = inside.client("data-manager", "second")
    assert item_of(second, "s42") == 200


def test_many_ids_are_allowed_or_refused_as_one(inside: Inside) -> None:
    client = inside.client("data-manager", "all-or-nothing")
    assert client.get("/collections/estates/items?limit=81").status_code == 403
    rows = ",".join(f"s{x}{y}" for x in range(SIDE) for y in (7, 8))
    assert client.get(f"/collections/estates/items?f=csv&ids={rows}").status_code == 200


def test_public_layers_count_only_when_they_are_large_scale_and_strangers_by_address(
    inside: Inside,
) -> None:
    here = inside.client(STRANGER, address="203.0.113.5")
    there = inside.client(STRANGER, address="203.0.113.6")
    for client in (here, there):
        assert client.get("/collections/parks/items?f=csv").status_code == 200
        assert client.get("/collections/blocks/items?f=csv").status_code == 403
    ids = ",".join(f"s{x}{y}" for x in range(SIDE) for y in (0, 1))
    assert here.get(f"/collections/blocks/items?f=csv&ids={ids}").status_code == 200
    more = "/collections/blocks/items?ids=" + ",".join(f"s{x}2" for x in range(SIDE))
    assert here.get(more).status_code == 403
    assert there.get(more).status_code == 200


def test_tiles_count_from_large_scale_on(inside: Inside) -> None:
    client = inside.client("data-manager", "looker")
    account = inside.account("data-manager", "looker")
    version = client.get("/collections/estates").json()["version"]

    def tile(z: int) -> str:
        side = 2**z
        x = int((LON + 0.005 + 180) / 360 * side)
        lat = math.radians(LAT + 0.005)
        y = int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * side)
        return f"/tiles/estates/{version}/{z}/{x}/{y}"

    for path in (f"{tile(15)}.png", f"{tile(16)}.png"):
        assert client.get(path).status_code == 200
        assert len(inside.office.exported.cells(account)) == 0, path
    assert client.get(f"{tile(17)}.png").status_code == 200
    few = len(inside.office.exported.cells(account))
    assert client.get(f"{tile(14)}.mvt").status_code == 200
    assert 0 < few < len(inside.office.exported.cells(account))
    inside.decide(limited(0.001))
    assert client.get(f"{tile(17)}.png").status_code == 200, "it is taken already"
    refused = client.get(f"{tile(13)}.mvt")
    assert refused.status_code == 403
    assert "km²" in refused.json()["detail"]


def leaves(tileset: dict) -> Iterator[tuple[str, list[float], bool]]:
    """Contents with their boxes, and whether they are leaves."""
    waiting = [tileset["root"]]
    while waiting:
        found = waiting.pop()
        waiting += found.get("children", [])
        box = found["boundingVolume"]["box"]
        yield found["content"]["uri"], box, not found.get("children")


def test_leaf_tiles_of_pipes_count_and_are_refused_with_a_sentence(inside: Inside) -> None:
    client = inside.client("data-manager", "viewer-of-pipes")
    account = inside.account("data-manager", "viewer-of-pipes")
    href = client.get("/collections/pipes").json()["tileset"]["href"]
    base = href.rpartition("/")[0]
    tileset = client.get(href)
    assert tileset.status_code == 200
    assert len(inside.office.exported.cells(account)) == 0
    found = [
        (f"{base}/{uri}".replace("/2/../", "/"), leaf) for uri, _, leaf in leaves(tileset.json())
    ]
    inside.decide(limited(0.0001))
    path = next(path for path, leaf in found if leaf)
    refused = client.get(path)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert "x-export-id" not in refused.headers
    assert client.head(path).status_code == 200, "a head shows nothing"
    inside.decide(public_policy())
    assert {client.get(path).status_code for path, _ in found} == {200}
    assert len(inside.office.exported.cells(account)) > 0


def test_values_of_an_attribute_have_no_places_and_do_not_count(inside: Inside) -> None:
    client = inside.client("data-manager", "stylist")
    assert client.get("/collections/estates/attributes/use").status_code == 200
    assert len(inside.office.exported.cells(inside.account("data-manager", "stylist"))) == 0


def test_every_file_says_by_which_export_it_came_out_and_the_log_knows_it(inside: Inside) -> None:
    client = inside.client("data-manager", "exporter")
    items, pipes = "/collections/estates/items", "/collections/pipes"
    box = client.get(f"{pipes}/items?limit=1&bbox=113,22,114,24").json()["features"][0]["bbox"]
    middle = (box[1] + box[4]) / 2
    line = f"line={box[0] - 0.001},{middle - 0.0005},{box[3] + 0.001},{middle + 0.0005}"
    asked = {
        "csv": f"{items}?f=csv&ids=s00",
        "geojson": f"{items}?f=geojson&ids=s00",
        "parquet": f"{items}?f=parquet&ids=s00",
        "glb": f"{pipes}/geometry?f=glb",
        "obj": f"{pipes}/geometry?f=obj",
        "ply": f"{pipes}/geometry?f=ply",
        "dxf": f"{pipes}/section?f=dxf&{line}",
        "checkin": f"{pipes}/versions/2/checkin?f=csv",
        "checkin map": f"{pipes}/versions/2/checkin?f=geojson",
        "comparison": f"{pipes}/comparison?from=1&to=2&f=csv",
    }
    ids = {}
    for what, path in asked.items():
        answer = client.get(path)
        assert answer.status_code == 200, (what, answer.text)
        ids[what] = told = answer.headers["x-export-id"]
        [row] = logged(inside, q=told)
        assert (row.name, row.result, row.verb) == ("exporter", "ok", "export")
        assert row.detail["export"] == told
        assert row.layers == (("estates",) if "estates" in path else ("pipes",))
        if what in ("geojson", "checkin map"):
            assert answer.json()["export"] == told
        elif what == "parquet":
            table = pq.read_table(io.BytesIO(answer.content))
            assert table.schema.metadata[b"export"].decode() == told
        elif what == "obj":
            packed = zipfile.ZipFile(io.BytesIO(answer.content))
            [name] = [name for name in packed.namelist() if name.endswith(".obj")]
            assert f'# export: "{told}"' in packed.read(name).decode()
        elif what in ("glb", "ply", "dxf"):
            assert told.encode() in answer.content
        else:
            assert told.encode() not in answer.content
    assert len(set(ids.values())) == len(ids)
    shown = client.get(f"{pipes}/section?f=svg&{line}")
    assert shown.status_code == 200
    assert "x-export-id" not in shown.headers


def test_a_table_of_an_analysis_counts_the_features_it_names(inside: Inside) -> None:
    client = inside.client("data-manager", "analyst")
    account = inside.account("data-manager", "analyst")
    place = {"type": "Point", "coordinates": [LON + 0.015, LAT + 0.0045]}
    asked = {"inputs": {"place": place, "radius": 20}, "response": "document"}
    answer = client.post("/processes/what-is-here/execution", json=asked)
    assert answer.status_code == 200, answer.text
    assert len(inside.office.exported.cells(account)) > 60
    assert "x-export-id" not in answer.headers
    [row, *_] = logged(inside, person="analyst")
    assert row.verb == "read"
    assert "estates" in row.layers
    asked["outputs"] = {"features": {"format": {"mediaType": "text/csv"}}}
    answer = client.post("/processes/what-is-here/execution", json=asked)
    assert answer.status_code == 200, answer.text
    [row] = logged(inside, q=answer.headers["x-export-id"])
    assert row.verb == "export"
    viewer = inside.client("viewer", "only-looking")
    assert viewer.post("/processes/what-is-here/execution", json=asked).status_code == 403
    del asked["outputs"]
    assert viewer.post("/processes/what-is-here/execution", json=asked).status_code == 200


@pytest.mark.parametrize("name", ["../city.toml", "..%2fcity.toml"])
def test_names_that_lead_out_of_the_folder_are_not_there(inside: Inside, name: str) -> None:
    client = inside.client("data-manager")
    assert client.get(f"/t/pipes/2/files/{name}").status_code == 404


def test_a_stored_export_is_remembered_when_the_server_begins_anew(
    inside: Inside, tmp_path: Path
) -> None:
    client = inside.client("data-manager", "patient")
    rows = ",".join(f"s{x}{y}" for x in range(SIDE) for y in (4, 5))
    assert client.get(f"/collections/estates/items?f=csv&ids={rows}").status_code == 200
    with Inside(inside.city.folder) as again:
        other = again.client("data-manager", "patient")
        more = ",".join(f"s{x}6" for x in range(SIDE))
        assert other.get(f"/collections/estates/items?f=csv&ids={more}").status_code == 403
