"""The definition of a composite index: a document of the city, versioned, in `checkup/composites/`.

The formula is whose index it is. None comes with the program, and none has a name but its owner's.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.checkup.indicator import Code, Text
from cim_core.errors import InvalidInput, NotFound

FOLDER = ("checkup", "composites")
"""Where a city keeps its definitions, below its own folder: one TOML file for each."""

By = Literal["town", "community", "estate", "cell"]
Direction = Literal["higher", "lower"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""Strict, as `true` would count as 1."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Said):
    """An indicator that the index is made of.

    direction
        Which values are better; that of the indicator if not given.
    weight
        Beside the others; what counts is its share of the sum.
    worst, best
        The values with the scores 0 and 100, where they are fixed: for scores that can be compared
        from year to year. Without them min-max takes the extremes of the units, and target scores 0
        at 0 and 100 at the target of the indicator.
    """

    code: Code
    dimension: str
    direction: Direction | None = None
    weight: Annotated[Number, Field(ge=0)] = 1.0
    worst: Number | None = None
    best: Number | None = None


class Weights(_Said):
    """Where weights come from.

    method
        "given": those of the members. "entropy": more where units differ more. "ahp": of pairwise
        judgements.
    over
        What the matrix compares: members, or dimensions, whose members then share by their weights.
    matrix
        Row by row, as numbers or "1/3": how much more the row counts than the column.
    """

    method: Literal["given", "entropy", "ahp"] = "given"
    over: Literal["members", "dimensions"] = "members"
    matrix: tuple[tuple[Number | str, ...], ...] = ()

    @model_validator(mode="after")
    def _matrix_goes_with_ahp(self) -> "Weights":
        if (self.method == "ahp") != bool(self.matrix):
            raise ValueError('a matrix goes with the method "ahp", and only with it')
        return self


class Definition(_Said):
    """A composite index.

    version
        Goes up with every change of the formula.
    source
        Who defined it and where.
    set
        The set of indicators it takes its members from.
    by
        The units it is told of.
    normalisation
        "min-max", "target" or "z" (50 at the mean, 10 for each standard deviation); scores are 0
        to 100.
    aggregation
        "geometric" lets no member make good what another lacks; scores below `floor` count as it.
    least_known
        A unit has an index where the weights of its known members come to this share at least.
    least_surveyed
        A member is known of a unit where this share of it was surveyed at least.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    version: int = Field(ge=1)
    name: Text
    source: str = Field(min_length=1)
    set: str
    by: By = "town"
    normalisation: Literal["min-max", "target", "z"] = "min-max"
    aggregation: Literal["arithmetic", "geometric"] = "arithmetic"
    floor: float = Field(1.0, gt=0, le=100)
    least_known: float = Field(1.0, gt=0, le=1)
    least_surveyed: float = Field(0.0, ge=0, le=1)
    weights: Weights = Weights()
    dimensions: Mapping[str, Text] = Field(min_length=1)
    members: tuple[Member, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _members_are_of_dimensions(self) -> "Definition":
        codes = [member.code for member in self.members]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"the indicator {twice[0]} is a member twice")
        for member in self.members:
            if member.dimension not in self.dimensions:
                raise ValueError(
                    f"the member {member.code} is of the dimension {member.dimension!r}, "
                    "which [dimensions] does not have"
                )
        if empty := sorted(set(self.dimensions) - {one.dimension for one in self.members}):
            raise ValueError(f"the dimension {empty[0]!r} has no member")
        if not any(member.weight for member in self.members):
            raise ValueError("all weights are 0")
        size = len(self.members if self.weights.over == "members" else self.dimensions)
        matrix = self.weights.matrix
        if matrix and (len(matrix) != size or any(len(row) != size for row in matrix)):
            raise ValueError(f"the matrix has to have {size} rows of {size}")
        return self


def definitions(city: Path) -> dict[str, Definition]:
    """All definitions of the city in a folder, by id; raises `InvalidInput` naming file and place."""
    return {
        found.id: found for found in map(read_definition, sorted(city.joinpath(*FOLDER).glob("*.toml")))
    }  # fmt: skip


def definition_named(city: Path, name: str) -> Definition:
    """One of them; raises `NotFound`, `InvalidInput`."""
    known = definitions(city)
    if name not in known and known:
        raise NotFound(f"there is no composite index {name!r}; there are {', '.join(known)}")
    if name not in known:
        raise NotFound(
            f"the city defines no composite index; write one to {'/'.join(FOLDER)}/NAME.toml in its folder"
        )
    return known[name]


def read_definition(path: Path) -> Definition:
    """A definition of a file; raises `InvalidInput`."""
    try:
        found = Definition.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); correct the definition") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "[]"
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{path}: at {place}: {message}; correct the definition") from None
    if found.id != path.stem:
        raise InvalidInput(f"{path}: id is {found.id!r}; call the file {found.id}.toml, or the index {path.stem}")  # fmt: skip
    return found
