"""What the numerator and the denominator of an indicator are measured in."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from analysis.checkup.formulas import (
    BothEnds,
    Coverage,
    Density,
    Equipped,
    Formula,
    Gap,
    Input,
    Loss,
    Mean,
    PerCapita,
    Share,
    Total,
)
from analysis.checkup.roles import roles
from server.checkup.figures import Figure, Language

COUNT = "count"
_MEASURES = {
    "count": COUNT, "area": "m2", "largest-area": "m2", "length": "m", "longest": "m",
}  # fmt: skip
_SHAPES = {"area": "m2", "line": "m", "point": COUNT, "any": ""}


_FORMULA: TypeAdapter[Formula] = TypeAdapter(Formula)


class Parts:
    """Numerators and denominators of an indicator as figures."""

    def __init__(self, formula: Mapping[str, Any], language: Language) -> None:
        units = part_units(_FORMULA.validate_python(formula))
        self._said = [(_unit_text(unit, language), _decimals(unit)) for unit in units]

    def figures(self, value: Mapping[str, Any]) -> tuple[Figure, Figure]:
        """Those of a value."""
        above, below = (
            Figure(value[name], decimals, unit=unit)
            for name, (unit, decimals) in zip(("numerator", "denominator"), self._said, strict=True)
        )
        return above, below


def part_units(formula: Formula) -> tuple[str, str]:
    """The units of numerator and denominator as `part_units.toml` names them; empty for a mere number.

    Products have " · " between their units, quotients " ÷ ".
    """
    match formula:
        case Coverage(weight=None):
            above = below = _SHAPES[roles()[formula.demand.input].geometry]
        case Coverage():
            above = below = _column(formula.demand, formula.weight or "")
        case Density():
            above, below = _measure(formula.what, formula.measure), "m2"
        case PerCapita():
            above = _measure(formula.what, formula.measure)
            below = _column(formula.population, "population")
        case Share():
            above, below = (_measure(one, formula.measure) for one in (formula.part, formula.whole))
        case Total():
            above, below = _measure(formula.what, formula.measure), ""
        case Gap():
            above, below = _column(formula.what, formula.existing), ""
        case Equipped():
            above, below = COUNT, "" if formula.lacking else COUNT
        case Loss():
            above = below = _column(formula.what, formula.given)
        case Mean():
            value, weight = (
                _column(formula.what, name) for name in (formula.value, formula.weight)
            )
            above, below = f"{value} · {weight}", weight
            if formula.harmonic:
                above, below = weight, f"{weight} ÷ {value}"
        case BothEnds():
            above = below = _column(formula.trips, formula.weight)
    return above, below


def _measure(what: Input, measure: str) -> str:
    return _MEASURES.get(measure) or _column(what, measure)


def _column(what: Input, name: str) -> str:
    derived = {"shape_area": "m2", "shape_length": "m"}
    return derived.get(name) or roles()[what.input].columns.get(name, "")


def _unit_text(unit: str, language: Language) -> str:
    """A unit as people read it, "km/h" and "min · people" alike."""
    words = _words()
    return "".join(
        words[part][language] if part in words else part for part in re.split("( [·÷] )", unit)
    )


def _decimals(unit: str) -> int:
    known = _words().get(unit)
    return 0 if known is None else known["decimals"]


@cache
def _words() -> dict[str, dict[str, Any]]:
    text = files("server.checkup").joinpath("part_units.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
