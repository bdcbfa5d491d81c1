"""An indicator as data: what is measured, of what, against which target, and who answers for it.

A set of indicators is a folder: `set.toml`, and one file for each indicator, which `Indicator` reads.
What a formula is made of names *roles*; `roles.toml` says which layer of the city plays each, and a
city may say otherwise.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.checkup.formulas import Formula

Level = Literal["housing", "community", "block", "city"]
"""住房, 小区（社区）, 街区, 城区（城市）."""
Direction = Literal["higher", "lower", "none"]
"""Which values are better; "none" where an indicator only describes."""
Confidence = Literal["confirmed", "recalled"]
_Short = Annotated[str, Field(max_length=200)]
_Long = Annotated[str, Field(max_length=2000)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]


class Text(BaseModel):
    """Something said in English and Chinese."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: _Long
    zh: _Long


class Target(BaseModel):
    """What a value is held against: at least or at most it, by the direction.

    confidence
        "recalled" where nobody has read it in a source; such a target is shown as that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float = Field(ge=-(2.0**53), le=2.0**53, allow_inf_nan=False)
    source: _Long
    confidence: Confidence


class Indicator(BaseModel):
    """One indicator of a set.

    level
        The level of the check-up it belongs to.
    dimension
        One of those that the set names.
    by
        The units it is told of, beside the whole: "town", "community", "estate", "building", "cell".
    proxy
        Whether it only stands for what is meant, as counted points of interest do; it then never
        says that a standard is met.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    name: Text
    level: Level
    dimension: _Short
    unit: _Short
    unit_zh: _Short
    decimals: int = Field(2, ge=0, le=6)
    direction: Direction
    target: Target | None = None
    department: Text
    explanation: Text
    formula: Formula = Field(discriminator="operator")
    by: Annotated[
        tuple[Literal["town", "community", "estate", "building", "cell"], ...],
        Field(max_length=5),
    ] = ("town", "community")
    proxy: bool = False


class IndicatorSet(BaseModel):
    """A system of indicators of a year.

    system
        "MOHURD", "MNR" or a city's own.
    base
        The set whose indicators count where this one says nothing of them.
    without
        Codes of the base that do not count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    system: _Short
    year: int = Field(ge=1990, le=2199)
    name: Text
    source: _Long
    dimensions: Mapping[_Short, Text] = Field(max_length=50)
    base: _Short | None = None
    without: tuple[_Short, ...] = Field((), max_length=500)
    indicators: tuple[Indicator, ...] = Field((), max_length=500)
