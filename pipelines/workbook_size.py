"""How large a workbook becomes in memory, told from its XML before it is read.

The reader of workbooks lays each sheet out as a full grid up to its last cell, however few cells
there are: a single stray cell at the far end makes a file of a kilobyte one of billions of cells.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cim_core.archives import default_limits, opened
from cim_core.errors import InvalidInput

_CELLS = 1 << 25
"""So many cells a sheet may span: a full sheet of 32 columns, about 1 GiB in memory."""
_BYTES = 1 << 31
"""So much XML a workbook may hold, unpacked."""
_LARGEST = 1 << 28
"""So large a workbook of the old kind may be, whose sheets have no more than 256 columns."""
_BLOCK = 1 << 20

_WITHIN = rb"""(?:[^<>"']|"[^"]*"|'[^']*')*"""
_XLSX = re.compile(
    rb"""<(?:[\w.-]+:)?(?:row\b(?P<row>)(?:%b?\sr\s*=\s*["'](?P<row_at>\d{1,9}))?"""
    rb"""|c\b(?:%b?\sr\s*=\s*["']\$?(?P<column>[A-Za-z]{1,4})\$?(?P<line>\d{1,9}))?)"""
    % (_WITHIN, _WITHIN)
)
_ODS = re.compile(
    rb"<table:(?:(?P<table>table\b(?!-))|(?P<row>table-row\b)|(?:covered-)?table-cell\b)(?P<said>%b)>"
    % _WITHIN
)
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated\s*=\s*["'](\d{1,9})""")


def check_workbook(path: Path, name: str) -> None:
    """Raise `InvalidInput` for a workbook that would not fit into memory, or declares entities.

    A file that is no archive, or a damaged one, is left to its reader to refuse.
    """
    if not zipfile.is_zipfile(path):
        _check_bytes(path.stat().st_size, _LARGEST, name)
        return
    try:
        with opened(path, name, default_limits()) as archive:
            members = archive.infolist()
            _check_bytes(sum(member.file_size for member in members), _BYTES, name)
            for member in members:
                _check_sheet(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return


def _check_bytes(found: int, most: int, name: str) -> None:
    if found > most:
        raise InvalidInput(
            f"{name} holds {found / 2**20:.0f} MiB, more than the {most / 2**20:.0f} MiB that are "
            "taken of a workbook; export its tables as CSV"
        )


def _check_sheet(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    spans_of = _spans_ods if member.filename == "content.xml" else _spans_xlsx
    with archive.open(member) as file:
        for rows, columns in spans_of(_declaring_nothing(_blocks(file), member.filename, name)):
            if rows * columns > _CELLS:
                raise InvalidInput(
                    f"{name} has a sheet that reaches down to row {rows} and across to column "
                    f"{columns}, more than the {_CELLS} cells that are taken of one; delete what "
                    "stands far off its table, or export the table as CSV"
                )


def _declaring_nothing(blocks: Iterator[bytes], inside: str, name: str) -> Iterator[bytes]:
    """The same blocks; raises `InvalidInput` where XML declares what its text shall stand for."""
    xml = inside.lower().endswith((".xml", ".rels", ".vml"))
    for block in blocks:
        if xml and (b"<!DOCTYPE" in block or b"<!ENTITY" in block):
            raise InvalidInput(
                f"{name} declares entities in {inside}, as no spreadsheet program does; save it again"
            )
        yield block


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """A file in blocks, none of which ends within a tag."""
    rest = b""
    while block := file.read(_BLOCK):
        rest += block
        begun = rest.rfind(b"<")
        yield rest[: max(begun, 0)]
        # What is longer is a text between tags, or no XML.
        rest = rest[begun:] if begun >= 0 and len(rest) - begun <= 8 * _BLOCK else b""
    yield rest


def _spans_xlsx(blocks: Iterator[bytes]) -> Iterator[tuple[int, int]]:
    """Down to which row and across to which column a sheet reaches, as far as it is read.

    A row or cell that does not say where it is stands behind the one before.
    """
    row = column = last_row = last_column = 0
    numbers: dict[bytes, int] = {}
    for block in blocks:
        for found in _XLSX.finditer(block):
            if found["row"] is not None:
                row, column = int(found["row_at"] or row + 1), 0
                continue
            letters = found["column"]
            if letters is None:
                column += 1
            else:
                column = numbers.get(letters) or numbers.setdefault(letters, _number(letters))
                row = int(found["line"])
            last_row, last_column = max(last_row, row), max(last_column, column)
        yield last_row, last_column


def _number(letters: bytes) -> int:
    """The number of a column by its letters, from 1.

    >>> [_number(letters) for letters in (b"A", b"Z", b"AA", b"XFD")]
    [1, 26, 27, 16384]
    """
    found = 0
    for letter in letters.upper():
        found = found * 26 + letter - 64
    return found


def _spans_ods(blocks: Iterator[bytes]) -> Iterator[tuple[int, int]]:
    """The same of each table of an .ods; what is empty at the end of it counts for nothing."""
    row = column = last_row = last_column = repeated = 0
    for block in blocks:
        for found in _ODS.finditer(block):
            times = _REPEATED.search(found["said"])
            count = int(times[1]) if times else 1
            if found["table"]:
                yield last_row, last_column
                row = column = last_row = last_column = repeated = 0
            elif found["row"]:
                row, column, repeated = row + repeated, 0, count
            else:
                column += count
                if b"value" in found["said"] or b"formula" in found["said"]:
                    last_row, last_column = row + repeated, max(last_column, column)
        yield last_row, last_column
