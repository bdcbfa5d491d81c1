"""What kind of pipe each segment is to the tables of clearances and cover depths."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Profile, Segments
from pipelines.dictionary import pipe_class

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(mpa|kpa|kv|v)")
_BARE = re.compile(r"[0-9]*\.?[0-9]+")
_MOST_MPA = 10.0
"""No gas pipe is under more, so a greater number without a unit is in another one."""
_MPA = {"mpa": 1.0, "kpa": 0.001}
_KV = {"kv": 1.0, "v": 0.001}


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kind of each segment.

    names
        Of all kinds, in the order of `rule_kinds.toml`.
    of
        (m,) the number of its kind, -1 for what no table knows: another system, or not in the soil.
    kilovolts
        (m,) the voltage of cables, NaN where it is not known.
    pressure_unknown
        (m,) gas pipes whose pressure the survey does not tell; they count as low pressure.
    """

    names: tuple[str, ...]
    of: NDArray[np.int8]
    kilovolts: Floats
    pressure_unknown: NDArray[np.bool_]


def kinds_of(segments: Segments) -> Kinds:
    """The kind of each segment; what decides stands in `rule_kinds.toml`."""
    table = _table()
    systems = _each(segments.classes.names, segments.classes.codes, lambda name: pipe_class(name).system)  # fmt: skip
    lies = _each(segments.burials.names, segments.burials.codes, _lies)
    lies[lies == ""] = "direct"
    lies[segments.profiles == Profile.DUCTS] = "conduit"
    pressures = _each(segments.pressures.names, segments.pressures.codes, pressure_class)
    unknown = pressures == ""
    pressures[unknown] = table["unknown"]["pressure"]
    of = np.full(len(segments), -1, np.int8)
    for number, kind in enumerate(table["kinds"].values()):
        fits = (systems == kind["system"]) & (lies != "none")
        if "lies" in kind:
            fits &= np.isin(lies, kind["lies"])
        if "pressures" in kind:
            fits &= np.isin(pressures, kind["pressures"])
        of[fits] = number
    volts = np.array([*map(kilovolts, segments.pressures.names), np.nan])[segments.pressures.codes]
    gas = (systems == "RQ") & (of >= 0)
    return Kinds(kind_names(), of, volts, gas & unknown)


def kind_names() -> tuple[str, ...]:
    """The names of all kinds, in their order."""
    return tuple(_table()["kinds"])


def kind_title(name: str, language: str) -> str:
    """What a kind is called, in "en" or "zh".

    >>> kind_title("gas-low", "zh")
    '低压燃气'
    """
    return str(_table()["kinds"][name][language])


def pressure_class(text: str) -> str:
    """The class of a gas pressure as a survey writes it, "" where it tells none.

    A number without a unit is in MPa, as the headers of surveys have it; more than the last class
    reaches to counts as that.

    >>> pressure_class("中压 A"), pressure_class("0.35MPa"), pressure_class("2.5 kPa")
    ('medium-a', 'medium-a', 'low')
    >>> pressure_class("0.4"), pressure_class("6.3MPa"), pressure_class("400")
    ('medium-a', 'high-a', '')
    """
    classes = _table()["pressures"]
    for name, entry in classes.items():
        if _plain(text) in map(_plain, entry["words"]):
            return str(name)
    megapascals = _megapascals(text)
    for name, entry in classes.items():
        if megapascals <= entry["mpa"] + 1e-9:
            return str(name)
    return "" if np.isnan(megapascals) else [*classes][-1]


def _megapascals(text: str) -> float:
    bare = _BARE.fullmatch(text.strip())
    if bare is None:
        return _quantity(text, _MPA)
    return float(bare[0]) if 0 < float(bare[0]) <= _MOST_MPA else float("nan")


def kilovolts(text: str) -> float:
    """The voltage a survey writes, NaN where it writes none.

    >>> kilovolts("110KV"), kilovolts("380V")
    (110.0, 0.38)
    """
    return _quantity(text, _KV)


def _quantity(text: str, units: dict[str, float]) -> float:
    found = _NUMBER.search(text.lower())
    if found is None or found[2] not in units:
        return float("nan")
    return float(found[1]) * units[found[2]]


def _lies(burial: str) -> str:
    for name, words in _table()["burials"].items():
        if _plain(burial) in map(_plain, words):
            return str(name)
    return ""


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text).casefold()


def _each(names: tuple[str, ...], codes: NDArray[np.int32], answer: Any) -> NDArray[np.object_]:
    """The answer for the text of each row, "" for none."""
    return np.array([*map(answer, names), ""], object)[codes]


@lru_cache
def _table() -> dict[str, Any]:
    text = files("pipelines").joinpath("rule_kinds.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
