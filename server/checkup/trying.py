"""The composer's questions: what there is to make indicators of, and what one comes to."""

from collections.abc import Mapping
from threading import BoundedSemaphore

from analysis.checkup.examine import examine
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.loaded import TWIN
from analysis.checkup.measured import By
from analysis.checkup.roles import Role, city_roles
from analysis.checkup.scene import Scene
from cim_core.city import City
from cim_core.errors import TooMany
from server.checkup.told import Document, entry, shown, value_entry
from server.checkup.turns import turn

MOST_UNITS = 1000
"""Units of a trial that are told of; `total` says how many there are."""
_NO_YEAR = 2000
"""A set is of a year; what is tried is of none."""
_trials = BoundedSemaphore(2)
"""Each takes a thread of the server and a processor."""


def roles_told(city: City, roles: Mapping[str, Role]) -> list[Document]:
    """Every role with the layer that plays it, and whether that is there and seen.

    Who sees nothing internal is told the names of the layers they see alone.
    """
    there = {TWIN, *(version.layer for version in city.layers.current())}
    every = city.checkups.visible
    return [
        {
            "role": role.id, "title": role.title.model_dump(), "geometry": role.geometry,
            "layer": role.layer if every or role.layer in there else None,
            "present": role.layer in there, "proxy": role.proxy,
            "columns": [{"name": name, "unit": unit} for name, unit in role.columns.items()],
        }
        for role in roles.values()
    ]  # fmt: skip


def tried(city: City, indicator: Indicator, by: By | None) -> Document:
    """What an indicator comes to in what is seen of a city now: for the whole, and by units.

    Raises `TooMany` while others are tried.
    """
    with turn(_trials, TooMany("other indicators are being tried; ask again in a moment", 5.0)):
        return _tried(city, indicator, by)


def _tried(city: City, indicator: Indicator, by: By | None) -> Document:
    asked = indicator if by in (None, *indicator.by) else _of(indicator, by)
    roles = city_roles(city)
    scene = Scene(city, roles)
    alone = IndicatorSet(
        id="tried", system="", year=_NO_YEAR, name=asked.name, source="", dimensions={},
        indicators=(asked,),
    )  # fmt: skip
    found = examine(scene, alone, city.checkups.packed)
    [asked] = found.set.indicators
    values = found.values[asked.code]
    told = entry(asked, values, found.digests[asked.code], roles)
    kinds: tuple[By, ...] = (*asked.by, "district")
    kind = kinds[0] if by is None else by
    units = found.units[kind]
    return {
        "entry": shown(told), "by": kind,
        "units": [
            {
                "id": key, "name": dict(units.names[at]), "layer": units.layer,
                **value_entry(asked, values[kind], at),
            }
            for at, key in enumerate(units.ids[:MOST_UNITS])
        ],
        "total": len(units.ids),
    }  # fmt: skip


def _of(indicator: Indicator, by: By | None) -> Indicator:
    """The same told of other units."""
    return indicator.model_copy(update={"by": () if by == "district" else (by,)})
