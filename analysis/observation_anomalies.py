"""What is odd in an hour, as a question with a receipt."""

import math
from collections.abc import Mapping
from typing import ClassVar

from analysis.analysis import Answer, Text, parameter
from analysis.anomalies import HOUR, anomalies
from analysis.observed_question import (
    CLASS,
    KEY,
    LAYER,
    NAME,
    THING,
    ObservedQuestion,
    time_text,
    versions_of,
)
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.table import Column, Table

_MOST_WEEKS = 52

_ODD = (
    THING, NAME, CLASS, LAYER, KEY,
    Column("property", {"en": "Property", "zh": "观测项"}, "text"),
    Column("unit", {"en": "Unit", "zh": "单位"}, "text"),
    Column("value", {"en": "Mean of the hour", "zh": "该小时均值"}, "number"),
    Column("median", {"en": "Median of earlier weeks", "zh": "往周中位数"}, "number"),
    Column("scale", {"en": "Scale", "zh": "尺度"}, "number"),
    Column("score", {"en": "Score", "zh": "得分"}, "number"),
    Column("weeks", {"en": "Weeks known", "zh": "已知周数"}, "integer"),
)  # fmt: skip
_ABOUT = (
    Column("start", {"en": "From", "zh": "开始"}, "text"),
    Column("end", {"en": "To", "zh": "结束"}, "text"),
    Column("looked_at", {"en": "Judged", "zh": "已判断"}, "integer"),
    Column("too_little", {"en": "With too little history", "zh": "历史不足"}, "integer"),
    Column("silent", {"en": "Nothing in the hour", "zh": "该小时无观测"}, "integer"),
)


class ObservationAnomalies(ObservedQuestion):
    """The hour before a moment beside the same hour of the same weekday in earlier weeks."""

    name: ClassVar[str] = "observation-anomalies"
    title: ClassVar[Text] = {"en": "Odd observations", "zh": "观测异常"}
    description: ClassVar[Text] = {
        "en": "Which datastreams are far from what they were in the same hour of earlier weeks.",
        "zh": "找出与往周同一时段相比明显偏离的数据流。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "odd": {"en": "Odd datastreams", "zh": "异常数据流"},
        "about": {"en": "What was judged", "zh": "判断范围"},
    }

    property: str | None = parameter(
        None,
        {"en": "Property", "zh": "观测项"},
        {"en": "Only this observed property, by its code.", "zh": "仅限该观测项（代码）。"},
    )
    weeks: int = parameter(
        4,
        {"en": "Weeks", "zh": "周数"},
        {"en": "So many earlier weeks.", "zh": "往前比较的周数。"},
        ge=1, le=_MOST_WEEKS,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The odd datastreams, the oddest first."""
        streams, at = self.streams(city, self.property), self.moment()
        found = anomalies(streams, city.observed, at, self.weeks, progress)
        odd = tuple(
            (
                one.stream.thing, one.stream.thing_name, one.stream.thing_class, one.stream.layer,
                one.stream.key, one.stream.property, one.stream.unit, one.value, one.median,
                one.scale, one.score if math.isfinite(one.score) else None, one.weeks,
            )
            for one in found.found
        )  # fmt: skip
        about = (
            time_text(at - HOUR), time_text(at), found.looked_at, found.too_little, found.silent,
        )  # fmt: skip
        tables = {"odd": Table(_ODD, odd), "about": Table(_ABOUT, (about,))}
        return Answer(tables, versions_of(city, streams))
