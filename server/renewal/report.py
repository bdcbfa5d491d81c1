"""A renewal report as tables and sentences, before it is a file: all formats show what stands here.

Figures are as they are stored (m², CNY, shares); a column says how people see them, and `shown` is
the one place that writes them so.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from cim_core.renewal.words import Light, Period, Shown, Title, metrics

ReportId = Literal["demolition", "supervision"]
Form = Literal["docx", "xlsx", "pdf"]
Language = Literal["zh", "en"]
Cell = float | int | str | Title | None
"""A figure as it is stored; a text, or one by language; the id of a coloured word."""

COLORED: Mapping[str, str] = {"light": "lights", "urgency": "urgencies", "slip": "slips"}
"""The kinds of columns whose cells are words with a colour, and where those stand."""
LIGHTS: tuple[Light, ...] = ("green", "yellow", "red")
MISSING = "—"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    kind
        "text"; one of `COLORED`; else its cells are figures, shown as `shown` says, or as the
        `row_shown` of the table where that is None.
    width
        Parts of the table's width.
    """

    id: str
    title: Title
    kind: str
    shown: Shown | None
    width: float

    def heading(self, language: Language, between: str = "") -> str:
        """The title with the unit, `between` before that; a share has its sign with each figure.

        >>> table_columns("towns")[3].heading("zh"), table_columns("towns")[7].heading("zh")
        ('本期计划（万㎡）', '占年度任务')
        """
        unit = self.shown.unit[language] if self.shown else ""
        if not unit or unit == "%":
            return self.title[language]
        if between:
            return f"{self.title[language]}{between}({unit})"
        return self.title[language] + (f"（{unit}）" if language == "zh" else f" ({unit})")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, one for each column; `total` is one more row under them.

    row_shown
        How the figures of each row are shown in columns that do not say.
    """

    id: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    row_shown: Sequence[Shown] = ()

    def how(self, row: int, column: Column) -> Shown | None:
        """How the figures of a column are shown in a row."""
        if column.kind == "figure":
            return self.row_shown[row]
        return column.shown

    def texts(self, language: Language) -> list[list[str]]:
        """All rows as people read them, the total last."""
        rows = [
            [shown(cell, col, self.how(at, col), language) for cell, col in _pairs(self, row)]
            for at, row in enumerate(self.rows)
        ]
        if self.total is not None:
            rows.append([shown(c, col, col.shown, language) for c, col in _pairs(self, self.total)])
        return rows


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences under it, and a table under those."""

    id: str
    title: Title
    paragraphs: Sequence[Title] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A project on the map: its outline in degrees (GeoJSON), its light, its number in the table."""

    number: int
    light: str
    boundary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a period, first and last day included.

    scope
        Of what: the city, or one town.
    known
        The moment whose knowledge it shows, milliseconds since 1970; None for all there is.
    """

    id: ReportId
    period: Period
    start: date
    end: date
    known: int | None
    revision: int
    title: Title
    scope: Title
    subtitle: Title
    made: Title
    sections: Sequence[Section]
    places: Sequence[Place] = ()

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "report": self.id, "period": self.period, "from": self.start.isoformat(),
            "to": self.end.isoformat(), "known": self.known, "revision": self.revision,
            "title": self.title, "scope": self.scope,
            "sections": [
                {
                    "id": one.id, "title": one.title, "paragraphs": list(one.paragraphs),
                    "table": None if one.table is None else _table_document(one.table),
                }
                for one in self.sections
            ],
        }  # fmt: skip

    def section(self, name: str) -> Section:
        """One of its sections."""
        return next(one for one in self.sections if one.id == name)


def shown(cell: Cell, column: Column, how: Shown | None, language: Language) -> str:
    """A cell as people read it; a dash where nothing is known.

    >>> share = table_columns("towns")[7]
    >>> shown(0.28549, share, share.shown, "zh"), shown(None, share, share.shown, "en")
    ('28.5%', '—')
    """
    match cell:
        case None:
            return MISSING
        case str() if cell and column.kind in COLORED:
            return colored(column.kind, cell)[language]
        case str():
            return cell
        case Mapping():
            return cell[language]
    assert how is not None
    return figure(cell, how)


def figure(value: float, how: Shown) -> str:
    """A figure in the unit people see, rounded half away from zero as spreadsheets round.

    >>> figure(123450.0, metrics()["floor-area-demolished"].shown), figure(0.8, kinds()["share"])
    ('12.35', '80.0%')
    """
    exact = Decimal(repr(value)) / Decimal(repr(how.factor))
    # What rounds to nothing is nothing, without a sign.
    rounded = exact.quantize(Decimal(1).scaleb(-how.decimals), ROUND_HALF_UP) + 0
    return f"{rounded:f}%" if how.unit["en"] == "%" else f"{rounded:f}"


def sentence(group: str, name: str, **values: str | int | Title) -> Title:
    """A sentence with figures in it, in both languages."""
    return filled(_words()[group]["sentences"][name], values)


def said(name: str, **values: str | Title) -> Title:
    """Some words, in both languages.

    >>> said("made", at=day_text(date(2026, 3, 8)))
    {'en': 'As of 8 March 2026', 'zh': '数据截至：2026年3月8日'}
    """
    return filled(_words()["words"][name], values)


def day_text(day: date) -> Title:
    """A day as people write it."""
    english = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return {"en": english, "zh": f"{day.year}年{day.month}月{day.day}日"}


def title_of(report: str, period: str) -> Title:
    """What a report is called."""
    title: Title = _words()[report]["title"][period]
    return title


def section_title(report: str, name: str) -> Title:
    """What a section of a report is called."""
    title: Title = _words()[report]["sections"][name]
    return title


def colored(kind: str, word: str) -> Mapping[str, str]:
    """A word by language, with its colour ("#rrggbb")."""
    words: Mapping[str, str] = _words()[COLORED[kind]][word]
    return words


@cache
def kinds() -> Mapping[str, Shown]:
    """How figures that are no metrics are shown, by kind."""
    return {
        name: Shown(float(row["factor"]), row["decimals"], {"en": row["en"], "zh": row["zh"]})
        for name, row in _words()["kinds"].items()
    }


@cache
def table_columns(name: str) -> tuple[Column, ...]:
    """The columns of a table."""
    shows = {**kinds()} | {key: metric.shown for key, metric in metrics().items()}
    return tuple(
        Column(
            row["id"],
            {"en": row["en"], "zh": row["zh"]},
            row["kind"],
            shows.get(row["kind"]),
            float(row["width"]),
        )
        for row in _words()["tables"][name]["columns"]
    )


def filled(words: Title, values: Mapping[str, str | int | Title]) -> Title:
    """Words with values for their {placeholders}, in both languages."""
    return {
        language: words[language].format_map(
            {
                name: value[language] if isinstance(value, Mapping) else value
                for name, value in values.items()
            }
        )
        for language in ("en", "zh")
    }


def _pairs(table: Table, row: Sequence[Cell]) -> list[tuple[Cell, Column]]:
    return list(zip(row, table.columns, strict=True))


def _table_document(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "columns": [
            {"id": one.id, "title": one.title, "kind": one.kind, "shown": _shown_document(one.shown)}
            for one in table.columns
        ],
        "rows": [list(row) for row in table.rows],
        "row_shown": [_shown_document(one) for one in table.row_shown],
        "total": None if table.total is None else list(table.total),
    }  # fmt: skip


def _shown_document(how: Shown | None) -> dict[str, Any] | None:
    if how is None:
        return None
    return {"factor": how.factor, "decimals": how.decimals, "unit": how.unit}


@cache
def _words() -> dict[str, Any]:
    text = files("server.renewal").joinpath("report.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
