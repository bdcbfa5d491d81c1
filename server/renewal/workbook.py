"""Workbooks (.xlsx) in and out: the door of openpyxl."""

import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from cim_core.archives import default_limits, opened
from cim_core.errors import CimError, InvalidInput, TooLarge
from pipelines.workbook_size import check_workbook
from server.renewal.given import GivenLine, GivenSheet, GivenValue

_UNPACKED = 64 << 20
_PART = 1 << 20
"""Bytes of a part that is neither a sheet nor the list of texts: styles and names become objects a
hundred times their size."""
_ROWS, _COLUMNS, _SHEETS = 20_000, 200, 200
_LETTERS = 8_000_000
"""In all cells of one workbook that is read."""
_LONGEST = 32_000
_LISTED = ("xl/worksheets/", "xl/sharedStrings.xml", "xl/media/")

_HEAD = PatternFill("solid", fgColor="DDE6EF")
_OPEN = PatternFill("solid", fgColor="FFF9E0")
_LINE = Border(*(Side(style="thin", color="B8C2CC") for _ in range(4)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet that is written.

    number_format
        As Excel has them; none: as the value is.
    open
        Whether its cells may be changed in a protected sheet.
    choices
        The name of a list of the workbook that its cells are chosen from.
    """

    title: str
    width: float = 14.0
    number_format: str | None = None
    hidden: bool = False
    open: bool = False
    choices: str | None = None


@dataclass(frozen=True, slots=True)
class Styled:
    """A cell that is written unlike its column: another number format, a ground ("RRGGBB")."""

    value: object
    number_format: str | None = None
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class SheetOut:
    """A sheet that is written: lines of text, then a table.

    spare
        So many empty rows below the table that may be filled in.
    protected
        Whether only open cells may be changed; there is no password.
    hidden
        Whether people do not see it.
    picture
        A PNG or JPEG that stands below the table, if any.
    notes
        Lines of text below all.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    heading: Sequence[str] = ()
    spare: int = 0
    protected: bool = False
    hidden: bool = False
    picture: bytes | None = None
    notes: Sequence[str] = field(default=())


def write_workbook(
    sheets: Sequence[SheetOut], lists: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """A workbook as bytes; `lists` are what cells are chosen from, by name.

    No text becomes a formula. Sheets' names are cut to what Excel takes.
    """
    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    ranges = _write_lists(book, lists or {})
    for sheet in sheets:
        _write_sheet(book, sheet, ranges)
    book.active = next(at for at, one in enumerate(book.worksheets) if one.sheet_state == "visible")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_lists(book: Workbook, lists: Mapping[str, Sequence[str]]) -> dict[str, str]:
    if not lists:
        return {}
    page = book.create_sheet("lists")
    page.sheet_state = "veryHidden"
    ranges = {}
    for number, (name, choices) in enumerate(lists.items(), start=1):
        for row, choice in enumerate(choices, start=1):
            _write(page, row, number, choice)
        letter = get_column_letter(number)
        ranges[name] = f"lists!${letter}$1:${letter}${max(1, len(choices))}"
    return ranges


def _write_sheet(book: Workbook, sheet: SheetOut, ranges: Mapping[str, str]) -> None:
    page = book.create_sheet(_sheet_name(sheet.name))
    page.sheet_state = "veryHidden" if sheet.hidden else "visible"
    for number, line in enumerate(sheet.heading, start=1):
        _write(page, number, 1, line).font = Font(bold=number == 1, size=14 if number == 1 else 10)
    top = len(sheet.heading) + 1
    for number, column in enumerate(sheet.columns, start=1):
        cell = _write(page, top, number, column.title)
        cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _LINE
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        about = page.column_dimensions[get_column_letter(number)]
        about.width, about.hidden = column.width, column.hidden
    empty = [()] * sheet.spare
    for row, values in enumerate([*sheet.rows, *empty], start=top + 1):
        for number, column in enumerate(sheet.columns, start=1):
            value = values[number - 1] if values else None
            styled = value if isinstance(value, Styled) else Styled(value)
            cell = _write(page, row, number, styled.value)
            cell.border = _LINE
            if number_format := styled.number_format or column.number_format:
                cell.number_format = number_format
            if styled.fill:
                cell.fill = PatternFill("solid", fgColor=styled.fill)
            if sheet.protected and (column.open or (not values and column.choices)):
                cell.protection, cell.fill = Protection(locked=False), _OPEN
    last = top + len(sheet.rows) + sheet.spare
    for number, column in enumerate(sheet.columns, start=1):
        if column.choices and last > top:
            rule = DataValidation("list", formula1=f"={ranges[column.choices]}", allow_blank=True)
            letter = get_column_letter(number)
            rule.add(f"{letter}{top + 1}:{letter}{last}")
            page.add_data_validation(rule)
    page.freeze_panes = page.cell(top + 1, 1)
    page.protection.sheet = sheet.protected
    _write_below(page, sheet, last + 2)


def _write_below(page: Worksheet, sheet: SheetOut, row: int) -> None:
    if sheet.picture is not None:
        picture = Image(io.BytesIO(sheet.picture))
        page.add_image(picture, f"A{row}")
        row += int(picture.height // 20) + 2
    for number, line in enumerate(sheet.notes):
        _write(page, row + number, 1, line)


def _write(page: Worksheet, row: int, column: int, value: object) -> Cell:
    cell = page.cell(row, column)
    assert isinstance(cell, Cell)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST]
        if cell.data_type == "f":  # names come from strangers
            cell.data_type = "s"
            cell.quotePrefix = True
    else:
        cell.value = value
    return cell


def _sheet_name(name: str) -> str:
    return "".join("_" if letter in r"[]:*?/\'" else letter for letter in name)[:31] or "_"


def read_workbook(path: Path, name: str) -> list[GivenSheet]:
    """All sheets of a workbook, hidden ones as well, without empty rows; days as ISO 8601 texts.

    Formulas stand as what they last came to. Raises `InvalidInput` and `TooLarge`.
    """
    if not zipfile.is_zipfile(path):
        raise InvalidInput(f"{name} is no .xlsx workbook; save it as one, .xls is not taken")
    _check_parts(path, name)
    check_workbook(path, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: charts, extensions
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            if len(book.worksheets) > _SHEETS:
                raise TooLarge(f"{name} has more than {_SHEETS} sheets; divide it")
            letters = _Letters(name)
            return [_read_sheet(page, name, letters) for page in book.worksheets]
        finally:
            book.close()
    except CimError:
        raise
    except Exception as error:
        raise InvalidInput(
            f"{name} cannot be read as a workbook ({type(error).__name__}); open it in a spreadsheet "
            "program and save it again"
        ) from error


def _check_parts(path: Path, name: str) -> None:
    with opened(path, name, default_limits()) as archive:
        parts = archive.infolist()
    total = sum(part.file_size for part in parts)
    if total > _UNPACKED:
        raise TooLarge(
            f"{name} holds {total / 2**20:.0f} MiB when it is unpacked, more than the "
            f"{_UNPACKED >> 20} MiB that are taken of a workbook; divide it"
        )
    for part in parts:
        if part.file_size > _PART and not part.filename.startswith(_LISTED):
            raise TooLarge(
                f"{name} holds {part.file_size >> 10} KiB in {part.filename}; copy its tables into a "
                "new workbook without their formats"
            )


class _Letters:
    """Counts the letters of a workbook, which says a text once for all cells that have it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def counted(self, cells: list[GivenValue]) -> list[GivenValue]:
        """The cells of a row; raises `TooLarge` once there are too many letters."""
        self._count += sum(len(cell) for cell in cells if isinstance(cell, str))
        if self._count > _LETTERS:
            raise TooLarge(
                f"{self._name} has more than {_LETTERS // 10**6} million letters in its cells; divide it"
            )
        return cells


def _read_sheet(page: Any, name: str, letters: _Letters) -> GivenSheet:
    page.reset_dimensions()  # what the sheet says of its size need not be so
    lines: list[GivenLine] = []
    for number, cells in enumerate(_rows(page), start=1):
        if number > _ROWS:
            raise TooLarge(f"{name} has more than {_ROWS} rows in {page.title}; divide it")
        if any(cell is not None and cell != "" for cell in cells):
            lines.append(GivenLine(number, letters.counted(cells)))
    return GivenSheet(page.title, lines)


def _rows(page: Any) -> Iterator[list[GivenValue]]:
    for values in page.iter_rows(values_only=True, max_col=_COLUMNS):
        cells = [_value(value) for value in values]
        while cells and cells[-1] is None:
            cells.pop()
        yield cells


def _value(value: object) -> GivenValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return (
            value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
        )
    return value.isoformat() if isinstance(value, date) else str(value).strip()[:_LONGEST]
