"""Survey files that are damaged, too large or contradictory: told of, and the sound rest is read."""

import zipfile
from pathlib import Path

import pytest

from cim_core.errors import InvalidInput
from cim_core.layer import Layer
from cim_core.progress import Progress
from pipelines.survey_glance import holds_survey
from pipelines.survey_importer import SurveyImporter
from pipelines.survey_tables import Survey, read_survey
from server.zh import in_chinese
from tests.support.surveys import POINTS, csv_text, write_csv, write_sheets, write_survey
from tests.support.vectors import imported

_OPEN = (
    '<table:table table:name="a"><table:table-row table:number-rows-repeated="{rows}">'
    '<table:table-cell note="a>b" table:number-columns-repeated="{columns}" {said}/>'
    "</table:table-row></table:table>"
)


def read(path: Path, **options: str) -> Survey:
    return read_survey(path, path.name, options, Progress())


def with_sheet(path: Path, xml: str) -> Path:
    """A sound workbook with its sheet exchanged for another."""
    sound = write_sheets(path.with_name("sound.xlsx"), {"点": POINTS}, "XLSX")
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, xml if "worksheets/sheet" in member else old.read(member))
    sound.unlink()
    return path


def sheet_xml(rows: str) -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("rows", "reach"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
         "row 1048576 and across to column 16384"),
        ("<row>" + "<c><v>1</v></c>" * 16384 + "</row>" + "<row/>" * 9999 + "<row><c><v>1</v></c></row>",
         "row 10001 and across to column 16384"),
        ('<row r="9"/><row><c t="a>b" r="A10"/><c s=\'">\' r="XFD999999"><v>1</v></c></row>',
         "row 999999 and across to column 16384"),
    ],
)  # fmt: skip
def test_a_small_workbook_of_a_vast_sheet_is_refused_before_it_is_read(
    rows: str, reach: str, tmp_path: Path
) -> None:
    book = with_sheet(tmp_path / "p.xlsx", sheet_xml(rows))
    with pytest.raises(InvalidInput, match=f"{reach}.*export the table as CSV") as caught:
        read(book)
    assert in_chinese(caught.value.sentence)
    packed = tmp_path / "p.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(book, "a/p.xlsx")
    assert not holds_survey(book)
    assert not holds_survey(packed)


@pytest.mark.parametrize(
    ("said", "match"),
    [('office:value-type="float" office:value="1"', "reaches down to row 1048576"), ("", "as a spr|no table")],
)  # fmt: skip
def test_repeated_cells_of_an_open_document_count_where_they_are_filled(
    said: str, match: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", _OPEN.format(rows=1048576, columns=16384, said=said))
    with pytest.raises(InvalidInput, match=match):
        read(path)


def test_a_workbook_of_too_many_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = write_sheets(tmp_path / "p.xlsx", {"点": POINTS}, "XLSX")
    assert read(book).remarks == ()
    monkeypatch.setattr("pipelines.workbook_size._BYTES", 1000)
    with pytest.raises(InvalidInput, match="that are taken of a workbook"):
        read(book)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_one_bad_byte_costs_one_letter(encoding: str, tmp_path: Path) -> None:
    data = csv_text(POINTS).encode(encoding).replace(b"12.5", b"12.5\xff", 1)
    path = tmp_path / "JSPoint.csv"
    path.write_bytes(data)
    survey = read(path)
    (table,) = survey.tables
    assert table.columns["ground"].tolist() == ["12.3", "12.5�", "12.75"]
    assert table.columns["appurtenance"].tolist() == ["", "阀门井", ""]
    (remark,) = survey.remarks
    assert (
        remark == "1 letters of JSPoint.csv cannot be read and stand as �; the first is in line 3"
    )
    assert in_chinese(remark)
    assert holds_survey(path)


def test_a_broken_file_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s")
    whole = read(folder)
    (folder / "broken.xlsx").write_bytes(b"no workbook")
    (folder / "noise.csv").write_bytes(bytes(range(128, 256)) * 20)
    survey = read(folder)
    assert [table.name for table in survey.tables] == [table.name for table in whole.tables]
    spreadsheet, text = survey.remarks
    assert spreadsheet.startswith("broken.xlsx cannot be read as a spreadsheet")
    assert text.startswith("noise.csv is text neither in UTF-8")
    assert all(map(in_chinese, survey.remarks))
    for name in ("JSPoint.csv", "JSLine.csv"):
        (folder / name).unlink()
    with pytest.raises(InvalidInput, match=r"broken\.xlsx cannot be read"):
        read(folder)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_keep_their_numbers_behind_a_cell_of_two_lines(end: str, tmp_path: Path) -> None:
    head, first, second, third = csv_text(POINTS).replace("\r\n", "\n").strip().split("\n")
    broken = first.replace("JS1,JS1", f'JS1,"JS{end}1"')
    path = tmp_path / "JSPoint.csv"
    path.write_text(end.join([head, broken, second, third, ""]), encoding="utf-8", newline="")
    (table,) = read(path).tables
    assert table.rows.tolist() == [2, 4, 5]


def test_a_mapping_file_elsewhere_is_not_read(tmp_path: Path) -> None:
    folder = write_survey(tmp_path / "s")
    (folder / "own.toml").write_text('[point]\npoint = ["管子点"]\n', encoding="utf-8")
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for path in (folder, folder / "JSPoint.csv", packed):
        assert read(path, headers="own.toml").tables
    (tmp_path / "other.toml").write_text("", encoding="utf-8")
    (folder / "link.toml").symlink_to(tmp_path / "other.toml")
    elsewhere = (str(tmp_path / "other.toml"), "../other.toml", "/etc/none.toml", "link.toml")
    for said in elsewhere:
        with pytest.raises(InvalidInput, match="does not lie with the tables") as caught:
            read(folder, headers=said)
        assert in_chinese(caught.value.sentence)


RESULT = (
    ("管线点号", "连接点号", "特征", "X", "Y", "地面高程", "埋深", "管径", "材质"),
    ("JS1", "JS2", "三通", 2556000, 443000, 10, 1.0, 300, "PE"),
    ("", "JS3", "", "", "", "", 1.1, "DN200", "砼"),
    ("JS2", "JS1", "弯头", 2556000, 443060, 10, 1.2, 400, "PE"),
    ("JS3", "JS1", "弯头", 2556050, 443060, 10, 1.3, "200", "混凝土"),
    ("JS4", "", "弯头", "", "", 10, "", "", ""),
)


def test_a_point_of_a_result_table_without_a_place_is_told_of(tmp_path: Path) -> None:
    layer: Layer = imported(
        SurveyImporter(), write_csv(tmp_path / "成果表.csv", RESULT), crs="EPSG:4547"
    )
    (lost,) = layer.dropped
    assert (lost.id, lost.reason) == ("JS4", "its X and Y cannot be read")
    assert lost.feature_class == "成果表.csv:6"


def test_rows_of_a_connection_that_contradict_each_other_are_told_of(tmp_path: Path) -> None:
    (remark,) = read(write_csv(tmp_path / "成果表.csv", RESULT)).remarks
    assert remark == (
        "1 connections of 成果表.csv have another size or material in the row of their other point; "
        "the first row counts, as in line 2 and not line 4"
    )
    assert in_chinese(remark)
