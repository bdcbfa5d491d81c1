"""The rules of alarms: the program's own in `rules.toml` beside this file, a city's in its `alarms.toml`.

A city's file adds rules, changes entries of the program's by their ids, and switches rules off.
"""

import logging
import math
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

from cim_core.alarms.rule import PLACEHOLDERS, Direction, Kind, Rule
from cim_core.errors import InvalidInput
from cim_core.observations import Stream

FILE_NAME = "alarms.toml"

_log = logging.getLogger(__name__)

_TEXTS = ("title", "message")
_PATTERNS = {"class": "classes", "property": "properties", "layer": "layers", "key": "keys"}
_DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
_LIMITED = frozenset((*_DIRECTIONS, "clear"))
_COMMON = frozenset(
    ("kind", "level", "alarm", "source", "confidence", "off", *_TEXTS, *_PATTERNS)
)  # fmt: skip
_NEEDED: Mapping[Kind, frozenset[str]] = {
    "threshold": frozenset(),
    "rate": frozenset(("window", "per")),
    "silence": frozenset(("intervals",)),
    "neighbourhood": frozenset(("window", "at_least", "of", "rings", "resolution")),
}
_ALLOWED: Mapping[Kind, frozenset[str]] = {
    "threshold": _LIMITED | {"for"},
    "rate": _LIMITED | {"for"},
    "silence": frozenset(),
    "neighbourhood": _LIMITED | {"per"},
}
_NUMBERS: Mapping[str, tuple[float, float, bool]] = {
    "level": (1, 4, True),
    "above": (-math.inf, math.inf, False),
    "below": (-math.inf, math.inf, False),
    "clear": (-math.inf, math.inf, False),
    "for": (0, 86_400, False),
    "window": (1, 7 * 86_400, False),
    "per": (1, 86_400, False),
    "intervals": (1, 10_000, False),
    "at_least": (1, 100, True),
    "of": (1, 100, True),
    "rings": (0, 20, True),
    "resolution": (0, 15, True),
}
"""The least and the most of each field that is a number, and whether it is a whole one."""

_WAYS = {"read", "known", "own"}


@lru_cache
def default_rules() -> dict[str, Rule]:
    """The rules that the program brings, by id, in the order of the file."""
    entries = _default_entries()
    return {name: _rule(name, entry, "rules.toml", "program") for name, entry in entries.items()}


@lru_cache
def _default_entries() -> dict[str, dict[str, Any]]:
    text = files("cim_core.alarms").joinpath("rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@lru_cache
def defaults() -> dict[str, Any]:
    """How alarms are handled: `defaults.toml`."""
    text = files("cim_core.alarms").joinpath("defaults.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def city_rules(folder: Path) -> dict[str, Rule]:
    """The rules that hold in a city, by id; raises `InvalidInput` naming file, rule and field."""
    path = folder / FILE_NAME
    if not path.is_file():
        return dict(default_rules())
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error
    return combined(own, str(path))


def combined(own: Mapping[str, Any], where: str) -> dict[str, Rule]:
    """The program's rules as a city's entries change them; `where` names the source in errors."""
    known = _default_entries()
    rules = dict(default_rules())
    for name, entry in own.items():
        if not isinstance(entry, dict):
            raise InvalidInput(
                f"{where}: {name!r} is no alarm rule; write [{name}] and below it the rule's fields"
            )
        if not isinstance(entry.get("off", False), bool):
            _wrong(where, name, "off", "is neither true nor false", "write off = true")
        if entry.get("off"):
            if name not in known and len(entry) == 1:
                _wrong(where, name, "off", "switches off a rule that does not exist",
                       "`cim alarms rules` lists them")  # fmt: skip
            rules.pop(name, None)
            continue
        merged = _merged(known.get(name, {}), entry)
        rules[name] = _rule(name, merged, where, "changed" if name in known else "city")
    _check_names(rules.values(), where)
    return rules


def _merged(before: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """A rule's entries with a city's over them; a limit of the other direction replaces its own."""
    merged = {**before, **entry}
    for given, other in (_DIRECTIONS, _DIRECTIONS[::-1]):
        if given in entry and other in before and other not in entry:
            del merged[other]
            if "clear" not in entry:
                merged.pop("clear", None)
    return merged


def _rule(name: str, entry: Mapping[str, Any], where: str, origin: Any) -> Rule:
    kind = entry.get("kind")
    if kind not in _NEEDED:
        _wrong(where, name, "kind", f"cannot be {kind!r}", f"write one of {', '.join(_NEEDED)}")
    kind = cast("Kind", kind)
    needed = _NEEDED[kind] | {"level", "source", "confidence", *_TEXTS}
    allowed = _COMMON | _NEEDED[kind] | _ALLOWED[kind]
    for field in entry:
        if field not in allowed:
            _wrong(where, name, field, f"is no field of a {kind} rule",
                   f"it takes {', '.join(sorted(allowed))}")  # fmt: skip
    for field in sorted(needed):
        if field not in entry:
            _wrong(where, name, field, "is missing", f"every {kind} rule needs it")
    for field in _NUMBERS.keys() & entry.keys():
        _check_number(where, name, field, entry[field])
    for field in _TEXTS:
        _check_text(where, name, field, entry[field])
    if entry["confidence"] not in _WAYS:
        _wrong(where, name, "confidence", f"cannot be {entry['confidence']!r}",
               "write read, known or own")  # fmt: skip
    for field in ("source", "alarm"):
        if not isinstance(entry.get(field, "-"), str) or not entry.get(field, "-"):
            _wrong(where, name, field, "is no text", "write words between quotation marks")
    patterns = {
        into: _patterns(where, name, field, entry.get(field, ()))
        for field, into in _PATTERNS.items()
    }
    if kind != "silence" and not (patterns["properties"] or patterns["keys"]):
        _wrong(where, name, "property", "is missing", "say by property or key what it looks at")
    direction, limit, clear = _limits(where, name, kind, entry)
    if kind == "neighbourhood" and entry["at_least"] > entry["of"]:
        _wrong(where, name, "at_least", f"is more than of = {entry['of']}",
               "so many cannot be among them; give a smaller number")  # fmt: skip
    return Rule(
        name, str(entry.get("alarm", name)), kind, entry["level"], entry["title"],
        entry["message"], entry["source"], entry["confidence"], origin,
        direction=direction, limit=limit, clear=clear,
        hold=round(1000 * entry.get("for", 0)), window=round(1000 * entry.get("window", 0)),
        per=float(entry.get("per", 0)), intervals=float(entry.get("intervals", 0)),
        at_least=entry.get("at_least", 0), of=entry.get("of", 0),
        rings=entry.get("rings", 0), resolution=entry.get("resolution", 0), **patterns,
    )  # fmt: skip


def _limits(
    where: str, name: str, kind: Kind, entry: Mapping[str, Any]
) -> tuple[Direction, float, float]:
    if kind == "silence":
        return "above", math.nan, math.nan
    given = [direction for direction in _DIRECTIONS if direction in entry]
    if len(given) != 1:
        _wrong(where, name, "above", "or below must be given, and not both", "keep one of them")
    direction = given[0]
    limit = float(entry[direction])
    clear = float(entry.get("clear", limit))
    if (clear > limit) if direction == "above" else (clear < limit):
        _wrong(where, name, "clear", f"({clear:g}) lies beyond {direction} = {limit:g}",
               "give a value that is reached on the way back")  # fmt: skip
    return direction, limit, clear


def _check_number(where: str, name: str, field: str, value: object) -> None:
    least, most, whole = _NUMBERS[field]
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if (
        not fits
        or not math.isfinite(cast("float", value))
        or not least <= cast("float", value) <= most
    ):
        what = "a whole number" if whole else "a number"
        between = f" from {least:g} to {most:g}" if math.isfinite(least) else ""
        _wrong(where, name, field, f"cannot be {value!r}", f"give {what}{between}")


def _check_text(where: str, name: str, field: str, value: object) -> None:
    if not isinstance(value, dict) or set(value) != {"en", "zh"} or not all(
        isinstance(text, str) and text for text in value.values()
    ):  # fmt: skip
        _wrong(where, name, field, "needs words in both languages",
               f'write {field} = {{ en = "…", zh = "…" }}')  # fmt: skip
    for text in cast("dict[str, str]", value).values():
        try:
            parts = [part for _, *part in string.Formatter().parse(text) if part[0] is not None]
            used = {f"{name}:{spec}" if spec or way else str(name) for name, spec, way in parts}
        except ValueError:
            used = {text}
        if not used <= (PLACEHOLDERS if field == "message" else set()):
            _wrong(where, name, field, f"has the unknown placeholder {{{min(used - PLACEHOLDERS, default='')}}}",
                   f"those of a message are {', '.join(sorted(PLACEHOLDERS))}")  # fmt: skip


def _patterns(where: str, name: str, field: str, value: object) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(p, str) and p for p in found):
        _wrong(where, name, field, f"cannot be {value!r}", 'write "…", or ["…", "…"] for several')
    return tuple(cast("Iterable[str]", found))


def _check_names(rules: Iterable[Rule], where: str) -> None:
    kinds: dict[str, Rule] = {}
    for rule in rules:
        first = kinds.setdefault(rule.name, rule)
        if (first.kind == "silence") != (rule.kind == "silence"):
            _wrong(where, rule.id, "alarm", f"joins it with the rule {first.id}, and only one of them is of silence",
                   "give it a name of its own")  # fmt: skip


def _wrong(where: str, rule: str, field: str, what: str, remedy: str) -> NoReturn:
    raise InvalidInput(f"{where}, alarm rule {rule}: {field} {what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a chart draws of a rule: a line at `value`, and on which side of it the alarm is."""

    level: int
    value: float
    direction: Direction
    rule: str


def limits_of(rules: Iterable[Rule], stream: Stream) -> list[Limit]:
    """The thresholds that a datastream's values are held against, the mildest first."""
    found = [
        Limit(rule.level, rule.limit, rule.direction, rule.id)
        for rule in rules
        if rule.kind == "threshold" and rule.speaks_of(stream)
    ]
    return sorted(found, key=lambda limit: (limit.level, limit.value))


class RuleBook:
    """The rules of a city, read again when its file changes.

    problem
        Why the file as it is now cannot be used, None if it can; the rules before it hold then, or
        the program's own.
    version
        Grows with every change.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int, int] | None = None
        self._rules = default_rules()
        self.problem: str | None = None
        self.version = 0
        self.refresh()

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Those that hold, by id, as `refresh` last found them."""
        return self._rules

    def refresh(self) -> bool:
        """Look at the file again; whether anything is different now."""
        try:
            status = (self._folder / FILE_NAME).stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        except FileNotFoundError:
            stamp = (0, 0, 0)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._rules, self.problem = city_rules(self._folder), None
        except InvalidInput as error:
            self.problem = error.sentence
            _log.error("the alarm rules stay as they were: %s", error.sentence)
        self.version += 1
        return True
