"""Whatever is sound is left alone: random surveys without a fault have no finding."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.survey_faults import (
    LINE_HEADERS,
    POINT_HEADERS,
    SEWER,
    WATER,
    Tables,
    checked,
    tables,
)

STEP = 30.0
"""Metres between the points of the grid the networks lie on."""

trees = st.lists(st.tuples(st.integers(0, 50), st.sampled_from("NESW")), min_size=1, max_size=14)
ways = {"N": (1, 0), "E": (0, 1), "S": (-1, 0), "W": (0, -1)}


def grown(steps: list[tuple[int, str]]) -> list[tuple[int, tuple[int, int]]]:
    """A tree on the grid, the root first: the row of the parent of each cell, and the cell."""
    cells = [(-1, (0, 0))]
    for chosen, way in steps:
        parent = chosen % len(cells)
        row, column = cells[parent][1]
        cell = row + ways[way][0], column + ways[way][1]
        if cell not in [known for _, known in cells]:
            cells.append((parent, cell))
    return cells


def xy(cell: tuple[int, int]) -> str:
    return f"{2560000 + cell[0] * STEP:.3f},{500000 + cell[1] * STEP:.3f}"


@st.composite
def waters(draw: st.DrawFn) -> Tables:
    """A branched water main: one depth and one elevation at each point, changes where it says so."""
    tree = grown(draw(trees))
    ground = [round(10 + draw(st.integers(-100, 100)) / 100, 2) for _ in tree]
    depth = [draw(st.integers(70, 300)) / 100 for _ in tree]
    children = [sum(parent == at for parent, _ in tree) for at in range(len(tree))]
    material, size = draw(st.sampled_from(["PE", "球墨铸铁", "钢"])), draw(st.integers(1, 8))
    points, lines = [POINT_HEADERS.split(",")], [LINE_HEADERS.split(",")]
    sizes: list[int] = []
    for at, (parent, cell) in enumerate(tree):
        narrower = draw(st.booleans()) and parent >= 0 and children[parent] + (parent > 0) > 2
        sizes.append(size if parent < 0 else max(1, sizes[parent] - narrower))
        met = children[at] + (parent >= 0)
        word = {1: "起止点", 2: "直线点", 3: "三通", 4: "四通"}.get(met, "多通")
        points.append(f"JS{at},JS{at},{xy(cell)},{ground[at]:.2f},{word},,,,2010".split(","))
        if parent < 0:
            continue
        ends = f"{depth[parent]:.2f},{depth[at]:.2f},{ground[parent] - depth[parent]:.2f},{ground[at] - depth[at]:.2f}"  # fmt: skip
        pair = f"JS{parent},JS{at}" if draw(st.booleans()) else None
        if pair is None:
            a, b, c, d = ends.split(",")
            pair, ends = f"JS{at},JS{parent}", f"{b},{a},{d},{c}"
        lines.append(f"{pair},{ends},DN{sizes[at] * 50},{material},直埋,{draw(st.integers(1950, 2020))},在用".split(","))  # fmt: skip
    return {"JSPoint.csv": points, "JSLine.csv": lines}


@st.composite
def drains(draw: st.DrawFn) -> Tables:
    """Storm drains that fall to one outlet, wider the farther down, written either way round."""
    tree = grown(draw(trees))
    invert, size = [5.0], [draw(st.integers(12, 20))]
    points, lines = [POINT_HEADERS.split(",")], [[*LINE_HEADERS.split(","), "流向"]]
    points.append(f"YS0,YS0,{xy((0, 0))},{invert[0] + 1:.2f},出水口,,,,2010".split(","))
    for at, (parent, cell) in list(enumerate(tree))[1:]:
        low = invert[parent]  # every drain ends at the bottom of its well
        invert.append(round(low + draw(st.integers(3, 100)) / 100, 2))
        size.append(max(3, size[parent] - draw(st.integers(0, 2))))
        cover = [1.0 if parent == 0 else 2.0, 2.0]
        points.append(f"YS{at},YS{at},{xy(cell)},{invert[at] + 2:.2f},,雨水井,2.0,52012205,2010".split(","))  # fmt: skip
        ends = [(f"YS{at}", cover[1], invert[at]), (f"YS{parent}", cover[0], low)]
        turned = draw(st.booleans())
        (a, da, ea), (b, db, eb) = ends[::-1] if turned else ends
        sign = "-" if turned else "+"
        lines.append(f"{a},{b},{da:.2f},{db:.2f},{ea:.2f},{eb:.2f},DN{size[at] * 100},混凝土,直埋,2010,在用,{sign}".split(","))  # fmt: skip
    return {"YSPoint.csv": points, "YSLine.csv": lines}


@settings(max_examples=100, deadline=None)
@given(survey=waters() | drains())
def test_a_sound_survey_has_no_finding(survey: Tables) -> None:
    if len(next(iter(survey.values()))) < 3:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = checked(survey, Path(folder))
    assert found.findings == ()
    assert found.dropped == ()


odd = st.sampled_from(["", "x", "nan", "-3", "0", "1e12", "JS2", "JS9", "WS1", "5.5.5", "２", "300×", "阀门", "–"])  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> Tables:
    """A survey with some cells overwritten, rows written twice or left out."""
    survey = tables(draw(st.sampled_from([WATER, SEWER])))
    for _ in range(draw(st.integers(1, 8))):
        rows = survey[draw(st.sampled_from(sorted(survey)))]
        at = draw(st.integers(1, len(rows) - 1)) if len(rows) > 1 else 0
        match draw(st.sampled_from(["cell", "cell", "again", "gone"])):
            case "cell" if at:
                rows[at][draw(st.integers(0, len(rows[at]) - 1))] = draw(odd)
            case "again" if at:
                rows.append(list(rows[at]))
            case "gone" if at:
                del rows[at]
    return survey


@settings(max_examples=100, deadline=None)
@given(survey=spoilt())
def test_no_row_is_left_out_without_a_finding(survey: Tables) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = checked(survey, Path(folder))
    told = {f"{finding.table}:{finding.line}" for finding in found.findings}
    points = {said for f in found.findings for said in (f.name, f.value)}
    for item in found.dropped:
        ends = set(item.id.split("-"))
        # A line without a sound point is told of at that point.
        assert item.feature_class in told or ends & points, item
