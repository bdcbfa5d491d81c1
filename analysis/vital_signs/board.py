"""The vital signs of a city at a moment: values, states, trends, and what moved them."""

import math
import time
from dataclasses import dataclass
from typing import Literal

from analysis.checkup.measured import Status
from analysis.vital_signs.definitions import SignDefinition, change_words, city_signs
from analysis.vital_signs.formulas import FORMULAS
from analysis.vital_signs.moments import Asked
from analysis.vital_signs.reading import Reading, Words, explained
from cim_core.city import City
from cim_core.feature import Value
from cim_core.kept import kept
from cim_core.progress import Progress

State = Literal["normal", "attention", "alarm", "unknown"]

_DAY = 86_400_000
MINUTE = 60_000
"""Signs are of whole minutes, so that all who ask in one get the same answer, made once."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A vital sign at a moment.

    value
        None where there is none.
    reason_text
        Why there is none, or only that of a part.
    state
        "unknown" without a value; "normal" also where nothing says what is good.
    trend
        Milliseconds since 1970 and values, the oldest first, the moment itself last; only those
        that are known.
    change
        Since the point of the trend before, None without one.
    explanation
        What moved it.
    layers
        That it was made of.
    """

    code: str
    definition: SignDefinition
    value: float | None
    status: Status
    reason_text: Words | None
    state: State
    trend: tuple[tuple[int, float], ...]
    change: float | None
    explanation: Words
    layers: tuple[str, ...]

    def as_dict(self) -> dict[str, Value]:
        """The sign as it is served."""
        said = self.definition
        thresholds: dict[str, Value] | None = None
        if said.attention is not None:
            thresholds = {
                "attention": said.attention, "alarm": said.alarm, "direction": said.direction,
            }  # fmt: skip
        return {
            "code": self.code, "name": said.name.model_dump(), "unit": said.unit.model_dump(),
            "decimals": said.decimals, "value": self.value, "status": self.status,
            "reason_text": dict(self.reason_text) if self.reason_text else None,
            "state": self.state, "thresholds": thresholds,
            "trend": [[at, value] for at, value in self.trend], "change": self.change,
            "explanation": dict(self.explanation), "method": said.method.model_dump(),
            "source": said.source, "confidence": said.confidence,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Board:
    """All signs at a moment, milliseconds since 1970, a whole minute."""

    at: int
    signs: tuple[Sign, ...]


def vital_signs(city: City, at: int | None = None, progress: Progress | None = None) -> Board:
    """The signs of a city as it is seen, by what was known before a moment; now if None.

    at
        Milliseconds since 1970; the whole minute before it counts. Whoever asks again for that
        minute gets the same. Raises `InvalidInput` for a vital-signs.toml that is wrong.
    """
    moment = time.time_ns() // 1_000_000 if at is None else at
    (progress or Progress()).ask()
    return _board(_Whole(Asked(city, moment - moment % MINUTE)))


class _Whole:
    """Whose signs, of which moment; equal only as long as the city has the same signs."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.signs = asked, city_signs(asked.city.folder)
        self.key = asked.key, tuple(repr(sign) for sign in self.signs.values())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Whole) and self.key == other.key


@kept(8)
def _board(whole: _Whole) -> Board:
    signs = tuple(_sign(code, sign, whole.asked) for code, sign in whole.signs.items())
    return Board(whole.asked.moment, signs)


def _sign(code: str, sign: SignDefinition, asked: Asked) -> Sign:
    now = _read(sign, asked, asked.moment)
    past = [(at, _read(sign, asked, at)) for at in _moments(sign, asked.moment)]
    trend = [(at, round(one.value, sign.decimals)) for at, one in past if not math.isnan(one.value)]
    value = None if math.isnan(now.value) else round(now.value, sign.decimals)
    if value is not None and sign.trend is not None:
        trend.append((asked.moment, value))
    change, explanation = None, now.reason or change_words("none")
    if value is not None and past:
        at, before = past[-1]
        explanation = explained(sign, before, now, asked.moment - at)
        if not math.isnan(before.value):
            change = round(value - round(before.value, sign.decimals), sign.decimals)
    return Sign(
        code, sign, value, now.status, now.reason, _state(sign, value), tuple(trend), change,
        explanation, now.layers,
    )  # fmt: skip


def _read(sign: SignDefinition, asked: Asked, at: int) -> Reading:
    return FORMULAS[sign.formula.name](asked, at, **sign.formula.told)


def _moments(sign: SignDefinition, moment: int) -> list[int]:
    """The moments of the past that a trend tells of, the last a step ago at least.

    Those of hours and minutes are whole, so that what they are made of is looked up once.
    """
    if sign.trend is None:
        return []
    step = 1000 * sign.trend.step
    last = moment - step - (moment % step if step < _DAY else 0)
    return [last - number * step for number in reversed(range(sign.trend.points))]


def _state(sign: SignDefinition, value: float | None) -> State:
    """How bad a value is, thresholds themselves being good enough."""
    if value is None:
        return "unknown"
    if sign.attention is None or sign.alarm is None:
        return "normal"
    way = 1 if sign.direction == "lower" else -1
    if way * value > way * sign.alarm:
        return "alarm"
    return "attention" if way * value > way * sign.attention else "normal"
