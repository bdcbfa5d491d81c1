"""The query options of SensorThings, `$filter` and the others, also those in an `$expand`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cim_core.errors import InvalidInput
from server.sensorthings.expression import Expression, paths
from server.sensorthings.kinds import KINDS, Kind, way_of
from server.sensorthings.ordering import Ordering
from server.sensorthings.parser import parse, parse_orderings
from server.sensorthings.where import Key, key_of

USUAL, MOST = 100, 10_000
"""Entities of a page where nothing is asked for, and where more is asked for."""
_MOST_SKIPPED = 1_000_000
_DEEPEST = 8
_LONGEST = 20_000
"""Characters of an $expand, as of a $filter."""

IDS = ("id", "@iot.id")
_LINKS = ("selfLink", "@iot.selfLink")


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a set of entities, or of one.

    expands
        The ways to go on, and what is asked there.
    select
        Names of what is to be told; None: all.
    after
        The last observation of the page before.
    raw
        As it was asked, for the address of the next page.
    """

    filter: Expression | None = None
    orderings: tuple[Ordering, ...] = ()
    top: int = USUAL
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] | None = None
    expands: Mapping[str, "Options"] = field(default_factory=dict)
    after: Key | None = None
    arrays: bool = False
    raw: Mapping[str, str] = field(default_factory=dict)


def options_of(kind: Kind, raw: Mapping[str, str], depth: int = 0) -> Options:
    """The options of a question for entities of a kind; raises `InvalidInput`."""
    unknown = [name for name in raw if name.startswith("$") and name not in _KNOWN]
    if unknown:
        raise InvalidInput(
            f"there is no option {unknown[0][:40]!r}; take one of {', '.join(sorted(_KNOWN))}"
        )
    expression = parse(raw["$filter"]) if raw.get("$filter") else None
    orders = parse_orderings(raw["$orderby"]) if raw.get("$orderby") else []
    for looked in (*([expression] if expression else ()), *(key for key, _ in orders)):
        for path in paths(looked):
            check_path(kind, path.names)
    asked = raw.get("$resultFormat", "default")
    if asked.lower() not in ("default", "dataarray") or (
        asked.lower() == "dataarray" and kind.name != "Observations"
    ):
        raise InvalidInput(
            f"$resultFormat={asked[:40]} is not there; take dataArray for observations, or leave it out"
        )
    return Options(
        expression,
        tuple(Ordering(key, falling) for key, falling in orders),
        min(_number(raw, "$top", USUAL), MOST),
        _number(raw, "$skip", 0),
        _truth(raw),
        _selected(kind, raw.get("$select")),
        _expands(kind, raw.get("$expand", ""), depth),
        _after(raw.get("$skiptoken")),
        asked.lower() == "dataarray",
        dict(raw),
    )


def check_path(kind: Kind, names: tuple[str, ...]) -> None:
    """Raise `InvalidInput` for a path that cannot lead to anything."""
    while names[1:] and names[0] in kind.ways:
        kind, names = KINDS[kind.ways[names[0]].to], names[1:]
    if names[0] not in (*kind.properties, *kind.ways, *IDS):
        raise InvalidInput(
            f"{kind.name} have no property {names[0][:40]!r}; take one of id, "
            f"{', '.join((*kind.properties, *kind.ways))}"
        )


def _number(raw: Mapping[str, str], name: str, usual: int) -> int:
    text = raw.get(name)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_SKIPPED:
        raise InvalidInput(
            f"{name}={text[:40]} is no number from 0 to {_MOST_SKIPPED:,}; correct it"
        )
    return int(text)


def _truth(raw: Mapping[str, str]) -> bool:
    text = raw.get("$count", "false")
    if text.lower() not in ("true", "false"):
        raise InvalidInput(f"$count={text[:40]} is neither true nor false; take one of them")
    return text.lower() == "true"


def _selected(kind: Kind, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.split("/")[0] not in (*kind.properties, *kind.ways, *IDS, *_LINKS):
            raise InvalidInput(
                f"$select: {kind.name} have no property {name[:40]!r}; take some of id, selfLink, "
                f"{', '.join((*kind.properties, *kind.ways))}"
            )
    return tuple(names)


def _after(text: str | None) -> Key | None:
    if text is None:
        return None
    key = key_of(text)
    if key is None:
        raise InvalidInput(
            f"$skiptoken={text[:40]} is not one of this server; begin with the first page"
        )
    return key


def _expands(kind: Kind, text: str, depth: int) -> dict[str, Options]:
    if text and depth >= _DEEPEST:
        raise InvalidInput(f"$expand goes on more than {_DEEPEST} times; ask in several questions")
    if len(text) > _LONGEST:
        raise InvalidInput(
            f"$expand has more than {_LONGEST:,} characters; ask in several questions"
        )
    asked: dict[str, dict[str, str]] = {}
    further: dict[str, list[str]] = {}
    for part in _split(text, ","):
        name, inner = _head(part)
        first, slash, rest = name.partition("/")
        way_of(kind, first)
        # `Datastreams/Observations(…)` is `Datastreams($expand=Observations(…))`
        raw = {"$expand": rest + (f"({inner})" if inner else "")} if slash else dict(_inner(inner))
        further.setdefault(first, []).append(raw.pop("$expand", ""))
        asked.setdefault(first, {}).update(raw)
    found: dict[str, Options] = {}
    for name, raw in asked.items():  # once for `Datastreams,Datastreams/Sensor`
        inside = ",".join(part for part in further[name] if part)
        whole = {**raw, "$expand": inside} if inside else raw
        found[name] = options_of(KINDS[kind.ways[name].to], whole, depth + 1)
    return found


def _head(part: str) -> tuple[str, str]:
    """`Datastreams($top=1)` as its name and what stands in the parentheses."""
    found = re.fullmatch(r"([\w/]+)(?:\((.*)\))?", part.strip(), re.DOTALL)
    if found is None:
        raise InvalidInput(
            f"$expand cannot be read at {part[:60]!r}; write it as in Datastreams($top=1;$select=name)"
        )
    return found[1], found[2] or ""


def _inner(text: str) -> Iterator[tuple[str, str]]:
    for part in _split(text, ";"):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise InvalidInput(
                f"$expand cannot be read at {part[:60]!r}; write options as in $top=1;$select=name"
            )
        yield name, value


def _split(text: str, sign: str) -> Iterator[str]:
    """Pieces between signs that stand in no parentheses and no quotes."""
    depth, quoted, begin = 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += (letter == "(") - (letter == ")")
            if letter == sign and depth == 0:
                yield text[begin:place]
                begin = place + 1
    if text[begin:].strip():
        yield text[begin:]


_KNOWN = frozenset(
    ("$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$skiptoken",
     "$resultFormat")
)  # fmt: skip
