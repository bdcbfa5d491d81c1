"""Features as files and as columns, read back by other programs than wrote them."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from tests.support.serving import Server

ITEMS = "/collections/office/items"


def all_items(server: Server, **query: str) -> list[dict]:
    return server.client.get(ITEMS, params={**query, "limit": 10_000}).json()["features"]


def test_a_csv_has_a_row_for_each_feature_and_no_formulas(sample_server: Server) -> None:
    answer = sample_server.client.get(ITEMS, params={"f": "csv", "class": "IfcColumn"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="office.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    items = {item["id"]: item for item in all_items(sample_server, **{"class": "IfcColumn"})}
    assert [row["id"] for row in rows] == sorted(items)
    for row in rows:
        outline = shapely.geometry.shape(items[row["id"]]["geometry"])
        assert outline.buffer(1e-7).contains(shapely.Point(float(row["lon"]), float(row["lat"])))
        assert float(row["zmin"]) == pytest.approx(items[row["id"]]["properties"]["zmin"])
    assert not any(cell[:1] in tuple("=+@") for row in rows for cell in row.values())


def test_geoparquet_says_what_its_specification_asks_for(
    sample_server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "office.parquet"
    path.write_bytes(sample_server.client.get(ITEMS, params={"f": "parquet"}).content)
    table = pq.read_table(path)
    items = {item["id"]: item for item in all_items(sample_server)}
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    outlines = shapely.from_wkb(table.column("geometry").to_pylist())
    assert set(column["geometry_types"]) == {
        outline.geom_type + (" Z" if outline.has_z else "") for outline in outlines
    }
    assert column["bbox"] == pytest.approx(shapely.total_bounds(outlines).tolist())
    boxes = table.column(column["covering"]["bbox"]["xmin"][0]).to_pylist()
    for identity, outline, box in zip(table.column("id").to_pylist(), outlines, boxes, strict=True):
        expected = shapely.geometry.shape(items[identity]["geometry"])
        assert outline.equals_exact(expected, 1e-9)
        assert tuple(box.values()) == pytest.approx(outline.bounds)
    assert table.num_rows == len(items)


def test_exported_geojson_opens_in_gdal(sample_server: Server, tmp_path: Path) -> None:
    path = tmp_path / "office.geojson"
    ids = [item["id"] for item in all_items(sample_server)][:7]
    path.write_bytes(
        sample_server.client.get(ITEMS, params={"f": "geojson", "ids": ",".join(ids)}).content
    )
    described = pyogrio.read_info(path)
    assert described["features"] == 7
    assert described["crs"] == "EPSG:4326"


def test_a_column_has_the_value_of_every_feature_that_has_one(sample_server: Server) -> None:
    attributes = sample_server.client.get("/collections/office/attributes").json()["attributes"]
    known = {attribute["name"]: attribute for attribute in attributes}
    items = all_items(sample_server)
    heights = {item["id"]: item["properties"]["zmax"] for item in items}
    assert known["zmax"]["kind"] == "number"
    assert known["zmax"]["count"] == len(heights)
    assert known["zmax"]["maximum"] == max(heights.values())
    column = sample_server.client.get("/collections/office/attributes/zmax").json()
    assert dict(zip(column["ids"], column["values"], strict=True)) == heights
    name = next(name for name in known if name.startswith("Pset_ColumnCommon."))
    column = sample_server.client.get(f"/collections/office/attributes/{name}").json()
    pset, prop = name.split(".", 1)
    one = sample_server.client.get(f"{ITEMS}/{column['ids'][0]}").json()
    said = {
        item["name"]: item["value"]
        for found in one["property_sets"]
        if found["name"] == pset
        for item in found["properties"]
    }
    assert said[prop] == column["values"][0]
    missing = sample_server.client.get("/collections/office/attributes/nothing")
    assert missing.status_code == 404
    assert "nothing" in missing.json()["detail"]


def test_outlines_of_cells_come_in_their_order(sample_server: Server) -> None:
    cells = ["8b411d4902d9fff", "8a411d4902dffff"]
    outlines = sample_server.client.post("/cells/outlines", json=cells).json()["outlines"]
    assert [len(outline) for outline in outlines] == [6, 6]
    fine, coarse = (shapely.Polygon(outline) for outline in outlines)
    assert coarse.area > 6 * fine.area
    assert sample_server.client.post("/cells/outlines", json=["no"]).status_code == 422
