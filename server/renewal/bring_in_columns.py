"""Which column of a table somebody brought is which field, as `columns.toml` has it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cim_core.renewal.words import titles
from server.renewal.given import GivenLine, GivenSheet, as_text

_TOP_LINES = 12
"""Among so many rows the headers are looked for: titles may stand above them."""
_BRACKETS = re.compile(r"[(（\[【]([^)）\]】]*)[)）\]】]")
_BETWEEN = re.compile(r"[\s_\-.:：*]+")


@dataclass(frozen=True, slots=True)
class Known:
    """A column that is recognised.

    place
        Which cell of a row it is.
    field, kind
        As `columns.toml` has them.
    title
        The header as the file has it.
    factor
        So many m² or CNY one of its units is; None where the header does not say the unit.
    """

    place: int
    field: str
    kind: str
    title: str
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """A table with its columns.

    unknown, doubled
        Headers that are left out: nobody knows them; an earlier one is of the same field.
    lines
        What stands below the headers.
    """

    sheet: GivenSheet
    head: int
    columns: Mapping[str, Known]
    unknown: Sequence[str]
    doubled: Sequence[str]
    lines: Sequence[GivenLine]

    @property
    def of_parcels(self) -> bool:
        """Whether its rows are parcels of projects."""
        return "use" in self.columns


def recognised(sheet: GivenSheet) -> Recognised | None:
    """The table of a sheet; None where no row of its beginning looks like headers of projects."""
    for at, line in enumerate(sheet.lines[:_TOP_LINES]):
        found = _headers(line)
        if len(found[0]) >= 2 and {"id", "name"} & set(found[0]):
            return Recognised(sheet, line.number, *found, sheet.lines[at + 1 :])
        if (
            line.number == 0 and "id" in found[0]
        ):  # a table of shapes: ids and boundaries are enough
            return Recognised(sheet, 0, *found, sheet.lines[at + 1 :])
    return None


def limit(name: str) -> float:
    """A limit of the table."""
    return float(_table()["limits"][name])


@cache
def words(kind: str) -> Mapping[str, str]:
    """What a type, mode or use may be written as, plainly, and its id."""
    found = {}
    for key, title in titles(
        {"type": "project_types", "mode": "modes", "use": "parcel_uses"}[kind]
    ).items():
        for text in (key, title["zh"], title["en"], *_table()["words"][kind].get(key, ())):
            found[plain(text)] = key
    return found


def plain(text: str) -> str:
    """A word without what people write differently.

    >>> plain("Project_Name "), plain("用地面积（公顷）")
    ('projectname', '用地面积')
    """
    return _BETWEEN.sub("", _BRACKETS.sub("", text)).casefold()


def _headers(line: GivenLine) -> tuple[dict[str, Known], list[str], list[str]]:
    columns: dict[str, Known] = {}
    unknown, doubled = [], []
    for place, cell in enumerate(line.cells):
        title = as_text(cell)
        field = _fields().get(plain(title)) if isinstance(cell, str) else None
        if field is None:
            if title:
                unknown.append(title)
        elif field in columns:
            doubled.append(title)
        else:
            kind = _table()["columns"][field]["kind"]
            columns[field] = Known(place, field, kind, title, _factor(title, kind))
    return columns, unknown, doubled


def _factor(title: str, kind: str) -> float | None:
    units = _table()["units"].get(kind, {})
    for said in _BRACKETS.findall(title):
        factor = units.get(said.strip().casefold())
        if factor is not None:
            return float(factor)
    return None


@cache
def _fields() -> Mapping[str, str]:
    return {
        plain(name): field
        for field, about in _table()["columns"].items()
        for name in about["names"]
    }


@cache
def _table() -> dict[str, Any]:
    text = files("server.renewal").joinpath("columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
