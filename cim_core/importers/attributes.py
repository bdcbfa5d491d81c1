"""What sources say of things, as attributes to filter and to colour by."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cim_core.feature import Feature, Property, PropertySet, Scalar, Value

RESERVED = frozenset({"id", "class", "name", "layer", "parent", "storey", "zmin", "zmax"})
"""What features have anyway: a source's column of that name gets a _ behind it."""

_MOST_COLUMNS = 16
_MOST_TEXTS = 64
"""Text of more different values is no category: it stays in the registry."""


def scalars(values: Mapping[str, Any]) -> dict[str, Value]:
    """The plain values of a thing by name: texts, numbers and yes or no; empty ones are left out.

    >>> scalars({"id": 7, "levels": 3, "note": "", "parts": [1, 2]})
    {'id_': 7, 'levels': 3}
    """
    return {
        f"{name}_" if name in RESERVED else name: value
        for name, value in values.items()
        if isinstance(value, str | int | float) and value != "" and not _missing(value)
    }


def _missing(value: str | int | float) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def property_set(name: str, values: Mapping[str, Any]) -> tuple[PropertySet, ...]:
    """All that a source says of a thing, as it says it; nothing where it says nothing."""
    properties = tuple(Property(key, value) for key, value in values.items() if value is not None)
    return (PropertySet(name, "property", properties),) if properties else ()


def worth_styling(features: Sequence[Feature], first: Sequence[str] = ()) -> tuple[str, ...]:
    """The attributes to travel with the tiles: numbers, and texts of few different values.

    `first` come first, if there are such; of the others the most frequent, 16 in all.
    """
    counts: Counter[str] = Counter()
    texts: dict[str, set[str]] = {}
    for feature in features:
        for name, value in feature.attributes.items():
            counts[name] += 1
            if isinstance(value, str):
                different = texts.setdefault(name, set())
                if len(different) <= _MOST_TEXTS:
                    different.add(value)
    fit = [name for name, _ in counts.most_common() if len(texts.get(name, ())) <= _MOST_TEXTS]
    ordered = [name for name in first if name in fit]
    return tuple([*ordered, *(name for name in fit if name not in ordered)][:_MOST_COLUMNS])


def unique_ids(wanted: Iterable[str]) -> list[str]:
    """Ids in their order, each of its own: the second "a" becomes "a~2".

    >>> unique_ids(["a", "b", "a"])
    ['a', 'b', 'a~2']
    """
    taken: Counter[str] = Counter()
    result = []
    for name in wanted:
        taken[name] += 1
        result.append(name if taken[name] == 1 else f"{name}~{taken[name]}")
    return result


def first_of(values: Mapping[str, Any], names: Iterable[str]) -> Scalar:
    """The first value there is among `names`, whatever their case; None without one."""
    lowered = {key.lower(): value for key, value in values.items()}
    for name in names:
        value = lowered.get(name.lower())
        if isinstance(value, str | int | float) and value not in ("", None):
            return value
    return None
