"""The tiler on real layers: nothing lost, nothing twice, the same bytes every time."""

import json
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.mesh import Material, Mesh, transformed
from cim_core.progress import Progress
from tests.support.readback import Plain, decoded, leaves, tiles, triangles_by_feature
from tiles import Budget, build_tileset, check_tileset
from tiles.check import BrokenTileset
from tiles.shading import Soup, numbered, shade
from tiles.tree import Node, plan

FILES = ("duplex_a_georef", "fzk_haus", "office_a", "hhs_constr", "schep_staal")


def build(layer: Layer, folder: Path, budget: Budget | None = None) -> Path:
    (folder / "content").mkdir(parents=True)
    (folder / "1").mkdir()
    tileset = folder / "1" / "tileset.json"
    build_tileset(layer, folder / "content", tileset, Progress(), budget)
    return tileset


def drawn(layer: Layer) -> list[str]:
    return [feature.id for feature in layer.content.features if feature.instances]


def box_layer(count: int, spacing: float = 4.0) -> Layer:
    mesh_of = trimesh.creation.box()
    meshes = {
        f"m{i}": Mesh(
            np.array(mesh_of.vertices, np.float64),
            np.array(mesh_of.faces, np.uint32),
            Material("", (0.1 * i, 0.5, 0.5, 1.0)),
        )
        for i in range(2)
    }
    features = []
    for number in range(count):
        matrix = np.eye(4)
        matrix[:3, 3] = (number % 10 * spacing, number // 10 * spacing, 0.0)
        features.append(
            Feature(
                f"f{number:05d}", "IfcWall", f"Wall {number}", None, {"storey": "s1"}, (),
                (Instance(f"m{number % 2}", matrix),),
            )
        )  # fmt: skip
    frame = Frame(113.46, 23.1, 0.0)
    return Layer(
        "boxes", "Boxes", frame, Features(tuple(features), meshes),
        Georeference("user", None, {}), ("storey",),
    )  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_same_layer_gives_the_same_bytes(name: str, real_city: City, tmp_path: Path) -> None:
    """From the importer's layer at import, and again from what the registry keeps of it."""
    published = real_city.layers_folder / name / "1" / "tileset.json"
    again = build(real_city.load(name), tmp_path)
    assert again.read_bytes() == published.read_bytes()
    for _matrix, path in leaves(again):
        assert (
            path.read_bytes()
            == (real_city.layers_folder / name / "content" / path.name).read_bytes()
        )


@pytest.mark.parametrize("name", FILES)
def test_an_independent_decoder_finds_every_triangle_of_the_source(
    name: str, real_city: City
) -> None:
    """By feature: the corners, within the bound that the version states, and the areas."""
    layer = real_city.load(name)
    version = real_city.layers.get(name)
    bound = version.summary["tileset"]["deviation"]
    assert 0 < bound <= 0.005
    tileset = real_city.layers_folder / name / str(version.version) / "tileset.json"
    found = triangles_by_feature([path for _, path in leaves(tileset)])
    assert set(found) == set(drawn(layer))
    for feature in layer.content.features:
        if not feature.instances:
            continue
        source = np.vstack(
            [
                transformed(layer.content.meshes[i.mesh_key].positions, i.transform)[
                    layer.content.meshes[i.mesh_key].triangles
                ][layer.content.meshes[i.mesh_key].solid()]
                for i in feature.instances
            ]
        )
        drawn_here = found[feature.id]
        assert len(drawn_here) == len(source), feature.id
        ours, theirs = drawn_here.mean(axis=1), source.mean(axis=1)
        assert _farthest(theirs, ours) <= bound + 6e-4, feature.id
        edge = np.linalg.norm(np.roll(source, 1, axis=1) - source, axis=2).max(axis=1)
        slack = (2 * edge * (bound + 6e-4)).sum() + 1e-6
        assert abs(trimesh.triangles.area(drawn_here).sum() - trimesh.triangles.area(source).sum()) < slack  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_normals_survive_the_octahedron(name: str, real_city: City) -> None:
    """What is drawn faces where its triangles do; a degree of rounding, and creases, are allowed."""
    for _, path in leaves(_tileset(real_city, name)):
        for part in Plain(decoded([path])[0]).parts():
            edges = np.roll(part.corners, 1, axis=1) - part.corners
            longest = np.linalg.norm(edges, axis=2).max(axis=1)
            # The lattice may turn what is no wider than a few of its steps.
            sound = trimesh.triangles.area(part.corners) > 0.005 * longest
            if not sound.any():
                continue
            flat = trimesh.triangles.normals(part.corners[sound])[0]
            lengths = np.linalg.norm(part.normals[sound], axis=2, keepdims=True)
            cosine = np.einsum("mc,mkc->mk", flat, part.normals[sound] / lengths)
            assert np.quantile(cosine, 0.001) > np.cos(np.radians(36))


@pytest.mark.parametrize("name", FILES)
def test_far_tiles_are_as_near_to_the_leaves_as_they_say(name: str, real_city: City) -> None:
    """Points of what a far tile shows, against the same features in the leaves."""
    tileset = _tileset(real_city, name)
    every = list(tiles(tileset))
    near = triangles_by_feature([tile.path for tile in every if tile.leaf])
    rng = np.random.default_rng(2026)
    far = [tile for tile in every if not tile.leaf]
    assert far
    leaf = np.vstack(list(near.values()))
    mesh = pyvista.PolyData.from_regular_faces(
        leaf.reshape(-1, 3), np.arange(3 * len(leaf)).reshape(-1, 3)
    )
    for tile in far:
        assert Plain(decoded([tile.path])[0]).document["extensions"]["EXT_structural_metadata"][
            "schema"
        ]["classes"]["feature"]["properties"].keys() == {"id", "class", "layer", "storey"}
        shown = triangles_by_feature([tile.path])
        assert shown.keys() <= near.keys()
        points = np.vstack([corners.reshape(-1, 3) for corners in shown.values()])
        points = points[rng.choice(len(points), min(300, len(points)), replace=False)]
        _, nearest = mesh.find_closest_cell(points, return_closest_point=True)
        assert np.linalg.norm(points - nearest, axis=1).max() <= tile.error + 0.005


def _farthest(points: np.ndarray, others: np.ndarray) -> float:
    """How far the loneliest of some points is from the nearest of others."""
    rows = max(1, 2_000_000 // len(others))
    return max(
        float(np.sqrt(((points[i : i + rows, None] - others) ** 2).sum(axis=2).min(axis=1).max()))
        for i in range(0, len(points), rows)
    )


def _tileset(city: City, name: str) -> Path:
    version = city.layers.get(name).version
    return city.layers_folder / name / str(version) / "tileset.json"


@pytest.mark.parametrize("name", FILES)
def test_gzip_copies_are_kept_only_where_smaller(name: str, real_city: City) -> None:
    for packed in (real_city.layers_folder / name).rglob("*.gz"):
        plain = packed.with_suffix("")
        assert packed.stat().st_size < plain.stat().st_size


def test_a_change_in_one_place_leaves_the_tiles_of_other_places(tmp_path: Path) -> None:
    layer = box_layer(400)
    budget = Budget(features=12)
    first = build(layer, tmp_path / "a", budget)
    features = list(layer.content.features)
    moved = features[0].instances[0].transform.copy()
    moved[2, 3] += 0.5
    features[0] = Feature(
        features[0].id, "IfcWall", "changed", None, {"storey": "s1"}, (), (Instance("m0", moved),)
    )
    changed = Layer(
        layer.id, layer.title, layer.frame, Features(tuple(features), layer.content.meshes),
        layer.georeference, layer.tile_attributes,
    )  # fmt: skip
    second = build(changed, tmp_path / "b", budget)
    before = {path.name for _, path in leaves(first)}
    after = {path.name for _, path in leaves(second)}
    assert len(before) > 20
    assert len(after - before) == 1


def test_tiles_keep_to_their_budget(tmp_path: Path) -> None:
    tileset = build(box_layer(500), tmp_path, Budget(triangles=120, features=7))
    check_tileset(tileset, drawn(box_layer(500)), Progress())
    for _matrix, path in leaves(tileset):
        assert len(Plain(decoded([path])[0]).column("id")) <= 7


def _spoil_parent(document: dict) -> None:
    document["root"]["children"][0]["boundingVolume"]["box"][0] += 50


def _spoil_error(document: dict) -> None:
    document["root"]["children"][0]["geometricError"] = document["root"]["geometricError"]


def _spoil_leaf(document: dict) -> None:
    document["root"]["children"].pop()


def _spoil_double(document: dict) -> None:
    document["root"]["children"].append(document["root"]["children"][0])


@pytest.mark.parametrize("spoil", [_spoil_parent, _spoil_error, _spoil_leaf, _spoil_double])
def test_the_check_finds_what_is_wrong(spoil, tmp_path: Path) -> None:
    layer = box_layer(60)
    tileset = build(layer, tmp_path, Budget(features=8))
    check_tileset(tileset, drawn(layer), Progress())
    document = json.loads(tileset.read_text())
    spoil(document)
    tileset.write_text(json.dumps(document))
    with pytest.raises(BrokenTileset):
        check_tileset(tileset, drawn(layer), Progress())


@given(
    st.lists(
        st.tuples(*[st.floats(-500, 500, allow_nan=False)] * 3, st.floats(0.01, 30)),
        min_size=1, max_size=60,
    ),
    st.integers(1, 500),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_row_is_planned_once_inside_its_boxes(rows: list, limit: int) -> None:
    middle = np.array([row[:3] for row in rows])
    half = np.array([row[3] for row in rows])[:, None]
    bounds = np.stack([middle - half, middle + half], axis=1)
    sizes = np.arange(len(rows)) + 1
    root = plan(bounds, sizes, Budget(triangles=limit))

    def walk(node: Node) -> list[int]:
        for child in node.children:
            assert (child.bounds[0] >= node.bounds[0]).all()
            assert (child.bounds[1] <= node.bounds[1]).all()
        if not node.children:
            assert (bounds[node.rows, 0] >= node.bounds[0]).all()
            assert (bounds[node.rows, 1] <= node.bounds[1]).all()
            assert len(node.rows) == 1 or sizes[node.rows].sum() <= limit
            return node.rows.tolist()
        return [row for child in node.children for row in walk(child)]

    assert sorted(walk(root)) == list(range(len(rows)))


def test_things_in_one_place_still_keep_to_the_feature_limit(tmp_path: Path) -> None:
    """Seventy thousand elements at one point do not fit 16-bit feature ids: they are divided."""
    layer = box_layer(50, spacing=0.0)
    tileset = build(layer, tmp_path, Budget(triangles=240, features=20))
    check_tileset(tileset, drawn(layer), Progress())
    assert len(list(leaves(tileset))) >= 3


@pytest.mark.parametrize(
    ("mesh", "smooth"),
    [(trimesh.creation.box(), False), (trimesh.creation.icosphere(3), True)],
    ids=["box", "sphere"],
)
def test_edges_stay_sharp_and_round_things_round(mesh: trimesh.Trimesh, smooth: bool) -> None:
    shaded = shade(
        Soup(
            np.array(mesh.vertices), np.array(mesh.faces, np.uint32),
            np.ones((len(mesh.faces), 4)), np.zeros(len(mesh.vertices), np.int64),
        )
    )  # fmt: skip
    assert np.allclose(np.linalg.norm(shaded.normals, axis=1), 1)
    if smooth:
        assert len(shaded.positions) == len(mesh.vertices)
        assert np.allclose(shaded.normals, shaded.positions, atol=0.02)
    else:
        assert len(shaded.positions) == 24
        assert np.allclose(np.abs(shaded.normals).max(axis=1), 1)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2**40)), min_size=1))
def test_rows_are_numbered_as_unique_would(rows: list[tuple[int, int]]) -> None:
    columns = np.array(rows, np.int64).T
    first, number = numbered((*columns,))
    _, expected_first, expected = np.unique(
        columns.T, axis=0, return_index=True, return_inverse=True
    )
    assert (number == expected.ravel()).all()
    assert (first == expected_first).all()


def test_mirrored_instances_keep_their_outside_out(tmp_path: Path) -> None:
    layer = box_layer(1)
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    feature = Feature("f", "IfcWall", "", None, {}, (), (Instance("m0", mirror),))
    layer = Layer(
        "boxes",
        "Boxes",
        layer.frame,
        Features((feature,), layer.content.meshes),
        layer.georeference,
    )
    [(_, path)] = leaves(build(layer, tmp_path))
    corners = triangles_by_feature([path])["f"]
    mesh = trimesh.Trimesh(**trimesh.triangles.to_kwargs(corners))
    mesh.merge_vertices(digits_vertex=3)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(1.0, rel=0.01)


def test_a_model_around_the_frames_origin_is_cut_as_finely_as_one_beside_it() -> None:
    rng = np.random.default_rng(2026)
    middles = rng.uniform(-5, 5, (5000, 3))
    sizes = np.full(5000, 12)

    def leaf_diagonals(shift: float) -> np.ndarray:
        bounds = np.stack([middles + shift - 0.1, middles + shift + 0.1], axis=1)
        stack, found = [plan(bounds, sizes, Budget(triangles=2000))], []
        while stack:
            node = stack.pop()
            stack += node.children
            if not node.children:
                found.append(np.linalg.norm(node.bounds[1] - node.bounds[0]))
        return np.array(found)

    around, beside = np.median(leaf_diagonals(0.0)), np.median(leaf_diagonals(507.0))
    assert around < 1.5 * beside
