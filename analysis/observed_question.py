"""What questions about observations have in common: which datastreams, until when, of which layers."""

import datetime
import time

from analysis.analysis import Analysis, parameter
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observations import Stream, Streams
from cim_core.store.layers import LayerVersion
from cim_core.table import Column

THING = Column("thing", {"en": "Thing", "zh": "设备编号"}, "integer")
NAME = Column("name", {"en": "Name", "zh": "名称"}, "text")
CLASS = Column("class", {"en": "Class", "zh": "类别"}, "text")
LAYER = Column("layer", {"en": "Layer", "zh": "图层"}, "text")
KEY = Column("key", {"en": "Datastream", "zh": "数据流"}, "text")


class ObservedQuestion(Analysis):
    """A question about what some datastreams observed until a moment."""

    layers: tuple[str, ...] = parameter(
        (),
        {"en": "Layers", "zh": "图层"},
        {
            "en": "Only things of these layers; of all if none is named.",
            "zh": "仅限这些图层的设备；不填则为全部。",
        },
        format="layer-id",
    )
    thing_class: str | None = parameter(
        None,
        {"en": "Class", "zh": "类别"},
        {"en": "Only things of this class, such as lamp.", "zh": "仅限该类别的设备，例如 lamp。"},
    )
    at: datetime.datetime | None = parameter(
        None,
        {"en": "Until", "zh": "截止时间"},
        {
            "en": "The moment it is asked for, as in 2026-11-22T08:00:00Z; now if not given.",
            "zh": "查询的时刻，例如 2026-11-22T08:00:00Z；不填则为当前时刻。",
        },
    )

    def moment(self) -> int:
        """The moment in milliseconds since 1970; what has no zone is UTC. Raises `InvalidInput`."""
        if self.at is None:
            return time.time_ns() // 1_000_000
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=datetime.UTC)
        if at.year < 1971:
            raise InvalidInput(
                f"at={at.isoformat()} is before anything was observed; give a later time"
            )
        return round(at.timestamp() * 1000)

    def streams(self, city: City, property_: str | None = None) -> Streams:
        """The datastreams that are asked for; raises `NotFound` for a layer that is not there."""
        known = city.live.streams().by_id.values()
        present = {stream.layer for stream in known}
        for layer in self.layers:
            if layer not in present:
                city.layers.get(layer)
        return Streams([stream for stream in known if self._asks(stream, property_)])

    def _asks(self, stream: Stream, property_: str | None) -> bool:
        return (
            (not self.layers or stream.layer in self.layers)
            and self.thing_class in (None, stream.thing_class)
            and property_ in (None, stream.property)
        )


def versions_of(city: City, streams: Streams) -> tuple[LayerVersion, ...]:
    """The served versions of the layers that datastreams belong to, where there are any."""
    layers = {stream.layer for stream in streams.by_id.values()}
    return tuple(version for version in city.layers.current() if version.layer in layers)


def time_text(moment: int | None) -> str | None:
    """A moment, milliseconds since 1970, as people read it.

    >>> time_text(1_780_000_000_000)
    '2026-05-28T20:26:40Z'
    """
    if moment is None:
        return None
    at = datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
