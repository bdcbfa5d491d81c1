"""Tables of renewal as tests fill them in: progress sheets, and projects that are brought."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from cim_core.city import City
from server.renewal.bring_in import Bringing, Brought
from server.renewal.findings import Report
from server.renewal.given import GivenSheet
from server.renewal.progress_given import Reader, apply_progress
from server.renewal.progress_sheet import progress_sheet, span_of
from server.renewal.reading import read_given
from tests.support.renewal import END

TODAY = date(2025, 5, 1)
PLAN, DONE, NOTE = "H", "I", "J"
HEAD = [
    "项目编号", "项目名称", "项目类型", "改造模式", "镇街", "用地面积（公顷）", "总投资（亿元）", "批复文号", "批复日期",
]  # fmt: skip
NORTH = ["n1", "北村", "旧村", "全面改造", "here镇", 4.5, 20, "穗府〔2025〕1号", "2025年3月1日"]


def sheet_of(city: City, period: str = "week") -> openpyxl.Workbook:
    """The workbook for the last week of the campaign."""
    titles = {town.id: town.title for town in city.office.people.towns()}
    book = progress_sheet(city, span_of(period, END), city.renewal.find("project"), titles)
    return openpyxl.load_workbook(io.BytesIO(book))


def given(book: openpyxl.Workbook, folder: Path) -> list[GivenSheet]:
    path = folder / "sheet.xlsx"
    book.save(path)
    return read_given(path, path.name)


def taken(city: City, sheets: list[GivenSheet], **more: Any) -> Report:
    reader = Reader(city, "sheet.xlsx", TODAY, lambda _: None, lambda _: None)
    return apply_progress(reader, sheets, **more)


def brought(city: City, path: Path, **more: Any) -> Brought:
    bringing = Bringing(city, path.name, lambda _: None, TODAY)
    return bringing.apply(read_given(path, path.name), **more)


def table(path: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def told(report: Report) -> list[tuple[int, str, str]]:
    return [(one.place.row, one.place.column, one.severity) for one in report.findings]


def records(city: City) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (one.document["project"], one.document["metric"], one.document["start"]): dict(one.document)
        for one in city.renewal.find("progress")
    }
