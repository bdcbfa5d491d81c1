"""Reach on roads: against networkx on a real street graph, and on drawn ones by hand."""

import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import networkx
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.reach.entrances import entrances
from analysis.reach.layer_roads import road_columns
from analysis.reach.network import ReachNetwork, drive_network, walk_network
from analysis.reach.service import (
    joined,
    nearest_times,
    network_of,
    reached,
    served_area,
    travel_times,
)
from cim_core.frame import projection
from cim_core.importers.attributes import scalars
from cim_core.importers.osm import tags_of

PACE = 80.0
SPEEDS = {
    "motorway": 60, "motorway_link": 60, "trunk": 60, "primary": 40, "primary_link": 40, "secondary": 35,
    "secondary_link": 35, "tertiary": 30, "tertiary_link": 30, "unclassified": 30,
    "residential": 15, "service": 15, "living_street": 15, "road": 15,
}  # fmt: skip
NO_CAR = {
    "footway", "path", "cycleway", "pedestrian", "steps", "track", "bridleway", "corridor", "platform",
    "trail", "elevator",
    "construction", "proposed",
}  # fmt: skip
FAST = {"motorway", "motorway_link", "trunk", "trunk_link"}


def roads(*lines: list[tuple[float, float]], **columns: list[object]) -> SimpleNamespace:
    shapes = np.array([shapely.LineString(line) for line in lines] + [None], object)[:-1]
    return SimpleNamespace(
        shapes=shapes,
        columns={name: np.array([*values, None], object)[:-1] for name, values in columns.items()},
    )


def points(*places: tuple[float, float]) -> np.ndarray:
    return np.array([shapely.Point(place) for place in places], object)


def node_times(network: ReachNetwork, place: tuple[float, float]) -> dict[tuple[int, int], float]:
    times = nearest_times(joined(network, points(place)))
    return {
        tuple(np.round(at).astype(int).tolist()): round(float(time), 6)
        for at, time in zip(network.nodes, times, strict=False)
    }


# A second, slow way to the same graph.


def by_hand(
    lines: list[shapely.LineString], levels: list[object], minutes: list[tuple[float, float]],
    more: list[tuple[int, float]] = (),
) -> tuple[networkx.DiGraph, list[tuple[float, float]], dict[int, int]]:  # fmt: skip
    """The graph of lines split pairwise, the places split at, and the node of each of these."""
    cuts: list[set[float]] = [{0.0, line.length} for line in lines]
    for one, along in more:
        cuts[one].add(along)
    for a, b in zip(
        *shapely.STRtree(lines).query(lines, "dwithin", distance=0.05).tolist(), strict=True
    ):
        if a == b:
            continue
        for end in (lines[b].coords[0], lines[b].coords[-1]):
            if lines[a].distance(shapely.Point(end)) <= 0.05:
                cuts[a].add(lines[a].project(shapely.Point(end)))
        if levels[a] == levels[b]:
            met = lines[a].intersection(lines[b])
            for place in shapely.get_coordinates(met).tolist():
                cuts[a].add(lines[a].project(shapely.Point(place)))
    places, spans = [], []
    for row, line in enumerate(lines):
        along = sorted(cuts[row])
        first = len(places)
        places += [line.interpolate(d).coords[0] for d in along]
        spans += [
            (row, first + i, first + i + 1, b - a) for i, (a, b) in enumerate(itertools.pairwise(along))
        ]  # fmt: skip
    near = shapely.STRtree(shapely.points(places)).query(
        shapely.points(places), "dwithin", distance=0.1
    )
    same = networkx.Graph(near.T.tolist())
    node = {
        place: number
        for number, group in enumerate(networkx.connected_components(same))
        for place in group
    }
    graph = networkx.DiGraph()
    graph.add_nodes_from(node.values())
    for row, a, b, length in spans:
        for x, y, pace in ((a, b, minutes[row][0]), (b, a, minutes[row][1])):
            cost = length * pace
            known = graph.get_edge_data(node[x], node[y], {"weight": math.inf})["weight"]
            if math.isfinite(cost) and cost < known:
                graph.add_edge(node[x], node[y], weight=cost)
    return graph, places, node


@pytest.fixture(scope="module")
def helsinki(data: Path) -> tuple[SimpleNamespace, list[dict[str, object]]]:
    read = pyogrio.raw.read(str(data / "osm" / "Helsinki.osm.pbf"), layer="lines")
    names = read[0]["fields"].tolist()
    tags = [tags_of(dict(zip(names, row, strict=True))) for row in zip(*read[3], strict=True)]
    rows = [row for row, tag in enumerate(tags) if "highway" in tag]
    tags = [scalars(tags[row]) for row in rows]
    names = sorted({name for tag in tags for name in tag})
    columns = {
        name: np.array([*(tag.get(name) for tag in tags), None], object)[:-1] for name in names
    }
    plane = projection("EPSG:3879")

    def flat(places: np.ndarray) -> np.ndarray:
        return plane.from_geographic(np.column_stack([places[:, :2], np.zeros(len(places))]))[:, :2]

    shapes = shapely.transform(shapely.force_2d(shapely.from_wkb(read[2])[rows]), flat)
    assert all(shape.geom_type == "LineString" for shape in shapes)
    return SimpleNamespace(shapes=shapes, columns=road_columns(columns)), tags


@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_times_on_a_real_street_graph_equal_networkx(
    helsinki: tuple[SimpleNamespace, list[dict[str, object]]], mode: str
) -> None:
    known, tags = helsinki
    lines, levels, minutes = [], [], []
    for line, tag in zip(known.shapes, tags, strict=True):
        kind = tag["highway"]
        if kind in (NO_CAR if mode == "drive" else FAST | {"construction", "proposed"}):
            continue
        pace = 1 / PACE
        against = 1.0
        if mode == "drive":
            limit = str(tag.get("maxspeed", ""))
            speed = min(SPEEDS.get(kind, 20), float(limit) if limit.isdigit() else math.inf)
            pace = 60 / (speed * 1000)
            against = math.inf if tag.get("oneway") in ("yes", "1", "true") or (
                "oneway" not in tag and kind.startswith("motorway")
            ) else 1.0  # fmt: skip
            assert tag.get("oneway") != "-1"
        level = (
            str(tag.get("layer_", "0")),
            *(tag.get(key, "no") not in ("no", "building_passage") for key in ("bridge", "tunnel")),
        )
        coordinates = list(line.coords)
        parts = [line] if line.is_simple else [
            shapely.LineString(pair) for pair in itertools.pairwise(coordinates) if pair[0] != pair[1]
        ]  # fmt: skip
        for part in parts:
            lines.append(part)
            levels.append(level)
            minutes.append((pace, pace * against))
    graph, places, node = by_hand(lines, levels, minutes)
    network = (drive_network if mode == "drive" else walk_network)(known)
    assert len(network.nodes) > 500

    tree = shapely.STRtree(shapely.points(places))
    partner = tree.nearest(shapely.points(network.nodes))
    away = np.hypot(*(network.nodes - np.array(places)[partner]).T)
    assert away.max() < 0.15
    numbers = np.array([node[row] for row in partner.tolist()])
    rng = np.random.default_rng(10)
    starts = rng.choice(len(network.nodes), 6, replace=False)
    times = travel_times(network, shapely.points(network.nodes[starts]))
    reachable = 0
    for row, start in enumerate(starts.tolist()):
        expected = networkx.single_source_dijkstra_path_length(graph, numbers[start])
        wanted = np.array([expected.get(number, np.inf) for number in numbers.tolist()])
        assert (np.isinf(times[row]) == np.isinf(wanted)).all()
        finite = np.isfinite(wanted)
        assert np.abs(times[row][finite] - wanted[finite]).max() < 0.01
        reachable += int(finite.sum())
    assert reachable > len(network.nodes)


@st.composite
def meshes(draw: st.DrawFn) -> tuple[list[list[tuple[float, float]]], list[str], list, list]:
    corner = st.tuples(st.integers(0, 4), st.integers(0, 4))
    pairs = draw(
        st.lists(
            st.tuples(corner, corner).filter(lambda pair: pair[0] != pair[1]),
            min_size=1, max_size=9, unique_by=lambda pair: tuple(sorted(pair)),
        )
    )  # fmt: skip
    lines: list[list[tuple[float, float]]] = []
    for pair in pairs:  # where two lie over each other, a place does not say which one is meant
        line = [(100.0 * x, 100.0 * y) for x, y in pair]
        shape = shapely.LineString(line)
        if all(shape.intersection(shapely.LineString(other)).length == 0 for other in lines):
            lines.append(line)
    ways = draw(
        st.lists(st.sampled_from(["no", "yes", "-1"]), min_size=len(lines), max_size=len(lines))
    )
    place = st.tuples(st.integers(0, len(lines) - 1), st.floats(0.0, 1.0))
    return (
        lines,
        ways,
        draw(st.lists(place, min_size=1, max_size=3)),
        draw(st.lists(place, max_size=12)),
    )


@settings(deadline=None, max_examples=40)
@given(mesh=meshes(), minutes=st.sampled_from([0.3, 1.0, 2.5]))
def test_what_is_reached_of_each_road_is_what_networkx_reaches(
    mesh: tuple[list, list, list, list], minutes: float
) -> None:
    drawn, ways, sites, probes = mesh
    known = roads(*drawn, oneway=ways, road_class=["支路"] * len(drawn))
    pace = 60 / 30_000
    costs = [
        (math.inf if way == "-1" else pace, math.inf if way == "yes" else pace) for way in ways
    ]
    lines = [shapely.LineString(line) for line in drawn]
    more = [(line, share * lines[line].length) for line, share in [*sites, *probes]]
    graph, places, node = by_hand(lines, [0] * len(lines), costs, more)
    tree = shapely.STRtree(shapely.points(places))
    on = [lines[line].interpolate(along) for line, along in more]
    numbers = [node[int(tree.nearest(point))] for point in on]
    times = networkx.multi_source_dijkstra_path_length(graph, set(numbers[: len(sites)]))

    network = drive_network(known)
    at = joined(network, np.array(on[: len(sites)], object))
    found = reached(at, nearest_times(at), minutes)
    whole = shapely.union_all(found.parts)
    for point, number in zip(on, numbers, strict=True):
        time = times.get(number, math.inf)
        if (
            time == 0
            or abs(time - minutes) < 1e-3
            or any(1e-9 < point.distance(shapely.Point(place)) < 0.2 for place in places)
        ):
            continue  # so near that which of two places is meant is a matter of rounding
        assert (whole.distance(point) < 1e-6) == (time <= minutes)
    assert (found.first <= minutes + 1e-9).all()
    assert (found.last <= minutes + 1e-9).all()


def test_a_site_amid_a_road_gets_along_it_in_both_directions() -> None:
    network = walk_network(roads([(0, 0), (800, 0)]))
    at = joined(network, points((240, 16)))
    assert at.access.tolist() == [0.2]
    found = reached(at, nearest_times(at), 2.2)
    parts = shapely.line_merge(shapely.MultiLineString([*found.parts]))
    assert shapely.get_coordinates(parts).round(6).tolist() == [[80, 0], [240, 0], [400, 0]]
    assert node_times(network, (240, 0)) == {(0, 0): 3.0, (800, 0): 7.0}
    area = served_area(roads([(0, 0), (800, 0)]), points((240, 16)), 2.2, "walk")
    expected = shapely.LineString([(80, 0), (400, 0)]).buffer(100).union(
        shapely.LineString([(240, 16), (240, 0)]).buffer(100)
    )  # fmt: skip
    assert area.symmetric_difference(expected).area < 0.01 * expected.area


def test_an_area_is_entered_all_around_and_not_from_its_middle() -> None:
    """A park whose middle is farther from every street than anything may be serves all around it."""
    street = [(0, 0), (780, 0), (780, 780), (0, 780), (0, 0)]
    park = np.array([shapely.box(5, 5, 775, 775)], object)
    places, of = entrances(park)
    assert not of.any()
    assert shapely.distance(park[0].exterior, places).max() < 1e-9
    assert shapely.line_locate_point(park[0].exterior, places).tolist() == pytest.approx(
        np.arange(308) * 10.0
    )
    # Every place on the street is at most half of 10 m from where one comes out, 5 m away.
    assert served_area(roads(street), places, 11 / 80, "walk").covers(shapely.LineString(street))
    assert served_area(roads(street), shapely.centroid(park), 30, "walk").is_empty


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_places_along_edges_are_near_to_each_other_and_belong_to_their_site(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes: list[shapely.Geometry] = []
    for _ in range(6):
        hull = shapely.MultiPoint(random.uniform(0, 300, (6, 2))).convex_hull
        hole = hull.centroid.buffer(0.2 * shapely.distance(hull.centroid, hull.exterior))
        shapes += [
            hull.difference(hole),
            shapely.LineString(hull.exterior.coords[:-1]),
            hull.centroid,
        ]
        shapes += [shapely.MultiPolygon([hull, shapely.box(900, 0, 901, 1)]), shapely.Polygon()]
    sites = np.array(shapes, object)
    places, of = entrances(sites)
    for row, site in enumerate(sites):
        edge = site.boundary if site.geom_type.endswith("Polygon") else site
        mine = places[of == row]
        assert len(mine) == 0 if site.is_empty else len(mine) > 0
        assert shapely.distance(edge, mine).max(initial=0.0) < 1e-9
        if not site.is_empty:
            along = shapely.get_coordinates(shapely.segmentize(edge, 1.0))
            away = shapely.distance(shapely.points(along), shapely.MultiPoint(mine.tolist()))
            assert away.max() <= 5.0 + 1e-9


def test_one_way_roads_are_driven_one_way_and_walked_both() -> None:
    one = roads([(0, 0), (500, 0)], oneway=["yes"], road_class=["支路"])
    assert node_times(drive_network(one), (250, 0)) == {(0, 0): math.inf, (500, 0): 0.5}
    assert node_times(walk_network(one), (250, 0)) == {(0, 0): 3.125, (500, 0): 3.125}
    back = travel_times(drive_network(one), points((250, 0)), towards=True)
    assert back.tolist() == [[0.5, math.inf]]
    against = roads([(0, 0), (500, 0)], oneway=["-1"], road_class=["支路"])
    assert node_times(drive_network(against), (250, 0)) == {(0, 0): 0.5, (500, 0): math.inf}


def test_a_site_on_two_directions_drawn_as_one_line_has_both() -> None:
    both = roads(
        [(0, 0), (500, 0)], [(500, 0), (0, 0)], oneway=["yes", "yes"], road_class=["支路"] * 2
    )
    assert node_times(drive_network(both), (250, 0)) == {(0, 0): 0.5, (500, 0): 0.5}
    [times] = travel_times(drive_network(both), points((125, 0)))
    assert sorted(times.tolist()) == [0.25, 0.75]
    assert served_area(both, points((250, 0)), 0.25, "drive").bounds == (25, -100, 475, 100)


def test_roads_meet_at_ends_and_crossings_but_not_over_bridges() -> None:
    cross = [[(0, 0), (200, 0)], [(100, -80), (100, 80)], [(50, 0.03), (50, 80)]]
    flat = node_times(walk_network(roads(*cross)), (0, 0))
    assert flat[(100, 80)] == 2.25
    assert flat[(50, 80)] == pytest.approx(1.625, abs=1e-3)
    over = node_times(walk_network(roads(*cross, bridge=["no", "yes", "no"])), (0, 0))
    assert math.isinf(over[(100, 80)])
    assert (100, 0) not in over
    assert over[(200, 0)] == 2.5
    # The end of a bridge comes down to the road, whatever else is said of it.
    down = roads([(0, 0), (200, 0)], [(80, 0), (80, 80)], bridge=["no", "yes"])
    assert node_times(walk_network(down), (0, 0))[(80, 80)] == 2.0


def test_a_road_that_meets_itself_is_a_loop_with_a_way_in() -> None:
    loop = roads([(0, 0), (80, 0), (160, 0), (160, 80), (80, 80), (80, 0)])
    times = node_times(walk_network(loop), (0, 0))
    assert times[(80, 0)] == 1.0
    assert times[(160, 80)] == times[(80, 0)] + 2.0
    ring = walk_network(roads([(0, 0), (80, 0), (80, 80), (0, 80), (0, 0)]))
    at = joined(ring, points((40, 0)))
    assert reached(at, nearest_times(at), 2.0).parts.size
    assert shapely.length(reached(at, nearest_times(at), 1.0).parts).sum() == pytest.approx(160)
    assert shapely.length(reached(at, nearest_times(at), 9.0).parts).sum() == pytest.approx(320)


def test_what_is_not_connected_is_not_reached_and_a_far_site_serves_nothing() -> None:
    two = roads([(0, 0), (400, 0)], [(0, 60), (400, 60)])
    times = node_times(walk_network(two), (0, 0))
    assert math.isinf(times[(0, 60)])
    at = joined(walk_network(two), points((0, 900), (0, 0)))
    assert at.far.tolist() == [True, False]
    assert math.isinf(at.access[0])
    assert served_area(two, points((0, 900)), 30, "walk").is_empty
    assert served_area(two, points(), 30, "walk").is_empty
    assert served_area(roads(), points((0, 0)), 30, "walk").is_empty


def test_nobody_walks_along_an_expressway_and_no_engine_drives_through_an_alley() -> None:
    mixed = roads(
        [(0, 0), (100, 0)], [(0, 9), (100, 9)], [(0, 30), (100, 30)],
        road_class=["快速路", "巷道", None], speed=[80, 10, 10],
    )  # fmt: skip
    assert walk_network(mixed).roads.tolist() == [1, 2]
    drive = drive_network(mixed)
    assert drive.roads.tolist() == [0, 2]
    assert drive.forward.tolist() == pytest.approx([0.1, 0.6])


def test_the_network_of_the_same_roads_is_made_once() -> None:
    one, again = roads([(0, 0), (100, 0)]), roads([(0, 0), (100, 0)])
    assert network_of(one, "walk") is network_of(again, "walk")
    assert network_of(one, "drive") is not network_of(again, "walk")
    other = roads([(0, 0), (100, 0)], speed=[10])
    assert network_of(other, "walk") is not network_of(one, "walk")
