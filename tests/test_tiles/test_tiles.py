"""The tiler on real layers: nothing lost, nothing twice, the same bytes every time."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.mesh import Material, Mesh, transformed
from cim_core.progress import Progress
from tests.support.readback import leaves
from tiles import Budget, build_tileset, check_tileset
from tiles.check import BrokenTileset
from tiles.glb import read_glb
from tiles.shading import shade
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
def test_tiles_hold_the_areas_of_the_source(name: str, real_city: City) -> None:
    """Summed per feature from the GLBs by trimesh, against the imported meshes."""
    layer = real_city.load(name)
    expected: Counter[str] = Counter()
    for feature in layer.content.features:
        for instance in feature.instances:
            mesh = layer.content.meshes[instance.mesh_key]
            placed = Mesh(transformed(mesh.positions, instance.transform), mesh.triangles)
            expected[feature.id] += placed.area()
    found: Counter[str] = Counter()
    for _matrix, path in leaves(real_city.layers_folder / name / "1" / "tileset.json"):
        document, binary = read_glb(path.read_bytes())
        table = document["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
        ids = table_column(document, binary, table["properties"]["id"])
        for primitive in document["meshes"][0]["primitives"]:
            rows = accessor(document, binary, primitive["attributes"]["_FEATURE_ID_0"])
            positions = accessor(document, binary, primitive["attributes"]["POSITION"])
            faces = accessor(document, binary, primitive["indices"]).reshape(-1, 3)
            areas = trimesh.triangles.area(positions[faces].astype(float))
            owners = rows[faces[:, 0]].astype(int).ravel()
            assert (rows[faces] == rows[faces][:, :1]).all(), "a triangle belongs to one feature"
            for row, area in enumerate(np.bincount(owners, areas, len(ids))):
                found[ids[row]] += float(area)
    assert set(found) == set(drawn(layer))
    for feature_id, area in expected.items():
        assert found[feature_id] == pytest.approx(area, rel=1e-3, abs=1e-5), feature_id


def accessor(document: dict, binary: bytes, number: int) -> np.ndarray:
    described = document["accessors"][number]
    view = document["bufferViews"][described["bufferView"]]
    kind = {5123: "<u2", 5125: "<u4", 5126: "<f4"}[described["componentType"]]
    width = {"SCALAR": 1, "VEC3": 3}[described["type"]]
    size = np.dtype(kind).itemsize
    stride = view.get("byteStride", width * size)
    shape = (described["count"], width)
    return np.ndarray(shape, kind, binary, view["byteOffset"], (stride, size))


def table_column(document: dict, binary: bytes, column: dict) -> list[str]:
    views = document["bufferViews"]

    def cut(view: dict) -> bytes:
        return binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    text = cut(views[column["values"]])
    ends = np.frombuffer(cut(views[column["stringOffsets"]]), "<u4")
    return [text[a:b].decode() for a, b in pairwise(ends)]


@pytest.mark.parametrize("name", FILES)
def test_gzip_copies_are_kept_only_where_smaller(name: str, real_city: City) -> None:
    for packed in (real_city.layers_folder / name).rglob("*.gz"):
        plain = packed.with_suffix("")
        assert packed.stat().st_size < plain.stat().st_size


def test_a_change_in_one_place_leaves_the_tiles_of_other_places(tmp_path: Path) -> None:
    layer = box_layer(400)
    budget = Budget(triangles=240)
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
        document, _ = read_glb(path.read_bytes())
        assert document["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["count"] <= 7


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
    tileset = build(layer, tmp_path, Budget(triangles=240))
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
    shaded = shade(Mesh(np.array(mesh.vertices), np.array(mesh.faces, np.uint32)))
    assert np.allclose(np.linalg.norm(shaded.normals, axis=1), 1)
    if smooth:
        assert len(shaded.positions) == len(mesh.vertices)
        assert np.allclose(shaded.normals, shaded.positions, atol=0.02)
    else:
        assert len(shaded.positions) == 24
        assert np.allclose(np.abs(shaded.normals).max(axis=1), 1)


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
    mesh = trimesh.load_scene(path).to_mesh()
    mesh.merge_vertices(merge_norm=True, merge_tex=True)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(1.0)


def test_vertices_lie_where_the_registry_says(real_city: City) -> None:
    """Feature by feature: the box of its vertices in the tiles equals the imported box."""
    layer = real_city.load("fzk_haus")
    up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    boxes = {}
    for feature in layer.content.features:
        parts = [
            transformed(layer.content.meshes[i.mesh_key].positions, i.transform)
            for i in feature.instances
        ]
        if parts:
            points = np.vstack(parts)
            boxes[feature.id] = np.array([points.min(axis=0), points.max(axis=0)])
    for _matrix, path in leaves(real_city.layers_folder / "fzk_haus" / "1" / "tileset.json"):
        document, binary = read_glb(path.read_bytes())
        node = np.array(document["nodes"][0]["matrix"]).reshape(4, 4).T
        column = document["extensions"]["EXT_structural_metadata"]["propertyTables"][0][
            "properties"
        ]["id"]
        ids = table_column(document, binary, column)
        low = np.full((len(ids), 3), np.inf)
        high = -low
        for primitive in document["meshes"][0]["primitives"]:
            points = accessor(document, binary, primitive["attributes"]["POSITION"]).astype(float)
            points = (points @ node[:3, :3].T + node[:3, 3]) @ up.T
            rows = accessor(document, binary, primitive["attributes"]["_FEATURE_ID_0"])[:, 0]
            np.minimum.at(low, rows, points)
            np.maximum.at(high, rows, points)
        for row, feature_id in enumerate(ids):
            assert np.allclose([low[row], high[row]], boxes[feature_id], atol=1e-3)


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
