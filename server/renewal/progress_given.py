"""What towns reported in a progress sheet: looked at row by row, and recorded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

from cim_core.city import City
from cim_core.errors import CimError, Conflict, Forbidden, InvalidInput
from cim_core.renewal.documents import patched, read_document
from cim_core.renewal.events import Change, Subject
from cim_core.renewal.words import Metric, Period, metrics
from server.renewal.findings import Misplaced, Place, Report
from server.renewal.given import GivenLine, GivenSheet, GivenValue, as_number, as_text
from server.renewal.progress_sheet import (
    ABOUT,
    KIND,
    METRIC,
    PLACES,
    PROJECT,
    VERSION,
    Span,
    column_title,
    metric_choice,
    project_choice,
    span_of,
)

_SAME = 1e-9
"""Relative: a value that went through its unit and back is the same."""

May = Callable[[str], None]
"""Told a town; raises `Forbidden`."""


@dataclass(slots=True)
class Reported:
    """What a sheet amounts to: the report, and the changes that its right rows are."""

    report: Report = field(default_factory=Report)
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the sheets of one workbook.

    city
        As whoever reports sees it.
    may_report, may_order
        Whether they may report on a town's projects, and change what was verified.
    """

    city: City
    name: str
    today: date
    may_report: May
    may_order: May

    def read(self, sheets: Sequence[GivenSheet]) -> Reported:
        """Look at every row; raises `InvalidInput` for a workbook that is no progress sheet."""
        span = self._span(sheets)
        if span.start > self.today:
            raise InvalidInput(
                f"{self.name} is for days that begin on {span.start}, and today is {self.today}; report "
                "what was done"
            )
        known = _Known(self.city, span)
        found = Reported()
        done: dict[tuple[str, str], Place] = {}
        for sheet, line in _lines(sheets, self.name):
            place = Place(sheet.name, line.number)
            row = _Row(line, place)
            if not row.filled:
                continue
            with found.report.row(place):
                project, metric = known.project(row), known.metric(row)
                earlier = done.setdefault((project.id, metric.id), place)
                if earlier != place:
                    raise InvalidInput(
                        f"row {earlier.row} has the same project and metric; leave one of the two"
                    )
                change = self._change(row, project, metric, known, found.report)
                if change is not None:
                    found.changes.append(change)
        found.report.changes = len(found.changes)
        return found

    def _span(self, sheets: Sequence[GivenSheet]) -> Span:
        about: dict[str, str] = {}
        for sheet in sheets:
            if sheet.name == ABOUT:
                pairs = [line.cells for line in sheet.lines if len(line.cells) >= 2]
                about = {as_text(key): as_text(value) for key, value, *_ in pairs}
        try:
            if about.get("kind") != KIND or about["period"] not in get_args(Period):
                raise ValueError
            span = span_of(about["period"], date.fromisoformat(about["end"]))  # type: ignore[arg-type]
            if about["start"] != span.start.isoformat() or about["end"] != span.end.isoformat():
                raise ValueError
        except (KeyError, ValueError):
            raise InvalidInput(
                f"{self.name} is no progress sheet of this program; get one with `cim renewal sheet`, or "
                "from GET /renewal/progress-sheet, and fill that in"
            ) from None
        return span

    def _change(
        self, row: "_Row", project: Subject, metric: Metric, known: "_Known", report: Report
    ) -> Change | None:
        self.may_report(project.document["town"])
        actual, plan = row.amount("actual", metric), row.amount("plan", metric)
        if actual is None:
            raise row.wrong(
                "actual",
                InvalidInput("there is no figure of what was done; write it, 0 for nothing"),
            )
        note = as_text(row.cell("note"))
        said: dict[str, Any] = {"actual": actual, "plan": plan, "note": note or None}
        whole = sum(
            target["total"]
            for target in project.document.get("targets", ())
            if target["metric"] == metric.id
        )
        if whole and actual > whole:
            report.warn(
                row.at("actual"),
                warning=f"{_told(actual, metric)} is more than the whole target of "
                f"{_told(whole, metric)}; look whether it is in the right unit",
            )
        effective = min(known.span.end, self.today)
        records = known.records(project.id, metric.id)
        if not records:
            document = {
                "project": project.id, "metric": metric.id, **known.span.fields(),
                "reporter": self.city.who or "",
                **{key: value for key, value in said.items() if value is not None},
            }  # fmt: skip
            read_document("progress", document)
            return Change("progress", None, document, effective)
        record = records[-1]
        changed = {key: value for key, value in said.items() if not _same(record.document.get(key), value)}  # fmt: skip
        if not changed:
            return None
        self._changeable(row, record, project)
        if len(records) > 1:
            report.warn(
                row.at("actual"),
                warning=f"there are {len(records)} records of this metric for these days; the one "
                f"changed last, {record.id}, is changed",
            )
        if record.document.get("verified_by"):
            changed |= {"verified_by": None, "verified": None}
        read_document("progress", patched(record.document, changed))
        return Change("progress", record.id, changed, effective, record.version)

    def _changeable(self, row: "_Row", record: Subject, project: Subject) -> None:
        """Raise where a record is not for who reports to change, or was changed by somebody else."""
        if record.document.get("verified_by"):
            try:
                self.may_order(project.document["town"])
            except Forbidden:
                raise Forbidden(
                    "this record was verified and stays as it is; ask a supervisor to change it"
                ) from None
        if row.version == record.version:
            return
        # By the account: names may be alike.
        last = self.city.renewal.history(project.id, "progress", record.id)[-1]
        if last.person != (self.city.doer.id if self.city.doer else None):
            raise Conflict(
                "somebody else recorded this since the sheet was made; get a new sheet and write your "
                "figures into it"
            )


class _Known:
    """What the city knows of what rows may name."""

    def __init__(self, city: City, span: Span) -> None:
        self.span = span
        self._projects = {one.id: one for one in city.renewal.find("project")}
        self._by_title = {
            project_choice(one.id, one.document): one for one in self._projects.values()
        }
        self._metrics = {metric_choice(metric): metric for metric in metrics().values()}
        self._records: dict[tuple[str, str], list[Subject]] = {}
        for record in city.renewal.reported(span.start, span.end):
            about = (record.project, record.document["metric"])
            self._records.setdefault(about, []).append(record)

    def records(self, project: str, metric: str) -> list[Subject]:
        """What is recorded of a metric for just these days, the one changed last at the end.

        Raises `Conflict` where other days are recorded that these have a part of: both would count.
        """
        days = self.span.fields()
        found = self._records.get((project, metric), [])
        for record in found:
            document = record.document
            if any(document[name] != value for name, value in days.items()):
                raise Conflict(
                    f"{metric} from {document['start']} to {document['end']} is reported already "
                    f"({record.id}); correct that record"
                )
        return sorted(found, key=lambda record: (record.changed, record.id))

    def project(self, row: "_Row") -> Subject:
        key, title = as_text(row.cell(PROJECT)), as_text(row.cell("project-title"))
        found = self._projects.get(key) if key else self._by_title.get(title)
        if found is None:
            said = key or title
            raise row.wrong(
                "project-title",
                InvalidInput(f"there is no project {said!r} here; choose one of the list")
                if said
                else InvalidInput("there is no project; choose one of the list"),
            )
        if title and self._by_title.get(title, found) is not found:
            raise row.wrong(
                "project-title",
                InvalidInput(
                    f"the row belongs to {found.id} and names {title!r}; cells were moved: get a new sheet"
                ),
            )
        return found

    def metric(self, row: "_Row") -> Metric:
        key, title = as_text(row.cell(METRIC)), as_text(row.cell("metric-title"))
        found = metrics().get(key) if key else self._metrics.get(title)
        if found is None:
            said = key or title
            raise row.wrong(
                "metric-title",
                InvalidInput(f"there is no metric {said!r}; choose one of the list")
                if said
                else InvalidInput("there is no metric; choose one of the list"),
            )
        if title and self._metrics.get(title, found) is not found:
            raise row.wrong(
                "metric-title",
                InvalidInput(
                    f"the row is of {found.id} and names {title!r}; cells were moved: get a new sheet"
                ),
            )
        return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the sheet, its cells by the names of `PLACES`."""

    line: GivenLine
    place: Place

    def cell(self, name: str) -> GivenValue:
        at = PLACES[name]
        return self.line.cells[at] if at < len(self.line.cells) else None

    @property
    def filled(self) -> bool:
        """Whether anything is reported in it."""
        return any(as_text(self.cell(name)) for name in ("plan", "actual", "note"))

    @property
    def version(self) -> int:
        found = self.cell(VERSION)
        return int(found) if isinstance(found, int | float) else 0

    def at(self, name: str) -> Place:
        return Place(self.place.sheet, self.place.row, column_title(name))

    def wrong(self, name: str, error: CimError) -> Misplaced:
        return Misplaced(self.at(name), error)

    def amount(self, name: str, metric: Metric) -> float | None:
        """A figure in what the metric is stored in; raises `Misplaced`."""
        try:
            shown = as_number(self.cell(name))
            if shown is None:
                return None
            if shown < 0:
                raise InvalidInput(
                    "it is less than nothing; write what was done, not what was undone"
                )
            if metric.unit in ("household", "building") and not shown.is_integer():
                raise InvalidInput(f"{shown:g} is no whole number, which this metric counts in")
            if shown * metric.shown.factor > 1e13:
                raise InvalidInput(f"{shown:g} is too large to be true; look at its unit")
        except CimError as error:
            raise self.wrong(name, error) from None
        return float(f"{shown * metric.shown.factor:.12g}")


def apply_progress(
    reader: Reader, sheets: Sequence[GivenSheet], *, dry_run: bool = False, partial: bool = False
) -> Report:
    """Look at a progress sheet and record what it says; nothing where a row is wrong, unless `partial`.

    What is checked is what is recorded: both are one transaction. A sheet that says what is recorded
    already changes nothing.
    """
    if dry_run or not reader.city.renewal.exists:
        return reader.read(sheets).report
    with reader.city.renewal.transaction() as connection:
        found = reader.read(sheets)
        if found.report.errors == 0 or partial:
            reader.city.renewal.apply_within(connection, found.changes, reader.city.doer)
            found.report.applied = True
    return found.report


def _lines(sheets: Sequence[GivenSheet], name: str) -> Iterator[tuple[GivenSheet, GivenLine]]:
    """The rows below the headers of all sheets that have them."""
    headed = False
    for sheet in sheets:
        below = False
        for line in sheet.lines:
            if [as_text(cell) for cell in line.cells[:3]] == [PROJECT, METRIC, VERSION]:
                below = headed = True
            elif below:
                yield sheet, line
    if not headed:
        raise InvalidInput(
            f"{name} has no row with the headers of a progress sheet; get a new sheet and leave its "
            "first rows as they are"
        )


def _same(before: object, after: object) -> bool:
    if isinstance(before, int | float) and isinstance(after, int | float):
        return abs(before - after) <= _SAME * max(1.0, abs(before), abs(after))
    return (before or None) == (after or None)


def _told(value: float, metric: Metric) -> str:
    return f"{value / metric.shown.factor:g} {metric.shown.unit['zh']}"
