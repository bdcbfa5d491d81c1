"""The time left, against a clock that the tests turn."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim_core.pace import Pace

WEIGHTS = {"reading": 1.0, "geometry": 6.0, "saving": 1.0, "tiling": 2.0}


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


REPORTS = st.lists(
    st.tuples(
        st.floats(0, 1e4),
        st.integers(-5, 1000),
        st.integers(-5, 1000),
        st.sampled_from([*WEIGHTS, "waiting", "unheard of"]),
    )
)


@given(REPORTS, st.floats(0, 1e4))
def test_an_estimate_is_a_time_or_nothing(
    reports: list[tuple[float, int, int, str]], after: float
) -> None:
    clock = Clock()
    pace = Pace(WEIGHTS, clock)
    for seconds, done, total, stage in reports:
        clock.now += seconds
        pace.note(done, total, stage)
        _check(pace.remaining())
    clock.now += after
    _check(pace.remaining())


def _check(remaining: float | None) -> None:
    assert remaining is None or (math.isfinite(remaining) and remaining >= 0)


@given(st.floats(0.1, 100), st.integers(1, 50))
def test_stages_that_take_their_share_are_foretold_exactly(scale: float, steps: int) -> None:
    clock = Clock()
    pace = Pace(WEIGHTS, clock)
    end = clock.now + scale * sum(WEIGHTS.values())
    told = 0
    for stage, weight in WEIGHTS.items():
        for done in range(steps + 1):
            pace.note(done, steps, stage)
            remaining = pace.remaining()
            if remaining is not None:
                told += 1
                assert remaining == pytest.approx(end - clock.now, abs=1e-6 * scale)
            clock.now += 0.0 if done == steps else scale * weight / steps
    assert told > 0 or scale * sum(WEIGHTS.values()) < 5 or steps < 3


@given(st.floats(0.05, 20), st.floats(0.05, 20), st.integers(20, 200))
def test_a_constant_pace_of_the_last_stage_converges_to_the_truth(
    before: float, step: float, steps: int
) -> None:
    clock = Clock()
    pace = Pace(WEIGHTS, clock)
    pace.note(0, 0, "reading")
    clock.now += before
    for done in range(steps + 1):
        pace.note(done, steps, "tiling")
        if done * step >= 2.5:
            assert pace.remaining() == pytest.approx((steps - done) * step, abs=1e-6)
        clock.now += step


def test_a_stage_that_slows_down_is_foretold_by_its_recent_pace() -> None:
    clock = Clock()
    pace = Pace({"tiling": 1.0}, clock)
    for done in range(1001):
        pace.note(done, 1000, "tiling")
        if done == 800:
            # 500 steps of 0.1 s, then of 1 s: the mean pace of all would foretell 87.5 s.
            assert pace.remaining() == pytest.approx(200, rel=0.1)
        clock.now += 0.1 if done < 500 else 1.0


def test_nothing_is_foretold_before_something_was_seen() -> None:
    clock = Clock()
    pace = Pace(WEIGHTS, clock)
    assert pace.remaining() is None
    pace.note(0, 0, "reading")
    clock.now += 60
    assert pace.remaining() is None, "a stage without a total has no pace"
    pace.note(0, 100, "geometry")
    assert pace.remaining() is None, "a tenth of the work says little of the rest"
    clock.now += 360
    pace.note(100, 100, "geometry")
    pace.note(0, 0, "saving")
    assert pace.remaining() == pytest.approx(3 * 60), "most of it does"


def test_a_stage_that_stands_still_is_foretold_longer_and_longer_then_not_at_all() -> None:
    clock = Clock()
    pace = Pace({"tiling": 1.0}, clock)
    for done in range(11):
        clock.now += 1
        pace.note(done, 20, "tiling")
    first = pace.remaining()
    clock.now += 30
    second = pace.remaining()
    assert first is not None
    assert second is not None
    assert second > 2 * first
    pace.note(10, 20, "tiling")
    clock.now += 60
    pace.note(10, 20, "tiling")
    assert pace.remaining() is None


def test_waiting_for_a_lock_foretells_nothing_and_counts_for_nothing() -> None:
    clock = Clock()
    pace = Pace(WEIGHTS, clock)
    pace.note(0, 0, "waiting")
    clock.now += 600
    pace.note(0, 0, "reading")
    assert pace.remaining() is None
    clock.now += 10
    pace.note(0, 60, "geometry")
    clock.now += 10
    pace.note(10, 60, "geometry")
    assert pace.remaining() == pytest.approx(50 + 30)
