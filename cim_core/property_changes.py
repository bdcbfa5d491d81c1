"""What two versions of a feature's description say differently, property by property."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from cim_core.feature import Property, Value
from cim_core.store.feature_pairs import Description

_SAME_DIGITS = 1e-9
"""Numbers that agree to nine digits are one number written by two programs."""

_REFERENCES = ("storey", "parent")
"""Attributes that name another feature by its id."""


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property that is not what it was.

    pset
        The property set it stands in; None for what the feature itself says: "class", "name",
        "parent" and its attributes.
    before, after
        With unit; None where the version does not have the property.
    """

    pset: str | None
    name: str
    before: Property | None
    after: Property | None


NameOf = Callable[[str], str]
"""The name of the feature of an id."""


def property_changes(
    before: Description, after: Description, name_before: NameOf, name_after: NameOf
) -> tuple[PropertyChange, ...]:
    """Every property that changed, came or went: the feature's own first, then set by set.

    The order in which a source lists sets and properties says nothing; numbers are compared to nine
    digits. A reference to another feature is told as {"id": …, "name": …}.
    """
    own = _differing(None, _own(before, name_before), _own(after, name_after))
    if before.property_sets == after.property_sets:
        return tuple(own)
    old, new = _sets(before), _sets(after)
    in_sets = (
        change
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
        for change in _differing(name, _listed(old.get(name, [])), _listed(new.get(name, [])))
    )
    return (*own, *in_sets)


_Listed = dict[str, list[Property]]


def _own(description: Description, name_of: NameOf) -> _Listed:
    values: dict[str, Value] = {
        "class": description.feature_class,
        "name": description.name,
        "parent": description.parent,
        **json.loads(description.attributes),
    }
    for key in _REFERENCES:
        reference = values.get(key)
        if isinstance(reference, str):
            values[key] = {"id": reference, "name": name_of(reference)}
    return {name: [Property(name, value)] for name, value in values.items()}


def _sets(description: Description) -> dict[str, list[dict[str, Value]]]:
    """The properties of each set by its name; sets of one name are one."""
    found: dict[str, list[dict[str, Value]]] = {}
    for pset in json.loads(description.property_sets):
        found.setdefault(pset["name"], []).extend(pset["properties"])
    return found


def _listed(properties: list[dict[str, Value]]) -> _Listed:
    found: _Listed = {}
    for item in properties:
        unit = item["unit"]
        name = str(item["name"])
        found.setdefault(name, []).append(
            Property(name, item["value"], unit if isinstance(unit, str) else None)
        )
    return found


def _differing(pset: str | None, old: _Listed, new: _Listed) -> Iterator[PropertyChange]:
    for name in dict.fromkeys([*old, *new]):
        before, after = _without_equals(old.get(name, []), new.get(name, []))
        for left, right in zip_longest(before, after):
            yield PropertyChange(pset, name, left, right)


def _without_equals(
    before: list[Property], after: list[Property]
) -> tuple[list[Property], list[Property]]:
    """What is left when equals are taken away in pairs: a set may say one name several times."""
    rest = list(after)
    alone = []
    for item in before:
        twin = next(
            (
                i
                for i, x in enumerate(rest)
                if x.unit == item.unit and same_value(x.value, item.value)
            ),
            None,
        )
        if twin is None:
            alone.append(item)
        else:
            del rest[twin]
    return alone, rest


def same_value(one: Value, other: Value) -> bool:
    """Whether two values say the same.

    >>> same_value(12.5, 12.500000000001), same_value(1, True), same_value([1, "a"], [1, "b"])
    (True, False, False)
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_SAME_DIGITS)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[k], other[k]) for k in one)
    return one == other
