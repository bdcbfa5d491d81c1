"""The formulas that signs name: each reads a city at a moment."""

from collections.abc import Callable, Mapping

from analysis.vital_signs.devices import at_or_above, closed_in_time, online, open_alarms
from analysis.vital_signs.indicators import indicator
from analysis.vital_signs.projects import overdue, points, progress
from analysis.vital_signs.reading import Reading
from analysis.vital_signs.roads import congestion, speed

FORMULAS: Mapping[str, Callable[..., Reading]] = {
    "online": online, "at-or-above": at_or_above, "open-alarms": open_alarms,
    "closed-in-time": closed_in_time, "speed": speed, "congestion": congestion,
    "indicator": indicator, "renewal-progress": progress, "renewal-points": points,
    "orders-overdue": overdue,
}  # fmt: skip
"""Every formula by its name; it takes who asks, the moment, and the parameters of the sign."""
