"""A row of projects or parcels as somebody brought it, as fields of documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cim_core.errors import CimError, InvalidInput
from cim_core.renewal.documents import checked_id
from cim_core.renewal.stages import templates
from server.renewal.bring_in_columns import Known, Recognised, plain, words
from server.renewal.findings import Misplaced, Place
from server.renewal.given import GivenLine, GivenValue, as_day, as_number, as_text

_OF_PROJECT = (
    "name", "type", "mode", "village", "owner", "lead", "entity", "partner", "template", "land_area",
    "floor_area_existing", "floor_area_planned", "far", "investment", "note",
)  # fmt: skip
_LARGEST = 1e13
_SAME = 1e-9
"""Relative: a value that went through its unit and back is the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table whose columns are recognised. Cells that are wrong raise `Misplaced`."""

    table: Recognised
    line: GivenLine

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.table.sheet.name, self.line.number)

    @property
    def empty(self) -> bool:
        """Whether nothing that is recognised stands in it, and no shape."""
        return self.line.shape is None and not any(
            as_text(self._cell(field)) for field in self.table.columns
        )

    @property
    def key(self) -> str | None:
        """The id of its project."""
        text = self.text("id")
        if text is None:
            return None
        try:
            return checked_id(text)
        except InvalidInput as error:
            raise Misplaced(self.at("id"), error) from None

    @property
    def name(self) -> str:
        """What its project is called."""
        return self.text("name") or ""

    @property
    def called(self) -> str:
        """What people call its project: by its name, or its id."""
        return self.name or self.text("id") or f"row {self.line.number}"

    def at(self, field: str) -> Place:
        """Where a field of it stands."""
        known = self.table.columns.get(field)
        return Place(self.table.sheet.name, self.line.number, known.title if known else "")

    def text(self, field: str) -> str | None:
        """What stands in a field; None for nothing."""
        return as_text(self._cell(field)) or None

    def project(self) -> dict[str, Any]:
        """What it says of its project but where it lies; what is empty is not said."""
        if self.key is None and not self.name:
            raise InvalidInput("it names no project; fill in 项目编号 (id) or 项目名称 (name)")
        said: dict[str, Any] = {field: self._value(field) for field in _OF_PROJECT}
        number, day = self.text("approval_number"), self._value("approval_date")
        if number is not None or day is not None:
            approval = {"number": number, "date": day}
            said["approval"] = {key: value for key, value in approval.items() if value is not None}
        return {field: value for field, value in said.items() if value is not None}

    def parcel(self, approved: Mapping[str, str]) -> dict[str, Any]:
        """What it says of a parcel; `approved` has the names of limits by field."""
        key = self.text("parcel")
        if key is None:
            raise Misplaced(
                self.at("parcel"),
                InvalidInput("it does not say which parcel; fill in 地块编号 (parcel)"),
            )
        use = self._value("use")
        if use is None:
            raise Misplaced(
                self.at("use"),
                InvalidInput("it does not say what the parcel is for; fill in 用途 (use)"),
            )
        said: dict[str, Any] = {"id": key, "use": use, "land_area": self._value("land_area")}
        limits = {name: self._value(field) for field, name in approved.items()}
        told = {name: value for name, value in limits.items() if value is not None}
        if told:
            said["approved"] = told
        return {field: value for field, value in said.items() if value is not None}

    def complete(self, document: dict[str, Any]) -> None:
        """Give a project that says none the first stage template of its type and mode."""
        if "template" in document:
            return
        kind, mode = document.get("type"), document.get("mode")
        for template in templates().values():
            if kind in template.types and mode in template.modes:
                document["template"] = template.id
                return

    def _cell(self, field: str) -> GivenValue:
        known = self.table.columns.get(field)
        if known is None or known.place >= len(self.line.cells):
            return None
        return self.line.cells[known.place]

    def _value(self, field: str) -> str | float | None:
        """A field as documents have it."""
        known = self.table.columns.get(field)
        cell = self._cell(field)
        if known is None or not as_text(cell):
            return None
        try:
            return _READ.get(known.kind, _amount)(cell, known)
        except CimError as error:
            raise Misplaced(self.at(field), error) from None


def same(before: object, after: object) -> bool:
    """Whether two values of documents are the same, but for what rounding does to numbers."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, int | float) and isinstance(after, int | float):
        return abs(before - after) <= _SAME * max(1.0, abs(before), abs(after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(same(before[k], after[k]) for k in before)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(same, before, after))
    return before == after


def _amount(cell: GivenValue, known: Known) -> float | None:
    number = as_number(cell)
    if number is None:
        return None
    value = float(f"{number * (known.factor or 1.0):.12g}")
    if not 0 <= value <= _LARGEST:
        raise InvalidInput(f"{number:g} cannot be; look at the figure and its unit")
    return value


def _share(cell: GivenValue, known: Known) -> float | None:
    percent = isinstance(cell, str) and cell.rstrip().endswith("%")
    number = as_number(cell.rstrip().rstrip("%") if isinstance(cell, str) else cell)
    if number is None:
        return None
    value = number * (0.01 if percent else known.factor or 1.0)
    if not 0 <= value <= 1:
        raise InvalidInput(f"{number:g} is no share; write 0.35 or 35%")
    return float(f"{value:.12g}")


def _text(cell: GivenValue, _: Known) -> str:
    return as_text(cell)


def _day(cell: GivenValue, _: Known) -> str | None:
    day = as_day(cell)
    return day.isoformat() if day else None


def _word(cell: GivenValue, known: Known) -> str:
    text, every = as_text(cell), words(known.kind)
    found = every.get(plain(text))
    if found is None:
        raise InvalidInput(f"{text!r} is not known; write one of {', '.join(every)}")
    return found


def _template(cell: GivenValue, _: Known) -> str:
    text = as_text(cell)
    for template in templates().values():
        if plain(text) in {plain(name) for name in (template.id, *template.title.values())}:
            return template.id
    raise InvalidInput(f"{text!r} is no stage template; write one of {', '.join(templates())}")


_READ: Mapping[str, Callable[[GivenValue, Known], str | float | None]] = {
    "text": _text, "id": _text, "town": _text, "day": _day, "type": _word, "mode": _word, "use": _word,
    "template": _template, "share": _share,
}  # fmt: skip
