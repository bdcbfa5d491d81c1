"""A renewal report as a workbook (.xlsx): a sheet for each table, figures as numbers."""

from collections.abc import Sequence
from decimal import Decimal

from cim_core.renewal.words import Shown
from server.renewal.report import COLORED, Cell, Column, Language, Report, Section, Table, colored
from server.renewal.workbook import Column as BookColumn
from server.renewal.workbook import SheetOut, Styled, write_workbook

_LETTERS = 0.55
"""Widths of columns in letters, for a part of a table's width."""
_LEAST, _TEXT = 9.0, 14.0


def write_book(report: Report, language: Language, picture: bytes | None) -> bytes:
    """The report as .xlsx, the picture on the sheet of the overview.

    Figures are in the units that the headings name and have all their digits; their formats show as
    many as the letter does, rounded alike.
    """
    sheets: list[SheetOut] = []
    for section in report.sections:
        if section.table is None:
            continue
        first = not sheets
        heading = [report.title[language], report.scope[language], report.subtitle[language]]
        heading = [*heading, report.made[language]] if first else [section.title[language]]
        heading += [text[language] for text in section.paragraphs]
        sheets.append(_sheet(section, section.table, language, heading, picture if first else None))
    return write_workbook(sheets)


def _sheet(
    section: Section,
    table: Table,
    language: Language,
    heading: Sequence[str],
    picture: bytes | None,
) -> SheetOut:
    rows = [_row(table, at, row, language) for at, row in enumerate(table.rows)]
    if table.total is not None:
        rows.append(_row(table, -1, table.total, language))
    name = section.title[language].partition("、")[-1] or section.title[language]
    return SheetOut(
        name.replace("　", " "), [_column(one, language) for one in table.columns], rows, heading,
        picture=picture,
    )  # fmt: skip


def _column(column: Column, language: Language) -> BookColumn:
    least = _TEXT if column.kind == "text" else _LEAST
    how = column.shown
    number_format = _format(how) if how else None
    return BookColumn(column.heading(language), max(least, column.width * _LETTERS), number_format)


def _row(table: Table, at: int, row: Sequence[Cell], language: Language) -> list[object]:
    return [
        _cell(cell, column, table.how(at, column) if at >= 0 else column.shown, language)
        for cell, column in zip(row, table.columns, strict=True)
    ]


def _cell(cell: Cell, column: Column, how: Shown | None, language: Language) -> object:
    match cell:
        case None:
            return None
        case str() if cell and column.kind in COLORED:
            words = colored(column.kind, cell)
            return Styled(words[language], fill=words["color"][1:].upper())
        case str():
            return cell
        case int() | float():
            assert how is not None
            # A share stays what it is: its format shows it in per cent.
            factor = "1" if how.unit["en"] == "%" else repr(how.factor)
            value = float(Decimal(repr(cell)) / Decimal(factor))
            return Styled(int(value) if value.is_integer() else value, _format(how))
    return cell[language]


def _format(how: Shown) -> str:
    digits = f"0.{'0' * how.decimals}" if how.decimals else "0"
    return f"{digits}%" if how.unit["en"] == "%" else digits
