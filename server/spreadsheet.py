"""Tables for spreadsheet programs."""

import csv
import io
from collections.abc import Iterable, Sequence


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV (RFC 4180), UTF-8 with the mark that spreadsheet programs know it by.

    >>> as_csv(["name", "metres"], [["=1+1", -2.5]]).decode("utf-8-sig").splitlines()
    ['name,metres', "'=1+1,-2.5"]
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def cell(value: object) -> object:
    """A value as a cell that no spreadsheet program takes for a formula: names come from strangers."""
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
