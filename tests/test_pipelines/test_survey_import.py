"""Survey tables as an import: where they come to lie, and who takes which file."""

from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress
from cim_core.work import Crew
from pipelines.survey_importer import EXTENSIONS, SurveyImporter
from server.folder_import import FolderUpload, import_folder
from server.folder_plan import plan_folder
from server.importers import importer_for
from server.zh import in_chinese
from tests.support.surveys import LINES, POINTS, Table, write_csv, write_survey
from tests.support.vectors import zipped

EASTS = (443000.5, 443060.5, 443060.5)
NORTHS = (2556000.125, 2556000.125, 2556050.125)


def moved(change: object) -> Table:
    """The points with X and Y put through a function."""
    return [
        POINTS[0],
        *((*row[:2], *change(row[2], row[3]), *row[4:]) for row in POINTS[1:]),
    ]


def read(path: Path, **more: object) -> Layer:
    options = {k: more.pop(k) for k in ("headers", "encoding", "pipe_class") if k in more}
    placement = Placement(**{"city_crs": "EPSG:4547", **more})
    return SurveyImporter()(
        Source(path, path.name, "pipes", "Pipes", options=options), placement, Progress()
    )


def places(layer: Layer) -> np.ndarray:
    return layer.content.network.nodes.places  # type: ignore[union-attr]


def as_pyproj(crs: str, east: tuple[float, ...], north: tuple[float, ...]) -> np.ndarray:
    transformer = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    return np.column_stack(transformer.transform(east, north))


def test_x_is_north_and_lies_where_pyproj_puts_it(tmp_path: Path) -> None:
    layer = read(write_survey(tmp_path / "s"))
    assert np.allclose(places(layer), as_pyproj("EPSG:4547", EASTS, NORTHS), rtol=0, atol=1e-9)
    assert (layer.kind, layer.level, layer.sensitivity) == ("network", "under", "sensitive")
    assert layer.georeference.method == "city"
    assert layer.warnings == ()
    assert {f.id for f in layer.features} == {"JS1", "JS2", "JS3", "JS1-JS2", "JS2-JS3"}


def test_eastings_with_the_number_of_their_zone_are_understood(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s", moved(lambda x, y: (x, y + 38_000_000)))
    for more in ({}, {"crs": "EPSG:4547"}, {"crs": "EPSG:4526"}):
        layer = read(folder, **more)
        assert np.allclose(places(layer), as_pyproj("EPSG:4547", EASTS, NORTHS), rtol=0, atol=1e-9)
        assert len(layer.warnings) == ("4526" not in str(more))
        assert layer.georeference.crs == more.get("crs", "EPSG:4547")
    with pytest.raises(InvalidInput, match="begins with the number of a zone"):
        read(folder, crs="EPSG:4546")
    elsewhere = read(folder, city_crs="EPSG:4549")
    assert np.allclose(places(elsewhere), places(layer), rtol=0, atol=1e-9)
    assert elsewhere.georeference.crs == "EPSG:4526"


def test_eastings_without_the_number_of_their_zone_are_understood(tmp_path: Path) -> None:
    layer = read(write_survey(tmp_path / "s"), city_crs="EPSG:4526")
    assert np.allclose(places(layer), as_pyproj("EPSG:4547", EASTS, NORTHS), rtol=0, atol=1e-9)
    assert "lack the number of their zone, 38" in layer.warnings[0]
    assert in_chinese(layer.warnings[0])


def test_tables_of_one_survey_may_write_their_eastings_in_different_ways(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s")
    gas = [[str(v).replace("JS", "RQ") for v in row] for row in moved(lambda x, y: (x, y + 38e6))]
    write_csv(folder / "gas" / "RQPoint.csv", gas)
    layer = read(folder)
    expected = as_pyproj("EPSG:4547", EASTS, NORTHS)
    assert np.allclose(places(layer), [*expected, *expected], rtol=0, atol=1e-9)
    assert layer.warnings == (
        "the eastings of gas/RQPoint.csv begin with the number of their zone, 38; they were read in "
        "EPSG:4547",
    )
    assert in_chinese(layer.warnings[0])


def test_exchanged_axes_are_noticed_where_nothing_else_is_possible(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s", moved(lambda x, y: (y, x)))
    layer = read(folder)
    assert np.allclose(places(layer), as_pyproj("EPSG:4547", EASTS, NORTHS), rtol=0, atol=1e-9)
    assert "X is the easting" in layer.warnings[0]


def test_degrees_need_a_system_said(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s", moved(lambda x, y: (23.1 + y % 100 * 1e-6, 113.4)))
    with pytest.raises(InvalidInput, match="look like degrees"):
        read(folder)
    layer = read(folder, crs="EPSG:4490")
    assert layer.georeference.method == "user"
    assert np.allclose(places(layer)[0], (113.4, 23.1000005), rtol=0, atol=1e-9)


def test_a_city_without_a_system_is_asked_for_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not say in which reference system"):
        read(write_survey(tmp_path / "s"), city_crs=None)


def test_distances_from_an_anchor_are_metres_north_and_east(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s", moved(lambda x, y: (x - 2556000.125, y - 443000.5)))
    layer = read(folder, city_crs=None, anchor=(113.4, 23.1, 0.0))
    there = pyproj.Geod(ellps="WGS84").fwd(113.4, 23.1, 90, 60)
    assert np.allclose(places(layer)[1], there[:2], rtol=0, atol=1e-9)


def test_a_stray_point_is_left_out_and_named(tmp_path: Path) -> None:
    stray = (*POINTS, ("JS4", "JS4", 1.0, 2.0, 12, "弯头", "", "", ""))
    layer = read(write_survey(tmp_path / "s", stray, (*LINES, ("JS3", "JS4", 1, 1, 100, "PE", "ZM", 2001))))  # fmt: skip
    reasons = {item.id: item.reason for item in layer.dropped}
    assert reasons["JS4"] == "it lies outside the area of its reference system"
    assert "JS4" in reasons["JS3-JS4"]
    assert len(layer.content.network.segments) == 2  # type: ignore[union-attr]


def test_tables_without_their_counterparts_are_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s")
    for name in ("JSPoint.csv", "JSLine.csv"):
        with pytest.raises(InvalidInput) as refused:
            read(folder / name)
        assert in_chinese(refused.value.sentence)
    with pytest.raises(InvalidInput, match="is no class of pipes"):
        read(folder, pipe_class="rope")


def test_a_class_that_no_table_tells_can_be_said(tmp_path: Path) -> None:
    numbers = [[str(v).replace("JS", "") for v in row] for row in POINTS]
    ends = [[str(v).replace("JS", "") for v in row] for row in LINES]
    write_csv(tmp_path / "s" / "a.csv", numbers)
    write_csv(tmp_path / "s" / "b.csv", ends)
    layer = read(tmp_path / "s")
    assert "do not say of which class" in layer.warnings[0]
    assert in_chinese(layer.warnings[0])
    assert "RQ" in read(tmp_path / "s", pipe_class="燃气").class_styles


def test_survey_tables_go_to_their_importer_and_other_tables_to_theirs(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s")
    packed = zipped(folder, tmp_path / "s.zip")
    assert importer_for("s.zip", packed).kind == "pipes"
    assert importer_for("JSPoint.csv", folder / "JSPoint.csv").kind == "pipes"
    assert importer_for("s", folder, "pipes").kind == "pipes"
    assert set(importer_for("a.xlsx").extensions) == set(EXTENSIONS)


def test_the_tables_of_a_folder_are_one_network_in_the_plan(tmp_path: Path) -> None:
    write_survey(tmp_path / "all" / "pipes")
    write_csv(tmp_path / "all" / "pipes" / "阀门表.csv", (("阀门编号", "物探点号"), ("V1", "JS1")))
    write_csv(tmp_path / "all" / "sales.csv", (("month", "sum"), ("May", 3)))
    found = {item.name: (item.kind, item.refusal is None) for item in plan_folder(tmp_path / "all")}
    assert found == {"pipes": ("pipes", True), "sales.csv": ("pipes", False)}


def test_a_folder_of_tables_becomes_a_layer_of_the_city(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    write_survey(tmp_path / "all" / "pipes")
    order = FolderUpload(tmp_path / "all", crs="EPSG:4547")
    report = import_folder(city, order, Crew(), Progress())
    assert report["counts"] == {"imported": 1, "unchanged": 0, "failed": 0, "refused": 0}
    network = city.network(city.layers.get("pipes"))
    assert network.segments.ids.tolist() == ["JS1-JS2", "JS2-JS3"]
    assert import_folder(city, order, Crew(), Progress())["counts"]["unchanged"] == 1


def test_all_networks_of_a_survey_are_one_import_with_the_findings_of_each(district: Path) -> None:
    folder = district / "survey-with-errors"
    parts = [read(part) for part in sorted(folder.iterdir()) if part.is_dir()]
    whole = read(folder)
    assert len(whole.features) == sum(len(part.features) for part in parts)
    assert sorted((f.rule, f.line) for f in whole.findings) == sorted(
        (f.rule, f.line) for part in parts for f in part.findings
    )
    assert len(whole.dropped) == sum(len(part.dropped) for part in parts)
