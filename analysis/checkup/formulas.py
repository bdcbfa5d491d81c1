"""Formulas of indicators: the operators by name, and what each has to be told.

Every `input` is a role of `roles.toml`; `where` keeps those of its features whose columns are as it
says. Lengths are metres, areas m², times minutes, as the names say.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_MOST = 2.0**53
"""The largest whole number that programs of all languages read alike (RFC 8259, section 6)."""
_FARTHEST = 100_000.0
"""Metres; no facility serves a whole province."""

_Number = Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)]
_Whole = Annotated[int, Field(ge=-int(_MOST), le=int(_MOST))]
_Word = Annotated[str, Field(max_length=200)]
_Scale = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Between(_Told):
    """A condition on a number: from `min` on, up to `max`, both included; `above`, `below` without."""

    min: _Number | None = None
    max: _Number | None = None
    above: _Number | None = None
    below: _Number | None = None


_OneOf = Annotated[tuple[_Word | _Whole | _Number, ...], Field(max_length=200)]
Where = Annotated[
    Mapping[_Word, _Word | _Whole | _Number | bool | _OneOf | Between], Field(max_length=20)
]
"""Column → the value it has, one of those it may have, or the range it is in."""


class Input(_Told):
    """Some features: those of a role that are as `where` says."""

    input: _Word
    where: Where = Field(default_factory=dict)


class Site(Input):
    """Facilities and how far they serve: as a radius, as a duty area made a circle, or in time."""

    radius: float | None = Field(None, gt=0, le=_FARTHEST, description="metres, Euclidean")
    duty_area: float | None = Field(None, gt=0, le=1e10, description="m², as a circle")
    minutes: float | None = Field(None, gt=0, le=240, description="on the network")


Sites = Annotated[tuple[Site, ...], Field(min_length=1, max_length=50)]
Measure = Literal["count", "area", "length", "largest-area", "longest"] | _Word
"""How features are added up: as one of these, or by a column of theirs."""


class Coverage(_Told):
    """Share of the demand's area that is within reach of sites.

    within
        Only demand inside these areas counts, as the built-up area.
    on
        "plane" for radii, "walk" or "drive" for minutes on the roads.
    weight
        A column of the demand to weigh by instead of by area, spread evenly over each feature.
    every
        Whether each of the sites has to be in reach, not just any.
    """

    operator: Literal["coverage"]
    demand: Input
    sites: Sites
    within: Input | None = None
    on: Literal["plane", "walk", "drive"] = "plane"
    weight: _Word | None = None
    every: bool = False


class Density(_Told):
    """What there is in an area, by that area.

    scale
        The result is multiplied by it: 1e6 where metres and square metres give a figure by km².
    within
        The area it is divided by, and only what is inside it counts.
    """

    operator: Literal["density"]
    what: Input
    measure: Measure
    within: Input
    scale: _Scale = 1.0


class PerCapita(_Told):
    """A sum by the people who live there; `population` has a column of the same name."""

    operator: Literal["per-capita"]
    what: Input
    measure: Measure
    population: Input


class Share(_Told):
    """A part of features by all of them, in percent.

    near
        Of the part only those within `distance` metres of these features count.
    """

    operator: Literal["share"]
    part: Input
    whole: Input
    measure: Measure
    near: Input | None = None
    distance: float = Field(0.0, ge=0, le=_FARTHEST)


class Total(_Told):
    """A count or a sum of features.

    within
        Only what is inside these areas counts.
    about
        What they are findings about, as the houses of a survey: only of those that one of the features
        of the role lies in, or names, something is known.
    """

    operator: Literal["total"]
    what: Input
    within: Input | None = None
    about: Input | None = None
    measure: Measure = "count"
    scale: _Scale = 1.0


class Gap(_Told):
    """Σ max(0, required − existing) over features, one by one, so that plenty helps nobody else.

    required
        A column; or `ratio` of the column `of`.
    whole
        Whether what is required by ratio is rounded up, as there is no half of a charging pile.
    """

    operator: Literal["gap"]
    what: Input
    required: _Word | None = None
    of: _Word | None = None
    ratio: float | None = Field(None, ge=0, le=1e6)
    existing: _Word
    whole: bool | None = None


class Equipped(_Told):
    """Share of units with at least one of each of the facilities inside, or within reach of its edge.

    lacking
        The number of units without, instead: those that lack at least one.
    """

    operator: Literal["equipped"]
    units: Input
    sites: Sites
    lacking: bool = False


class Loss(_Told):
    """(Σ in − Σ out) ÷ Σ in, in percent; with `reverse` Σ out ÷ Σ in."""

    operator: Literal["loss"]
    what: Input
    given: _Word
    used: _Word
    reverse: bool = False


class Mean(_Told):
    """Σ value·weight ÷ Σ weight; with `harmonic` Σ weight ÷ Σ (weight ÷ value), as for speeds."""

    operator: Literal["mean"]
    what: Input
    value: _Word
    weight: _Word
    harmonic: bool = False


class BothEnds(_Told):
    """Share of trips, lines from home to work, with both ends within reach of sites."""

    operator: Literal["both-ends"]
    trips: Input
    weight: _Word
    sites: Sites


Formula = (
    Coverage | Density | PerCapita | Share | Total | Gap | Equipped | Loss | Mean | BothEnds
)  # fmt: skip
