"""Mapped items, whatever their targets do to them, are one mesh that faces outwards."""

from pathlib import Path

import ifcopenshell
import numpy as np
import pytest

from bim_import.ifc import IfcImporter
from bim_import.ifc_mapped import unbaked
from cim_core.bodies import bodies
from cim_core.layer import Layer, Placement, Source
from cim_core.mesh import Mesh, transformed
from cim_core.progress import Progress
from tests.support.ifc_factory import Recipe, write_ifc


def mapped(path: Path, *targets: tuple[tuple[float, float, float], float]) -> ifcopenshell.file:
    """One box for each target: the direction of its x axis, and a scale."""
    model = write_ifc(path, Recipe(boxes=len(targets), size=(1.0, 2.0, 3.0), step=50.0))
    boxes = model.by_type("IfcBuildingElementProxy")
    original = boxes[0].Representation.Representations[0]
    point, direction = model.createIfcCartesianPoint, model.createIfcDirection
    origin = model.createIfcAxis2Placement3D(point((0.0, 0.0, 0.0)))
    source = model.createIfcRepresentationMap(origin, original)
    for box, (axis, scale) in zip(boxes, targets, strict=True):
        target = model.createIfcCartesianTransformationOperator3D(
            direction(axis), direction((0.0, 1.0, 0.0)), point((5.0, 6.0, 7.0)), scale,
            direction((0.0, 0.0, 1.0)),
        )  # fmt: skip
        item = model.createIfcMappedItem(source, target)
        shape = model.createIfcShapeRepresentation(
            original.ContextOfItems, "Body", "MappedRepresentation", [item]
        )
        box.Representation = model.createIfcProductDefinitionShape(None, None, [shape])
    model.write(str(path))
    return model


def imported(path: Path) -> Layer:
    source = Source(path, path.name, "m", "m")
    return IfcImporter()(source, Placement(anchor=(113.46, 23.1, 0.0)), Progress())


def volume(positions: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = np.swapaxes((positions - positions.mean(axis=0))[triangles], 0, 1)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


PLAIN, MIRRORED = ((1.0, 0.0, 0.0), 1.0), ((-1.0, 0.0, 0.0), 1.0)


def test_plain_mirrored_and_scaled_share_a_mesh_and_face_outwards(tmp_path: Path) -> None:
    scaled = ((1.0, 0.0, 0.0), 2.0)
    mapped(tmp_path / "m.ifc", PLAIN, MIRRORED, scaled)
    layer = imported(tmp_path / "m.ifc")
    assert len(layer.content.meshes) == 1
    sizes = sorted(volume(body.positions, body.triangles) for body in bodies(layer.content))
    assert sizes == pytest.approx([6.0, 6.0, 48.0], rel=1e-3)


def test_what_is_enlarged_much_keeps_its_own_mesh(tmp_path: Path) -> None:
    mapped(tmp_path / "m.ifc", PLAIN, ((1.0, 0.0, 0.0), 20.0))
    layer = imported(tmp_path / "m.ifc")
    assert len(layer.content.meshes) == 2
    scales = [
        np.linalg.det(f.instances[0].transform) for f in layer.content.features if f.instances
    ]
    assert scales == pytest.approx([1.0, 1.0], rel=1e-3)


@pytest.mark.parametrize("turned", [False, True])
def test_a_mirrored_mesh_faces_outwards_whichever_kernel_made_it(
    turned: bool, tmp_path: Path
) -> None:
    """One kernel turns the triangles of what is mirrored, the other does not."""
    model = mapped(tmp_path / "m.ifc", MIRRORED)
    [box] = model.by_type("IfcBuildingElementProxy")
    tetrahedron = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    outwards = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32)
    target, _ = unbaked(box, 1.0, (Mesh(tetrahedron, outwards),))
    baked = transformed(tetrahedron, target)
    triangles = outwards[:, ::-1] if turned else outwards
    _, (mesh,) = unbaked(box, 1.0, (Mesh(baked, triangles),))
    assert mesh.positions == pytest.approx(tetrahedron)
    assert volume(mesh.positions, mesh.triangles) == pytest.approx(1 / 6)
