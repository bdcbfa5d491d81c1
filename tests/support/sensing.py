"""Observations kept as the recorder keeps them, for tests of what is made of them."""

import numpy as np

from cim_core.city import City
from cim_core.observations import Observations, observations


def record(city: City, what: Observations) -> None:
    """Keep observations as one batch, at the places of their things where they have none."""
    streams = city.live.streams()
    cells = np.where(what.cells == 0, streams.cells[streams.rows(what.streams)], what.cells)
    whole = Observations(what.streams, what.times, what.values, cells, what.more)
    with city.live.transaction() as connection:
        city.live.batches.append(connection, whole, int(what.times.max()))


def say(city: City, stream: int, time: int, value: float) -> None:
    """One observation."""
    record(city, observations([stream], [time], [value]))
