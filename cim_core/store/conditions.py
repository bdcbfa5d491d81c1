"""Conditions of queries for features, as SQL and the values in it; the features are `f`."""

from cim_core.errors import InvalidInput
from cim_core.sight import Part
from cim_core.store.geopackage import area_name


def seen_rows(part: Part) -> tuple[str, list[str]]:
    """A further condition of what is seen of a layer, the features being `f`, and its values."""
    if part.area is None:
        return "", []
    return " AND touches_area(?, f.geom)", [area_name(part.area)]


def property_condition(name: str, value: str) -> tuple[str, list[str | float]]:
    """Compare by what a person would type: true, 0.24, C30."""
    kinds = "CASE p.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE p.value END"
    try:
        number: float | None = float(value)
    except ValueError:
        number = None
    same = f"({kinds} = ?" + (
        " OR (p.type IN ('integer', 'real') AND p.value = ?))" if number is not None else ")"
    )
    compared: list[str | float] = [value] if number is None else [value, number]
    pset, dot, prop = name.partition(".")
    if not dot:
        return (
            "EXISTS (SELECT 1 FROM json_each(f.attributes) p WHERE p.key = ? AND " + same + ")",
            [name, *compared],
        )
    if not (pset and prop):
        raise InvalidInput(
            f"the filter {name!r} is not a property; write it as Pset_WallCommon.IsExternal=true"
        )
    return (
        "EXISTS (SELECT 1 FROM json_each(f.property_sets) s, json_each(s.value, '$.properties') q,"
        " json_each(q.value) p WHERE json_extract(s.value, '$.name') = ?"
        " AND json_extract(q.value, '$.name') = ? AND p.key = 'value' AND " + same + ")",
        [pset, prop, *compared],
    )


def like_pattern(text: str) -> str:
    """A text as a part of a LIKE pattern that escapes by a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
