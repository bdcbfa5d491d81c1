"""What questions about traffic have in common: of which road maps, and of what time."""

import datetime
import time

from analysis.analysis import Analysis, parameter
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.store.layers import LayerVersion
from cim_core.traffic.moving import Positions, SignalStates
from cim_core.traffic.roads import RoadMap

_DAY_MINUTES = 24 * 60


class TrafficQuestion(Analysis):
    """A question about what moved on roads in a window."""

    layer: str | None = parameter(
        None,
        {"en": "Layer", "zh": "图层"},
        {
            "en": "Only this road map; all of them if not given.",
            "zh": "仅限该道路图层；不填则为全部。",
        },
        format="layer-id",
    )
    at: datetime.datetime | None = parameter(
        None,
        {"en": "Until", "zh": "截止时间"},
        {
            "en": "The end of the window, as in 2026-11-22T08:00:00Z; if not given, the last that was recorded.",
            "zh": "时段的结束时刻，例如 2026-11-22T08:00:00Z；不填则为最后一条记录的时刻。",
        },
    )
    minutes: float = parameter(
        15.0,
        {"en": "Minutes", "zh": "时长"},
        {"en": "So long before its end the window begins.", "zh": "截止时刻之前的时长。"},
        unit="min", gt=0, le=_DAY_MINUTES,
    )  # fmt: skip

    def maps(self, city: City) -> dict[str, tuple[LayerVersion, RoadMap]]:
        """The road maps that are asked for; raises `NotFound` for a layer without one."""
        found = city.road_maps()
        if self.layer is None:
            return found
        city.layers.get(self.layer)
        if self.layer not in found:
            raise NotFound(
                f"the layer {self.layer!r} has no road map that you see as a whole; name one that has"
            )
        return {self.layer: found[self.layer]}

    def window(self, city: City) -> tuple[int, int]:
        """Its beginning and end, milliseconds since 1970; raises `InvalidInput`."""
        if self.at is not None:
            at = self.at if self.at.tzinfo else self.at.replace(tzinfo=datetime.UTC)
            end = round(at.timestamp() * 1000)
        else:
            spans = [
                span
                for layer in self.maps(city)
                for kind in (Positions, SignalStates)
                if (span := city.traffic.span(layer, kind)) is not None
            ]
            end = max((last + 1 for _, last in spans), default=time.time_ns() // 1_000_000)
        start = end - round(60_000 * self.minutes)
        if start < 0:
            raise InvalidInput("the window begins before 1970; give a later end")
        return start, end
