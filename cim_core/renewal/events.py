"""What was recorded of renewal: one event for every change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cim_core.renewal.documents import Kind


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change of a subject.

    id
        None for a new one whose id is to be given.
    change
        JSON Merge Patch (RFC 7396); the whole document of a new one; None removes it.
    effective
        The day from which on it holds.
    version
        Which version is changed; None for a new one.
    """

    kind: Kind
    id: str | None
    change: Mapping[str, Any] | None
    effective: date
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing as it stands now.

    changed
        Milliseconds since 1970.
    by
        The name of who changed it last.
    """

    kind: Kind
    id: str
    project: str
    version: int
    document: Mapping[str, Any]
    changed: int
    by: str


@dataclass(frozen=True, slots=True)
class Event:
    """One change as it was recorded (milliseconds since 1970), and the day from which on it holds.

    person, name
        The account, None where nobody was signed in, and its name at that time.
    """

    seq: int
    recorded: int
    effective: date
    kind: Kind
    id: str
    project: str
    version: int
    change: Mapping[str, Any] | None
    person: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """A change as another program recorded it; `recorded` is milliseconds since 1970.

    line
        Where it stands in its file.
    """

    line: int
    recorded: int
    effective: date
    kind: Kind
    id: str
    change: Mapping[str, Any] | None
    name: str
