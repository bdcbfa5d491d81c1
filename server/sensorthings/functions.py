"""The operators and functions of `$filter`, each of values that are there (nothing is asked of null).

A function raises one of `UNANSWERED` for values it has no answer for; the expression is then null, as an
expression of null is.
"""

import math
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.errors import ShapelyError

from cim_core.observations import LAST_TIME
from server.sensorthings.times import Span

UNANSWERED = (
    TypeError, ValueError, ArithmeticError, AttributeError, LookupError, ShapelyError,
)  # fmt: skip


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _geometry(value: object) -> shapely.Geometry:
    if isinstance(value, shapely.Geometry):
        return value
    if not isinstance(value, dict):
        raise TypeError(value)
    inner = value.get("geometry") if value.get("type") == "Feature" else value
    return shapely.geometry.shape(inner)


def _when(value: object) -> datetime:
    if not isinstance(value, Span):
        raise TypeError(value)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value.start)


def _moved(time: Span, by: timedelta) -> Span:
    milliseconds = by // timedelta(milliseconds=1)
    return Span(time.start + milliseconds, time.end + milliseconds)


def _add(left: object, right: object) -> object:
    if isinstance(left, Span) and isinstance(right, timedelta):
        return _moved(left, right)
    if isinstance(right, Span) and isinstance(left, timedelta):
        return _moved(right, left)
    return _number(left) + _number(right)


def _sub(left: object, right: object) -> object:
    if isinstance(left, Span) and isinstance(right, timedelta):
        return _moved(left, -right)
    return _number(left) - _number(right)


def _round(value: object) -> int:
    """To the nearest whole number, halves away from zero."""
    number = _number(value)
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def _substring(text: object, first: object, count: object = None) -> str:
    begin = max(0, int(_number(first)))
    rest = _text(text)[begin:]
    return rest if count is None else rest[: max(0, int(_number(count)))]


def _length(value: object) -> int:
    return len(_text(value))


def _fraction(value: object) -> float:
    return _when(value).microsecond / 1e6


def _relate(one: object, other: object, matrix: object) -> bool:
    return bool(shapely.relate_pattern(_geometry(one), _geometry(other), _text(matrix)))


def _spatial(
    predicate: Callable[[shapely.Geometry, shapely.Geometry], object],
) -> Callable[..., object]:
    return lambda one, other: bool(predicate(_geometry(one), _geometry(other)))


def compare(name: str, left: object, right: object) -> bool | None:
    """Whether `left` is `eq`, `ne`, `gt`, `ge`, `lt` or `le` than `right`.

    What is of another sort is not equal, and neither less nor greater (None).
    """
    if name in ("eq", "ne"):
        return (_sort(left) == _sort(right) and bool(left == right)) == (name == "eq")
    if left is None or right is None or _sort(left) != _sort(right):
        return None
    try:
        return bool(_COMPARISONS[name](left, right))
    except TypeError:  # objects and lists have no order
        return None


def _sort(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


_COMPARISONS: Mapping[str, Callable[[Any, Any], object]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip

COMPARISONS = frozenset({"eq", "ne", *_COMPARISONS})

OPERATORS: Mapping[str, Callable[..., object]] = {
    "add": _add,
    "sub": _sub,
    "mul": lambda left, right: _number(left) * _number(right),
    "div": lambda left, right: _number(left) / _number(right),
    "mod": lambda left, right: math.fmod(_number(left), _number(right)),
    "negate": lambda value: -_number(value),
}

_FUNCTIONS: Mapping[str, tuple[tuple[int, ...], Callable[..., object]]] = {
    "substringof": ((2,), lambda part, text: _text(part) in _text(text)),
    "contains": ((2,), lambda text, part: _text(part) in _text(text)),
    "startswith": ((2,), lambda text, start: _text(text).startswith(_text(start))),
    "endswith": ((2,), lambda text, end: _text(text).endswith(_text(end))),
    "length": ((1,), _length),
    "indexof": ((2,), lambda text, part: _text(text).find(_text(part))),
    "substring": ((2, 3), _substring),
    "tolower": ((1,), lambda text: _text(text).lower()),
    "toupper": ((1,), lambda text: _text(text).upper()),
    "trim": ((1,), lambda text: _text(text).strip()),
    "concat": ((2,), lambda one, other: _text(one) + _text(other)),
    "year": ((1,), lambda time: _when(time).year),
    "month": ((1,), lambda time: _when(time).month),
    "day": ((1,), lambda time: _when(time).day),
    "hour": ((1,), lambda time: _when(time).hour),
    "minute": ((1,), lambda time: _when(time).minute),
    "second": ((1,), lambda time: _when(time).second),
    "fractionalseconds": ((1,), _fraction),
    "date": ((1,), lambda time: _when(time).date().isoformat()),
    "time": ((1,), lambda time: _when(time).strftime("%H:%M:%S")),
    "totaloffsetminutes": ((1,), lambda time: _when(time) and 0),
    "mindatetime": ((0,), lambda: Span(0, 0)),
    "maxdatetime": ((0,), lambda: Span(LAST_TIME, LAST_TIME)),
    "round": ((1,), _round),
    "floor": ((1,), lambda value: math.floor(_number(value))),
    "ceiling": ((1,), lambda value: math.ceil(_number(value))),
    "geo.distance": ((2,), lambda one, other: _geometry(one).distance(_geometry(other))),
    "geo.length": ((1,), lambda line: _geometry(line).length),
    "geo.intersects": ((2,), _spatial(shapely.intersects)),
    "st_equals": ((2,), _spatial(shapely.equals)),
    "st_disjoint": ((2,), _spatial(shapely.disjoint)),
    "st_touches": ((2,), _spatial(shapely.touches)),
    "st_within": ((2,), _spatial(shapely.within)),
    "st_overlaps": ((2,), _spatial(shapely.overlaps)),
    "st_crosses": ((2,), _spatial(shapely.crosses)),
    "st_intersects": ((2,), _spatial(shapely.intersects)),
    "st_contains": ((2,), _spatial(shapely.contains)),
    "st_relate": ((3,), _relate),
}

FUNCTIONS: Mapping[str, Callable[..., object]] = {
    **{name: function for name, (_, function) in _FUNCTIONS.items()},
    **OPERATORS,
}

ARITIES: Mapping[str, tuple[int, ...]] = {
    **{name: arity for name, (arity, _) in _FUNCTIONS.items()}, "now": (0,)
}  # fmt: skip
"""How many values each function takes; `now` is answered once for a whole question."""
