"""The report of a check-up before it is a file: chapters with sentences, tables and maps.

All formats show what stands here, and every figure here is one that the API tells.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from analysis.checkup.words import words
from cim_core.city import City
from cim_core.store.checkup import Run
from server.checkup.figures import Figure, Language, figure_text
from server.checkup.ledger import problems_of
from server.checkup.part_units import Parts
from server.checkup.reading import units_of_run
from server.checkup.report_map import draw_map
from server.checkup.told import Document, run_detail
from server.renewal.asked import CHINA
from server.renewal.report import day_text

LEVELS = ("city", "block", "community", "housing")
"""From the city down to its buildings."""
_MOST_UNITS = 40
"""So many units a map and a table of a page show; of more, the larger kind of units is shown."""
_SHOWN = ("town", "community", "estate")
_AMOUNTS = ("total", "gap")
"""Operators that divide by nothing."""
_WORST = 3
"""Units that an advice names."""


Cell = Figure | str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; `widths` are parts of the width."""

    headings: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Part:
    """A heading of the first or second order, with what stands under it.

    key
        What it is about: a chapter, or an indicator's code.
    """

    key: str
    title: str
    order: Literal[1, 2]
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report in one language."""

    title: str
    lines: Sequence[str]
    language: Language
    parts: Sequence[Part] = field(default=())


def make_report(city: City, run: Run, language: Language, *, pictures: bool = True) -> Report:
    """The report of what is seen of a run."""
    return _Writer(city, run, language, pictures=pictures).report()


def said(group: str, which: str, language: Language, /, **values: object) -> str:
    """Some words of the report."""
    text: str = report_words()[group][which][language]
    return text.format_map(values)


@cache
def report_words() -> dict[str, Any]:
    """`report.toml` as it stands."""
    text = files("server.checkup").joinpath("report.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class _Writer:
    """Writes the chapters of one report."""

    def __init__(self, city: City, run: Run, language: Language, *, pictures: bool) -> None:
        self._city, self._run, self._language = city, run, language
        self._pictures = pictures
        self._told = run_detail(city, run)
        self._entries: list[Document] = self._told["indicators"]
        self._problems, _ = problems_of(city, run.id, {})
        self._names = {one["code"]: one["name"][language] for one in self._entries}

    def report(self) -> Report:
        told, language = self._told, self._language
        system = words()["systems"].get(told["system"], {}).get(language, told["system"])
        day = day_text(datetime.fromtimestamp(told["made"] / 1000, CHINA).date())[language]
        lines = [
            self._say("head", "set", set=told["set_name"][language], system=system, indicators=len(self._entries)),
            self._say(
                "head", "made", day=day, run=told["id"], receipt=told["receipt"],
                state=self._say("head", told["state"]),
            ),
        ]  # fmt: skip
        if told["title"]:
            lines.insert(0, told["title"])
        if told["hidden"]:
            lines.append(self._say("head", "hidden", count=told["hidden"]))
        parts = [
            self._overview(), self._method(), *self._conclusions(), *self._analysis(), self._advice(),
            self._plan(), self._results(), self._ledger(), self._inputs(),
        ]  # fmt: skip
        return Report(self._say("head", "title", year=told["year"]), lines, language, parts)

    def _overview(self) -> Part:
        counts = {"indicators": len(self._entries), **self._told["counts"]}
        return self._chapter(
            "overview",
            [
                self._say("sentence", "overview", **counts),
                self._say("sentence", "problems", **self._told["problems"]),
            ],
        )

    def _method(self) -> Part:
        rows: list[list[Cell]] = []
        for level in LEVELS:
            entries = [one for one in self._entries if one["level"] == level]
            if entries:
                judged = [one["value"]["met"] for one in entries]
                rows.append(
                    [
                        words()["levels"][level][self._language], Figure(len(entries), 0),
                        Figure(judged.count(True), 0), Figure(judged.count(False), 0),
                    ]
                )  # fmt: skip
        table = self._table(("level", "count", "met", "failed"), (3, 1, 1, 1), rows)
        paragraphs = [
            self._say("sentence", "method_share"), self._say("sentence", "method_target"),
        ]  # fmt: skip
        return self._chapter("method", paragraphs, table)

    def _conclusions(self) -> list[Part]:
        parts = [self._chapter("conclusions")]
        for name, judged in (("met", True), ("failed", False)):
            entries = [one for one in self._entries if one["value"]["met"] is judged]
            title = self._say("column", name)
            if not entries:
                nothing = [self._say("sentence", "nothing")]
                parts.append(Part(name, title, 2, nothing))
                continue
            rows: list[list[Cell]] = [
                [
                    one["code"], self._name(one), self._figure(one), one["unit"][self._language],
                    self._target(one), one["department"][self._language],
                ]
                for one in entries
            ]  # fmt: skip
            columns = ("code", "name", "value", "unit", "target", "department")
            parts.append(
                Part(name, title, 2, (), self._table(columns, (1, 4, 1.5, 1.2, 3, 3), rows))
            )
        return parts

    def _analysis(self) -> list[Part]:
        parts = [self._chapter("analysis")]
        for level in LEVELS:
            for one in self._entries:
                if one["level"] == level:
                    parts.append(self._indicator(one))
        return parts

    def _indicator(self, one: Document) -> Part:
        language, value = self._language, one["value"]
        known = value["value"] is not None
        amount = (
            f"{self._figure(one).text()} {one['unit'][language]}"
            if known
            else self._say("word", "unknown")
        )
        formula = one["formula_text"][language]
        paragraphs = [
            self._say("sentence", "value", name=self._name(one), value=amount, formula=formula)
        ]
        if known:
            above, below = Parts(one["formula"], language).figures(value)
            paragraphs.append(
                self._say(
                    "sentence", "amount" if one["formula"]["operator"] in _AMOUNTS else "parts",
                    numerator=above.text(), denominator=below.text(),
                    surveyed=figure_text(value["surveyed"], 1, share=True),
                    status=words()["statuses"][value["status"]][language],
                    method=words()["methods"][one["method"]][language],
                )
            )  # fmt: skip
        if value["reason_text"]:
            paragraphs.append(value["reason_text"][language])
        if one["proxy"]:
            paragraphs.append(self._say("sentence", "proxy"))
        elif one["target"] is not None:
            judged = {True: "target_met", False: "target_failed", None: "target_unknown"}[
                value["met"]
            ]
            paragraphs.append(self._say("sentence", judged, target=self._target(one)))
        department = one["department"][language]
        paragraphs.append(self._say("sentence", "department", department=department))
        title = f"{one['code']}  {self._name(one)}"
        table, picture = self._by_units(one)
        return Part(one["code"], title, 2, paragraphs, table, picture)

    def _by_units(self, one: Document) -> tuple[Table | None, bytes | None]:
        kinds = [by for by in _SHOWN if by in one["by"]]
        if not kinds:
            return None, None
        found = [units_of_run(self._city, self._run, one["code"], by) for by in kinds]
        few = [values for values in found if len(values.units.ids) <= _MOST_UNITS]
        values = few[-1] if few else found[0]
        parts = Parts(one["formula"], self._language)
        rows: list[list[Cell]] = [
            [
                row["name"][self._language], Figure(row["value"], one["decimals"]), *parts.figures(row),
                Figure(row["surveyed"], 0, share=True),
                words()["statuses"][row["status"]][self._language], self._judged(row["met"]),
            ]
            for row in values.rows()[:_MOST_UNITS]
        ]  # fmt: skip
        columns = ("unit_name", "value", "numerator", "denominator", "surveyed", "status", "judged")
        table = self._table(columns, (3, 1.3, 1.6, 1.6, 1.2, 1.3, 1.2), rows)
        picture = draw_map(values, one, self._language) if self._pictures else None
        return table, picture

    def _advice(self) -> Part:
        paragraphs = []
        for one in self._entries:
            if one["value"]["met"] is not False:
                continue
            worst = [problem for problem in self._problems if problem["code"] == one["code"]]
            worst.sort(key=lambda problem: -abs(problem["value"] - problem["target"]))
            between = self._say("word", "between")
            units = between.join(p["name"][self._language] for p in worst[:_WORST])
            paragraphs.append(
                self._say(
                    "sentence", "advice_lower" if one["direction"] == "lower" else "advice", department=one["department"][self._language],
                    name=self._name(one), target=self._target(one), count=len(worst), units=units or "—",
                    value=f"{self._figure(one).text()} {one['unit'][self._language]}",
                )
            )  # fmt: skip
        return self._chapter("advice", paragraphs or [self._say("sentence", "nothing")])

    def _plan(self) -> Part:
        columns = ("problem", "name", "unit_name", "department", "project", "projects", "state")
        between = self._say("word", "between")
        rows: list[list[Cell]] = [
            [
                one["id"], self._names[one["code"]], one["name"][self._language],
                one["department"][self._language], one["project"] or "—",
                between.join(one["projects"]) or "—", self._state(one),
            ]
            for one in self._problems
            if one["project"] or one["projects"]
        ]  # fmt: skip
        table = self._table(columns, (1.4, 3, 2, 2.4, 1.6, 2, 1.2), rows) if rows else None
        return self._chapter("plan", [self._say("sentence", "plan" if rows else "nothing")], table)

    def _results(self) -> Part:
        columns = (
            "code", "name", "value", "unit", "target", "judged", "numerator", "denominator", "surveyed",
            "status",
        )  # fmt: skip
        rows: list[list[Cell]] = [
            [
                one["code"], self._name(one), self._figure(one), one["unit"][self._language],
                self._target(one), self._judged(one["value"]["met"]),
                *Parts(one["formula"], self._language).figures(one["value"]),
                Figure(one["value"]["surveyed"], 0, share=True),
                words()["statuses"][one["value"]["status"]][self._language],
            ]
            for one in self._entries
        ]  # fmt: skip
        widths = (0.9, 3.2, 1.3, 1.1, 2.2, 1.1, 1.7, 1.7, 1.1, 1.1)
        return self._chapter("results", (), self._table(columns, widths, rows))

    def _ledger(self) -> Part:
        columns = (
            "problem",
            "code",
            "name",
            "unit_name",
            "value",
            "target",
            "department",
            "state",
            "note",
        )
        entries = {one["code"]: one for one in self._entries}
        decimals = {one["code"]: one["decimals"] for one in self._entries}
        rows: list[list[Cell]] = [
            [
                one["id"], one["code"], self._names[one["code"]], one["name"][self._language],
                Figure(one["value"], decimals[one["code"]]),
                self._target(entries[one["code"]]), one["department"][self._language], self._state(one), one["note"],
            ]
            for one in self._problems
        ]  # fmt: skip
        table = (
            self._table(columns, (1.3, 0.8, 2.4, 1.7, 1.1, 1.6, 1.9, 1.1, 2), rows)
            if rows
            else None
        )
        return self._chapter("ledger", () if rows else [self._say("sentence", "nothing")], table)

    def _inputs(self) -> Part:
        rows: list[list[Cell]] = [
            [
                one["title"][self._language], one["layer"],
                "—" if one["version"] is None else str(one["version"]), one["date"] or "—",
                Figure(one["features"], 0),
            ]
            for one in self._told["inputs"]
        ]  # fmt: skip
        columns = ("input", "layer", "version", "date", "features")
        return self._chapter("inputs", (), self._table(columns, (3, 2.4, 1, 1.6, 1.2), rows))

    def _chapter(
        self, key: str, paragraphs: Sequence[str] = (), table: Table | None = None
    ) -> Part:
        return Part(key, self._say("chapter", key), 1, paragraphs, table)

    def _table(
        self, columns: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[Cell]]
    ) -> Table:
        return Table([self._say("column", name) for name in columns], widths, rows)

    def _name(self, one: Document) -> str:
        name: str = one["name"][self._language]
        return self._say("word", "proxy", name=name) if one["proxy"] else name

    def _figure(self, one: Document) -> Figure:
        return Figure(one["value"]["value"], one["decimals"])

    def _target(self, one: Document) -> str:
        """A target with its sign and unit; one that is only recalled says so."""
        target = one["target"]
        if target is None:
            return "—"
        name = {"higher": "at_least", "lower": "at_most"}.get(one["direction"], "at_least")
        value, unit = figure_text(target["value"], one["decimals"]), one["unit"][self._language]
        text = self._say("word", name, value=value, unit=unit)
        if target["confidence"] == "recalled":
            return self._say("word", "recalled", target=text)
        return text

    def _judged(self, judged: bool | None) -> str:
        return self._say("word", {True: "met", False: "failed", None: "unjudged"}[judged])

    def _state(self, problem: Mapping[str, Any]) -> str:
        text: str = words()["problem-states"][problem["state"]][self._language]
        return text

    def _say(self, group: str, which: str, /, **values: object) -> str:
        return said(group, which, self._language, **values)
