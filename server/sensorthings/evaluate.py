"""What an expression is worth for an entity."""

from collections.abc import Callable, Iterable
from itertools import product
from math import prod

from cim_core.errors import InvalidInput
from server.sensorthings.expression import Call, Expression, Literal, Path
from server.sensorthings.functions import COMPARISONS, FUNCTIONS, UNANSWERED, compare
from server.sensorthings.times import Span

MOST_VALUES = 500_000
"""Values of one question beyond the first of each step: a second of work or two."""
_LETTERS = 100
"""So much text counts as one value more."""

Look = Callable[[tuple[str, ...]], Iterable[object]]
"""The values at the end of a path; more than one where it leads through a set of entities."""


class Evaluation:
    """Expressions of one question, for one entity after the other.

    A path through a set, as in `Datastreams/name`, stands for each of the values it leads to, and what
    is asked of it holds if it holds for any of them; the standard has no other way to ask that.
    """

    def __init__(self, now: int) -> None:
        """`now`, milliseconds since 1970, is the same for the whole question."""
        self._now = Span(now, now)
        self._left = MOST_VALUES

    def spend(self, values: int) -> None:
        """Count values beyond the first of a step; raises `InvalidInput` where they are too many.

        Paths through sets multiply: four times the same path in one expression is n⁴ values.
        """
        self._left -= values
        if self._left < 0:
            raise InvalidInput(
                f"this question would look at more than {MOST_VALUES:,} values; lead fewer paths "
                "through sets of entities in $filter and $orderby, or ask for fewer entities"
            )

    def holds(self, expression: Expression, look: Look) -> bool:
        """Whether an expression is true for what `look` looks at."""
        return any(value is True for value in self.values(expression, look))

    def value(self, expression: Expression, look: Look) -> object:
        """What an expression is worth: the first of its values, None if there is none."""
        return next(iter(self.values(expression, look)), None)

    def values(self, expression: Expression, look: Look) -> list[object]:
        """All that an expression is worth."""
        match expression:
            case Literal(value):
                return [value]
            case Path(names):
                return list(look(names))
            case Call(name, arguments):
                return self._called(name, arguments, look)

    def _called(self, name: str, arguments: tuple[Expression, ...], look: Look) -> list[object]:
        if name in ("and", "or"):
            return [self._both(arguments, look, decides=name == "or")]
        if name == "not":
            met = _truth(self.values(arguments[0], look))
            return [None if met is None else not met]
        if name == "now":
            return [self._now]
        sides = [self.values(argument, look) or [None] for argument in arguments]
        several = prod(len(side) for side in sides) - 1
        self.spend(several)
        answers = []
        for given in product(*sides):
            answer = _answer(name, *given)
            if several and isinstance(answer, str):
                self.spend(len(answer) // _LETTERS)
            answers.append(answer)
        return answers

    def _both(self, arguments: tuple[Expression, ...], look: Look, *, decides: bool) -> bool | None:
        """Two sides together, of which one alone may decide; null if neither does and one is null."""
        answer: bool | None = not decides
        for argument in arguments:
            met = _truth(self.values(argument, look))
            if met is decides:
                return decides
            answer = None if met is None else answer
        return answer


def _truth(values: list[object]) -> bool | None:
    """Whether any of some values is true; None if none is true or false."""
    if any(value is True for value in values):
        return True
    return False if any(value is False for value in values) else None


def _answer(name: str, *given: object) -> object:
    if name in COMPARISONS:
        return compare(name, *given)
    if None in given:
        return None
    try:
        return FUNCTIONS[name](*given)
    except UNANSWERED:
        return None
