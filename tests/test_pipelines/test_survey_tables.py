"""Survey tables are read the same from whatever file they stand in, and only they are."""

import shutil
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely

from cim_core.errors import InvalidInput
from cim_core.layer import Placement, Source
from cim_core.progress import Progress
from pipelines.headers import default_headers, own_headers
from pipelines.survey import SurveyTable
from pipelines.survey_glance import holds_survey
from pipelines.survey_importer import SurveyImporter
from pipelines.survey_tables import Survey, read_survey
from tests.support.surveys import (
    LINES,
    POINTS,
    Table,
    csv_text,
    write_csv,
    write_ods,
    write_sheets,
    write_survey,
)
from tests.support.vectors import moved, write_table, zipped
from tests.support.xls import write_xls


def read(path: Path, **options: str) -> Survey:
    return read_survey(path, path.name, options, Progress())


def content(table: SurveyTable) -> dict[str, list[str]]:
    return {name: column.tolist() for name, column in table.columns.items()}


def write_xlsx(path: Path, sheets: dict[str, Table]) -> Path:
    return write_sheets(path, sheets, "XLSX")


def of_kind(survey: Survey, kind: str) -> SurveyTable:
    (table,) = [table for table in survey.tables if table.kind == kind]
    return table


EXPECTED = {
    "point": ["JS1", "JS2", "JS3"],
    "map_point": ["JS1", "JS2", "JS3"],
    "x": ["2556000.125", "2556000.125", "2556050.125"],
    "y": ["443000.5", "443060.5", "443060.5"],
    "ground": ["12.3", "12.5", "12.75"],
    "feature": ["三通", "", "弯头"],
    "appurtenance": ["", "阀门井", ""],
    "bottom_depth": ["", "1.8", ""],
    "note": ["", "路口, 东", "井盖“旧”"],
}


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_text_table_is_read_in_any_encoding(
    encoding: str, delimiter: str, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "JSPoint.csv", POINTS, encoding, delimiter)
    survey = read(path)
    table = of_kind(survey, "point")
    assert content(table) == EXPECTED
    assert (table.name, table.system, table.rows.tolist()) == ("JSPoint.csv", "JS", [2, 3, 4])
    assert survey.remarks == ()
    assert holds_survey(path)


@pytest.mark.parametrize("ending", [".xls", ".xlsx", ".ods"])
def test_every_sheet_of_a_workbook_is_read(ending: str, tmp_path: Path) -> None:
    sheets = {"给水点表": POINTS, "给水线表": LINES, "说明": (("说明", "值"), ("坐标", "x"))}
    path = tmp_path / f"普查{ending}"
    {".xls": write_xls, ".xlsx": write_xlsx, ".ods": write_ods}[ending](path, sheets)
    survey = read(path)
    assert content(of_kind(survey, "point")) == EXPECTED
    assert of_kind(survey, "line").columns["size"].tolist() == ["300", "200"]
    assert {table.system for table in survey.tables} == {"JS"}
    assert survey.remarks == (
        f"普查{ending}/说明 was left out: its headers are not those of a survey table",
    )


def test_a_dbf_without_shapes_is_read(tmp_path: Path) -> None:
    lines = (("S_POINT", "E_POINT", "S_DEEP", "E_DEEP", "D_S", "MATERIAL"), ("1", "2", "1.5", "1.6", "300", "砼"))  # fmt: skip
    path = write_sheets(tmp_path / "YSLINE.dbf", {"YSLINE": lines}, "ESRI Shapefile")
    assert path.is_file()
    table = of_kind(read(path), "line")
    assert table.system == "YS"
    assert content(table) == {
        "start": ["1"], "end": ["2"], "start_depth": ["1.5"], "end_depth": ["1.6"], "size": ["300"],
        "material": ["砼"],
    }  # fmt: skip


@pytest.mark.parametrize("ending", [".shp", ".gpkg"])
def test_points_with_shapes_need_no_columns_of_coordinates(ending: str, tmp_path: Path) -> None:
    columns = {"Exp_No": ["JS1", "JS2"], "Surf_H": [12.25, 12.5], "Feature": ["三通", "弯头"]}
    shapes = [moved(shapely.Point(0, 0)), moved(shapely.Point(60.5, 0))]
    path = write_table(tmp_path / f"JSPOINT{ending}", shapes, columns, crs="EPSG:4547")
    survey = read(path)
    table = of_kind(survey, "point")
    assert table.columns["x"].astype(float).tolist() == [2_556_000, 2_556_000]
    assert table.columns["y"].astype(float).tolist() == [443_000, 443_060.5]
    (system,) = survey.systems
    assert pyproj.CRS(system) == pyproj.CRS("EPSG:4547")
    assert holds_survey(path)


def test_columns_of_coordinates_come_before_shapes_in_another_system(tmp_path: Path) -> None:
    columns = {"点号": ["JS1"], "X": [2556000.0], "Y": [443000.0], "特征": ["三通"], "埋深": [1.0]}
    path = write_table(tmp_path / "p.gpkg", [shapely.Point(113.4, 23.1)], columns, crs="EPSG:4490")
    survey = read(path)
    assert of_kind(survey, "point").columns["x"].tolist() == ["2556000"]
    assert survey.systems == (None,)


def test_a_folder_and_its_archive_hold_the_same(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "survey")
    (folder / "readme.txt").write_text("nothing of a survey", encoding="utf-8")
    write_csv(folder / "雨水" / "点表.csv", POINTS)
    shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    found = [read(path) for path in (folder, tmp_path / "packed.zip")]
    assert [[table.name for table in survey.tables] for survey in found] == [
        ["JSLine.csv", "JSPoint.csv", "雨水/点表.csv"]
    ] * 2
    assert [table.system for table in found[0].tables] == ["JS", "JS", "YS"]
    assert found[0].remarks == (
        "readme.txt was left out: its headers are not those of a survey table",
    )
    assert all(map(holds_survey, (folder, tmp_path / "packed.zip")))


def test_titles_above_the_headers_are_passed_over(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "p.csv", POINTS, above="管线点成果表,,\r\n\r\n工程：某路,,单位：米\r\n"
    )
    table = of_kind(read(path), "point")
    assert content(table) == EXPECTED
    assert table.rows.tolist() == [5, 6, 7]


def test_headers_over_two_lines_are_joined(tmp_path: Path) -> None:
    table = (
        ("物探点号", "平面坐标(m)", "", "高程(m)", "", "附属物"),
        ("", "X", "Y", "地面", "管顶", ""),
        ("JS1", 2556000, 443000, 12.5, 11.4, "阀门"),
    )
    found = of_kind(read(write_csv(tmp_path / "p.csv", table)), "point")
    assert content(found) == {
        "point": ["JS1"], "x": ["2556000"], "y": ["443000"], "ground": ["12.5"],
        "appurtenance": ["阀门"],
    }  # fmt: skip
    assert found.others["管顶"].tolist() == ["11.4"]
    assert found.rows.tolist() == [3]


def test_lines_too_short_or_too_long_are_taken_as_far_as_they_go(tmp_path: Path) -> None:
    text = (
        csv_text(POINTS[:2])
        + 'JS7,JS7,1,2\r\n\r\n"JS\n8",JS8,1,2,3,,,,,extra\r\nJS9,JS9,5,6,,,,,\r\n'
    )
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    survey = read(path)
    table = of_kind(survey, "point")
    assert table.columns["point"].tolist() == ["JS1", "JS7", "JS\n8", "JS9"]
    assert table.rows.tolist() == [2, 3, 5, 7]
    assert survey.remarks == (
        "2 lines of p.csv have more or fewer cells than its headers; the first is line 3",
    )


def test_a_result_table_is_points_and_the_lines_between_them(tmp_path: Path) -> None:
    table = (
        ("管线点号", "连接点号", "特征", "X", "Y", "地面高程", "埋深", "管径", "材质"),
        ("JS1", "JS2", "三通", 1, 2, 10, 1.0, 300, "PE"),
        ("", "JS3", "", "", "", "", 1.1, 200, "PE"),
        ("JS2", "JS1", "弯头", 1, 3, 10, 1.2, 300, "PE"),
        ("JS3", "JS1", "弯头", 1, 4, 10, 1.3, 200, "PE"),
    )
    survey = read(write_csv(tmp_path / "成果表.csv", table))
    points, lines = of_kind(survey, "point"), of_kind(survey, "line")
    assert points.columns["point"].tolist() == ["JS1", "JS2", "JS3"]
    pairs = zip(*(lines.columns[name].tolist() for name in ("start", "end")), strict=True)
    assert list(pairs) == [("JS1", "JS2"), ("JS1", "JS3")]
    assert lines.columns["start_depth"].tolist() == ["1", "1.1"] or lines.columns[
        "start_depth"
    ].tolist() == ["1.0", "1.1"]
    assert lines.columns["end_depth"].tolist() == ["1.2", "1.3"]


def test_kinds_are_told_by_headers_and_then_by_names() -> None:
    known = default_headers()
    valves = ["阀门编号", "物探点号", "X", "Y"]
    assert known.kind(valves, "给水阀门表") == "valve"
    assert known.kind(valves, "JSPoint.csv") == "point"
    assert known.kind(["物探点号", "户数", "用水量(m3/d)"], "a") == "user"
    assert known.kind(["Start_Point", "End Point", "X"], "a") == "line"
    assert known.kind(["起点", "备注"], "JSLine") is None
    assert known.fields("user", ["点号", "用水量（m³/d）"]) == {"point": 0, "demand_m3d": 1}


def test_a_mapping_file_names_headers_of_ones_own(tmp_path: Path) -> None:
    points = (
        ("管子点", "北", "东", *POINTS[0][4:]),
        *((r[0], *r[2:4], *r[4:]) for r in POINTS[1:]),
    )
    folder = write_survey(tmp_path / "s", points=points)
    with pytest.raises(InvalidInput, match=r"its headers are not|lacks 物探点号, x, y"):
        read(folder / "JSPoint.csv")
    own = folder / "headers.toml"
    own.write_text('[point]\npoint = ["管子点"]\nx = "北"\ny = "东"\n', encoding="utf-8")
    assert of_kind(read(folder), "point").columns["y"].tolist() == EXPECTED["y"]
    alone = read(folder / "JSPoint.csv", headers=str(own))
    assert of_kind(alone, "point").columns["point"].tolist() == EXPECTED["point"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[points]\n", "has a section 'points'"),
        ("[point]\nnumber = 'a'\n", "names the field 'number'"),
        ("[point]\nx = 3\n", "must give headers for x"),
        ("[point\n", "cannot be read"),
    ],
)
def test_a_mapping_file_that_is_wrong_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        own_headers(path)


def test_files_that_cannot_be_read_are_refused_with_the_remedy(tmp_path: Path) -> None:
    bad = tmp_path / "p.csv"
    bad.write_bytes(csv_text(POINTS).encode("gb18030") + b"\xff\xff\xff")
    with pytest.raises(InvalidInput, match="neither in UTF-8"):
        read(bad)
    with pytest.raises(InvalidInput, match="no text in ascii"):
        read(bad, encoding="ascii")
    book = tmp_path / "p.xlsx"
    book.write_bytes(b"no workbook")
    with pytest.raises(InvalidInput, match="as a spreadsheet"):
        read(book)
    other = write_csv(tmp_path / "o.csv", (("a", "b"), (1, 2)))
    with pytest.raises(InvalidInput, match="holds no table of pipe points"):
        read(other)


def test_tables_of_other_things_are_not_taken_for_surveys(tmp_path: Path) -> None:
    roads = {"from": ["a"], "to": ["b"], "name": ["Road"], "width": [7.0]}
    trees = {"id": ["1"], "species": ["Ficus"], "height": [7.5], "code": ["T1"]}
    street = write_table(
        tmp_path / "roads.gpkg", [moved(shapely.LineString([(0, 0), (9, 9)]))], roads
    )
    folder = tmp_path / "trees"
    folder.mkdir()
    write_table(folder / "trees.shp", [moved(shapely.Point(0, 0))], trees)
    table = write_csv(tmp_path / "t.csv", (("id", "x", "y", "name"), (1, 2, 3, "n")))
    others = [street, folder, zipped(folder, tmp_path / "trees.zip"), table, tmp_path / "none.zip"]
    (tmp_path / "none.zip").write_bytes(b"PK")
    assert [holds_survey(path) for path in others] == [False] * 5


def test_an_archive_is_recognised_by_any_kind_of_table_in_it(tmp_path: Path) -> None:
    columns = {"Exp_No": ["JS1"], "Surf_H": [12.25], "Feature": ["三通"]}
    for name in ("shapes", "book", "dbf"):
        (tmp_path / name).mkdir()
    write_table(tmp_path / "shapes" / "JSPOINT.shp", [moved(shapely.Point(0, 0))], columns)
    write_sheets(tmp_path / "book" / "a.xlsx", {"点": POINTS}, "XLSX")
    headers = ("S_POINT", "E_POINT", "S_DEEP", "材质")
    write_sheets(tmp_path / "dbf" / "L.dbf", {"L": (headers, (1, 2, 1.5, "砼"))}, "ESRI Shapefile")
    for name in ("shapes", "book", "dbf"):
        assert holds_survey(zipped(tmp_path / name, tmp_path / f"{name}.zip")), name


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\xff\xfe", b"X,Y\r\n", csv_text(POINTS[:1]).encode(), b"\n" * 99, b'"'],
)
def test_a_file_without_rows_is_refused_and_nothing_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    holds_survey(path)
    source = Source(path, path.name, "p", "P")
    with pytest.raises(InvalidInput):
        SurveyImporter()(source, Placement(city_crs="EPSG:4547"), Progress())


def test_what_occurs_often_is_one_text_in_memory(tmp_path: Path) -> None:
    lines = [LINES[0], *(("JS1", "JS2", 1, 1, 300, "QM", "ZM", 2008) for _ in range(50))]
    table = of_kind(read(write_csv(tmp_path / "JSLine.csv", lines)), "line")
    assert len({id(text) for text in table.columns["material"].tolist()}) == 1
    assert np.array_equal(table.rows, np.arange(2, 52))


def test_the_reference_names_every_field() -> None:
    page = Path(__file__).parents[2].joinpath("docs/reference/survey-tables.md").read_text("utf-8")
    fields = {field for aliases in default_headers().aliases.values() for field in aliases}
    assert {field for field in fields if f"`{field}`" not in page} == set()
