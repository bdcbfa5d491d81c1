"""How congested roads are, and why, as a question with a receipt."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from analysis.analysis import Answer, Output, Text, parameter
from analysis.observed_question import time_text
from analysis.traffic.causes import Reasons
from analysis.traffic.causes_known import flows
from analysis.traffic.congestion import By, RoadStates, road_states
from analysis.traffic.congestion_window import TrafficQuestion
from analysis.traffic.turn import turn
from cim_core.cell_grid import CellGrid
from cim_core.cells import FINEST, cell_named
from cim_core.city import City
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.table import Column, Table
from cim_core.traffic.roads import RoadMap

_CONGESTED = 0.5
"""From this share of delay on, 轻度拥堵, it is asked why."""

_ROADS = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Road or cell", "zh": "路段或网格"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("start", {"en": "From", "zh": "开始"}, "text"),
    Column("state", {"en": "State", "zh": "运行状况"}, "text"),
    Column("state_zh", {"en": "State (Chinese)", "zh": "运行状况（中文）"}, "text"),
    Column("tpi", {"en": "Index", "zh": "交通运行指数"}, "number"),
    Column("tti", {"en": "Travel time index", "zh": "行程时间比"}, "number"),
    Column("dtp", {"en": "Share of delay", "zh": "延误时间比"}, "number"),
    Column("speed", {"en": "Speed", "zh": "行程速度"}, "number", "m/s"),
    Column("free_speed", {"en": "Free speed", "zh": "自由流速度"}, "number", "m/s"),
    Column("vehicles", {"en": "Vehicles", "zh": "车辆数"}, "integer"),
    Column("worst_link", {"en": "Worst direction", "zh": "最差方向"}, "text"),
)
_CAUSES = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("link", {"en": "Road", "zh": "路段"}, "text"),
    Column("rank", {"en": "Rank", "zh": "排名"}, "integer"),
    Column("cause", {"en": "Cause", "zh": "成因"}, "text"),
    Column("score", {"en": "Score", "zh": "得分"}, "number"),
    Column("what", {"en": "What speaks for it", "zh": "依据（英文）"}, "text"),
    Column("what_zh", {"en": "What speaks for it (Chinese)", "zh": "依据"}, "text"),
    Column("evidence", {"en": "Figures", "zh": "数据"}, "text"),
)
_ABOUT = (
    Column("start", {"en": "From", "zh": "开始"}, "text"),
    Column("end", {"en": "To", "zh": "结束"}, "text"),
    Column("definition", {"en": "Index", "zh": "指数定义"}, "text"),
    Column("source", {"en": "Source", "zh": "来源"}, "text"),
    Column("rows", {"en": "Roads and bins", "zh": "路段·时段数"}, "integer"),
    Column("vehicle_km", {"en": "Driven", "zh": "车公里"}, "number", "km"),
    Column("vehicle_hours", {"en": "Spent", "zh": "车小时"}, "number", "h"),
    Column("free_hours", {"en": "Without delay", "zh": "自由流车小时"}, "number", "h"),
    Column("tti", {"en": "Travel time index of all", "zh": "总行程时间比"}, "number"),
    Column("tpi", {"en": "Index of all", "zh": "总交通运行指数"}, "number"),
)


class Congestion(TrafficQuestion):
    """Travel time against free flow on links, corridors or cells, with the causes of the worst."""

    name: ClassVar[str] = "congestion"
    title: ClassVar[Text] = {"en": "Congestion and its causes", "zh": "道路拥堵与成因"}
    description: ClassVar[Text] = {
        "en": "How congested roads were by bins of time, by the index of GB/T 33171, and why.",
        "zh": "按时段计算道路交通运行指数（GB/T 33171），并给出拥堵成因排序。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "roads": {"en": "Roads", "zh": "道路状况"},
        "causes": {"en": "Causes of the worst", "zh": "拥堵成因"},
        "cells": {"en": "Share of delay by cell", "zh": "网格延误时间比"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    bin: int = parameter(
        300,
        {"en": "Bin", "zh": "统计间隔"},
        {"en": "How long each bin of time is.", "zh": "每个统计时段的长度。"},
        unit="s", ge=1, le=86_400,
    )  # fmt: skip
    by: By = parameter(
        "link",
        {"en": "By", "zh": "统计对象"},
        {
            "en": "Links in their direction, corridors, or H3 cells.",
            "zh": "按路段（分方向）、干线走廊或 H3 网格统计。",
        },
    )
    resolution: int | None = parameter(
        None,
        {"en": "Resolution", "zh": "网格级别"},
        {"en": "Of the cells; 10 if not given.", "zh": "H3 网格的级别；不填则为 10。"},
        ge=0, le=FINEST, rare=True,
    )  # fmt: skip
    index: str | None = parameter(
        None,
        {"en": "Index", "zh": "指数定义"},
        {
            "en": "Which definition: gbt33171, tpi5, delay-index or speed; gbt33171 if not given.",
            "zh": "指数定义：gbt33171、tpi5、delay-index 或 speed；不填则为 gbt33171。",
        },
        rare=True,
    )
    explained: int = parameter(
        5,
        {"en": "Explained", "zh": "成因路段数"},
        {"en": "Of so many of the worst roads the causes are looked for.", "zh": "对最拥堵的若干路段分析成因。"},
        ge=0, le=50, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The states of roads, and the causes of the worst."""
        start, end = self.window(city)
        maps = self.maps(city)
        roads = {layer: roads for layer, (_, roads) in maps.items()}
        with turn():
            found = road_states(
                city, self.layer, start, end, self.bin, self.by, self.resolution, progress,
                self.index,
            )  # fmt: skip
            causes = [
                row
                for layer in roads
                for row in self._causes(city, layer, roads[layer], start, end, progress)
            ]
        tables: dict[str, Output] = {
            "roads": Table(_ROADS, tuple(_rows(found, roads))),
            "causes": Table(_CAUSES, tuple(causes)),
            "cells": _grid(found),
            "about": Table(_ABOUT, (_about(found),)),
        }
        return Answer(tables, found.versions)

    def _causes(
        self, city: City, layer: str, roads: RoadMap, start: int, end: int, progress: Progress
    ) -> list[tuple[Value, ...]]:
        """Of the links that lost most time in the whole window."""
        if not self.explained:
            return []
        whole = -(-(end - start) // 1000)
        states = road_states(city, layer, start, end, whole, "link", None, progress)
        sums = states.sums
        lost = np.where(
            states.ratios.dtp >= _CONGESTED, sums.seconds - np.maximum(sums.free_seconds, 0.0), 0.0
        )
        worst = np.argsort(-lost, kind="stable")[: self.explained]
        worst = worst[lost[worst] > 0]
        if not len(worst):
            return []
        names = [states.names[place][1] for place in sums.places.tolist()]
        counts = dict(zip(names, map(float, states.vehicles.tolist()), strict=True))
        known = flows(city, layer, start, end, progress, counts)
        reasons = Reasons(city, layer, roads, start, end, flows=known)
        return [
            (
                layer, names[row], rank, one.kind, one.score, one.en, one.zh, figures(one.evidence),
            )
            for row in worst.tolist()
            for rank, one in enumerate(reasons.of_link(names[row]), 1)
        ]  # fmt: skip


def figures(evidence: Mapping[str, Any]) -> str:
    """Evidence in one line.

    >>> figures({"vehicles": 3, "seconds": 12.0})
    'vehicles=3; seconds=12.0'
    """
    return "; ".join(f"{name}={value}" for name, value in evidence.items() if value is not None)


def _rows(found: RoadStates, roads: Mapping[str, RoadMap]) -> list[tuple[Value, ...]]:
    titles = {state.id: state.title for state in found.definition.states}
    rows: list[tuple[Value, ...]] = []
    for one in found.rows():
        layer, name = one.get("layer", ""), ""
        if found.by == "link":
            name = roads[layer].link_by_id[one["id"]].name
        title = titles.get(one["state"] or "")
        worst = one.get("worst")
        rows.append(
            (
                layer, one.get("id", one.get("cell")), name, time_text(one["start"]),
                title["en"] if title else None, title["zh"] if title else None,
                *(_short(one[key]) for key in ("tpi", "tti", "dtp", "speed", "free_speed")),
                one["vehicles"], worst["link"] if worst else None,
            )
        )  # fmt: skip
    return rows


def _grid(found: RoadStates) -> CellGrid:
    """The worst of each cell over all bins; no cells where roads were asked for."""
    if found.by != "h3" or found.resolution is None:
        return CellGrid(np.empty(0, np.uint64), np.empty(0), "1", 10)
    cells = np.array([cell_named(name) for _, name in found.names], np.uint64)
    worst = np.full(len(cells), np.nan)
    np.fmax.at(worst, found.sums.places, found.ratios.dtp)
    known = np.flatnonzero(~np.isnan(worst))
    order = known[np.argsort(cells[known])]
    return CellGrid(cells[order], worst[order], "1", found.resolution)


def _about(found: RoadStates) -> tuple[Value, ...]:
    sums = found.sums
    metres, seconds, free = (x.sum() for x in (sums.metres, sums.seconds, sums.free_seconds))
    whole = found.total
    return (
        time_text(found.start), time_text(found.end), found.definition.title["en"],
        found.definition.source, len(sums), round(metres / 1000, 3), round(seconds / 3600, 3),
        round(free / 3600, 3), _short(float(whole.tti[0])),
        _short(float(found.definition.indices(whole)[0])),
    )  # fmt: skip


def _short(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 3)
