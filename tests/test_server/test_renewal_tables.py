"""Tables that renewal takes and makes: progress sheets that are filled in, projects that are brought."""

import asyncio
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio.raw
import pyproj
import pytest
import shapely

from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, TooLarge, UnsupportedFormat
from cim_core.renewal.events import Change
from cim_core.sight import EVERYTHING, Doer
from server.renewal import reading, workbook
from server.renewal.progress_given import Reader, apply_progress
from server.renewal.reading import read_given
from tests.support.renewal import DOER, END, renewal_of, square, towns_of
from tests.support.renewal_tables import (
    DONE,
    HEAD,
    NORTH,
    NOTE,
    PLAN,
    TODAY,
    brought,
    given,
    records,
    sheet_of,
    table,
    taken,
    told,
)


@pytest.fixture
def city(tmp_path: Path) -> City:
    made = City.open_or_create(tmp_path / "city")
    towns_of(made)
    renewal_of(made)
    return made.seen_by(EVERYTHING, Doer("r1", "reporter"))


def test_a_sheet_has_what_is_recorded_and_only_figures_can_be_changed(city: City) -> None:
    page = sheet_of(city)["进度 Progress"]
    rows = [row for row in page.iter_rows(min_row=5, values_only=True) if row[0]]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("e1", "households-signed", 0), ("e1", "floor-area-demolished", 1), ("e1", "investment", 1),
        ("w1", "investment", 1),
    ]  # fmt: skip
    assert [row[7:9] for row in rows] == [(None, None), (0.5, 0.4), (0.02, 0.02), (None, 0.005)]
    assert page.protection.sheet
    locked = {name: page[f"{name}5"].protection.locked for name in "ABCDEFGHIJ"}
    assert [name for name, shut in locked.items() if not shut] == [PLAN, DONE, NOTE]
    assert all(page.column_dimensions[name].hidden for name in "ABC")
    assert {str(rule.sqref) for rule in page.data_validations.dataValidation} == {
        "E5:E28",
        "F5:F28",
    }
    assert not page["E9"].protection.locked, "a row that is spare names its project itself"


def test_what_is_filled_in_is_recorded_once(city: City, tmp_path: Path) -> None:
    book = sheet_of(city)
    unchanged = taken(city, given(book, tmp_path))
    assert (unchanged.rows, unchanged.changes, unchanged.applied) == (3, 0, True)
    page = book["进度 Progress"]
    page[f"{DONE}6"], page[f"{PLAN}5"], page[f"{DONE}5"] = "0.45", 2, 1
    page["E9"], page["F9"], page[f"{DONE}9"] = "东厂自行改造 (e2)", page["F7"].value, 0.125
    page[f"{NOTE}9"] = "=1+1"
    sheets = given(book, tmp_path)
    revision = city.renewal.revision
    looked = taken(city, sheets, dry_run=True)
    assert (looked.changes, looked.applied, city.renewal.revision) == (3, False, revision)
    assert taken(city, sheets).changes == 3
    found = records(city)
    week = END.replace(month=3, day=31).isoformat()
    assert found["e1", "floor-area-demolished", week]["actual"] == 4500.0
    assert found["e1", "households-signed", week]["plan"] == 2
    new = found["e2", "investment", week]
    assert (new["actual"], new["end"], new["reporter"]) == (12_500_000.0, "2025-04-06", "reporter")
    assert new.get("note") is None, "a formula that came to nothing says nothing"
    again = taken(city, sheets)
    assert (again.changes, again.applied, city.renewal.revision) == (0, True, revision + 3)
    page[f"{DONE}6"] = 0.46
    assert taken(city, given(book, tmp_path)).changes == 1, "one's own figure can be corrected"


def test_every_fault_is_told_by_its_place_and_nothing_is_recorded(
    city: City, tmp_path: Path
) -> None:
    book = sheet_of(city)
    page = book["进度 Progress"]
    page[f"{DONE}5"], page[f"{DONE}6"], page[f"{DONE}7"] = 1.5, "about 3", -1
    page["E8"] = "东村全面改造 (e1)"
    page["E9"], page["F9"], page[f"{DONE}9"] = "nowhere", page["F7"].value, 1
    page["E10"], page["F10"], page[f"{PLAN}10"] = "东厂自行改造 (e2)", page["F7"].value, 1
    page["E11"], page["F11"], page[f"{DONE}11"] = "东厂自行改造 (e2)", page["F7"].value, 2
    page["E12"], page["F12"], page[f"{DONE}12"] = "东厂自行改造 (e2)", page["F7"].value, 3
    revision = city.renewal.revision
    report = taken(city, given(book, tmp_path))
    done, project = "本期完成 Done", "项目 Project"
    assert told(report) == [
        (5, done, "error"), (6, done, "error"), (7, done, "error"), (8, project, "error"),
        (9, project, "error"), (10, done, "error"), (11, "", "error"), (12, "", "error"),
    ]  # fmt: skip
    assert not report.applied and city.renewal.revision == revision
    for finding in report.document()["findings"]:
        assert finding["text"]["zh"] != finding["text"]["en"], finding
    page[f"{DONE}10"] = 1
    assert taken(city, given(book, tmp_path), partial=True).changes == 1
    assert records(city)["e2", "investment", "2025-03-31"]["plan"] == 1e8


def test_what_others_changed_meanwhile_and_what_is_verified_stays(
    city: City, tmp_path: Path
) -> None:
    book = sheet_of(city)
    page = book["进度 Progress"]
    page[f"{DONE}6"], page[f"{DONE}7"], page[f"{DONE}8"] = 0.41, 0.03, 30
    record = "e1-floor-area-demolished-13"
    city.renewal.apply([Change("progress", record, {"actual": 4200.0}, END, 1)], DOER)
    verified = {"verified_by": "s", "verified": "2025-04-07"}
    city.renewal.apply([Change("progress", "e1-investment-13", verified, END, 1)], DOER)

    def refuse(town: str) -> None:
        raise Forbidden(town)

    sheets = given(book, tmp_path)
    report = apply_progress(
        Reader(city, "s.xlsx", TODAY, lambda _: None, refuse), sheets, partial=True
    )
    sentences = [one.sentence for one in report.findings]
    assert ["somebody else" in one for one in sentences] == [True, False]
    assert "was verified" in sentences[1]
    assert records(city)["w1", "investment", "2025-03-31"]["actual"] == 3e9
    foreign = Reader(city, "s.xlsx", TODAY, refuse, refuse)
    assert foreign.read(sheets).report.accepted == 0, "towns that are not theirs are refused"


def test_a_workbook_that_is_no_progress_sheet_is_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no progress sheet of this program"):
        taken(city, given(openpyxl.Workbook(), tmp_path))
    book = sheet_of(city)
    book["_cim"]["B3"] = "2025-04-02"
    with pytest.raises(InvalidInput, match="no progress sheet of this program"):
        taken(city, given(book, tmp_path))
    book = sheet_of(city, "month")
    book["进度 Progress"].delete_rows(4)
    with pytest.raises(InvalidInput, match="no row with the headers"):
        taken(city, given(book, tmp_path))


def test_projects_come_from_a_table_with_chinese_headers_and_units(
    city: City, tmp_path: Path
) -> None:
    path = table(
        tmp_path / "p.xlsx", ["三旧改造项目一览表"], [*HEAD, "联系人"], [*NORTH, "x"],
        ["e1", None, None, None, None, "4.5", 21], [None, "东厂自行改造", None, None, None, 0.8],
    )  # fmt: skip
    found = brought(city, path)
    assert [(one["id"], one["new"], one["changed"]) for one in found.projects] == [
        ("e1", False, ["investment"]),
        ("n1", True, sorted(found.projects[1]["changed"])),
    ]
    assert told(found.report) == [(2, "联系人", "warning")]
    document = city.renewal.get("project", "n1").document
    assert document == {
        "name": "北村", "type": "old-village", "mode": "comprehensive", "town": "here",
        "template": "old-village", "land_area": 45_000.0, "investment": 2e9,
        "approval": {"number": "穗府〔2025〕1号", "date": "2025-03-01"},
    }  # fmt: skip
    assert city.renewal.get("project", "e1").document["investment"] == 2.1e9
    revision = city.renewal.revision
    assert brought(city, path).projects == [] and city.renewal.revision == revision


def test_faults_of_a_table_are_told_and_the_right_rows_may_be_taken(
    city: City, tmp_path: Path
) -> None:
    path = table(
        tmp_path / "p.xlsx", HEAD, NORTH,
        ["n2", "南村", "旧村", "全面改造", "nowhere"],
        ["n3", "西村", "palace", "全面改造", "here"],
        ["n4", "中村", "旧村", "全面改造", "here", "many"],
        ["n 5", "外村", "旧村", "全面改造", "here"],
        ["n6", "后村", "旧村"],
        NORTH,
    )  # fmt: skip
    report = brought(city, path).report
    assert told(report) == [
        (3, "镇街", "error"), (4, "项目类型", "error"), (5, "用地面积（公顷）", "error"),
        (6, "项目编号", "error"), (7, "", "error"), (8, "", "error"),
    ]  # fmt: skip
    assert not report.applied
    assert "mode, town, template" in report.findings[4].sentence
    assert [one["id"] for one in brought(city, path, partial=True).projects] == ["n1"]


def write_shapes(path: Path, layer: str, shapes: list[Any], **columns: list[Any]) -> None:
    """Shapes in degrees as a table in CGCS2000 3° zone 38, with a driver that the ending names."""
    to_plane = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True)
    moved = [
        shapely.transform(one, lambda xy: np.column_stack(to_plane.transform(xy[:, 0], xy[:, 1])))
        for one in shapes
    ]
    pyogrio.raw.write(
        str(path), np.array([shapely.to_wkb(one) for one in moved], object),
        [np.array(values, object) for values in columns.values()], list(columns), layer=layer,
        crs="EPSG:4547", geometry_type="Unknown" if path.suffix == ".gpkg" else "Polygon",
        **({"encoding": "UTF-8"} if path.suffix == ".shp" else {}),
    )  # fmt: skip


def test_boundaries_and_parcels_come_from_a_geopackage_in_another_system(
    city: City, tmp_path: Path
) -> None:
    here, there = (shapely.geometry.shape(square(lon, 23.10)) for lon in (113.402, 113.502))
    path = tmp_path / "p.gpkg"
    write_shapes(
        path, "projects", [here, there], 项目编号=["n1", "w1"], 项目名称=["北村", None], 项目类型=["旧村", None],
        改造模式=["全面改造", None],
    )  # fmt: skip
    write_shapes(
        path, "parcels", [here.buffer(-0.0005), here, shapely.LineString([(113.4, 23.1), (113.41, 23.1)])],
        项目编号=["n1", "n9", "n1"], 地块编号=["A", "B", "C"], 用途=["复建区", "融资区", "融资区"], 容积率=[3.5, 1.0, 1.0],
    )  # fmt: skip
    found = brought(city, path, partial=True)
    assert told(found.report) == [(2, "", "warning"), (2, "", "error"), (3, "", "error")]
    assert "land area" in found.report.findings[0].sentence, "as papers of w1 have it"
    north = city.renewal.get("project", "n1").document
    assert north["town"] == "here", "its boundary lies there"
    drawn = shapely.geometry.shape(north["boundary"])
    assert shapely.hausdorff_distance(drawn, here) < 1e-8
    [parcel] = north["parcels"]
    assert (parcel["id"], parcel["use"], parcel["approved"]) == ("A", "resettlement", {"far": 3.5})
    west = city.renewal.get("project", "w1")
    assert shapely.geometry.shape(west.document["boundary"]).equals_exact(there, 1e-8)
    assert west.version == 2
    assert brought(city, path, partial=True).projects == []


def test_a_zipped_shapefile_is_taken_and_one_without_a_system_is_asked_about(
    city: City, tmp_path: Path
) -> None:
    (tmp_path / "shp").mkdir()
    square_here = shapely.geometry.shape(square(113.406, 23.10))
    write_shapes(
        tmp_path / "shp" / "p.shp", "p", [square_here], xmbh=["n1"], xmmc=["北村"], xmlx=["旧村"], gzms=["微改造"],
    )  # fmt: skip
    for name, left_out in (("whole.zip", ""), ("bare.zip", ".prj")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for part in sorted((tmp_path / "shp").iterdir()):
                if part.suffix != left_out:
                    archive.write(part, part.name)
    [project] = brought(city, tmp_path / "whole.zip").projects
    assert (project["id"], project["town"], project["new"]) == ("n1", "here", True)
    assert city.renewal.get("project", "n1").document["name"] == "北村"
    with pytest.raises(InvalidInput, match="does not say in which reference system"):
        brought(city, tmp_path / "bare.zip")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../p.shp", b"x")
    with pytest.raises(InvalidInput, match="leaves the folder"):
        brought(city, tmp_path / "evil.zip")


def bomb(path: Path, part: str, text: bytes) -> Path:
    """A workbook one of whose parts is something else."""
    book = openpyxl.Workbook()
    book.active["A1"] = "x"
    book.save(path.with_suffix(".sound"))
    with (
        zipfile.ZipFile(path.with_suffix(".sound")) as sound,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in sound.namelist():
            out.writestr(name, text if name == part else sound.read(name))
    return path


def test_workbooks_made_to_do_harm_are_refused(tmp_path: Path) -> None:
    sheet, main = (
        "xl/worksheets/sheet1.xml",
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    )
    head = f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>'.encode()
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'
    far = head + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    many = "".join(f"<row><c><v>{number * 7919 % 99991}</v></c></row>" for number in range(20_001))
    rows = head + many.encode() + b"</sheetData></worksheet>"
    cases = [
        (sheet, entity, InvalidInput, "declares entities"),
        (sheet, far, InvalidInput, "reaches down to row 1048576"),
        (sheet, rows, TooLarge, "more than 20000 rows"),
        (sheet, head + b" " * (1 << 24), InvalidInput, "grow beyond all measure"),
        ("xl/styles.xml", many.encode() * 3, TooLarge, "KiB in xl/styles.xml"),
        (sheet, b"<broken", InvalidInput, "cannot be read as a workbook"),
    ]
    for number, (part, text, kind, words) in enumerate(cases):
        path = bomb(tmp_path / f"{number}.xlsx", part, text)
        with pytest.raises(kind, match=words):
            read_given(path, path.name)
    (tmp_path / "text.xlsx").write_text("no workbook")
    with pytest.raises(InvalidInput, match="no file of the kind"):
        read_given(tmp_path / "text.xlsx", "text.xlsx")
    with pytest.raises(UnsupportedFormat, match="no table that is taken here"):
        read_given(tmp_path / "text.exe", "text.exe")


def test_a_sheet_that_is_sent_twice_at_once_is_recorded_once(city: City, tmp_path: Path) -> None:
    book = sheet_of(city)
    page = book["进度 Progress"]
    page["E9"], page["F9"], page[f"{DONE}9"] = "东厂自行改造 (e2)", page["F7"].value, 1
    sheets = given(book, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: taken(city, sheets), range(4)))
    assert sorted(report.changes for report in reports) == [0, 0, 0, 1]
    assert len(city.renewal.find("progress", "e2")) == 1


def test_what_a_file_comes_to_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "p.xlsx", HEAD, ["x" * 5000] * 20)
    assert asyncio.run(reading.read_aside(path, path.name))
    monkeypatch.setattr(reading, "_ANSWER", 50_000)
    with pytest.raises(TooLarge, match="MiB of texts and shapes"):
        asyncio.run(reading.read_aside(path, path.name))
    monkeypatch.setattr(workbook, "_LETTERS", 50_000)
    with pytest.raises(TooLarge, match="million letters in its cells"):
        read_given(path, path.name)


def test_somebody_else_of_the_same_name_is_somebody_else(city: City, tmp_path: Path) -> None:
    book = sheet_of(city)
    page = book["进度 Progress"]
    page[f"{DONE}6"] = 0.41
    other = city.seen_by(EVERYTHING, Doer("r2", "reporter"))
    record = "e1-floor-area-demolished-13"
    other.renewal.apply([Change("progress", record, {"actual": 4200.0}, END, 1)], other.doer)
    report = taken(city, given(book, tmp_path))
    assert ["somebody else" in one.sentence for one in report.findings] == [True]
