"""A renewal report as a Word document (.docx), filled into a template: the door of docxtpl."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from analysis.plain_text import allowed
from cim_core.errors import InvalidInput
from server.renewal.letter_template import template
from server.renewal.report import COLORED, Language, Report, Section, Table, colored

OWN_TEMPLATES: Mapping[str, str] = {
    "demolition": "renewal/report.docx", "supervision": "renewal/supervision.docx",
}  # fmt: skip
"""A city's own templates, in its folder."""
_PICTURE_WIDTH = 156.0
"""Millimetres: that of the text on an upright page."""


def write_letter(report: Report, language: Language, folder: Path, picture: bytes | None) -> bytes:
    """The report as .docx, by the city's own template where its folder has one.

    Raises `InvalidInput` for a template that cannot be filled in.
    """
    own = folder / OWN_TEMPLATES[report.id]
    if not own.is_file():
        return _filled(template(report.id), report, language, picture)
    try:
        return _filled(own.read_bytes(), report, language, picture)
    except (TemplateError, BadZipFile, SyntaxError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"{own} cannot be filled in: {error}; correct it, or begin anew with `cim renewal "
            "report-template`"
        ) from error


def context(report: Report, language: Language) -> dict[str, Any]:
    """What a template can name: the words of the head, each section and each table by its id."""
    sections = {one.id: _section(one, language) for one in report.sections}
    tables = {
        one.table.id: _table(one.table, language)
        for one in report.sections
        if one.table is not None
    }
    # A table that has the name of its section is found in it.
    parts = {name: sections.get(name, {}) | tables.get(name, {}) for name in {*sections, *tables}}
    return {
        "title": report.title[language], "scope": report.scope[language],
        "subtitle": report.subtitle[language], "made": report.made[language],
        "language": language, **parts,
    }  # fmt: skip


def _filled(made_of: bytes, report: Report, language: Language, picture: bytes | None) -> bytes:
    paper = DocxTemplate(io.BytesIO(made_of))
    values = context(report, language)
    if picture is not None:
        values["picture"] = InlineImage(paper, io.BytesIO(picture), width=Mm(_PICTURE_WIDTH))
    # Sandboxed: whoever writes a city's template need not run programs on its server.
    paper.render(values, SandboxedEnvironment(autoescape=True))
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _section(section: Section, language: Language) -> dict[str, Any]:
    return {
        "title": section.title[language],
        "paragraphs": [allowed(text[language]) for text in section.paragraphs],
    }


def _table(table: Table, language: Language) -> dict[str, Any]:
    texts = [_row(table, row) for row in table.texts(language)]
    total = texts.pop() if table.total is not None else None
    colors = (_colors(table, cells) for cells in table.rows)
    rows = [row | color for row, color in zip(texts, colors, strict=True)]
    head = {one.id: one.heading(language, "\n") for one in table.columns}
    return {"head": head, "rows": rows, "total": total}


def _row(table: Table, texts: Sequence[str]) -> dict[str, str]:
    return {one.id: allowed(text) for one, text in zip(table.columns, texts, strict=True)}


def _colors(table: Table, cells: Sequence[Any]) -> dict[str, str]:
    """The colours of coloured words, as RRGGBB; white where nothing is said."""
    return {
        f"{column.id}_color": colored(column.kind, cell)["color"][1:].upper() if cell else "FFFFFF"
        for column, cell in zip(table.columns, cells, strict=True)
        if column.kind in COLORED
    }
