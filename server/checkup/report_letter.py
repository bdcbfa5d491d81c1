"""The report of a check-up as a Word document (.docx), laid out as renewal's letters are."""

import io
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from docx import Document
from docx.document import Document as Paper
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from analysis.plain_text import allowed
from server.checkup.figures import Figure, Language
from server.checkup.report import Cell, Part, Report, Table, said
from server.renewal.letter_template import (
    BODY,
    HEADING,
    SIZE_BODY,
    SIZE_HEAD,
    SIZE_TABLE,
    SIZE_TITLE,
    TITLE,
    add_words,
    draw_lines,
    fill_cell,
    mark_row,
    set_page,
    set_styles,
    shade_cell,
)

_WIDTH = 156.0
"""Millimetres of text on an upright page."""
_PICTURE = 120.0
_GROUND = "E8EDF2"
_LINE = 24.0
_MOST_ROWS = 1000
"""Rows of a table on paper; a workbook has all of them."""


def write_letter(report: Report) -> bytes:
    """The report as .docx: chapters as headings, so that it can be gone through by them."""
    paper = Document()
    set_styles(paper)
    set_page(paper, wide=False)
    add_words(paper, allowed(report.title), TITLE, SIZE_TITLE, middle=True)
    for line in report.lines:
        add_words(paper, allowed(line), "楷体", 12, middle=True)
    for part in report.parts:
        _part(paper, part, report.language)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _part(paper: Paper, part: Part, language: Language) -> None:
    if part.order == 1:
        paper.add_heading(allowed(part.title), 1)
    else:
        heading = add_words(paper, allowed(part.title), HEADING, SIZE_BODY - 2)
        heading.paragraph_format.keep_with_next = True
        _outline(heading)
    for text in part.paragraphs:
        body = add_words(paper, allowed(text), BODY, SIZE_BODY - 2)
        body.paragraph_format.first_line_indent = Pt(2 * (SIZE_BODY - 2))
        body.paragraph_format.line_spacing = Pt(_LINE)
    if part.picture is not None:
        paper.add_picture(io.BytesIO(part.picture), width=Mm(_PICTURE))
    if part.table is not None:
        _table(paper, part.table)
        if len(part.table.rows) > _MOST_ROWS:
            cut = said("sentence", "cut", language, shown=_MOST_ROWS, total=len(part.table.rows))
            add_words(paper, cut, BODY, SIZE_BODY - 2)


def _outline(paragraph: object) -> None:
    """Let a paragraph be of the second order in the document's outline."""
    level = OxmlElement("w:outlineLvl")
    level.set(qn("w:val"), "1")
    paragraph._p.get_or_add_pPr().append(level)  # type: ignore[attr-defined]


def _table(paper: Paper, table: Table) -> None:
    made = paper.add_table(rows=1, cols=len(table.headings))
    made.autofit = False
    draw_lines(made)
    shares = [_WIDTH * width / sum(table.widths) for width in table.widths]
    head = made.rows[0]
    mark_row(head, "tblHeader")
    for column, share in zip(made.columns, shares, strict=True):
        column.width = Mm(share)
    for cell, heading, share in zip(head.cells, table.headings, shares, strict=True):
        cell.width = Mm(share)  # rows that are added have the widths of those before
        fill_cell(cell, allowed(heading), HEADING, middle=True, size=SIZE_HEAD)
        shade_cell(cell, _GROUND)
    # A row is laid out once for each order of texts and figures; the others are copies of it.
    laid_out: dict[tuple[bool, ...], Any] = {}
    for row in table.rows[:_MOST_ROWS]:
        order = tuple(isinstance(value, Figure) for value in row)
        if order not in laid_out:
            laid_out[order] = _row(made, order)
        copied = deepcopy(laid_out[order])
        for words, value in zip(copied.iter(qn("w:r")), row, strict=True):
            words.text = allowed(_text(value))
        made._tbl.append(copied)
    paper.add_paragraph()


def _row(made: Any, order: Sequence[bool]) -> Any:
    """A row of a table that is not in it, one run in each cell; figures stand in the middle."""
    added = made.add_row()
    mark_row(added, "cantSplit")
    for cell, middle in zip(added.cells, order, strict=True):
        fill_cell(cell, "", BODY, middle=middle, size=SIZE_TABLE)
    made._tbl.remove(added._tr)
    return added._tr


def _text(value: Cell) -> str:
    return value.text() if isinstance(value, Figure) else value
