"""Lines that run along each other: as long together as the way that any of them goes."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checkup.operators.geometry import disjoint, overlapping

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=6)


def street(begin: int, long: int, turn: float, *, back: bool) -> shapely.LineString:
    """A part of one straight way, in steps of two metres, with a corner in it, entered in either direction."""
    at = 2.0 * np.array([begin, begin + 0.4 * long, begin + long])
    points = np.column_stack([500 + at * math.cos(turn), 900 + at * math.sin(turn)])
    return shapely.LineString(points[::-1] if back else points)


def length_once(shapes: list[shapely.Geometry]) -> float:
    """How long some lines are together."""
    lines = np.array(shapes, object)
    return float(disjoint(lines, overlapping(lines)).sizes().sum())


@settings(deadline=None, max_examples=60)
@given(SPANS, st.floats(0, math.tau), st.integers(0, 63))
def test_parts_of_one_way_count_once(spans: list[tuple[int, int]], turn: float, back: int) -> None:
    drawn = [street(*one, turn, back=bool(back >> n & 1)) for n, one in enumerate(spans)]
    steps = {step for begin, long in spans for step in range(begin, begin + long)}
    assert length_once(drawn) == pytest.approx(2 * len(steps), abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(SPANS, st.floats(0, math.tau), st.floats(0.1, 3.0))
def test_lines_that_meet_or_cross_stay_whole(
    spans: list[tuple[int, int]], turn: float, other: float
) -> None:
    """However many cross one way, each at an angle of six degrees or more."""
    drawn = [street(0, 30, turn, back=False)]
    for begin, long in dict(spans).items():
        middle = np.array([500, 900]) + (begin + 0.5) * np.array([math.cos(turn), math.sin(turn)])
        aside = 0.5 * long * np.array([math.cos(turn + other), math.sin(turn + other)])
        drawn.append(shapely.LineString([middle - aside, middle + aside]))
    # Those that cross are beside each other only where they are the same way, which they are not.
    assert length_once(drawn) == pytest.approx(sum(line.length for line in drawn), abs=1e-6)


def test_lines_apart_are_two() -> None:
    lanes = [shapely.LineString([(0, y), (100, y)]) for y in (0.0, 0.5)]
    assert length_once(lanes) == 200.0
    twice = [shapely.LineString([(0, y), (100, y)]) for y in (0.0, 0.01)]
    assert length_once(twice) == pytest.approx(100.0)
