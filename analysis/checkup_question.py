"""The city check-up as a question: the indicators of a set, at a level, with a receipt."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import ClassVar, Literal

import numpy as np

from analysis.analysis import Analysis, Answer, Output, Text, parameter
from analysis.checkup.digests import InputUsed
from analysis.checkup.examine import Examined, examine
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.loaded import engine_table
from analysis.checkup.measured import By
from analysis.checkup.operators import method_of
from analysis.checkup.problems import met
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from analysis.checkup.sets import set_named
from analysis.checkup.words import words
from cim_core.cell_grid import CellGrid
from cim_core.cells import cell_named
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.table import Column, Table

Only = Literal["all", "housing", "community", "block", "city"]

_VALUES = (
    Column("code", {"en": "Code", "zh": "编号"}, "text"),
    Column("name", {"en": "Indicator", "zh": "指标（英文）"}, "text"),
    Column("name_zh", {"en": "Indicator (Chinese)", "zh": "指标"}, "text"),
    Column("level", {"en": "Level", "zh": "层级"}, "text"),
    Column("value", {"en": "Value", "zh": "指标值"}, "number"),
    Column("unit", {"en": "Unit", "zh": "单位（英文）"}, "text"),
    Column("unit_zh", {"en": "Unit (Chinese)", "zh": "单位"}, "text"),
    Column("numerator", {"en": "Numerator", "zh": "分子"}, "number"),
    Column("denominator", {"en": "Denominator", "zh": "分母"}, "number"),
    Column("surveyed", {"en": "Share surveyed", "zh": "调查比例"}, "number"),
    Column("status", {"en": "Status", "zh": "数据状态"}, "text"),
    Column("reason", {"en": "Reason", "zh": "原因（英文）"}, "text"),
    Column("reason_zh", {"en": "Reason (Chinese)", "zh": "原因"}, "text"),
    Column("target", {"en": "Target", "zh": "目标值"}, "number"),
    Column("confidence", {"en": "How sure the target is", "zh": "目标值可信度"}, "text"),
    Column("met", {"en": "Met", "zh": "是否达标"}, "text"),
    Column("method", {"en": "Method", "zh": "计算方法"}, "text"),
    Column("proxy", {"en": "Stands for something else", "zh": "是否为代理指标"}, "text"),
    Column("digest", {"en": "Digest", "zh": "摘要"}, "text"),
)
_UNITS = (
    Column("code", {"en": "Code", "zh": "编号"}, "text"),
    Column("by", {"en": "By", "zh": "统计单元"}, "text"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Place", "zh": "单元编号"}, "text"),
    Column("name", {"en": "Name", "zh": "单元名称"}, "text"),
    Column("value", {"en": "Value", "zh": "指标值"}, "number"),
    Column("numerator", {"en": "Numerator", "zh": "分子"}, "number"),
    Column("denominator", {"en": "Denominator", "zh": "分母"}, "number"),
    Column("surveyed", {"en": "Share surveyed", "zh": "调查比例"}, "number"),
    Column("status", {"en": "Status", "zh": "数据状态"}, "text"),
    Column("reason", {"en": "Reason", "zh": "原因"}, "text"),
)
_INPUTS = (
    Column("role", {"en": "Input", "zh": "输入"}, "text"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("version", {"en": "Version", "zh": "版本"}, "integer"),
    Column("date", {"en": "Date", "zh": "数据时间"}, "text"),
    Column("features", {"en": "Features", "zh": "要素数"}, "integer"),
    Column("digest", {"en": "Digest", "zh": "摘要"}, "text"),
)


class CheckUp(Analysis):
    """Indicators of a set for the district and, if asked for, by town, community, estate or cell."""

    name: ClassVar[str] = "checkup"
    title: ClassVar[Text] = {"en": "City check-up", "zh": "城市体检"}
    description: ClassVar[Text] = {
        "en": "Indicators of a set with numerator, denominator, share surveyed, and why a value is missing.",
        "zh": "按指标体系计算体检指标，给出分子、分母、调查比例以及缺值原因。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "values": {"en": "Indicators", "zh": "指标"},
        "units": {"en": "By place", "zh": "分单元"},
        "inputs": {"en": "What they are made of", "zh": "数据来源"},
        "cells": {"en": "First indicator by cell", "zh": "首个指标的网格分布"},
    }

    set: str = parameter(
        "mohurd-2025",
        {"en": "Set of indicators", "zh": "指标体系"},
        {"en": "By its id, a shipped one or the city's own.", "zh": "指标体系编号，可为内置体系或本市体系。"},
    )  # fmt: skip
    level: Only = parameter(
        "all",
        {"en": "Level", "zh": "层级"},
        {"en": "Only indicators of this level.", "zh": "只计算该层级的指标。"},
    )
    codes: tuple[str, ...] = parameter(
        (),
        {"en": "Codes", "zh": "指标编号"},
        {"en": "Only these indicators; all without.", "zh": "只计算这些指标；不填则全部计算。"},
    )
    by: By = parameter(
        "district",
        {"en": "By", "zh": "统计单元"},
        {"en": "The places that values are told of, beside the whole.", "zh": "除全区外，数值细分到的单元。"},
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The values; raises `NotFound` for a set, `InvalidInput` for a code that is not in it."""
        which = self._chosen(set_named(self.set, city.folder))
        scene = Scene(city, city_roles(city))
        found = examine(scene, which, lambda digest: None, progress)
        tables: dict[str, Output] = {
            "values": Table(_VALUES, tuple(_value(found, one) for one in found.set.indicators)),
            "units": Table(_UNITS, tuple(self._units(found))),
            "inputs": Table(_INPUTS, tuple(_input(one) for one in found.inputs)),
            "cells": self._cells(found),
        }
        versions = {p.layer: p.version for p in scene.used if p.version is not None}
        return Answer(tables, tuple(versions.values()))

    def _chosen(self, whole: IndicatorSet) -> IndicatorSet:
        """The set with the indicators asked for only, each by the units asked for."""
        known = {one.code for one in whole.indicators}
        if strange := [code for code in self.codes if code not in known]:
            raise InvalidInput(
                f"codes: the set {whole.id!r} has no indicator {strange[0]!r}; it has {', '.join(sorted(known))}"
            )  # fmt: skip
        by = () if self.by == "district" else (self.by,)
        some = tuple(
            one.model_copy(update={"by": by})
            for one in whole.indicators
            if self.level in ("all", one.level) and (not self.codes or one.code in self.codes)
        )
        return whole.model_copy(update={"indicators": some})

    def _units(self, found: Examined) -> Iterator[tuple[Value, ...]]:
        units = found.units.get(self.by)
        if units is None or self.by == "district":
            return
        for code, values in found.values.items():
            here = values[self.by]
            for row, (key, name) in enumerate(zip(units.ids, units.names, strict=True)):
                yield (
                    code, self.by, units.layer, key, name["zh"], _short(here.value[row]),
                    _short(here.numerator[row]), _short(here.denominator[row]),
                    _short(here.surveyed[row]), here.status[row], here.reason[row],
                )  # fmt: skip

    def _cells(self, found: Examined) -> CellGrid:
        """The first indicator by cell; no cells where another kind of units was asked for."""
        fine = int(engine_table()["cells"]["resolution"])
        if self.by != "cell" or not found.set.indicators:
            return CellGrid(np.empty(0, np.uint64), np.empty(0), "1", fine)
        first = found.set.indicators[0]
        values = found.values[first.code]["cell"].value
        cells = np.array([cell_named(name) for name in found.units["cell"].ids], np.uint64)
        known = np.flatnonzero(np.isfinite(values))
        order = known[np.argsort(cells[known])]
        return CellGrid(cells[order], values[order], first.unit, fine)


def _value(found: Examined, one: Indicator) -> tuple[Value, ...]:
    here = found.values[one.code]["district"]
    reason = here.reason[0]
    said = words()["reasons"][reason] if reason else {"en": None, "zh": None}
    fulfilled = met(one, float(here.value[0]), here.status[0])
    return (
        one.code, one.name.en, one.name.zh, one.level, _short(here.value[0]), one.unit, one.unit_zh,
        _short(here.numerator[0]), _short(here.denominator[0]), _short(here.surveyed[0]),
        here.status[0], said["en"], said["zh"], one.target.value if one.target else None,
        one.target.confidence if one.target else None, _yes_no(fulfilled), method_of(one.formula),
        _yes_no(one.proxy), found.digests[one.code],
    )  # fmt: skip


def _input(one: InputUsed) -> tuple[Value, ...]:
    return one.role, one.layer, one.version, one.date or None, one.features, one.digest


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else ("yes" if value else "no")


def _short(value: float) -> float | None:
    return round(float(value), 6) if isfinite(value) else None
