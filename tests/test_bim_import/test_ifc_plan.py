"""A new version takes over what did not change, and is the same as if it had been made anew."""

from dataclasses import replace
from pathlib import Path

import ifcopenshell
import ifcopenshell.api.aggregate
import ifcopenshell.api.feature
import ifcopenshell.api.geometry
import ifcopenshell.api.material
import ifcopenshell.api.root
import ifcopenshell.api.style
import ifcopenshell.api.type
import numpy as np
import pytest

from bim_import.ifc import IfcImporter
from bim_import.ifc_plan import maker
from cim_core.city import City
from cim_core.frame import Frame
from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress
from cim_core.tessellations import Effort, Tessellations
from cim_core.work import Crew
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.step_files import renumbered

FILES = ("duplex_a_georef", "fzk_haus", "office_a", "hhs_constr", "schep_staal")
ANCHOR = (113.46, 23.1, 0.0)


def imported(
    path: Path,
    earlier: Tessellations | None = None,
    frame: Frame | None = None,
    crew: Crew | None = None,
) -> Layer:
    source = Source(path, path.name, "x", "x", crew or Crew(), earlier=earlier or Tessellations())
    return IfcImporter()(source, Placement(anchor=ANCHOR, layer_frame=frame), Progress())


def assert_equal(ours: Layer, theirs: Layer) -> None:
    """The same features with the same properties, meshes and transforms, bit by bit."""
    assert ours.frame == theirs.frame
    assert ours.dropped == theirs.dropped
    assert ours.content.meshes.keys() == theirs.content.meshes.keys()
    assert ours.tessellations.shapes.keys() == theirs.tessellations.shapes.keys()
    for one, other in zip(ours.content.features, theirs.content.features, strict=True):
        assert [i.mesh_key for i in one.instances] == [i.mesh_key for i in other.instances], one.id
        for a, b in zip(one.instances, other.instances, strict=True):
            assert np.array_equal(a.transform, b.transform), one.id
        assert replace(one, instances=()) == replace(other, instances=())


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_other_numbers_needs_no_kernel(
    name: str, data: Path, real_city: City, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.ifc"
    path.write_bytes(renumbered((data / "ifc" / path.name).read_bytes()))
    earlier = real_city.tessellations(name)
    frame = real_city.load(name).frame
    again, anew = imported(path, earlier, frame), imported(path, frame=frame, crew=Crew(1))
    assert again.effort == Effort(len(earlier_products(path)), 0)
    assert anew.effort == Effort(0, len(earlier_products(path)))
    assert_equal(again, anew)


def earlier_products(path: Path) -> list[ifcopenshell.entity_instance]:
    model = ifcopenshell.open(path)
    return [p for p in model.by_type("IfcProduct") if p.Representation]


@pytest.mark.parametrize("name", ["duplex_a_georef", "office_a"])
def test_of_a_changed_file_the_changed_elements_are_made(
    name: str, data: Path, real_city: City, tmp_path: Path
) -> None:
    model = ifcopenshell.open(data / "ifc" / f"{name}.ifc")
    solids = model.by_type("IfcExtrudedAreaSolid")
    for solid in solids[:: len(solids) // 4]:
        solid.Depth *= 1.125
    path = tmp_path / f"{name}.ifc"
    path.write_bytes(renumbered(model.to_string().encode("latin-1")))
    # What the library writes is formatted its own way, so it is compared with its own.
    before = tmp_path / "before.ifc"
    ifcopenshell.open(data / "ifc" / f"{name}.ifc").write(str(before))
    first = imported(before)
    again = imported(path, first.tessellations, first.frame)
    assert 0 < again.effort.tessellated <= 0.1 * again.effort.reused
    assert_equal(again, imported(path, frame=first.frame))
    moved = {f.id: [i.mesh_key for i in f.instances] for f in first.content.features}
    now = {f.id: [i.mesh_key for i in f.instances] for f in again.content.features}
    assert 0 < sum(moved[f] != now[f] for f in now) <= again.effort.tessellated


def test_a_moved_element_is_placed_without_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "m.ifc"
    model = write_ifc(path, Recipe(boxes=3, unit="MILLIMETRE"))
    first = imported(path)
    box = model.by_type("IfcBuildingElementProxy")[1]
    location = box.ObjectPlacement.RelativePlacement.Location
    location.Coordinates = tuple(c + 250.0 for c in location.Coordinates)
    model.write(str(path))
    again = imported(path, first.tessellations, first.frame)
    assert again.effort == Effort(3, 0)
    assert_equal(again, imported(path, frame=first.frame))
    place = {f.id: f.instances[0].transform[:3, 3] for f in first.content.features if f.instances}
    moved = {f.id: f.instances[0].transform[:3, 3] for f in again.content.features if f.instances}
    assert moved[box.GlobalId] - place[box.GlobalId] == pytest.approx([0.25, 0.25, 0.25], abs=1e-5)
    assert sum((moved[f] != place[f]).any() for f in moved) == 1


def test_elements_of_one_content_are_tessellated_once_and_share_one_mesh(tmp_path: Path) -> None:
    path = tmp_path / "m.ifc"
    write_ifc(path, Recipe(boxes=40))
    layer = imported(path)
    assert layer.effort == Effort(0, 40)
    assert len(layer.tessellations.shapes) == len(layer.content.meshes) == 1


def test_what_the_kernel_refuses_is_not_tried_again(
    data: Path, real_city: City, tmp_path: Path
) -> None:
    path = tmp_path / "fzk_haus.ifc"
    path.write_bytes((data / "ifc" / "fzk_haus.ifc").read_bytes())
    earlier = real_city.tessellations("fzk_haus")
    assert set(earlier.refusals.values()) == {"it has no 3D body, only Annotation2D"}
    again = imported(path, earlier)
    assert again.effort.tessellated == 0
    assert len(again.dropped) == 14


def test_shapes_of_other_programs_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "m.ifc"
    write_ifc(path, Recipe(boxes=2))
    first = imported(path)
    assert first.tessellations.maker == maker()
    older = replace(first.tessellations, maker="ifcopenshell 0.1")
    assert imported(path, older).effort == Effort(0, 2)


@pytest.mark.parametrize("name", ["duplex_a_georef", "fzk_haus"])
def test_a_file_whose_text_is_odd_is_tessellated_whole(
    name: str, data: Path, real_city: City, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.ifc"
    path.write_bytes((data / "ifc" / path.name).read_bytes() + b"\n\x00\n")
    layer, before = imported(path), real_city.load(name)
    assert layer.effort.reused == 0
    assert layer.tessellations == Tessellations()
    assert layer.content.meshes.keys() == before.content.meshes.keys()


def test_an_extract_says_all_that_decides(tmp_path: Path) -> None:
    """Openings of the whole, colours by the material and by the type's: as from the whole file."""
    path = tmp_path / "m.ifc"
    model = write_ifc(path, Recipe(boxes=4, size=(1.0, 2.0, 3.0)))
    whole, part, painted, typed = model.by_type("IfcBuildingElementProxy")
    ifcopenshell.api.aggregate.assign_object(model, products=[part], relating_object=whole)
    hole = ifcopenshell.api.root.create_entity(model, ifc_class="IfcOpeningElement")
    hole.Representation = painted.Representation
    place = np.eye(4)
    place[:3, 3] = 3.5, 1.0, 1.5  # at a corner of the part, which stands at x = 3
    ifcopenshell.api.geometry.edit_object_placement(model, product=hole, matrix=place)
    ifcopenshell.api.feature.add_feature(model, feature=hole, element=whole)
    kind = ifcopenshell.api.root.create_entity(model, ifc_class="IfcBuildingElementProxyType")
    ifcopenshell.api.type.assign_type(model, related_objects=[typed], relating_type=kind)
    [body] = model.by_type("IfcGeometricRepresentationSubContext")
    for product, color in ((painted, (1.0, 0.0, 0.0)), (kind, (0.0, 0.0, 1.0))):
        material = ifcopenshell.api.material.add_material(model, name=str(color))
        style = ifcopenshell.api.style.add_style(model, name=str(color))
        ifcopenshell.api.style.add_surface_style(
            model, style=style, ifc_class="IfcSurfaceStyleShading",
            attributes={"SurfaceColour": dict(zip(("Red", "Green", "Blue"), color, strict=True))},
        )  # fmt: skip
        ifcopenshell.api.style.assign_material_style(
            model, material=material, style=style, context=body
        )
        ifcopenshell.api.material.assign_material(model, products=[product], material=material)
    model.write(str(path))
    layer = imported(path)
    by_id = {
        f.id: [layer.content.meshes[i.mesh_key] for i in f.instances]
        for f in layer.content.features
    }
    assert len(by_id[part.GlobalId][0].positions) > 8, "a corner is cut off"
    assert by_id[painted.GlobalId][0].material.color[:3] == (1.0, 0.0, 0.0)
    assert by_id[typed.GlobalId][0].material.color[:3] == (0.0, 0.0, 1.0)
    path.write_bytes(path.read_bytes() + b"\n\x00\n")
    entirely = imported(path)
    assert entirely.tessellations == Tessellations()
    for one, other in zip(layer.content.features, entirely.content.features, strict=True):
        assert [i.mesh_key for i in one.instances] == [i.mesh_key for i in other.instances]


def test_where_the_kernel_reads_the_unit_otherwise_it_is_believed(tmp_path: Path) -> None:
    """Of two units of length the kernel takes the last, and other readers the first."""
    path = tmp_path / "m.ifc"
    model = write_ifc(path, Recipe(boxes=2, unit="MILLIMETRE", step=3.0))
    [assigned] = model.by_type("IfcUnitAssignment")
    metre = model.createIfcSIUnit(None, "LENGTHUNIT", None, "METRE")
    assigned.Units = [*assigned.Units, metre]
    model.write(str(path))
    layer = imported(path)
    assert layer.tessellations == Tessellations()
    places = [f.instances[0].transform[:3, 3] for f in layer.content.features if f.instances]
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(3000.0, rel=1e-2)


def test_the_number_of_workers_does_not_matter(sample: Path) -> None:
    path = sample / "office.ifc"
    assert_equal(imported(path, crew=Crew(1)), imported(path, crew=Crew(3)))


def test_the_parts_of_an_element_have_one_transform(sample: Path) -> None:
    layer = imported(sample / "community_centre.ifc")
    several = [f for f in layer.content.features if len(f.instances) > 1]
    assert several
    for feature in several:
        first, *others = (instance.transform for instance in feature.instances)
        assert all(np.array_equal(first, other) for other in others)


def test_one_model_in_two_layers_has_the_same_meshes(sample: Path) -> None:
    path = sample / "office.ifc"
    elsewhere = Placement(anchor=(113.6, 23.2, 7.0))
    other = IfcImporter()(Source(path, path.name, "y", "y"), elsewhere, Progress())
    assert imported(path).content.meshes.keys() == other.content.meshes.keys()
