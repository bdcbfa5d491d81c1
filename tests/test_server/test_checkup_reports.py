"""Check-ups as files: what stands in a report and in Parquet are the API's own figures."""

import io
import json
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any

import docx
import openpyxl
import pyarrow.parquet as pq
import pytest
import shapely
from starlette.testclient import TestClient

from analysis.checkup.sets import shipped_sets
from server.access.policy import public_policy
from server.checkup import report_letter, reports
from server.checkup.figures import Figure
from server.checkup.part_units import Parts
from server.checkup.report import Part, Report, Table
from server.checkup.report_book import write_book
from server.checkup.report_letter import write_letter
from tests.support.checkups import square, two_years
from tests.support.inside import STRANGER, Inside

RUN = "/checkup/runs/2025-1"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    city = two_years(tmp_path_factory.mktemp("checkup-reports"))
    with Inside(city.folder) as served:
        yield served


@pytest.fixture(scope="module")
def people(inside: Inside) -> dict[str, TestClient]:
    return {
        role: inside.client(role) for role in ("viewer", "supervisor", "data-manager", STRANGER)
    }


def rows_of(book: openpyxl.Workbook, begins: str) -> list[dict[str, Any]]:
    """The rows of a sheet's table under its headings."""
    page = next(sheet for sheet in book.worksheets if sheet.title.startswith(begins))
    lines = [list(row) for row in page.iter_rows(values_only=True)]
    head = next(at for at, line in enumerate(lines) if sum(cell is not None for cell in line) > 3)
    return [dict(zip(lines[head], line, strict=True)) for line in lines[head + 1 :]]


def exactly(value: float | None) -> Any:
    """A figure as a workbook has it: to sixteen digits."""
    return None if value is None else pytest.approx(value, rel=1e-15)


def test_the_figures_of_a_workbook_are_those_of_the_api(people: dict[str, TestClient]) -> None:
    who = people["data-manager"]
    answer = who.get(f"{RUN}/report?form=xlsx&lang=en")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].endswith('"checkup-2025-1.xlsx"')
    assert answer.headers["x-export-id"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    run = who.get(RUN).json()
    results = {row["No."]: row for row in rows_of(book, "Appendix 1")}
    for one in run["indicators"]:
        value = one["value"]
        row = results[one["code"]]
        for heading in ("Value", "Numerator", "Denominator", "Surveyed"):
            assert row[heading] == exactly(value[heading.lower()]), (one["code"], heading)
    assert results["16"]["Target"] == "≥ 90.00 % (recalled, not verified)"
    assert results["33"]["Target"] == "≤ 0.00 points"
    assert results["27p"]["Indicator"].endswith("(proxy)")
    assert results["27p"]["Judged"] == "not judged"
    ledger = rows_of(book, "Appendix 2")
    tags = {row["No."]: row["Target"] for row in ledger}
    assert tags["16"] == results["16"]["Target"], "a recalled target says so in the ledger, too"
    problems = who.get(f"{RUN}/problems").json()["problems"]
    assert [(row["Problem"], row["Value"]) for row in ledger] == [
        (one["id"], exactly(one["value"])) for one in problems
    ]
    by_unit = rows_of(book, "16 ")
    units = who.get(f"{RUN}/indicators/16/units?by=community").json()["units"]
    assert [(row["Unit"], row["Value"]) for row in by_unit[:4]] == [
        (one["name"]["en"], exactly(one["value"])) for one in units
    ]
    [page] = [sheet for sheet in book.worksheets if sheet.title.startswith("16 ")]
    assert len(page._images) == 1


def test_a_letter_goes_from_the_overview_to_the_appendices(people: dict[str, TestClient]) -> None:
    who = people["supervisor"]
    paper = docx.Document(io.BytesIO(who.get(f"{RUN}/report?form=docx").content))
    headings = [one.text for one in paper.paragraphs if one.style.name == "Heading 1"]
    assert [one.partition("、")[0] for one in headings[:6]] == ["一", "二", "三", "四", "五", "六"]
    assert [one[:3] for one in headings[6:]] == ["附录一", "附录二", "附录三"]
    text = "\n".join(one.text for one in paper.paragraphs)
    assert "凭记忆" in text and "替代指标" in text and "本城市没有所需的图层" in text
    school = next(one for one in who.get(RUN).json()["indicators"] if one["code"] == "16")
    assert f"{school['value']['value']:.2f} %" in text
    assert (
        f"分子 {school['value']['numerator']:.0f} m²，分母 {school['value']['denominator']:.0f} m²"
        in text
    )
    cells = [[cell.text for cell in row.cells] for table in paper.tables for row in table.rows]
    assert ["社区1", "100.00"] in [row[:2] for row in cells]
    gap = next(row for row in cells if row[0] == "28" and len(row) == 10)
    assert (gap[2], gap[6], gap[7]) == ("30.00", "30 个泊位", "1")
    assert "降低至 ≤ 0.00" in text and "提升至 ≥ 90.00" in text
    pictures = [part for part in paper.part.package.iter_parts() if "image" in part.content_type]
    assert len({part.partname for part in pictures}) >= 4, "a map for each indicator with units"


def test_a_report_has_nothing_that_may_not_be_taken_out(
    inside: Inside, people: dict[str, TestClient]
) -> None:
    # A supervisor takes out what is public and internal; the ponding points are sensitive.
    book = openpyxl.load_workbook(
        io.BytesIO(people["supervisor"].get(f"{RUN}/report?form=xlsx&lang=en").content)
    )
    results = {row["No."] for row in rows_of(book, "Appendix 1")}
    assert results == {"07", "16", "27p", "28"}
    said = " ".join(str(cell.value) for cell in book.worksheets[0]["A"])
    assert "1 indicators are left out" in said
    table = pq.read_table(io.BytesIO(people["supervisor"].get(f"{RUN}/values.parquet").content))
    assert set(table["code"].to_pylist()) == results
    for who in ("viewer", STRANGER):
        for what in ("report?form=xlsx", "values.parquet"):
            assert people[who].get(f"{RUN}/{what}").status_code in (401, 403, 404), (who, what)
    assert people["supervisor"].get("/checkup/runs/x/values.parquet").status_code == 404


def test_values_as_geoparquet_are_those_of_the_api(people: dict[str, TestClient]) -> None:
    who = people["data-manager"]
    answer = who.get(f"{RUN}/values.parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    geo = json.loads(about["geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert about["export"] == answer.headers["x-export-id"]
    rows = table.to_pylist()
    run = who.get(RUN).json()
    assert about["receipt"] == run["receipt"]
    targets = {one["code"]: one["target"] for one in run["indicators"]}
    assert {(row["code"], row["target_confidence"]) for row in rows} == {
        (code, target and target["confidence"]) for code, target in targets.items()
    }
    for one in run["indicators"]:
        for by in one["by"]:
            told = who.get(f"{RUN}/indicators/{one['code']}/units", params={"by": by}).json()
            mine = [row for row in rows if (row["code"], row["by"]) == (one["code"], by)]
            names = ("value", "numerator", "denominator", "surveyed", "status", "met")
            assert [[row[name] for name in names] for row in mine] == [
                [unit[name] for name in names] for unit in told["units"]
            ]
    [first] = [r for r in rows if (r["code"], r["unit"]) == ("16", "c1")]
    shape = shapely.from_wkb(first["geometry"])
    assert shape.symmetric_difference(square(0, 0, 0, 1)).area < 1e-10
    assert {row["by"] for row in rows} == {"district", "town", "community", "estate", "cell"}


def test_outlines_of_protected_units_count_as_taken_out(inside: Inside) -> None:
    policy = public_policy()
    tight = policy.model_copy(
        update={"limits": policy.limits.model_copy(update={"export_km2": 0.0001})}
    )
    inside.decide(tight)
    try:
        refused = inside.client("data-manager", "taker").get(f"{RUN}/values.parquet")
    finally:
        inside.decide(policy)
    assert refused.status_code == 403, "the estates are internal, and drawn in it"
    assert "km²" in refused.json()["detail"]


def test_reports_hold_what_people_wrote_as_far_as_documents_can() -> None:
    table = Table(["a\x01", "b"], [1, 1], [["one\x0b\ntwo", Figure(float("inf"), 1)]] * 3)
    report = Report("t\x02", ["l\x03"], "en", [Part("p", "p\x04", 1, ["s\x05"], table)])
    book = openpyxl.load_workbook(io.BytesIO(write_book(report)))
    assert book.sheetnames == ["t", "p"]
    assert [cell.value for cell in book["p"][4]] == ["one\ntwo", None]
    paper = docx.Document(io.BytesIO(write_letter(report)))
    [made] = paper.tables
    assert [[cell.text for cell in row.cells] for row in made.rows] == [
        ["a", "b"], *[["one\ntwo", "—"]] * 3,
    ]  # fmt: skip


def test_a_long_table_is_cut_on_paper_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_letter, "_MOST_ROWS", 2)
    table = Table(["a"], [1], [[f"row {number}"] for number in range(5)])
    report = Report("title", [], "en", [Part("p", "part", 1, (), table)])
    paper = docx.Document(io.BytesIO(write_letter(report)))
    assert [row.cells[0].text for row in paper.tables[0].rows] == ["a", "row 0", "row 1"]
    assert "The first 2 of 5 rows are shown" in paper.paragraphs[-1].text
    book = openpyxl.load_workbook(io.BytesIO(write_book(report)))
    assert book["part"].max_row == 2 + 5


def test_no_unit_breaks_the_format_of_a_number() -> None:
    table = Table(["Value"], [1], [[Figure(2.5, 1, unit='m" [Red]0"')]])
    report = Report("title", [], "en", [Part("p", "part", 1, (), table)])
    book = openpyxl.load_workbook(io.BytesIO(write_book(report)))
    cell = book["part"].cell(book["part"].max_row, 1)
    assert (cell.value, cell.number_format) == (2.5, '0.0" m″ [Red]0″"')


def test_so_many_reports_are_written_at_a_time(
    people: dict[str, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_reports", BoundedSemaphore(1))
    with reports._reports:
        busy = people["data-manager"].get(f"{RUN}/report?form=xlsx")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "10")
    assert busy.json()["detail_zh"]


@pytest.mark.soak
def test_a_letter_becomes_a_pdf(people: dict[str, TestClient]) -> None:
    answer = people["data-manager"].get(f"{RUN}/report?form=pdf")
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF")


def test_every_part_of_what_ships_has_a_unit_that_people_read() -> None:
    seen = {}
    for which in shipped_sets().values():
        for one in which.indicators:
            said = {"numerator": 1234.56, "denominator": 1234.56}
            formula = one.formula.model_dump(mode="json", exclude_none=True)
            seen[one.code] = [figure.text() for figure in Parts(formula, "en").figures(said)]
    assert seen["16"] == ["1235 m²", "1235 m²"] and seen["10"] == ["1235 m²", "1235 people"]
    assert seen["27a"] == ["1235 in number"] * 2 and seen["h01"] == ["1235 in number", "1235"]
    assert seen["38"] == ["1234.6 m", "1235 m ÷ km/h"]
    assert seen["39a"] == ["1235 min · people", "1235 people"]
    assert seen["41a"] == ["1234.6 m", "1235"] and seen["29"] == ["1235 piles", "1235"]
    for code, (above, _) in seen.items():
        assert " " in above, code
