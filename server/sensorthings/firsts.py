"""Since when datastreams observe."""

import numpy as np

from cim_core.observations import LAST_TIME, StreamIds
from cim_core.store.observed import Observed
from server.sensorthings.entities import Id

_DAY = 86_400_000
_ROWS = 100_000


def first_times(observed: Observed, streams: StreamIds) -> dict[Id, int]:
    """When each datastream that has any was observed first, milliseconds since 1970.

    Most begin together, so it is asked day by day, and those that are found are asked no more.
    """
    waiting = observed.latest(streams).streams
    if len(waiting) == 1:
        found = observed.rows(waiting, 0, LAST_TIME + 1, oldest=1)
        return dict(zip(found.streams.tolist(), found.times.tolist(), strict=True))
    span = observed.span()
    firsts: dict[Id, int] = {}
    if span is None:
        return firsts
    begin, width = span[0], _DAY
    while len(waiting) and begin <= span[1]:
        found = observed.rows(waiting, begin, begin + width, oldest=_ROWS)
        seen, rows = np.unique(found.streams, return_index=True)  # of each the first in time
        firsts.update(zip(seen.tolist(), found.times[rows].tolist(), strict=True))
        waiting = np.setdiff1d(waiting, seen)
        if len(found) == _ROWS:
            begin = int(found.times[-1])
        else:
            begin, width = begin + width, 2 * width
    return firsts
