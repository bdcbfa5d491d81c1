"""Control delay at signals as the Highway Capacity Manual computes it.

Source: Transportation Research Board, Highway Capacity Manual, signalised intersections: uniform
delay d1, incremental delay d2; the form is that of HCM 2000, chapter 16, without an initial queue.
"""

import numpy as np
from numpy.typing import ArrayLike

from cim_core.mesh import Floats


def uniform_delay(cycle: ArrayLike, green: ArrayLike, x: ArrayLike) -> Floats:
    """d1: what is waited if arrivals are even, in s for each vehicle.

    cycle, green
        The cycle and the effective green, seconds; any shapes that fit each other.
    x
        The degree of saturation, demand by capacity.
    """
    c = np.asarray(cycle, np.float64)
    share = np.asarray(green, np.float64) / c
    served: Floats = 1.0 - np.minimum(1.0, np.asarray(x, np.float64)) * share
    # All green and all used: nobody waits, and the formula says nothing divided by nothing.
    waited: Floats = 0.5 * c * (1.0 - share) ** 2
    return np.divide(
        waited, served, out=np.zeros(np.broadcast(waited, served).shape), where=served > 0
    )


def incremental_delay(
    x: ArrayLike, capacity: ArrayLike, hours: ArrayLike = 0.25, k: float = 0.5, upstream: float = 1.0
) -> Floats:  # fmt: skip
    """d2: what is waited because arrivals are random and at times too many, s for each vehicle.

    capacity
        Vehicles an hour; infinite delay where it is 0 and somebody comes.
    hours
        How long this demand lasts (T).
    k, upstream
        0.5 for fixed-time control, and 1 for an intersection alone (I).
    """
    degree, c = np.asarray(x, np.float64), np.asarray(capacity, np.float64)
    t = np.asarray(hours, np.float64)
    over = degree - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = 900.0 * t * (over + np.sqrt(over**2 + 8 * k * upstream * degree / (c * t)))
    return found


def control_delay(
    flow: ArrayLike, saturation_flow: ArrayLike, green: ArrayLike, cycle: ArrayLike,
    hours: ArrayLike = 0.25, k: float = 0.5, upstream: float = 1.0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """The control delay d1 + d2 in s for each vehicle, and the degree of saturation.

    flow, saturation_flow
        Vehicles an hour that come, and that could pass if it were green all the hour.
    green, cycle
        Effective green and cycle, seconds.
    """
    share = np.asarray(green, np.float64) / np.asarray(cycle, np.float64)
    capacity: Floats = np.asarray(saturation_flow, np.float64) * share
    wanted = np.asarray(flow, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        x: Floats = np.where(wanted > 0, wanted / capacity, 0.0)
    # Nobody asks what waits where nobody comes; d1 alone is what the first one would wait.
    busy = wanted > 0
    later = np.where(
        busy, incremental_delay(np.where(busy, x, 0.0), capacity, hours, k, upstream), 0
    )
    return uniform_delay(cycle, green, x) + later, x
