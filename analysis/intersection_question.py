"""What questions about one intersection have in common: which one, and of what time."""

import datetime

from analysis.analysis import Analysis, parameter
from cim_core.errors import InvalidInput


class IntersectionQuestion(Analysis):
    """A question about what happened at an intersection in a window."""

    layer: str = parameter(
        ...,
        {"en": "Road map", "zh": "道路地图"},
        {"en": "The layer with the road map.", "zh": "包含道路地图的图层。"},
        format="layer-id",
    )
    intersection: str = parameter(
        ...,
        {"en": "Intersection", "zh": "交叉口"},
        {"en": "The id of the intersection.", "zh": "交叉口编号。"},
    )
    start: datetime.datetime = parameter(
        ...,
        {"en": "From", "zh": "开始"},
        {
            "en": "From this moment on, as in 2026-11-22T08:00:00Z.",
            "zh": "开始时刻，例如 2026-11-22T08:00:00Z。",
        },
    )
    end: datetime.datetime = parameter(
        ...,
        {"en": "To", "zh": "结束"},
        {"en": "Up to this moment.", "zh": "结束时刻（不含）。"},
    )

    def window(self) -> tuple[int, int]:
        """Its beginning and end, milliseconds since 1970; raises `InvalidInput`."""
        start, end = _ms(self.start), _ms(self.end)
        if end <= start:
            raise InvalidInput("end is not later than start; give a later end")
        return start, end


def _ms(at: datetime.datetime) -> int:
    """Milliseconds since 1970; what has no zone is UTC."""
    known = at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
    if known.year < 1970:
        raise InvalidInput(f"{at.isoformat()} is before 1970; give a later time")
    return round(known.timestamp() * 1000)
