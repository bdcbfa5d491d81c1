"""Each rule finds its fault and nothing else does; on real files it finds what others count."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ifcopenshell
import pytest

from bim_import.ifc import IfcImporter
from bim_import.ifc_checkin import CHECKS, NOT_CHECKED
from cim_core.checkin import Finding, Rules, default_rules, rules_for, tightened
from cim_core.frame import Frame
from cim_core.layer import Placement, Source
from cim_core.progress import Progress
from cim_core.work import Crew
from tests.support import ifc_faults as faults
from tests.support.ifc_factory import Recipe, dms, write_ifc
from tests.support.ifc_faults import CLEAN, Change

HERE = Frame(113.46, 23.106, 0.0)
SITE = {"latlon": (dms(23.106), dms(113.4585)), "elevation": 5.0}


def checked(
    path: Path, rules: Rules | None = None, placement: Placement | None = None
) -> tuple[Finding, ...]:
    source = Source(path, path.name, "x", "x", Crew(workers=1), rules or default_rules())
    return IfcImporter()(source, placement or Placement(), Progress()).findings


def found(findings: Sequence[Finding]) -> dict[str, int]:
    return dict(Counter(finding.rule for finding in findings))


def test_a_sound_file_has_no_findings(tmp_path: Path) -> None:
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated)
    assert found(checked(tmp_path / "a.ifc", placement=Placement(city_frame=HERE))) == {}


FAULTS: dict[str, tuple[Recipe, tuple[Change, ...]]] = {
    "several-projects": (CLEAN, (faults.second_project,)),
    "globalid-malformed": (CLEAN, (faults.named("GlobalId", "not a GlobalId"),)),
    "globalid-duplicate": (CLEAN, (faults.same_globalid,)),
    "not-georeferenced": (Recipe(boxes=4), ()),
    "georeference-coarse": (Recipe(boxes=4, **SITE), ()),
    "georeference-unused": (
        Recipe(
            boxes=4, unit="MILLIMETRE", crs={"Name": "EPSG:4547"},
            conversion={"Eastings": 444578138.0, "Northings": 2556379206.0, "OrthogonalHeight": 5e3},
        ),
        (),
    ),
    "site-elsewhere": (replace(CLEAN, latlon=(dms(23.2), dms(113.4585)), elevation=5.0), ()),
    "height-implausible": (replace(CLEAN, at=(0.0, 0.0, 7000.0)), ()),
    "no-geometry": (CLEAN, (faults.element_without_shape,)),
    "geometry-failed": (CLEAN, (faults.curve_only,)),
    "shell-open": (CLEAN, (faults.brep_without(1),)),
    "element-doubled": (replace(CLEAN, boxes=2, step=0.0), ()),
    "outside-site": (CLEAN, (faults.site_of(8.0),)),
    "far-from-model": (CLEAN, (faults.moved(5000.0, 3),)),
    "no-storey": (CLEAN, (faults.without_storeys,)),
    "element-without-storey": (CLEAN, (faults.taken_from_storey("IfcBuilding"),)),
    "storey-without-elevation": (CLEAN, (faults.second_storey(None),)),
    "storeys-at-one-elevation": (CLEAN, (faults.second_storey(0.001),)),
    "no-length-unit": (CLEAN, (faults.without_units,)),
    "unit-twice": (CLEAN, (faults.with_units(faults.degree, faults.radian),)),
    "unit-factor": (CLEAN, (faults.with_units(lambda m: faults.degree(m, 0.1745)),)),
    "no-angle-unit": (CLEAN, (faults.revolved(math.pi / 2),)),
    "angle-implausible": (
        CLEAN, (faults.with_units(faults.radian), faults.revolved(90.0)),
    ),
    "unit-scale": (replace(CLEAN, size=(200.0, 200.0, 200.0), step=300.0), ()),
    "element-too-large": (CLEAN, (faults.resized(600.0, 3),)),
    "element-too-small": (CLEAN, (faults.resized(0.0005, 3),)),
    "no-name": (CLEAN, (faults.named("Name", None),)),
}  # fmt: skip


@pytest.mark.parametrize("rule", FAULTS)
def test_one_fault_is_one_finding(rule: str, tmp_path: Path) -> None:
    recipe, changes = FAULTS[rule]
    elevated = () if rule == "no-storey" else (faults.elevated,)
    write_ifc(tmp_path / "a.ifc", recipe, *elevated, *changes)
    findings = checked(tmp_path / "a.ifc")
    assert found(findings) == {rule: 1}


ASKED_FOR: dict[str, tuple[dict, tuple[Change, ...], int]] = {
    "schema-not-accepted": ({"accepted": ["IFC2X3"]}, (), 1),
    "no-property-set": ({"severity": "note"}, (faults.without_property_sets,), 1),
    "proxy": ({"severity": "error"}, (), 4),
    "element-too-large": ({"max": 0.9}, (), 4),
    "far-from-city": ({"max": 1.0}, (), 1),
}


@pytest.mark.parametrize("rule", ASKED_FOR)
def test_a_tightened_rule_finds_more(rule: str, tmp_path: Path) -> None:
    entries, changes, number = ASKED_FOR[rule]
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, *changes)
    rules = tightened(default_rules(), {rule: entries}, "test")
    findings = checked(tmp_path / "a.ifc", rules, Placement(city_frame=HERE))
    assert found(findings) == {rule: number}


def test_what_the_parser_cannot_read_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.ifc"
    write_ifc(path, CLEAN, faults.elevated)
    text = path.read_text()
    path.write_text(
        text.replace("ENDSEC;\nEND-ISO", "#99999=IFCWALLFANCY('a',$);\nENDSEC;\nEND-ISO")
    )
    [finding] = checked(path)
    assert finding.rule == "schema-violation"
    assert "IFCWALLFANCY" in finding.words["text"]
    write_ifc(path, CLEAN, faults.elevated)
    assert checked(path) == (), "what is wrong with one file is not said of the next"


def test_a_rule_that_stumbles_over_the_data_is_a_finding(tmp_path: Path) -> None:
    def senseless(model: ifcopenshell.file) -> ifcopenshell.entity_instance:
        unit = faults.degree(model)
        unit.ConversionFactor.ValueComponent = None
        return unit

    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, faults.with_units(senseless))
    findings = checked(tmp_path / "a.ifc")
    assert found(findings) == {NOT_CHECKED: 2}
    assert {f.words["text"] for f in findings} == {"unit-factor", "angle-implausible"}


def test_every_rule_of_the_file_is_looked_for_and_has_a_fault_here() -> None:
    assert [*CHECKS] == [
        name for name in rules_for("models", default_rules()) if name != NOT_CHECKED
    ]
    assert set(CHECKS) == set(FAULTS) | set(ASKED_FOR) | {"schema-violation"}


def test_a_finding_says_where_it_is_and_what_was_measured(tmp_path: Path) -> None:
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, faults.brep_without(1))
    model = ifcopenshell.open(str(tmp_path / "a.ifc"))
    [finding] = checked(tmp_path / "a.ifc", placement=Placement(geoid_separation=-4.0))
    assert finding.id == faults.box(model).GlobalId
    assert (finding.feature_class, finding.name) == ("IfcBuildingElementProxy", "Box 0")
    assert finding.storey == "1F"
    assert finding.value == pytest.approx(4.0), "the edges of the missing face"
    assert default_rules()["shell-open"].number("max") < 4.0
    lon, lat, height = finding.place or (0.0, 0.0, 0.0)
    assert (lon, lat) == pytest.approx((113.459, 23.106), abs=2e-5)
    assert height == pytest.approx(5.5, abs=0.01), "in the city's datum, whatever the geoid does"


@pytest.mark.parametrize(
    "change",
    [faults.brep_without(), faults.sheet, faults.face_set_without(2, closed=False)],
    ids=["closed", "sheet", "open-face-set"],
)
def test_what_is_closed_or_not_meant_to_be_is_no_open_shell(change: Change, tmp_path: Path) -> None:
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, change)
    assert checked(tmp_path / "a.ifc") == ()


def test_a_face_set_that_says_it_is_closed_must_be(tmp_path: Path) -> None:
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, faults.face_set_without(2, closed=True))
    assert found(checked(tmp_path / "a.ifc")) == {"shell-open": 1}


@pytest.mark.parametrize(("holder", "number"), [("IfcSite", 0), ("IfcBuilding", 1), (None, 1)])
def test_what_stands_on_the_site_needs_no_storey(
    holder: str | None, number: int, tmp_path: Path
) -> None:
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, faults.taken_from_storey(holder))
    assert found(checked(tmp_path / "a.ifc")).get("element-without-storey", 0) == number


def test_terrain_with_a_hole_for_the_building_holds_the_building(data: Path) -> None:
    findings = checked(data / "ifc" / "fzk_haus.ifc")
    assert found(findings) == {"georeference-coarse": 1, "no-name": 2}
    model = ifcopenshell.open(str(data / "ifc" / "fzk_haus.ifc"))
    nameless = {e.GlobalId for e in model.by_type("IfcElement") if not e.Name and e.Representation}
    assert {f.id for f in findings if f.rule == "no-name"} == nameless


def test_open_breps_are_those_whose_faces_do_not_meet(data: Path) -> None:
    """Counted on the faces in the file, edge by edge, without the geometry kernel."""
    path = data / "ifc" / "schep_staal.ifc"
    model = ifcopenshell.open(str(path))
    open_breps = {brep for brep in model.by_type("IfcFacetedBrep") if not _meets(brep)}
    assert open_breps
    holders = {
        element.GlobalId
        for element in model.by_type("IfcElement")
        if element.Representation and open_breps & set(_drawn_items(element))
    }
    findings = checked(path)
    assert {f.id for f in findings if f.rule == "shell-open"} == holders


def _meets(brep: ifcopenshell.entity_instance) -> bool:
    edges: Counter[frozenset[tuple[float, ...]]] = Counter()
    for face in brep.Outer.CfsFaces:
        for bound in face.Bounds:
            loop = [tuple(round(x, 2) for x in p.Coordinates) for p in bound.Bound.Polygon]
            edges.update(
                frozenset(pair)
                for pair in zip(loop, loop[1:] + loop[:1], strict=True)
                if pair[0] != pair[1]
            )
    return all(count % 2 == 0 for count in edges.values())


def _drawn_items(element: ifcopenshell.entity_instance) -> list[ifcopenshell.entity_instance]:
    items = [i for r in element.Representation.Representations for i in r.Items]
    mapped = [i for i in items if i.is_a("IfcMappedItem")]
    return items + [i for m in mapped for i in m.MappingSource.MappedRepresentation.Items]


def test_doubled_elements_are_those_with_the_same_points(data: Path) -> None:
    path = data / "ifc" / "duplex_a_georef.ifc"
    model = ifcopenshell.open(str(path))
    same: dict[frozenset, list[str]] = defaultdict(list)
    for covering in model.by_type("IfcCovering"):
        same[
            frozenset(
                tuple(round(c, 4) for c in p.Coordinates)
                for p in model.traverse(covering.Representation)
                if p.is_a("IfcCartesianPoint")
            )
        ].append(covering.GlobalId)
    pairs = [ids for points, ids in same.items() if points and len(ids) > 1]
    findings = [f for f in checked(path) if f.rule == "element-doubled"]
    assert [f.id in pairs[0] for f in findings] == [True]
    assert len(pairs) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("duplex_a_georef", {"site-elsewhere": 1, "element-doubled": 1}),
        ("hhs_constr", {"georeference-coarse": 1}),
        ("office_a", {"georeference-coarse": 1}),
        ("schep_staal", {"not-georeferenced": 1, "shell-open": 5}),
    ],
)
def test_the_findings_on_real_files(name: str, expected: dict[str, int], data: Path) -> None:
    assert found(checked(data / "ifc" / f"{name}.ifc")) == expected


def test_the_sample_buildings_have_no_findings(sample: Path) -> None:
    for path in sample.glob("*.ifc"):
        assert found(checked(path)) == {}
