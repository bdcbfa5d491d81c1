"""What a signal plan would do with flows that were measured: delay by movement, and Webster's plan.

Lanes of one approach that obey one signal group are taken together, whatever movements share them. A
stage is a time in which the same vehicle groups are green.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import msgspec
import numpy as np

from analysis.traffic.hcm import control_delay
from analysis.traffic.los import los_of
from analysis.traffic.webster import splits, webster_cycle
from cim_core.errors import InvalidInput, NotFound
from cim_core.mesh import Floats
from cim_core.traffic.roads import Light, Phase, Plan, RoadMap, Turn

GREENS: frozenset[Light] = frozenset({"permissive-green", "protected-green", "flashing-green"})


@dataclass(frozen=True, slots=True)
class Flow:
    """What was measured of a movement: vehicles an hour; saturation flow of a lane, NaN if unknown."""

    link: str
    turn: Turn
    flow: float
    saturation_flow: float = math.nan


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement with the lanes it has, alone or with others: `lanes` of them obey `group`.

    shared
        The number of its lane group; movements that share lanes have the same.
    saturation_flow
        Of all these lanes, vehicles an hour of green; `measured` or taken from the rules.
    """

    link: str
    turn: Turn
    group: str
    lanes: int
    shared: int
    flow: float
    saturation_flow: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a plan does: by movement in their order, and all in all.

    green, delay, x
        (n,) seconds, seconds for each vehicle, degree of saturation.
    mean_delay
        Over all vehicles, NaN where there are none.
    """

    plan: Plan
    green: Floats
    delay: Floats
    x: Floats
    los: tuple[str, ...]
    mean_delay: float
    mean_los: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Webster's plan, the sum Y of the flow ratios of its stages and the lost time L (s) it rests on.

    wanted
        The cycle the formula gives, s; None where Y is from 1 on. The plan's lies between the limits.
    """

    plan: Plan
    ratio: float
    lost: float
    wanted: float | None


def movements(roads: RoadMap, intersection: str, flows: Sequence[Flow]) -> list[Movement]:
    """The movements of an intersection that obey signals, with their flows (0 where none is given).

    A lane from which two groups let go, as one for left and straight, has its whole capacity in each.
    """
    if intersection not in roads.intersection_by_id:
        raise NotFound(f"there is no intersection {intersection!r} in this road map")
    known = {(one.link, one.turn): one for one in flows}
    lanes: dict[tuple[str, str], set[str]] = {}
    found: dict[tuple[str, Turn], str] = {}
    for way in roads.connections_of(intersection):
        lane = roads.lane_by_id[way.from_lane]
        if way.group is None or lane.type in ("bike", "sidewalk", "crosswalk", "tram"):
            continue
        lanes.setdefault((lane.link, way.group), set()).add(lane.id)
        found.setdefault((lane.link, way.turn), way.group)
    numbers = {key: number for number, key in enumerate(lanes)}
    result = []
    for (link, turn), group in found.items():
        own = [known[link, t] for (l, t), g in found.items() if (l, g) == (link, group) and (l, t) in known]  # fmt: skip  # noqa: E741
        rate = _rate(own)
        count = len(lanes[link, group])
        told = known.get((link, turn), Flow(link, turn, 0.0))
        usual = float(_rules()["lanes"]["saturation_flow"])
        result.append(
            Movement(
                link, turn, group, count, numbers[link, group], told.flow,
                count * (usual if math.isnan(rate) else rate), not math.isnan(rate),
            )
        )  # fmt: skip
    return result


def _rate(flows: Sequence[Flow]) -> float:
    """The saturation flow of a lane that several movements share, weighted by their flows."""
    told = [one for one in flows if one.flow > 0 and not math.isnan(one.saturation_flow)]
    weight = sum(one.flow for one in told)
    return sum(one.flow * one.saturation_flow for one in told) / weight if told else math.nan


def greens(plan: Plan) -> dict[str, float]:
    """The effective green of each signal group in a cycle, seconds."""
    rules = _rules()["lanes"]
    won = rules["used_of_yellow_s"] - rules["lost_at_start_s"]
    shown: dict[str, float] = {}
    for phase in plan.phases:
        for group, light in phase.lights.items():
            if light in GREENS:
                shown[group] = shown.get(group, 0.0) + phase.duration
    return {group: seconds + won for group, seconds in shown.items()}


def outcome(plan: Plan, of: Sequence[Movement]) -> Outcome:
    """Delay by the HCM's formula, degree of saturation and level of service under a plan."""
    if plan.cycle <= 0:
        raise InvalidInput(f"the plan {plan.id!r} has no phases; give it some")
    rules = _rules()["delay"]
    green = np.array([greens(plan).get(one.group, 0.0) for one in of])
    sums = _by_group(of, np.array([one.flow for one in of]))
    saturation = np.array([one.saturation_flow for one in of])
    delay, x = control_delay(
        sums, saturation, green, plan.cycle, rules["hours"], rules["k"], rules["upstream"]
    )
    own = np.array([one.flow for one in of])
    whole = float(own.sum())
    # Nobody who does not come waits for ever.
    waited = np.where(own > 0, delay, 0.0)
    mean = float((waited * own).sum() / whole) if whole > 0 else math.nan
    los = tuple(los_of(float(d), float(r)) for d, r in zip(delay, x, strict=True))
    return Outcome(plan, green, delay, x, los, mean, los_of(mean))


def webster(plan: Plan, of: Sequence[Movement]) -> Proposal:
    """The plan with the same stages as another, its cycle and greens as Webster found them best."""
    rules = _rules()["webster"]
    stages = _stages(plan, {one.group for one in of})
    ratios = _ratios(plan, of, stages)
    durations = np.array([sum(plan.phases[n].duration for n in stage) for stage in stages])
    if not len(stages):
        raise InvalidInput(f"the plan {plan.id!r} gives no vehicle green; choose another")
    lost = plan.cycle - float(durations.sum())
    total = float(ratios.sum())
    least = np.array([_least(plan, stage) for stage in stages])
    wanted = webster_cycle(lost, total) if total < 1 else None
    cycle = rules["longest_s"] if wanted is None or total > rules["most_ratio"] else wanted
    cycle = min(max(cycle, rules["shortest_s"], lost + float(least.sum())), rules["longest_s"])
    cycle = float(max(round(cycle), math.ceil(lost + float(least.sum()) - 1e-9)))
    lengths = splits(cycle, lost, ratios, least)
    phases = list(plan.phases)
    for stage, length in zip(stages, lengths.tolist(), strict=True):
        for n, seconds in _spread(plan, stage, length):
            phases[n] = msgspec.structs.replace(phases[n], duration=round(seconds, 1))
    proposed = Plan(
        id=f"{plan.id}-webster", intersection=plan.intersection, phases=tuple(phases),
        offset=plan.offset % max(sum(phase.duration for phase in phases), 1.0),
    )  # fmt: skip
    return Proposal(proposed, total, lost, wanted)


def _by_group(of: Sequence[Movement], values: Floats) -> Floats:
    """The sum over those who share lanes, for each of them."""
    shared = np.array([one.shared for one in of], np.int64)
    sums: Floats = np.bincount(shared, weights=values, minlength=1).astype(np.float64)
    found: Floats = sums[shared]
    return found


def _stages(plan: Plan, groups: set[str]) -> list[list[int]]:
    """Phases one after the other in which the same vehicle groups are green."""

    def green(number: int) -> frozenset[str]:
        lights = plan.phases[number].lights
        return frozenset(g for g, light in lights.items() if light in GREENS and g in groups)

    parts = [(key, list(of)) for key, of in groupby(range(len(plan.phases)), key=green)]
    return [numbers for key, numbers in parts if key]


def _ratios(plan: Plan, of: Sequence[Movement], stages: Sequence[Sequence[int]]) -> Floats:
    """(stages,) The greatest flow ratio of each; of who is green in several, by their lengths."""
    flows = _by_group(of, np.array([one.flow for one in of]))
    ratio = {one.group: 0.0 for one in of}
    for one, flow in zip(of, flows.tolist(), strict=True):
        ratio[one.group] = max(ratio[one.group], flow / one.saturation_flow)
    shown: Mapping[str, float] = greens(plan)
    found = []
    for stage in stages:
        seconds = sum(plan.phases[n].duration for n in stage)
        own = {g for n in stage for g, light in plan.phases[n].lights.items() if light in GREENS and g in ratio}  # fmt: skip
        found.append(max((ratio[g] * min(1.0, seconds / shown[g]) for g in own), default=0.0))
    return np.array(found)


def _least(plan: Plan, stage: Sequence[int]) -> float:
    """The shortest a stage may be: walkers must be able to cross, and phases have shortest times."""
    rules = _rules()["webster"]
    told = sum(plan.phases[n].shortest or 0.0 for n in stage)
    return max(float(rules["least_green_s"]), told, _fixed(plan, stage) + _walks(plan, stage))


def _fixed(plan: Plan, stage: Sequence[int]) -> float:
    """How long walkers who have set out need in a stage: what does not grow with it."""
    return sum(plan.phases[n].duration for n in stage if _clears(plan.phases[n]))


def _walks(plan: Plan, stage: Sequence[int]) -> float:
    return float(_rules()["webster"]["walk_s"]) if _fixed(plan, stage) else 0.0


def _clears(phase: Phase) -> bool:
    return "flashing-green" in phase.lights.values()


def _spread(plan: Plan, stage: Sequence[int], length: float) -> list[tuple[int, float]]:
    """A stage's new length over its phases: those in which walkers finish stay as long as they are."""
    loose = [n for n in stage if not _clears(plan.phases[n])] or list(stage)
    kept = [(n, plan.phases[n].duration) for n in stage if n not in loose]
    rest = length - sum(seconds for _, seconds in kept)
    before = sum(plan.phases[n].duration for n in loose)
    return [*kept, *((n, rest * plan.phases[n].duration / before) for n in loose)]


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(files("analysis.traffic").joinpath("timing.toml").read_text("utf-8"))
