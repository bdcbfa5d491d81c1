"""An observed property by H3 cell, as a question with a receipt."""

from collections.abc import Mapping
from typing import ClassVar

from analysis.analysis import Answer, Text, parameter
from analysis.heat_map import HeatAsked, Statistic, everywhere, heat, usual_resolution
from analysis.observed_question import ObservedQuestion, time_text, versions_of
from cim_core.cells import FINEST
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.table import Column, Table

_YEAR_HOURS = 366 * 24

_ABOUT = (
    Column("property", {"en": "Property", "zh": "观测项"}, "text"),
    Column("unit", {"en": "Unit", "zh": "单位"}, "text"),
    Column("start", {"en": "From", "zh": "开始"}, "text"),
    Column("end", {"en": "To", "zh": "结束"}, "text"),
    Column("datastreams", {"en": "Datastreams", "zh": "数据流数"}, "integer"),
    Column("observations", {"en": "Observations", "zh": "观测数"}, "integer"),
    Column("cells", {"en": "Cells", "zh": "网格数"}, "integer"),
)


class HeatMap(ObservedQuestion):
    """The mean, number, extremes or 95th percentile of what was observed, by H3 cell."""

    name: ClassVar[str] = "heat-map"
    title: ClassVar[Text] = {"en": "Heat map of observations", "zh": "观测热力图"}
    description: ClassVar[Text] = {
        "en": "What an observed property came to in each H3 cell over a time.",
        "zh": "按 H3 网格统计某观测项在一段时间内的取值。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "heat": {"en": "By cell", "zh": "按网格"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    property: str = parameter(
        "",
        {"en": "Property", "zh": "观测项"},
        {"en": "What is observed, by its code, such as water-level.", "zh": "观测项的代码，例如 water-level。"},
    )  # fmt: skip
    statistic: Statistic = parameter(
        "mean",
        {"en": "Statistic", "zh": "统计量"},
        {"en": "What of each cell.", "zh": "每个网格的统计量。"},
    )
    hours: float = parameter(
        1.0,
        {"en": "Hours", "zh": "时长"},
        {"en": "So long before the end.", "zh": "截止时间之前的时长。"},
        unit="h", gt=0, le=_YEAR_HOURS,
    )  # fmt: skip
    resolution: int | None = parameter(
        None,
        {"en": "Resolution", "zh": "网格级别"},
        {"en": "Of the cells; as fits all things if not given.", "zh": "H3 网格的级别；不填则按设备范围选取。"},
        ge=0, le=FINEST,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The cells that something was observed in; raises `InvalidInput` without a property."""
        if not self.property:
            codes = sorted({one.property for one in self.streams(city).by_id.values()})
            raise InvalidInput(f"a property is needed; give one of {', '.join(codes) or 'those that are observed'}")  # fmt: skip
        progress(0, 1, "looking")
        streams, end = self.streams(city, self.property), self.moment()
        fine = self.resolution
        if fine is None:
            fine = usual_resolution(None, everywhere(streams))
        asked = HeatAsked(self.statistic, max(0, end - round(3_600_000 * self.hours)), end, fine)
        found = heat(streams, city.observed, asked)
        row = (
            self.property, found.unit, time_text(asked.start), time_text(asked.end), len(streams),
            int(found.counts.sum()), len(found.cells),
        )  # fmt: skip
        return Answer(
            {"heat": found.grid, "about": Table(_ABOUT, (row,))}, versions_of(city, streams)
        )
