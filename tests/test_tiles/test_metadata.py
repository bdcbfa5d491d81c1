"""Property tables for attributes of any name."""

import json
import re
import struct
from pathlib import Path

import shapely

from cim_core.importers.buildings import BuildingImporter
from cim_core.progress import Progress
from tests.support.vectors import imported, moved, write_table
from tiles import build_tileset, check_tiles
from tiles.glb_reading import Glb


def test_attributes_in_chinese_travel_under_ids_that_the_standard_allows(tmp_path: Path) -> None:
    """EXT_structural_metadata, class.schema.json: ^[a-zA-Z_][a-zA-Z0-9_]*$."""
    columns = {"层数": [3, 5], "用途": ["住宅", "商业"], "building:use": ["a", "b"]}
    shapes = [moved(shapely.box(0, 0, 9, 9)), moved(shapely.box(20, 0, 29, 9))]
    layer = imported(BuildingImporter(), write_table(tmp_path / "a.gpkg", shapes, columns))
    (tmp_path / "content").mkdir()
    (tmp_path / "1").mkdir()
    tileset = tmp_path / "1" / "tileset.json"
    build_tileset(layer, tmp_path / "content", tileset, Progress())
    check_tiles(layer, tileset, [f.id for f in layer.features], Progress())
    (content,) = (tmp_path / "content").glob("*.glb")
    data = content.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    metadata = document["extensions"]["EXT_structural_metadata"]
    properties = metadata["schema"]["classes"]["feature"]["properties"]
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", key) for key in properties)
    assert {p.get("name") for p in properties.values()} >= {"层数", "用途", "building:use"}
    table = Glb(data).table()
    rows = dict(zip(table["id"], table["用途"], strict=True))
    assert rows == {"a.1": "住宅", "a.2": "商业"}
    assert table["height"] == ["9.0", "15.0"]
