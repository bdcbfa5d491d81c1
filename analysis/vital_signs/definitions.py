"""Which vital signs there are, by `signs.toml` and a city's own `vital-signs.toml`.

without = ["road-speed"]
[sign.devices-online]
attention = 98
alarm = 90
source = "Operations office, 2026"
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.checkup.indicator import Text
from cim_core.errors import InvalidInput

FILE_NAME = "vital-signs.toml"
"""What a city says of its own signs, beside its city.toml."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Trend(_Said):
    """How much is told of the past: so many points, so many seconds apart."""

    points: int = Field(ge=1, le=100)
    step: int = Field(ge=60)


class FormulaNamed(BaseModel):
    """A formula by its name; what else is there are its parameters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def told(self) -> Mapping[str, Any]:
        """The parameters."""
        return self.model_extra or {}


class SignDefinition(_Said):
    """A vital sign.

    direction
        Which values are better.
    attention, alarm
        Beyond these it calls for attention; None where nothing says what is good.
    method, source, confidence
        How it is measured, and where the two numbers are from.
    """

    name: Text
    unit: Text
    decimals: int = Field(1, ge=0, le=6)
    direction: Literal["higher", "lower"]
    attention: float | None = None
    alarm: float | None = None
    formula: FormulaNamed
    trend: Trend | None = None
    method: Text
    source: str
    confidence: Literal["read", "known", "own"]

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> "SignDefinition":
        if (self.attention is None) != (self.alarm is None):
            raise ValueError("attention and alarm are given both or neither")
        if self.attention is not None and self.alarm is not None:
            worse = self.alarm < self.attention
            if worse != (self.direction == "higher") or self.alarm == self.attention:
                raise ValueError(
                    f"alarm {self.alarm:g} has to be worse than attention {self.attention:g}"
                )
        return self


class _OwnSign(_Said):
    attention: float
    alarm: float
    source: str = Field(min_length=1)


class _OwnFile(_Said):
    without: tuple[str, ...] = ()
    sign: Mapping[str, _OwnSign] = Field(default_factory=dict)


@cache
def shipped_signs() -> Mapping[str, SignDefinition]:
    """The signs of `signs.toml` by code, in their order."""
    return {code: SignDefinition(**said) for code, said in _table()["sign"].items()}


def city_signs(folder: Path) -> Mapping[str, SignDefinition]:
    """The signs of the city in a folder; raises `InvalidInput` naming file, place and remedy."""
    path = folder / FILE_NAME
    known = shipped_signs()
    if not path.is_file():
        return known
    try:
        own = _OwnFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); correct that file") from None
    except ValidationError as error:
        raise _wrong(path, "", error) from None
    if strange := sorted(({*own.without} | {*own.sign}) - {*known}):
        raise InvalidInput(
            f"{path}: there is no vital sign {strange[0]!r}; there are {', '.join(known)}"
        )
    found = {}
    for code, sign in known.items():
        if code in own.without:
            continue
        found[code] = sign
        if code in own.sign:
            said = {**sign.model_dump(), **own.sign[code].model_dump()}
            try:
                found[code] = SignDefinition.model_validate(said)
            except ValidationError as error:
                raise _wrong(path, f"sign.{code}.", error) from None
    return found


def reason_text(reason: str) -> Mapping[str, str]:
    """Why there is no value, in both languages."""
    found: Mapping[str, str] = _table()["reason"][reason]
    return found


def change_words(name: str) -> Mapping[str, str]:
    """How a change is told, in both languages."""
    found: Mapping[str, str] = _table()["change"][name]
    return found


def _wrong(path: Path, before: str, error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    place = before + ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return InvalidInput(
        f"{path}: at {place.strip('.')}: {message}; write attention, alarm and source"
    )


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("analysis.vital_signs").joinpath("signs.toml").read_text("utf-8"))
