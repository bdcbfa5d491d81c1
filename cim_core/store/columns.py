"""The features of a layer as columns: one attribute or property of all of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from cim_core.feature import Scalar, Value
from cim_core.sight import WHOLE, Part
from cim_core.store.conditions import seen_rows
from cim_core.store.database import Database

ColumnKind = Literal["number", "text", "boolean"]

_MANY = 1000
"""From so many different values on they are not counted any further."""

_OWN = ("zmin", "zmax")
"""What the registry itself knows of every body: metres above the city's datum."""

_REFERENCES = {"storey"}
"""Attributes that name another feature; nobody styles by those."""


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute, or a property as "Pset_WallCommon.LoadBearing", and what values it has.

    distinct
        How many different ones; 1000 stands for that many or more.
    minimum, maximum
        Of numbers; else None.
    """

    name: str
    kind: ColumnKind
    unit: str | None
    count: int
    distinct: int
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one column: ids (n,) and values (n,) of the features that have one."""

    column: Column
    ids: tuple[str, ...]
    values: tuple[str | float | bool, ...]


def columns(database: Database, layer: str, version: int, part: Part = WHOLE) -> list[Column]:
    """Every column of a version's features with geometry, attributes first, as far as they are seen."""
    found: dict[str, _Gathered] = {}
    for _, scalars in _rows(database, layer, version, part):
        for name, (value, unit) in scalars.items():
            if value is not None:
                found.setdefault(name, _Gathered(name)).add(value, unit)
    order = sorted(found.values(), key=lambda one: ("." in one.name, one.name))
    return [one.column() for one in order]


def values(
    database: Database, layer: str, version: int, name: str, part: Part = WHOLE
) -> Values | None:
    """One column; None where no feature has it."""
    gathered = _Gathered(name)
    ids: list[str] = []
    kept: list[str | float | bool] = []
    for feature_id, scalars in _rows(database, layer, version, part):
        value, unit = scalars.get(name, (None, None))
        if value is not None:
            gathered.add(value, unit)
            ids.append(feature_id)
            kept.append(value)
    if not ids:
        return None
    column = gathered.column()
    if column.kind == "text":  # a column of mixed types is one of text
        kept = [_text(value) for value in kept]
    return Values(column, tuple(ids), tuple(kept))


class _Gathered:
    """What is known of a column after some rows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._kinds: set[ColumnKind] = set()
        self._units: set[str | None] = set()
        self._different: set[str | float | bool] = set()
        self._count = 0
        self._low, self._high = float("inf"), float("-inf")

    def add(self, value: str | float | bool, unit: str | None) -> None:
        """Take one more value."""
        self._count += 1
        self._units.add(unit)
        if len(self._different) < _MANY:
            self._different.add(value)
        if isinstance(value, bool):
            self._kinds.add("boolean")
        elif isinstance(value, int | float):
            self._kinds.add("number")
            self._low, self._high = min(self._low, value), max(self._high, value)
        else:
            self._kinds.add("text")

    def column(self) -> Column:
        """What it is."""
        kind: ColumnKind = next(iter(self._kinds)) if len(self._kinds) == 1 else "text"
        # Values in several units cannot be compared, so none of them is named.
        unit = next(iter(self._units)) if len(self._units) == 1 else None
        number = kind == "number"
        return Column(
            self.name, kind, unit, self._count, len(self._different),
            self._low if number else None, self._high if number else None,
        )  # fmt: skip


def _rows(
    database: Database, layer: str, version: int, part: Part
) -> Iterator[tuple[str, dict[str, tuple[str | float | bool | None, str | None]]]]:
    """Ids, each with its scalar attributes and properties: name → value and unit."""
    seen, values = seen_rows(part)
    rows = database.connection.execute(
        "SELECT id, zmin, zmax, attributes, property_sets FROM features f"
        f" WHERE layer = ? AND version = ? AND body = 1{seen} ORDER BY id",
        (layer, version, *values),
    )
    own = _OWN if part.heights else ()
    for row in rows:
        scalars: dict[str, tuple[Scalar, str | None]] = {
            **{name: (row[name], "m") for name in own},
            **_scalars(orjson.loads(row["attributes"]), orjson.loads(row["property_sets"])),
        }
        yield row["id"], {k: v for k, v in scalars.items() if not part.hides(k)}


def _scalars(
    attributes: Mapping[str, Value], property_sets: list[Mapping[str, Value]]
) -> dict[str, tuple[Scalar, str | None]]:
    found: dict[str, tuple[Scalar, str | None]] = {
        name: (value, None)
        for name, value in attributes.items()
        if not isinstance(value, list | dict) and name not in _REFERENCES
    }
    for pset in property_sets:
        properties = pset["properties"]
        assert isinstance(properties, list)
        for item in properties:
            assert isinstance(item, dict)
            value, unit = item["value"], item["unit"]
            if not isinstance(value, list | dict):
                found[f"{pset['name']}.{item['name']}"] = (value, str(unit) if unit else None)
    return found


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
