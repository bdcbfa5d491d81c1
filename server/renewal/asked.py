"""What is asked of renewal: which day, as known when; and what its towns and units are called."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from fastapi import Query

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.renewal.words import Title
from cim_core.sight import Towns
from server.access.access import Access
from server.people import department_entry, town_entry

CHINA = timezone(timedelta(hours=8))
"""Where days begin and end."""

AtQuery = Annotated[
    str | None, Query(description="what was true that day, as 2026-03-31; today if not told")
]
KnownQuery = Annotated[
    str | None,
    Query(
        description="of that only what had been recorded by the end of a day (UTC+8), or by a moment "
        "as 2026-03-31T12:00:00+08:00; all if not told"
    ),
]

_DAY = re.compile(r"(19|20|21)\d\d-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class When:
    """The two times of a question: what was true that day, of what was recorded by a moment.

    known
        Milliseconds since 1970; None for all that is recorded.
    """

    at: date
    known: int | None = None


def when(city: City, at: str | None, known: str | None) -> When:
    """What `AtQuery` and `KnownQuery` say; raises `InvalidInput`."""
    day = today(city) if at is None else parse_day("at", at)
    return When(day, None if known is None else parse_known("known", known))


def today(city: City) -> date:
    """The day it is where days are counted, by the city's clock."""
    return datetime.fromtimestamp(city.renewal.file.now() / 1000, CHINA).date()


def parse_day(name: str, text: str) -> date:
    """A day as ISO 8601 has it; raises `InvalidInput` naming the parameter.

    >>> parse_day("at", "2026-03-31")
    datetime.date(2026, 3, 31)
    """
    if _DAY.fullmatch(text):
        with suppress(ValueError):  # the 30th of February, which is said below
            return date.fromisoformat(text)
    raise InvalidInput(
        f"{name}={text[:80]} is no day from 1900 to 2199; write it as in {name}=2026-03-31"
    )


def parse_known(name: str, text: str) -> int:
    """The end of a day (UTC+8), or a moment with its offset (RFC 3339), milliseconds since 1970.

    >>> parse_known("known", "1970-01-01"), parse_known("known", "1970-01-01T00:00:01Z")
    (57599999, 1000)
    """
    if _DAY.fullmatch(text):
        day = parse_day(name, text)
        begins = datetime(day.year, day.month, day.day, tzinfo=CHINA)
        return _milliseconds(begins) + 86_400_000 - 1
    moment: datetime | None = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None or not 1900 <= moment.year < 2200:
        raise InvalidInput(
            f"{name}={text[:80]} is neither a day nor a moment from 1900 to 2199; write it as in "
            f"{name}=2026-03-31 or {name}=2026-03-31T12:00:00Z"
        )
    return _milliseconds(moment)


def town_titles(city: City) -> Mapping[str, Title]:
    """What the towns that are seen are called, by id and in that order."""
    return {entry["id"]: entry["title"] for entry in town_entries(city)}


def town_entries(city: City) -> Sequence[Mapping[str, Any]]:
    """The towns that are seen: {"id", "title", "boundary"}, the last as GeoJSON or None."""
    seen = city.sight.towns
    towns = city.office.people.towns()
    return [town_entry(town) for town in towns if seen is None or town.id in seen]


def units(city: City) -> Sequence[Mapping[str, Any]]:
    """Who can be made to answer for something: the towns that are seen, and all departments."""
    departments = city.office.people.departments()
    return [
        *(
            {"id": town, "title": title, "kind": "town"}
            for town, title in town_titles(city).items()
        ),
        *({**department_entry(one), "kind": "department"} for one in departments),
    ]


def rights_of(access: Access) -> Mapping[str, Sequence[str] | Literal["all"]]:
    """For which towns somebody may do what of renewal: "all", or their ids."""
    return {
        **{verb: _told(access.towns(verb)) for verb in ("report", "order", "edit", "manage")},
        "households": _told(access.sight.households),
        "export": _told(access.export_sight.towns),
    }


def _told(towns: Towns) -> Sequence[str] | Literal["all"]:
    return "all" if towns is None else sorted(towns)


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
