"""How an intersection works, as a question with a receipt."""

from collections.abc import Mapping
from typing import ClassVar

from analysis.analysis import Answer, Text, parameter
from analysis.intersection_question import IntersectionQuestion
from analysis.traffic.measures import edges_of, measure
from analysis.traffic.measures_parts import By
from analysis.traffic.measures_scene import road_map_of, scene
from analysis.traffic.measures_totals import totals
from analysis.traffic.turn import turn
from cim_core.city import City
from cim_core.progress import Progress


class IntersectionMeasures(IntersectionQuestion):
    """Flows, delay, queues and the use of signals, from recorded positions and signal states."""

    name: ClassVar[str] = "intersection-measures"
    title: ClassVar[Text] = {"en": "Measures of an intersection", "zh": "交叉口评价指标"}
    description: ClassVar[Text] = {
        "en": "Volume, delay, queues, saturation and the use of green of an intersection, by time.",
        "zh": "按时段计算交叉口的流量、延误、排队、饱和度和绿灯利用情况。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "measures": {"en": "Measures", "zh": "指标"},
        "totals": {"en": "The whole intersection", "zh": "交叉口汇总"},
    }

    bin: int = parameter(
        900,
        {"en": "Bin", "zh": "时段长度"},
        {"en": "So long is a row's time.", "zh": "每行统计的时长。"},
        unit="s", ge=1, le=86_400,
    )  # fmt: skip
    by: By = parameter(
        "movement",
        {"en": "By", "zh": "分组"},
        {
            "en": "Movement, approach, lane or phase (signal group).",
            "zh": "流向、进口道、车道或相位（信号灯组）。",
        },
    )
    middles: bool = parameter(
        False,
        {"en": "Positions are of middles", "zh": "位置为车辆中心"},
        {
            "en": "Positions are those of the middles of vehicles, not of their fronts.",
            "zh": "位置为车辆中心，而非车头。",
        },
        rare=True,
    )

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The measures by part and bin, and those of the whole intersection by bin."""
        start, end = self.window()
        edges_of(start, end, self.bin)
        version, _ = road_map_of(city, self.layer)
        with turn():
            found = scene(
                city, self.layer, self.intersection, start, end, progress, middles=self.middles
            )
            tables = {
                "measures": measure(found, self.bin, self.by),
                "totals": totals(found, self.bin),
            }
        return Answer(tables, (version,))
