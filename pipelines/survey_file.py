"""Files of survey tables, read as they are written: text tables, Excel, DBF, Shapefile, GeoPackage.

The door of pyarrow's reader of text tables and of python_calamine.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import shapely
from python_calamine import CalamineError, PasswordError, ZipError, load_workbook

from cim_core.errors import InvalidInput
from cim_core.hostile import check_lines
from cim_core.importers.table_file import TableInfo, read_table, table_infos
from cim_core.network import Rows, Texts
from pipelines.workbook_size import check_workbook

TEXT = (".csv", ".txt")
EXCEL = (".xls", ".xlsx", ".ods")
SHAPES = (".dbf", ".shp", ".gpkg")
ENDINGS = (*TEXT, *EXCEL, *SHAPES)

SHAPE = ("shape north", "shape east")
"""The headers of the coordinates of a row's own point, behind all others; see `headers.toml`."""

_TOP_LINES = 12
"""Among so many lines the headers are looked for: titles may stand above them."""
_UNREAD = "\ufffd"
_FEW = 0.02
"""Of the letters that are not ASCII so many may be damaged for the rest to be believed."""
_HEAD = 1 << 16
_BLOCK = 1 << 24
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class Body(NamedTuple):
    """What stands below the headers: a column of texts for each header, and the lines they are of.

    remarks
        What the reader had to say.
    crs
        The reference system of the rows' shapes.
    """

    columns: Sequence[Texts]
    rows: Rows
    remarks: tuple[str, ...] = ()
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a file whose headers are still to be found.

    name
        Of the file and, where it has several, of the sheet.
    top
        Its first lines, cell by cell.
    body
        What stands below the first so many of them, for so many headers.
    """

    name: str
    top: Sequence[Sequence[str]]
    body: Callable[[int, int], Body]


def sheets(path: Path, name: str, encoding: str | None = None) -> Iterator[Sheet]:
    """The tables of one file; `encoding` is what a person said of its texts.

    Raises `InvalidInput` when it cannot be read.
    """
    ending = path.suffix.lower()
    if ending in TEXT:
        check_lines(path, name)
        yield _text_sheet(path.read_bytes(), name, encoding)
    elif ending in EXCEL:
        yield from _excel_sheets(path, name)
    else:
        yield from _shape_sheets(path, name, encoding)


def first_lines(data: bytes) -> list[list[str]]:
    """The first lines of a text table of which these are the first bytes; none if it is no text."""
    wide = b"\0" in data
    whole = data[: len(data) // 2 * 2] if wide else data[: data.rfind(b"\n") + 1] or data
    try:
        text, _ = _decoded(whole, "", None)
    except InvalidInput:
        return []
    return [cells for _, cells in _top(text, _delimiter(text))]


def _text_sheet(data: bytes, name: str, encoding: str | None) -> Sheet:
    text, remarks = _decoded(data, name, encoding)
    text = text.rstrip("\r\n\0\x1a")
    delimiter = _delimiter(text[:_HEAD])
    top = _top(text[:_HEAD], delimiter)

    def body(above: int, width: int) -> Body:
        skipped = top[above - 1][0]
        found = _fast(text, skipped, width, delimiter) or _careful(text, skipped, width, delimiter, name)  # fmt: skip
        return found._replace(remarks=(*remarks, *found.remarks))

    return Sheet(name, [cells for _, cells in top], body)


def _decoded(data: bytes, name: str, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """The text of a file and what is to be said of it: by what a person said, its mark, or what it can be.

    Where all is text but a few bytes, it is taken with "\ufffd" in their place.
    """
    marked = next((known for mark, known in _MARKS if data.startswith(mark)), None)
    nulls = data[:1000:2].count(0), data[1:1000:2].count(0)
    wide = "utf-16-be" if nulls[0] > nulls[1] else "utf-16-le"
    guesses = [marked] if marked else [wide] if any(nulls) else ["utf-8", "gb18030"]
    guesses = [encoding] if encoding else guesses
    for guess in guesses:
        try:
            return data.decode(guess), ()
        except (UnicodeDecodeError, LookupError):
            continue
    for guess in guesses:
        try:
            text = data.decode(guess, "replace")
        except LookupError:
            continue
        bad = text.count(_UNREAD)
        if bad <= max(1, _FEW * (len(text) - len(text.encode("ascii", "ignore")))):
            line = _breaks(text[: text.index(_UNREAD)]) + 1
            return text, (
                f"{bad} letters of {name} cannot be read and stand as \ufffd; the first is in line {line}",
            )
    if encoding:
        raise InvalidInput(
            f"{name} is no text in {encoding}; leave the option encoding out, or give another"
        )
    raise InvalidInput(
        f"{name} is text neither in UTF-8 nor UTF-16 nor GB 18030; save it as UTF-8, or say what it "
        "is in with the option encoding"
    )


def _breaks(text: str) -> int:
    """How often a new line begins."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _delimiter(text: str) -> str:
    """What parts the cells: what there is most of in any of the first lines."""
    lines = text[:_HEAD].splitlines()[:_TOP_LINES]
    return max(",\t;", key=lambda mark: max((line.count(mark) for line in lines), default=0))


def _top(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The first rows of cells, each with the number of lines up to its end."""
    reader = csv.reader(io.StringIO(text[:_HEAD], newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in row]) for row in islice(reader, _TOP_LINES)]  # fmt: skip
    except csv.Error:
        return []


def _fast(text: str, skipped: int, width: int, delimiter: str) -> Body | None:
    """The body of a table whose lines all have `width` cells; None where one has not.

    None as well where a cell goes over several lines: then rows do not tell the numbers of lines.
    """
    names = [f"c{number}" for number in range(width)]
    try:
        table = pacsv.read_csv(
            pa.py_buffer(text.encode()),
            pacsv.ReadOptions(skip_rows=skipped, column_names=names, block_size=_BLOCK),
            pacsv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if skipped + table.num_rows <= _breaks(text):
        return None
    columns = [_shared(table.column(name).combine_chunks()) for name in names]
    return Body(columns, np.arange(table.num_rows, dtype=np.int64) + skipped + 1)


def _shared(column: pa.Array) -> Texts:
    """A column as texts without spaces around; what occurs often is one text in memory."""
    column = pc.utf8_trim_whitespace(column)
    coded = pc.dictionary_encode(column)
    if len(coded.dictionary) > len(column) // 2:
        return np.array(column.to_pylist(), object)
    names = np.array(coded.dictionary.to_pylist(), object)
    return names[np.asarray(coded.indices)] if len(names) else np.empty(0, object)


def _careful(text: str, skipped: int, width: int, delimiter: str, name: str) -> Body:
    """The body of any table: lines too short or too long are taken as far as they go."""
    known: dict[str, str] = {}
    columns: list[list[str]] = [[] for _ in range(width)]
    lines: list[int] = []
    odd: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begun = 0
    try:
        for row in reader:
            line, begun = begun + 1, reader.line_num
            if line <= skipped or not row:
                continue
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                odd.append(line)
            cells = [cell.strip() for cell in row[:width]] + [""] * (width - len(row))
            for column, cell in zip(columns, cells, strict=True):
                column.append(known.setdefault(cell, cell))
            lines.append(line)
    except csv.Error as error:
        raise InvalidInput(
            f"{name}: line {begun + 1} cannot be read ({error}); correct it and import the table again"
        ) from error
    remarks = (
        (f"{len(odd)} lines of {name} have more or fewer cells than its headers; the first is line {odd[0]}",)
        if odd
        else ()
    )  # fmt: skip
    return Body([np.array(c, object) for c in columns], np.array(lines, np.int64), remarks)


def _excel_sheets(path: Path, name: str) -> Iterator[Sheet]:
    try:
        check_workbook(path, name)
        with load_workbook(path) as book:
            names = book.sheet_names
            for sheet in names:
                read = partial(book.get_sheet_by_name(sheet).to_python, skip_empty_area=False)
                yield _grid(f"{name}/{sheet}" if len(names) > 1 else name, read)
    except PasswordError as error:
        raise InvalidInput(f"{name} asks for a password; save it without one") from error
    except (CalamineError, ZipError, OSError) as error:
        raise InvalidInput(
            f"{name} cannot be read as a spreadsheet ({error}); save it again as .xlsx"
        ) from error


def _grid(name: str, read: Callable[..., Sequence[Sequence[Any]]]) -> Sheet:
    def body(above: int, width: int) -> Body:
        below = read()[above:]
        columns = [[row[at] if at < len(row) else "" for row in below] for at in range(width)]
        rows = np.arange(len(below), dtype=np.int64) + above + 1
        return Body([_texts(column) for column in columns], rows)

    top = [[as_text(value) for value in row] for row in read(nrows=_TOP_LINES)]
    return Sheet(name, top, body)


def _shape_sheets(path: Path, name: str, encoding: str | None) -> Iterator[Sheet]:
    infos = table_infos(path, name, shapeless=True)
    for info in infos:
        placed = "Point" in info.geometry and "Multi" not in info.geometry
        headers = [*info.columns, *(SHAPE if placed else ())]
        title = f"{name}/{info.name}" if len(infos) > 1 else name
        yield Sheet(title, [headers], partial(_shape_body, path, name, info, encoding, placed))


def _shape_body(
    path: Path, name: str, info: TableInfo, encoding: str | None, placed: bool,
    _above: int, _width: int,
) -> Body:  # fmt: skip
    table = read_table(path, name, info.name, encoding)
    columns = [_texts(values) for values in table.columns.values()]
    if placed:
        columns += [_coordinates(shapely.get_y(table.shapes)), _coordinates(shapely.get_x(table.shapes))]  # fmt: skip
    remarks = tuple(f"of {table.name}, GDAL says: {remark}" for remark in table.remarks)
    return Body(columns, np.array(table.rows, np.int64), remarks, table.crs if placed else None)


def _coordinates(values: Any) -> Texts:
    return np.array(["" if v != v else repr(round(v, 9)) for v in values.tolist()], object)  # noqa: PLR0124 – NaN


def _texts(values: Sequence[Any]) -> Texts:
    known: dict[str, str] = {}
    texts = (as_text(value) for value in values)
    return np.array([known.setdefault(text, text) for text in texts], object)


def as_text(value: Any) -> str:
    """A cell as a person would write it.

    >>> [as_text(value) for value in (300.0, 1.25, None, " DN300 ")]
    ['300', '1.25', '', 'DN300']
    """
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 – NaN
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
