"""The report of a check-up as a workbook (.xlsx): a sheet for each table, figures as numbers."""

from collections.abc import Sequence
from math import isfinite

from analysis.plain_text import allowed
from server.checkup.figures import Figure
from server.checkup.report import Cell, Part, Report
from server.renewal.workbook import Column, SheetOut, Styled, write_workbook

_LETTERS = 9.0
"""Width of a column in letters, for a part of a table's width."""
_LEAST = 8.0


def write_book(report: Report) -> bytes:
    """The report as .xlsx: what is only said on the first sheet, then each table, maps below theirs."""
    said = [report.title, *report.lines]
    for part in report.parts:
        said += [part.title, *part.paragraphs] if part.order == 1 else []
    first = SheetOut(allowed(report.title), (), (), [allowed(line) for line in said])
    return write_workbook([first, *(_sheet(part) for part in report.parts if part.table)])


def _sheet(part: Part) -> SheetOut:
    assert part.table is not None
    columns = [
        Column(allowed(heading), max(_LEAST, width * _LETTERS))
        for heading, width in zip(part.table.headings, part.table.widths, strict=True)
    ]
    rows = [_row(row) for row in part.table.rows]
    said = [allowed(line) for line in (part.title, *part.paragraphs)]
    return SheetOut(said[0], columns, rows, said, picture=part.picture)


def _row(row: Sequence[Cell]) -> list[object]:
    return [_cell(value) for value in row]


def _cell(value: Cell) -> object:
    if not isinstance(value, Figure):
        return allowed(value)
    if value.value is None or not isfinite(value.value):
        return None
    digits = f"0.{'0' * value.decimals}" if value.decimals else "0"
    if value.unit:
        unit = value.unit.replace('"', "″")  # it stands in quotation marks
        digits += f'" {unit}"'
    return Styled(value.value, f"{digits}%" if value.share else digits)
