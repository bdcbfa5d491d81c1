"""Reports of renewal: every format shows what the interface tells, and that follows from the events."""

import html
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from docx import Document

from cim_core.city import City
from cim_core.errors import InvalidInput, MissingDependency
from cim_core.renewal.events import Change
from cim_core.store.office_audit import AuditQuery
from server.access.policy import default_policy
from server.renewal.letter_template import template
from server.renewal.report_pdf import as_pdf
from server.renewal.reports import Asked, make_report, written
from tests.support.letters import letter_tables, needs_libreoffice, pdf_text
from tests.support.renewal import DOER, END, renewal_of, towns_of
from tests.support.renewal_twin import box, publish_shapes
from tests.support.serving import Server

REPORT = "/renewal/reports/demolition"
WEEK = {"period": "week", "end": END.isoformat()}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    made = City.open_or_create(tmp_path_factory.mktemp("reports") / "city")
    towns_of(made)
    renewal_of(made)
    made.office.policies.put(default_policy().document(), 0, "test")
    return made


@pytest.fixture(scope="module")
def server(city: City) -> Iterator[Server]:
    running = Server(city.folder, city.folder.parent / "log")
    yield running
    running.stop()
    assert running.odd_lines() == []


def as_role(server: Server, role: str, **more: object) -> dict[str, str]:
    return {"authorization": f"Bearer {server.key(role, **more)}"}


def figure(
    cell: Any, column: Mapping[str, Any], how: Mapping[str, Any] | None, language: str
) -> str:
    """A cell of the interface as people are to read it, by what the interface says of its column."""
    words = {
        "green": "绿灯", "yellow": "黄灯", "red": "红灯",
    }  # fmt: skip
    if cell is None:
        return "—"
    if isinstance(cell, str):
        return words[cell] if column["kind"] == "light" and cell else cell
    if isinstance(cell, dict):
        return str(cell[language])
    value = Decimal(str(cell)) / Decimal(str(how["factor"]))
    text = f"{value.quantize(Decimal(1).scaleb(-how['decimals']), ROUND_HALF_UP) + 0:f}"
    return f"{text}%" if how["unit"]["en"] == "%" else text


def table_texts(table: Mapping[str, Any], language: str = "zh") -> list[list[str]]:
    rows = []
    for at, row in enumerate([*table["rows"], *([table["total"]] if table["total"] else [])]):
        shows = [
            table["row_shown"][at] if column["kind"] == "figure" else column["shown"]
            for column in table["columns"]
        ]
        cells = zip(row, table["columns"], shows, strict=True)
        rows.append([figure(cell, column, how, language) for cell, column, how in cells])
    return rows


def tables(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one["table"] for one in report["sections"] if one["table"] and one["table"]["rows"]]


def test_the_demolition_report_follows_from_the_recorded_events(city: City, server: Server) -> None:
    report = server.client.get(REPORT, params=WEEK).json()
    assert (report["from"], report["to"]) == ("2025-03-31", "2025-04-06")
    told = pd.DataFrame([one.document for one in city.renewal.find("progress")]).query(
        "metric == 'floor-area-demolished'"
    )
    week = told[told.end.between("2025-03-31", "2025-04-06")]
    states = pd.DataFrame([one.document for one in city.renewal.find("household")])
    signed = states.assign(signed=states.state.eq("signed")).groupby("project").signed
    by_id = {one["id"]: one for one in report["sections"]}
    table = by_id["projects"]["table"]
    names = [column["id"] for column in table["columns"]]
    rows = {
        row[names.index("project")]: dict(zip(names, row, strict=True)) for row in table["rows"]
    }
    village = rows["东村全面改造"]
    assert village["plan"] == week.plan.sum()
    assert village["actual"] == week.actual.sum()
    assert village["cumulative"] == told.actual.sum()
    assert village["done"] == told.actual.sum()
    assert village["annual"] == 130_000.0, "its whole target lies in the year"
    assert village["share"] == told.actual.sum() / 130_000.0
    assert village["rate"] == signed.mean()["e1"]
    assert rows["西街微改造"]["rate"] == signed.mean()["w1"]
    assert rows["西街微改造"]["share"] is None
    total = dict(zip(names, table["total"], strict=True))
    assert total["rate"] == signed.sum().sum() / len(states)
    assert total["investment"] == 13 * 2.5e6
    holdouts = by_id["holdouts"]["table"]
    assert [[row[2], *row[3:7]] for row in holdouts["rows"]] == [
        ["东村全面改造", 10, 8, 2, 1], ["西街微改造", 3, 3, 0, 1],
    ]  # fmt: skip
    text = " ".join(one["zh"] for one in by_id["overview"]["paragraphs"])
    for part in ("计划拆除0.50万㎡，实际拆除0.40万㎡", "签约率84.6%", "在办1件，其中逾期1件"):
        assert part in text


def test_its_figures_are_those_of_the_screen(server: Server) -> None:
    at = {"at": END.isoformat()}
    report = server.client.get(REPORT, params={**WEEK, "period": "month"}).json()
    towns = {
        one["title"]["zh"]: one
        for one in server.client.get("/renewal/towns", params=at).json()["towns"]
    }
    projects = {
        one["name"]: one
        for one in server.client.get("/renewal/projects", params=at).json()["projects"]
    }
    by_id = {one["id"]: one["table"] for one in report["sections"]}
    for row in by_id["towns"]["rows"]:
        town = towns[row[1]["zh"]]
        assert row[0] == town["rank"]
        assert row[2] == town["projects"]
        assert row[8] == town["signing"]["rate"]
        assert row[-3:] == [town["lights"][light] for light in ("green", "yellow", "red")]
    for row in by_id["projects"]["rows"]:
        project = projects[row[2]]
        area = project["metrics"].get("floor-area-demolished")
        assert row[-1] == project["light"]
        assert row[11] == project["signing"]["rate"]
        assert row[6] == project["demolished"]["reported"]
        if area:
            assert row[4:6] == [area["period_plan"], area["period_actual"]]


def test_the_letter_becomes_a_pdf_with_the_figures_of_the_interface(server: Server) -> None:
    needs_libreoffice()
    report = server.client.get(REPORT, params=WEEK).json()
    answer = server.client.get(REPORT, params={**WEEK, "f": "pdf"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].endswith('"demolition-week-2025-04-06.pdf"')
    text = pdf_text(answer.content)
    lines = [line.split() for line in text.splitlines()]
    for table in tables(report):
        for row in table_texts(table):
            figures = [
                cell
                for cell, column in zip(row, table["columns"], strict=True)
                if column["kind"] not in ("text", "light") and cell
            ]
            assert any(_in_order(figures, line) for line in lines), (table["id"], row)
    joined = "".join(text.split())
    for section in report["sections"]:
        assert "".join(section["title"]["zh"].split()) in joined
        for paragraph in section["paragraphs"]:
            assert "".join(paragraph["zh"].split()) in joined
    assert "—1—" in joined, "pages have numbers"


def _in_order(figures: list[str], line: list[str]) -> bool:
    words = iter(line)
    return all(one in words for one in figures)


@pytest.mark.parametrize("report", ["demolition", "supervision"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_letter_and_workbook_have_the_figures_of_the_interface(
    server: Server, report: str, lang: str
) -> None:
    url = f"/renewal/reports/{report}"
    told = server.client.get(url, params=WEEK).json()
    wanted = [table_texts(one, lang) for one in tables(told)]
    if lang == "en":
        wanted = [
            [
                [{"绿灯": "Green", "黄灯": "Yellow", "红灯": "Red"}.get(c, c) for c in row]
                for row in table
            ]
            for table in wanted
        ]
    if report == "supervision":
        for row in wanted[1]:  # the coloured words of slips and urgency
            row[1], row[11] = {"zh": ("黄单", "逾期"), "en": ("Yellow", "Overdue")}[lang]
    letter = server.client.get(url, params={**WEEK, "f": "docx", "lang": lang})
    found = [table[1:] for table in letter_tables(letter.content)]
    assert found == wanted
    with zipfile.ZipFile(io.BytesIO(letter.content)) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
    assert bool(pictures) == (report == "demolition")
    book = server.client.get(url, params={**WEEK, "f": "xlsx", "lang": lang})
    for sheet, table, texts in zip(
        openpyxl.load_workbook(io.BytesIO(book.content)).worksheets,
        tables(told),
        wanted,
        strict=False,
    ):
        rows = list(sheet.iter_rows())
        begin = (
            next(at for at, row in enumerate(rows) if row[0].fill.fgColor.rgb.endswith("DDE6EF"))
            + 1
        )
        for row, cells in zip(texts, rows[begin:], strict=False):
            assert [_read(cell) for cell in cells] == ["" if one == "—" else one for one in row], (
                table["id"]
            )


def _read(cell: Any) -> str:
    """A cell as a spreadsheet program shows it."""
    if cell.value is None:
        return ""
    if isinstance(cell.value, str):
        return cell.value
    digits = cell.number_format.rstrip("%").partition(".")[2]
    value = Decimal(repr(cell.value)) * (100 if cell.number_format.endswith("%") else 1)
    text = f"{value.quantize(Decimal(1).scaleb(-len(digits)), ROUND_HALF_UP) + 0:f}"
    return f"{text}%" if cell.number_format.endswith("%") else text


def test_files_are_for_who_may_export_and_of_the_towns_they_may(city: City, server: Server) -> None:
    reporter = as_role(server, "reporter", towns=("there",))
    seen = server.client.get(REPORT, params=WEEK, headers=reporter).json()
    projects = next(one["table"] for one in seen["sections"] if one["id"] == "projects")
    assert [row[2] for row in projects["rows"]] == ["西街微改造"]
    assert seen["scope"]["zh"] == "there镇"
    refused = server.client.get(REPORT, params={**WEEK, "f": "docx"}, headers=reporter)
    assert refused.status_code == 403
    assert "任何镇街" in refused.json()["detail_zh"]
    other = server.client.get(REPORT, params={**WEEK, "town": "here"}, headers=reporter)
    assert other.status_code == 404
    taken = server.client.get(
        REPORT, params={**WEEK, "f": "xlsx", "town": "there"}, headers=as_role(server, "supervisor")
    )
    assert taken.status_code == 200
    export = taken.headers["x-export-id"]
    entries = city.office.audit.find(AuditQuery(), 20)[0]
    assert [one.verb for one in entries if one.detail.get("export") == export] == ["export"]
    assert server.client.get("/renewal/reports/other").status_code == 422
    assert server.client.get(REPORT, params={"end": "2025-02-30"}).status_code == 422


def test_a_report_shows_what_was_known_then_and_no_personal_data(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    then = city.renewal.file.now()
    city.renewal.file.clock = lambda: then / 1000 + 60
    record = city.renewal.get("progress", "e1-floor-area-demolished-13")
    city.renewal.apply(
        [Change("progress", record.id, {"actual": 4050.0}, END, record.version)], None
    )

    def actual(known: int | None) -> str:
        report = make_report(city, Asked("demolition", "week", END, known))
        return report.section("towns").table.texts("zh")[-1][4]

    assert (actual(then), actual(None)) == ("0.40", "0.41"), (
        "half is rounded up, as in spreadsheets"
    )
    report = make_report(city, Asked("demolition", "week", END))
    for form in ("docx", "xlsx"):
        with zipfile.ZipFile(io.BytesIO(written(city, report, form, "zh"))) as archive:
            parts = b"".join(archive.read(name) for name in archive.namelist())
        everything = html.unescape(parts.decode(errors="ignore"))
        assert "东村全面改造" in everything
        assert "户主甲" not in everything


def test_what_was_reported_of_signed_households_is_no_part_of_those_counted(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    record = {
        "project": "e1", "metric": "households-signed", "period": "week", "start": "2025-03-31",
        "end": "2025-04-06", "actual": 5, "plan": 4,
    }  # fmt: skip
    city.renewal.apply([Change("progress", None, record, END)], None)
    report = make_report(city, Asked("demolition", "week", END))
    rows = {row[0]: row for row in report.section("overview").table.texts("zh")}
    assert rows["签约户数"] == ["签约户数", "户", "4", "0", "11", "10", "8", "80.0%"]


def test_what_the_twin_says_stands_beside_what_was_reported(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    houses = [box(30 * number, 0, 20, 10) for number in range(4)]
    publish_shapes(
        city,
        "houses",
        [(f"b{at}", "Building", house, {"floors": 3}) for at, house in enumerate(houses, start=1)],
    )
    renewal_of(city, layer="houses")
    report = make_report(city, Asked("demolition", "week", END))
    told = report.section("overview").paragraphs[-1]["zh"]
    assert told == (
        "按孪生底座建筑复算（基底面积×层数），1个项目累计拆除0.12万㎡，上报5.20万㎡，相差5.08万㎡。"
    ), "two houses of 200 m² with three storeys"


def test_a_report_of_a_town_is_of_what_was_its_own_that_day(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    moved = [Change("project", "e1", {"town": "there"}, date(2025, 6, 2), 1)]
    city.renewal.apply(moved, DOER)
    for day, towns in ((END, {"here": 2, "there": 1}), (date(2025, 6, 8), {"here": 1, "there": 2})):
        for town, count in towns.items():
            report = make_report(city, Asked("demolition", "week", day, town=town))
            assert len(report.section("projects").table.rows) == count, (day, town)
            rows = report.section("towns").table.rows
            assert [row[2] for row in rows] == [count], (day, town)
    orders = [
        len(
            make_report(city, Asked("supervision", "week", END, town=town))
            .section("open")
            .table.rows
        )
        for town in ("here", "there")
    ]
    assert orders == [1, 0]


def test_an_order_without_a_deadline_keeps_nobody_from_the_list(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    change = {"deadline": None}
    city.renewal.apply([Change("order", "e1-o1", change, date(2025, 3, 4), 1)], DOER)
    report = make_report(city, Asked("supervision", "week", END))
    assert len(report.section("open").table.rows) == 1


def test_a_citys_own_template_is_filled_in_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    towns_of(city)
    renewal_of(city)
    report = make_report(city, Asked("demolition", "month", date(2025, 3, 31), town="here"))
    own = city.folder / "renewal" / "report.docx"
    own.parent.mkdir(exist_ok=True)
    paper = Document(io.BytesIO(template("demolition")))
    paper.paragraphs[0].insert_paragraph_before("本市专用 {{ towns.rows[0].town }}")
    paper.save(own)
    filled = Document(io.BytesIO(written(city, report, "docx", "zh")))
    assert filled.paragraphs[0].text == "本市专用 here镇"
    assert "三旧改造拆迁工作月报" in [one.text for one in filled.paragraphs]
    paper.paragraphs[0].text = "{{ towns.rows[0].town "
    paper.save(own)
    with pytest.raises(InvalidInput, match=r"report\.docx cannot be filled in"):
        written(city, report, "docx", "zh")
    own.write_text("no document")
    with pytest.raises(InvalidInput, match=r"report\.docx cannot be filled in"):
        written(city, report, "docx", "zh")


def test_without_libreoffice_a_pdf_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        MissingDependency, match="install libreoffice-writer-nogui, or ask for docx"
    ):
        as_pdf(b"")
