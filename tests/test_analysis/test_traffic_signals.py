"""Level of service, delay by formula, Webster's plan, and what another plan would do."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.signal_timing import SignalTiming
from analysis.traffic.hcm import control_delay, incremental_delay, uniform_delay
from analysis.traffic.los import los_of
from analysis.traffic.timing import Flow, greens, movements, outcome, webster
from analysis.traffic.webster import splits, webster_cycle
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.traffic.moving import Positions, joined
from cim_core.traffic.roads import Phase, Plan
from tests.support.traffic import along, at_places, crossing, publish_roads

ROADS = crossing()
PLAN = ROADS.plans[0]


def test_levels_of_service_are_those_of_the_rules() -> None:
    told = [los_of(d) for d in (0, 10, 10.01, 20, 20.01, 35, 35.01, 55, 55.01, 80, 80.01)]
    assert told == ["A", "A", "B", "B", "C", "C", "D", "D", "E", "E", "F"]
    assert los_of(5.0, 1.001) == "F"
    assert los_of(5.0, 1.0) == los_of(5.0, math.nan) == "A"
    assert los_of(math.nan) == ""


@pytest.mark.parametrize(
    ("cycle", "green", "saturation", "flow", "delay", "x", "level"),
    [
        (90, 40, 1800, 700, 35.553, 0.875, "D"),
        (120, 30, 1800, 500, 121.235, 1.1111, "F"),
        (60, 25, 1900, 300, 13.503, 0.3789, "B"),
    ],
)
def test_delays_are_those_of_the_manual(
    cycle: float, green: float, saturation: float, flow: float, delay: float, x: float, level: str
) -> None:
    found, degree = control_delay(flow, saturation, green, cycle)
    assert float(found) == pytest.approx(delay, abs=5e-4)
    assert float(degree) == pytest.approx(x, abs=5e-5)
    assert los_of(float(found), float(degree)) == level


def test_both_parts_of_the_delay_are_those_of_the_manual() -> None:
    assert float(uniform_delay(90, 40, 0.875)) == pytest.approx(22.727, abs=5e-4)
    assert float(incremental_delay(0.875, 800)) == pytest.approx(12.826, abs=5e-4)
    assert uniform_delay([60, 60], [60, 60], [1.0, 0.5]).tolist() == [0.0, 0.0]
    many, _ = control_delay([700, 500, 300, 0], [1800, 1800, 1900, 1800], [40, 30, 25, 0], [90, 120, 60, 90])  # fmt: skip
    assert many.tolist() == pytest.approx([35.553, 121.235, 13.503, 45.0], abs=5e-4)


def test_webster_s_cycle_is_that_of_the_paper_s_formula() -> None:
    assert webster_cycle(12, 0.7) == pytest.approx(76.667, abs=5e-4)
    with pytest.raises(InvalidInput, match="from 1 on no cycle"):
        webster_cycle(12, 1.0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=6), st.floats(60, 180), st.floats(0, 8))
def test_splits_share_what_is_left_by_the_flow_ratios(
    ratios: list[float], cycle: float, least: float
) -> None:
    lost = 12.0
    green = splits(cycle, lost, ratios, least)
    assert green.sum() == pytest.approx(cycle - lost)
    assert (green >= least - 1e-6).all()
    free = [n for n, g in enumerate(green) if g > least + 1e-6 and ratios[n] > 1e-9]
    shares = [green[n] / ratios[n] for n in free]
    assert shares == pytest.approx([shares[0]] * len(shares)) if shares else True


def test_the_least_flow_that_there_is_takes_no_more_than_is_left() -> None:
    assert splits(60, 12, [0.0, 5e-324], 0.5).tolist() == [0.5, 47.5]
    assert splits(60, 12, [5e-324, 5e-324]).tolist() == [24.0, 24.0]


def test_a_cycle_too_short_for_the_least_greens_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ask for a longer cycle"):
        splits(30, 12, [0.3, 0.3], 10)


def flows() -> list[Flow]:
    """Much from the south and the north, little else."""
    return [
        Flow("north-in", "straight", 500.0, 1700.0), Flow("north-in", "left", 100.0, 1500.0),
        Flow("south-in", "straight", 400.0), Flow("east-in", "straight", 150.0),
    ]  # fmt: skip


def test_a_plan_is_judged_by_the_formula_for_lanes_that_movements_share() -> None:
    known = movements(ROADS, "J1", flows())
    assert len(known) == 12
    found = outcome(PLAN, known)
    by = {(one.link, one.turn): n for n, one in enumerate(known)}
    # One lane from the north serves 600 an hour; its saturation flow is weighted by the flows.
    north = known[by["north-in", "straight"]]
    assert north.saturation_flow == pytest.approx((500 * 1700 + 100 * 1500) / 600)
    assert (north.measured, known[by["south-in", "left"]].measured) == (True, False)
    for link, flow, rate in (("north-in", 600, north.saturation_flow), ("south-in", 400, 1800), ("east-in", 150, 1800)):  # fmt: skip
        told = by_hand(60, 27, rate, flow)
        for turn in ("straight", "left", "right"):
            assert found.delay[by[link, turn]] == pytest.approx(told)
    mean = (600 * by_hand(60, 27, north.saturation_flow, 600) + 400 * by_hand(60, 27, 1800, 400) + 150 * by_hand(60, 27, 1800, 150)) / 1150  # fmt: skip
    assert found.mean_delay == pytest.approx(mean)
    assert found.mean_los == los_of(mean)
    assert math.isnan(outcome(PLAN, movements(ROADS, "J1", [])).mean_delay)


def by_hand(cycle: float, green: float, rate: float, flow: float) -> float:
    """The delay of the manual's formula, a number at a time."""
    capacity = rate * green / cycle
    x = flow / capacity
    first = 0.5 * cycle * (1 - green / cycle) ** 2 / (1 - min(1, x) * green / cycle)
    second = 225 * ((x - 1) + math.sqrt((x - 1) ** 2 + 16 * x / capacity))
    return first + second


def test_webster_s_plan_keeps_the_stages_and_gives_green_by_the_flow_ratios() -> None:
    known = movements(ROADS, "J1", [Flow("north-in", "straight", 900.0), Flow("east-in", "straight", 360.0)])  # fmt: skip
    found = webster(PLAN, known)
    assert (found.ratio, found.lost) == (pytest.approx(0.7), 6.0)
    assert found.wanted == pytest.approx((1.5 * 6 + 5) / 0.3)
    assert found.plan.cycle == pytest.approx(47, abs=0.11)
    told = greens(found.plan)
    assert told["ns"] / told["ew"] == pytest.approx(0.5 / 0.2, abs=0.02)
    assert [phase.duration for phase in found.plan.phases][1::2] == [3.0, 3.0]
    # Too much for any cycle: the longest there may be.
    full = webster(PLAN, movements(ROADS, "J1", [Flow("north-in", "straight", 1500.0), Flow("east-in", "straight", 600.0)]))  # fmt: skip
    assert (full.wanted, full.plan.cycle) == (None, pytest.approx(180, abs=0.11))


def test_walkers_keep_the_time_they_need() -> None:
    crossing_time = (
        Phase(duration=20, lights={"ns": "protected-green", "walk": "protected-green"}),
        Phase(duration=15, lights={"ns": "protected-green", "walk": "flashing-green"}),
        Phase(duration=3, lights={"ns": "yellow"}),
        Phase(duration=40, lights={"ew": "protected-green"}),
        Phase(duration=3, lights={"ew": "yellow"}),
    )
    plan = Plan(id="p", intersection="J1", phases=crossing_time)
    known = movements(ROADS, "J1", [Flow("north-in", "straight", 90.0), Flow("east-in", "straight", 700.0)])  # fmt: skip
    found = webster(plan, known).plan
    assert [phase.duration for phase in found.phases[:2]] == [pytest.approx(4.0), 15]


def test_what_has_no_signals_or_no_plan_is_said() -> None:
    with pytest.raises(NotFound, match="'J9'"):
        movements(ROADS, "J9", [])
    with pytest.raises(InvalidInput, match="no phases"):
        outcome(Plan(id="empty", intersection="J1", phases=()), movements(ROADS, "J1", flows()))


def test_an_analysis_puts_measured_flows_to_the_plans(city: City) -> None:
    publish_roads(city, "roads", ROADS)
    begin = 1_700_000_040_000
    trips = []
    for n in range(12):  # one a minute from the south, none stops
        at = begin + 60_000 * n + np.arange(0, 30_000, 1000)
        trips.append(at_places(at, [f"v{n}"] * 30, along(0.0, -150 + (at - at[0]) / 100)))
    city.traffic.append("roads", joined(trips, Positions))
    start = datetime.datetime.fromtimestamp(begin / 1000, datetime.UTC)
    asked = SignalTiming(
        layer="roads", intersection="J1", start=start, end=start + datetime.timedelta(minutes=12)
    )
    answer = asked(city, Progress())
    plans = answer.outputs["plans"].rows
    assert [row[:3] for row in plans] == [("day", "plan", 60.0), ("day-webster", "webster", 40.0)]
    rows = answer.outputs["movements"].rows
    (moved,) = [row for row in rows if row[0] == "day" and row[5] > 0]
    assert moved[1:6] == ("north-in", "straight", "ns", 1, 60.0)
    assert moved[10] == pytest.approx(by_hand(60, 27, 1800, 60))
    assert plans[0][4] == pytest.approx(moved[10])
    assert answer.versions[0].layer == "roads"
    with pytest.raises(NotFound, match="it has day"):
        asked.model_copy(update={"plan": "night"})(city, Progress())
