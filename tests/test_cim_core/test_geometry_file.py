"""What is written of geometry is read again."""

import io
import zipfile
from pathlib import Path

import numpy as np

from cim_core.feature import Feature, Instance
from cim_core.geometry_file import load_geometry, load_tessellations, save_geometry
from cim_core.mesh import Material, Mesh
from cim_core.tessellations import Shape, Tessellations

RED, BLUE = Material("", (1.0, 0.0, 0.0, 1.0)), Material("", (0.0, 0.0, 1.0, 0.5))


def triangle(size: float, material: Material) -> Mesh:
    corners = size * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    return Mesh(corners, np.array([[0, 1, 2]], np.uint32), material)


def placed(key: str, x: float) -> Instance:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return Instance(key, matrix)


MESHES = {"a": triangle(1, RED), "b": triangle(2, BLUE), "c": triangle(3, RED)}
FEATURES = (
    Feature("one", "IfcWall", "1", instances=(placed("a", 1.0), placed("b", 1.0))),
    Feature("two", "IfcWall", "2", instances=(placed("a", 2.0),)),
    Feature("none", "IfcSite", "3"),
)


def same(one: Mesh, other: Mesh) -> bool:
    return one.key() == other.key() and one.material == other.material


def test_instances_and_the_meshes_they_place_come_back(tmp_path: Path) -> None:
    known = Tessellations("me", {"x": Shape(("c",), np.eye(4))}, {}, {"c": MESHES["c"]})
    save_geometry(tmp_path / "g.npz", FEATURES, {k: MESHES[k] for k in "ab"}, known)
    instances, meshes = load_geometry(tmp_path / "g.npz")
    assert set(instances) == {"one", "two"}
    assert [i.mesh_key for i in instances["one"]] == ["a", "b"]
    assert instances["two"][0].transform[0, 3] == 2.0
    assert set(meshes) == {"a", "b"}, "what only the next version needs is not drawn"
    assert all(same(meshes[key], MESHES[key]) for key in meshes)


def test_tessellations_come_back(tmp_path: Path) -> None:
    shapes = {
        "x": Shape(("c", "a"), placed("", 4.0).transform),
        "y": Shape(("a",), np.eye(4)),
    }
    known = Tessellations("me 1", shapes, {"z": "it is flat"}, {k: MESHES[k] for k in "ac"})
    save_geometry(tmp_path / "g.npz", FEATURES, {k: MESHES[k] for k in "ab"}, known)
    again = load_tessellations(tmp_path / "g.npz")
    assert (again.maker, again.refusals) == ("me 1", {"z": "it is flat"})
    assert {content: shape.keys for content, shape in again.shapes.items()} == {
        "x": ("c", "a"), "y": ("a",)
    }  # fmt: skip
    assert np.array_equal(again.shapes["x"].matrix, shapes["x"].matrix)
    assert set(again.meshes) == {"a", "c"}


def test_nothing_comes_back_as_nothing(tmp_path: Path) -> None:
    save_geometry(tmp_path / "g.npz", (), {})
    assert load_geometry(tmp_path / "g.npz") == ({}, {})
    assert load_tessellations(tmp_path / "g.npz") == Tessellations()
    only_refused = Tessellations("me", {}, {"z": "it is flat"}, {})
    save_geometry(tmp_path / "g.npz", (), {}, only_refused)
    assert load_tessellations(tmp_path / "g.npz") == only_refused


def test_a_file_of_version_0_1_has_geometry_and_nothing_to_take_over(tmp_path: Path) -> None:
    save_geometry(tmp_path / "new.npz", FEATURES, {k: MESHES[k] for k in "ab"})
    head = b'{"features": ["one", "two", "none"], "meshes": ["a", "b"], "materials": '
    head += b'[["", [0.0, 0.0, 1.0, 0.5]], ["", [1.0, 0.0, 0.0, 1.0]]]}'
    with (
        zipfile.ZipFile(tmp_path / "new.npz") as new,
        zipfile.ZipFile(tmp_path / "old.npz", "w") as old,
    ):
        for name in new.namelist():
            if not name.startswith(("shape_", "head")):
                old.writestr(name, new.read(name))
        buffer = io.BytesIO()
        np.save(buffer, np.frombuffer(head, np.uint8))
        old.writestr("head.npy", buffer.getvalue())
    instances, meshes = load_geometry(tmp_path / "old.npz")
    assert set(instances) == {"one", "two"}
    assert same(meshes["b"], MESHES["b"])
    assert load_tessellations(tmp_path / "old.npz") == Tessellations()
