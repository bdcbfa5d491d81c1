"""Statements found in the text of a STEP file, against a parser that goes letter by letter."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bim_import import ifc_text
from bim_import.ifc_text import OddText, StepText

HEAD = "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n"
TAIL = "ENDSEC;\nEND-ISO-10303-21;\n"


@dataclass
class Statement:
    """What the slow parser finds: the text has no reference numbers and no comments."""

    number: int
    bare: str = ""
    refs: list[int] = field(default_factory=list)


def slowly(text: str) -> list[Statement]:
    """Read letter by letter, as the standard (ISO 10303-21, clause 6) describes the tokens."""
    found: list[Statement] = []
    at, open_statement, number = 0, None, None
    while at < len(text):
        letter = text[at]
        if text.startswith("/*", at):
            at = text.index("*/", at) + 2
            continue
        if letter == "'":
            end = text.index("'", at + 1) + 1
            if open_statement is not None:
                open_statement.bare += text[at:end]
            at = end
            continue
        if letter == "#":
            end = at + 1
            while text[end].isdigit():
                end += 1
            if open_statement is None:
                number = int(text[at + 1 : end])
            else:
                open_statement.refs.append(int(text[at + 1 : end]))
                open_statement.bare += "#"
            at = end
            continue
        if letter == "=" and open_statement is None:
            open_statement = Statement(number)
        elif letter == ";" and open_statement is not None:
            found.append(open_statement)
            open_statement = None
        elif open_statement is not None:
            open_statement.bare += letter
        at += 1
    return found


def check(text: str) -> StepText:
    fast, slow = StepText(text.encode()), slowly(text)
    assert fast.ids.tolist() == [statement.number for statement in slow]
    known = {statement.number: row for row, statement in enumerate(slow)}
    for row, statement in enumerate(slow):
        assert fast.bare(row).decode() == statement.bare.lstrip()
        assert fast.refs_of(row) == [known.get(number, -1) for number in statement.refs]
        assert fast.keyword(row).decode() == statement.bare.partition("(")[0].strip()
    assert fast.bares(np.arange(len(slow))) == [fast.bare(row) for row in range(len(slow))]
    return fast


words = st.text(st.sampled_from("aB #12;='/*()$,.\\é"), max_size=12).map(
    lambda word: "'" + word.replace("'", "''") + "'"
)
blanks = st.sampled_from(["", " ", "\n", " \r\n  ", "/* #1=X('; */"])


@st.composite
def files(draw: st.DrawFn) -> str:
    numbers = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=12, unique=True))
    lines = []
    for number in numbers:
        refs = st.sampled_from([*numbers, 5]).map(lambda n: f"#{n}")
        values = st.one_of(refs, words, st.sampled_from(["$", "*", "1.5E-3", ".T.", "(1.,2.)"]))
        inside = [draw(values) + draw(blanks) for _ in range(draw(st.integers(0, 5)))]
        keyword = draw(st.sampled_from(["IFCWALL", "IFCX", "IFCRELVOIDSELEMENT"]))
        line = f"#{number}{draw(blanks)}={draw(blanks)}{keyword}({','.join(inside)})"
        lines.append(f"{line}{draw(blanks)};{draw(blanks)}")
    return HEAD + "\n".join(lines) + "\n" + TAIL


@settings(deadline=None, max_examples=200)
@given(files(), st.integers(7, 60))
def test_statements_are_those_a_slow_parser_finds(text: str, block: int) -> None:
    whole = ifc_text._BLOCK
    try:
        ifc_text._BLOCK = block  # so that strings and numbers lie across its edges
        check(text)
    finally:
        ifc_text._BLOCK = whole


def test_names_find_statements_by_their_whole_keyword() -> None:
    lines = ["#1=IFCWINDOW('a');", "#2=IFCWINDOWTYPE('b',#1);", "#3= IFCSTYLEDITEM ();"]
    text = StepText((HEAD + "\n".join(lines) + TAIL).encode())
    names = ("IfcWindow", "IfcWindowType", "IfcStyledItem", "IfcStyled", "IfcWindo")
    found = text.rows_by_keyword(names)
    assert found == dict(zip(names, ([0], [1], [2], [], []), strict=True))


def test_statements_are_copied_as_they_stand() -> None:
    lines = ["#1=IFCX('#9;');", "#2=IFCX(#1,\n 'a');", "#30=IFCX();"]
    text = StepText((HEAD + "\n".join(lines) + TAIL).encode())
    assert text.copied(np.array([0, 2])).decode() == lines[0] + "\n" + lines[2]
    assert text.copied(np.array([0, 1])).decode() == lines[0] + "\n" + lines[1]


def test_rows_are_found_by_number() -> None:
    text = StepText((HEAD + "#7=IFCX();#3=IFCX();" + TAIL).encode())
    assert text.rows_of(np.array([3, 7, 8, 0])).tolist() == [1, 0, -1, -1]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("#1=IFCX('a);\n#2=IFCX();\n", "string"),
        ("#1=IFCX()\n", "end"),
        ("", "end"),
        ("#1=IFCX();#1=IFCX();", "two"),
        ("#1=IFCX(#2=IFCX();", "inside"),
        ("#=IFCX();", "number"),
        ("#12345678901=IFCX();", "number"),
        ("#1=IFCX(=);", "end"),
    ],
)
def test_what_is_no_step_text_is_not_guessed_at(body: str, why: str) -> None:
    with pytest.raises(OddText, match=why):
        StepText((HEAD + body + TAIL).encode())


def test_a_file_without_its_last_line_is_odd() -> None:
    with pytest.raises(OddText, match="end"):
        StepText((HEAD + "#1=IFCX();ENDSEC;").encode())
