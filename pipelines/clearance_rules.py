"""The rule tables of clearances: what distance two kinds of pipes must keep, by each source."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from pipelines.rule_kinds import kind_names

Numbers = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Members:
    """What the tables ask of one side of pairs: (n,) kind, clear diameter in metres, kilovolts."""

    kinds: Numbers
    sizes: Floats
    kilovolts: Floats

    def __getitem__(self, rows: NDArray[np.int64]) -> "Members":
        return Members(self.kinds[rows], self.sizes[rows], self.kilovolts[rows])


@dataclass(frozen=True, slots=True)
class Required:
    """What pairs must keep by one source: (n,) metres, NaN where it demands nothing.

    strict
        What is checked.
    mild
        The least the source says of the pair: less than `strict` where it gives a range, or two values.
    """

    strict: Floats
    mild: Floats


@dataclass(frozen=True, slots=True)
class _Condition:
    pairs: NDArray[np.bool_]
    of: int | None
    over: float
    up_to: float
    kilovolts_from: float | None
    required: float


@dataclass(frozen=True, slots=True)
class Clearances:
    """The table of one source for one way of measuring.

    strict, mild
        (k, k) by kind and kind, the same both ways round, NaN where nothing is demanded.
    """

    strict: Floats
    mild: Floats
    conditions: tuple[_Condition, ...]

    def required(self, one: Members, other: Members) -> Required:
        """What each pair must keep; both must be of a kind."""
        strict = self.strict[one.kinds, other.kinds]
        mild = self.mild[one.kinds, other.kinds]
        for condition in self.conditions:
            rows = np.flatnonzero(condition.pairs[one.kinds, other.kinds])
            fits = rows[_fits(condition, one[rows], other[rows])]
            strict[fits] = mild[fits] = condition.required
        return Required(strict, mild)

    @property
    def highest(self) -> Floats:
        """(k, k) the most that is demanded of two kinds at any size, NaN where nothing is."""
        highest = self.strict
        for condition in self.conditions:
            demanded = np.where(condition.pairs, condition.required, np.nan)
            highest = np.fmax(highest, demanded)
        return highest


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table is from; `title` by language, `confidence` "read", "known", "recalled" or "own"."""

    name: str
    title: dict[str, str]
    source: str
    confidence: str


def sources() -> dict[str, Source]:
    """All sources of clearances by name, in the order of the file."""
    return {
        name: Source(name, {"en": entry["en"], "zh": entry["zh"]}, entry["source"], entry["confidence"])
        for name, entry in _table()["sources"].items()
    }  # fmt: skip


@lru_cache
def clearances(way: str, source: str) -> Clearances:
    """The table of a source for "horizontal" or "vertical" distances."""
    kinds = kind_names()
    number = {name: row for row, name in enumerate(kinds)}
    strict = np.full((len(kinds), len(kinds)), np.nan)
    mild = strict.copy()
    entry = _table()[way].get(source, {})
    for name, values in entry.items():
        if name in ("columns", "if"):
            continue
        for column, value in zip(entry["columns"], values, strict=True):
            low, high = _range(value)
            for cell in ((number[name], number[column]), (number[column], number[name])):
                strict[cell] = np.fmax(strict[cell], high)
                mild[cell] = np.fmin(mild[cell], low)
    conditions = tuple(_condition(item, number) for item in entry.get("if", ()))
    return Clearances(strict, mild, conditions)


def _range(value: Any) -> tuple[float, float]:
    if value == "-":
        return float("nan"), float("nan")
    low, high = value if isinstance(value, list) else (value, value)
    return float(low), float(high)


def _condition(item: dict[str, Any], number: dict[str, int]) -> _Condition:
    pairs = np.zeros((len(number), len(number)), bool)
    for a, b in item["pairs"]:
        pairs[number[a], number[b]] = pairs[number[b], number[a]] = True
    return _Condition(
        pairs,
        number[item["of"]] if "of" in item else None,
        item.get("over", -np.inf),
        item.get("up_to", np.inf),
        item.get("kilovolts_from"),
        item["required"],
    )


def _fits(condition: _Condition, one: Members, other: Members) -> NDArray[np.bool_]:
    """Which pairs a condition is true of; of a size or voltage that is not known it is not."""
    if condition.kilovolts_from is not None:
        found: NDArray[np.bool_] = (
            np.fmax(one.kilovolts, other.kilovolts) >= condition.kilovolts_from
        )
        return found
    if condition.of is None:
        sizes = np.fmax(one.sizes, other.sizes)
    else:
        sizes = np.where(one.kinds == condition.of, one.sizes, other.sizes)
    return np.asarray((sizes > condition.over) & (sizes <= condition.up_to), bool)


@lru_cache
def _table() -> dict[str, Any]:
    text = files("pipelines").joinpath("clearances.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
