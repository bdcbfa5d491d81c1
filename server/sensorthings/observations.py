"""Observations that clients send, one by one or as a data array, as the recorder takes them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cim_core.errors import CimError, InvalidInput
from cim_core.feature import Value
from cim_core.observations import More
from server.given import Given
from server.sensorthings.bodies import New, new_entity, reference
from server.sensorthings.entities import Id
from server.sensorthings.kinds import KINDS
from server.sensorthings.times import instant, span

MOST = 20_000
"""Observations of one data array."""

_KIND = KINDS["Observations"]
_COMPONENTS = (*_KIND.properties, "FeatureOfInterest/id", "FeatureOfInterest/@iot.id", "id")


@dataclass(slots=True)
class Sent:
    """One observation, before it is recorded.

    result
        A number, or what is none in `odd`.
    """

    datastream: int
    time: int
    result: float
    odd: Value = None
    more: dict[str, Value] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """By which id it will be found: its datastream and its time."""
        return f"{self.datastream}-{self.time}"


def sent(datastream: int, body: Mapping[str, Value], now: int, feature: int | None = None) -> Sent:
    """An observation out of its checked properties; raises `InvalidInput`.

    now
        When it was where it does not say so, milliseconds since 1970.
    """
    if "result" not in body:
        raise InvalidInput("an Observation needs 'result'; send it")
    result = body["result"]
    told = body.get("phenomenonTime")
    when = None if told is None else span(told)
    found = Sent(datastream, now if when is None else when.start, math.nan)
    if isinstance(result, int | float) and not isinstance(result, bool):
        found.result = _float(result)
    else:
        found.odd = result
    if when is not None and when.end != when.start:
        found.more["phenomenonEnd"] = when.end
    if body.get("resultTime") is not None:
        found.more["resultTime"] = instant(body["resultTime"])
    if body.get("validTime") is not None:
        valid = span(body["validTime"])
        found.more["validTime"] = [valid.start, valid.end]
    for name in ("resultQuality", "parameters"):
        if body.get(name) is not None:
            found.more[name] = body[name]
    if feature is not None:
        found.more["feature"] = feature
    return found


def given_of(observations: Sequence[Sent]) -> Given:
    """Observations in the columns that the recorder takes."""
    odd = {row: one.odd for row, one in enumerate(observations) if math.isnan(one.result)}
    more: dict[int, More] = {row: one.more for row, one in enumerate(observations) if one.more}
    return Given(
        [one.datastream for one in observations],
        np.array([one.time for one in observations], np.int64),
        np.array([one.result for one in observations], np.float64),
        odd=odd, more=more, size=100 * len(observations),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a data array: its datastream, and the observation or what is wrong with it."""

    datastream: Id
    new: New | None
    feature: Id | None
    error: str = ""


def rows_of(given: object) -> Iterator[Row]:
    """The rows of `CreateObservations`; raises `InvalidInput` for what is no data array."""
    groups = given.get("value") if isinstance(given, dict) else given
    if not isinstance(groups, list):
        raise InvalidInput(
            "CreateObservations takes a list of objects with Datastream, components and dataArray; "
            "send one"
        )
    count = 0
    for group in groups:
        datastream = reference(group.get("Datastream")) if isinstance(group, dict) else None
        if datastream is None:
            raise InvalidInput(
                "each part of a data array says of which datastream it is; send Datastream, with its "
                "@iot.id"
            )
        components, rows = group.get("components"), group.get("dataArray")
        if not isinstance(components, list) or not isinstance(rows, list):
            raise InvalidInput("each part of a data array has components and dataArray; send both")
        unknown = [name for name in components if name not in _COMPONENTS]
        if unknown:
            raise InvalidInput(
                f"{str(unknown[0])[:60]!r} is no component of a data array; take some of "
                f"{', '.join(_COMPONENTS)}"
            )
        count += len(rows)
        if count > MOST:
            raise InvalidInput(f"a data array may have {MOST:,} observations; send them in several")
        yield from (_row(datastream, components, row) for row in rows)


def _row(datastream: Id, components: Sequence[str], row: object) -> Row:
    if not isinstance(row, list) or len(row) != len(components):
        return Row(datastream, None, None, "a row has as many values as there are components")
    told = dict(zip(components, row, strict=True))
    feature = told.pop("FeatureOfInterest/id", None) or told.pop("FeatureOfInterest/@iot.id", None)
    told.pop("id", None)
    try:
        return Row(datastream, new_entity(_KIND, told), feature)
    except CimError as error:
        return Row(datastream, None, None, error.sentence)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf
