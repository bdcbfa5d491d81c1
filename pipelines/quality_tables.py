"""What the check finds in single cells: headers, what must be filled, numbers, words and years."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from cim_core.checkin import Rule
from cim_core.network import Labels, Rows
from pipelines.dictionary import class_letters, feature_code, is_word, pipe_class
from pipelines.headers import TableKind, default_headers
from pipelines.quality_rows import Stack
from pipelines.quality_survey import CheckedSurvey, Findings
from pipelines.sizes import parse_size
from pipelines.survey import SurveyTable
from pipelines.survey_values import years

_NUMBERS = {
    "point": (
        "x", "y", "ground", "bottom_depth", "bottom", "elevation", "top", "invert", "depth",
        "top_depth", "invert_depth", "angle",
    ),
    "line": (
        "start_depth", "end_depth", "start_elevation", "end_elevation", "start_top", "end_top",
        "start_invert", "end_invert", "start_top_depth", "end_top_depth", "start_invert_depth",
        "end_invert_depth", "width", "height", "wall", "holes", "used_holes", "cables", "length",
    ),
    "user": ("users", "demand", "demand_m3d", "demand_m3h"),
}  # fmt: skip


_INSTEAD = {"size": ("width", "holes", "cables"), "point": ("map_point",)}
"""What may be written in place of a field."""


def header_empty(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Columns without a name; the value is the column's number, from 1."""
    for table in checked.tables:
        for at, header in enumerate(table.headers):
            if not header.strip():
                yield checked.on_table(rule, table, at + 1)


def header_twice(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Column names that stand more than once."""
    for table in checked.tables:
        counted = Counter(header.strip() for header in table.headers)
        for header, times in counted.items():
            if header and times > 1:
                yield checked.on_table(rule, table, header)


def column_missing(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Required fields a table has no column for."""
    for table in checked.tables:
        for field in rule.names(table.kind) if table.kind in rule.thresholds else ():
            if not any(name in table.columns for name in (field, *_INSTEAD.get(field, ()))):
                yield checked.on_table(rule, table, header_of(table, field))


def cell_empty(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Required fields that are empty."""
    for stack in (checked.points, checked.lines):
        for field in rule.names(stack.kind):
            empty = stack.has(field) & ~stack.filled(field)
            for other in _INSTEAD.get(field, ()):
                empty &= ~stack.filled(other)
            for row in np.flatnonzero(empty).tolist():
                yield checked.on_row(rule, stack, row, header_of(stack.table(row), field))


def not_a_number(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Numeric fields with something else in them."""
    for stack in (checked.points, checked.lines, checked.users):
        for field in _NUMBERS[stack.kind]:
            wrong = stack.filled(field) & np.isnan(stack.values(field))
            yield from _cells(checked, rule, stack, field, np.flatnonzero(wrong))


def size_unreadable(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Sizes that are none."""
    lines = checked.lines
    for row in _cells_with(lines, "size", lambda text: parse_size(text) is None).tolist():
        yield checked.on_line(rule, row, str(lines.texts("size")[row]))


def year_implausible(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Years that are none, long ago or still to come."""
    first, last = rule.number("min"), datetime.now(UTC).year

    for stack in (checked.points, checked.lines):
        found = years(stack.texts("year"))
        wrong = stack.filled("year") & ~((found >= first) & (found <= last))
        yield from _cells(checked, rule, stack, "year", np.flatnonzero(wrong), "min")


def _cells(
    checked: CheckedSurvey, rule: Rule, stack: Stack, field: str, rows: Rows,
    limit: str | None = None,
) -> Findings:  # fmt: skip
    for row in rows.tolist():
        header, text = header_of(stack.table(row), field), str(stack.texts(field)[row])
        yield checked.on_row(rule, stack, row, text, limit, field=header)


def _cells_with(stack: Stack, field: str, wrong: Callable[[str], bool]) -> Rows:
    """The rows in which a field is written, and wrongly; each way of writing is asked once."""
    texts = Labels.of(stack.texts(field).tolist())
    bad = np.array([*map(wrong, texts.names), False], bool)
    return np.flatnonzero(bad[texts.codes])


def not_in_dictionary(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Classes, materials, ways of laying and statuses that the dictionaries do not have."""
    asked: dict[str, Callable[[str], bool]] = {
        "class": lambda text: not class_letters(text),
        "material": lambda text: not is_word("materials", text),
        "burial": lambda text: not is_word("burials", text),
        "status": lambda text: not is_word("statuses", text),
    }
    for stack in (checked.points, checked.lines):
        for field, wrong in asked.items():
            yield from _cells(checked, rule, stack, field, _cells_with(stack, field, wrong))


def code_malformed(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Feature codes whose structure is not that of one."""
    for stack in (checked.points, checked.lines):
        wrong = _cells_with(stack, "code", lambda text: not class_letters(text))
        for row in wrong.tolist():
            yield checked.on_row(rule, stack, row, str(stack.texts("code")[row]))


def code_disagrees(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Feature codes of another class, another kind of thing or another feature than the row's."""
    for stack in (checked.points, checked.lines):
        said = (
            stack.texts("code"), stack.joined.names().texts(), stack.texts("class"), stack.texts("feature"),
            stack.texts("appurtenance"),
        )  # fmt: skip
        for row in np.flatnonzero(stack.filled("code")).tolist():
            against = _unlike_code(stack.kind, *(str(texts[row]) for texts in said))
            if against:
                yield checked.on_row(rule, stack, row, said[0][row], text=against)


@lru_cache(maxsize=4096)
def _unlike_code(kind: str, text: str, system: str, said: str, feature: str, other: str) -> str:
    """What of a row its code does not fit; "" where it fits."""
    own = class_letters(said) or system
    letters, code = class_letters(text), feature_code(text)
    if letters and own and not _one_class(letters, own):
        return said or system
    if code is None:
        return ""
    if code.element not in (kind, "other"):
        return kind
    if kind == "point" and code.element == "point" and (feature or other):
        if code.is_appurtenance != bool(other):
            return other or feature
        word = other or feature
        if code.name and code.name not in word and word not in code.name:
            return word
    return ""


def _one_class(one: str, other: str) -> bool:
    """Whether two classes are the same, or one is a sub-class of the other."""
    return one == other or pipe_class(one).system == other or pipe_class(other).system == one


def header_of(table: SurveyTable, field: str) -> str:
    """How a table calls a field, or how most call it where the table does not have it.

    >>> from types import SimpleNamespace
    >>> header_of(SimpleNamespace(kind="line", headers=["管径 (mm)"]), "size")
    '管径 (mm)'
    >>> header_of(SimpleNamespace(kind="line", headers=[]), "material")
    '材质'
    """
    return _header(table.kind, tuple(table.headers), field)


@lru_cache(maxsize=1024)
def _header(kind: TableKind, headers: tuple[str, ...], field: str) -> str:
    known = default_headers()
    at = known.fields(kind, headers).get(field)
    if at is not None:
        return headers[at]
    return next(iter(known.aliases[kind].get(field, ())), field)
