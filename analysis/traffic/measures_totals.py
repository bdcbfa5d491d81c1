"""An intersection as a whole, by time."""

from itertools import pairwise

import numpy as np

from analysis.observed_question import time_text
from analysis.traffic.los import los_of
from analysis.traffic.measures import START, edges_of, measure
from analysis.traffic.measures_scene import Scene, scene
from cim_core.city import City
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.table import Column, Table

_COLUMNS = (
    START,
    Column("volume", {"en": "Motor vehicles", "zh": "机动车流量"}, "integer"),
    Column("flow", {"en": "Flow", "zh": "小时流率"}, "number", "veh/h"),
    Column("delay_s", {"en": "Control delay", "zh": "控制延误"}, "number", "s"),
    Column("los", {"en": "Level of service", "zh": "服务水平"}, "text"),
    Column("stops", {"en": "Stops per vehicle", "zh": "平均停车次数"}, "number"),
    Column("queue_max_m", {"en": "Longest queue", "zh": "最大排队长度"}, "number", "m"),
    Column("imbalance", {"en": "Imbalance between approaches", "zh": "进口道失衡系数"}, "number"),
    Column("red_running", {"en": "Red-light running", "zh": "闯红灯车辆数"}, "integer"),
)


def intersection_totals(
    city: City, layer: str, intersection: str, start: int, end: int, bin_s: float = 900,
    progress: Progress | None = None,
) -> Table:  # fmt: skip
    """The whole intersection by bin; raises as `intersection_measures`."""
    edges_of(start, end, bin_s)
    return totals(scene(city, layer, intersection, start, end, progress), bin_s)


def totals(scene: Scene, bin_s: float) -> Table:
    """The whole intersection by bin; raises `InvalidInput` for the bin.

    The imbalance is 1 − least / greatest of the approaches' total control delays, vehicle seconds:
    0 where all lose the same, 1 where one loses nothing. It is our own; GA/T 527.2, B.22
    (失衡系数), has one whose formula was not read.
    """
    edges = edges_of(scene.start, scene.end, bin_s)
    table = measure(scene, bin_s, "approach")
    names = [column.name for column in table.columns]
    stays = scene.stays.where(scene.motor & np.isfinite(scene.stays.crossed))
    at = np.searchsorted(edges, stays.crossed, "right") - 1
    rows: list[tuple[Value, ...]] = []
    count = max(len(scene.approach_links), 1)
    for bin_, (one, two) in enumerate(pairwise(edges.tolist())):
        approaches = [
            dict(zip(names, row, strict=True))
            for row in table.rows[bin_ * count : bin_ * count + count]
        ]
        own = stays.where((at == bin_) & (stays.crossed < two))
        lost = [own.control_loss[own.links == link].sum() for link in scene.approach_links]
        mean = float(own.control_loss.mean()) if len(own) else None
        seen = any(a["volume"] is not None for a in approaches)
        queues = [a["queue_max_m"] for a in approaches if isinstance(a["queue_max_m"], float)]
        red = [a["red_running"] for a in approaches if isinstance(a["red_running"], int)]
        rows.append((
            time_text(int(one)),
            len(own) if seen else None,
            round(len(own) / ((two - one) / 3_600_000), 1) if seen else None,
            None if mean is None else round(mean, 2),
            None if mean is None else los_of(mean) or None,
            round(float(own.stops.mean()), 3) if len(own) else None,
            max(queues) if queues else None,
            _imbalance(lost),
            sum(red) if red else None,
        ))  # fmt: skip
    return Table(_COLUMNS, tuple(rows))


def _imbalance(lost: list[float]) -> float | None:
    greatest = max(lost, default=0.0)
    return round(1 - max(min(lost), 0.0) / greatest, 4) if greatest > 0 else None
