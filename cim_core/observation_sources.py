"""`[sources.NAME]` of `city.toml`: where observations come from, and what their senders leave unsaid."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from cim_core.city_file import FILE_NAME
from cim_core.errors import InvalidInput, NotFound
from cim_core.shifted import SHIFTS, Shift

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"

_ENTRIES = ("crs_tag", "time_zone", "topics", "title")
_PART = re.compile(r"\{(\w+)\}")
_PARTS = ("object", "device", "metric")
"""What a pattern of topics may take out of them; the first two are the same thing."""


@dataclass(frozen=True)
class ObservationSource:
    """Where observations come from.

    crs_tag
        In what degrees it gives positions; None for one that gives none.
    time_zone
        Of times that say none, as in Asia/Shanghai.
    topics
        MQTT topics it sends under, with parts in braces, `cim/{district}/{domain}/{object}/{metric}`.
    """

    name: str
    title: str = ""
    crs_tag: Shift | None = None
    time_zone: ZoneInfo | None = None
    topics: tuple[str, ...] = ()

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """What its topics are recognised by; groups `object`, and `metric` where topics name it."""
        return tuple(re.compile(_pattern(topic)) for topic in self.topics)

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to for its topics.

        >>> ObservationSource("a", topics=("/sys/{key}/{device}/thing/event/property/post",)).filters
        ('/sys/+/+/thing/event/property/post',)
        """
        return tuple(_PART.sub("+", topic) for topic in self.topics)


USUAL = {
    "http": ObservationSource("http"),
    "sensorthings": ObservationSource("sensorthings", crs_tag="WGS84"),  # GeoJSON has no other
    "mqtt": ObservationSource(
        "mqtt", topics=(
            "cim/{district}/{domain}/{object}/{metric}",
            "/sys/{productKey}/{device}/thing/event/property/post",
        ),
    ),
}  # fmt: skip
"""What there is in any city; an entry of the same name takes its place."""


class ObservationSources:
    """The sources of one city, read again when the file changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._read: tuple[tuple[int, int], Mapping[str, ObservationSource]] | None = None

    def all(self) -> Mapping[str, ObservationSource]:
        """Those of the city and the usual ones, by name; raises `InvalidInput` naming a wrong entry."""
        stat = self._path.stat()
        stamp = stat.st_mtime_ns, stat.st_size
        read = self._read
        if read is None or read[0] != stamp:
            read = self._read = stamp, {**USUAL, **_sources(self._path)}
        return read[1]

    def get(self, name: str) -> ObservationSource:
        """One of them; raises `NotFound`."""
        found = self.all().get(name)
        if found is None:
            raise NotFound(
                f"there is no source {name!r} of observations in this city; write it into {FILE_NAME} "
                "under [sources]"
            )
        return found


def _sources(path: Path) -> dict[str, ObservationSource]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8")).get("sources", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error
    if not isinstance(told, dict):
        raise _wrong(path, "sources", "give one table for each source, as in [sources.gateway]")
    return {name: _source(path, name, entry) for name, entry in told.items()}


def _source(path: Path, name: str, entry: Any) -> ObservationSource:
    place = f"sources.{name}"
    if not re.match(NAME, name) or not isinstance(entry, dict):
        raise _wrong(path, place, "give a table with a name of small letters, digits, - and _")
    for word in entry:
        if word not in _ENTRIES:
            raise _wrong(path, f"{place}.{word}", f"give some of {', '.join(_ENTRIES)}")
    usual = USUAL.get(name, ObservationSource(name))
    tag = entry.get("crs_tag", usual.crs_tag)
    if tag is not None and tag not in SHIFTS:
        raise _wrong(path, f"{place}.crs_tag", f"give one of {', '.join(SHIFTS)}")
    topics = entry.get("topics", list(usual.topics))
    if not isinstance(topics, list):
        raise _wrong(path, f"{place}.topics", "give a list of topics")
    for topic in topics:
        if not isinstance(topic, str) or not _is_pattern(topic):
            raise _wrong(
                path,
                f"{place}.topics",
                "give topics one whole level of which stands for the object, without + and #",
            )
    return ObservationSource(
        name, str(entry.get("title", "")), cast("Shift | None", tag),
        _zone(path, f"{place}.time_zone", entry.get("time_zone")), tuple(topics),
    )  # fmt: skip


def _zone(path: Path, place: str, name: Any) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError) as error:
        raise _wrong(path, place, "give the name of a time zone, as in Asia/Shanghai") from error


def _is_pattern(topic: str) -> bool:
    """Whether a topic names one object, in levels that are a placeholder or plain, with no wildcard."""
    levels = topic.split("/")
    parts = [level[1:-1] for level in levels if _PART.fullmatch(level)]
    plain = [level for level in levels if not _PART.fullmatch(level)]
    return (
        len(set(parts)) == len(parts)
        and sum(part in ("object", "device") for part in parts) == 1
        and not any(sign in level for level in plain for sign in "{}+#")
    )


def _pattern(topic: str) -> str:
    levels = []
    for level in topic.split("/"):
        found = _PART.fullmatch(level)
        if found is None:
            levels.append(re.escape(level))
        elif found[1] in _PARTS:
            levels.append(f"(?P<{'object' if found[1] == 'device' else found[1]}>[^/]+)")
        else:
            levels.append("[^/]+")
    return "/".join(levels) + r"\Z"


def _wrong(path: Path, place: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"{path}: {place} is wrong; {remedy}")
