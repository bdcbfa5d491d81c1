"""Whatever describes lanes is found by its content and becomes a layer with its road map."""

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from cim_core.city import City
from cim_core.errors import CimError, InvalidInput, TooLarge, UnsupportedFormat
from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress
from cim_core.traffic.road_file import encoded
from pipelines import roads_importer, roads_xml
from pipelines.road_report import reports
from pipelines.roads_geometry import level, metres_per_degree
from pipelines.roads_importer import RoadsImporter
from pipelines.roads_sumo import read_sumo
from server.checkin import version_report
from server.importers import importer_for
from tests.conftest import import_file


def imported(path: Path) -> Layer:
    source = Source(path, path.name, "roads", "Roads")
    return RoadsImporter()(source, Placement(), Progress())


@pytest.fixture(scope="module")
def net(data: Path) -> Path:
    return data / "traffic_pasubio" / "pasubio_buslanes.net.xml"


@pytest.fixture(scope="module")
def layer(net: Path) -> Layer:
    return imported(net)


def test_lanes_are_areas_as_wide_as_they_are(layer: Layer) -> None:
    assert (layer.kind, layer.sensitivity, layer.level) == ("vector", "internal", "surface")
    roads = layer.roads
    assert roads is not None
    by_id = {one.id: one for one in layer.features}
    plane = math.prod(metres_per_degree(44.5))
    for lane in roads.lanes:
        feature = by_id[f"lane/{lane.id}"]
        assert feature.shape is not None
        assert feature.attributes["link"] == lane.link
        long = shapely.LineString(level(lane.line)).length
        if long > 30:
            assert feature.shape.area * plane == pytest.approx(long * lane.width, rel=0.02)


def test_stop_lines_lie_across_the_end_of_their_lanes(layer: Layer) -> None:
    roads = layer.roads
    assert roads is not None
    stops = [one for one in layer.features if one.feature_class == "StopLine"]
    assert len(stops) == len({
        way.from_lane for way in roads.connections
        if roads.intersection_by_id[way.intersection].control != "none"
    })  # fmt: skip
    for one in stops:
        lane = roads.lane_by_id[one.id.removeprefix("stop/")]
        assert one.shape is not None
        middle = one.shape.interpolate(0.5, normalized=True)
        assert middle.distance(shapely.Point(lane.line[-1][:2])) < 1e-7
        groups = {way.group for way in roads.connections if way.from_lane == lane.id and way.group}
        assert set(str(one.attributes.get("group", "")).split()) == groups


def test_every_class_has_its_names_and_every_attribute_a_plain_value(layer: Layer) -> None:
    for name in {one.feature_class for one in layer.features}:
        title = layer.class_styles[name].title
        assert title["en"] != title["zh"]
    assert {"speed", "width", "control", "turn"} <= set(layer.tile_attributes)
    ids = [one.id for one in layer.features]
    assert len(set(ids)) == len(ids)


def test_an_import_brings_the_road_map_into_the_city(city: City, net: Path) -> None:
    import_file(city, net)
    [(_, roads)] = city.road_maps().values()
    assert roads == read_sumo(net)


def test_the_check_in_notes_intersections_that_lack_too_much(city: City, net: Path) -> None:
    (city.folder / "checkin.toml").write_text("[intersection-incomplete]\nleast = 0.7\n")
    import_file(city, net)
    [(layer_id, (version, _))] = city.road_maps().items()
    document = version_report(city, layer_id, version.version)
    assert [rule["id"] for rule in document["rules"]] == ["intersection-incomplete"]
    scores = {id_: one.score for id_, one in reports(read_sumo(net)).items()}
    low = {
        id_ for id_ in ("218", "219", "220", "230", "231", "232", "233", "282") if scores[id_] < 0.7
    }
    assert low
    assert {one["id"].removeprefix("intersection/") for one in document["findings"]} == low
    for one in document["findings"]:
        assert (one["value"], one["limit"]) == (scores[one["name"]], 0.7)
        assert one["zh"].startswith(f"路口 {one['name']} 的完整度为")


def test_an_own_road_map_goes_out_and_comes_back(net: Path, tmp_path: Path) -> None:
    roads = read_sumo(net)
    path = tmp_path / "pasubio.roads.json"
    path.write_bytes(encoded(roads))
    assert importer_for(path.name, path).kind == "roads"
    assert imported(path).roads == roads
    path.write_bytes(
        encoded(roads).replace(b'"driving"', b'"flying"', 1).replace(b'"bus"', b'"fly"', 1)
    )
    with pytest.raises(
        InvalidInput, match=r"pasubio.roads.json is no road map: Invalid enum value 'fly'"
    ):
        imported(path)


@pytest.mark.parametrize(
    "name",
    [
        "traffic_pasubio/pasubio_buslanes.net.xml",
        "lanelet2/mapping_example.osm",
        "v2x/gj_valid.map.json",
    ],
)
def test_formats_are_told_by_their_content(data: Path, name: str) -> None:
    path = data / name
    assert importer_for(path.name, path).kind == "roads"


def test_what_is_no_road_map_stays_what_it_is(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "roads.json"
    lanes = {"type": "Feature", "properties": {"lanes": 2, "links": 1}, "geometry": None}
    other.write_text(json.dumps({"type": "FeatureCollection", "features": [lanes]}))
    assert importer_for(other.name, other).kind != "roads"
    assert not RoadsImporter().recognises(data / "v2x" / "gj_valid.spat.json")
    plain = tmp_path / "plain.osm"
    plain.write_text('<osm version="0.6"><node id="1" lat="1" lon="1"/></osm>')
    assert not RoadsImporter().recognises(plain)
    assert not RoadsImporter().recognises(data / "traffic_pasubio" / "pasubio.rou.xml")
    for path in (plain, data / "traffic_pasubio" / "pasubio.rou.xml"):
        with pytest.raises((InvalidInput, UnsupportedFormat)):
            imported(path)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"<net>" + b"<edge>" * 200, TooLarge),
        (b"<net><edge id='a'/></net>", InvalidInput),
        (b"\x1f\x8b\x08\x00 no gzip at all", InvalidInput),
        (b"<osm><relation id='1'><tag k='type' v='lanelet'/></relation></osm>", InvalidInput),
        (b'<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><net>&b;</net>', InvalidInput),
        (b"<net><location netOffset='x'/></net>", InvalidInput),
    ],
)
def test_hostile_and_broken_files_end_in_a_sentence(
    tmp_path: Path, content: bytes, error: type[CimError]
) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(content)
    with pytest.raises(error):
        imported(path)


def test_more_than_a_map_can_hold_is_refused(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(roads_xml.limits(), unpacked=10_000, message=1000)
    monkeypatch.setattr(roads_xml, "limits", lambda: small)
    with pytest.raises(TooLarge, match="cut the map into parts"):
        imported(net)


def test_an_own_road_map_that_is_too_large_or_broken_is_refused_not_cut(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.json.gz"
    packed = gzip.compress(encoded(read_sumo(net)))
    path.write_bytes(packed[:-100])
    with pytest.raises(InvalidInput, match=r"own\.json\.gz cannot be unpacked"):
        imported(path)
    path.write_bytes(packed)
    small = replace(roads_xml.limits(), message=100_000)
    monkeypatch.setattr(roads_importer, "limits", lambda: small)
    with pytest.raises(TooLarge, match="MiB of JSON; cut the map"):
        imported(path)


def test_a_packed_map_that_is_cut_off_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "cut.osm.gz"
    nodes = b"".join(b"<node id='%d' lat='0.%d'/>" % (n, hash(n * 7919)) for n in range(40_000))
    path.write_bytes(gzip.compress(b"<osm>" + nodes)[:-1000])
    assert not RoadsImporter().recognises(path)
