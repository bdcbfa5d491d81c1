"""What stands in `$filter` and `$orderby`, as trees."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import shapely

from server.sensorthings.times import Span

Plain: TypeAlias = bool | int | float | str | Span | timedelta | shapely.Geometry | None
"""What a literal is."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written down."""

    value: Plain


@dataclass(frozen=True, slots=True)
class Path:
    """The way to a property, as in `Datastream/Thing/name`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function, by its name in lower case, and what it is asked of."""

    name: str
    arguments: tuple["Expression", ...]


Expression = Literal | Path | Call


def conjuncts(expression: Expression | None) -> list[Expression]:
    """What must all hold for an expression to hold; nothing for none."""
    if expression is None:
        return []
    if isinstance(expression, Call) and expression.name == "and":
        return [part for side in expression.arguments for part in conjuncts(side)]
    return [expression]


def paths(expression: Expression) -> list[Path]:
    """All properties an expression looks at."""
    match expression:
        case Path():
            return [expression]
        case Call(_, arguments):
            return [path for argument in arguments for path in paths(argument)]
    return []


def without_first(expression: Expression) -> Expression:
    """The same expression asked one step further on: each path without its first name."""
    match expression:
        case Path(names):
            return Path(names[1:])
        case Call(name, arguments):
            return Call(name, tuple(without_first(argument) for argument in arguments))
    return expression
