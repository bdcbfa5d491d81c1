"""The log as files: a table for spreadsheet programs, and lines that are the rows just as they are."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from cim_core.store.office_audit import Entry
from server.spreadsheet import cell

COLUMNS = (
    "seq", "at", "person", "name", "via", "address", "verb", "what", "layers", "status", "result",
    "detail", "hash",
)  # fmt: skip


def as_jsonl(entries: Iterable[Entry]) -> Iterator[str]:
    """One JSON document a line, as `GET /audit` has them."""
    for entry in entries:
        yield json.dumps(entry.as_dict(), ensure_ascii=False) + "\n"


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """CSV (RFC 4180), row by row, with the mark that spreadsheet programs know UTF-8 by."""
    yield "\ufeff" + _line(COLUMNS)
    for entry in entries:
        detail = json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else ""
        yield _line(
            (
                entry.seq, entry.at, entry.person, entry.name, entry.via, entry.address, entry.verb,
                entry.what, list(entry.layers), entry.status, entry.result, detail, entry.hash,
            )
        )  # fmt: skip


def _line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()
