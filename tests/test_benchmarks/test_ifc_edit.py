"""Edited files are whole IFC files, and differ where they should."""

from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.geom
import pytest

from benchmarks.ifc_edit import write_changed, write_multiplied


def triangles(path: Path) -> dict[str, int]:
    """GlobalId → number of triangles of each element."""
    settings: Any = ifcopenshell.geom.settings()
    found: dict[str, int] = {}
    model = ifcopenshell.open(str(path))
    iterator = ifcopenshell.geom.iterator(settings, model, 1)
    more = iterator.initialize()
    while more:
        shape = iterator.get()
        found[shape.guid] = len(shape.geometry.faces) // 3
        more = iterator.next()
    return found


@pytest.fixture(scope="module")
def source(sample: Path) -> Path:
    return sample / "community_centre.ifc"


def test_a_changed_version_has_the_same_elements_and_a_few_other_shapes(
    source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "changed.ifc"
    count = write_changed(source, target, 0.02)
    before, after = triangles(source), triangles(target)
    assert before.keys() == after.keys()
    assert sum(before[item] != after[item] for item in before) == count > 1


def test_a_changed_version_has_other_numbers_and_lines_in_another_order(
    source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "changed.ifc"
    write_changed(source, target, 0.01)
    models = [ifcopenshell.open(str(path)) for path in (source, target)]
    one, other = ({item.GlobalId: item.id() for item in m.by_type("IfcRoot")} for m in models)
    assert one.keys() == other.keys()
    assert sum(one[item] == other[item] for item in one) < 0.05 * len(one)
    assert sorted(one, key=one.__getitem__) != sorted(other, key=other.__getitem__)


def test_copies_of_a_model_stand_side_by_side_in_one_project(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "large.ifc"
    copies = write_multiplied(source, target, 3 * source.stat().st_size)
    one, many = ifcopenshell.open(str(source)), ifcopenshell.open(str(target))
    assert copies > 1
    assert len(many.by_type("IfcProject")) == 1
    assert len(many.by_type("IfcElement")) == copies * len(one.by_type("IfcElement"))
    roots = many.by_type("IfcRoot")
    assert len({root.GlobalId for root in roots}) == len(roots)
    assert len(triangles(target)) == copies * len(triangles(source))
