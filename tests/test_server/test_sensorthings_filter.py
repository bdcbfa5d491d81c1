"""The language of `$filter`: random expressions are worth what Python says, and odd text is refused."""

import math
import operator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from server.sensorthings.evaluate import Evaluation
from server.sensorthings.json_patch import patched
from server.sensorthings.parser import parse, parse_orderings
from server.sensorthings.times import Span, instant, span

NOW = instant("2026-11-22T08:00:00Z")
ENTITY = {
    "n": 7, "half": 0.5, "text": "It's a lamp", "yes": True, "nothing": None,
    "when": span("2026-05-01T08:30:15.250+08:00"),
    "place": {"type": "Point", "coordinates": [113.46, 23.1]},
    "alloy": "brass", "many": [1, 5],
}  # fmt: skip


def look(names: tuple[str, ...]) -> list[object]:
    return ENTITY["many"] if names == ("many",) else [ENTITY.get(names[-1])]


def value(text: str) -> object:
    return Evaluation(NOW).value(parse(text), look)


@dataclass
class Term:
    """An expression as text, how loosely it binds, and what it is worth."""

    text: str
    level: int
    worth: Any


def side(term: Term, level: int) -> str:
    """As a side of an operator of a level: in parentheses only where it would be read otherwise."""
    return term.text if term.level > level else f"({term.text})"


ARITHMETIC = {
    "add": (5, operator.add), "sub": (5, operator.sub), "mul": (6, operator.mul),
    "div": (6, operator.truediv), "mod": (6, math.fmod),
}  # fmt: skip
ORDERS = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
TEXTS = {
    "tolower": str.lower, "toupper": str.upper, "trim": str.strip,
}  # fmt: skip
WORDS = st.text(st.sampled_from("aB c'é水,()/$ "), max_size=8)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def binary(name: str, left: Term, right: Term, level: int, worth: Any) -> Term:
    # Operators of one level are read from the left.
    left_text = left.text if left.level >= level else f"({left.text})"
    return Term(f"{left_text} {name} {side(right, level)}", level, worth)


def worked(function: Any, *given: Any) -> Any:
    """What Python says; None where it has no answer or was given none."""
    try:
        return None if None in given else function(*given)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def numbers(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    def sides(name: str, left: Term, right: Term) -> Term:
        level, function = ARITHMETIC[name]
        return binary(name, left, right, level, worked(function, left.worth, right.worth))

    def rounded(name: str, of: Term) -> Term:
        function = {"floor": math.floor, "ceiling": math.ceil}[name]
        return Term(f"{name}({of.text})", 9, worked(function, of.worth))

    return st.builds(sides, st.sampled_from(list(ARITHMETIC)), inner, inner) | st.builds(
        rounded, st.sampled_from(["floor", "ceiling"]), inner
    )


NUMBER = st.recursive(
    st.integers(0, 99).map(lambda n: Term(str(n), 9, n))
    | st.floats(0, 99).map(lambda x: Term(repr(x), 9, x))
    | st.sampled_from(
        [Term("n", 9, 7), Term("half", 9, 0.5), Term("-3", 9, -3), Term("null", 9, None)]
    ),
    numbers,
    max_leaves=8,
)
TEXT = st.recursive(
    WORDS.map(lambda text: Term(quoted(text), 9, text)) | st.just(Term("text", 9, ENTITY["text"])),
    lambda inner: st.builds(
        lambda name, of: Term(f"{name}({of.text})", 9, TEXTS[name](of.worth)),
        st.sampled_from(list(TEXTS)), inner,
    )
    | st.builds(lambda a, b: Term(f"concat({a.text},{b.text})", 9, a.worth + b.worth), inner, inner)
    | st.builds(
        lambda of, n: Term(f"substring({of.text}, {n})", 9, of.worth[n:]), inner, st.integers(0, 5)
    ),
    max_leaves=5,
)  # fmt: skip


def compared(name: str, left: Term, right: Term) -> Term:
    return binary(name, left, right, 4, worked(ORDERS[name], left.worth, right.worth))


def truths(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    """Of two truths one alone may decide; an unknown one makes the rest unknown (SQL's logic)."""

    def both(left: Term, right: Term) -> Term:
        worths = (left.worth, right.worth)
        worth = False if False in worths else None if None in worths else True
        return binary("and", left, right, 2, worth)

    def either(left: Term, right: Term) -> Term:
        worths = (left.worth, right.worth)
        worth = True if True in worths else None if None in worths else False
        return binary("or", left, right, 1, worth)

    def opposite(of: Term) -> Term:
        return Term(f"not {side(of, 7)}", 7, None if of.worth is None else not of.worth)

    return (
        st.builds(both, inner, inner) | st.builds(either, inner, inner) | st.builds(opposite, inner)
    )


TRUTH = st.recursive(
    st.builds(compared, st.sampled_from(list(ORDERS)), NUMBER, NUMBER)
    | st.builds(compared, st.sampled_from(list(ORDERS)), TEXT, TEXT)
    | st.builds(
        lambda a, b: Term(f"contains({a.text},{b.text})", 9, b.worth in a.worth), TEXT, TEXT
    )
    | st.builds(lambda a, b: binary("eq", a, b, 3, a.worth == b.worth), TEXT, TEXT)
    | st.sampled_from([Term("true", 9, True), Term("yes", 9, True), Term("false", 9, False)]),
    truths,
    max_leaves=8,
)


@given(NUMBER | TEXT | TRUTH)
@settings(max_examples=300, deadline=None)
def test_an_expression_is_worth_what_python_says(term: Term) -> None:
    found = value(term.text)
    if isinstance(term.worth, float) and isinstance(found, float) and math.isnan(term.worth):
        assert math.isnan(found)
    else:
        assert found == term.worth, term.text


@given(st.text(st.sampled_from("ab1'(),/ -.@:éTZ") | st.characters(), max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    for read in (parse, parse_orderings):
        try:
            read(text)
        except InvalidInput as error:
            assert "\n" not in error.sentence[:20]


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("substringof('lamp',text)", True), ("startswith(text,'It''s')", True),
        ("indexof(text,'a')", 5), ("length(text) eq 11", True), ("substring(text,5,4)", "a la"),
        ("endswith(text,'p') and not(yes eq false)", True), ("contains(nothing,'a')", None),
        ("year(when)", 2026), ("month(when)", 5), ("day(when)", 1), ("hour(when)", 0),
        ("minute(when)", 30), ("second(when)", 15), ("fractionalseconds(when)", 0.25),
        ("date(when) eq 2026-05-01", True), ("time(when)", "00:30:15"), ("totaloffsetminutes(when)", 0),
        ("when lt now()", True), ("when gt mindatetime() and when lt maxdatetime()", True),
        ("when add duration'PT1H' gt 2026-05-01T01:00:00Z", True),
        ("when ge 2026-05-01T00:30:15.250Z and when le 2026-05-01T00:30:15.250Z", True),
        ("when lt 2026-05-01T01:00:00Z/2026-05-01T02:00:00Z", True),
        ("round(2.5)", 3), ("round(-2.5)", -3), ("floor(-0.5)", -1), ("ceiling(0.2)", 1),
        ("-n add 10", 3), ("-(n)", -7), ("1 add 2 mul 3", 7), ("10 sub 4 sub 3", 3), ("1 div 0", None),
        ("geo.distance(place,geography'POINT(113.46 23.2)') lt 0.11", True),
        ("geo.length(geography'LINESTRING(0 0,3 4)')", 5.0),
        ("geo.intersects(place,geography'POLYGON((113 23,114 23,114 24,113 24,113 23))')", True),
        ("st_equals(place,geography'POINT(113.46 23.1)')", True),
        ("st_disjoint(place,geography'POINT(0 0)')", True),
        ("st_relate(place,geography'POINT(113.46 23.1)','0FFFFFFF2')", True),
        ("st_within(place,geography'SRID=4326;POLYGON((113 23,114 23,114 24,113 24,113 23))')", True),
        ("geo.distance(text,place)", None), ("many gt 4", False), ("nothing eq null", True),
        ("text eq 5", False), ("text ne 5", True), ("text gt 5", None), ("yes eq true", True),
        ("properties/alloy eq 'brass'", True), ("n eq 7.0", True), ("nothing add 1", None),
    ],
)  # fmt: skip
def test_operators_and_functions_have_their_meanings(text: str, worth: object) -> None:
    assert value(text) == worth


def test_what_leads_to_many_holds_if_any_of_them_does() -> None:
    holds = Evaluation(NOW).holds
    assert holds(parse("many gt 4"), look)
    assert holds(parse("many eq 1 and many eq 5"), look)
    assert not holds(parse("not (many gt 4)"), look)
    assert not holds(parse("many gt 5"), look)


@pytest.mark.parametrize(
    "text",
    [
        "", "n eq", "eq 1", "n n", "n eq 1)", "(n eq 1", "foo(n)", "length()", "'open", "n eq 1a",
        "n/", "geography'CIRCLE(1)' eq n", "when gt 2026-13-01T00:00:00Z", "duration'P' eq n",
        "a eq " + "x" * 30_000, " or ".join(["n"] * 200), "-" * 300 + "1", "n eq 1;drop",
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_orders_say_which_way() -> None:
    assert [falling for _, falling in parse_orderings("a desc, b/c ,d asc,length(e) DESC")] == [
        True, False, False, True,
    ]  # fmt: skip


def test_intervals_lie_before_or_after_one_another() -> None:
    early, late = span("2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"), Span(NOW, NOW + 1)
    assert early < late and late > early and not early > late and early != late
    assert early <= Span(early.end, early.end) and Span(early.end, late.end) >= early
    assert span(early.text) == early
    for wrong in (
        "2026-01-01T00:00:00",
        "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
        "1969-01-01T00:00:00Z",
        5,
    ):
        with pytest.raises(InvalidInput):
            span(wrong)


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1, {"x/y": 2}], "b": [1, {"x/y": 2}]}),
        ([{"op": "move", "from": "/a/1", "path": "/c"}], {"a": [1], "c": {"x/y": 2}}),
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, {"x/y": 2}, 3]}),
        ([{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1, {"x/y": 2}]}),
        ([{"op": "replace", "path": "/a/1/x~1y", "value": 5}], {"a": [1, {"x/y": 5}]}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
        ([{"op": "remove", "path": "/b"}], None), ([{"op": "add", "path": "a"}], None),
        ([{"op": "grow", "path": "/a"}], None), ([{"op": "add", "path": "/q/r", "value": 1}], None),
        ([{"op": "remove", "path": ""}], None), ({}, None), (["x"], None),
    ],
)  # fmt: skip
def test_a_json_patch_changes_a_document_or_is_refused(operations: Any, left: Any) -> None:
    document = {"a": [1, {"x/y": 2}]}
    if left is None:
        with pytest.raises(InvalidInput):
            patched(document, operations)
    else:
        assert patched(document, operations) == left
    assert document == {"a": [1, {"x/y": 2}]}
