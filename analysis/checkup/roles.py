"""What formulas are made of: roles, and which layer of a city plays each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.checkup.formulas import Where
from analysis.checkup.indicator import Text
from cim_core.city import City
from cim_core.errors import InvalidInput

FILE_NAME = "checkup.toml"
"""What a city says of its own roles, beside its city.toml."""


class Role(BaseModel):
    """Something that formulas speak of, as the layer of a city has it.

    geometry
        What the shapes are.
    where
        Which features of the layer play the role; all without.
    columns
        What formulas may ask of a feature, with the unit.
    begins
        Whether a line belongs, as a whole, to the place where it begins, as a trip does.
    named
        The name that the layer has for a column, where it is another one. "class" and "name" are the
        class and the name of a feature where the layer has no attribute called that.
    proxy
        Whether the layer only stands for what is meant, as points of interest stand for facilities:
        so does what is made of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: Text
    geometry: Literal["area", "line", "point", "any"]
    layer: str
    where: Where = Field(default_factory=dict)
    columns: Mapping[str, str] = Field(default_factory=dict)
    named: Mapping[str, str] = Field(default_factory=dict)
    begins: bool = False
    proxy: bool = False


class _Own(BaseModel):
    """What a city says of a role."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: str | None = None
    where: Where | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)
    proxy: bool = False


class _OwnFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: Mapping[str, _Own] = Field(default_factory=dict)


@cache
def roles() -> Mapping[str, Role]:
    """Every role by its id, as `roles.toml` has it."""
    text = files("analysis.checkup").joinpath("roles.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)
    return {name: Role(id=name, **said) for name, said in found.items()}


def city_roles(city: City) -> Mapping[str, Role]:
    """Every role as a city plays it: `[inputs.<role>]` of its checkup.toml over `roles.toml`.

    Raises `InvalidInput` naming the file, the entry and the remedy.
    """
    path = city.folder / FILE_NAME
    known = roles()
    if not path.is_file():
        return known
    try:
        own = _OwnFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"{path}: {place}: {first['msg']}; write [inputs.ROLE] with layer, where and columns"
        ) from None
    found = dict(known)
    for name, said in own.inputs.items():
        if name not in known:
            raise InvalidInput(
                f"{path}: there is no role {name!r}; [inputs.…] takes one of {', '.join(known)}"
            )
        role = known[name]
        if strange := sorted(set(said.columns) - set(role.columns)):
            raise InvalidInput(
                f"{path}: [inputs.{name}] columns: {strange[0]} is no column of the role; "
                f"{_those(role)}"
            )
        found[name] = role.model_copy(
            update={
                "layer": said.layer or role.layer,
                "where": role.where if said.where is None else said.where,
                "named": said.columns,
                "proxy": said.proxy,
            }
        )
    return found


def _those(role: Role) -> str:
    names = ", ".join(role.columns)
    return f"it has {names}" if names else "it has none, so leave that out"
