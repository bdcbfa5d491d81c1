"""Alarms as they are served: who may answer them, the rules they come of, and what is near one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import shapely

from cim_core.alarms.alarm import Alarm, AlarmEvent
from cim_core.alarms.rule import LEVELS, Rule
from cim_core.alarms.rules import FILE_NAME, RuleBook, defaults
from cim_core.city import City
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.receipt import operating_system_user
from cim_core.sight import Sight
from cim_core.store.features import FeatureRow
from cim_core.store.live_alarms import Respond
from cim_core.vicinity import box_around, distances, laid_flat
from server.access.access import Access
from server.access.taking import Taking
from server.zh import in_chinese


def who(access: Access) -> str:
    """The name that an answer to an alarm is kept under."""
    return access.doer.name if access.doer else operating_system_user()


def shows(taking: Taking, alarms: Iterable[Alarm]) -> None:
    """Count the places of alarms that are shown, and note their layers."""
    places: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for alarm in alarms:
        thing = alarm.thing
        taking.note.looked_at([thing.layer])
        if thing.lon is not None and thing.lat is not None:
            places[thing.layer].append((thing.lon, thing.lat))
    for layer, some in places.items():
        taking.shows_places(layer, some)


def event_document(event: AlarmEvent, sight: Sight) -> dict[str, Value]:
    """What happened to an alarm, as it is served; what the program itself noted also in Chinese."""
    chinese = in_chinese(event.note) if event.who is None else None
    return {**event.document(sight), **({"note_zh": chinese} if chinese else {})}


def may_respond(access: Access) -> Respond:
    """What raises `Forbidden` or `SignInNeeded` where somebody may not answer an alarm they see."""

    def may(alarm: Alarm) -> None:
        access.require("respond", alarm.thing.layer)

    return may


def rules_document(book: RuleBook, access: Access | None = None) -> dict[str, Any]:
    """The rules that hold, as somebody may know of them; all of them where nobody is named.

    Rules that are for layers alone that somebody does not see are left out, and so are the names of
    these. Keys of datastreams, and why the city's file cannot be used, are for those who may
    `manage`.
    """
    book.refresh()
    told = [
        _rule_for(rule_document(rule), access) if access else rule_document(rule)
        for rule in book.rules.values()
    ]
    return {
        "rules": [one for one in told if one is not None],
        "levels": [{"level": level, "title": dict(title)} for level, title in LEVELS.items()],
        "file": FILE_NAME,
        "problem": book.problem if access is None or access.may("manage") else None,
    }


def _rule_for(document: dict[str, Any], access: Access) -> dict[str, Any] | None:
    """A rule as somebody may know of it; None if they may not."""
    manages = access.may("manage")
    layers = [pattern for pattern in document["layer"] if _tells(pattern, manages, access)]
    if document["layer"] and not layers:
        return None
    shown = {**document, "layer": layers}
    if not manages:
        del shown["key"]
    return shown


def _tells(pattern: str, manages: bool, access: Access) -> bool:
    """Whether somebody may know that a rule is for such layers.

    Who manages may know of those that are not there (yet).
    """
    those = [layer for layer in access.labels if fnmatchcase(layer, pattern)]
    return any(access.sight.of(layer) is not None for layer in those) or (manages and not those)


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as it is served: times in seconds, as the file has them, only what its kind knows."""
    said: dict[str, Any] = {
        "id": rule.id, "alarm": rule.name, "kind": rule.kind, "level": rule.level,
        "title": dict(rule.title), "message": dict(rule.message), "class": list(rule.classes),
        "property": list(rule.properties), "layer": list(rule.layers), "key": list(rule.keys),
        "source": rule.source, "confidence": rule.confidence, "origin": rule.origin,
    }  # fmt: skip
    if rule.kind == "silence":
        return {**said, "intervals": rule.intervals}
    said |= {rule.direction: rule.limit, "clear": rule.clear}
    if rule.kind in ("threshold", "rate"):
        said["for"] = rule.hold / 1000
    if rule.per:
        said["per"] = rule.per
    if rule.window:
        said["window"] = rule.window / 1000
    if rule.kind == "neighbourhood":
        said |= {
            "at_least": rule.at_least, "of": rule.of, "rings": rule.rings,
            "resolution": rule.resolution,
        }  # fmt: skip
    return said


@dataclass(frozen=True, slots=True)
class Near:
    """What lies around an alarm.

    shown
        The features that are told of, by layer and version.
    """

    document: dict[str, Value]
    shown: Mapping[tuple[str, int], Sequence[str]]


def near(city: City, alarm: Alarm) -> Near:
    """What of the layers somebody sees lies near an alarm, the nearest first; nothing without a place.

    People are counted by the areas that have numbers of them, each with the share of it that lies
    within the radius, of the one layer that has the smallest areas: larger ones hold the same people.
    """
    told = defaults()["near"]
    radius, most = float(told["radius"][str(alarm.level)]), int(told["most"])
    lon, lat = alarm.thing.lon, alarm.thing.lat
    if lon is None or lat is None:
        nothing: dict[str, Value] = {kind: [] for kind in told["kinds"]}
        return Near({"radius": radius, "people": {}, **nothing, "things": []}, {})
    versions = [v for v in city.layers.current() if v.about.lifecycle == "present"]
    named = [(version.layer, version.version) for version in versions]
    found: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    counted: list[tuple[int, float, float]] = []
    for some in city.feature_places.candidates(box_around(lon, lat, radius), named):
        away = distances(some.shapes, lon, lat)
        for row in np.flatnonzero(away <= radius).tolist():
            for kind, patterns in told["kinds"].items():
                if any(fnmatchcase(some.classes[row], pattern) for pattern in patterns):
                    found[kind].append((float(away[row]), int(some.fids[row])))
        areas = (away <= radius) & (shapely.get_dimensions(some.shapes) == 2)
        areas &= np.isin(some.classes, told["people"]["classes"])
        share, size = _within(some.shapes[areas], lon, lat, radius)
        counted += zip(some.fids[areas].tolist(), share.tolist(), size.tolist(), strict=True)
    shown: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    document: dict[str, Value] = {
        "radius": radius, "people": _people(city, counted, told["people"]["counts"])
    }  # fmt: skip
    for kind in told["kinds"]:
        nearest = sorted(found[kind])[:most]
        rows = city.feature_places.by_key([key for _, key in nearest])
        document[kind] = [_feature(row, away) for row, (away, _) in zip(rows, nearest, strict=True)]
        for row in rows:
            shown[row.layer, row.version].append(row.feature.id)
    document["things"] = _things(city, alarm, radius, most)
    return Near(document, shown)


def _within(
    shapes: Any, lon: float, lat: float, radius: float
) -> tuple[Floats, Floats]:  # fmt: skip
    """Which share of areas, (n,), lies within a circle, and how large they are, (n,) m²."""
    flat = laid_flat(shapes, lon, lat)
    size = shapely.area(flat)
    inside = shapely.area(shapely.intersection(flat, shapely.Point(0.0, 0.0).buffer(radius)))
    return np.divide(inside, size, out=np.zeros(len(flat)), where=size > 0), size


def _people(
    city: City, counted: list[tuple[int, float, float]], names: Mapping[str, Sequence[str]]
) -> dict[str, Value]:
    rows = city.feature_places.by_key([key for key, _, _ in counted])
    layers: defaultdict[str, list[tuple[FeatureRow, float, float]]] = defaultdict(list)
    for row, (_, share, size) in zip(rows, counted, strict=True):
        if any(name in row.feature.attributes for some in names.values() for name in some):
            layers[row.layer].append((row, share, size))
    if not layers:
        return {}
    finest = min(layers.values(), key=lambda some: sum(size for *_, size in some) / len(some))
    people: dict[str, Value] = {}
    for what, columns in names.items():
        numbers = [
            number * share
            for row, share, _ in finest
            for column in columns
            if isinstance(number := row.feature.attributes.get(column), int | float)
        ]
        if numbers:
            people[what] = round(sum(numbers))
    return people


def _things(city: City, alarm: Alarm, radius: float, most: int) -> list[Value]:
    assert alarm.thing.lon is not None
    streams = {
        stream.thing: stream for stream in city.live.streams().by_id.values() if stream.place
    }
    streams.pop(alarm.thing.id, None)
    others = list(streams.values())
    places = shapely.points(np.array([one.place[:2] for one in others if one.place]).reshape(-1, 2))
    away = distances(places, alarm.thing.lon, alarm.thing.lat or 0.0)
    order = [n for n in np.argsort(away, kind="stable")[:most].tolist() if away[n] <= radius]
    return [
        {
            "id": others[n].thing, "name": others[n].thing_name, "class": others[n].thing_class,
            "layer": others[n].layer, "distance": round(float(away[n]), 1),
        }
        for n in order
    ]  # fmt: skip


def _feature(row: FeatureRow, away: float) -> dict[str, Value]:
    feature = row.feature
    return {
        "layer": row.layer, "id": feature.id, "name": feature.name,
        "class": feature.feature_class, "distance": round(away, 1),
    }  # fmt: skip
