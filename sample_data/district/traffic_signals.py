"""The signals of the intersections: groups, plans, and what they show moment by moment."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sample_data.district.streets import CARRIAGEWAYS
from sample_data.district.traffic_map import SIDES, Roads

LIGHTS = (
    "unknown", "dark", "flashing-red", "red", "flashing-green", "permissive-green",
    "protected-green", "yellow", "flashing-yellow",
)  # fmt: skip
"""In the order of the numbers of messages."""
DARK, RED, FLASHING, GREEN, YELLOW, CAUTION = 1, 3, 4, 6, 7, 8

_AXES = {"north": 0, "south": 0, "east": 1, "west": 1}

Codes = np.ndarray[Any, np.dtype[np.uint8]]
Plan = list[tuple[float, dict[str, int]]]
"""Phases: how long, and the light of each group that is not red."""


@cache
def traffic_table() -> dict[str, Any]:
    """What was decided by hand."""
    return tomllib.loads(Path(__file__).with_name("traffic.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Lights:
    """What all signal groups show, one column each `step` s from `begin` s on.

    groups
        Node and group of each row.
    shown, obeyed
        (groups, steps) numbers of `LIGHTS`: what heads show, and what those who drive go by; they
        differ where nothing is shown.
    """

    groups: list[tuple[str, str]]
    begin: float
    step: float
    shown: Codes
    obeyed: Codes

    def row(self, node: str, group: str) -> int:
        """The row of a group."""
        return self.groups.index((node, group))


def groups(of: Roads, node: str) -> list[tuple[str, str, int]]:
    """The groups of an intersection: id, kind and number."""
    found: list[tuple[str, str, int]] = []
    for arm in of.arms[node]:
        first = 2 * [side for side, _ in SIDES].index(arm.side)
        found.append((f"{arm.side}-left", "vehicle", first + 1))
        found.append((f"{arm.side}-through", "vehicle", first + 2))
        found.append((f"{arm.side}-walk", "pedestrian", first // 2 + 9))
    return found


def phases(of: Roads, node: str, plan: Mapping[str, Any]) -> Plan:
    """The phases of a plan at an intersection; walkers cross the arms beside those who drive."""
    greater = {_AXES[arm.side] for arm in of.arms[node] if arm.approach.kind == "arterial"}
    both = len(greater) == 2
    first = 1 if both else greater.pop()
    return _phases(of, node, plan["arterial" if both else "collector"], first)


def _phases(of: Roads, node: str, greens: list[float], first: int) -> Plan:
    table = traffic_table()["signals"]
    found: Plan = []
    for number, axis in enumerate((first, 1 - first)):
        own = [arm for arm in of.arms[node] if _AXES[arm.side] == axis]
        across = [arm for arm in of.arms[node] if _AXES[arm.side] != axis]
        through = [f"{arm.side}-through" for arm in own]
        walks = [f"{arm.side}-walk" for arm in across]
        wide = max(CARRIAGEWAYS[arm.approach.kind] for arm in across)
        last = round(wide / table["walking"]) - table["after_flashing"]
        green = greens[2 * number]
        walk = max(0.0, green - last)
        go = dict.fromkeys(through, GREEN)
        if walk >= 4:
            found.append((walk, {**go, **dict.fromkeys(walks, GREEN)}))
            found.append((green - walk, {**go, **dict.fromkeys(walks, FLASHING)}))
        else:
            found.append((green, go))
        found.append((table["yellow"], dict.fromkeys(through, YELLOW)))
        found.append((table["all_red"], {}))
        lefts = [f"{arm.side}-left" for arm in own]
        found.append((greens[2 * number + 1], dict.fromkeys(lefts, GREEN)))
        found.append((table["yellow"], dict.fromkeys(lefts, YELLOW)))
        found.append((table["all_red"], {}))
    return found


def offset(node: str, plan: Mapping[str, Any]) -> float:
    """When the first phase of a plan begins, seconds after a whole cycle."""
    return float(round(traffic_table()["offsets"][node] * plan["cycle"]))


def lights(of: Roads, begin: float, end: float) -> Lights:
    """What all groups show between two moments, seconds from the beginning of the recording."""
    table = traffic_table()
    step = table["recording"]["step"]
    at = np.arange(begin, end, step)
    rows: list[tuple[str, str]] = []
    shown, obeyed = [], []
    plan = next(plan for plan in table["plan"] if plan["id"] == table["recording"]["plan"])
    jam, fault = table["spillback"], table["failure"]
    for node in of.nodes:
        names = [name for name, _, _ in groups(of, node)]
        usual = phases(of, node, plan)
        start = offset(node, plan)
        view = _course(names, usual, at - start)
        if node == jam["node"]:
            first = 1 if _is_east(of, node) else 0
            short = _course(names, _phases(of, node, jam["greens"], first), at - start)
            during = (at >= jam["begin"]) & (at < jam["end"])
            view = np.where(during, short, view)
        own = view.copy()
        if node == fault["node"]:
            first = 1 if _is_east(of, node) else 0
            turns = _course(names, _phases(of, node, fault["greens"], first), at - fault["begin"])
            off = (at >= fault["begin"]) & (at < fault["end"])
            dark = at >= fault["dark"]
            walkers = np.array([name.endswith("walk") for name in names])[:, None]
            failed = np.where(dark | walkers, DARK, CAUTION)
            view, own = np.where(off, failed, view), np.where(off, turns, own)
        rows += [(node, name) for name in names]
        shown.append(view.astype(np.uint8))
        obeyed.append(own.astype(np.uint8))
    return Lights(rows, begin, step, np.vstack(shown), np.vstack(obeyed))


def _is_east(of: Roads, node: str) -> bool:
    kinds = {arm.approach.kind for arm in of.arms[node] if _AXES[arm.side] == 1}
    return kinds == {"arterial"}


def _course(names: list[str], plan: Plan, at: Any) -> Any:
    """The lights (names, times) of a plan that began at 0 and goes on for ever."""
    ends = np.cumsum([duration for duration, _ in plan])
    phase = np.searchsorted(ends, at % ends[-1], side="right")
    table = np.array([[lit.get(name, RED) for _, lit in plan] for name in names])
    return table[:, phase]


def changes(of: Lights, after: float) -> Iterator[tuple[float, str, str, int, float]]:
    """When which group changed to which light, and how long that lasts (NaN: nobody knows)."""
    table = traffic_table()["failure"]
    times = of.begin + of.step * np.arange(of.shown.shape[1])
    since = int(np.searchsorted(times, after))
    for row, (node, group) in enumerate(of.groups):
        values = of.shown[row, since:]
        starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
        ends = np.append(starts[1:], len(values))
        for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
            at = float(times[since + first])
            failed = node == table["node"] and table["begin"] <= at < table["end"]
            known = not failed and since + last < len(times)
            yield at, node, group, int(values[first]), (last - first) * of.step if known else np.nan
