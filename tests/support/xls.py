"""Workbooks of Excel 97 (BIFF8 in a compound file), of texts and numbers only.

Written after Microsoft's [MS-XLS] and [MS-CFB].
"""

import struct
from collections.abc import Sequence
from pathlib import Path

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def write_xls(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook with a sheet for each table."""
    bodies = [_sheet(table) for table in sheets.values()]
    names = [_text(name, "<B") for name in sheets]
    globals_size = len(_bof(5)) + sum(4 + 6 + len(name) for name in names) + 4
    starts = [globals_size + sum(map(len, bodies[:number])) for number in range(len(bodies))]
    book = _bof(5) + b"".join(
        _record(0x85, struct.pack("<IBB", start, 0, 0) + name)
        for start, name in zip(starts, names, strict=True)
    )
    path.write_bytes(_compound("Workbook", book + _record(0x0A) + b"".join(bodies)))
    return path


def _sheet(table: Sequence[Sequence[object]]) -> bytes:
    cells = []
    for row, values in enumerate(table):
        for column, value in enumerate(values):
            at = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                cells.append(_record(0x0204, at + _text(value, "<H")))
            else:
                cells.append(_record(0x0203, at + struct.pack("<d", float(str(value)))))
    return _bof(0x10) + b"".join(cells) + _record(0x0A)


def _bof(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 6))


def _record(number: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def _text(text: str, length: str) -> bytes:
    return struct.pack(length, len(text)) + b"\1" + text.encode("utf-16-le")


def _compound(name: str, stream: bytes) -> bytes:
    """A compound file of one stream, long enough not to go among the short ones."""
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    count = len(stream) // _SECTOR
    # Sector 0 is the allocation table, 1 the directory, the rest the stream.
    assert count + 2 <= _SECTOR // 4
    table = [_FAT, _END, *range(3, count + 2), _END]
    fat = struct.pack(f"<{_SECTOR // 4}I", *table, *[_FREE] * (_SECTOR // 4 - len(table)))
    header = (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
        + struct.pack("<109I", 0, *[_FREE] * 108)
    )  # fmt: skip
    directory = (
        _entry("Root Entry", 5, 1, _END, 0) + _entry(name, 2, _FREE, 2, len(stream))
    ).ljust(_SECTOR, b"\0")
    return header + fat + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return (
        text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
        + bytes(36) + struct.pack("<IQ", start, size)
    )  # fmt: skip
