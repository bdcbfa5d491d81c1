"""Bad input: one sentence with a remedy, and nothing left behind."""

import math
import zipfile
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import numpy as np
import pytest

from cim_core.city import City
from cim_core.errors import CimError, InvalidInput, UnsupportedFormat
from cim_core.mesh import Mesh, transformed
from tests.conftest import import_file
from tests.support.ifc_factory import Recipe, write_ifc

HEAD = (
    "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
)
TAIL = "ENDSEC;\nEND-ISO-10303-21;\n"


def step(schema: str, data: str = "") -> str:
    return f"{HEAD}FILE_SCHEMA(('{schema}'));\nENDSEC;\nDATA;\n{data}{TAIL}"


def whole_file(tmp_path: Path) -> str:
    write_ifc(tmp_path / "whole.ifc", Recipe())
    return (tmp_path / "whole.ifc").read_text()


def cyclic(tmp_path: Path) -> str:
    text = whole_file(tmp_path)
    lines = text.splitlines()
    number = next(i for i, line in enumerate(lines) if "IFCLOCALPLACEMENT" in line)
    name = lines[number].split("=")[0].strip()
    lines[number] = lines[number].replace("IFCLOCALPLACEMENT($", f"IFCLOCALPLACEMENT({name}")
    return "\n".join(lines)


def no_geometry(tmp_path: Path) -> str:
    write_ifc(tmp_path / "none.ifc", Recipe(boxes=0))
    return (tmp_path / "none.ifc").read_text()


CASES = {
    "empty": (lambda _: "", InvalidInput, "is empty"),
    "blank": (lambda _: "\n  \n", InvalidInput, "is empty"),
    "not-ifc": (lambda _: "hello, I am a text\n" * 9, InvalidInput, "ISO-10303-21"),
    "xml": (lambda _: "<?xml version='1.0'?><ifcXML/>", UnsupportedFormat, "XML"),
    "truncated": (lambda p: whole_file(p)[:-400], InvalidInput, "cut short"),
    "old-schema": (lambda _: step("IFC2X_FINAL"), UnsupportedFormat, "IFC2X_FINAL"),
    "draft-schema": (lambda _: step("IFC4X3_RC2"), UnsupportedFormat, "IFC4X3_RC2"),
    "no-schema": (lambda _: HEAD + "ENDSEC;\nDATA;\n" + TAIL, InvalidInput, "FILE_SCHEMA"),
    "no-products": (lambda _: step("IFC4"), InvalidInput, "IfcProject"),
    "no-geometry": (no_geometry, InvalidInput, "no product with a shape"),
    "cyclic": (cyclic, InvalidInput, "circle"),
    "nonsense": (lambda _: step("IFC4", "#1=IFCWALL(((((;\n"), CimError, "case.ifc"),
    "unresolved": (
        lambda p: "\n".join(
            line for line in whole_file(p).splitlines() if "IFCEXTRUDEDAREASOLID" not in line
        ),
        InvalidInput,
        "geometry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_files_are_refused_in_one_sentence(case: str, city: City, tmp_path: Path) -> None:
    make, error, words = CASES[case]
    path = tmp_path / "case.ifc"
    path.write_text(make(tmp_path))
    before = sorted(str(p.relative_to(city.folder)) for p in city.folder.rglob("*"))
    with pytest.raises(error) as caught:
        import_file(city, path)
    sentence = str(caught.value)
    assert words in sentence
    assert "case.ifc" in sentence
    assert "\n" not in sentence
    after = sorted(
        str(p.relative_to(city.folder)) for p in city.folder.rglob("*") if ".locks" not in p.parts
    )
    assert [p for p in after if p.startswith("layers/")] == []
    assert set(after) - set(before) <= {"layers", "city.gpkg-wal", "city.gpkg-shm"}
    assert city.layers.current() == []
    assert city.layers.unfinished() == []


def test_a_zip_in_disguise_is_named(city: City, tmp_path: Path) -> None:
    path = tmp_path / "case.ifc"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside.ifc", "x")
    with pytest.raises(UnsupportedFormat, match="unpack it"):
        import_file(city, path)


def test_one_bad_element_never_fails_a_file(city: City, tmp_path: Path) -> None:
    write_ifc(tmp_path / "m.ifc", Recipe(boxes=3))
    text = (tmp_path / "m.ifc").read_text()
    bad = next(line for line in text.splitlines() if "IFCEXTRUDEDAREASOLID" in line)
    depth = bad.rsplit(",", 1)[1]
    (tmp_path / "m.ifc").write_text(text.replace(bad, bad.replace(f",{depth}", ",0.);")))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["features"] == 2
    assert [item["class"] for item in report["dropped"]] == ["IfcBuildingElementProxy"]
    assert len(report["dropped"][0]["id"]) == 22
    assert report["dropped"][0]["reason"]


def test_elements_that_share_a_global_id_are_all_kept(city: City, tmp_path: Path) -> None:
    model = write_ifc(tmp_path / "m.ifc", Recipe(boxes=2))
    first, second = model.by_type("IfcBuildingElementProxy")
    second.GlobalId = first.GlobalId
    model.write(str(tmp_path / "m.ifc"))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["features"] == 2
    assert any("GlobalId" in warning for warning in report["warnings"])


def test_an_element_without_area_is_left_out_and_named(city: City, tmp_path: Path) -> None:
    """A sliver that has triangles but no area would be in the registry and never on the screen."""
    write_ifc(tmp_path / "m.ifc", Recipe(boxes=2))
    model = ifcopenshell.open(str(tmp_path / "m.ifc"))
    body = model.by_type("IfcShapeRepresentation")[0]
    points = model.createIfcCartesianPointList3D(
        [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (2.0, 0.0, 0.0)]
    )
    faces = model.createIfcTriangulatedFaceSet(points, None, None, [(1, 2, 3)])
    body.Items, body.RepresentationType = [faces], "Tessellation"
    model.write(str(tmp_path / "m.ifc"))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["features"] == 1
    assert len(report["dropped"]) == 1


def stray(
    model: ifcopenshell.file, place: tuple[float, float, float]
) -> ifcopenshell.entity_instance:
    """Put the last box somewhere else altogether."""
    box = model.by_type("IfcBuildingElementProxy")[-1]
    point = box.ObjectPlacement.RelativePlacement.Location
    point.Coordinates = place
    return box


@pytest.mark.parametrize("far", [3e7, 1e9])
def test_an_element_at_the_other_end_of_the_world_is_left_out(
    far: float, city: City, tmp_path: Path
) -> None:
    model = write_ifc(tmp_path / "m.ifc", Recipe(boxes=4))
    box = stray(model, (far, far, 0.0))
    model.write(str(tmp_path / "m.ifc"))
    report = import_file(city, tmp_path / "m.ifc", anchor=(113.46, 23.1, 0.0))
    assert report["features"] == 3
    [dropped] = report["dropped"]
    assert dropped["id"] == box.GlobalId
    assert "from the rest" in dropped["reason"]
    assert dropped["reason_zh"]


def test_an_element_with_a_stray_vertex_is_left_out(city: City, tmp_path: Path) -> None:
    model = write_ifc(tmp_path / "m.ifc", Recipe(boxes=3))
    body = model.by_type("IfcShapeRepresentation")[0]
    points = model.createIfcCartesianPointList3D(
        [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 3e9, 1.0)]
    )
    body.Items = [model.createIfcTriangulatedFaceSet(points, None, None, [(1, 2, 3)])]
    body.RepresentationType = "Tessellation"
    model.write(str(tmp_path / "m.ifc"))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["features"] == 2
    assert "reaches over" in report["dropped"][0]["reason"]


def test_empty_representations_cost_only_their_element(city: City, tmp_path: Path) -> None:
    model = write_ifc(tmp_path / "m.ifc", Recipe(boxes=3))
    text = (tmp_path / "m.ifc").read_text()
    line = next(line for line in text.splitlines() if "IFCSHAPEREPRESENTATION" in line)
    solid = line.rsplit("(", 1)[1]
    (tmp_path / "m.ifc").write_text(text.replace(line, line.replace(f"({solid}", "$);")))
    assert model is not None
    report = import_file(city, tmp_path / "m.ifc")
    assert (report["features"], len(report["dropped"])) == (2, 1)


def test_a_storey_with_a_plan_symbol_is_still_a_storey(city: City, tmp_path: Path) -> None:
    model = write_ifc(tmp_path / "m.ifc", Recipe(boxes=1))
    storey = model.by_type("IfcBuildingStorey")[0]
    context = model.by_type("IfcGeometricRepresentationContext")[0]
    line = model.createIfcPolyline(
        [model.createIfcCartesianPoint(p) for p in ((0.0, 0.0), (5.0, 0.0))]
    )
    footprint = model.createIfcShapeRepresentation(context, "FootPrint", "Curve2D", [line])
    storey.Representation = model.createIfcProductDefinitionShape(None, None, [footprint])
    model.write(str(tmp_path / "m.ifc"))
    import_file(city, tmp_path / "m.ifc")
    [listed] = city.layers.get("m").summary["storeys"]
    assert (listed["id"], listed["name"], listed["count"]) == (storey.GlobalId, "1F", 1)


def test_mapped_items_are_one_mesh_wherever_their_targets_put_them(
    city: City, tmp_path: Path
) -> None:
    """Ten products of one representation, each turned, moved or mirrored by its own target."""
    model = write_ifc(tmp_path / "m.ifc", Recipe(unit="MILLIMETRE", boxes=10))
    boxes = model.by_type("IfcBuildingElementProxy")
    original = boxes[0].Representation.Representations[0]
    origin = model.createIfcAxis2Placement3D(model.createIfcCartesianPoint((100.0, 0.0, 0.0)))
    source = model.createIfcRepresentationMap(origin, original)
    for number, box in enumerate(boxes):
        angle = 0.3 * number
        target = model.createIfcCartesianTransformationOperator3D(
            model.createIfcDirection((math.cos(angle), math.sin(angle), 0.0)),
            model.createIfcDirection((-math.sin(angle), math.cos(angle), 0.0)),
            model.createIfcCartesianPoint((250.0 * number, 10.0, 5.0)),
            1.0,
            model.createIfcDirection((0.0, 0.0, 1.0)),
        )
        item = model.createIfcMappedItem(source, target)
        shape = model.createIfcShapeRepresentation(
            original.ContextOfItems, "Body", "MappedRepresentation", [item]
        )
        box.Representation = model.createIfcProductDefinitionShape(None, None, [shape])
    model.write(str(tmp_path / "m.ifc"))
    report = import_file(city, tmp_path / "m.ifc")
    assert report["features"] == 10
    layer = city.load("m")
    assert len(layer.content.meshes) == 1
    settings = ifcopenshell.geom.settings()
    frame_of = {f.id: f.instances[0].transform for f in layer.content.features if f.instances}
    [mesh] = layer.content.meshes.values()
    lengths = {}
    for box in boxes:
        shape = ifcopenshell.geom.create_shape(settings, box)
        theirs = np.array(shape.geometry.verts).reshape(-1, 3)
        ours = transformed(mesh.positions, frame_of[box.GlobalId])
        lengths[box.GlobalId] = abs(np.ptp(theirs, axis=0)[2] - np.ptp(ours, axis=0)[2])
        assert len(ours) == len(theirs)
    assert max(lengths.values()) < 1e-4
    areas = {
        round(Mesh(transformed(mesh.positions, m), mesh.triangles).area(), 4)
        for m in frame_of.values()
    }
    assert areas == {6.0}
