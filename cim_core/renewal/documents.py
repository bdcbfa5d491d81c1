"""What is kept of renewal, kind by kind; the one place that knows the shape of each document.

Areas are m², money CNY, dates ISO 8601 days, geometry GeoJSON in degrees (CGCS2000, which is WGS 84
here). A document is what JSON has; these classes check it and name its fields.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec

from cim_core.errors import InvalidInput
from cim_core.renewal.outlines import outline
from cim_core.renewal.words import (
    BuildingState,
    HouseholdState,
    Mode,
    OrderState,
    ParcelUse,
    Period,
    ProjectType,
)

Kind = Literal["project", "task", "progress", "building", "household", "order", "evidence"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Day = datetime.date
Text = Annotated[str, msgspec.Meta(max_length=200)]
Long = Annotated[str, msgspec.Meta(max_length=4000)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e13)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


LEAST_TARGET = 1e-3
"""In the unit of its metric; less than that is a slip."""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields nobody knows are refused: a misspelt one would be lost without a word."""


class Approval(_Document, frozen=True):
    """The act by which a plan was approved."""

    number: Text
    date: Day | None = None


class Limits(_Document, frozen=True):
    """What was approved for a parcel: m², a ratio, m, and shares of its land from 0 to 1."""

    floor_area: Amount | None = None
    far: Amount | None = None
    height: Amount | None = None
    green_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    density: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Parcel(_Document, frozen=True):
    """A part of a project's land with one use.

    planned
        The layer of the city that has the planned model.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    use: ParcelUse
    geometry: dict[str, Any] | None = None
    land_area: Amount | None = None
    approved: Limits | None = None
    planned: Text | None = None


class StageDates(_Document, frozen=True):
    """When a stage was to be and was."""

    planned_start: Day | None = None
    planned_end: Day | None = None
    started: Day | None = None
    ended: Day | None = None


class Milestone(_Document, frozen=True):
    """By that day so much of a target, from 0 to 1."""

    date: Day
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Target(_Document, frozen=True):
    """How much of a metric from when to when, in its unit; evenly, or by milestones."""

    metric: Text
    start: Day
    end: Day
    total: Amount
    milestones: tuple[Milestone, ...] = ()


class Project(_Document, frozen=True):
    """A renewal project.

    town
        The id of a town of the city's office.
    template
        The id of its stage template.
    stages
        By the id of the stage in that template.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    type: ProjectType
    mode: Mode
    town: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    template: Text
    village: Text = ""
    owner: Text = ""
    lead: Text = ""
    entity: Text = ""
    partner: Text = ""
    boundary: dict[str, Any] | None = None
    parcels: tuple[Parcel, ...] = ()
    land_area: Amount | None = None
    floor_area_existing: Amount | None = None
    floor_area_planned: Amount | None = None
    far: Amount | None = None
    investment: Amount | None = None
    approval: Approval | None = None
    stages: dict[str, StageDates] = {}
    targets: tuple[Target, ...] = ()
    note: Long = ""


class Task(_Document, frozen=True):
    """A piece of a project's work and who is responsible for it."""

    project: Text
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    unit: Text = ""
    stage: Text | None = None
    start: Day | None = None
    due: Day | None = None
    done: Day | None = None
    note: Long = ""


class Progress(_Document, frozen=True):
    """What was to be done and was done of a metric in a period, first and last day included."""

    project: Text
    metric: Text
    period: Period
    start: Day
    end: Day
    actual: Amount
    plan: Amount | None = None
    note: Long = ""
    evidence: tuple[Text, ...] = ()
    reporter: Text = ""
    verified_by: Text | None = None
    verified: Day | None = None


class Building(_Document, frozen=True):
    """A building of a project, and which feature of the twin it is.

    floor_area
        As surveyed for the project, m²; what the twin says stands beside it.
    """

    project: Text
    state: BuildingState = "unsigned"
    layer: Text | None = None
    feature: Text | None = None
    name: Text = ""
    floor_area: Amount | None = None
    storeys: Annotated[float, msgspec.Meta(ge=0, le=200)] | None = None
    note: Long = ""


class Household(_Document, frozen=True):
    """A household: personal data, which few may see."""

    project: Text
    number: Text
    state: HouseholdState = "unsigned"
    building: Text | None = None
    holder: Text = ""
    persons: Count = 0
    area_legal: Amount | None = None
    area_illegal: Amount | None = None
    note: Long = ""


class Feedback(_Document, frozen=True):
    """What a unit answered to an order."""

    date: Day
    text: Long
    by: Text = ""
    evidence: tuple[Text, ...] = ()


class Extension(_Document, frozen=True):
    """More time for an order, asked for and perhaps granted.

    answer
        Why it was granted or refused.
    """

    until: Day
    reason: Long
    state: Literal["asked", "granted", "refused"] = "asked"
    by: Text = ""
    answer: Long = ""


class Order(_Document, frozen=True):
    """A supervision order.

    unit
        The town or department that must answer, by its id.
    days
        Working days from the day it is issued until `deadline`.
    light
        The colour of the slip it was issued on; how urgent it is now follows from the deadline.
    """

    project: Text
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    issue: Long
    unit: Text
    state: OrderState = "draft"
    number: Text = ""
    task: Text | None = None
    cooperating: tuple[Text, ...] = ()
    light: Literal["blue", "yellow", "red"] = "yellow"
    days: Annotated[int, msgspec.Meta(ge=1, le=250)] = 5
    issued: Day | None = None
    issued_by: Text = ""
    deadline: Day | None = None
    feedback: tuple[Feedback, ...] = ()
    extensions: tuple[Extension, ...] = ()
    returned: Long = ""
    closed: Day | None = None
    closed_by: Text = ""
    conclusion: Long = ""


class Evidence(_Document, frozen=True):
    """A file that shows something; its bytes lie beside, under their hash."""

    project: Text
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    media_type: Text
    size: Count | int
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    note: Long = ""
    taken: Day | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None


Document = Project | Task | Progress | Building | Household | Order | Evidence

_CLASSES: Mapping[Kind, type[Any]] = {
    "project": Project, "task": Task, "progress": Progress, "building": Building,
    "household": Household, "order": Order, "evidence": Evidence,
}  # fmt: skip
_NO_LETTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ID = re.compile(r"[\w][\w.\-]{0,63}")


def read_document(kind: Kind, document: Mapping[str, Any]) -> Any:
    """A document as an object of its class; raises `InvalidInput` naming the field.

    >>> read_document("task", {"project": "p1", "title": "Survey"}).due is None
    True
    """
    try:
        found: Any = msgspec.convert(document, _CLASSES[kind])
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{kind}: {error}; correct that field") from None
    _check_letters(kind, document)
    if isinstance(found, Project):
        for what, geometry in (
            ("boundary", found.boundary),
            *((f"parcels.{parcel.id}", parcel.geometry) for parcel in found.parcels),
        ):
            if geometry is not None:
                outline(geometry, what)
        _check_parcels(found.parcels)
    for one in found.targets if isinstance(found, Project) else ():
        _check_dates("target", one.start, one.end)
        if 0 < one.total < LEAST_TARGET:
            raise InvalidInput(
                f"target: {one.total:g} is too little to have a share of; give 0 or at least {LEAST_TARGET:g}"
            )
    if isinstance(found, Progress):
        _check_dates(kind, found.start, found.end)
    return found


def _check_dates(what: str, start: Day, end: Day) -> None:
    if end < start:
        raise InvalidInput(f"{what}: it ends on {end}, before it starts; correct the dates")


def _check_parcels(parcels: Sequence[Parcel]) -> None:
    """They are told and changed one by one, each by its id."""
    known: set[str] = set()
    for parcel in parcels:
        if parcel.id in known:
            raise InvalidInput(
                f"there are two parcels with the id {parcel.id[:80]!r}; give each its own"
            )
        known.add(parcel.id)


def _check_letters(kind: Kind, value: Any) -> None:
    """Raise `InvalidInput` for what no letter and no table can hold (XML 1.0, 2.2)."""
    if isinstance(value, str):
        if found := _NO_LETTER.search(value):
            raise InvalidInput(
                f"{kind}: a text has the control character U+{ord(found[0]):04X}; leave it out"
            )
    elif isinstance(value, Mapping):
        for one in value.values():
            _check_letters(kind, one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check_letters(kind, one)


def checked_id(text: str) -> str:
    """The id of a subject: letters of any script, digits, `_`, `.` and `-`; raises `InvalidInput`.

    >>> checked_id("LC-2025.01")
    'LC-2025.01'
    """
    if not _ID.fullmatch(text):
        raise InvalidInput(
            f"{text[:80]!r} cannot be an id: take 1 to 64 letters, digits, '_', '.' or '-', a letter "
            "or digit first"
        )
    return text


def patched(document: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A document after a change as JSON Merge Patch (RFC 7396) has it.

    >>> patched({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    result = dict(document)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):  # as JSON has them; asking for any mapping takes much longer
            before = result.get(key)
            result[key] = patched(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result
