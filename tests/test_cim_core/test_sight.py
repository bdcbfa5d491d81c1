"""What of a city somebody sees: compared with leaving things out by hand."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.errors import Forbidden, NotFound
from cim_core.receipt import write_receipt
from cim_core.sight import WHOLE, Part, Sight
from cim_core.store.columns import columns, values
from cim_core.store.features import Query
from tests.conftest import import_file

WEST = shapely.box(113.46, 23.1, 113.4605, 23.101)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with two layers of 40 points each, with depths and owners."""
    folder = tmp_path_factory.mktemp("sight")
    random = np.random.default_rng(6)
    city = City.open_or_create(folder / "city")
    for name in ("wells", "trees"):
        path = folder / f"{name}.geojson"
        places = random.uniform((113.46, 23.1), (113.461, 23.101), (40, 2))
        path.write_text(
            shapely_collection(
                [
                    {"name": f"{name} {row}", "Depth": row / 10, "owner": "water", "kind": row % 3}
                    for row in range(40)
                ],
                places,
            )
        )
        import_file(city, path)
    return city


def shapely_collection(properties: list[dict], places: np.ndarray) -> str:
    import json

    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": said["name"],
                    "properties": said,
                    "geometry": {"type": "Point", "coordinates": [lon, lat, 5.0]},
                }
                for said, (lon, lat) in zip(properties, places.tolist(), strict=True)
            ],
        }
    )


def ids(city: City, layer: str) -> set[str]:
    version = city.layers.get(layer).version
    found = city.features.find(layer, version, Query(), after=None, limit=1000)
    return {row.feature.id for row in found}


def test_a_layer_that_is_not_seen_is_not_there(points: City) -> None:
    seen = points.seen_by(Sight({"trees": WHOLE}), None)
    assert [version.layer for version in seen.layers.current()] == ["trees"]
    absent = points.seen_by(Sight({"trees": WHOLE}), None).layers
    for ask in (absent.get, absent.versions, lambda layer: absent.version(layer, 1)):
        with pytest.raises(NotFound) as hidden:
            ask("wells")
        with pytest.raises(NotFound) as missing:
            ask("wellt")
        assert hidden.value.sentence == missing.value.sentence.replace("wellt", "wells")
    assert not absent.is_kept("wells", 1)
    assert {row.layer for row in seen.features.search("wells", 100)} == set()
    assert {row.layer for row in points.features.search("wells", 100)} == {"wells"}


def test_rows_of_an_area_are_those_that_touch_it(points: City) -> None:
    seen = points.seen_by(Sight({"wells": Part(area=WEST), "trees": WHOLE}), None)
    version = points.layers.get("wells").version
    everything = points.features.find("wells", version, Query(), after=None, limit=1000)
    expected = {row.feature.id for row in everything if row.footprint.intersects(WEST)}
    assert 0 < len(expected) < len(everything)
    assert ids(seen, "wells") == expected
    assert {row.feature.id for row in seen.features.all("wells", version)} == expected
    assert seen.features.count("wells", version, Query()) == len(expected)
    assert set(seen.features.outlines("wells", version)) >= expected
    in_box = seen.drawn_features.in_box("wells", version, (113, 23, 114, 24), 0.0, 1000)
    assert set(in_box.ids) == expected
    near = seen.feature_places.nearest("wells", version, 113.4608, 23.1005, 1000)
    assert {row.feature.id for row, _ in near} == expected
    some = seen.feature_places.candidates((113, 23, 114, 24), [("wells", version)])
    assert {item for portion in some for item in portion.ids} == expected
    assert {row.feature.id for row in seen.features.search("wells", 1000)} == expected
    summary = seen.layers.get("wells").summary
    assert summary["features"] == len(expected)
    assert sum(style["count"] for style in summary["classes"].values()) == len(expected)
    assert summary["bbox"][3] <= 113.4606
    outside = next(row.feature.id for row in everything if row.feature.id not in expected)
    with pytest.raises(NotFound):
        seen.features.get("wells", version, outside)


def test_hidden_attributes_are_neither_told_nor_found_by(points: City) -> None:
    part = Part(("*depth*", "owner"))
    seen = points.seen_by(Sight({"wells": part}), None)
    version = seen.layers.get("wells").version
    [row] = seen.features.find("wells", version, Query(ids=("wells 7",)), after=None, limit=1)
    assert set(row.feature.attributes) & {"Depth", "owner"} == set()
    assert {"kind"} <= set(row.feature.attributes)
    [open_row] = points.features.find(
        "wells", version, Query(ids=("wells 7",)), after=None, limit=1
    )
    assert open_row.feature.attributes["Depth"] == 0.7
    asked = Query(properties={"Depth": "0.7"})
    assert points.features.count("wells", version, asked) == 1
    assert seen.features.count("wells", version, asked) == 0
    names = {column.name for column in columns(points.database, "wells", version, part)}
    assert names & {"Depth", "owner"} == set() and "kind" in names
    assert values(points.database, "wells", version, "Depth", part) is None
    drawn = seen.drawn_features.in_box("wells", version, (113, 23, 114, 24), 0.0, 1000)
    assert all({"Depth", "owner"}.isdisjoint(said) for said in drawn.attributes)


def test_without_heights_no_height_is_told_or_can_be_asked_for(points: City) -> None:
    seen = points.seen_by(Sight({"wells": Part(heights=False)}), None)
    version = seen.layers.get("wells").version
    rows = list(seen.features.all("wells", version))
    assert rows and all(row.zmin is None and row.bbox is None for row in rows)
    assert not any(row.feature.shape.has_z for row in rows if row.feature.shape is not None)
    assert points.features.count("wells", version, Query(heights=(4.0, 6.0))) == 40
    assert seen.features.count("wells", version, Query(heights=(4.0, 6.0))) == 0
    asked = seen.feature_places.candidates((113, 23, 114, 24), [("wells", version)], (4.0, 6.0))
    assert list(asked) == []
    with pytest.raises(Forbidden):
        seen.select(seen.layers.get("wells"), Query())


def test_receipts_are_told_to_who_sees_their_layers(points: City) -> None:
    version = points.layers.get("wells")
    analysis = write_receipt("analysis", (), {"layer": None}, {})
    points.receipts.add(analysis)
    blind = points.seen_by(Sight({"trees": WHOLE}, people=False), None)
    with pytest.raises(NotFound):
        blind.receipts.get(version.receipt)
    told = blind.receipts.get(points.layers.get("trees").receipt)
    assert told["who"] is None
    assert points.receipts.get(version.receipt)["who"]


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(0, 0.001)] * 4), st.sampled_from(["wells", "trees"]))
def test_two_areas_together_show_what_either_shows(
    points: City, corners: tuple[float, ...], layer: str
) -> None:
    west, east, south, north = corners
    one = shapely.box(113.46 + west, 23.1, 113.46 + max(west, east), 23.101)
    other = shapely.box(113.46, 23.1 + south, 113.461, 23.1 + max(south, north))

    def seen(area: shapely.Geometry) -> set[str]:
        return ids(points.seen_by(Sight({layer: Part(area=area)}), None), layer)

    assert seen(shapely.union(one, other)) == seen(one) | seen(other)
    assert seen(shapely.intersection(one, other)) <= seen(one) & seen(other)


def test_the_strictest_of_the_kept_versions_decides_who_sees_a_layer(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    path = tmp_path / "p.geojson"
    for lon, options in ((113.46, {}), (113.47, {"cim_level": "2"})):
        path.write_text(shapely_collection([{"name": "a"}], np.array([[lon, 23.1]])))
        import_file(city, path, options=options)
    [label] = city.layers.labels()
    west, _, east, _ = label.box
    assert (west, east) == (113.46, 113.47), "the version before reaches there"
    [again] = city.layers.labels()
    assert again == label


def test_a_terrain_seen_in_part_is_no_ground(tmp_path: Path) -> None:
    from tests.support.rasters import hills, write_raster

    city = City.open_or_create(tmp_path / "city")
    import_file(city, write_raster(tmp_path / "ground.tif", hills(60, 60)), kind="terrain")
    assert city.ground() is not None
    assert city.seen_by(Sight({"ground": Part(heights=False)}), None).ground() is None


def test_a_job_bears_the_name_of_who_ordered_it(tmp_path: Path) -> None:
    from cim_core.sight import EVERYTHING, Doer

    city = City.open_or_create(tmp_path / "city")
    job = city.seen_by(EVERYTHING, Doer("a1", "editor")).jobs.add("tile", "x", None, {})
    assert (job.person, job.who) == ("a1", "editor")
    assert city.jobs.get(job.id).as_dict()["who"] == "editor"
