"""CityJSON: what stands in the files stands in the layers, where pyproj says it does."""

import copy
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.errors import InvalidInput, UnsupportedFormat
from cim_core.feature import Feature
from cim_core.importers.cityjson import CityJsonImporter
from cim_core.layer import Layer, Placement, Source
from cim_core.mesh import transformed
from cim_core.progress import Progress

COUNTS = {
    "delfshaven.city.json": {"Building": 853},
    "zurich_subset_lod2.json": {"Building": 49, "BuildingPart": 161},
    "vienna.jsonl": {"Building": 149, "BuildingPart": 443},
    "delft_3dfier.city.json": {
        "Building": 160, "Road": 143, "PlantCover": 126, "LandUse": 81, "GenericCityObject": 54,
        "WaterBody": 3, "Bridge": 3,
    },
}  # fmt: skip
SYSTEMS = {
    "delfshaven.city.json": 28992, "zurich_subset_lod2.json": 2056, "vienna.jsonl": 31256,
    "delft_3dfier.city.json": 28992,
}  # fmt: skip
CUBE = {
    "type": "CityJSON", "version": "2.0",
    "transform": {"scale": [0.001] * 3, "translate": [444000.0, 2556000.0, 10.0]},
    "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/4547"},
    "vertices": [[x, y, z] for z in (0, 3000) for x, y in ((0, 0), (8000, 0), (8000, 5000), (0, 5000))],
    "CityObjects": {},
}  # fmt: skip
SHELL = [
    [[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]],
]  # fmt: skip
SOLID = {"type": "Solid", "lod": "1", "boundaries": [SHELL]}


def imported(path: Path, crs: str | None = None, separation: float = 0.0, **options: str) -> Layer:
    source = Source(path, path.name, "things", "Things", options=options)
    return CityJsonImporter()(
        source, Placement(crs=crs, geoid_separation=separation), Progress()
    )  # fmt: skip


def written(folder: Path, objects: dict, **more: object) -> Path:
    path = folder / "x.city.json"
    path.write_text(json.dumps({**CUBE, **more, "CityObjects": objects}))
    return path


def area(layer: Layer, feature: Feature) -> float:
    return sum(
        layer.meshes[i.mesh_key].area() * abs(np.linalg.det(i.transform[:3, :3])) ** (2 / 3)
        for i in feature.instances
    )


def volume(layer: Layer, feature: Feature) -> float:
    corners = np.vstack(
        [
            transformed(layer.meshes[i.mesh_key].positions, i.transform)[
                layer.meshes[i.mesh_key].triangles
            ]
            for i in feature.instances
        ]
    )
    corners = corners - corners[0, 0]
    return float(np.linalg.det(corners).sum() / 6)


def documents(path: Path) -> list[dict]:
    if path.suffix == ".jsonl":
        head, *lines = (json.loads(line) for line in path.read_text().splitlines())
        return [{**line, "transform": head["transform"]} for line in lines]
    return [json.loads(path.read_text())]


def flat(value: object) -> list[int]:
    return [value] if isinstance(value, int) else [i for item in value for i in flat(item)]


@pytest.mark.parametrize("name", COUNTS)
def test_every_object_of_a_real_file_is_there(name: str, data: Path) -> None:
    layer = imported(data / "buildings" / name, f"EPSG:{SYSTEMS[name]}")
    assert Counter(feature.feature_class for feature in layer.features) == COUNTS[name]
    assert layer.dropped == ()
    assert {style.title["zh"] for style in layer.class_styles.values()} >= {"建筑"}


@pytest.mark.parametrize("name", COUNTS)
def test_every_object_stands_where_pyproj_puts_its_vertices(name: str, data: Path) -> None:
    path = data / "buildings" / name
    separation = 43.5
    layer = imported(path, f"EPSG:{SYSTEMS[name]}", separation)
    to_earth = pyproj.Transformer.from_crs(SYSTEMS[name], 4326, always_xy=True)
    known = {feature.id: feature for feature in layer.features}
    compared = 0
    for document in documents(path):
        scale, translate = (np.array(document["transform"][k]) for k in ("scale", "translate"))
        vertices = np.array(document["vertices"]) * scale + translate
        for key, item in document["CityObjects"].items():
            if not item.get("geometry"):
                assert not known[key].instances
                continue
            used = vertices[sorted(set(flat(item["geometry"][0]["boundaries"])))]
            lon, lat = to_earth.transform(used[:, 0], used[:, 1])
            expected = np.column_stack([lon, lat, used[:, 2] + separation])
            drawn = np.vstack(
                [
                    transformed(layer.meshes[i.mesh_key].positions, i.transform)
                    for i in known[key].instances
                ]
            )
            found = layer.frame.to_geographic(drawn)
            assert np.abs(found.min(axis=0) - expected.min(axis=0)).max() < 1e-4
            assert np.abs(found[:, :2].max(axis=0) - expected[:, :2].max(axis=0)).max() < 1e-9
            compared += 1
    assert compared > 150


def test_a_file_that_names_no_system_is_refused_and_the_remedy_works(data: Path) -> None:
    path = data / "buildings" / "vienna.jsonl"
    with pytest.raises(InvalidInput, match=r"vienna\.jsonl does not say .* --crs"):
        imported(path)
    with pytest.raises(InvalidInput, match="cannot be in EPSG:4547"):
        imported(path, "EPSG:4547")
    assert imported(path, "EPSG:31256").georeference.crs == "EPSG:31256"


def test_of_two_geometries_of_one_level_one_is_drawn(data: Path) -> None:
    """Vienna has each building twice, as surfaces and as a solid: nothing is drawn double."""
    path = data / "buildings" / "vienna.jsonl"
    layer = imported(path, "EPSG:31256")
    surfaces = sum(
        len(item["geometry"][0]["boundaries"])
        for document in documents(path)
        for item in document["CityObjects"].values()
        if item.get("geometry")
    )
    materials = {mesh.material.name for mesh in layer.meshes.values()}
    assert materials == {"WallSurface", "RoofSurface", "GroundSurface"}
    triangles = sum(
        len(layer.meshes[i.mesh_key].triangles) for f in layer.features for i in f.instances
    )
    assert surfaces < triangles < 6 * surfaces
    parents = {f.parent for f in layer.features if f.feature_class == "BuildingPart"}
    assert parents <= {f.id for f in layer.features if f.feature_class == "Building"}


def test_a_solid_keeps_its_area_and_volume(tmp_path: Path) -> None:
    layer = imported(written(tmp_path, {"b": {"type": "Building", "geometry": [SOLID]}}))
    (building,) = layer.features
    # The map's scale at 54 km west of the central meridian, 1.00003793 (EPSG:4547 near 113.46° E).
    assert area(layer, building) == pytest.approx(2 * (8 * 5 + 8 * 3 + 5 * 3), rel=1e-4)
    assert volume(layer, building) == pytest.approx(8 * 5 * 3, rel=1e-4)
    assert layer.cim_level == 2


def test_the_level_of_detail_can_be_chosen(tmp_path: Path) -> None:
    finer = {"type": "MultiSurface", "lod": "2.2", "boundaries": SHELL[:2]}
    path = written(
        tmp_path,
        {
            "both": {"type": "Building", "geometry": [SOLID, finer]},
            "fine": {"type": "Building", "geometry": [finer]},
        },
    )
    highest = {f.id: area(imported(path), f) for f in imported(path).features}
    assert highest["both"] == pytest.approx(80, rel=1e-4)
    first = imported(path, lod="1")
    assert [f.id for f in first.features] == ["both"]
    assert area(first, first.features[0]) == pytest.approx(158, rel=1e-4)
    assert [(d.id, d.reason[:21]) for d in first.dropped] == [("fine", "it has no geometry of")]
    assert {f.id for f in imported(path, lod="2").features} == {"both", "fine"}


def test_surfaces_have_the_colours_of_their_appearance_or_their_meaning(tmp_path: Path) -> None:
    geometry = {
        **SOLID,
        "semantics": {
            "surfaces": [{"type": "RoofSurface"}, {"type": "+GreenRoof"}],
            "values": [[None, 0, 1, None, None, None]],
        },
        "material": {"": {"values": [[None, None, None, 0, None, None]]}},
        "texture": {"winter": {"values": [[[[0, 1, 2, 3, 4]]]]}},
    }
    appearance = {
        "materials": [{"name": "glass", "diffuseColor": [0.0, 0.5, 1.0], "transparency": 0.25}],
        "textures": [{"type": "PNG", "image": "nowhere/brick.png"}],
    }
    path = written(
        tmp_path, {"b": {"type": "Building", "geometry": [geometry]}}, appearance=appearance
    )
    layer = imported(path)
    found = {m.material.name: (m.material.color, len(m.triangles)) for m in layer.meshes.values()}
    assert found["RoofSurface"][1] == 2
    assert found["Building"][1] == 8
    assert found["glass"] == ((0.0, pytest.approx(0.2140, abs=1e-4), 1.0, 0.75), 2)
    assert any("1 pictures" in warning for warning in layer.warnings)


def test_a_template_stands_at_each_of_its_places(tmp_path: Path) -> None:
    turned = [0, -2, 0, 1, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]  # a quarter turn, twice the size
    templates = {
        "templates": [{"type": "MultiSurface", "lod": "3", "boundaries": [[[0, 1, 2, 3]]]}],
        "vertices-templates": [[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
    }
    objects = {
        f"tree{number}": {
            "type": "SolitaryVegetationObject",
            "geometry": [
                {
                    "type": "GeometryInstance", "template": 0, "boundaries": [number],
                    "transformationMatrix": turned,
                }
            ],
        }
        for number in (0, 2)
    }  # fmt: skip
    layer = imported(written(tmp_path, objects, **{"geometry-templates": templates}))
    assert len(layer.meshes) == 1
    assert layer.cim_level == 4
    to_map = pyproj.Transformer.from_crs(4326, 4547, always_xy=True)
    for feature, corner in zip(layer.features, ([444000, 2556000], [444008, 2556005]), strict=True):
        (instance,) = feature.instances
        drawn = transformed(layer.meshes[instance.mesh_key].positions, instance.transform)
        lon, lat, height = layer.frame.to_geographic(drawn).T
        found = np.column_stack([*to_map.transform(lon, lat), height])
        expected = np.array([[1, 0], [1, 2], [-1, 2], [-1, 0]]) + corner
        order = np.lexsort(found[:, :2].round(2).T), np.lexsort(expected.round(2).T)
        assert found[order[0], :2] == pytest.approx(expected[order[1]], abs=2e-3)
        assert height == pytest.approx(np.full(4, 10.0), abs=1e-3)


def test_what_is_sound_is_loaded_and_the_rest_is_reported(tmp_path: Path) -> None:
    bow = [[0, 2, 1, 3]]
    objects = {
        "sound": {"type": "Building", "geometry": [SOLID]},
        "crossed": {
            "type": "Building",
            "geometry": [{"type": "MultiSurface", "lod": "2", "boundaries": [SHELL[0], bow]}],
        },
        "beyond": {
            "type": "Building",
            "geometry": [{"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 99]]]}],
        },
        "flat": {
            "type": "Building",
            "geometry": [{"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 0]]]}],
        },
        "odd": {"type": "Building", "geometry": [{"type": "Solid", "lod": "1", "boundaries": 7}]},
        "points": {
            "type": "CityFurniture",
            "geometry": [{"type": "MultiPoint", "lod": "1", "boundaries": [0, 1]}],
        },
        "none": {"type": "Building"},
        "text": "not an object",
        "group": {"type": "CityObjectGroup", "children": ["sound"]},
    }
    layer = imported(written(tmp_path, objects))
    assert [f.id for f in layer.features] == ["crossed", "group", "sound"]
    assert {d.id for d in layer.dropped} == {"beyond", "flat", "odd", "points", "none", "text"}
    assert any("cross themselves" in warning and "crossed" in warning for warning in layer.warnings)
    assert {f.id: f.parent for f in layer.features}["sound"] == "group"


def test_attributes_stay_as_they_are_and_some_travel_with_the_tiles(tmp_path: Path) -> None:
    attributes = {"measuredHeight": 6.5, "class": "1000", "name": "Hall", "uses": ["a", "b"]}
    path = written(
        tmp_path, {"b": {"type": "Building", "geometry": [SOLID], "attributes": attributes}}
    )
    layer = imported(path)
    (building,) = layer.features
    assert building.name == "Hall"
    assert building.attributes == {"measuredHeight": 6.5, "class_": "1000", "name_": "Hall"}
    (properties,) = building.property_sets
    assert {item.name: item.value for item in properties.properties} == attributes
    assert layer.tile_attributes[0] == "measuredHeight"


def test_a_second_object_of_one_id_gets_a_number(tmp_path: Path) -> None:
    head = {**CUBE, "vertices": []}
    line = {
        "type": "CityJSONFeature", "id": "b", "vertices": CUBE["vertices"],
        "CityObjects": {"b": {"type": "Building", "geometry": [SOLID]}},
    }  # fmt: skip
    path = tmp_path / "x.city.jsonl"
    path.write_text("\n".join(json.dumps(item) for item in (head, line, line)) + "\n\n")
    layer = imported(path)
    assert [f.id for f in layer.features] == ["b", "b~2"]
    assert any("the id of another" in warning for warning in layer.warnings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": "1.0"}, "bring it to 2.0 with `cjio"),
        ({"type": "FeatureCollection"}, "is not CityJSON"),
        ({"transform": None}, "no sound transform"),
        ({"vertices": [[1, 2]]}, "lacks sound CityObjects or vertices"),
        ({"vertices": []}, "has geometry that can be drawn"),
        ({"metadata": {"referenceSystem": "EPSG:99999"}}, "is not known"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_remedy(
    change: dict, sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path, {"b": {"type": "Building", "geometry": [SOLID]}}, **change)
    with pytest.raises((InvalidInput, UnsupportedFormat), match=sentence):
        imported(path)


def test_broken_text_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({**CUBE, "vertices": []}) + '\n{"type": "CityJSONFeature"\n')
    with pytest.raises(InvalidInput, match=r"line 2 of x\.jsonl is not valid JSON"):
        imported(path)


def test_content_is_recognised(tmp_path: Path, data: Path) -> None:
    importer = CityJsonImporter()
    for name in COUNTS:
        assert importer.recognises(data / "buildings" / name)
    assert not importer.recognises(data / "water" / "ky4_pipes.geojson")


def test_without_a_system_it_stands_at_the_anchor_given(tmp_path: Path) -> None:
    local = copy.deepcopy(CUBE)
    local["metadata"] = {}
    local["transform"]["translate"] = [0.0, 0.0, 0.0]
    path = tmp_path / "x.json"
    path.write_text(
        json.dumps({**local, "CityObjects": {"b": {"type": "Building", "geometry": [SOLID]}}})
    )
    source = Source(path, path.name, "b", "B")
    layer = CityJsonImporter()(source, Placement(anchor=(113.46, 23.1, 5.0)), Progress())
    (building,) = layer.features
    drawn = np.vstack(
        [transformed(layer.meshes[i.mesh_key].positions, i.transform) for i in building.instances]
    )
    low = layer.frame.to_geographic(drawn).min(axis=0)
    assert low == pytest.approx([113.46, 23.1, 5.0], abs=1e-6)
