"""What is known about a layer besides its content: where from, how good, whose, where it belongs."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, get_args

from cim_core.catalogue import default_place, places
from cim_core.errors import InvalidInput
from cim_core.layer import Kind, Level, Lifecycle, Sensitivity

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "lifecycle": get_args(Lifecycle), "level": get_args(Level), "sensitivity": get_args(Sensitivity),
}  # fmt: skip
_LONGEST = 500
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")

Said = dict[str, str | int | float]
"""What somebody said about a layer, by the names of the fields of `About`."""


@dataclass(frozen=True, slots=True)
class About:
    """A layer's entry in the catalogue.

    source, licence, department
        Where it comes from, under what terms, and who owns it, as people say it.
    date
        Of what it shows: a year, a month or a day, as in 2024-05-01.
    accuracy
        How far its points may be from where they are, metres.
    place
        Where it stands in the catalogue: an id of `cim_core.catalogue`.
    """

    lifecycle: Lifecycle
    level: Level
    cim_level: int
    sensitivity: Sensitivity
    place: str
    source: str | None = None
    date: str | None = None
    accuracy: float | None = None
    licence: str | None = None
    department: str | None = None


NAMES = tuple(field.name for field in fields(About))


def about_layer(
    kind: Kind, lifecycle: Lifecycle, level: Level, cim_level: int, sensitivity: Sensitivity,
    said: Mapping[str, Any],
) -> About:  # fmt: skip
    """What the importer knew of a layer, and over it what people said."""
    known = {
        "lifecycle": lifecycle, "level": level, "cim_level": cim_level, "sensitivity": sensitivity,
        **said,
    }  # fmt: skip
    return About(**{"place": default_place(kind, known["cim_level"]), **known})


def said_about(values: Mapping[str, object]) -> Said:
    """What of some values is about a layer, each checked; raises `InvalidInput`.

    >>> said_about({"cim_level": "3", "accuracy": "0.5", "encoding": "gbk"})
    {'cim_level': 3, 'accuracy': 0.5}
    """
    return {name: _checked(name, value) for name, value in values.items() if name in NAMES}


def about_changes(values: Mapping[str, object]) -> dict[str, str | int | float | None]:
    """What is to be said about a layer from now on, None where nothing; raises `InvalidInput`.

    >>> about_changes({"licence": "CC BY 4.0", "source": None})
    {'licence': 'CC BY 4.0', 'source': None}
    """
    for name in values:
        if name not in NAMES:
            raise InvalidInput(
                f"{name} is not among what is known about a layer; give one of {', '.join(NAMES)}"
            )
    return {
        name: None if value is None else _checked(name, value) for name, value in values.items()
    }


def _checked(name: str, value: object) -> str | int | float:
    text = str(value).strip()
    if name in _CHOICES:
        if text not in _CHOICES[name]:
            raise InvalidInput(
                f"{name}={text} is none of what there is; give one of {', '.join(_CHOICES[name])}"
            )
        return text
    match name:
        case "cim_level":
            if text not in "1234567" or len(text) != 1:
                raise InvalidInput(
                    f"cim_level={text} is not a CIM level; give a number from 1 to 7"
                )
            return int(text)
        case "accuracy":
            return _metres(text)
        case "date":
            if not _is_date(text):
                raise InvalidInput(
                    f"date={text} is not a date; write a year, a month or a day, as in 2024-05-01"
                )
        case "place":
            if text not in places():
                raise InvalidInput(
                    f"place={text} is not in the catalogue; give an id that /catalogue lists, as in "
                    "base/terrain"
                )
        case _:
            if not 0 < len(text) <= _LONGEST:
                raise InvalidInput(
                    f"{name} has {len(text)} letters; write something of at most {_LONGEST}"
                )
    return text


def _metres(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not 0 <= metres < math.inf:
        raise InvalidInput(f"accuracy={text} is not a length; give metres, as in 0.5")
    return metres


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return False
    return True
