"""Progress as it is reported and verified: by whom, once for each period, and never by the same two."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput
from cim_core.renewal.documents import Progress, read_document
from cim_core.renewal.events import Change, Subject
from server.renewal.asked import today
from server.renewal.edits import Editing, refuse_fields
from server.renewal.references import check_references

_OF_SERVER = ("reporter", "verified_by", "verified", "project")
_UNVERIFIED = {"verified_by": None, "verified": None}
_IDENTITY = ("metric", "period", "start", "end")


def report(editing: Editing, project: str, records: Sequence[Mapping[str, Any]]) -> list[Subject]:
    """Record what was done in periods, all of it or none; the name of who asks stands in it.

    Raises `Conflict` where something was reported for one of the periods already, and `InvalidInput`.
    """
    city, doer = editing.city, editing.access.doer
    changes = []
    for given in records:
        refuse_fields(given, _OF_SERVER, "it follows from who asks, and where")
        document = {**given, "project": project, "reporter": doer.name if doer else ""}
        check_references(city, "progress", document, document)
        found = read_document("progress", document)
        _check_days(city, found)
        changes.append(Change("progress", None, document, min(found.end, today(city))))
    return editing.recorded(city.renewal.apply(changes, doer))


def correct(
    editing: Editing, record: Subject, if_match: str, change: Mapping[str, Any], effective: date
) -> Subject:
    """Correct a record; one that was verified only by who supervises, and it is so no more.

    Raises `Forbidden`, `OutOfDate`, `Conflict` and `InvalidInput`.
    """
    refuse_fields(change, _OF_SERVER, "it follows from who asks, and where")
    if record.document.get("verified_by") is not None:
        editing.project(record.project, "order")
        change = {**change, **_UNVERIFIED}
    if any(name in change for name in _IDENTITY):
        after = {**record.document, **{name: change[name] for name in _IDENTITY if name in change}}
        _check_days(editing.city, read_document("progress", after))
    return editing.change(record, if_match, change, effective)


def verify(editing: Editing, record: Subject, if_match: str) -> Subject:
    """Say that a record is right; raises `Forbidden` to those who reported or corrected it."""
    doer = editing.access.doer
    history = editing.city.renewal.history(record.project, "progress", record.id)
    told = {event.person for event in history if not set(event.change or ()) <= set(_UNVERIFIED)}
    if doer is None or doer.id in told:
        raise Forbidden("you reported or corrected this yourself; somebody else has to verify it")
    day = today(editing.city)
    change = {"verified_by": doer.name, "verified": day.isoformat()}
    return editing.change(record, if_match, change, day)


def _check_days(city: City, record: Progress) -> None:
    """Raise `InvalidInput` for days that are none to report of, or no week and no month."""
    now = today(city)
    if record.start > now:
        raise InvalidInput(
            f"the period begins on {record.start}, and today is {now}; report what was done"
        )
    if record.period == "week":
        fits = (record.end - record.start).days < 7
    else:
        fits = (record.end.year, record.end.month) == (record.start.year, record.start.month)
    if not fits:
        raise InvalidInput(
            f"the days from {record.start} to {record.end} are too many for one record; report seven days at "
            "most as a week, or days of one month"
        )
