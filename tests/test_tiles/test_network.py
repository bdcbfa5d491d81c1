"""Pipes in tiles: all of them, where they were surveyed, and as lines from afar."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from cim_core.layer import Layer, PipeNetwork
from cim_core.network import Network, Reference
from cim_core.progress import Progress
from tests.support.pipes import GEOID, HERE, network_layer_of, network_of, streets
from tests.support.readback import VIEWER, Plain, decoded, leaves, node, tiles
from tiles import Budget, build_tileset, check_tiles

_MOST_PIXELS, _HEIGHT = 16.0, 1000.0 / (2 * np.tan(np.radians(30)))
"""The error at which viewers ask for more, and pixels a metre fills at a metre's distance."""


def build(layer: Layer, folder: Path, number: int = 1, before: Path | None = None, budget: Budget | None = None) -> tuple[Path, dict]:  # fmt: skip
    (folder / "content").mkdir(parents=True, exist_ok=True)
    (folder / str(number)).mkdir()
    tileset = folder / str(number) / "tileset.json"
    summary = build_tileset(layer, folder / "content", tileset, Progress(), budget, before=before)
    return tileset, dict(summary)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, Path, dict]:
    layer = network_layer_of(streets(500))
    return layer, *build(layer, tmp_path_factory.mktemp("town"), budget=Budget(20_000, 400))


def test_every_pipe_and_every_node_is_in_the_leaves_once(town: tuple[Layer, Path, dict]) -> None:
    layer, tileset, summary = town
    paths = [path for _, path in leaves(tileset)]
    assert len(paths) > 4 and summary["tiles"] > len(paths) + 2
    ids = Counter(i for path in decoded(paths) for i in Plain(path).column("id"))
    assert ids == Counter(feature.id for feature in layer.features)
    drawn = {
        i for path in decoded(paths) for part in Plain(path).parts() for i in part.ids.tolist()
    }
    assert drawn == set(ids), "what is in the table is drawn, and can be picked"
    check_tiles(layer, tileset, [], Progress())


def test_tiles_say_what_pipes_are_coloured_by(town: tuple[Layer, Path, dict]) -> None:
    layer, tileset, _ = town
    known = {feature.id: feature for feature in layer.features}
    for item in tiles(tileset):
        tile = Plain(decoded([item.path])[0])
        columns = {n: tile.column(n) for n in ("id", "class", "system", "diameter", "assumed")}
        for identity, kind, system, diameter, assumed in zip(*columns.values(), strict=True):
            feature = known[identity]
            assert (kind, system) == (feature.feature_class, feature.attributes.get("system") or "")
            assert diameter == str(feature.attributes.get("diameter") or "")
            assert assumed == "no"


def test_the_khronos_validator_finds_nothing_in_tiles_of_pipes(
    town: tuple[Layer, Path, dict],
) -> None:
    paths = sorted({item.path for item in tiles(town[1])})
    every = [str(path) for path in (*paths, *decoded(paths))]
    script = Path(__file__).parent / "validate.mjs"
    report = json.loads(node(script, VIEWER / "package.json", text="\n".join(every)))
    assert report["checked"] == len(every) > 0
    assert report["wrong"] == []


@pytest.mark.parametrize("wall", [np.nan, 0.06])
def test_the_lowest_inner_point_is_the_surveyed_invert_within_a_millimetre(
    wall: float, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    count = 24
    places = np.cumsum(rng.uniform(-60, 60, (count + 1, 2)) + np.array([40, 30]), axis=0) - 1500
    drop = rng.uniform(-0.1, 0.1, (count, 1)) * np.linalg.norm(np.diff(places, axis=0), axis=1)[:, None]  # fmt: skip
    inverts = rng.uniform(-3, 30, (count, 1)) + np.hstack([np.zeros((count, 1)), drop])
    sizes = rng.choice([0.2, 0.3, 0.6, 1.0, 1.8], count)
    network = network_of(
        places, np.column_stack([np.arange(count), np.arange(count) + 1]), inverts, widths=sizes,
        heights=sizes, walls=np.full(count, wall),
        references=np.full(count, Reference.INVERT, np.int8),
    )  # fmt: skip
    tileset, summary = build(network_layer_of(network), tmp_path)
    assert summary["deviation"] < 0.002
    ground = dict(zip(network.nodes.ids.tolist(), places, strict=True))
    found = 0
    for matrix, path in leaves(tileset):
        for part in Plain(decoded([path])[0]).parts():
            if part.instanced:
                continue
            corners = part.corners.reshape(-1, 3)
            ecef = corners @ matrix[:3, :3].T + matrix[:3, 3]
            plane = HERE.to_geographic(corners)
            assert np.allclose(HERE.from_geographic(plane), corners)
            heights = heights_of(ecef) - GEOID
            owners = np.repeat(part.ids, 3)
            normals = part.normals.reshape(-1, 3)
            rising = normals[:, 2] / np.linalg.norm(normals, axis=1)
            for row in range(count):
                mine = owners == f"s{row}"
                if not mine.any():
                    continue
                for end in (0, 1):
                    at = ground[f"n{row + end}"]
                    near = mine & (np.linalg.norm(corners[:, :2] - at, axis=1) < 2 * sizes[row] + 0.5)  # fmt: skip
                    # Inside a wall the bottom faces up; without one it is the outside.
                    inner = near & (rising > 0.8) if wall > 0 else near
                    lowest = heights[inner].min()
                    assert abs(lowest - inverts[row, end]) < 0.001
                    found += 1
    assert found == 2 * count


def heights_of(ecef: np.ndarray) -> np.ndarray:
    """Ellipsoidal heights by Bowring's formula, WGS 84."""
    a, f = 6_378_137.0, 1 / 298.257223563
    b, e2 = a * (1 - f), f * (2 - f)
    p = np.hypot(ecef[:, 0], ecef[:, 1])
    theta = np.arctan2(ecef[:, 2] * a, p * b)
    lat = np.arctan2(
        ecef[:, 2] + (a**2 - b**2) / b * np.sin(theta) ** 3, p - e2 * a * np.cos(theta) ** 3
    )
    return p / np.cos(lat) - a / np.sqrt(1 - e2 * np.sin(lat) ** 2)


def test_a_single_pipe_of_300_mm_is_more_than_a_pixel_wide_at_any_distance_up_to_3_km(
    tmp_path: Path,
) -> None:
    network = network_of(np.array([[0.0, 0], [40, 0]]), [[0, 1]], [[10.0, 10]], widths=np.array([0.3]), heights=np.array([0.3]))  # fmt: skip
    tileset, _ = build(network_layer_of(network), tmp_path)
    document = json.loads(tileset.read_text())
    assert document["geometricError"] * _HEIGHT / 3000 > _MOST_PIXELS, "else nothing is shown"
    chain = list(tiles(tileset))
    wide = {}
    for item in chain:
        corners = np.vstack([part.corners.reshape(-1, 3) for part in Plain(decoded([item.path])[0]).parts() if not part.instanced])  # fmt: skip
        wide[item.error] = np.ptp(corners[:, 1])
    for distance in np.geomspace(60, 3000, 30):
        # The coarsest tile whose error is small enough to be seen there, or the finest there is.
        shown = max(e for e in wide if e * _HEIGHT / distance <= _MOST_PIXELS)
        assert wide[shown] * _HEIGHT / distance > 1.0
        assert wide[shown] * _HEIGHT / distance < 16.0


def test_from_afar_there_is_less_but_no_pipe_is_away_from_where_it_is(
    town: tuple[Layer, Path, dict],
) -> None:
    layer, tileset, _ = town
    assert isinstance(layer.content, PipeNetwork)
    pieces = layer.content.network.pieces().flat(HERE)
    axes = shapely.union_all(shapely.linestrings(pieces[..., :2]))
    counts: dict[int, int] = {}
    for item in tiles(tileset):
        if item.leaf:
            continue
        level = int(np.log(item.error) / np.log(3) + 1e-6)
        for part in Plain(decoded([item.path])[0]).parts():
            counts[level] = counts.get(level, 0) + len(part.corners)
            shown = shapely.points(part.corners.reshape(-1, 3)[::7, :2])
            assert shapely.distance(shown, axes).max() < item.error
    fewer = [counts[level] for level in sorted(counts)]
    assert fewer == sorted(fewer, reverse=True) and fewer[-1] < fewer[0] / 4


def changed(layer: Layer, row: int) -> Layer:
    """The same network with one pipe wider."""
    assert isinstance(layer.content, PipeNetwork)
    network = layer.content.network
    widths = network.segments.widths.copy()
    widths[row] *= 1.5
    segments = replace(network.segments, widths=widths, heights=widths)
    return network_layer_of(Network(network.nodes, segments))


def test_the_same_network_gives_the_same_bytes_and_a_second_version_only_what_changed(
    town: tuple[Layer, Path, dict], tmp_path: Path
) -> None:
    layer, small = town[0], Budget(20_000, 400)
    first, summary = build(layer, tmp_path, budget=small)
    assert summary == town[2]
    assert first.read_bytes() == town[1].read_bytes()
    again, summary = build(layer, tmp_path, 2, before=first, budget=small)
    assert summary["reused_tiles"] == summary["tiles"]
    assert again.read_bytes() == first.read_bytes()
    third, summary = build(changed(layer, 3), tmp_path, 3, before=first, budget=small)
    # A leaf, and those above it that say or show its pipe.
    assert 0 < summary["tiles"] - summary["reused_tiles"] <= 12
    check_tiles(changed(layer, 3), third, [], Progress())


def test_a_network_without_any_height_has_no_tileset(tmp_path: Path) -> None:
    unknown = network_of(np.array([[0.0, 0], [9, 0]]), [[0, 1]], [[np.nan, np.nan]])
    tileset, summary = build(network_layer_of(unknown), tmp_path)
    assert not tileset.exists() and summary["tiles"] == 0


def test_a_network_of_nodes_alone_is_drawn(tmp_path: Path) -> None:
    nodes = network_of(
        np.array([[0.0, 0], [90, 0], [0, 400]]), np.empty((0, 2)), np.empty((0, 2)),
        ground=np.array([4.0, 5, np.nan]),
    )  # fmt: skip
    layer = network_layer_of(nodes)
    tileset, _ = build(layer, tmp_path)
    check_tiles(layer, tileset, [], Progress())
    ids = {i for _, path in leaves(tileset) for i in Plain(decoded([path])[0]).column("id")}
    assert ids == {"n0", "n1"}, "what has no height is not drawn at a wrong one"
