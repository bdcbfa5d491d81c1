"""Reads `$filter` and `$orderby` into trees.

A parser of our own, since odata-query has none of what SensorThings adds (`substringof`, `st_…`,
`@iot.id`, intervals), wants a blank after `not`, and takes `properties/alloy` for the word `all`.
Precedence is that of OData 4 (part 2, operator precedence): `not` and minus, then `mul div mod`,
`add sub`, `gt ge lt le`, `eq ne`, `and`, `or`.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import shapely

from cim_core.errors import InvalidInput
from server.sensorthings.expression import Call, Expression, Literal, Path, Plain
from server.sensorthings.functions import ARITIES
from server.sensorthings.times import span

_MOST = 100
"""How deep parentheses and how long chains may be: Python's own stack is the limit behind it."""
_LONGEST = 20_000
_LONGEST_NUMBER = 300
"""Digits of a whole number; one with more is as good as endless."""

_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\- ]\d\d:?\d\d)"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<geometry>geo(?:graphy|metry)'[^']*')
  | (?P<duration>duration'[^']*')
  | (?P<text>'(?:[^']|'')*')
  | (?P<time>{_INSTANT}(?:/{_INSTANT})?)
  | (?P<date>\d{{4}}-\d\d-\d\d(?![\w-]))
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<name>@?[^\W\d][\w.-]*)
  | (?P<sign>[(),/-])
    )""",
    re.VERBOSE,
)
_SIDES: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("eq", "ne"),
    ("gt", "ge", "lt", "le"),
    ("add", "sub"),
    ("mul", "div", "mod"),
)
_WORDS = {"null": None, "true": True, "false": False}
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)


def parse(text: str, what: str = "$filter") -> Expression:
    """The tree of an expression; raises `InvalidInput`, which says where it cannot be read.

    >>> parse("result gt 20 and Datastream/id eq 1").name
    'and'
    """
    parser = _Parser(text, what)
    found = parser.sides(0)
    if parser.kind:
        parser.refuse()
    return found


def parse_orderings(text: str) -> list[tuple[Expression, bool]]:
    """What to order by, each with whether the largest comes first; raises `InvalidInput`."""
    parser = _Parser(text, "$orderby")
    found = []
    while True:
        key = parser.sides(0)
        falling = parser.word in ("asc", "desc") and parser.take().lower() == "desc"
        found.append((key, falling))
        if parser.value != ",":
            break
        parser.take()
    if parser.kind:
        parser.refuse()
    return found


class _Parser:
    """One text while it is read: the token that comes next, and what is made of them.

    kind, value
        The next token; empty at the end.
    """

    def __init__(self, text: str, what: str) -> None:
        if len(text) > _LONGEST:
            raise InvalidInput(
                f"{what} has {len(text)} characters, and {_LONGEST} are read; ask in several questions"
            )
        self._text, self._what = text.rstrip(), what
        self._at = self._end = self._depth = 0
        self.kind = self.value = ""
        self.take()

    @property
    def word(self) -> str:
        """The next token, if it is a word, in lower case."""
        return self.value.lower() if self.kind == "name" else ""

    def take(self) -> str:
        """Go on to the next token; the one before."""
        taken, self._at = self.value, self._end
        if self._at == len(self._text):
            self.kind = self.value = ""
            return taken
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.refuse()
        self.kind, self._end = str(found.lastgroup), found.end()
        self.value = found[self.kind]
        return taken

    def refuse(self) -> NoReturn:
        """Say where it cannot be read."""
        rest = self._text[self._at :].strip()[:40] or "the end"
        raise InvalidInput(
            f"{self._what} cannot be read at {rest!r}; write it as in result gt 20 and "
            "startswith(Datastream/name,'Rain')"
        )

    def sides(self, level: int) -> Expression:
        """Operators with two sides, from the one that binds least."""
        if level == len(_SIDES):
            return self._single()
        left = self.sides(level + 1)
        count = 0
        while self.word in _SIDES[level]:
            count += 1
            if count > _MOST:
                self._too_deep()
            name = self.take().lower()
            left = Call(name, (left, self.sides(level + 1)))
        return left

    def _single(self) -> Expression:
        self._depth += 1
        if self._depth > _MOST:
            self._too_deep()
        try:
            if self.word == "not":
                self.take()
                return Call("not", (self._single(),))
            if self.value == "-" and self.kind == "sign":
                self.take()
                inner = self._single()
                if isinstance(inner, Literal) and isinstance(inner.value, int | float):
                    return Literal(-inner.value)
                return Call("negate", (inner,))
            if self.value == "(":
                self.take()
                inside = self.sides(0)
                self._expect(")")
                return inside
            return self._literal() if self.kind in _LITERALS else self._named()
        finally:
            self._depth -= 1

    def _too_deep(self) -> NoReturn:
        raise InvalidInput(
            f"{self._what} is nested or chained more than {_MOST} times; ask in several questions"
        )

    def _literal(self) -> Literal:
        kind, text = self.kind, self.take()
        return Literal(_LITERALS[kind](text))

    def _named(self) -> Expression:
        if self.kind != "name":
            self.refuse()
        if self.word in _WORDS:
            return Literal(_WORDS[self.take().lower()])
        name = self.take()
        if self.value == "(":
            return self._call(name)
        names = [name]
        while self.value == "/":
            self.take()
            if self.kind not in ("name", "number"):
                self.refuse()
            names.append(self.take())
        return Path(tuple(names))

    def _call(self, name: str) -> Call:
        known = name.lower()
        if known not in ARITIES:
            raise InvalidInput(
                f"{self._what} asks for a function {name[:40]!r} that is not known here; take one of "
                f"{', '.join(sorted(ARITIES))}"
            )
        self.take()
        arguments = []
        if self.value != ")":
            arguments.append(self.sides(0))
            while self.value == ",":
                self.take()
                arguments.append(self.sides(0))
        self._expect(")")
        if len(arguments) not in ARITIES[known]:
            wanted = " or ".join(map(str, ARITIES[known]))
            raise InvalidInput(
                f"{self._what}: {name} is given {len(arguments)} values and takes {wanted}; correct it"
            )
        return Call(known, tuple(arguments))

    def _expect(self, sign: str) -> None:
        if self.value != sign:
            self.refuse()
        self.take()


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() and len(text) < _LONGEST_NUMBER else float(text)


def _geometry(text: str) -> shapely.Geometry:
    written = text[text.index("'") + 1 : -1]
    try:
        return shapely.from_wkt(re.sub(r"^\s*SRID=4326;", "", written, flags=re.IGNORECASE))
    except shapely.errors.GEOSException:
        raise InvalidInput(
            f"{written[:60]!r} is no geometry; write it in WKT, as in geography'POINT(113.46 23.1)'"
        ) from None


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text[text.index("'") + 1 : -1])
    if found is None or not any(found.groups()[1:]):
        raise InvalidInput(f"{text[:60]!r} is no duration; write it as in duration'P1DT12H'")
    sign, days, hours, minutes, seconds = found.groups(default="0")
    try:
        whole = timedelta(int(days), float(seconds), minutes=int(minutes), hours=int(hours))
    except OverflowError:
        raise InvalidInput(f"the duration {text[:60]!r} is too long; take a shorter one") from None
    return -whole if sign == "-" else whole


_LITERALS: dict[str, Callable[[str], Plain]] = {
    "geometry": _geometry,
    "duration": _duration,
    "text": lambda text: text[1:-1].replace("''", "'"),
    "time": span,
    "date": str,
    "number": _number,
}
