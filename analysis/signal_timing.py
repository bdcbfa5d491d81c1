"""What another signal plan would do with the traffic there was, as a question with a receipt."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from analysis.analysis import Answer, Text, parameter
from analysis.intersection_question import IntersectionQuestion
from analysis.traffic.measures import intersection_measures
from analysis.traffic.measures_scene import road_map_of
from analysis.traffic.timing import Flow, Movement, Outcome, Proposal, movements, outcome, webster
from analysis.traffic.turn import turn
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.table import Column, Table
from cim_core.traffic.roads import Plan, RoadMap

_ROWS = (
    Column("plan", {"en": "Plan", "zh": "配时方案"}, "text"),
    Column("link", {"en": "Approach", "zh": "进口道"}, "text"),
    Column("turn", {"en": "Turn", "zh": "流向"}, "text"),
    Column("group", {"en": "Signal group", "zh": "信号灯组"}, "text"),
    Column("lanes", {"en": "Lanes", "zh": "车道数"}, "integer"),
    Column("flow", {"en": "Flow measured", "zh": "实测流率"}, "number", "veh/h"),
    Column("saturation_flow", {"en": "Saturation flow of its lanes", "zh": "饱和流率"}, "number", "veh/h"),
    Column("source", {"en": "Saturation flow is", "zh": "饱和流率来源"}, "text"),
    Column("green", {"en": "Effective green", "zh": "有效绿灯时间"}, "number", "s"),
    Column("saturation_degree", {"en": "Degree of saturation", "zh": "饱和度"}, "number"),
    Column("delay_s", {"en": "Delay by formula", "zh": "公式延误"}, "number", "s"),
    Column("los", {"en": "Level of service", "zh": "服务水平"}, "text"),
    Column("measured_delay_s", {"en": "Delay measured", "zh": "实测延误"}, "number", "s"),
)  # fmt: skip
_PLANS = (
    Column("plan", {"en": "Plan", "zh": "配时方案"}, "text"),
    Column("is", {"en": "What it is", "zh": "说明"}, "text"),
    Column("cycle", {"en": "Cycle", "zh": "周期"}, "number", "s"),
    Column("phases", {"en": "Phases", "zh": "各阶段时长"}, "text"),
    Column("delay_s", {"en": "Mean delay by formula", "zh": "平均延误（公式）"}, "number", "s"),
    Column("los", {"en": "Level of service", "zh": "服务水平"}, "text"),
    Column("flow_ratio", {"en": "Sum of flow ratios Y", "zh": "流率比之和 Y"}, "number"),
    Column("lost_s", {"en": "Lost time L", "zh": "损失时间 L"}, "number", "s"),
    Column("wanted_cycle", {"en": "Cycle by Webster", "zh": "韦伯斯特周期"}, "number", "s"),
)  # fmt: skip


class SignalTiming(IntersectionQuestion):
    """Flows that were measured, put to the plans of the intersection and to Webster's."""

    name: ClassVar[str] = "signal-timing"
    title: ClassVar[Text] = {"en": "What another signal plan would do", "zh": "信号配时方案比选"}
    description: ClassVar[Text] = {
        "en": "Delay and level of service of the measured flows under each plan and under Webster's.",
        "zh": "以实测流量计算各配时方案及韦伯斯特方案下的延误与服务水平。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "plans": {"en": "Plans", "zh": "方案"},
        "movements": {"en": "Movements", "zh": "流向"},
    }

    plan: str | None = parameter(
        None,
        {"en": "Plan", "zh": "配时方案"},
        {
            "en": "Webster's plan keeps the stages of this one; the first of the intersection if empty.",
            "zh": "韦伯斯特方案沿用此方案的阶段；留空则取该路口的第一个方案。",
        },
    )
    growth: float = parameter(
        1.0,
        {"en": "Flows times", "zh": "流量倍数"},
        {"en": "What is measured is multiplied by this.", "zh": "实测流量乘以该倍数。"},
        gt=0, le=10, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """Each plan of the intersection and Webster's, and what each movement has of them."""
        version, roads = road_map_of(city, self.layer)
        plans = self._plans(roads)
        start, end = self.window()
        with turn():
            measured = intersection_measures(
                city, self.layer, self.intersection, start, end, (end - start) / 1000, "movement",
                progress,
            )  # fmt: skip
        flows, delays = _flows(measured, self.growth)
        known = movements(roads, self.intersection, flows)
        proposal = webster(plans[0], known)
        found = [outcome(plan, known) for plan in (*plans, proposal.plan)]
        rows = [row for one in found for row in _rows(one, known, delays)]
        tables = {
            "plans": Table(_PLANS, tuple(_plan_row(one, proposal) for one in found)),
            "movements": Table(_ROWS, tuple(rows)),
        }
        return Answer(tables, (version,))

    def _plans(self, roads: RoadMap) -> list[Plan]:
        """The plans of the intersection, the one asked for first."""
        if self.intersection not in roads.intersection_by_id:
            raise NotFound(f"there is no intersection {self.intersection!r} in {self.layer!r}")
        plans = list(roads.plans_of(self.intersection))
        if not plans:
            raise InvalidInput(
                f"{self.intersection!r} has no signal plan; bring in a road map that has its plans"
            )
        if self.plan is not None:
            ids = [one.id for one in plans]
            if self.plan not in ids:
                raise NotFound(f"{self.intersection!r} has no plan {self.plan!r}; it has {', '.join(ids)}")  # fmt: skip
            plans.insert(0, plans.pop(ids.index(self.plan)))
        return plans


def _flows(measured: Table, growth: float) -> tuple[list[Flow], dict[tuple[str, str], float]]:
    """Flows by movement, and the delays there were."""
    place = {column.name: n for n, column in enumerate(measured.columns)}
    flows: list[Flow] = []
    delays: dict[tuple[str, str], float] = {}
    for row in measured.rows:
        values: dict[str, Any] = {name: row[n] for name, n in place.items()}
        link, turn = str(values["link"]), values["turn"]
        rate = values["saturation_flow"]
        flows.append(
            Flow(
                link,
                turn,
                float(values["flow"] or 0.0) * growth,
                math.nan if rate is None else rate,
            )
        )
        if values["delay_s"] is not None:
            delays[link, turn] = values["delay_s"]
    return flows, delays


def _rows(
    of: Outcome, known: Sequence[Movement], delays: Mapping[tuple[str, str], float]
) -> list[tuple[Any, ...]]:
    return [
        (
            of.plan.id, one.link, one.turn, one.group, one.lanes, one.flow, one.saturation_flow,
            "measured" if one.measured else "assumed", float(of.green[n]), _finite(of.x[n]), _finite(of.delay[n]), of.los[n] or None,
            delays.get((one.link, one.turn)),
        )
        for n, one in enumerate(known)
    ]  # fmt: skip


def _plan_row(of: Outcome, proposal: Proposal) -> tuple[Any, ...]:
    is_webster = of.plan is proposal.plan
    phases = " ".join(f"{phase.duration:g}" for phase in of.plan.phases)
    return (
        of.plan.id, "webster" if is_webster else "plan", of.plan.cycle, phases,
        _finite(of.mean_delay), of.mean_los or None,
        *((proposal.ratio, proposal.lost, proposal.wanted) if is_webster else (None, None, None)),
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
