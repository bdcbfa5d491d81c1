"""A city of a few things, and a recorder that does nothing but keep rows and ask the alarm engine."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from cim_core.alarms.alarm import AlarmChange
from cim_core.alarms.engine import AlarmEngine
from cim_core.alarms.rules import RuleBook
from cim_core.observations import Observations, observations
from cim_core.store.live import Live

START = 1_780_000_000_000
"""When all series of the tests begin, milliseconds since 1970."""

Row = tuple[int, float, float]
"""Datastream, seconds after START, value."""


def add_thing(
    live: Live, name: str, properties: Sequence[str] = ("x",), *, layer: str = "things",
    kind: str = "box", at: tuple[float, float] | None = (113.46, 23.1), every: float | None = None,
) -> list[int]:  # fmt: skip
    """A thing with a datastream for each property; their numbers."""
    place = [] if at is None else [
        live.things.add("Locations", {"location": {"type": "Point", "coordinates": list(at)}})
    ]  # fmt: skip
    thing = live.things.add(
        "Things",
        {"name": name, "properties": {"class": kind, "layer": layer}},
        {"Locations": place},
    )
    sensor = live.things.add("Sensors", {"name": "sensor"})
    found = []
    for code in properties:
        observed = live.things.add("ObservedProperties", {"name": code})
        words = {"key": f"{name}/{code}"} | ({} if every is None else {"every": every})
        found.append(
            live.things.add(
                "Datastreams",
                {
                    "name": f"{name} {code}", "unitOfMeasurement": {"symbol": "u"},
                    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                    "properties": words,
                },
                {"Things": [thing], "Sensors": [sensor], "ObservedProperties": [observed]},
            )
        )  # fmt: skip
    return found


def rule_text(name: str, **fields: object) -> str:
    """A rule of a city's file, minor where nothing else is said."""
    said = {
        "level": 1, "title": {"en": "t", "zh": "题"},
        "message": {"en": "{thing} {value} {unit} {threshold}", "zh": "{thing}：{value}"},
        "source": "a test", "confidence": "own", **fields,
    }  # fmt: skip
    return "\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in said.items())])


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


class Keeper:
    """Keeps rows in batches and asks the engine, as the recorder does."""

    def __init__(self, folder: Path, *rules: str) -> None:
        self.folder = folder
        if rules:
            (folder / "alarms.toml").write_text("\n\n".join(rules), encoding="utf-8")
        self.live = Live(folder)
        self.engine = AlarmEngine(self.live, RuleBook(folder))

    def restarted(self) -> "Keeper":
        """Another process that goes on, after this one was killed."""
        self.live.close()
        return Keeper(self.folder)

    def give(self, rows: Iterable[Row], now: float | None = None) -> list[AlarmChange]:
        """One batch, in order of time; `now` is in seconds after START."""
        what = observed(rows)
        seconds = (int(what.times.max()) - START) / 1000 if now is None else now
        return self.keep(what, moment(seconds))

    def keep(self, what: Observations, now: int) -> list[AlarmChange]:
        """A batch as one transaction."""
        with self.live.transaction() as connection:
            self.live.batches.append(connection, what, now)
            return self.engine.observe(connection, what, now)

    def tick(self, now: float) -> list[AlarmChange]:
        """What follows from time alone, in seconds after START."""
        with self.live.transaction() as connection:
            return self.engine.tick(connection, moment(now))


def moment(seconds: float) -> int:
    """Seconds after START in milliseconds since 1970."""
    return START + round(1000 * seconds)


def observed(rows: Iterable[Row]) -> Observations:
    """Rows as observations in order of time."""
    given = list(rows)
    return observations(
        [row[0] for row in given], [moment(row[1]) for row in given], [row[2] for row in given]
    ).in_order()


def told(changes: Iterable[AlarmChange]) -> list[tuple[str, str, int, str]]:
    """What changed, in short: what, rule, level, state."""
    return [(c.what, c.alarm.rule, c.alarm.level, c.alarm.state) for c in changes]
