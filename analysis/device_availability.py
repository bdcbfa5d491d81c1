"""Which things report, as a question with a receipt."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from analysis.analysis import Answer, Text
from analysis.availability import STATES, State, availability, newest_times
from analysis.observed_question import (
    CLASS,
    LAYER,
    NAME,
    THING,
    ObservedQuestion,
    time_text,
    versions_of,
)
from cim_core.city import City
from cim_core.feature import Value
from cim_core.observations import Streams, Times
from cim_core.progress import Progress
from cim_core.table import Column, Table

_WORDS: Mapping[State, Text] = {
    "ok": {"en": "ok", "zh": "正常"},
    "stale": {"en": "Stale", "zh": "陈旧"},
    "silent": {"en": "Silent", "zh": "静默"},
    "never": {"en": "Never observed", "zh": "从未观测"},
}
_BY_CLASS = (
    CLASS,
    Column("things", {"en": "Things", "zh": "设备数"}, "integer"),
    *(Column(state, _WORDS[state], "integer") for state in STATES),
)
_ABSENT = (
    THING, NAME, CLASS, LAYER,
    Column("state", {"en": "State", "zh": "状态"}, "text"),
    Column("updated", {"en": "Last observed", "zh": "最近观测"}, "text"),
)  # fmt: skip


class DeviceAvailability(ObservedQuestion):
    """How many things of each class report as they should, and those that do not."""

    name: ClassVar[str] = "device-availability"
    title: ClassVar[Text] = {"en": "Availability of devices", "zh": "设备在线情况"}
    description: ClassVar[Text] = {
        "en": "Which things report as expected, are stale, silent or were never observed.",
        "zh": "统计按期上报、陈旧、静默和从未观测的设备。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "classes": {"en": "By class", "zh": "按类别"},
        "absent": {"en": "Not as they should be", "zh": "异常设备"},
    }

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The states of things at the moment, by what was observed until then."""
        progress(0, 1, "looking")
        streams, now = self.streams(city), self.moment()
        found = availability(streams, _newest(city, streams, now), now)
        by_class: tuple[tuple[Value, ...], ...] = tuple(
            (name, sum(counts.values()), *(counts.get(state, 0) for state in STATES))
            for name, counts in found.by_class.items()
        )
        absent = tuple(
            (one.id, one.name, one.thing_class, one.layer, one.state, time_text(one.updated))
            for one in found.absent
        )
        tables = {"classes": Table(_BY_CLASS, by_class), "absent": Table(_ABSENT, absent)}
        return Answer(tables, versions_of(city, streams))


def _newest(city: City, streams: Streams, now: int) -> Times:
    """When each datastream, (n,), was last observed before a moment; -1: never."""
    latest = city.observed.latest(streams.ids)
    times = newest_times(streams.ids, latest.streams, latest.times)
    for row in np.flatnonzero(
        times > now
    ).tolist():  # of the past only what is older than the moment counts
        before = city.observed.rows(streams.ids[row : row + 1], 0, now + 1, newest=1)
        times[row] = before.times[0] if len(before) else -1
    return times
