"""What happened on the roads in a window, as a question with a receipt."""

from collections.abc import Mapping
from typing import ClassVar

from analysis.analysis import Answer, Text, parameter
from analysis.congestion_question import figures
from analysis.observed_question import time_text
from analysis.traffic.congestion_window import TrafficQuestion
from analysis.traffic.event_rules import event_rules
from analysis.traffic.events_window import Recognised, recognised
from analysis.traffic.key_vehicles import CoverageCount, Register, Seen, register_of
from cim_core.city import City
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.sight import EVERYTHING
from cim_core.table import Column, Table
from cim_core.traffic.event import EventKind, TrafficEvent

_EVENTS = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("kind", {"en": "Kind", "zh": "类别代码"}, "text"),
    Column("title", {"en": "Event", "zh": "事件（英文）"}, "text"),
    Column("title_zh", {"en": "Event (Chinese)", "zh": "事件"}, "text"),
    Column("begun", {"en": "Begun", "zh": "开始"}, "text"),
    Column("ended", {"en": "Ended", "zh": "结束"}, "text"),
    Column("lon", {"en": "Longitude", "zh": "经度"}, "number", "°"),
    Column("lat", {"en": "Latitude", "zh": "纬度"}, "number", "°"),
    Column("link", {"en": "Road", "zh": "路段"}, "text"),
    Column("lane", {"en": "Lane", "zh": "车道"}, "text"),
    Column("intersection", {"en": "Intersection", "zh": "路口"}, "text"),
    Column("vehicles", {"en": "Vehicles", "zh": "车辆"}, "text"),
    Column("confidence", {"en": "Confidence", "zh": "置信度"}, "number"),
    Column("evidence", {"en": "Figures", "zh": "数据"}, "text"),
    Column("causes", {"en": "Causes", "zh": "成因（英文）"}, "text"),
    Column("causes_zh", {"en": "Causes (Chinese)", "zh": "成因"}, "text"),
)
_KEY = (
    Column("vehicle", {"en": "Vehicle", "zh": "车辆"}, "text"),
    Column("kind", {"en": "Kind", "zh": "类别"}, "text"),
    Column("name", {"en": "Name", "zh": "名称（英文）"}, "text"),
    Column("name_zh", {"en": "Name (Chinese)", "zh": "名称"}, "text"),
    Column("seen", {"en": "Positions", "zh": "定位数"}, "integer"),
    Column("first", {"en": "First seen", "zh": "首次出现"}, "text"),
    Column("last", {"en": "Last seen", "zh": "最后出现"}, "text"),
    Column("events", {"en": "Events", "zh": "事件数"}, "integer"),
)
_ABOUT = (
    Column("start", {"en": "From", "zh": "开始"}, "text"),
    Column("end", {"en": "To", "zh": "结束"}, "text"),
    Column("positions", {"en": "Positions", "zh": "定位数"}, "integer"),
    Column("signals", {"en": "Signal states", "zh": "信号状态数"}, "integer"),
    Column("events", {"en": "Events", "zh": "事件数"}, "integer"),
    Column("registered", {"en": "Key vehicles registered", "zh": "登记重点车辆"}, "integer"),
    Column("expected", {"en": "Of these expected", "zh": "应出现"}, "integer"),
    Column("monitored", {"en": "Of these seen", "zh": "已监测"}, "integer"),
    Column("coverage", {"en": "Coverage", "zh": "监测覆盖率"}, "number"),
)


class TrafficEventsQuestion(TrafficQuestion):
    """Events recognised anew from what is recorded, and which key vehicles were seen.

    The register of key vehicles is the city's: it is told where all road maps of the city are looked
    at, and so to those only who see all of them.
    """

    name: ClassVar[str] = "traffic-events"
    title: ClassVar[Text] = {"en": "Traffic events", "zh": "车城事件"}
    description: ClassVar[Text] = {
        "en": "Which events positions and signals of any window tell of, and which key vehicles were seen.",
        "zh": "对任意时段的轨迹与信号重新识别交通事件，并统计重点车辆监测覆盖率。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "events": {"en": "Events", "zh": "事件"},
        "key-vehicles": {"en": "Key vehicles", "zh": "重点车辆"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    kinds: tuple[EventKind, ...] = parameter(
        (),
        {"en": "Kinds", "zh": "事件类别"},
        {"en": "Only these kinds of events; all if none is named.", "zh": "仅限这些类别；不填则为全部。"},
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The events of the window; raises `InvalidInput` for a register that cannot be read."""
        start, end = self.window(city)
        register = register_of(city.folder)
        maps = self.maps(city)
        whole = bool(maps) and maps.keys() == city.seen_by(EVERYTHING, None).road_maps().keys()
        count = CoverageCount(register if whole else Register(), start, end)
        found: dict[str, Recognised] = {
            layer: recognised(city, layer, roads, start, end, register, count, progress)
            for layer, (_, roads) in maps.items()
        }
        events = [
            (layer, event)
            for layer, one in found.items()
            for event in one.events
            if not self.kinds or event.kind in self.kinds
        ]
        coverage = count.coverage
        share = None if coverage.share is None else round(coverage.share, 3)
        registered = (len(coverage.rows), coverage.expected, coverage.seen, share)
        about = (
            time_text(start), time_text(end), sum(one.positions for one in found.values()),
            sum(one.signals for one in found.values()), len(events),
            *(registered if whole else (None,) * 4),
        )  # fmt: skip
        own = [event for _, event in events if event.kind in ("off-route", "geofence")]
        tables = {
            "events": Table(_EVENTS, tuple(_event(layer, event) for layer, event in events)),
            "key-vehicles": Table(_KEY, tuple(_seen(one, own) for one in coverage.rows)),
            "about": Table(_ABOUT, (about,)),
        }
        return Answer(tables, tuple(version for version, _ in maps.values()))


def _event(layer: str, event: TrafficEvent) -> tuple[Value, ...]:
    title = event_rules()[event.kind].title
    return (
        layer, event.kind, title["en"], title["zh"], time_text(event.begun), time_text(event.ended),
        event.lon, event.lat, event.link, event.lane, event.intersection,
        ", ".join(event.vehicles), event.confidence, figures(event.evidence),
        "; ".join(cause.en for cause in event.causes),
        "；".join(cause.zh for cause in event.causes),
    )  # fmt: skip


def _seen(one: Seen, events: list[TrafficEvent]) -> tuple[Value, ...]:
    vehicle = one.vehicle
    return (
        vehicle.id, vehicle.kind, vehicle.en or vehicle.id, vehicle.zh or vehicle.id,
        one.positions, time_text(one.first), time_text(one.last),
        sum(vehicle.id in event.vehicles for event in events),
    )  # fmt: skip
