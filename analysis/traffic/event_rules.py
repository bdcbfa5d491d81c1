"""When something on a road counts as an event, as `event_rules.toml` has it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cim_core.errors import InvalidInput
from cim_core.traffic.event import EVENT_KINDS, EventKind


@dataclass(frozen=True)
class EventRule:
    """What one kind of event is recognised by.

    sure
        How sure it is at least and at most.
    release
        Seconds after which it is over when nothing of it is seen any more.
    numbers
        Everything else by name: seconds, metres, metres per second.
    """

    kind: EventKind
    title: Mapping[str, str]
    sure: tuple[float, float]
    release: float
    numbers: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.numbers[name]

    def confidence(self, share: float) -> float:
        """How sure it is where `share`, 0 to 1, of what can be measured speaks for it."""
        low, high = self.sure
        return round(float(low + (high - low) * min(max(share, 0.0), 1.0)), 2)


@dataclass(frozen=True)
class EventRules:
    """All of them; `general` holds for every kind."""

    general: Mapping[str, Any]
    kinds: Mapping[EventKind, EventRule]

    def __getitem__(self, kind: EventKind) -> EventRule:
        return self.kinds[kind]


@cache
def event_rules() -> EventRules:
    """The rules of this program."""
    text = files("analysis.traffic").joinpath("event_rules.toml").read_text("utf-8")
    return rules_of(tomllib.loads(text), "event_rules.toml")


def rules_of(tables: Mapping[str, Any], name: str) -> EventRules:
    """The rules of a file that was read; raises `InvalidInput` for a kind that is missing."""
    for kind in ("general", *EVENT_KINDS):
        if kind not in tables:
            raise InvalidInput(f"{name} says nothing of {kind}; add a table [{kind}]")
    said = ("en", "zh", "sure", "release", "source", "confidence")
    kinds = {
        kind: EventRule(
            kind,
            {"en": table["en"], "zh": table["zh"]},
            (table["sure"][0], table["sure"][1]),
            table["release"],
            {key: value for key, value in table.items() if key not in said},
        )
        for kind in EVENT_KINDS
        for table in (tables[kind],)
    }
    return EventRules(tables["general"], kinds)
