"""What the columns of layers of pipes and nodes say, by their names."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Profile
from pipelines.headers import default_headers, plain
from pipelines.sizes import parse_size

Kind = Literal["line", "point"]

UNITS = {"mm": 0.001, "m": 1.0, "in": 0.0254}
"""What a diameter can be in, in metres."""

_YEAR = re.compile(r"(?:18|19|20)\d\d")
_OWN_ROLES = ("from", "to", "id")
"""Options that name a column, and the roles they name."""

_ROLE_OF = {"from": "start", "to": "end"}


def roles_of(kind: Kind, columns: Sequence[str], options: Mapping[str, str], where: str) -> dict[str, str]:  # fmt: skip
    """The column of each role that a table has; raises `InvalidInput` for one that is not there."""
    found: dict[str, str] = {}
    by_name = {plain(column): column for column in reversed(columns)}
    for role, aliases in _table()[kind].items():
        hit = next((by_name[alias] for alias in map(plain, aliases) if alias in by_name), None)
        if hit is not None and hit not in found.values():
            found[role] = hit
    for role, place in default_headers().fields(kind, columns).items():
        if role not in found and columns[place] not in found.values():
            found[role] = columns[place]
    for option in _OWN_ROLES:
        column = options.get(option)
        if column is None or (kind == "point" and option != "id"):
            continue
        if column not in columns:
            raise InvalidInput(
                f"{where} has no column {column!r}, which the option {option} names; it has "
                f"{', '.join(columns)}"
            )
        found[_ROLE_OF.get(option, kind)] = column
    return found


def are_pipes(columns: Sequence[str]) -> bool:
    """Whether lines with such columns are pipes: from node, to node, and a size or a material."""
    roles = roles_of("line", columns, {}, "")
    return {"start", "end"} <= roles.keys() and bool({"size", "material", "width"} & roles.keys())


def sizes(
    values: Sequence[Any], widths: Sequence[Any], heights: Sequence[Any], unit: str | None, where: str
) -> tuple[NDArray[np.int8], Floats, Floats, Floats, NDArray[np.int16], Floats]:  # fmt: skip
    """Profiles, widths, heights, walls, ducts and their sizes of lines, in metres, NaN if unknown.

    Numbers are in `unit`; without one, what no pipe is as wide as in millimetres is in metres, and
    the other way round. Raises `InvalidInput` where that leaves it open.
    """
    count = len(values)
    numbers, wide, high = (as_numbers(column) for column in (values, widths, heights))
    factor = _unit(np.concatenate([numbers, wide, high]), unit, where)
    boxes = np.isnan(numbers) & (wide > 0) & (high > 0)
    widths_ = np.where(boxes, wide, np.where(numbers > 0, numbers, np.nan)) * factor
    heights_ = np.where(boxes, high, np.where(numbers > 0, numbers, np.nan)) * factor
    profiles = np.where(boxes, Profile.BOX, Profile.CIRCLE).astype(np.int8)
    walls, ducts, holes = np.full(count, np.nan), np.zeros((count, 2), np.int16), np.full(count, np.nan)  # fmt: skip
    for row in np.flatnonzero(np.isnan(numbers)).tolist():
        size = parse_size(str(values[row])) if values[row] not in (None, "") else None
        if size is not None:
            profiles[row], widths_[row], heights_[row] = size.profile, size.width, size.height
            walls[row], ducts[row], holes[row] = size.wall, (size.columns, size.rows), size.duct
    return profiles, widths_, heights_, walls, ducts, holes


def _unit(numbers: Floats, unit: str | None, where: str) -> float:
    if unit is not None:
        if unit not in UNITS:
            raise InvalidInput(f"diameter_unit={unit} is not known; give one of {', '.join(UNITS)}")
        return UNITS[unit]
    given = numbers[numbers > 0]
    limits = _table()["units"]
    if not len(given):
        return UNITS["mm"]
    middle = float(np.median(given))
    if middle >= limits["millimetres_from"]:
        return UNITS["mm"]
    if given.max() <= limits["metres_up_to"]:
        return UNITS["m"]
    raise InvalidInput(
        f"{where}: diameters such as {middle:g} may be in inches or something else; say it with the "
        "option diameter_unit=mm, m or in"
    )


def as_numbers(values: Sequence[Any]) -> Floats:
    """(n,) values as numbers; NaN for what is none.

    >>> as_numbers([1, "2.5", None, "DN300", True]).tolist()
    [1.0, 2.5, nan, nan, nan]
    """
    return np.array([_number(value) for value in values], float)


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def as_years(values: Sequence[Any]) -> NDArray[np.int16]:
    """(n,) years of dates, texts or numbers; 0 for what says none.

    >>> as_years(["2009-05-01", 1998, "unknown", None]).tolist()
    [2009, 1998, 0, 0]
    """
    found = (_YEAR.search(str(value)) for value in values)
    return np.array([int(hit[0]) if hit else 0 for hit in found], np.int16)


def as_text(value: Any) -> str:
    """A value as a text; empty for none, a whole number without its point."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def node_kind(feature: str) -> NodeKind:
    """What a node is by what its source calls it.

    >>> node_kind("Gate valve"), node_kind("雨水井"), node_kind("bend")
    (<NodeKind.VALVE: 2>, <NodeKind.WELL: 1>, <NodeKind.JOINT: 0>)
    """
    low = feature.lower()
    for kind, words in _table()["kinds"].items():
        if any(word in low for word in words):
            return NodeKind[kind]
    return NodeKind.JOINT


def is_closed(status: str) -> bool:
    """Whether a status says that nothing passes."""
    return status.lower() in _table()["closed"]["words"]


def nearly() -> float:
    """Beyond how many times the tolerance an end that meets nothing is a dead end."""
    return float(_table()["ends"]["nearly"])


@lru_cache
def _table() -> Mapping[str, Any]:
    text = files("pipelines").joinpath("edge_columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
