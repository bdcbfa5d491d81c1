"""The sample buildings are reproducible, valid, georeferenced and complete."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import ifcopenshell.util.element
import ifcopenshell.util.geolocation
import ifcopenshell.util.placement
import ifcopenshell.util.pset
import ifcopenshell.util.unit
import ifcopenshell.validate
import numpy as np
import pyproj
import pytest

import sample_data
from sample_data.georeference import compound_angle
from sample_data.ids import global_id

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("community_centre.ifc", "office.ifc")
WRITE = "import sys, pathlib, sample_data; sample_data.generate(pathlib.Path(sys.argv[1]))"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both buildings, generated once."""
    target = tmp_path_factory.mktemp("sample") / "new" / "folder"
    sample_data.generate(target)
    return target


@pytest.fixture(scope="session", params=NAMES)
def model(folder: Path, request: pytest.FixtureRequest) -> ifcopenshell.file:
    """Return each of the two models, read back from disk."""
    return ifcopenshell.open(str(folder / request.param))


@pytest.fixture(scope="session")
def shapes(model: ifcopenshell.file) -> dict[int, tuple[str, np.ndarray, float]]:
    """Return geometry id, world box (2, 3) in metres and volume in m3 of each product."""
    settings = ifcopenshell.geom.settings()
    iterator = ifcopenshell.geom.iterator(
        settings, model, 2, geometry_library="hybrid-cgal-simple-opencascade"
    )
    found: dict[int, tuple[str, np.ndarray, float]] = {}
    assert iterator.initialize()
    while True:
        shape = iterator.get()
        vertices = np.array(shape.geometry.verts).reshape(-1, 3)
        faces = np.array(shape.geometry.faces).reshape(-1, 3)
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        volume = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
        matrix = np.array(shape.transformation.matrix).reshape(4, 4).T
        world = vertices @ matrix[:3, :3].T + matrix[:3, 3]
        box = np.array([world.min(axis=0), world.max(axis=0)])
        found[shape.id] = (shape.geometry.id, box, volume)
        if not iterator.next():
            return found


def elements(model: ifcopenshell.file) -> list[ifcopenshell.entity_instance]:
    """Return all physical elements, without openings."""
    return [e for e in model.by_type("IfcElement") if not e.is_a("IfcFeatureElement")]


def test_the_same_seed_gives_the_same_bytes_in_another_process(
    folder: Path, tmp_path: Path
) -> None:
    # Another hash seed catches an order that comes from a set.
    subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Shanghai"},
        capture_output=True,
    )
    for name in NAMES:
        old, new = ((place / name).read_bytes() for place in (folder, tmp_path))
        assert hashlib.sha256(old).hexdigest() == hashlib.sha256(new).hexdigest(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


def test_another_seed_gives_other_ids(folder: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    paths = sample_data.generate(tmp_path, seed=7, progress=lambda *call: calls.append(call))
    assert calls == [(0, 2, NAMES[0]), (1, 2, NAMES[1]), (2, 2, "")]
    for path in paths:
        old = ifcopenshell.open(str(folder / path.name)).by_type("IfcProject")[0]
        assert ifcopenshell.open(str(path)).by_type("IfcProject")[0].GlobalId != old.GlobalId


def test_a_failed_run_leaves_the_old_file_and_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def to_string(self) -> str:
            raise RuntimeError("disc full")

    (tmp_path / "office.ifc").write_text("old")
    monkeypatch.setattr(sample_data, "BUILDINGS", {"office.ifc": lambda seed: Broken()})
    with pytest.raises(RuntimeError, match="disc full"):
        sample_data.generate(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["office.ifc"]
    assert (tmp_path / "office.ifc").read_text() == "old"


def test_global_ids_depend_on_every_part_and_on_their_borders() -> None:
    ids = {
        global_id("a", 1, "b"),
        global_id("a", 2, "b"),
        global_id("a", "1b"),
        global_id("a1", "b"),
    }
    assert len(ids) == 4
    assert all(len(one) == 22 and one[0] in "0123" for one in ids)


def test_the_header_names_no_machine_and_no_clock(folder: Path) -> None:
    for name in NAMES:
        text = (folder / name).read_text(encoding="ascii")
        assert "'2026-01-01T00:00:00+08:00'" in text[:600]
        assert "ifcopenshell 0" not in text[:600].lower()
        assert (
            r"\X2\529E516C" in text or "community" in name
        )  # Chinese, encoded as ISO 10303-21 asks
        assert 300_000 < len(text) < 2_000_000


def test_schema_and_units_differ_between_the_files(folder: Path) -> None:
    found = {}
    for name in NAMES:
        model = ifcopenshell.open(str(folder / name))
        found[name] = (model.schema, ifcopenshell.util.unit.calculate_unit_scale(model))
    assert found == {"community_centre.ifc": ("IFC4", 1.0), "office.ifc": ("IFC2X3", 0.001)}


# IfcOpenShell leaves the file of its compiled rules to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_validation_is_clean_with_where_rules(model: ifcopenshell.file) -> None:
    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(model, log, express_rules=True)
    assert log.statements == []


def test_origin_and_rotation_on_the_map(model: ifcopenshell.file) -> None:
    crs = ifcopenshell.util.geolocation.get_helmert_transformation_parameters(model)
    east, north, height, turn = (
        (444680.0, 2555710.0, 8.6, 12.0)
        if model.schema == "IFC4"
        else (444798.18, 2555730.84, 9.1, 7.5)
    )
    assert (crs.e, crs.n, crs.h) == (east, north, height)
    assert math.degrees(math.atan2(crs.xao, crs.xaa)) == pytest.approx(turn)
    assert crs.scale == ifcopenshell.util.unit.calculate_unit_scale(model)
    along = 10 / crs.scale
    x, y, z = ifcopenshell.util.geolocation.auto_xyz2enh(model, along, 0.0, along)
    angle = math.radians(turn)
    assert (x, y, z) == pytest.approx(
        (east + 10 * math.cos(angle), north + 10 * math.sin(angle), height + 10)
    )
    longitude, latitude = pyproj.Transformer.from_crs(4547, 4490, always_xy=True).transform(
        east, north
    )
    site = model.by_type("IfcSite")[0]
    assert tuple(site.RefLatitude) == pytest.approx(compound_angle(latitude), abs=2000)
    assert site.RefLatitude[:3] == compound_angle(latitude)[:3]
    assert site.RefLongitude[:3] == compound_angle(longitude)[:3]


def test_crs_names(model: ifcopenshell.file) -> None:
    project = model.by_type("IfcProject")[0]
    if model.schema == "IFC4":
        crs = model.by_type("IfcProjectedCRS")[0].get_info()
        assert (crs["MapUnit"].Name, crs["MapUnit"].Prefix) == ("METRE", None)
    else:
        crs = ifcopenshell.util.element.get_pset(project, "ePSet_ProjectedCRS")
        assert crs["MapUnit"] == "METRE"
        for pset in model.by_type("IfcPropertySet"):
            if pset.Name == "ePSet_MapConversion":
                units = {p.Name: p.Unit and p.Unit.Name for p in pset.HasProperties}
                assert units["Eastings"] == units["OrthogonalHeight"] == "METRE"
    assert (crs["Name"], crs["VerticalDatum"]) == ("EPSG:4547", "EPSG:5737")


def test_true_north_agrees_with_the_projection(model: ifcopenshell.file) -> None:
    crs = ifcopenshell.util.geolocation.get_helmert_transformation_parameters(model)
    to_map = pyproj.Transformer.from_crs(4490, 4547, always_xy=True)
    longitude, latitude = to_map.transform(crs.e, crs.n, direction="INVERSE")
    east, north = to_map.transform(longitude, latitude + 0.01)
    bearing = math.atan2(north - crs.n, east - crs.e) - math.atan2(crs.xao, crs.xaa)
    contexts = model.by_type("IfcGeometricRepresentationContext", include_subtypes=False)
    x, y = contexts[0].TrueNorth.DirectionRatios
    assert math.degrees(math.atan2(y, x)) == pytest.approx(math.degrees(bearing), abs=0.001)


def test_products_are_many_but_not_too_many(model: ifcopenshell.file) -> None:
    found = Counter(e.is_a() for e in elements(model))
    assert 500 <= sum(found.values()) <= 600
    least = {"IfcBeam": 80, "IfcColumn": 70, "IfcWindow": 40, "IfcDoor": 30, "IfcSlab": 10}
    least |= {"IfcStair": 4, "IfcStairFlight": 8, "IfcRailing": 7, "IfcRoof": 1}
    if model.schema == "IFC4":
        least |= {"IfcWall": 130, "IfcPipeSegment": 10, "IfcFireSuppressionTerminal": 8}
    else:
        least |= {"IfcWallStandardCase": 60, "IfcCurtainWall": 10, "IfcPlate": 98}
        least |= {"IfcFlowSegment": 12, "IfcFlowTerminal": 8}
    assert {name: n for name, n in least.items() if found[name] < n} == {}
    names = [product.Name for product in elements(model)]
    assert all(names)
    ids = [root.GlobalId for root in model.by_type("IfcRoot")]
    assert len(ids) == len(set(ids))


def test_every_door_and_window_is_a_mapped_item_in_an_opening(model: ifcopenshell.file) -> None:
    for entity in [*model.by_type("IfcDoor"), *model.by_type("IfcWindow")]:
        body = entity.Representation.Representations[0]
        assert body.RepresentationType == "MappedRepresentation"
        kind = ifcopenshell.util.element.get_type(entity)
        assert body.Items[0].MappingSource == kind.RepresentationMaps[0]
        opening = entity.FillsVoids[0].RelatingOpeningElement
        assert opening.VoidsElements[0].RelatingBuildingElement.is_a("IfcWall")


def test_every_storey_has_named_spaces_and_elements(model: ifcopenshell.file) -> None:
    storeys = model.by_type("IfcBuildingStorey")
    assert len(storeys) == (5 if model.schema == "IFC4" else 6)
    for storey in storeys:
        spaces = [
            part
            for relation in storey.IsDecomposedBy
            for part in relation.RelatedObjects
            if part.is_a("IfcSpace")
        ]
        assert spaces, storey.Name
        for space in spaces:
            assert space.LongName.endswith(f" {space.Name}")
            assert any("\u4e00" <= letter <= "\u9fff" for letter in space.LongName)
            assert any(letter.isascii() and letter.isalpha() for letter in space.LongName)
        assert storey.ContainsElements[0].RelatedElements
    for entity in elements(model):
        assert ifcopenshell.util.element.get_container(entity) in storeys, entity


def test_properties_have_the_measures_of_the_templates(model: ifcopenshell.file) -> None:
    templates = ifcopenshell.util.pset.get_template(model.schema)
    seen = set()
    for pset in model.by_type("IfcPropertySet"):
        template = templates.get_by_name(pset.Name)
        if template is None:
            assert pset.Name.startswith(("CIM_", "ePSet_"))
            continue
        kinds = {p.Name: p.PrimaryMeasureType for p in template.HasPropertyTemplates}
        for prop in pset.HasProperties:
            assert prop.NominalValue.is_a() == kinds[prop.Name], (pset.Name, prop.Name)
        seen.add(pset.Name)
    assert {"Pset_WallCommon", "Pset_DoorCommon", "Pset_WindowCommon"} <= seen
    wall = next(w for w in model.by_type("IfcWall") if "外墙" in w.Name or "山墙" in w.Name)
    values = ifcopenshell.util.element.get_pset(wall, "Pset_WallCommon")
    assert values["IsExternal"] is True
    assert values["LoadBearing"] is False
    assert values["FireRating"] == "2.00h"
    assert 0.5 <= values["ThermalTransmittance"] <= 0.8
    unit = ifcopenshell.util.unit.get_project_unit(model, "THERMALTRANSMITTANCEUNIT")
    assert sorted(part.Exponent for part in unit.Elements) == [-2, -1, 1]


def test_quantities_carry_units(model: ifcopenshell.file) -> None:
    expected = {
        "IfcQuantityLength": ("METRE", None if model.schema == "IFC4" else "MILLI"),
        "IfcQuantityArea": ("SQUARE_METRE", None),
        "IfcQuantityVolume": ("CUBIC_METRE", None),
    }
    quantities = model.by_type("IfcPhysicalSimpleQuantity")
    assert len(quantities) > 1000
    assert all(
        (one.Unit.Name, one.Unit.Prefix) == expected[one.is_a()] and one[3] > 0
        for one in quantities
    )


def test_glass_is_transparent_and_colours_are_several(model: ifcopenshell.file) -> None:
    styles = model.by_type("IfcSurfaceStyle")
    clear = {s.Name for s in styles if s.Styles[0].Transparency > 0.3}
    assert any("玻璃" in name for name in clear)
    assert len(styles) >= 15


def test_the_system_is_joined_from_end_to_end(model: ifcopenshell.file) -> None:
    system = model.by_type("IfcSystem")[0]
    members = set(system.IsGroupedBy[0].RelatedObjects)
    assert len(members) >= 25
    owner = {}
    if model.schema == "IFC4":
        for relation in model.by_type("IfcRelNests"):
            owner |= dict.fromkeys(relation.RelatedObjects, relation.RelatingObject)
    else:
        for relation in model.by_type("IfcRelConnectsPortToElement"):
            owner[relation.RelatingPort] = relation.RelatedElement
    reached = {next(iter(sorted(members, key=lambda e: e.id())))}
    links = [
        (owner[link.RelatingPort], owner[link.RelatedPort])
        for link in model.by_type("IfcRelConnectsPorts")
    ]
    for _ in members:
        reached |= {down for up, down in links if up in reached}
    assert reached == members


def test_every_body_yields_geometry_inside_the_site(
    model: ifcopenshell.file, shapes: dict[int, tuple[str, np.ndarray, float]]
) -> None:
    site = model.by_type("IfcSite")[0]
    ground = shapes[site.id()][1]
    for product in model.by_type("IfcProduct"):
        if not product.Representation or product.is_a("IfcFeatureElement"):
            continue
        _, box, volume = shapes[product.id()]
        size = box[1] - box[0]
        assert volume > 0, product
        assert (box[0, :2] >= ground[0, :2] - 1e-6).all(), product
        assert (box[1, :2] <= ground[1, :2] + 1e-6).all(), product
        assert -1.0 < box[0, 2] < box[1, 2] < 25.0
        assert size.min() > 0.01, product
        assert product == site or size.max() < 40.0, product


def test_openings_are_cut_as_the_quantities_say(
    model: ifcopenshell.file, shapes: dict[int, tuple[str, np.ndarray, float]]
) -> None:
    holed = 0
    for wall in model.by_type("IfcWall"):
        if len(wall.Representation.Representations[-1].Items) > 1:
            continue  # parapets: a coping is not part of the base quantities
        sets = ifcopenshell.util.element.get_psets(wall, qtos_only=True)
        numbers = next(iter(sets.values()))
        assert shapes[wall.id()][2] == pytest.approx(numbers["NetVolume"], rel=1e-3), wall
        holed += numbers["NetVolume"] < numbers["GrossVolume"] * 0.999
    assert holed >= 30


def test_doors_and_windows_sit_in_their_openings(
    model: ifcopenshell.file, shapes: dict[int, tuple[str, np.ndarray, float]]
) -> None:
    for entity in [*model.by_type("IfcDoor"), *model.by_type("IfcWindow")]:
        wall = entity.FillsVoids[0].RelatingOpeningElement.VoidsElements[0]
        host = shapes[wall.RelatingBuildingElement.id()][1]
        box = shapes[entity.id()][1]
        # Sills and handles stand out a little from the wall.
        assert (box[0] > host[0] - 0.12).all(), entity
        assert (box[1] < host[1] + 0.12).all(), entity


def test_occurrences_of_a_type_share_one_geometry(
    model: ifcopenshell.file, shapes: dict[int, tuple[str, np.ndarray, float]]
) -> None:
    for kind in model.by_type("IfcTypeProduct"):
        uses = ifcopenshell.util.element.get_types(kind)
        assert uses, f"{kind.Name} is never used"
        if kind.RepresentationMaps:
            assert len({shapes[use.id()][0] for use in uses}) == 1, kind.Name
    geometries = Counter(geometry for geometry, _, _ in shapes.values())
    assert sum(n for n in geometries.values() if n > 1) > 300
