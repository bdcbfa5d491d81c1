"""The template of a report as a Word document: A4, laid out as official documents in China usually are.

A city's own `renewal/report.docx` in its folder stands in for it; what can be named in one is what
`letter.py` fills in, and `docs/how-to/renewal-reports.md` lists it. This makes the one that is used
without such a file, and that a city begins its own with.

Source: margins, sizes of letters and fonts as GB/T 9704 (official documents) has them, as recalled.
"""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from docx import Document
from docx.document import Document as Paper
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from server.renewal.report import COLORED, Column, table_columns

BODY, HEADING, TITLE, LATIN = "仿宋", "黑体", "方正小标宋简体", "Times New Roman"
"""Fonts of the body, of headings and of the title, and that of Latin letters and figures."""

_TOP, _BOTTOM, _LEFT, _RIGHT = 37.0, 35.0, 28.0, 26.0
"""Margins of the upright page, mm."""
SIZE_TITLE, SIZE_BODY, SIZE_TABLE, SIZE_HEAD = 22.0, 16.0, 9.0, 8.0
"""Points: 二号, 三号, 小五; the heads of tables, whose words are to fit narrow columns."""
_LINE = 28.0
"""Points from line to line."""
_SIDES = ("top", "left", "bottom", "right", "insideH", "insideV")

Parts = Sequence[tuple[str, str | None]]
"""Sections and the tables in them."""

_DEMOLITION_UPRIGHT: Parts = (
    ("overview", "indicators"), ("towns", "towns"), ("coordination", "coordination"), ("map", None),
)  # fmt: skip
_DEMOLITION_WIDE: Parts = (("projects", "projects"), ("holdouts", "holdouts"))
_SUPERVISION_WIDE: Parts = (("overview", "units"), ("open", "open"), ("closed", "closed"))


@cache
def template(report: str) -> bytes:
    """The template of "demolition" or "supervision", .docx."""
    paper = Document()
    set_styles(paper)
    wide = report == "supervision"
    set_page(paper, wide=wide)
    _head(paper)
    if wide:
        _parts(paper, _SUPERVISION_WIDE, 297 - 2 * _RIGHT)
    else:
        _parts(paper, _DEMOLITION_UPRIGHT, 210 - _LEFT - _RIGHT)
        paper.add_section(WD_SECTION.NEW_PAGE)
        set_page(paper, wide=True)
        _parts(paper, _DEMOLITION_WIDE, 297 - 2 * _RIGHT)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def set_page(paper: Paper, *, wide: bool) -> None:
    """Make the last section of a document A4, upright or wide, with the page's number below."""
    section = paper.sections[-1]
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
    if wide:
        section.top_margin, section.bottom_margin = Mm(_LEFT), Mm(_RIGHT)
        section.left_margin = section.right_margin = Mm(_RIGHT)
    else:
        section.top_margin, section.bottom_margin = Mm(_TOP), Mm(_BOTTOM)
        section.left_margin, section.right_margin = Mm(_LEFT), Mm(_RIGHT)
    section.footer_distance = Mm(_BOTTOM - 10 if not wide else _RIGHT - 10)
    foot = section.footer.paragraphs[0]
    if len(paper.sections) == 1:  # later sections go on with the first one's
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        foot.add_run("— ")
        _field(foot.add_run(), "PAGE")
        foot.add_run(" —")
        for run in foot.runs:
            _font(run, "宋体", 14)


def set_styles(paper: Paper) -> None:
    """Give a document's text and its first headings their fonts."""
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = LATIN, Pt(SIZE_BODY)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    for language in normal.element.getroottree().iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    normal.paragraph_format.space_before = normal.paragraph_format.space_after = Pt(0)
    heading = paper.styles["Heading 1"]
    heading.font.name, heading.font.size, heading.font.bold = LATIN, Pt(SIZE_BODY), False
    heading.font.color.rgb = RGBColor(0, 0, 0)
    fonts = heading.element.rPr.rFonts
    for name in list(fonts.attrib):  # the default's are those of a theme, which outrank names
        del fonts.attrib[name]
    for name, value in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", HEADING)):
        fonts.set(qn(f"w:{name}"), value)
    shape = heading.paragraph_format
    shape.space_before, shape.space_after, shape.line_spacing = Pt(6), Pt(4), Pt(_LINE)
    shape.keep_with_next = True


def _head(paper: Paper) -> None:
    title = add_words(paper, "{{ title }}", TITLE, SIZE_TITLE, middle=True)
    title.paragraph_format.line_spacing = Pt(36)
    for text in ("{{ scope }}", "{{ subtitle }}", "{{ made }}"):
        add_words(paper, text, "楷体", 14, middle=True).paragraph_format.line_spacing = Pt(24)
    paper.add_paragraph().paragraph_format.line_spacing = Pt(12)


def _parts(paper: Paper, parts: Parts, width: float) -> None:
    for section, table in parts:
        paper.add_heading(f"{{{{ {section}.title }}}}", 1)
        _tag(paper, f"{{%p for text in {section}.paragraphs %}}")
        body = add_words(paper, "{{ text }}", BODY, SIZE_BODY)
        body.paragraph_format.first_line_indent = Pt(2 * SIZE_BODY)
        body.paragraph_format.line_spacing, body.paragraph_format.space_after = Pt(_LINE), Pt(3)
        body.paragraph_format.keep_with_next = section == "map"
        _tag(paper, "{%p endfor %}")
        if section == "map":
            _tag(paper, "{%p if picture %}")
            add_words(paper, "{{ picture }}", BODY, SIZE_TABLE, middle=True)
            _tag(paper, "{%p endif %}")
        if table is not None:
            _tag(paper, f"{{%p if {table}.rows %}}")
            _table(paper, table, width)
            _tag(paper, "{%p endif %}")


def _table(paper: Paper, name: str, width: float) -> None:
    columns = table_columns(name)
    table = paper.add_table(rows=5, cols=len(columns))
    table.autofit = False
    draw_lines(table)
    shares = [width * one.width / sum(column.width for column in columns) for one in columns]
    for grid, share in zip(table.columns, shares, strict=True):
        grid.width = Mm(share)
    head, begin, row, end, total = table.rows
    mark_row(head, "tblHeader")
    for one in (head, row, total):
        mark_row(one, "cantSplit")
    begin.cells[0].paragraphs[0].add_run(f"{{%tr for row in {name}.rows %}}")
    end.cells[0].paragraphs[0].add_run("{%tr endfor %}")
    for number, column in enumerate(columns):
        fill_cell(
            head.cells[number],
            f"{{{{ {name}.head.{column.id} }}}}",
            HEADING,
            middle=True,
            size=SIZE_HEAD,
        )
        middle = column.kind != "text"
        fill_cell(row.cells[number], _field_of(column), BODY, middle=middle)
        fill_cell(
            total.cells[number], f"{{{{ {name}.total.{column.id} }}}}", HEADING, middle=middle
        )
        shade_cell(head.cells[number], "E8EDF2")
        for one in table.rows:
            one.cells[number].width = Mm(shares[number])
    _only_if(table, total, f"{name}.total")


def _only_if(table: Any, row: Any, condition: str) -> None:
    """A row that is there only where a condition holds: two rows of tags around it."""
    for text, place in ((f"{{%tr if {condition} %}}", row._tr), ("{%tr endif %}", None)):
        added = table.add_row()
        added.cells[0].paragraphs[0].add_run(text)
        if place is not None:
            place.addprevious(added._tr)


def _field_of(column: Column) -> str:
    if column.kind in COLORED:
        return f"{{% cellbg row.{column.id}_color %}}{{{{ row.{column.id} }}}}"
    return f"{{{{ row.{column.id} }}}}"


def fill_cell(cell: Any, text: str, font: str, *, middle: bool, size: float = SIZE_TABLE) -> None:
    """Write into an empty cell of a table."""
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if middle else WD_ALIGN_PARAGRAPH.LEFT
    _font(paragraph.add_run(text), font, size)
    align = OxmlElement("w:vAlign")
    align.set(qn("w:val"), "center")
    cell._tc.get_or_add_tcPr().append(align)


def add_words(
    paper: Paper, text: str, font: str, size: float, *, middle: bool = False
) -> Paragraph:
    """Add a paragraph in a font and size (points)."""
    paragraph = paper.add_paragraph()
    if middle:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _font(paragraph.add_run(text), font, size)
    return paragraph


def _tag(paper: Paper, text: str) -> None:
    """A paragraph that only steers; none is left of it."""
    paper.add_paragraph().add_run(text)


def _font(run: Run, font: str, size: float) -> None:
    run.font.name, run.font.size = LATIN, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _field(run: Run, instruction: str) -> None:
    for kind, text in (("begin", None), (None, instruction), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._element.append(element)


def mark_row(row: Any, name: str) -> None:
    """Say something of a row, as that it is a head (`tblHeader`) or stays whole (`cantSplit`)."""
    row._tr.get_or_add_trPr().append(OxmlElement(f"w:{name}"))


def shade_cell(cell: Any, color: str) -> None:
    """Give a cell a ground ("RRGGBB")."""
    _child(cell._tc.get_or_add_tcPr(), "w:shd", {"val": "clear", "color": "auto", "fill": color})


def draw_lines(table: Any) -> None:
    """Thin lines around all cells, and little room beside their words."""
    about = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side in _SIDES:
        _child(borders, f"w:{side}", {"val": "single", "sz": "4", "space": "0", "color": "5A6470"})
    about.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", "20"), ("left", "40"), ("bottom", "20"), ("right", "40")):
        _child(margins, f"w:{side}", {"w": width, "type": "dxa"})
    about.append(margins)


def _child(parent: Any, name: str, values: Mapping[str, str]) -> None:
    element = OxmlElement(name)
    for key, value in values.items():
        element.set(qn(f"w:{key}"), value)
    parent.append(element)
