"""Projects and their boundaries from tables that somebody brought."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.renewal.documents import patched, read_document
from cim_core.renewal.events import Change, Subject
from server.renewal.bring_in_columns import Recognised, limit, recognised
from server.renewal.bring_in_places import Outlines, Towns, area_of
from server.renewal.bring_in_rows import Row, same
from server.renewal.findings import Place, Report
from server.renewal.given import GivenSheet

May = Callable[[str], None]
"""Told a town; raises `Forbidden`."""

_NEEDED = ("name", "type", "mode", "town", "template")
_APPROVED = {
    "floor_area_planned": "floor_area", "far": "far", "approved_height": "height",
    "approved_green_ratio": "green_ratio", "approved_density": "density",
}  # fmt: skip


@dataclass(slots=True)
class _Made:
    """A project as the file leaves it: what is there, if it is, and what it becomes."""

    before: Subject | None
    document: dict[str, Any]
    key: str | None
    tables: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Brought:
    """What a file amounts to: the report, and the changes that its right rows are."""

    report: Report
    changes: list[Change] = field(default_factory=list)
    projects: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bringing:
    """What is told about a file beside its tables.

    city
        As whoever brings it sees it.
    may_manage
        Whether they may add and change a town's projects.
    effective
        The day from which on it holds.
    crs
        The reference system of its shapes; None: as the file says.
    """

    city: City
    name: str
    may_manage: May
    effective: date
    crs: str | None = None

    def read(self, sheets: Sequence[GivenSheet]) -> Brought:
        """Look at every row; raises `InvalidInput` for a file that has no table of projects."""
        tables = [table for sheet in sheets if (table := recognised(sheet)) is not None]
        if not tables:
            raise InvalidInput(
                f"{self.name} has no table of projects; name its columns as in 项目编号, 项目名称, 项目类型, "
                "改造模式 and 镇街, or id, name, type, mode and town"
            )
        return _Reading(self).all(sorted(tables, key=lambda table: table.of_parcels))

    def apply(
        self, sheets: Sequence[GivenSheet], *, dry_run: bool = False, partial: bool = False
    ) -> Brought:
        """Look at a file and record what it says; nothing where a row is wrong, unless `partial`."""
        if dry_run:
            return self.read(sheets)
        with self.city.renewal.transaction() as connection:
            found = self.read(sheets)
            if found.report.errors == 0 or partial:
                made = self.city.renewal.apply_within(connection, found.changes, self.city.doer)
                for told, subject in zip(found.projects, made, strict=True):
                    told |= {"id": subject.id, "version": subject.version}
                found.report.applied = True
        return found


class _Reading:
    """One look at all tables of a file."""

    def __init__(self, bringing: Bringing) -> None:
        self._of = bringing
        self._report = Report()
        self._towns = Towns(bringing.city)
        self._made: dict[str, _Made] = {}
        self._by_name: dict[str, list[_Made]] = {}
        for subject in bringing.city.renewal.find("project"):
            self._know(_Made(subject, dict(subject.document), subject.id))

    def all(self, tables: Sequence[Recognised]) -> Brought:
        for table in tables:
            place = Place(table.sheet.name, table.head)
            for title in table.unknown:
                self._report.warn(
                    Place(table.sheet.name, table.head, title),
                    warning=f"the column {title} is not known and is left out",
                )
            for title in table.doubled:
                self._report.warn(
                    Place(table.sheet.name, table.head, title),
                    warning=f"the column {title} says what an earlier one says and is left out",
                )
            for known in table.columns.values():
                if known.kind in ("area", "money") and known.factor is None:
                    unit = {"area": "㎡", "money": "元"}[known.kind]
                    self._report.warn(
                        Place(place.sheet, place.row, known.title),
                        warning=f"the header {known.title} does not say its unit and is taken in {unit}; "
                        f"write it as {known.title}({unit})",
                    )
            outlines = Outlines(self._of.city, self._of.name, self._of.crs, table.sheet)
            for line in table.lines:
                row = Row(table, line)
                if row.empty:
                    continue
                with self._report.row(row.place):
                    if table.of_parcels:
                        self._parcel(row, outlines)
                    else:
                        self._project(row, outlines)
        return self._brought()

    def _project(self, row: Row, outlines: Outlines) -> None:
        said = row.project()
        boundary = outlines.of(row)
        town = self._towns.of(row, boundary, self._report)
        if town is not None:
            said["town"] = town
        if boundary is not None:
            said["boundary"] = json.loads(json.dumps(shapely.geometry.mapping(boundary)))
        made = self._found(row, said.get("town"))
        before = made.document if made else {}
        if made and row.table.sheet.name in made.tables:
            raise InvalidInput(
                f"{row.called} stands in {row.table.sheet.name} twice; leave one of the two rows"
            )
        document = patched(before, {key: value for key, value in said.items() if not same(before.get(key), value)})  # fmt: skip
        row.complete(document)
        missing = [name for name in _NEEDED if not document.get(name)]
        if missing:
            raise InvalidInput(
                f"{row.called} is new and {', '.join(missing)} of it is not told; add that"
            )
        for at_town in {document["town"], before.get("town", document["town"])}:
            self._of.may_manage(at_town)
        read_document("project", document)
        self._compare(row, document, boundary)
        if made is None:
            made = self._know(_Made(None, document, row.key))
        made.document = document
        made.tables.add(row.table.sheet.name)

    def _parcel(self, row: Row, outlines: Outlines) -> None:
        made = self._found(row, None)
        if made is None:
            raise InvalidInput(
                f"{row.called} is no project here or in this file; add it to the table of projects"
            )
        self._of.may_manage(made.document["town"])
        said = row.parcel(_APPROVED)
        shape = outlines.of(row)
        if shape is not None:
            said["geometry"] = json.loads(json.dumps(shapely.geometry.mapping(shape)))
        parcels = [dict(one) for one in made.document.get("parcels", ())]
        at = next((n for n, one in enumerate(parcels) if one["id"] == said["id"]), None)
        if at is None:
            parcels.append(said)
        else:
            # What is the same stays as it stands, to the last digit.
            parcels[at] = patched(parcels[at], {k: v for k, v in said.items() if not same(parcels[at].get(k), v)})  # fmt: skip
        document = {**made.document, "parcels": parcels}
        read_document("project", document)
        made.document = document

    def _know(self, made: _Made) -> _Made:
        if made.key is not None:
            self._made[made.key] = made
        self._by_name.setdefault(made.document["name"], []).append(made)
        return made

    def _found(self, row: Row, town: str | None) -> _Made | None:
        """The project a row means: by its id, else by its name, in its town if that is told."""
        if row.key is not None:
            return self._made.get(row.key)
        named = [
            made
            for made in self._by_name.get(row.name, ())
            if town is None or made.document["town"] == town
        ]
        if len(named) > 1:
            raise InvalidInput(
                f"there are {len(named)} projects called {row.name}; say which by a column 项目编号 (id)"
            )
        return named[0] if named else None

    def _compare(
        self, row: Row, document: Mapping[str, Any], boundary: shapely.Geometry | None
    ) -> None:
        """Warn where a boundary has another area than is written beside it."""
        written = document.get("land_area")
        if boundary is None or not written:
            return
        drawn = area_of(boundary)
        if abs(drawn - written) > limit("area_differs") * written:
            self._report.warn(
                row.at("land_area"),
                warning=f"the boundary of {row.called} has {drawn:.0f} m² and its land area is told as "
                f"{written:.0f} m²; look which of them is right",
            )

    def _brought(self) -> Brought:
        found = Brought(self._report)
        every = {id(made): made for known in self._by_name.values() for made in known}
        for made in every.values():
            before: Mapping[str, Any] = made.before.document if made.before else {}
            changed = {
                name: value
                for name, value in made.document.items()
                if not same(before.get(name), value)
            }
            if made.before is not None and not changed:
                continue
            version = made.before.version if made.before else None
            found.changes.append(Change("project", made.key, changed, self._of.effective, version))
            found.projects.append({
                "id": made.key, "name": made.document["name"], "town": made.document["town"],
                "new": made.before is None, "changed": sorted(changed), "version": version,
            })  # fmt: skip
        self._report.changes = len(found.changes)
        return found
