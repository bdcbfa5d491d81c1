"""What is seen, against every triangle tried in plain numpy."""

from pathlib import Path

import numpy as np
import pyproj
import pytest

import analysis.rays.scene as scene_module
from analysis.analysis import asked
from analysis.rays.scene import city_scene
from analysis.viewshed import Viewshed
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.sight import Part, Sight
from tests.conftest import import_file
from tests.support.blocks import Block, brute, faces, metres, point, publish_blocks
from tests.support.rasters import EAST, NORTH, hills, write_raster

WALL = Block(-20, 15, 40, 4, 12)
TOWER = Block(25, -10, 10, 20, 30)
LATER = Block(-60, -30, 12, 50, 25)


@pytest.fixture
def boxes(city: City) -> City:
    publish_blocks(city, "houses", {"wall": WALL, "tower": TOWER})
    publish_blocks(city, "plan", {"later": LATER}, "planned")
    return city


def middle(feature: dict) -> np.ndarray:
    """The middle of a square or panel of a sketch, in metres."""
    properties, geometry = feature["properties"], feature["geometry"]
    if geometry["type"] == "Point":
        return metres(*geometry["coordinates"])
    ring = np.array(geometry["coordinates"][0][:-1])
    if ring.shape[1] == 2:
        ring = np.column_stack([ring, np.full(len(ring), properties["bottom"])])
    return np.mean([metres(*corner) for corner in ring], axis=0)


def seen(eye: np.ndarray, features: list[dict], triangles: np.ndarray) -> list[bool]:
    """Whether the points of features are seen from an eye."""
    ways = np.array([middle(one) for one in features]) - eye
    # A millimetre before a point: panels are drawn a little before their walls.
    away = brute(np.broadcast_to(eye, ways.shape), ways, triangles)
    return (away > 1 - 1e-3 / np.linalg.norm(ways, axis=1)).tolist()


def test_ground_and_walls_that_are_seen_are_those_that_rays_reach(boxes: City) -> None:
    values = {"place": point(0, 0), "radius": 90.0, "spacing": 6.0, "planned": "plan"}
    answer = asked(Viewshed, values)(boxes, Progress())
    features = answer.outputs["sketch"].as_dict()["features"]
    now = np.concatenate([faces(WALL), faces(TOWER)])
    later = np.concatenate([now, faces(LATER)])
    ground = [one for one in features if one["id"].startswith("g")]
    assert len(ground) > 500
    assert features[-1]["id"] == "eye"
    eye = middle(features[-1])
    assert eye == pytest.approx([0, 0, 1.6], abs=1e-3)
    before, after = (seen(eye, ground, triangles) for triangles in (now, later))
    classes = {(True, True): "seen", (True, False): "lost", (False, False): "hidden"}
    told = [classes[pair] for pair in zip(before, after, strict=True)]
    assert [one["properties"]["class"] for one in ground] == told
    assert set(told) == {"seen", "lost", "hidden"}
    shares = {row[0]: row for row in answer.outputs["shares"].rows}
    assert shares["ground"][1:3] == (len(ground), sum(before))
    assert shares["ground"][4] == sum(after)
    walls = [one for one in features if one["id"].startswith("w")]
    assert all(seen(eye, walls, later)), "what is shown of walls is seen"
    found = {row[2]: row for row in answer.outputs["buildings"].rows}
    assert set(found) == {"wall", "tower", "later"}
    assert found["later"][6] == 0 < found["later"][7], "it is not there to be seen before"
    assert found["wall"][4] == pytest.approx(15.0, abs=0.1)


def test_from_a_roof_more_is_seen(boxes: City) -> None:
    low = asked(Viewshed, {"place": point(0, 0), "radius": 80.0})(boxes, Progress())
    roof = {"place": point(30, 0), "radius": 80.0, "height": 20.0}
    high = asked(Viewshed, roof)(boxes, Progress())
    eye = high.outputs["sketch"].as_dict()["features"][-1]
    assert eye["geometry"]["coordinates"][2] == pytest.approx(50.0, abs=0.01)
    share = [answer.outputs["shares"].rows[0][3] for answer in (low, high)]
    assert 0 < share[0] < share[1]


def test_hills_hide_what_lies_behind_them(city: City, tmp_path: Path) -> None:
    import_file(city, write_raster(tmp_path / "dem.tif", hills(60, 60)), kind="terrain")
    to_degrees = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4490", always_xy=True)
    place = to_degrees.transform(EAST + 150, NORTH - 150)
    where = {"type": "Point", "coordinates": list(place)}
    answer = asked(Viewshed, {"place": where, "radius": 100.0, "spacing": 8.0, "reach": 100.0})(city, Progress())  # fmt: skip
    scene = city_scene(city, place, 100.0, Progress())
    assert len(scene.corners) > 10_000
    features = [one for one in answer.outputs["sketch"].as_dict()["features"] if one["id"] != "eye"]
    eye = answer.outputs["sketch"].as_dict()["features"][-1]["geometry"]["coordinates"]

    def local(feature: dict) -> list[float]:
        ring = np.array(feature["geometry"]["coordinates"][0][:-1])
        return [*ring.mean(axis=0).tolist(), feature["properties"]["bottom"]]

    points = scene.local(np.array([eye, *map(local, features)]))
    some = slice(1, None, 3)
    ways = points[some] - points[0]
    away = brute(np.broadcast_to(points[0], ways.shape), ways, scene.corners)
    expected = ["seen" if far > 1 - 1e-4 else "hidden" for far in away]
    told = [one["properties"]["class"] for one in features[::3]]
    assert told == expected
    assert 0.1 < expected.count("seen") / len(expected) < 0.9


def test_a_layer_seen_in_part_is_left_out_and_told(boxes: City) -> None:
    parts = {"houses": Part(hidden=("owner",)), "plan": Part()}
    seen = boxes.seen_by(Sight(parts), None)
    answer = asked(Viewshed, {"place": point(0, 0), "radius": 30.0})(seen, Progress())
    [row] = answer.outputs["about"].rows
    assert row[:4] == ("houses", 1, None, None)
    assert "only in part" in row[4]
    assert "仅部分可见" in row[5]
    assert answer.outputs["buildings"].rows == ()


def test_too_much_is_refused(boxes: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="wider spacing"):
        asked(Viewshed, {"place": point(0, 0), "radius": 900.0, "spacing": 2.0})(boxes, Progress())
    monkeypatch.setattr(scene_module, "MOST_TRIANGLES", 23)  # of the two boxes that stand there 24
    with pytest.raises(InvalidInput, match="more than 23 triangles stand within 600 m"):
        asked(Viewshed, {"place": point(0, 0)})(boxes, Progress())
