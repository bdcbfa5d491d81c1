"""What a sign was at a moment, part by part, and which part moved it since another."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.checkup.indicator import Text
from analysis.checkup.measured import Status
from analysis.vital_signs.definitions import SignDefinition, change_words, reason_text

Words = Mapping[str, str]
Total = Callable[[float, float], float]
"""A value of a numerator and a denominator; NaN where there is none."""

_HOUR, _DAY = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sign, as a class of devices or a road; both numbers add up over parts."""

    title: Words
    numerator: float
    denominator: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sign was at a moment.

    parts
        By whatever they are known by.
    total
        Makes the value of the sums over the parts.
    reason
        Why there is no value, or only one of a part: {"en", "zh"}.
    layers
        That were looked at.
    """

    parts: Mapping[str, Part]
    total: Total
    status: Status
    reason: Words | None = None
    layers: tuple[str, ...] = field(default=())

    @property
    def value(self) -> float:
        """NaN where there is none."""
        return math.nan if self.status == "unavailable" else _value(self.parts, self.total)


def unavailable(reason: str, layers: tuple[str, ...] = ()) -> Reading:
    """No value, for a reason of `signs.toml`."""
    return Reading({}, count, "unavailable", reason_text(reason), layers)


def ready(parts: Mapping[str, Part], total: Total, layers: tuple[str, ...] = ()) -> Reading:
    """A value of all there is to know."""
    return Reading(parts, total, "ready", None, layers)


def of_a_part(
    parts: Mapping[str, Part], total: Total, layers: tuple[str, ...], reason: str, **given: int
) -> Reading:
    """A value of only a part, for a reason of `signs.toml` with the numbers that it names."""
    told = {name: {"en": str(number), "zh": str(number)} for name, number in given.items()}
    return Reading(parts, total, "partial", _filled(reason_text(reason), **told), layers)


def count(numerator: float, denominator: float) -> float:
    """The numerators, added up.

    >>> count(3.0, 7.0)
    3.0
    """
    return numerator


def percent(numerator: float, denominator: float) -> float:
    """The share that numerators are of denominators.

    >>> percent(3.0, 4.0), percent(0.0, 0.0)
    (75.0, nan)
    """
    return 100.0 * numerator / denominator if denominator else math.nan


def explained(sign: SignDefinition, old: Reading, new: Reading, span: int) -> Words:
    """The change between two readings, `span` milliseconds apart, and the part that made most of it.

    What a part did is what the value would be, had it alone changed.
    """
    change = round(new.value, sign.decimals) - round(old.value, sign.decimals)
    if math.isnan(change):
        return change_words("none")
    long = {"en": _span(span, "en"), "zh": _span(span, "zh")}
    if change == 0:
        return _filled(change_words("same"), span=long)
    by = f"{abs(change):.{sign.decimals}f}"
    whole = change_words("up" if change > 0 else "down")
    told = _filled(whole, by={"en": by, "zh": by}, unit=sign.unit.model_dump(), span=long)
    found = moving(old, new, 1 if change > 0 else -1)
    if found is None:
        return _joined(told, change_words("alone"))
    title = (new.parts.get(found) or old.parts[found]).title
    values = {
        name: said
        for name, reading in (("before", old), ("after", new))
        if (said := _said(sign, reading, found)) is not None
    }
    which = "mostly" if len(values) == 2 else "mostly_gone" if "before" in values else "mostly_new"
    return _joined(told, _filled(change_words(which if values else "alone"), part=title, **values))


def moving(old: Reading, new: Reading, direction: int) -> str | None:
    """The part that moved the value most up (1) or down (-1); None where none did."""
    begun = old.value
    best: tuple[float, str] | None = None
    for key in sorted({*old.parts, *new.parts}):
        other = {**old.parts}
        other.pop(key, None)
        if key in new.parts:
            other[key] = new.parts[key]
        moved = direction * (_value(other, new.total) - begun)
        if moved > 1e-12 and (best is None or moved > best[0]):
            best = moved, key
    return None if best is None else best[1]


def _value(parts: Mapping[str, Part], total: Total) -> float:
    sums = [
        sum(getattr(part, name) for part in parts.values()) for name in ("numerator", "denominator")
    ]
    return total(*sums)


def _said(sign: SignDefinition, reading: Reading, key: str) -> Words | None:
    """What a part alone comes to; None where it is not there, or comes to nothing."""
    part = reading.parts.get(key)
    value = math.nan if part is None else reading.total(part.numerator, part.denominator)
    if math.isnan(value):
        return None
    text = f"{value:.{sign.decimals}f}"
    return {"en": text, "zh": text}


def _span(span: int, language: str) -> str:
    """How long it is, as people say it.

    >>> _span(5_400_000, "en"), _span(172_800_000, "zh"), _span(900_000, "zh")
    ('1.5 h', '2天', '15分钟')
    """
    for length, en, zh in ((_DAY, " d", "天"), (_HOUR, " h", "小时"), (60_000, " min", "分钟")):
        if span >= length:
            return f"{round(span / length, 1):g}{en if language == 'en' else zh}"
    return f"{span // 1000:g}{' s' if language == 'en' else '秒'}"


def _filled(words: Words, **given: Words) -> Words:
    return {
        language: words[language].format(**{name: said[language] for name, said in given.items()})
        for language in ("en", "zh")
    }


def _joined(one: Words, other: Words) -> Words:
    # A unit may be empty, which leaves two blanks.
    return {
        language: " ".join(one[language].split()) + other[language] for language in ("en", "zh")
    }


def titled(text: Text | Words | str) -> Words:
    """Words of both languages of whatever names something."""
    if isinstance(text, str):
        return {"en": text, "zh": text}
    return text.model_dump() if isinstance(text, Text) else text
