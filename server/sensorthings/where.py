"""What a filter of observations says of their columns, and what has to be asked of each."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.observations import LAST_TIME, StreamIds, Times
from server.sensorthings.evaluate import Evaluation
from server.sensorthings.expression import (
    Call,
    Expression,
    Literal,
    Path,
    conjuncts,
    paths,
    without_first,
)
from server.sensorthings.functions import COMPARISONS
from server.sensorthings.times import Span

Key = tuple[int, int]
"""Time and datastream of an observation, by which pages go on."""

_TURNED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "eq": "eq", "ne": "ne"}
_IDS = (("id",), ("@iot.id",))


def key_of(number: int | str) -> Key | None:
    """Time and datastream of an observation's id; None for what cannot be one.

    >>> key_of("3-1500"), key_of("x-1"), key_of(7)
    ((1500, 3), None, None)
    """
    stream, dash, time = str(number).partition("-")
    good = dash and stream.isascii() and time.isascii() and stream.isdigit() and time.isdigit()
    if not good or len(stream) > 7 or len(time) > 13 or int(time) > LAST_TIME:
        return None
    return int(time), int(stream)


@dataclass(frozen=True)
class _Test:
    """A comparison of a column with a number, for rows whose columns say all there is of them."""

    column: str
    name: str
    number: float

    def mask(self, times: Times, values: Floats) -> NDArray[np.bool_]:
        column: NDArray[np.int64] | Floats = times if self.column == "time" else values
        compared: dict[str, NDArray[np.bool_]] = {
            "eq": column == self.number, "ne": column != self.number, "gt": column > self.number,
            "ge": column >= self.number, "lt": column < self.number, "le": column <= self.number,
        }  # fmt: skip
        return compared[self.name]


@dataclass(frozen=True)
class Where:
    """Which observations are looked at, and what is asked of them.

    streams, start, end
        Of these datastreams, (n,), from start on and before end, milliseconds since 1970.
    conditions, rest
        What must hold, and of it what the columns do not answer where a row is a number at an
        instant.
    of_datastreams
        What must hold of the datastreams.
    """

    streams: StreamIds
    start: int = 0
    end: int = LAST_TIME + 1
    conditions: tuple[Expression, ...] = ()
    rest: tuple[Expression, ...] = ()
    of_datastreams: tuple[Expression, ...] = ()
    tests: tuple[_Test, ...] = ()

    @classmethod
    def of(
        cls, expression: Expression | None, streams: StreamIds, evaluation: Evaluation
    ) -> "Where":
        """What a filter says of observations of some datastreams."""
        where = cls(streams)
        for condition in conjuncts(expression):
            where = where._narrowed(condition, evaluation)
        return where

    @property
    def all(self) -> bool:
        """Whether all are wanted that lie in the window."""
        return all(_is_from(condition) for condition in self.conditions)

    def only(self, streams: StreamIds) -> "Where":
        """The same of these datastreams only."""
        return replace(self, streams=np.intersect1d(self.streams, streams))

    def within(self, start: int, end: int) -> "Where":
        """The same in a part of the window."""
        return replace(self, start=max(self.start, start), end=min(self.end, end))

    def also(self, condition: Expression, *, of_all: bool) -> "Where":
        """The same with one condition more; `of_all`: it holds where a row says nothing of its own."""
        rest = self.rest if of_all else (*self.rest, condition)
        return replace(self, conditions=(*self.conditions, condition), rest=rest)

    def mask(self, times: Times, values: Floats) -> NDArray[np.bool_]:
        """What the columns of rows, (n,) each, say of them, (n,)."""
        kept = np.ones(len(times), bool)
        for test in self.tests:
            kept &= test.mask(times, values)
        return kept

    def _narrowed(self, condition: Expression, evaluation: Evaluation) -> "Where":
        looked = paths(condition)
        if not looked:
            true = evaluation.holds(condition, lambda _: ())
            return self if true else self.only(np.empty(0, np.int64))
        if all(len(path.names) > 1 and path.names[0] == "Datastream" for path in looked):
            return replace(self, of_datastreams=(*self.of_datastreams, without_first(condition)))
        match _comparison(condition, evaluation):
            case (Path(names), "eq", str() as number) if names in _IDS:
                key = key_of(number) or (0, -1)
                return self.only(np.array([key[1]], np.int64)).within(key[0], key[0] + 1)
            case (Path(("phenomenonTime",)), name, Span() as span) if name != "ne":
                return self._in_time(condition, name, span)
            case (Path(("result",)), name, int() | float() as number) if not isinstance(
                number, bool
            ):
                return self._with(condition, _Test("value", name, _float(number)))
        return replace(self, conditions=(*self.conditions, condition), rest=(*self.rest, condition))

    def _in_time(self, condition: Expression, name: str, span: Span) -> "Where":
        """Of intervals the window knows the beginning only; so it is as wide as one may ask for."""
        instant = span.start == span.end
        match name:
            case "gt" | "ge":
                test = _Test("time", "gt" if instant and name == "gt" else "ge", span.end)
                return self.within(span.end, LAST_TIME + 1)._with(condition, test)
            case "lt" | "le":
                test = _Test("time", "lt" if instant and name == "lt" else "le", span.start)
                return self.within(0, span.start + 1)._with(condition, test)
        # An instant is not equal to an interval.
        test = _Test("time", "eq", span.start if instant else -1)
        return self.within(span.start, span.start + 1)._with(condition, test)

    def _with(self, condition: Expression, test: _Test) -> "Where":
        return replace(self, conditions=(*self.conditions, condition), tests=(*self.tests, test))


def _comparison(
    condition: Expression, evaluation: Evaluation
) -> tuple[Expression, str, object] | None:
    """A path, how it is compared, and with what value; the path first, on whichever side it stands."""
    if not isinstance(condition, Call) or condition.name not in COMPARISONS:
        return None
    left, right = condition.arguments
    if isinstance(left, Path) and not paths(right):
        return left, condition.name, evaluation.value(right, lambda _: ())
    if isinstance(right, Path) and not paths(left):
        return right, _TURNED[condition.name], evaluation.value(left, lambda _: ())
    return None


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if number > 0 else -math.inf


def _is_from(condition: Expression) -> bool:
    """Whether it is `phenomenonTime ge …`, for which the window says all."""
    match condition:
        case Call("ge", (Path(("phenomenonTime",)), Literal(Span()))):
            return True
    return False
