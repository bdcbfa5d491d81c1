"""A city's folder, its drafts and versions, and its registry as a GeoPackage."""

import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from cim_core.city import City
from cim_core.city_file import CityFile
from cim_core.errors import Cancelled, Conflict, InvalidInput, NotFound
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.layer import Layer, check_layer_id
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from cim_core.store.features import Query
from tests.test_tiles.test_tiles import box_layer, build, drawn
from tiles import build_tileset


def publish(city: City, layer: Layer) -> int:
    with city.draft(layer.id, layer.title, Progress()) as draft:
        draft.save(layer, 0.0, Progress())
        summary = build_tileset(layer, draft.content, draft.folder / "tileset.json", Progress())
        receipt = write_receipt("test", (), {}, {"layer": layer.id, "version": draft.version})
        draft.publish(layer, summary, receipt)
        return draft.version


def test_what_is_saved_is_loaded_again(city: City) -> None:
    layer = box_layer(30)
    publish(city, layer)
    loaded = city.load("boxes")
    assert loaded.frame == layer.frame
    assert loaded.tile_attributes == layer.tile_attributes
    assert loaded.content.meshes.keys() == layer.content.meshes.keys()
    for ours, theirs in zip(loaded.content.features, layer.content.features, strict=True):
        assert replace(ours, instances=()) == replace(theirs, instances=())
        for a, b in zip(ours.instances, theirs.instances, strict=True):
            assert a.mesh_key == b.mesh_key
            assert np.array_equal(a.transform, b.transform)


def test_gdal_reads_the_registry(city: City) -> None:
    publish(city, box_layer(25))
    city.database.close()
    assert ["layer_boxes", "Polygon"] in [
        [name, kind or "Polygon"] for name, kind in pyogrio.list_layers(city.folder / "city.gpkg")
    ] or "layer_boxes" in pyogrio.list_layers(city.folder / "city.gpkg")[:, 0]
    meta, _fids, geometries, fields = pyogrio.raw.read(
        city.folder / "city.gpkg",
        layer="layer_boxes",
        bbox=(113.4599, 23.0999, 113.46001, 23.10001),
    )
    assert meta["crs"] == "EPSG:4326"
    assert 0 < len(geometries) < 25
    _, _, everything, columns = pyogrio.raw.read(city.folder / "city.gpkg", layer="layer_boxes")
    assert len(everything) == 25
    ids = columns[list(meta["fields"]).index("id")]
    assert sorted(ids) == drawn(box_layer(25))
    assert fields is not None


def test_a_new_version_replaces_the_old_at_once_and_old_ones_are_kept(city: City) -> None:
    for count in (10, 12, 14):
        publish(city, box_layer(count))
    assert city.layers.get("boxes").version == 3
    assert [v.version for v in city.layers.versions("boxes")] == [3, 2, 1]
    counts = [city.features.count("boxes", v, Query()) for v in (1, 2, 3)]
    assert counts == [10, 12, 14]
    assert city.features.search("Wall 13", 10)[0].version == 3


def test_versions_beyond_the_limit_and_their_contents_are_collected(city: City) -> None:
    path = city.folder / "city.toml"
    path.write_text(path.read_text().replace("keep_versions = 5", "keep_versions = 2"))
    for count in (10, 12, 14, 16):
        publish(city, box_layer(count))
    assert [v.version for v in city.layers.versions("boxes")] == [4, 3]
    folder = city.layers_folder / "boxes"
    assert {p.name for p in folder.iterdir()} == {"content", "3", "4"}
    named = {
        tile["content"]["uri"].rsplit("/", 1)[1]
        for v in (3, 4)
        for tile in _tiles(json.loads((folder / str(v) / "tileset.json").read_text())["root"])
    }
    assert {p.name for p in (folder / "content").glob("*.glb")} == named
    assert city.features.count("boxes", 1, Query()) == 0


def _tiles(tile: dict) -> list[dict]:
    own = [tile] if "content" in tile else []
    return own + [t for child in tile.get("children", []) for t in _tiles(child)]


def test_a_draft_that_fails_leaves_nothing(city: City) -> None:
    layer = box_layer(10)
    publish(city, layer)
    before = sorted(p for p in city.layers_folder.rglob("*"))
    with pytest.raises(RuntimeError), city.draft("boxes", "Boxes", Progress()) as draft:
        draft.save(box_layer(20), 0.0, Progress())
        build_tileset(box_layer(20), draft.content, draft.folder / "tileset.json", Progress())
        raise RuntimeError
    assert sorted(p for p in city.layers_folder.rglob("*")) == before
    assert city.layers.get("boxes").version == 1
    assert city.features.count("boxes", 2, Query()) == 0


def test_work_can_be_cancelled_at_every_step(city: City) -> None:
    layer = box_layer(60)
    steps: list[str] = []
    publish_steps = Progress(lambda done, total, note: steps.append(note))
    with city.draft("boxes", "Boxes", publish_steps) as draft:
        draft.save(layer, 0.0, publish_steps)
    for stop_at in range(len(steps)):
        seen = iter(range(len(steps) + 1))
        progress = Progress(cancelled=lambda s=seen, n=stop_at: next(s) == n)
        with pytest.raises(Cancelled), city.draft("boxes", "Boxes", progress) as draft:
            draft.save(layer, 0.0, progress)
    assert city.layers.current() == []
    assert not (city.layers_folder / "boxes").exists()


def test_two_builders_of_one_layer_take_turns(city: City) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            publish(City.open(city.folder), box_layer(15))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert city.layers.get("boxes").version == 4


def test_a_removed_layer_is_gone_but_its_receipt_stays(city: City) -> None:
    publish(city, box_layer(5))
    receipt = city.layers.get("boxes").receipt
    city.remove("boxes")
    assert city.layers.current() == []
    assert not (city.layers_folder / "boxes").exists()
    assert city.receipts.get(receipt)["kind"] == "test"
    with pytest.raises(NotFound):
        city.remove("boxes")


def test_titles_may_repeat_in_the_geopackage(city: City) -> None:
    for layer_id in ("a", "b"):
        publish(city, replace(box_layer(3), id=layer_id, title="Same"))
    assert len(city.layers.current()) == 2


def test_features_are_found_by_box_class_storey_text_and_property(city: City) -> None:
    layer = box_layer(30)
    publish(city, layer)

    def ids(**query: object) -> list[str]:
        found = city.features.find("boxes", 1, Query(**query), after=None, limit=100)
        assert city.features.count("boxes", 1, Query(**query)) == len(found)
        return [row.feature.id for row in found]

    assert ids(text="Wall 2") == ["f00002", *[f"f{n:05d}" for n in range(20, 30)]]
    assert ids(text="%") == []
    assert len(ids(feature_class="IfcWall", storey="s1")) == 30
    assert ids(feature_class="IfcDoor") == []
    assert ids(properties={"storey": "s1"}) == ids()
    assert ids(properties={"storey": "s2"}) == []
    west, south = Frame(113.46, 23.1, 0.0).to_geographic(np.array([[-0.4, -0.4, 0.0]]))[0, :2]
    east, north = Frame(113.46, 23.1, 0.0).to_geographic(np.array([[0.4, 0.4, 0.0]]))[0, :2]
    assert ids(bbox=(west, south, east, north)) == ["f00000"]
    assert ids(bbox=(west, south, east, north), heights=(10.0, 20.0)) == []
    with pytest.raises(InvalidInput, match="Pset_WallCommon"):
        ids(properties={".x": "1"})


def test_paging_meets_every_feature_once(city: City) -> None:
    publish(city, box_layer(53))
    seen: list[str] = []
    after = None
    while page := city.features.find("boxes", 1, Query(), after=after, limit=10):
        seen += [row.feature.id for row in page]
        after = page[-1].feature.id
    assert seen == drawn(box_layer(53))


def test_a_folder_with_other_things_does_not_become_a_city(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(InvalidInput, match=r"holiday\.jpg"):
        City.open_or_create(tmp_path)
    with pytest.raises(NotFound, match=r"city\.toml"):
        City.open(tmp_path)


def test_a_broken_city_file_names_the_entry(city: City) -> None:
    (city.folder / "city.toml").write_text('name = "x"\n[place]\nanchor = [1.0, "north"]\n')
    with pytest.raises(InvalidInput, match=r"city\.toml"):
        City.open(city.folder)


def test_a_registry_of_a_newer_program_is_refused(city: City) -> None:
    with city.database.transaction() as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    with pytest.raises(Conflict, match="update this program"):
        City.open(city.folder)


def test_a_registry_of_an_older_program_is_brought_up_to_date(city: City) -> None:
    job = city.jobs.add("import", "a", "a.ifc", {})
    with city.database.transaction() as connection:
        for change in (
            "ALTER TABLE jobs DROP COLUMN remaining",
            "ALTER TABLE jobs DROP COLUMN person",
            "ALTER TABLE jobs DROP COLUMN who",
            "ALTER TABLE layers DROP COLUMN about",
            "ALTER TABLE features DROP COLUMN shaped",
            "DROP TABLE results",
            "DROP TABLE rtree_feature_boxes",
            "CREATE VIRTUAL TABLE rtree_feature_boxes"
            " USING rtree (fid, west, east, south, north, bottom, top)",
            "INSERT INTO rtree_feature_boxes VALUES (1, 2, 3, 4, 5, 6, 7)",
            "UPDATE meta SET value = '1' WHERE key = 'schema'",
        ):
            connection.execute(change)
    city.database.close()
    for _ in range(2):
        opened = City.open(city.folder)
        assert opened.jobs.get(job.id).remaining is None
        boxes = opened.database.connection.execute("SELECT * FROM rtree_feature_boxes").fetchall()
        assert [tuple(box) for box in boxes] == [(1, 2, 3, 4, 5)]
        assert opened.jobs.claim(job.id, "me") or opened.jobs.get(job.id).owner == "me"


def test_a_file_that_is_no_registry_is_refused(city: City) -> None:
    city.database.close()
    for leftover in city.folder.glob("city.gpkg*"):
        leftover.unlink()
    (city.folder / "city.gpkg").write_text("not a database, but long enough to be read as one" * 99)
    with pytest.raises(InvalidInput, match="backup"):
        City.open(city.folder)


def test_the_first_place_stays_and_comments_survive(city: City) -> None:
    path = city.folder / "city.toml"
    path.write_text("# ours\n" + path.read_text())
    city.settle(Frame(113.46, 23.1, 3.0), None)
    city.settle(Frame(8.4, 49.0, 0.0), "EPSG:25832")
    settings: CityFile = city.settings
    assert settings.frame == Frame(113.46, 23.1, 3.0)
    assert settings.crs == "EPSG:4547"
    assert settings.vertical_datum == "EPSG:5737"
    assert "# ours" in path.read_text()


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "..", "a" * 64, "楼"])
def test_layer_ids_that_cannot_stand_in_addresses_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="layer id"):
        check_layer_id(name)


def test_the_registry_is_one_durable_geopackage_file(city: City) -> None:
    city.layers.current()
    connection = sqlite3.connect(city.folder / "city.gpkg")
    try:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == 0x47504B47
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    finally:
        connection.close()
    assert city.database.connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_feature_without_geometry_is_kept_but_not_listed(city: City) -> None:
    layer = box_layer(2)
    group = Feature("storey", "IfcBuildingStorey", "1F", None, {"elevation": 0.0})
    content = replace(layer.content, features=(*layer.content.features, group))
    publish(city, replace(layer, content=content))
    assert city.features.count("boxes", 1, Query()) == 2
    assert city.features.get("boxes", 1, "storey").feature.name == "1F"
    assert build is not None
