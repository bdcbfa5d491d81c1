"""Changes of renewal as people ask for them: whose right, of which version, from which day on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.city import City
from cim_core.errors import InvalidInput, OutOfDate
from cim_core.renewal.documents import Kind, patched
from cim_core.renewal.events import Change, Event, Subject
from server.access.access import Access
from server.access.notes import Note, note_of
from server.access.verbs import Verb
from server.answers import json_answer
from server.json_body import JsonObject
from server.renewal.asked import parse_day, today
from server.renewal.references import check_references
from server.state import AccessDep, CityDep

FIRST_DAY = date(1990, 1, 1)
"""Nothing of renewal holds from an earlier day on: such a day is a slip of the pen."""

_VERSION = re.compile(r'(?:W/)?"?(\d{1,15})"?')

IfMatch = Annotated[
    str,
    Header(alias="If-Match", description='the version that was looked at, as its ETag has it: "3"'),
]
EffectiveText = Annotated[str | None, Field(max_length=40)]
_Id = Annotated[str | None, Field(max_length=200)]


class Creation(BaseModel):
    """Something new, from which day on it holds (today if not told), and perhaps under which id."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: _Id = None
    effective: EffectiveText = None
    document: JsonObject


class Alteration(BaseModel):
    """What is to change, as JSON Merge Patch (RFC 7396), and from which day on; today if not told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    effective: EffectiveText = None
    change: JsonObject


@dataclass(frozen=True, slots=True)
class Editing:
    """Who changes renewal in what they see of a city; each change is noted for the log, by its ids."""

    city: City
    access: Access
    note: Note

    def project(self, key: str, *verbs: Verb) -> Subject:
        """A project for whose town verbs hold; raises `NotFound` or `Forbidden`."""
        found = self.city.renewal.get("project", key)
        self.note.detail["project"] = key
        for verb in verbs:
            self.note.verb = verb
            self.access.require_town(verb, found.document["town"])
        return found

    def subject(self, kind: Kind, key: str, *verbs: Verb) -> Subject:
        """Something that belongs to such a project; raises the same."""
        found = self.city.renewal.get(kind, key)
        self.project(found.project, *verbs)
        self.note.detail[kind] = key
        return found

    def add(
        self, kind: Kind, key: str | None, document: Mapping[str, Any], effective: date
    ) -> Subject:
        """Begin something; raises `Conflict` for an id that is taken, and `InvalidInput`."""
        check_references(self.city, kind, document, document)
        return self.applied(Change(kind, key, document, effective))

    def change(
        self, subject: Subject, if_match: str, change: Mapping[str, Any], effective: date
    ) -> Subject:
        """Change something of the version that was looked at; raises `OutOfDate`, `InvalidInput`."""
        if subject.kind != "project" and change.get("project", subject.project) != subject.project:
            raise InvalidInput(
                f"the {subject.kind} with the id {subject.id!r} belongs to {subject.project!r} and stays there; "
                "remove it and add it to the other project"
            )
        version = looked_at(subject, if_match)
        after = patched(subject.document, change)
        check_references(self.city, subject.kind, after, change)
        return self.applied(Change(subject.kind, subject.id, change, effective, version))

    def remove(self, subject: Subject, if_match: str, effective: date) -> None:
        """Remove something of the version that was looked at."""
        version = looked_at(subject, if_match)
        self.applied(Change(subject.kind, subject.id, None, effective, version))

    def applied(self, change: Change) -> Subject:
        """Record a change under the name of who asks."""
        return self.recorded(self.city.renewal.apply([change], self.access.doer))[0]

    def recorded(self, subjects: list[Subject]) -> list[Subject]:
        """Note for the log what was recorded."""
        for subject in subjects[:1]:
            self.note.detail |= {subject.kind: subject.id, "version": subject.version}
        if len(subjects) > 1:
            self.note.detail["recorded"] = len(subjects)
        return subjects

    def effective(self, text: str | None) -> date:
        """From which day on something is to hold; raises `InvalidInput`."""
        now = today(self.city)
        day = now if text is None else parse_day("effective", text)
        check_effective(day, now)
        return day

    def answer(self, subject: Subject, status: int = 200) -> Response:
        """A thing as it is told, with its version as its ETag."""
        return subject_answer(self.city, subject, status)


def check_effective(day: date, now: date) -> None:
    """Raise `InvalidInput` for a day from which on nothing can hold."""
    if not FIRST_DAY <= day <= now:
        raise InvalidInput(
            f"effective={day} does not lie between {FIRST_DAY} and today, {now}; give the day from "
            "which on it holds"
        )


def _editing(city: CityDep, access: AccessDep, request: Request) -> Editing:
    return Editing(city, access, note_of(request.scope))


EditingDep = Annotated[Editing, Depends(_editing)]


def version_of(if_match: str) -> int:
    """The version that If-Match says was looked at; raises `InvalidInput`.

    >>> version_of('"3"'), version_of("3")
    (3, 3)
    """
    found = _VERSION.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInput(
            'If-Match does not say which version was looked at; give it as in If-Match: "3", which is '
            "the ETag or the version of what you change"
        )
    return int(found[1])


def looked_at(subject: Subject, if_match: str) -> int:
    """The version of a thing, if it is the one that was looked at; raises `OutOfDate`."""
    version = version_of(if_match)
    if version != subject.version:
        raise OutOfDate(
            f"the {subject.kind} with the id {subject.id!r} was changed by {subject.by} meanwhile (it is at "
            f"version {subject.version}, not {version}); look at it again and repeat"
        )
    return version


def refuse_fields(given: Mapping[str, Any], fields: Iterable[str], remedy: str) -> None:
    """Raise `InvalidInput` for fields that are not given this way."""
    for name in fields:
        if name in given:
            raise InvalidInput(f"{name} is not given this way; {remedy}")


def subject_document(city: City, subject: Subject) -> dict[str, Any]:
    """A thing as it is told; who changed it only to those who are told of people."""
    return {
        "kind": subject.kind,
        "id": subject.id,
        "project": subject.project,
        "version": subject.version,
        "document": subject.document,
        "changed": subject.changed,
        "by": subject.by if city.sight.people else None,
    }


def subject_answer(city: City, subject: Subject, status: int = 200) -> Response:
    """The same as an answer, with its version as its ETag; personal data is kept nowhere."""
    headers = {"etag": f'"{subject.version}"'}
    if subject.kind == "household":
        headers["cache-control"] = "no-store"
    return json_answer(subject_document(city, subject), status=status, headers=headers)


def event_document(city: City, event: Event) -> dict[str, Any]:
    """What was recorded, as it is told."""
    return {
        "seq": event.seq,
        "recorded": event.recorded,
        "effective": event.effective.isoformat(),
        "kind": event.kind,
        "id": event.id,
        "version": event.version,
        "change": event.change,
        "name": event.name if city.sight.people else None,
    }
