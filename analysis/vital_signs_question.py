"""The vital signs of a city, as a question with a receipt."""

import datetime
from collections.abc import Mapping
from typing import ClassVar

from analysis.analysis import Analysis, Answer, Text, parameter
from analysis.observed_question import time_text
from analysis.vital_signs.board import Sign, vital_signs
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.table import Column, Table

_CODE = Column("code", {"en": "Sign", "zh": "体征"}, "text")
_SIGNS = (
    _CODE,
    Column("name", {"en": "Name", "zh": "名称（英文）"}, "text"),
    Column("name_zh", {"en": "Name (Chinese)", "zh": "名称"}, "text"),
    Column("value", {"en": "Value", "zh": "数值"}, "number"),
    Column("unit", {"en": "Unit", "zh": "单位"}, "text"),
    Column("state", {"en": "State", "zh": "状态"}, "text"),
    Column("attention", {"en": "Attention beyond", "zh": "关注阈值"}, "number"),
    Column("alarm", {"en": "Alarm beyond", "zh": "报警阈值"}, "number"),
    Column("change", {"en": "Change", "zh": "变化"}, "number"),
    Column("explanation", {"en": "What moved it", "zh": "变化说明（英文）"}, "text"),
    Column("explanation_zh", {"en": "What moved it (Chinese)", "zh": "变化说明"}, "text"),
    Column("status", {"en": "Status", "zh": "数据状态"}, "text"),
    Column("reason", {"en": "Why", "zh": "原因（英文）"}, "text"),
    Column("reason_zh", {"en": "Why (Chinese)", "zh": "原因"}, "text"),
    Column("source", {"en": "Source of the thresholds", "zh": "阈值依据"}, "text"),
    Column("confidence", {"en": "Confidence", "zh": "可信程度"}, "text"),
)
_TREND = (
    _CODE,
    Column("at", {"en": "At", "zh": "时刻"}, "text"),
    Column("value", {"en": "Value", "zh": "数值"}, "number"),
)


class VitalSigns(Analysis):
    """What the city feels at a moment: values, states, trends, and what moved them."""

    name: ClassVar[str] = "vital-signs"
    title: ClassVar[Text] = {"en": "Vital signs", "zh": "城市体征"}
    description: ClassVar[Text] = {
        "en": "Devices, ponding, alarms, traffic, mains and renewal at a moment, against thresholds, with trends.",
        "zh": "某一时刻的设备在线、积水、告警、交通、管网和更新改造体征，含阈值状态与趋势。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "signs": {"en": "Signs", "zh": "体征"},
        "trend": {"en": "Trends", "zh": "趋势"},
    }

    at: datetime.datetime | None = parameter(
        None,
        {"en": "At", "zh": "时刻"},
        {
            "en": "The moment, as in 2026-11-22T08:00:00Z; now if not given.",
            "zh": "查询的时刻，例如 2026-11-22T08:00:00Z；不填则为当前时刻。",
        },
    )

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The signs of the whole minute before the moment."""
        board = vital_signs(city, self._moment(), progress)
        trend: tuple[tuple[Value, ...], ...] = tuple(
            (sign.code, time_text(at), value) for sign in board.signs for at, value in sign.trend
        )
        layers = {layer for sign in board.signs for layer in sign.layers}
        versions = tuple(one for one in city.layers.current() if one.layer in layers)
        signs = Table(_SIGNS, tuple(_row(sign) for sign in board.signs))
        return Answer({"signs": signs, "trend": Table(_TREND, trend)}, versions)

    def _moment(self) -> int | None:
        if self.at is None:
            return None
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=datetime.UTC)
        if not 1971 <= at.year <= 2100:
            raise InvalidInput(
                f"at={at.isoformat()} is not of a city's time; give one from 1971 on"
            )
        return round(at.timestamp() * 1000)


def _row(sign: Sign) -> tuple[Value, ...]:
    said = sign.definition
    reason = sign.reason_text or {}
    return (
        sign.code, said.name.en, said.name.zh, sign.value, said.unit.en, sign.state, said.attention,
        said.alarm, sign.change, sign.explanation["en"], sign.explanation["zh"], sign.status,
        reason.get("en"), reason.get("zh"), said.source, said.confidence,
    )  # fmt: skip
